package hpa

import (
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// DefaultController has the flag defaults of kube-controller-manager v1.37.
func DefaultController() Controller {
	return Controller{
		SyncPeriod:              15 * time.Second,
		Tolerance:               0.1,
		DownscaleStabilization:  5 * time.Minute,
		CPUInitializationPeriod: 5 * time.Minute,
		InitialReadinessDelay:   30 * time.Second,
	}
}

// alphaAnnotations carried fields that older versions of the API lack.
var alphaAnnotations = []string{
	"autoscaling.alpha.kubernetes.io/metrics",
	"autoscaling.alpha.kubernetes.io/current-metrics",
	"autoscaling.alpha.kubernetes.io/conditions",
	"autoscaling.alpha.kubernetes.io/behavior",
	"autoscaling.alpha.kubernetes.io/scale-down-tolerance",
	"autoscaling.alpha.kubernetes.io/scale-up-tolerance",
}

// Defaults returns a copy of the manifest with everything filled in that the
// API server fills in, and without the annotations that it drops. A manifest
// without behavior stays without: the controller treats the two differently.
func Defaults(manifest *autoscalingv2.HorizontalPodAutoscaler) *autoscalingv2.HorizontalPodAutoscaler {
	m := manifest.DeepCopy()
	for _, key := range alphaAnnotations {
		delete(m.Annotations, key)
	}
	if m.Spec.MinReplicas == nil {
		m.Spec.MinReplicas = ptr.To[int32](1)
	}
	if len(m.Spec.Metrics) == 0 {
		m.Spec.Metrics = []autoscalingv2.MetricSpec{{
			Type: autoscalingv2.ResourceMetricSourceType,
			Resource: &autoscalingv2.ResourceMetricSource{
				Name: corev1.ResourceCPU,
				Target: autoscalingv2.MetricTarget{
					Type:               autoscalingv2.UtilizationMetricType,
					AverageUtilization: ptr.To[int32](80),
				},
			},
		}}
	}
	if b := m.Spec.Behavior; b != nil {
		b.ScaleUp = withRuleDefaults(b.ScaleUp, defaultScaleUp())
		b.ScaleDown = withRuleDefaults(b.ScaleDown, defaultScaleDown())
	}
	return m
}

// defaultScaleUp: at once, by 4 pods or 100 % in 15 s, whichever is more.
func defaultScaleUp() autoscalingv2.HPAScalingRules {
	return autoscalingv2.HPAScalingRules{
		StabilizationWindowSeconds: ptr.To[int32](0),
		SelectPolicy:               ptr.To(autoscalingv2.MaxChangePolicySelect),
		Policies: []autoscalingv2.HPAScalingPolicy{
			{Type: autoscalingv2.PodsScalingPolicy, Value: 4, PeriodSeconds: 15},
			{Type: autoscalingv2.PercentScalingPolicy, Value: 100, PeriodSeconds: 15},
		},
	}
}

// defaultScaleDown: everything at once. The window stays open, because it is a
// flag of the controller.
func defaultScaleDown() autoscalingv2.HPAScalingRules {
	return autoscalingv2.HPAScalingRules{
		SelectPolicy: ptr.To(autoscalingv2.MaxChangePolicySelect),
		Policies: []autoscalingv2.HPAScalingPolicy{
			{Type: autoscalingv2.PercentScalingPolicy, Value: 100, PeriodSeconds: 15},
		},
	}
}

// withRuleDefaults lays given over the defaults. A given list of policies, even
// an empty one, replaces the default list.
func withRuleDefaults(given *autoscalingv2.HPAScalingRules, rules autoscalingv2.HPAScalingRules) *autoscalingv2.HPAScalingRules {
	if given == nil {
		return &rules
	}
	if given.StabilizationWindowSeconds != nil {
		rules.StabilizationWindowSeconds = given.StabilizationWindowSeconds
	}
	if given.SelectPolicy != nil {
		rules.SelectPolicy = given.SelectPolicy
	}
	if given.Policies != nil {
		rules.Policies = given.Policies
	}
	rules.Tolerance = given.Tolerance
	return &rules
}
