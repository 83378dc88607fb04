package k8shelper

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
)

// Target names a workload with a scale subresource: a Deployment, a
// StatefulSet, a ReplicaSet, an Argo Rollout, or any custom resource that has
// one. Kind may also be one of the plurals that KubeElasti accepts
// ("deployments", "rollouts", and likewise "statefulsets", "replicasets").
type Target struct{ APIVersion, Kind, Namespace, Name string }

// plurals are the resource names accepted for a kind.
var plurals = map[string]string{
	"deployments": "Deployment", "statefulsets": "StatefulSet", "replicasets": "ReplicaSet", "rollouts": "Rollout",
}

// Deployment is the Target of an apps/v1 Deployment.
func Deployment(namespace, name string) Target {
	return Target{APIVersion: "apps/v1", Kind: "Deployment", Namespace: namespace, Name: name}
}

// String is the target as errors name it: "deployment shop/web".
func (t Target) String() string {
	return strings.ToLower(t.kind()) + " " + t.Namespace + "/" + t.Name
}

func (t Target) kind() string {
	if kind, ok := plurals[t.Kind]; ok {
		return kind
	}
	return t.Kind
}

// GroupVersionKind is the target's kind in full, a plural resolved. An
// apiVersion or a kind that cannot be is ErrInvalid.
func (t Target) GroupVersionKind() (schema.GroupVersionKind, error) {
	gv, err := schema.ParseGroupVersion(t.APIVersion)
	switch {
	case err != nil:
		return schema.GroupVersionKind{}, &refusal{"read apiVersion of " + t.String(), ErrInvalid, err}
	case gv.Version == "":
		return schema.GroupVersionKind{}, invalid("read apiVersion of "+t.String(), "found none, expected one such as apps/v1")
	case t.Kind == "":
		return schema.GroupVersionKind{}, invalid("read kind of "+t.Namespace+"/"+t.Name, "found none, expected one such as Deployment")
	}
	return gv.WithKind(t.kind()), nil
}

// Validate returns ErrInvalid for a target that no cluster can have.
func (t Target) Validate() error {
	if _, err := t.GroupVersionKind(); err != nil {
		return err
	}
	if err := checkLabel("namespace of "+t.String(), t.Namespace); err != nil {
		return err
	}
	if problems := validation.IsDNS1123Subdomain(t.Name); len(problems) > 0 {
		return invalid("check name of "+t.String(), "found %q: %s", t.Name, problems[0])
	}
	return nil
}

// Reference is what an Event says it is about. uid may be empty, but then
// kubectl describe does not show the Event.
func (t Target) Reference(uid types.UID) corev1.ObjectReference {
	return corev1.ObjectReference{
		APIVersion: t.APIVersion, Kind: t.kind(), Namespace: t.Namespace, Name: t.Name, UID: uid,
	}
}
