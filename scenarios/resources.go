package scenarios

import (
	"maps"
	"slices"

	"github.com/scalelab/scalelab/messages"

	corev1 "k8s.io/api/core/v1"
	resourcehelper "k8s.io/component-helpers/resource"
)

// requests lists what a pod made of the template requests: what it requests as
// a whole, if it does, then container by container, in the order of the
// resources' names.
func requests(template corev1.PodSpec) []messages.ResourceRequest {
	pod := withRequestDefaults(template)
	var list []messages.ResourceRequest
	add := func(container string, amounts corev1.ResourceList) {
		for _, name := range slices.Sorted(maps.Keys(amounts)) {
			amount := amounts[name]
			list = append(list, messages.ResourceRequest{Container: container, Resource: string(name), Milli: amount.MilliValue()})
		}
	}
	if resourcehelper.IsPodLevelRequestsSet(pod) {
		add("", resourcehelper.PodRequests(pod, resourcehelper.PodResourcesOptions{}))
	}
	for _, c := range slices.Concat(pod.Spec.Containers, sidecars(pod.Spec)) {
		if len(c.Resources.Requests) == 0 {
			list = append(list, messages.ResourceRequest{Container: c.Name})
		}
		add(c.Name, c.Resources.Requests)
	}
	return list
}

// steadyRequests are what a pod made of the template requests in all, without
// what only its start needs.
func steadyRequests(template corev1.PodSpec) corev1.ResourceList {
	pod := withRequestDefaults(template)
	pod.Spec.InitContainers = sidecars(pod.Spec)
	return resourcehelper.PodRequests(pod, resourcehelper.PodResourcesOptions{ExcludeOverhead: true})
}

// withRequestDefaults is a pod with the requests that the API server fills in:
// a limit without a request is one; for the whole pod only where no container
// requests the resource, else it requests what they do together.
func withRequestDefaults(template corev1.PodSpec) *corev1.Pod {
	pod := &corev1.Pod{Spec: *template.DeepCopy()}
	for _, list := range [][]corev1.Container{pod.Spec.Containers, pod.Spec.InitContainers} {
		for i := range list {
			r := &list[i].Resources
			r.Requests = fill(r.Requests, r.Limits)
		}
	}
	if r := pod.Spec.Resources; r != nil && len(r.Limits) > 0 {
		r.Requests = fill(r.Requests, resourcehelper.AggregateContainerRequests(pod, resourcehelper.PodResourcesOptions{}))
		r.Requests = fill(r.Requests, r.Limits)
	}
	return pod
}

// fill is given, with what it lacks taken from others.
func fill(given, others corev1.ResourceList) corev1.ResourceList {
	filled := maps.Clone(others)
	if filled == nil {
		return given
	}
	maps.Copy(filled, given)
	return filled
}

func sidecars(pod corev1.PodSpec) []corev1.Container {
	return slices.DeleteFunc(slices.Clone(pod.InitContainers), func(c corev1.Container) bool {
		return c.RestartPolicy == nil || *c.RestartPolicy != corev1.ContainerRestartPolicyAlways
	})
}
