package sim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	autoscalingv2 "k8s.io/api/autoscaling/v2"

	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/random"
)

// TestLagBudget follows one step of load to the first new pod that gets requests. All
// delays are fixed, so that every stage of the way can be said beforehand:
//
//	300 s  the load steps up
//	310 s  the kubelet samples, every 10 s
//	315 s  metrics-server collects, every 15 s; the HPA syncs then, and wants a pod
//	316 s  the scheduler finds no room for it, after 1 s
//	320 s  the node autoscaler scans, every 10 s, and asks for a node
//	500 s  the node is there, after 180 s, and the pod is bound
//	502 s  its image is pulled, in 2 s
//	505 s  its application is up, in 3 s
//	507 s  its readiness probe finds it so, every 5 s from the container's start
//	508 s  requests reach it, after 1 s
func TestLagBudget(t *testing.T) {
	spec := stepSpec(t, 4, 10*time.Minute, func(s *autoscalingv2.HorizontalPodAutoscalerSpec) { s.MaxReplicas = 2 })
	spec.Cluster.Probes.Readiness = &cluster.Probe{Period: 5 * time.Second, Timeout: time.Second, Failures: 3, Successes: 1}
	spec.Cluster.RequestTimeout = 10 * time.Second // so that the queue drains soon
	spec.Cluster.PerPod.CPUPerRequest = new(400 * time.Millisecond)
	spec.Cluster.CPURequestMilli, spec.Cluster.MemoryRequestBytes = 500, 1<<30
	spec.Cluster.Nodes = &cluster.Nodes{Pools: []cluster.Pool{{
		Name: "general", CPU: 0.5, Memory: 2 << 30, Count: 1, Max: new(3), Provision: random.Constant(3 * time.Minute),
	}}}
	r := play(t, spec)
	require.NotNil(t, r.PodStarts)
	assert.Equal(t, PodStart{
		Pod: 1, CreatedS: 315, ScheduledS: new(500.0), StartedS: new(502.0), ReadyS: new(507.0), RoutableS: new(508.0),
	}, r.PodStarts.Pods[0])
	require.NotNil(t, r.Overload)
	requireWhole(t, r.Overload)
	assert.Equal(t, 300.0, r.Overload.FromS)
	assert.Equal(t, []string{"metric 15", "sync 0", "steps 0", "create 0", "node 185", "image 2", "start 5", "route 1", "queue 44"}, told(r.Overload))
	assert.Equal(t, 508.0, r.Overload.Stages[7].UntilS)
	assert.Equal(t, 1, r.Nodes.Requested)
	assert.Equal(t, []NodePool{{Name: "general", NodeSeconds: 900 + 900 - 320}}, r.Nodes.Pools)
}
