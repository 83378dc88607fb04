package sim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/hpa"
	"github.com/scalelab/scalelab/scaling/knative"
)

// revisionSpec is baseSpec as a revision with annotations of the autoscaler.
func revisionSpec(t testing.TB, containerConcurrency int64, annotations map[string]string) Spec {
	spec := baseSpec(t)
	r := (&knative.RevisionManifest{}).Revision()
	r.Name = spec.Workload
	r.ContainerConcurrency, r.Annotations = containerConcurrency, map[string]string{}
	for name, value := range annotations {
		r.Annotations["autoscaling.knative.dev/"+name] = value
	}
	spec.Strategy = Strategy{Name: "knative", Knative: &Knative{Revision: r, Config: knative.DefaultConfig(), World: DefaultKnativeWorld()}}
	return spec
}

// changes are the decisions that changed the count.
func changes(r *Result) map[float64]int32 {
	changes := map[float64]int32{}
	for _, d := range r.Decisions {
		if d.Desired != d.Current {
			changes[d.TS] = d.Desired
		}
	}
	return changes
}

// A revision with one pod is left alone, sleeps, and is woken up by a request. Every
// instant is known.
func TestKnativeSleepsAndWakesInClosedForm(t *testing.T) {
	spec := revisionSpec(t, 0, map[string]string{"max-scale": "1"})
	spec.Cluster.Replicas = 1
	spec.Traffic = evenly(t, 1.0/200, 400*time.Second)             // at 100 s and 300 s
	spec.Cluster.PerPod.ServiceTime = spec.Cluster.Lifecycle.Start // 3 s
	r := play(t, spec)
	// Without a request there are no reports but those of the pod, which say so. From
	// the first tick on nothing is wanted; the revision has to have been active for 60 s.
	// The activator has been in the way from the start, so the pod goes at once. Requests wake it at once: 1 s to schedule
	// and 3 s to start, and no probe is waited for, because it listens at a multiple of
	// their period. The pod that the first request has started is there for it from 104
	// to 107 s; the reports of 105 to 108 s are in the window for 60 s more.
	assert.Equal(t, map[float64]int32{60: 0, 100: 1, 168: 0, 300: 1, 368: 0}, changes(r))
	assert.Equal(t, Requests{Arrived: 2, Completed: 2, Cold: 2}, r.Requests)
	assert.Equal(t, 7.0, r.LatencyS.Max)
	assert.Equal(t, 4.0, r.WaitS.Mean)
	assert.Equal(t, &Activator{Requests: 2, Buffered: 2, WaitS: r.WaitS}, r.Activator)
	assert.Equal(t, []Band{{Name: "proxied", FromS: 0, ToS: 400, open: true}}, r.Bands)
}

func TestKnativeOfTheClassHPA(t *testing.T) {
	spec := revisionSpec(t, 2, map[string]string{"class": "hpa.autoscaling.knative.dev", "metric": "cpu", "target": "50"})
	spec.Strategy.HPA = &hpa.Spec{Controller: hpa.DefaultController(), Manifest: knative.HPA(spec.Strategy.Knative.Revision, knative.DefaultConfig(), "web")}
	spec.Cluster.PerPod.Concurrency, spec.Cluster.PerPod.Queue = 50, 50
	spec.Cluster.Replicas = 1
	spec.Traffic = evenly(t, 20, 10*time.Second)
	r := play(t, spec)
	assert.Nil(t, r.Activator)
	assert.Empty(t, r.Bands)
	// 20 requests per second of 0.4 s find two places at the queue-proxy's, and 20 more to
	// wait in. Five of a second are served: after 1.3 s all are taken.
	assert.Positive(t, r.Requests.Rejected)
	assert.InDelta(t, 22*0.2, r.LatencyS.Max, 0.4)
}

