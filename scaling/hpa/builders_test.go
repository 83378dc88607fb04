package hpa

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/scalelab/scalelab/messages"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
)

var start = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// after is the instant so many seconds after the start.
func after(seconds float64) time.Time {
	return start.Add(time.Duration(seconds * float64(time.Second)))
}

// manifest reads the part of a HorizontalPodAutoscaler below spec, without the
// target.
func manifest(t testing.TB, spec string) *autoscalingv2.HorizontalPodAutoscaler {
	m := &autoscalingv2.HorizontalPodAutoscaler{}
	require.NoError(t, yaml.UnmarshalStrict([]byte(spec), &m.Spec))
	m.Name = "web"
	m.Spec.ScaleTargetRef = autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"}
	return m
}

func newAutoscaler(t testing.TB, spec string) *Autoscaler {
	a, err := New(Spec{Manifest: manifest(t, spec), Controller: DefaultController()})
	require.NoError(t, err)
	return a
}

const (
	cpuAt50 = `
metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]
`
	// One per pod: the external value is the count that is asked for.
	onePerPod = `
metrics: [{type: External, external: {metric: {name: load}, target: {type: AverageValue, averageValue: "1"}}}]
`
)

// readyPods are so many pods that became ready ten minutes before the start,
// each with a request of 200m cpu.
func readyPods(n int) []messages.Pod {
	requests := []messages.ResourceRequest{{Container: "web", Resource: "cpu", Milli: 200}}
	pods := make([]messages.Pod, n)
	for i := range pods {
		pods[i] = messages.Pod{
			Name: fmt.Sprintf("web-%d", i), Phase: messages.PodRunning, Ready: true, HasCondition: true,
			Started: after(-600), ReadyChanged: after(-600), Requests: requests,
		}
	}
	return pods
}

// seen is an observation of the pods, all of them asked for and created.
func seen(pods []messages.Pod, metrics ...messages.Metric) messages.Observation {
	n := int32(len(pods))
	return messages.Observation{Replicas: messages.Replicas{Desired: n, Created: n, Ready: n}, Pods: pods, Metrics: metrics}
}

// perPod is a metric with a sample for each of the first pods.
func perPod(at time.Time, milli ...int64) messages.Metric {
	m := messages.Metric{At: at, Window: 30 * time.Second}
	for i, value := range milli {
		m.Pods = append(m.Pods, messages.PodMetric{Pod: i, Milli: value, At: at, Window: m.Window})
	}
	return m
}

func uniform(at time.Time, pods int, milli int64) messages.Metric {
	values := make([]int64, pods)
	for i := range values {
		values[i] = milli
	}
	return perPod(at, values...)
}

// total is a metric of one value.
func total(milli int64) messages.Metric { return messages.Metric{Milli: milli} }

// wants is what onePerPod sees when the metrics ask for so many replicas.
func wants(cur, want int32) messages.Observation {
	return messages.Observation{
		Replicas: messages.Replicas{Desired: cur, Created: cur, Ready: cur},
		Metrics:  []messages.Metric{total(int64(want) * 1000)},
	}
}

// follow carries the decisions out and returns the count after every sync. A
// tolerance of 0 in the manifest makes every want count.
func follow(t testing.TB, a *Autoscaler, cur int32, tick time.Duration, asked ...int32) []int32 {
	var counts []int32
	for i, want := range asked {
		d, err := a.Decide(start.Add(time.Duration(i)*tick), wants(cur, want))
		require.NoError(t, err)
		cur = d.Desired
		counts = append(counts, cur)
	}
	return counts
}

// reasoned is a decision without what it reports to the API.
func reasoned(d messages.Decision) messages.Decision {
	d.Conditions, d.Events, d.Readings = nil, nil, nil
	return d
}

func constant(n int, want int32) []int32 {
	list := make([]int32, n)
	for i := range list {
		list[i] = want
	}
	return list
}
