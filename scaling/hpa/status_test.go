package hpa

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/scalelab/scalelab/messages"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func newStatus(t *testing.T, version Version, spec string) Status {
	object := version.Defaults(manifest(t, spec))
	object.Generation = 3
	return NewStatus(object, version)
}

// A transition is a change of a condition's status: another reason leaves its
// time alone.
func TestConditionsAndTheirTransitions(t *testing.T) {
	const spec = "maxReplicas: 20\n" + onePerPod
	a, s := newAutoscaler(t, spec), newStatus(t, "", spec)
	cur := int32(2)
	sync := func(seconds float64, m messages.Metric) []string {
		now := after(seconds + 0.4) // the API has whole seconds
		d, err := a.Decide(now, messages.Observation{Replicas: messages.Replicas{Desired: cur, Created: cur}, Metrics: []messages.Metric{m}})
		require.NoError(t, err)
		assert.True(t, s.Follow(now, cur, d))
		cur = d.Desired
		var lines []string
		for _, c := range s.Written.Conditions {
			lines = append(lines, fmt.Sprintf("%s=%s %s since %s", c.Type, c.Status, c.Reason, c.LastTransitionTime.Sub(start)))
		}
		return lines
	}
	assert.Equal(t, []string{"AbleToScale=True ReadyForNewScale since 0s", "ScalingActive=True ValidMetricFound since 0s",
		"ScalingLimited=False DesiredWithinRange since 0s"}, sync(0, total(2000)))
	assert.Nil(t, s.Written.LastScaleTime)
	assert.Equal(t, []string{"AbleToScale=True SucceededRescale since 0s", "ScalingActive=True ValidMetricFound since 0s",
		"ScalingLimited=True ScaleUpLimit since 15s", "ScaledToZero=False NotScaledToZero since 15s"}, sync(15, total(9000)))
	assert.Equal(t, &metav1.Time{Time: after(15)}, s.Written.LastScaleTime)
	before := s.Written.Conditions
	assert.Equal(t, []string{"AbleToScale=True SucceededGetScale since 0s", "ScalingActive=False FailedGetExternalMetric since 30s",
		"ScalingLimited=True ScaleUpLimit since 15s", "ScaledToZero=False NotScaledToZero since 15s"}, sync(30, messages.Metric{Err: "HTTP 503"}))
	assert.Equal(t, "SucceededRescale", before[0].Reason, "what was written before stays as it was")
	assert.Equal(t, []autoscalingv2.MetricStatus{{}}, s.Written.CurrentMetrics, "an entry for each metric, empty where it failed")
	assert.Equal(t, []int32{4, 4}, []int32{s.Written.CurrentReplicas, s.Written.DesiredReplicas}, "the last wish stands")
	assert.Equal(t, []string{"AbleToScale=True SucceededRescale since 0s", "ScalingActive=True ValidMetricFound since 45s",
		"ScalingLimited=True ScaleUpLimit since 15s", "ScaledToZero=False NotScaledToZero since 15s"}, sync(45, total(9000)))
}

func TestCurrentMetrics(t *testing.T) {
	const spec = `
maxReplicas: 20
metrics:
- {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}
- {type: Resource, resource: {name: memory, target: {type: AverageValue, averageValue: 1Gi}}}
- {type: ContainerResource, containerResource: {name: memory, container: web, target: {type: Utilization, averageUtilization: 50}}}
- {type: Pods, pods: {metric: {name: rps}, target: {type: AverageValue, averageValue: 1}}}
- {type: Object, object: {describedObject: {kind: Service, name: web}, metric: {name: hits}, target: {type: Value, value: 1}}}
- {type: Object, object: {describedObject: {kind: Service, name: web}, metric: {name: hits}, target: {type: AverageValue, averageValue: 1}}}
- {type: External, external: {metric: {name: load}, target: {type: Value, value: 1}}}
- {type: External, external: {metric: {name: load, selector: {matchLabels: {a: b}}}, target: {type: AverageValue, averageValue: 1}}}
`
	const mi = 1024 * 1024 * 1000 // thousandths of a byte
	readings := []messages.Reading{
		{Percent: 40, Milli: 80}, {Milli: 64 * mi}, {Percent: 30, Milli: 32 * mi}, {Milli: 1500}, {Milli: 2000}, {Milli: 2500}, {Milli: 3000}, {Milli: 3500},
	}
	const want = `
- {type: Resource, resource: {name: cpu, current: {averageUtilization: 40, averageValue: 80m}}}
- {type: Resource, resource: {name: memory, current: {averageValue: %s}}}
- {type: ContainerResource, containerResource: {name: memory, container: web, current: {averageUtilization: 30, averageValue: %s}}}
- {type: Pods, pods: {metric: {name: rps}, current: {averageValue: 1500m}}}
- {type: Object, object: {describedObject: {kind: Service, name: web}, metric: {name: hits}, current: {value: "2"}}}
- {type: Object, object: {describedObject: {kind: Service, name: web}, metric: {name: hits}, current: {averageValue: 2500m}}}
- {type: External, external: {metric: {name: load}, current: {value: "3"}}}
- {type: External, external: {metric: {name: load, selector: {matchLabels: {a: b}}}, current: {averageValue: 3500m}}}
`
	for version, memory := range map[Version][]any{"1.33": {`"67108864"`, `"33554432"`}, "1.34": {"64Mi", "32Mi"}, "": {"64Mi", "32Mi"}} {
		s := newStatus(t, version, spec)
		assert.True(t, s.Follow(start, 2, messages.Decision{Desired: 2, Readings: readings}))
		got, err := yaml.Marshal(s.Written.CurrentMetrics)
		require.NoError(t, err)
		assert.YAMLEq(t, fmt.Sprintf(want, memory...), string(got), version)
		assert.True(t, s.Follow(start.Add(15*time.Second), 2, messages.Decision{Desired: 2}))
		assert.Empty(t, s.Written.CurrentMetrics, "no metric was asked")
	}
}

func TestGenerationsAreObservedSince137(t *testing.T) {
	for version, want := range map[Version]*int64{"1.36": nil, "1.37": ptr.To[int64](3)} {
		s := newStatus(t, version, "maxReplicas: 20")
		s.Follow(start, 2, messages.Decision{Desired: 2})
		assert.Equal(t, want, s.Written.ObservedGeneration, version)
		assert.False(t, s.Follow(start, 2, messages.Decision{Desired: 2}), "nothing is new")
	}
}
