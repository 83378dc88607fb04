package hpa

import (
	"slices"
	"time"

	"github.com/scalelab/scalelab/messages"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// Status is the status of an HPA's object as its controller writes it, sync by
// sync. Instants in it have the API's resolution of one second.
type Status struct {
	object   *autoscalingv2.HorizontalPodAutoscaler // with its defaults
	version  Version
	readings []messages.Reading // in Written
	// Written is the status after the last sync. What it points to is replaced
	// at a change, never changed.
	Written autoscalingv2.HorizontalPodAutoscalerStatus
}

// NewStatus is that of an object before its first sync. The object is one that
// Version.Defaults has filled in.
func NewStatus(object *autoscalingv2.HorizontalPodAutoscaler, version Version) Status {
	return Status{object: object, version: version}
}

// Follow takes down a decision made at now on a current count of replicas. It
// says whether there is anything to be written.
func (s *Status) Follow(now time.Time, current int32, d messages.Decision) (changed bool) {
	at := metav1.NewTime(now.Truncate(time.Second))
	w := &s.Written
	before := *w
	w.CurrentReplicas = current
	// Without a usable metric the controller leaves the last wish standing.
	if d.Reason != messages.ReasonMetricFailed {
		w.DesiredReplicas = d.Desired
	}
	changed = w.CurrentReplicas != before.CurrentReplicas || w.DesiredReplicas != before.DesiredReplicas
	// Nobody changes the spec of a simulated HPA.
	if s.version.has(seesGenerations) && w.ObservedGeneration == nil {
		w.ObservedGeneration = &s.object.Generation
		changed = true
	}
	if d.Desired != current {
		w.LastScaleTime = ptr.To(at)
		changed = true
	}
	if !sameConditions(w.Conditions, d.Conditions) {
		w.Conditions = conditionsAfter(w.Conditions, d.Conditions, at)
		changed = true
	}
	if !slices.Equal(s.readings, d.Readings) {
		w.CurrentMetrics = s.currentMetrics(d.Readings)
		s.readings = append(s.readings[:0], d.Readings...)
		changed = true
	}
	return changed
}

func sameConditions(written []autoscalingv2.HorizontalPodAutoscalerCondition, now []messages.Condition) bool {
	return slices.EqualFunc(written, now, func(w autoscalingv2.HorizontalPodAutoscalerCondition, c messages.Condition) bool {
		return string(w.Status) == c.Status && w.Reason == c.Reason && w.Message == c.Message
	})
}

// conditionsAfter are those of the decision, which never lose one nor change their
// order. A transition is a change of the status; another reason is none.
func conditionsAfter(written []autoscalingv2.HorizontalPodAutoscalerCondition, said []messages.Condition, now metav1.Time) []autoscalingv2.HorizontalPodAutoscalerCondition {
	list := make([]autoscalingv2.HorizontalPodAutoscalerCondition, len(said))
	for i, c := range said {
		list[i] = autoscalingv2.HorizontalPodAutoscalerCondition{
			Type:               autoscalingv2.HorizontalPodAutoscalerConditionType(c.Type),
			Status:             corev1.ConditionStatus(c.Status),
			LastTransitionTime: now,
			Reason:             c.Reason,
			Message:            c.Message,
		}
		if i < len(written) && written[i].Status == list[i].Status {
			list[i].LastTransitionTime = written[i].LastTransitionTime
		}
	}
	return list
}

// currentMetrics shows the readings; a metric that failed is an empty entry.
func (s *Status) currentMetrics(readings []messages.Reading) []autoscalingv2.MetricStatus {
	list := make([]autoscalingv2.MetricStatus, len(readings))
	for i, r := range readings {
		if !r.Failed {
			list[i] = s.currentMetric(s.object.Spec.Metrics[i], r)
		}
	}
	return list
}

func (s *Status) currentMetric(m autoscalingv2.MetricSpec, r messages.Reading) autoscalingv2.MetricStatus {
	value := resource.NewMilliQuantity(r.Milli, resource.DecimalSI)
	average := autoscalingv2.MetricValueStatus{AverageValue: value}
	status := autoscalingv2.MetricStatus{Type: m.Type}
	switch m.Type {
	case autoscalingv2.ResourceMetricSourceType:
		status.Resource = &autoscalingv2.ResourceMetricStatus{
			Name: m.Resource.Name, Current: s.usage(m.Resource.Name, m.Resource.Target, r),
		}
	case autoscalingv2.ContainerResourceMetricSourceType:
		c := m.ContainerResource
		status.ContainerResource = &autoscalingv2.ContainerResourceMetricStatus{
			Name: c.Name, Container: c.Container, Current: s.usage(c.Name, c.Target, r),
		}
	case autoscalingv2.PodsMetricSourceType:
		status.Pods = &autoscalingv2.PodsMetricStatus{Metric: m.Pods.Metric, Current: average}
	case autoscalingv2.ObjectMetricSourceType:
		status.Object = &autoscalingv2.ObjectMetricStatus{
			DescribedObject: m.Object.DescribedObject, Metric: m.Object.Metric, Current: average,
		}
		if m.Object.Target.Type == autoscalingv2.ValueMetricType {
			status.Object.Current = autoscalingv2.MetricValueStatus{Value: value}
		}
	default:
		status.External = &autoscalingv2.ExternalMetricStatus{Metric: m.External.Metric, Current: average}
		if m.External.Target.AverageValue == nil {
			status.External.Current = autoscalingv2.MetricValueStatus{Value: value}
		}
	}
	return status
}

// usage is the value of a resource, with the percentage where that is the target.
func (s *Status) usage(name corev1.ResourceName, target autoscalingv2.MetricTarget, r messages.Reading) autoscalingv2.MetricValueStatus {
	format := resource.DecimalSI
	if name == corev1.ResourceMemory && s.version.has(binaryMemory) {
		format = resource.BinarySI
	}
	v := autoscalingv2.MetricValueStatus{AverageValue: resource.NewMilliQuantity(r.Milli, format)}
	if target.AverageValue == nil {
		v.AverageUtilization = &r.Percent
	}
	return v
}
