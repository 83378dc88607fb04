package sim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/scaling/elasti"
	"github.com/scalelab/scalelab/sim/random"
)

// One request a second for 0.4 s in a pod of one slot uses 0.4 cores, 80 % of its request, at
// every moment; metrics-server gets to know that later.
func TestAMetricAsItIsSeenBesideTheTruth(t *testing.T) {
	spec := baseSpec(t)
	spec.Strategy = Strategy{Name: "hpa", HPA: cpuHPA(85)}
	r := play(t, spec)
	require.Len(t, r.Metrics, 1)
	m := r.Metrics[0]
	assert.Equal(t, []any{"hpa", "cpu utilization", "%", 85.0}, []any{m.Loop, m.Name, m.Unit, *m.Target})
	n := len(r.Timeline.TS)
	require.Equal(t, []int{n, n, n}, []int{len(m.Seen), len(m.AgeS), len(m.Truth)})
	for i, truth := range m.Truth {
		assert.InDelta(t, 80, *truth, 1e-9, "at %v s", r.Timeline.TS[i])
	}
	assert.Nil(t, m.Seen[0], "no sample yet")
	assert.Nil(t, m.AgeS[0])
	assert.Equal(t, 80.0, *m.Seen[n-1])
	// A sample of 10 s before at most, from a scrape every 15 s, at a sync every 15 s.
	assert.Greater(t, *m.AgeS[n-1], 0.0)
	assert.LessOrEqual(t, *m.AgeS[n-1], 40.0)
	assert.Equal(t, int32(1), r.Timeline.Ideal[n-1], "0.4 pods")
}

func TestPodStartsInClosedForm(t *testing.T) {
	spec := baseSpec(t)
	spec.Strategy = Strategy{Name: "hpa", HPA: cpuHPA(20)}
	r := play(t, spec)
	require.NotNil(t, r.PodStarts)
	assert.Equal(t, 3, r.PodStarts.Count, "80 % for 20 % asks for 4 pods; that of time 0 is none")
	p := r.PodStarts.Pods[0]
	at := r.Decisions[0].TS
	for _, d := range r.Decisions {
		if at = d.TS; d.Desired > d.Current {
			break
		}
	}
	want := PodStart{Pod: 1, CreatedS: at, ScheduledS: new(at + 1), StartedS: new(at + 1), ReadyS: new(at + 4), RoutableS: new(at + 5)}
	assert.Equal(t, want, p)

	spec.Strategy = Strategy{Name: "fixed"}
	fixed := play(t, spec)
	assert.Nil(t, fixed.PodStarts)
	assert.Nil(t, fixed.Metrics)
	spec.Strategy = Strategy{Name: "oracle", Oracle: true}
	assert.Nil(t, play(t, spec).PodStarts)
}

func TestPodsThatDoNotLiveToBeReady(t *testing.T) {
	spec := baseSpec(t)
	spec.Cluster.Lifecycle.Start = random.Constant(time.Hour)
	spec.Strategy = Strategy{Name: "hpa", HPA: cpuHPA(20)}
	p := play(t, spec).PodStarts.Pods[0]
	assert.NotNil(t, p.StartedS)
	assert.Nil(t, p.ReadyS)
	assert.Nil(t, p.RoutableS)
}

func TestLatencyCurve(t *testing.T) {
	r := play(t, baseSpec(t))
	c := r.Latencies
	require.Equal(t, len(c.Q), len(c.S))
	// 600 requests: the curve ends where one request would make the difference.
	assert.Equal(t, []float64{0.997, 0.998, 1}, c.Q[len(c.Q)-3:])
	assert.Equal(t, r.LatencyS.Max, c.S[len(c.S)-1])
	for i, s := range c.S {
		assert.InDelta(t, 0.4, s, 0.4/256, "%v", c.Q[i])
	}
}

// Pods of one slot, all busy for 0.4 s per request: what comes beyond 2.5 requests a
// second is lost once the queues are full.
func TestTheTimelineSaysWhatIsLost(t *testing.T) {
	spec := baseSpec(t)
	spec.Traffic = evenly(t, 10, 10*time.Minute)
	spec.Cluster.PerPod.Queue = 1
	r := play(t, spec)
	lost := 0.0
	for _, rps := range r.Timeline.LostRPS {
		lost += rps * r.Timeline.IntervalS
	}
	assert.InDelta(t, float64(r.Requests.Lost()), lost, 1e-6)
	assert.Positive(t, lost)
	n := len(r.Timeline.TS)
	assert.Equal(t, int32(4), r.Timeline.Ideal[n-1])
	assert.InDelta(t, *r.Timeline.LatencyP50S[n-1], *r.Timeline.LatencyP99S[n-1], 0.1)
}

// What befalls KubeElasti is drawn from its instant to its end, which is known.
func TestIncidentsAreBands(t *testing.T) {
	spec := baseSpec(t)
	e := elastiSpec()
	e.World = elasti.DefaultWorld()
	e.World.Behaviour = elasti.V0_1_30
	e.World.Incidents = []elasti.Incident{
		{At: 30 * time.Second, What: elasti.OperatorOutage, For: 2 * time.Minute},
		{At: 3 * time.Minute, What: elasti.ResolverRestart, For: 5 * time.Second},
		{At: 9 * time.Minute, What: elasti.OperatorOutage, For: 2 * time.Minute},
	}
	spec.Strategy = Strategy{Name: "elasti", Elasti: e}
	back := float64((185*time.Second+elasti.ResyncPeriod-1)/elasti.ResyncPeriod*elasti.ResyncPeriod) / 1e9
	assert.Equal(t, []Band{
		{Name: "operator-outage", FromS: 30, ToS: 150},
		{Name: "resolver-restart", FromS: 180, ToS: back},
		{Name: "operator-outage", FromS: 540, ToS: 600}, // the run ends
	}, play(t, spec).Bands)
}
