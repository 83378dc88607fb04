package fakecluster

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// bind assigns a pod to a node, as the scheduler asks for it.
func (s *server) bind(gvr schema.GroupVersionResource, namespace string, binding *corev1.Binding) error {
	r, old, err := s.get(gvr, types.NamespacedName{Namespace: namespace, Name: binding.Name})
	if err != nil {
		return err
	}
	pod, ok := shallow(old).(*corev1.Pod)
	switch {
	case !ok:
		return apierrors.NewNotFound(gvr.GroupResource(), binding.Name+"/binding")
	case binding.Target.Name == "":
		return apierrors.NewBadRequest("binding: found no node in target.name, expected one")
	case pod.Spec.NodeName != "":
		return apierrors.NewConflict(gvr.GroupResource(), pod.Name,
			fmt.Errorf("pod %s is already assigned to node %q", pod.Name, pod.Spec.NodeName))
	}
	pod.Spec.NodeName = binding.Target.Name
	pod.Status.Conditions = withCondition(pod.Status.Conditions, corev1.PodCondition{
		Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: s.now(),
	})
	s.store(r, keyOf(pod), pod)
	return nil
}

// withCondition is a new list with the condition added or replaced.
func withCondition(conditions []corev1.PodCondition, c corev1.PodCondition) []corev1.PodCondition {
	out := make([]corev1.PodCondition, 0, len(conditions)+1)
	for _, old := range conditions {
		if old.Type != c.Type {
			out = append(out, old)
		}
	}
	return append(out, c)
}
