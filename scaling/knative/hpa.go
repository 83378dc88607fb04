package knative

import (
	"math"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"
)

// HPA is the HorizontalPodAutoscaler that Knative makes for a revision of the
// class hpa.autoscaling.knative.dev, for the Deployment of the given name. It
// has no defaults filled in. A target of memory is in MiB, one of cpu in percent
// of the requests.
func HPA(revision Revision, config Config, deployment string) *autoscalingv2.HorizontalPodAutoscaler {
	a := revision.Annotations
	low, high := config.MinScale, config.MaxScale
	minScaleAnnotation.count(a, &low)
	maxScaleAnnotation.count(a, &high)
	h := &autoscalingv2.HorizontalPodAutoscaler{}
	h.Name, h.Namespace = revision.Name, revision.Namespace
	h.APIVersion, h.Kind = "autoscaling/v2", "HorizontalPodAutoscaler"
	h.Spec.ScaleTargetRef = autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: deployment}
	h.Spec.MaxReplicas = high
	if high == 0 {
		h.Spec.MaxReplicas = math.MaxInt32
	}
	if low > 0 {
		h.Spec.MinReplicas = &low
	}
	var target float64
	if targetAnnotation.number(a, &target) {
		_, metric, found := metricAnnotation.in(a)
		if !found {
			metric = "cpu"
		}
		h.Spec.Metrics = []autoscalingv2.MetricSpec{hpaMetric(metric, target)}
	}
	var window time.Duration
	if windowAnnotation.duration(a, &window) {
		seconds := int32(window.Seconds())
		rules := autoscalingv2.HPAScalingRules{StabilizationWindowSeconds: &seconds}
		h.Spec.Behavior = &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleUp: &rules, ScaleDown: rules.DeepCopy()}
	}
	return h
}

// hpaMetric is a resource of the pods, or a metric of that name for each pod.
func hpaMetric(name string, target float64) autoscalingv2.MetricSpec {
	switch name {
	case "cpu":
		return resourceMetric(corev1.ResourceCPU, autoscalingv2.MetricTarget{
			Type: autoscalingv2.UtilizationMetricType, AverageUtilization: ptr.To(toInt32(math.Ceil(target)))})
	case "memory":
		return resourceMetric(corev1.ResourceMemory, autoscalingv2.MetricTarget{
			Type: autoscalingv2.AverageValueMetricType, AverageValue: resource.NewQuantity(toInt64(target)*1024*1024, resource.BinarySI)})
	}
	return autoscalingv2.MetricSpec{Type: autoscalingv2.PodsMetricSourceType, Pods: &autoscalingv2.PodsMetricSource{
		Metric: autoscalingv2.MetricIdentifier{Name: name},
		Target: autoscalingv2.MetricTarget{Type: autoscalingv2.AverageValueMetricType, AverageValue: resource.NewQuantity(toInt64(target), resource.DecimalSI)},
	}}
}

func resourceMetric(name corev1.ResourceName, target autoscalingv2.MetricTarget) autoscalingv2.MetricSpec {
	return autoscalingv2.MetricSpec{Type: autoscalingv2.ResourceMetricSourceType,
		Resource: &autoscalingv2.ResourceMetricSource{Name: name, Target: target}}
}

// toInt64 is toInt32 for 64 bits.
func toInt64(x float64) int64 {
	if x >= math.MinInt64 && x < math.MaxInt64 {
		return int64(x)
	}
	return math.MinInt64
}
