package sim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"k8s.io/apimachinery/pkg/api/resource"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/random"
)

// remembering is a workload of which every request takes 10 s and 50 MiB, beyond the
// 100 MiB of a pod.
func remembering(t *testing.T) Spec {
	spec := baseSpec(t)
	spec.Cluster.PerPod.Concurrency = 100
	spec.Cluster.PerPod.ServiceTime = random.Constant(10 * time.Second)
	spec.Cluster.PerPod.Memory = &cluster.Memory{Base: 100 << 20, PerRequest: 50 << 20}
	spec.Requests = append(spec.Requests, messages.ResourceRequest{Container: "app", Resource: "memory", Milli: 1000 * (400 << 20)})
	return spec
}

// At a request every 2 s, 5 are in service after 10 s: 350 MiB in one pod, of which the
// target is 200 MiB. Two pods have 225 MiB each, on average, so that a third one comes.
func TestAnHPAOnMemory(t *testing.T) {
	spec := remembering(t)
	spec.Traffic = evenly(t, 0.5, 10*time.Minute)
	spec.Strategy = Strategy{Name: "hpa", HPA: cpuHPA(50)}
	spec.Strategy.HPA.Manifest.Spec.Metrics = []autoscalingv2.MetricSpec{{
		Type: autoscalingv2.ResourceMetricSourceType,
		Resource: &autoscalingv2.ResourceMetricSource{Name: corev1.ResourceMemory, Target: autoscalingv2.MetricTarget{
			Type: autoscalingv2.AverageValueMetricType, AverageValue: resource.NewQuantity(200<<20, resource.BinarySI)}},
	}}
	r := play(t, spec)
	var counts []int32
	for _, d := range r.Decisions {
		if d.Changes() {
			counts = append(counts, d.Desired)
		}
	}
	assert.Equal(t, []int32{2, 3}, counts)
	assert.Zero(t, r.Requests.Lost())
}

// The seventh request at a time takes a pod beyond its limit of 400 MiB: all that it
// holds is lost, and the container is there again 3 s later.
func TestTooMuchMemoryEndsAContainer(t *testing.T) {
	spec := remembering(t)
	spec.Cluster.MemoryLimitBytes = 400 << 20
	spec.Traffic = evenly(t, 1, 8*time.Second) // at 0.5 s, 1.5 s ... 7.5 s
	spec.Duration = time.Minute
	r := play(t, spec)
	assert.Equal(t, uint64(8), r.Requests.Failed, "seven with the pod, and one that finds it down")
	assert.Zero(t, r.Requests.Completed)
}
