package clientset

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/hpa"
	"github.com/scalelab/scalelab/sim"
)

// watched is an Actuator with an HPA of the given spec, and its decisions.
func watched(t *testing.T, version hpa.Version, spec string) (*Actuator, *hpa.Autoscaler) {
	m := &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Name: "web"}}
	require.NoError(t, yaml.UnmarshalStrict([]byte(spec), &m.Spec))
	m.Spec.ScaleTargetRef = autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"}
	a, err := hpa.New(hpa.Spec{Manifest: m, Controller: hpa.DefaultController(), KubernetesVersion: version})
	require.NoError(t, err)
	o := web(2)
	o.HPA, o.KubernetesVersion = version.Defaults(m), version
	return newActuator(t, o), a
}

func withHPA(replicas int32) sim.Objects {
	o := web(replicas)
	o.HPA = &autoscalingv2.HorizontalPodAutoscaler{}
	return o
}

func status(t *testing.T, a *Actuator) autoscalingv2.HorizontalPodAutoscalerStatus {
	h, err := a.Cluster().Client.AutoscalingV2().HorizontalPodAutoscalers("default").Get(ctx, "web", metav1.GetOptions{})
	require.NoError(t, err)
	return h.Status
}

func events(t *testing.T, a *Actuator) []corev1.Event {
	list, err := a.Cluster().Client.CoreV1().Events("default").List(ctx, metav1.ListOptions{})
	require.NoError(t, err)
	return list.Items
}

const onePerPod = `
maxReplicas: 20
metrics: [{type: External, external: {metric: {name: load}, target: {type: AverageValue, averageValue: "1"}}}]
`

// sync lets the HPA decide on two replicas, or what they have become, and
// carries the decision out.
func sync(t *testing.T, a *Actuator, loop *hpa.Autoscaler, seconds int, metrics ...messages.Metric) {
	now := time.Duration(seconds) * time.Second
	replicas, err := a.Replicas(now)
	require.NoError(t, err)
	replicas.Created = replicas.Desired
	d, err := loop.Decide(start.Add(now), messages.Observation{Replicas: replicas, Metrics: metrics})
	require.NoError(t, err)
	_, err = a.Carry(now, "hpa", d)
	require.NoError(t, err)
}

// The status is written when a reading changes, and not when nothing does.
func TestNothingNewIsNotWritten(t *testing.T) {
	a, loop := watched(t, "", onePerPod)
	version := func() string {
		h, err := a.Cluster().Client.AutoscalingV2().HorizontalPodAutoscalers("default").Get(ctx, "web", metav1.GetOptions{})
		require.NoError(t, err)
		return h.ResourceVersion
	}
	sync(t, a, loop, 0, messages.Metric{Milli: 2000})
	first := version()
	sync(t, a, loop, 15, messages.Metric{Milli: 2000})
	assert.Equal(t, first, version())
	sync(t, a, loop, 30, messages.Metric{Milli: 2002})
	assert.NotEqual(t, first, version())
	assert.Equal(t, "1001m", status(t, a).CurrentMetrics[0].External.Current.AverageValue.String())
}

// What fails for long counts up; after 25 writes one is allowed in five minutes.
func TestEqualEventsCountUp(t *testing.T) {
	a, loop := watched(t, "", onePerPod)
	for i := range 10 {
		sync(t, a, loop, 15*i, messages.Metric{Err: "HTTP 503"})
	}
	counts := func() map[string]int32 {
		counts := map[string]int32{}
		for _, e := range events(t, a) {
			counts[e.Reason] = e.Count
		}
		return counts
	}
	assert.Equal(t, map[string]int32{"FailedGetExternalMetric": 10, "FailedComputeMetricsReplicas": 10}, counts())
	assert.Equal(t, start, events(t, a)[0].FirstTimestamp.UTC())
	assert.Equal(t, start.Add(135*time.Second), events(t, a)[0].LastTimestamp.UTC())
	for i := 10; i < 40; i++ {
		sync(t, a, loop, 15*i, messages.Metric{Err: "HTTP 503"})
	}
	// The 25th is written at 180 s and the 26th at 300 s; those between count.
	assert.Equal(t, map[string]int32{"FailedGetExternalMetric": 21, "FailedComputeMetricsReplicas": 12}, counts())
}

func TestManySimilarEventsBecomeOne(t *testing.T) {
	a := newActuator(t, withHPA(1))
	for i := range int32(14) {
		_, err := a.Carry(time.Duration(i)*15*time.Second, "hpa", rescaled(i+2))
		require.NoError(t, err)
	}
	counts := map[string]int32{}
	for _, e := range events(t, a) {
		counts[e.Message] = e.Count
	}
	assert.Len(t, counts, 10)
	assert.Equal(t, int32(5), counts["(combined from similar events): New size: 15; reason: test"])
	assert.Equal(t, int32(1), counts["New size: 10; reason: test"])
}

// An Event that counts up after it has expired is written anew, with its count.
func TestAnExpiredEventIsWrittenAgain(t *testing.T) {
	a := newActuator(t, withHPA(1))
	for i, desired := range []int32{2, 1, 3, 2} {
		_, err := a.Carry(time.Duration(i)*50*time.Minute, "hpa", rescaled(desired))
		require.NoError(t, err)
	}
	list := events(t, a)
	require.Len(t, list, 2)
	last := list[0]
	if list[1].LastTimestamp.After(last.LastTimestamp.Time) {
		last = list[1]
	}
	assert.Equal(t, "New size: 2; reason: test", last.Message)
	assert.Equal(t, int32(2), last.Count)
}
