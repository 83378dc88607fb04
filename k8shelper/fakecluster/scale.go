package fakecluster

import (
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// scalable is where a kind with a Go type keeps what its scale subresource shows.
type scalable struct {
	desired  **int32
	created  int32
	selector *metav1.LabelSelector
}

func scalableOf(obj object) (scalable, bool) {
	switch o := obj.(type) {
	case *appsv1.Deployment:
		return scalable{&o.Spec.Replicas, o.Status.Replicas, o.Spec.Selector}, true
	case *appsv1.StatefulSet:
		return scalable{&o.Spec.Replicas, o.Status.Replicas, o.Spec.Selector}, true
	case *appsv1.ReplicaSet:
		return scalable{&o.Spec.Replicas, o.Status.Replicas, o.Spec.Selector}, true
	}
	return scalable{}, false
}

// getScale shows an object as a Scale.
func (s *server) getScale(gvr schema.GroupVersionResource, key types.NamespacedName) (*autoscalingv1.Scale, error) {
	_, obj, err := s.get(gvr, key)
	if err != nil {
		return nil, err
	}
	scale := &autoscalingv1.Scale{ObjectMeta: metav1.ObjectMeta{
		Name: key.Name, Namespace: key.Namespace, UID: obj.GetUID(),
		ResourceVersion: obj.GetResourceVersion(), CreationTimestamp: obj.GetCreationTimestamp(),
	}}
	if part, ok := scalableOf(obj); ok {
		scale.Spec.Replicas = **part.desired
		scale.Status = autoscalingv1.ScaleStatus{Replicas: part.created, Selector: selectorText(part.selector)}
		return scale, nil
	}
	custom, paths := s.customScale(gvr, obj)
	if paths == nil {
		return nil, apierrors.NewNotFound(gvr.GroupResource(), key.Name+"/scale")
	}
	desired, found, err := unstructured.NestedInt64(custom.Object, steps(paths.Desired)...)
	if err != nil || !found {
		return nil, apierrors.NewInternalError(fmt.Errorf("the spec replicas field %q does not exist", paths.Desired))
	}
	created, _, _ := unstructured.NestedInt64(custom.Object, steps(paths.Created)...)
	selector, _, _ := unstructured.NestedString(custom.Object, steps(paths.Selector)...)
	scale.Spec.Replicas = int32(desired)
	scale.Status = autoscalingv1.ScaleStatus{Replicas: int32(created), Selector: selector}
	return scale, nil
}

// customScale finds where a custom resource keeps its scale, if it has one.
func (s *server) customScale(gvr schema.GroupVersionResource, obj object) (*unstructured.Unstructured, *ScalePaths) {
	custom, ok := obj.(*unstructured.Unstructured)
	if !ok {
		return nil, nil
	}
	return custom, s.scales[gvr.GroupResource()]
}

// steps are the fields of a path such as .spec.replicas. Without a path there
// is nothing to be found.
func steps(path string) []string { return strings.Split(strings.TrimPrefix(path, "."), ".") }

// selectorText is the selector in the form of a query string; without one it is empty.
func selectorText(selector *metav1.LabelSelector) string {
	if selector == nil {
		return ""
	}
	return metav1.FormatLabelSelector(selector)
}

// updateScale sets the desired replicas of an object, and nothing else.
func (s *server) updateScale(gvr schema.GroupVersionResource, key types.NamespacedName, scale *autoscalingv1.Scale) (*autoscalingv1.Scale, error) {
	current, err := s.getScale(gvr, key)
	if err != nil {
		return nil, err
	}
	if scale.Spec.Replicas < 0 {
		return nil, apierrors.NewInvalid(autoscalingv1.SchemeGroupVersion.WithKind("Scale").GroupKind(), key.Name, field.ErrorList{
			field.Invalid(field.NewPath("spec", "replicas"), scale.Spec.Replicas, "must be greater than or equal to 0")})
	}
	r, old, err := s.get(gvr, key)
	if err != nil {
		return nil, err
	}
	if err := checkPreconditions(gvr.GroupResource(), old, scale.UID, scale.ResourceVersion); err != nil {
		return nil, err
	}
	if current.Spec.Replicas == scale.Spec.Replicas {
		return current, nil
	}
	changed, err := s.withDesired(gvr, old, scale.Spec.Replicas)
	if err != nil {
		return nil, err
	}
	changed.SetGeneration(old.GetGeneration() + 1)
	s.store(r, key, changed)
	current.Spec.Replicas, current.ResourceVersion = scale.Spec.Replicas, changed.GetResourceVersion()
	return current, nil
}

// withDesired is an object with another count of desired replicas.
func (s *server) withDesired(gvr schema.GroupVersionResource, old object, desired int32) (object, error) {
	changed := shallow(old)
	if part, ok := scalableOf(changed); ok {
		*part.desired = &desired
		return changed, nil
	}
	custom, paths := s.customScale(gvr, old)
	custom = custom.DeepCopy()
	return custom, unstructured.SetNestedField(custom.Object, int64(desired), steps(paths.Desired)...)
}
