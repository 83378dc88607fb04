package hpa

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/ptr"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
)

func TestDefaultsFillWhatIsMissing(t *testing.T) {
	given := manifest(t, `
maxReplicas: 3
behavior: {scaleUp: {tolerance: "0.2", policies: [{type: Pods, value: 1, periodSeconds: 60}]}, scaleDown: {selectPolicy: Min, stabilizationWindowSeconds: 5}}
`)
	untouched := given.DeepCopy()
	got := Defaults(given).Spec
	assert.Equal(t, untouched, given)
	assert.EqualValues(t, 1, *got.MinReplicas)
	assert.Equal(t, []autoscalingv2.MetricSpec{{Type: "Resource", Resource: &autoscalingv2.ResourceMetricSource{Name: "cpu",
		Target: autoscalingv2.MetricTarget{Type: "Utilization", AverageUtilization: ptr.To[int32](80)}}}}, got.Metrics)
	assert.Equal(t, &autoscalingv2.HorizontalPodAutoscalerBehavior{
		ScaleUp: &autoscalingv2.HPAScalingRules{
			StabilizationWindowSeconds: ptr.To[int32](0), SelectPolicy: ptr.To(autoscalingv2.MaxChangePolicySelect),
			Policies: []autoscalingv2.HPAScalingPolicy{{Type: "Pods", Value: 1, PeriodSeconds: 60}}, Tolerance: given.Spec.Behavior.ScaleUp.Tolerance},
		ScaleDown: &autoscalingv2.HPAScalingRules{
			StabilizationWindowSeconds: ptr.To[int32](5), SelectPolicy: ptr.To(autoscalingv2.MinChangePolicySelect),
			Policies: []autoscalingv2.HPAScalingPolicy{{Type: "Percent", Value: 100, PeriodSeconds: 15}}},
	}, got.Behavior)

	assert.Nil(t, Defaults(manifest(t, "maxReplicas: 3")).Spec.Behavior)
	empty := Defaults(manifest(t, "{maxReplicas: 3, behavior: {}}")).Spec.Behavior
	assert.Equal(t, ptr.To(defaultScaleUp()), empty.ScaleUp)
	assert.Equal(t, ptr.To(defaultScaleDown()), empty.ScaleDown)
}

func TestDefaultsDropTheAnnotationsOfTheAlphaAPI(t *testing.T) {
	m := manifest(t, "maxReplicas: 3")
	m.Annotations = map[string]string{"team": "shop", "autoscaling.alpha.kubernetes.io/other": "stays"}
	for _, dropped := range []string{"metrics", "current-metrics", "conditions", "behavior", "scale-down-tolerance", "scale-up-tolerance"} {
		m.Annotations["autoscaling.alpha.kubernetes.io/"+dropped] = "[]"
	}
	assert.Equal(t, map[string]string{"team": "shop", "autoscaling.alpha.kubernetes.io/other": "stays"}, Defaults(m).Annotations)
}

func TestTheControllersWindowFillsABehaviorWithoutOne(t *testing.T) {
	c := DefaultController()
	c.DownscaleStabilization = time.Minute
	a, err := New(Spec{Manifest: manifest(t, "{maxReplicas: 3, behavior: {}}"), Controller: c})
	require.NoError(t, err)
	assert.Equal(t, time.Minute, a.behavior.down.window)
	assert.Zero(t, a.behavior.up.window)
}