// TestQueueProxy: what goes into the container, and what waits before it.
func TestQueueProxy(t *testing.T) {
	for name, c := range map[string]struct {
		limit                        int64
		concurrency, queue           int
		wantConcurrency, wantWaiting int
	}{
		"no limit":                               {0, 8, 50, 8, 50},
		"ten wait for each in the container":     {5, 8, 50, 5, 50},
		"a container that takes fewer at a time": {5, 3, 2, 3, 52},
		"a container that refuses":               {10, 3, 2, 3, 2},
	} {
		spec := revisionSpec(t, c.limit, nil)
		spec.Cluster.PerPod.Concurrency, spec.Cluster.PerPod.Queue = c.concurrency, c.queue
		placed := spec.Strategy.Knative.Place(spec.Cluster)
		assert.Equal(t, c.wantConcurrency, placed.PerPod.Concurrency, name)
		assert.Equal(t, c.wantWaiting, placed.PerPod.Queue, name)
		assert.Equal(t, int(c.limit), placed.Activators.ContainerConcurrency, name)
	}
}

func TestTimeoutOfTheRevision(t *testing.T) {
	spec := revisionSpec(t, 0, nil)
	for _, c := range []struct{ request, revision, want time.Duration }{
		{0, 300 * time.Second, 300 * time.Second}, {30 * time.Second, 300 * time.Second, 30 * time.Second}, {time.Minute, time.Second, time.Second},
	} {
		spec.Cluster.RequestTimeout, spec.Strategy.Knative.Revision.Timeout = c.request, c.revision
		assert.Equal(t, c.want, spec.Strategy.Knative.Place(spec.Cluster).RequestTimeout)
	}
}

func TestANewRevisionBeginsWithItsInitialScale(t *testing.T) {
	spec := revisionSpec(t, 0, map[string]string{"initial-scale": "3"})
	spec.Strategy.Knative.World.New = true
	spec.Cluster.Replicas = 7
	spec.Traffic = evenly(t, 0, time.Minute)
	assert.Equal(t, int32(3), spec.InitialReplicas())
	r := play(t, spec)
	assert.Equal(t, map[float64]int32{4: 1}, changes(r), "once they are up, there is nothing to do")
}

func TestWaysToScaleThatExcludeEachOther(t *testing.T) {
	for name, change := range map[string]func(*Strategy){
		"fixed":                 func(s *Strategy) { s.Replicas = pointer(int32(1)) },
		"oracle":                func(s *Strategy) { s.Oracle = true },
		"ElastiService":         func(s *Strategy) { s.Elasti = elastiSpec() },
		"an HPA beside the KPA": func(s *Strategy) { s.HPA = &hpa.Spec{} },
		"the class hpa without one": func(s *Strategy) {
			s.Knative.Revision.Annotations = map[string]string{"autoscaling.knative.dev/class": "hpa.autoscaling.knative.dev"}
		},
	} {
		spec := revisionSpec(t, 0, nil)
		change(&spec.Strategy)
		_, err := Run(t.Context(), spec)
		assert.EqualError(t, err, "strategy knative: found a Knative revision beside another way to scale, expected it alone, or with the HPA of its class", name)
	}
}

func TestKnativeRefusesWhatItsWebhookRefuses(t *testing.T) {
	_, err := Run(t.Context(), revisionSpec(t, 0, map[string]string{"window": "1s"}))
	assert.ErrorContains(t, err, "knative revision: ")
}

func TestActivatorsThatCannotBe(t *testing.T) {
	w := DefaultKnativeWorld()
	w.Activators, w.ProbePeriod = 0, -1
	assert.EqualError(t, w.Validate(), "activators: found 0, expected 1 to 100\nprobePeriod: found -1ns, expected more than 0s, up to 1h")
}

// A decision that is repeated word for word is written down once.
func TestRepeatedDecisions(t *testing.T) {
	spec := revisionSpec(t, 0, nil)
	spec.Cluster.Replicas = 0
	spec.Traffic = evenly(t, 0, time.Minute)
	r := play(t, spec)
	require.Len(t, r.Decisions, 2)
	first, rest := r.Decisions[0], r.Decisions[1]
	assert.Equal(t, []any{0.0, 0, 0.0}, []any{first.TS, first.Again, first.UntilS})
	assert.Equal(t, []any{2.0, 28, 58.0}, []any{rest.TS, rest.Again, rest.UntilS})
	assert.Equal(t, messages.ReasonSteady, rest.Reason)
}
