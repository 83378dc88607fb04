package fakecluster

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func keyOf(obj object) types.NamespacedName {
	return types.NamespacedName{Namespace: obj.GetNamespace(), Name: obj.GetName()}
}

// normalize brings an object into the form it is stored in: typed if client-go
// has a type for its kind, without apiVersion and kind as typed clients see it.
func normalize(given runtime.Object) (object, schema.GroupVersionKind, error) {
	if u, ok := given.(*unstructured.Unstructured); ok {
		gvk := u.GroupVersionKind()
		if gvk.Kind == "" || gvk.Version == "" {
			return nil, gvk, apierrors.NewBadRequest("object has no apiVersion or kind")
		}
		u.SetManagedFields(nil)
		if !apiTypes().Recognizes(gvk) {
			return u, gvk, nil
		}
		typed, err := apiTypes().New(gvk)
		if err != nil {
			return nil, gvk, err
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, typed); err != nil {
			return nil, gvk, apierrors.NewBadRequest(err.Error())
		}
		given = typed
	}
	kinds, _, err := apiTypes().ObjectKinds(given)
	if err != nil {
		return nil, schema.GroupVersionKind{}, apierrors.NewBadRequest(err.Error())
	}
	obj, ok := given.(object)
	if !ok {
		return nil, kinds[0], apierrors.NewBadRequest(fmt.Sprintf("%s cannot be stored: it has no metadata", kinds[0].Kind))
	}
	obj.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	obj.SetManagedFields(nil)
	return obj, kinds[0], nil
}

func settleNamespace(obj object, namespace string) error {
	if obj.GetNamespace() == "" {
		obj.SetNamespace(namespace)
	}
	if obj.GetNamespace() != namespace {
		return apierrors.NewBadRequest(fmt.Sprintf(
			"the namespace of the object (%s) does not match the namespace of the request (%s)", obj.GetNamespace(), namespace))
	}
	return nil
}

// settleName makes a name from generateName where there is none.
func (s *server) settleName(r *resource, obj object) error {
	if obj.GetName() != "" {
		return nil
	}
	if obj.GetGenerateName() == "" {
		return apierrors.NewInvalid(r.gvk.GroupKind(), "", field.ErrorList{field.Required(
			field.NewPath("metadata", "name"), "name or generateName is required")})
	}
	for range nameAttempts {
		s.names++
		obj.SetName(obj.GetGenerateName() + suffix(s.names))
		if r.objects[keyOf(obj)] == nil {
			break
		}
	}
	return nil
}

// checkPreconditions compares the UID and the version that a write expects
// with the stored ones; empty expects nothing.
func checkPreconditions(gr schema.GroupResource, old object, wantUID types.UID, wantVersion string) error {
	if wantUID != "" && wantUID != old.GetUID() {
		return apierrors.NewConflict(gr, old.GetName(), fmt.Errorf(
			"precondition failed: UID in precondition: %s, UID in object meta: %s", wantUID, old.GetUID()))
	}
	if wantVersion != "" && wantVersion != old.GetResourceVersion() {
		return apierrors.NewConflict(gr, old.GetName(), fmt.Errorf(
			"version %s was written, the stored version is %s: read it again and apply the change to that", wantVersion, old.GetResourceVersion()))
	}
	return nil
}

// setDefaults sets the defaults that the server itself reads.
func setDefaults(obj object) {
	one, thirty := int32(1), int64(corev1.DefaultTerminationGracePeriodSeconds)
	switch o := obj.(type) {
	case *appsv1.Deployment:
		defaultTo(&o.Spec.Replicas, &one)
	case *appsv1.StatefulSet:
		defaultTo(&o.Spec.Replicas, &one)
	case *appsv1.ReplicaSet:
		defaultTo(&o.Spec.Replicas, &one)
	case *corev1.Pod:
		defaultTo(&o.Spec.TerminationGracePeriodSeconds, &thirty)
		if o.Status.Phase == "" {
			o.Status.Phase = corev1.PodPending
		}
	}
}

func defaultTo[T any](field **T, value *T) {
	if *field == nil {
		*field = value
	}
}
