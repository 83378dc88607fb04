package sim

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/elasti"
	"github.com/scalelab/scalelab/scaling/hpa"
	"github.com/scalelab/scalelab/scaling/keda"
	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/metrics"
	"github.com/scalelab/scalelab/sim/random"
)

// scaledSpec is baseSpec with a ScaledObject over a list of messages, which wait
// in a broker.
func scaledSpec(t testing.TB, change func(*keda.ScaledObject)) Spec {
	spec := baseSpec(t)
	o := &keda.ScaledObject{
		TypeMeta:   metav1.TypeMeta{APIVersion: keda.APIVersion, Kind: keda.Kind},
		ObjectMeta: metav1.ObjectMeta{Name: "jobs"},
	}
	o.Spec.ScaleTargetRef.Name = spec.Workload
	o.Spec.MaxReplicaCount = new(int32(4))
	o.Spec.CooldownPeriod = new(int32(60))
	o.Spec.Triggers = []keda.Trigger{{Type: "redis", Metadata: map[string]string{"listName": "jobs", "address": "r", "listLength": "2"}}}
	if change != nil {
		change(o)
	}
	spec.Strategy = Strategy{Name: "keda", Keda: &keda.Spec{Manifest: o, Controller: hpa.DefaultController()}}
	spec.Cluster.Consumes = &cluster.Consumption{}
	spec.Cluster.Routing.Policy, spec.Cluster.RequestTimeout, spec.Cluster.PerPod.Queue = "central-queue", 0, 0
	spec.Cluster.Lifecycle.EndpointPropagation = random.Constant(0)
	return spec
}

// A workload of messages is woken up by a poll and put to sleep by another. Every
// instant is known.
func TestKedaSleepsAndWakesInClosedForm(t *testing.T) {
	spec := scaledSpec(t, nil)
	spec.Cluster.Replicas = 1
	spec.Traffic = evenly(t, 1.0/200, 400*time.Second) // at 100 s and 300 s
	r := play(t, spec)
	// Nothing waits at the first poll, and nothing was ever active. The message of
	// 100 s is there at the poll of 120.1 s; 1 s to schedule and 3 s to start later it
	// is taken. That was the last activity, so that the poll of 180.1 s finds the
	// cooldown of 60 s from 120 s over.
	assert.Equal(t, map[float64]int32{0.1: 0, 120.1: 1, 180.1: 0, 300.1: 1, 360.1: 0}, changes(r))
	assert.Equal(t, uint64(2), r.Requests.Completed)
	for _, d := range r.Decisions {
		if d.Current == 0 && d.Autoscaler == "hpa" {
			assert.Equal(t, messages.ReasonDisabled, d.Reason, "at %g s", d.TS)
		}
	}
	assert.Equal(t, []Band{
		{Name: "active", FromS: 120.1, ToS: 150.1}, {Name: "active", FromS: 300.1, ToS: 330.1},
	}, r.Bands)
	require.Len(t, r.Metrics, 1)
	assert.Equal(t, "external metric s0-redis-jobs", r.Metrics[0].Name)
	assert.Equal(t, 2.0, *r.Metrics[0].Target)
}

func TestKedaPaused(t *testing.T) {
	spec := scaledSpec(t, func(o *keda.ScaledObject) {
		o.Annotations = map[string]string{"autoscaling.keda.sh/paused-replicas": "3"}
	})
	spec.Cluster.Replicas = 1
	spec.Traffic = evenly(t, 1, 90*time.Second)
	r := play(t, spec)
	assert.Equal(t, map[float64]int32{0.1: 3}, changes(r))
	for _, d := range r.Decisions {
		assert.Equal(t, "keda", d.Autoscaler)
	}
}

// TestKedaTracks: where one metric stands for several triggers, or for none that
// asks anything, nobody can say what it truly was.
func TestKedaTracks(t *testing.T) {
	spec := scaledSpec(t, func(o *keda.ScaledObject) {
		o.Spec.MinReplicaCount = new(int32(1))
		o.Spec.Triggers = append(o.Spec.Triggers,
			keda.Trigger{Type: "cpu", MetricType: "Utilization", Metadata: map[string]string{"value": "50"}},
			keda.Trigger{Type: "cron", Metadata: map[string]string{"timezone": "UTC", "start": "1 * * * *", "end": "3 * * * *", "desiredReplicas": "2"}})
	})
	spec.Requests = []messages.ResourceRequest{{Container: "web", Resource: "cpu", Milli: 1000}}
	spec.Cluster.Replicas = 1
	spec.Traffic = evenly(t, 1, 5*time.Minute)
	loops, err := newLoops(spec)
	require.NoError(t, err)
	door, err := newDoor(spec.named(), loops)
	require.NoError(t, err)
	var tr tracks
	tr.follow(loops, door)
	sources := []string{}
	for _, of := range tr.of {
		sources = append(sources, of.source)
	}
	assert.Equal(t, []string{metrics.SourceQueue, "", metrics.SourceCPU}, sources)
	assert.Equal(t, 1.0, tr.of[2].cores)
	r := play(t, spec)
	seen := 0
	for _, v := range r.Metrics[1].Seen {
		if v != nil && *v > 0 {
			seen++
		}
	}
	assert.Positive(t, seen, "the clock's two replicas, as the HPA saw them")
}

func TestKedaIsAlone(t *testing.T) {
	for name, beside := range map[string]func(*Strategy){
		"an HPA":     func(s *Strategy) { s.HPA = &hpa.Spec{} },
		"KubeElasti": func(s *Strategy) { s.Elasti = &elasti.Spec{} },
		"a count":    func(s *Strategy) { s.Replicas = new(int32(1)) },
	} {
		spec := scaledSpec(t, nil)
		beside(&spec.Strategy)
		_, err := Run(context.Background(), spec)
		assert.EqualError(t, err, "strategy keda: found a ScaledObject beside another way to scale, expected it alone", name)
	}
	spec := scaledSpec(t, func(o *keda.ScaledObject) { o.Spec.Triggers = nil })
	_, err := Run(context.Background(), spec)
	assert.ErrorContains(t, err, "scaled object: spec.triggers: found none")
	spec = scaledSpec(t, nil)
	spec.Strategy.Keda.Controller.SyncPeriod = 0
	_, err = Run(context.Background(), spec)
	assert.ErrorContains(t, err, "horizontal pod autoscaler of the scaled object: controller.syncPeriod")
}
