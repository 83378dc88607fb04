package hpa

import (
	"cmp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// generatedFrom is how much of a generateName a name keeps; five characters
// that the API server draws follow.
const generatedFrom = 58

// validateMetadata checks what all kinds of objects have in common. The API
// server writes managedFields and, since HPAs have one, the generation itself.
// Faults of owner references are told as since 1.37; before, without an index.
func (v Version) validateMetadata(meta metav1.ObjectMeta, path *field.Path) (errs field.ErrorList) {
	meta.Namespace = cmp.Or(meta.Namespace, metav1.NamespaceDefault)
	meta.ManagedFields = nil
	if v.has(seesGenerations) {
		meta.Generation = 1
	}
	if meta.Name == "" && meta.GenerateName == "" {
		errs = append(errs, field.Required(path.Child("name"), "a HorizontalPodAutoscaler needs a name"))
	}
	if meta.Name == "" {
		meta.Name = meta.GenerateName[:min(len(meta.GenerateName), generatedFrom)] + "00000"
	}
	errs = append(errs, apivalidation.ValidateObjectMeta(&meta, true, apivalidation.NameIsDNSSubdomain, path)...)
	for i, finalizer := range meta.Finalizers {
		errs = append(errs, validateFinalizer(finalizer, path.Child("finalizers").Index(i))...)
	}
	return errs
}

// validateFinalizer wants the domain of whoever takes the finalizer away again,
// unless that is Kubernetes itself.
func validateFinalizer(name string, path *field.Path) field.ErrorList {
	switch name {
	case string(corev1.FinalizerKubernetes), metav1.FinalizerOrphanDependents, metav1.FinalizerDeleteDependents:
		return nil
	}
	if strings.Contains(name, "/") {
		return nil
	}
	return field.ErrorList{field.Invalid(path, name, "must be qualified by a domain, such as example.com/"+name)}
}
