package k8shelper

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// Pods counts the pods of a workload. Finished ones (Succeeded, Failed) are
// not among them.
type Pods struct {
	Total       int // all of them
	Ready       int // with a true Ready condition, and not terminating
	Terminating int // with a deletion timestamp
}

// Pods counts the pods that a label selector matches, such as Scale.Selector.
// A selector that is empty, and so matches everything, or cannot be read is
// ErrInvalid.
func (o *Ops) Pods(ctx context.Context, namespace, selector string) (Pods, error) {
	attempt := "count pods " + selector + " of namespace " + namespace
	parsed, err := labels.Parse(selector)
	switch {
	case err != nil:
		return Pods{}, &refusal{attempt, ErrInvalid, err}
	case parsed.Empty():
		return Pods{}, invalid(attempt, "found an empty selector, expected one that tells the pods of a workload from others")
	}
	if err := checkLabel(attempt, namespace); err != nil {
		return Pods{}, err
	}
	list, err := o.clients.Kubernetes.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return Pods{}, explain(attempt, err)
	}
	var counts Pods
	for i := range list.Items {
		counts.count(&list.Items[i])
	}
	return counts, nil
}

func (c *Pods) count(pod *corev1.Pod) {
	switch {
	case pod.Status.Phase == corev1.PodSucceeded, pod.Status.Phase == corev1.PodFailed:
		return
	case pod.DeletionTimestamp != nil:
		c.Terminating++
	case isReady(pod):
		c.Ready++
	}
	c.Total++
}

func isReady(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
