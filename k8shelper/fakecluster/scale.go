package fakecluster

import (
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// scalable is where a kind keeps what its scale subresource shows.
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
	part, ok := scalableOf(obj)
	if !ok {
		return nil, apierrors.NewNotFound(gvr.GroupResource(), key.Name+"/scale")
	}
	return &autoscalingv1.Scale{
		ObjectMeta: metav1.ObjectMeta{
			Name: key.Name, Namespace: key.Namespace, UID: obj.GetUID(),
			ResourceVersion: obj.GetResourceVersion(), CreationTimestamp: obj.GetCreationTimestamp(),
		},
		Spec:   autoscalingv1.ScaleSpec{Replicas: **part.desired},
		Status: autoscalingv1.ScaleStatus{Replicas: part.created, Selector: selectorText(part.selector)},
	}, nil
}

// selectorText is the selector in the form of a query string; without one it is empty.
func selectorText(selector *metav1.LabelSelector) string {
	if selector == nil {
		return ""
	}
	return metav1.FormatLabelSelector(selector)
}

// updateScale sets the desired replicas of an object, and nothing else.
func (s *server) updateScale(gvr schema.GroupVersionResource, key types.NamespacedName, scale *autoscalingv1.Scale) (*autoscalingv1.Scale, error) {
	r, old, err := s.get(gvr, key)
	if err != nil {
		return nil, err
	}
	changed := shallow(old)
	part, ok := scalableOf(changed)
	if !ok {
		return nil, apierrors.NewNotFound(gvr.GroupResource(), key.Name+"/scale")
	}
	if scale.Spec.Replicas < 0 {
		return nil, apierrors.NewInvalid(autoscalingv1.SchemeGroupVersion.WithKind("Scale").GroupKind(), key.Name, field.ErrorList{
			field.Invalid(field.NewPath("spec", "replicas"), scale.Spec.Replicas, "must be greater than or equal to 0")})
	}
	if err := checkPreconditions(gvr.GroupResource(), old, scale.UID, scale.ResourceVersion); err != nil {
		return nil, err
	}
	if **part.desired != scale.Spec.Replicas {
		desired := scale.Spec.Replicas
		*part.desired = &desired
		changed.SetGeneration(old.GetGeneration() + 1)
		s.store(r, key, changed)
	}
	return s.getScale(gvr, key)
}
