package clientset

import (
	"context"
	"slices"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/hpa"
)

// hpaStatus writes what the HPA controller records about a decision.
type hpaStatus struct {
	client   kubernetes.Interface
	clock    clock.PassiveClock
	version  hpa.Version
	hpa      *autoscalingv2.HorizontalPodAutoscaler // as last written
	readings []messages.Reading                     // in its status
	events   *recorder
}

// record emits the decision's events and writes the status if it has changed.
// current is the count that the decision was made on.
func (h *hpaStatus) record(ctx context.Context, current int32, d messages.Decision) error {
	for _, e := range d.Events {
		if err := h.events.emit(ctx, h.hpa, e); err != nil {
			return err
		}
	}
	status := h.hpa.Status
	status.CurrentReplicas = current
	// Without a usable metric the controller leaves the last wish standing.
	if d.Reason != messages.ReasonMetricFailed {
		status.DesiredReplicas = d.Desired
	}
	changed := status.CurrentReplicas != h.hpa.Status.CurrentReplicas || status.DesiredReplicas != h.hpa.Status.DesiredReplicas
	// Nobody changes the spec of a simulated HPA.
	if h.version.ObservesGenerations() && status.ObservedGeneration == nil {
		status.ObservedGeneration = &h.hpa.Generation
		changed = true
	}
	if d.Desired != current {
		status.LastScaleTime = ptr.To(h.now())
		changed = true
	}
	if !sameConditions(status.Conditions, d.Conditions) {
		status.Conditions = conditions(status.Conditions, d.Conditions, h.now())
		changed = true
	}
	if !slices.Equal(h.readings, d.Readings) {
		status.CurrentMetrics = h.currentMetrics(d.Readings)
		changed = true
	}
	if !changed {
		return nil
	}
	written, err := h.client.AutoscalingV2().HorizontalPodAutoscalers(h.hpa.Namespace).UpdateStatus(ctx,
		&autoscalingv2.HorizontalPodAutoscaler{
			ObjectMeta: metav1.ObjectMeta{Name: h.hpa.Name, Namespace: h.hpa.Namespace, UID: h.hpa.UID},
			Status:     status,
		}, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	h.hpa, h.readings = written, append(h.readings[:0], d.Readings...)
	return nil
}

// now is the clock's instant in the API's resolution of one second.
func (h *hpaStatus) now() metav1.Time { return metav1.NewTime(h.clock.Now().Truncate(time.Second)) }

func sameConditions(written []autoscalingv2.HorizontalPodAutoscalerCondition, now []messages.Condition) bool {
	return slices.EqualFunc(written, now, func(w autoscalingv2.HorizontalPodAutoscalerCondition, c messages.Condition) bool {
		return string(w.Status) == c.Status && w.Reason == c.Reason && w.Message == c.Message
	})
}

// conditions are those of the decision, which never lose one nor change their
// order. A transition is a change of the status; another reason is none.
func conditions(written []autoscalingv2.HorizontalPodAutoscalerCondition, said []messages.Condition, now metav1.Time) []autoscalingv2.HorizontalPodAutoscalerCondition {
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
func (h *hpaStatus) currentMetrics(readings []messages.Reading) []autoscalingv2.MetricStatus {
	list := make([]autoscalingv2.MetricStatus, len(readings))
	for i, r := range readings {
		if !r.Failed {
			list[i] = h.currentMetric(h.hpa.Spec.Metrics[i], r)
		}
	}
	return list
}

func (h *hpaStatus) currentMetric(m autoscalingv2.MetricSpec, r messages.Reading) autoscalingv2.MetricStatus {
	value := resource.NewMilliQuantity(r.Milli, resource.DecimalSI)
	average := autoscalingv2.MetricValueStatus{AverageValue: value}
	status := autoscalingv2.MetricStatus{Type: m.Type}
	switch m.Type {
	case autoscalingv2.ResourceMetricSourceType:
		status.Resource = &autoscalingv2.ResourceMetricStatus{
			Name: m.Resource.Name, Current: h.usage(m.Resource.Name, m.Resource.Target, r),
		}
	case autoscalingv2.ContainerResourceMetricSourceType:
		c := m.ContainerResource
		status.ContainerResource = &autoscalingv2.ContainerResourceMetricStatus{
			Name: c.Name, Container: c.Container, Current: h.usage(c.Name, c.Target, r),
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
func (h *hpaStatus) usage(name corev1.ResourceName, target autoscalingv2.MetricTarget, r messages.Reading) autoscalingv2.MetricValueStatus {
	format := resource.DecimalSI
	if name == corev1.ResourceMemory && h.version.ShowsBinaryMemory() {
		format = resource.BinarySI
	}
	v := autoscalingv2.MetricValueStatus{AverageValue: resource.NewMilliQuantity(r.Milli, format)}
	if target.AverageValue == nil {
		v.AverageUtilization = &r.Percent
	}
	return v
}
