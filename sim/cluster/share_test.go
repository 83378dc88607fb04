package cluster

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/scalelab/scalelab/sim/event"
	"github.com/scalelab/scalelab/sim/random"
)

// shared is small with processor sharing: one pod that admits four requests of
// a second of work.
func shared(cores float64) Spec {
	spec := small()
	spec.PerPod.Discipline, spec.PerPod.Cores = "ps", &cores
	spec.PerPod.Concurrency, spec.PerPod.Queue = 4, 2
	return spec
}

// ends are the instants at which the requests of a workload ended, by arrival.
func ends(t *testing.T, spec Spec, at ...time.Duration) []time.Duration {
	t.Helper()
	l := instantsOf(at)
	w := &witness{arrivals: at}
	tally := NewTally([]time.Duration{0}, 0)
	tally.observe = w.ended
	c, err := New(spec, 1, &l, tally)
	require.NoError(t, err)
	w.cluster = c
	c.Advance(time.Hour)
	var ends []time.Duration
	for _, r := range w.records {
		require.Equal(t, completed, r.fate)
		ends = append(ends, r.end)
	}
	return ends
}

func TestRequestsShareTheCPU(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	for name, c := range map[string]struct {
		cores float64
		at    []time.Duration
		want  []time.Duration
	}{
		"alone on one core":            {1, []time.Duration{0}, []time.Duration{s}},
		"alone on two cores":           {2, []time.Duration{0}, []time.Duration{s}},
		"alone on half a core":         {0.5, []time.Duration{0}, []time.Duration{2 * s}},
		"two on two cores":             {2, []time.Duration{0, 0}, []time.Duration{s, s}},
		"three on one core, at 1/3":    {1, []time.Duration{0, 0, 0}, []time.Duration{3 * s, 3 * s, 3 * s}},
		"three on a core and a half":   {1.5, []time.Duration{0, 0, 0}, []time.Duration{2 * s, 2 * s, 2 * s}},
		"three on a thousandth":        {0.001, []time.Duration{0, 0, 0}, []time.Duration{3000 * s, 3000 * s, 3000 * s}},
		"a newcomer slows the first":   {1, []time.Duration{0, 500 * ms}, []time.Duration{1500 * ms, 2 * s}},
		"the last alone catches up":    {1, []time.Duration{0, 0, 750 * ms}, []time.Duration{2625 * ms, 2625 * ms, 3 * s}},
		"an empty pod begins anew":     {1, []time.Duration{0, 5 * s, 5 * s}, []time.Duration{s, 7 * s, 7 * s}},
		"beyond the limit they wait":   {1, []time.Duration{0, 0, 0, 0, 0}, []time.Duration{4 * s, 4 * s, 4 * s, 4 * s, 5 * s}},
		"three on seven tenths of one": {0.7, []time.Duration{0, 0, 0}, []time.Duration{4285714286, 4285714286, 4285714286}},
		"halves and quarters":          {1, []time.Duration{0, 0, 1, 1}, []time.Duration{4*s - 1, 4*s - 1, 4 * s, 4 * s}},
		// At 2 ns they have 1.5, 0.5 and 0. The first needs 3 (1 s - 1.5 ns) more
		// and departs half a nanosecond later, at a whole one.
		"departures at whole nanoseconds": {1, []time.Duration{0, 1, 2}, []time.Duration{3*s - 2, 3 * s, 3*s + 1}},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, ends(t, shared(c.cores), c.at...)) })
	}
}

func TestAdmissionTimeoutsAndCPUOfASharedPod(t *testing.T) {
	spec := shared(2)
	spec.RequestTimeout = 1500 * time.Millisecond
	c := newCluster(t, spec, arrivals(7, 0))
	// Four share two cores until 2 s, two wait, the seventh is refused.
	c.Advance(500 * time.Millisecond)
	assert.Equal(t, Counters{Arrived: 7, Rejected: 1, InFlight: 6}, c.Counters())
	p := c.Pods(nil)[0]
	assert.Equal(t, []any{int32(4), int32(2), time.Second}, []any{p.InService, p.Queued, p.CPU}, "half a second of two cores")
	c.Advance(1500 * time.Millisecond)
	assert.Equal(t, Counters{Arrived: 7, Rejected: 1, TimedOut: 6}, c.Counters())
	c.Advance(1900 * time.Millisecond)
	p = c.Pods(nil)[0]
	assert.Equal(t, []any{int32(4), int32(0), 3800 * time.Millisecond}, []any{p.InService, p.Queued, p.CPU}, "works on for nobody")
	c.Advance(2 * time.Second)
	p = c.Pods(nil)[0]
	assert.Equal(t, []any{int32(0), uint64(4), 4 * time.Second}, []any{p.InService, p.Completed, p.CPU})

	own := 30 * time.Millisecond
	spec.PerPod.CPUPerRequest = &own
	c = newCluster(t, spec, arrivals(4, 0))
	c.Advance(time.Second)
	assert.Equal(t, 60*time.Millisecond, c.Pods(nil)[0].CPU, "half of four times what was given")
}

func TestASharedPodDrains(t *testing.T) {
	spec := shared(1)
	spec.GracePeriod = 2500 * time.Millisecond
	l := instantsOf{0, time.Second, 2 * time.Second, 2 * time.Second, 2 * time.Second, 2 * time.Second}
	c := newCluster(t, spec, &l)
	c.Advance(2 * time.Second)
	c.Scale(0)
	// Alone until 1 s, the first is served then; the second then; the four that
	// have come at 2 s have 5/8 s of work each when the pod is killed at 4.5 s.
	c.Advance(4400 * time.Millisecond)
	assert.Equal(t, Counters{Arrived: 6, Completed: 2, InFlight: 4}, c.Counters())
	assert.Equal(t, []Transition{{To: Ready}, {At: 2 * time.Second, From: Ready, To: Draining}}, c.Transitions(nil))
	c.Advance(time.Minute)
	assert.Equal(t, Counters{Arrived: 6, Completed: 2, Failed: 4}, c.Counters())
	assert.Equal(t, []Transition{{At: 4500 * time.Millisecond, From: Draining, To: Gone}}, c.Transitions(nil))
	assert.Empty(t, c.sharing.turns.heap)
	assert.Zero(t, occupied(c), "nothing is left of a killed pod")

	spec.GracePeriod = 5001 * time.Millisecond
	l = instantsOf{0, 0, 0, 0, 0}
	c = newCluster(t, spec, &l)
	c.Advance(0)
	c.Scale(0)
	c.Advance(time.Minute)
	assert.Equal(t, Counters{Arrived: 5, Completed: 5}, c.Counters(), "the waiting one too, just within the grace period")
	assert.Equal(t, []Transition{{To: Ready}, {From: Ready, To: Draining}, {At: 5 * time.Second, From: Draining, To: Gone}}, c.Transitions(nil))
}

func TestTheOracleDoesNotShare(t *testing.T) {
	for _, c := range []struct {
		cores       float64
		concurrency int
		pods        int32 // for five requests at once
	}{{1, 200, 5}, {2, 200, 3}, {0.5, 200, 10}, {1.5, 200, 4}, {8, 2, 3}} {
		spec := shared(c.cores)
		spec.PerPod.Concurrency, spec.Elastic = c.concurrency, true
		cluster := newCluster(t, spec, arrivals(5, 0))
		cluster.Advance(999_999_999)
		assert.Equal(t, c.pods, cluster.Replicas().Ready, "%g cores", c.cores)
		cluster.Advance(time.Second)
		assert.Equal(t, Counters{Arrived: 5, Completed: 5}, cluster.Counters())
		assert.Zero(t, cluster.Replicas().Ready)
	}
}

func TestADepartureBeyondTheCalendarNeverComes(t *testing.T) {
	spec := shared(1)
	spec.PerPod.Concurrency = 40
	spec.PerPod.ServiceTime = random.Constant(87_600 * time.Hour) // ten years, forty times
	spec.GracePeriod = time.Hour
	c := newCluster(t, spec, arrivals(40, 0))
	c.Advance(0)
	assert.Equal(t, event.Never, c.nextShared())
	c.Scale(0)
	c.Advance(time.Hour)
	assert.Equal(t, Counters{Arrived: 40, Failed: 40}, c.Counters())
}

func TestWorkAndTimeOfAProcessor(t *testing.T) {
	assert.Equal(t, virtual{whole: 7}, processor(3000).work(7, 3))
	assert.Equal(t, virtual{whole: 2, fraction: (1<<64 - 1) / 3}, processor(1000).work(7, 3), "7/3, rounded down")
	assert.Equal(t, virtual{whole: 1, fraction: 1 << 63}, processor(1500).work(3, 3))
	for _, c := range []struct {
		cpu  processor
		work virtual
		n    int
		want uint64
	}{
		{1000, virtual{}, 3, 0},
		{1000, virtual{whole: 7}, 1, 7},
		{1000, virtual{whole: 7, fraction: 1}, 1, 8},
		{1000, virtual{whole: 7}, 3, 21},
		{1000, virtual{whole: 7, fraction: 1}, 3, 22},
		{1000, virtual{whole: 2, fraction: (1<<64 - 1) / 3}, 3, 7},
		{700, virtual{whole: 1}, 1, 2},
		{3000, virtual{whole: 7, fraction: 1 << 63}, 3, 8},
		{1, virtual{whole: 1 << 62}, 1, 1<<64 - 1},
		{1_000_000, virtual{whole: 1 << 62}, 1_000_000, 1<<64 - 1},
	} {
		assert.Equal(t, c.want, c.cpu.time(c.work, c.n), "%+v", c)
	}
	assert.Equal(t, virtual{}, virtual{whole: 1}.minus(virtual{whole: 1, fraction: 1}))
	assert.Equal(t, virtual{whole: 1, fraction: 1<<64 - 1}, virtual{whole: 3}.minus(virtual{whole: 1, fraction: 1}))
}

// TestTimeBringsWork: after the time for some work the work is done, but for
// what rounding takes, and a nanosecond earlier it is not.
func TestTimeBringsWork(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cpu := processor(rapid.Uint64Range(1, 1_000_000).Draw(t, "cpu"))
		n := rapid.IntRange(1, 1_000_000).Draw(t, "n")
		work := virtual{whole: rapid.Uint64Range(0, 1<<40).Draw(t, "whole"), fraction: rapid.Uint64().Draw(t, "fraction")}
		ns := cpu.time(work, n)
		if ns == 1<<64-1 {
			return
		}
		require.False(t, cpu.work(ns, n).plus(virtual{fraction: 1}).before(work))
		if ns > 0 {
			require.True(t, cpu.work(ns-1, n).before(work))
		}
	})
}

// TestAnyRequestCanLeaveItsShare takes requests out of service in any order and
// checks that the pod's slots remain a heap.
func TestAnyRequestCanLeaveItsShare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := Defaults()
		spec.PerPod.Discipline, spec.PerPod.Concurrency = "ps", 60
		seed := random.Seed(rapid.Uint64().Draw(t, "seed"))
		n := rapid.IntRange(1, 60).Draw(t, "requests")
		c, err := New(spec, seed, arrivals(n, 0), NewTally([]time.Duration{0}, 0))
		require.NoError(t, err)
		c.Advance(0)
		p := &c.pods[0]
		for len(p.serving) > 0 {
			for slot := range p.serving {
				require.Equal(t, int32(slot), c.requests.slab[p.serving[slot]].slot)
				require.False(t, slot > 0 && p.share.marks[slot].finish.before(p.share.marks[(slot-1)/4].finish))
			}
			i := p.serving[rapid.IntRange(0, len(p.serving)-1).Draw(t, "slot")]
			c.leaveSlot(p, i)
			c.end(i, failed)
		}
		require.Equal(t, event.Never, c.nextShared())
	})
}

func TestTurnsFindTheFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h turns
		plain := map[int32]time.Duration{}
		for range rapid.IntRange(1, 100).Draw(t, "changes") {
			pod, at := int32(rapid.IntRange(0, 30).Draw(t, "pod")), time.Duration(rapid.IntRange(0, 20).Draw(t, "at"))
			if at == 0 {
				at = event.Never
			}
			h.set(pod, at)
			plain[pod] = at
			want := turn{at: event.Never}
			for pod, at := range plain {
				if o := (turn{at, pod}); at != event.Never && (want.at == event.Never || o.before(want)) {
					want = o
				}
			}
			require.Equal(t, want.at, h.next())
			if want.at != event.Never {
				require.Equal(t, want, h.heap[0])
			}
		}
	})
}

// TestSharingDoesNotDrift holds one busy pod against exact fractions: up to a
// hundred requests share 3 cores that are never idle for long.
func TestSharingDoesNotDrift(t *testing.T) {
	n := 20_000
	if testing.Short() {
		n = 2_000
	}
	cores, mean := 3.0, time.Second
	spec := onePod(100, 1000, random.Spec{Dist: "exponential", Mean: &mean})
	spec.PerPod.Discipline, spec.PerPod.Cores = "ps", &cores
	source := &poisson{stream: random.Seed(1).Key("test", 0).Stream(), rate: 2.95}
	at := make([]time.Duration, n)
	source.Fill(at)
	l := instantsOf(at)
	plain := newReference(spec, 1, at)
	plain.advance(at[n-1] + time.Hour)
	w := &witness{arrivals: at}
	tally := NewTally([]time.Duration{0}, 0)
	tally.observe = w.ended
	c, err := New(spec, 1, &l, tally)
	require.NoError(t, err)
	w.cluster = c
	most := 0
	for c.Advance(min(c.nextArrival, c.nextShared())); c.Counters().Arrived < uint64(n) || c.Counters().InFlight > 0; {
		most = max(most, len(c.pods[0].serving))
		c.Advance(min(c.nextArrival, c.nextShared()))
	}
	for i, r := range w.records {
		require.Equal(t, plain.requests[i].record, r, "request %d", i)
	}
	t.Logf("%d requests, at most %d in service", n, most)
}

func TestSharingDoesNotAllocate(t *testing.T) {
	c := busyShares(t, "p2c")
	at := c.Now()
	assert.Zero(t, testing.AllocsPerRun(10, func() {
		at += time.Second
		c.Advance(at)
	}))
}

// busyShares is 50 pods of two cores, 70 % busy, with 1,400 requests a second.
func busyShares(t testing.TB, policy string) *Cluster {
	cores := 2.0
	spec := Defaults()
	spec.Replicas = 50
	spec.PerPod.Discipline, spec.PerPod.Cores, spec.PerPod.Concurrency = "ps", &cores, SharedConcurrency
	spec.Routing.Policy = policy
	seed := random.Seed(1)
	mean := 50 * time.Millisecond
	spec.PerPod.ServiceTime = random.Spec{Dist: "exponential", Mean: &mean}
	c, err := New(spec, seed, &poisson{stream: seed.Key("test", 0).Stream(), rate: 1400}, NewTally([]time.Duration{0}, 0))
	require.NoError(t, err)
	c.Advance(60 * time.Second)
	return c
}

// BenchmarkSharing is BenchmarkAdvance under processor sharing.
func BenchmarkSharing(b *testing.B) {
	for _, policy := range []string{"random", "least-request", "p2c"} {
		b.Run(policy, func(b *testing.B) {
			c := busyShares(b, policy)
			start, n := c.Now(), c.arrived
			b.ReportAllocs()
			b.ResetTimer()
			for c.arrived-n < uint64(b.N) {
				start += 10 * time.Millisecond
				c.Advance(start)
			}
		})
	}
}

func TestBadSharesAndWarmUpsAreRefused(t *testing.T) {
	for cores, want := range map[float64]string{
		0:          "perPod.cores: found 0, expected 0.001 to 1000",
		-1:         "perPod.cores: found -1, expected 0.001 to 1000",
		1001:       "perPod.cores: found 1001, expected 0.001 to 1000",
		math.NaN(): "perPod.cores: found NaN, expected 0.001 to 1000",
		0.0015:     "perPod.cores: found 0.0015, expected at most three decimals",
	} {
		assert.ErrorContains(t, shared(cores).Validate(), want)
	}
	for _, cores := range []float64{0.001, 0.1, 1.1, 999.999, 1000} {
		assert.NoError(t, shared(cores).Validate())
	}
	spec := shared(2)
	spec.PerPod.Discipline = "fifo"
	spec.Lifecycle.WarmUp = &WarmUp{For: -1, Slowdown: 0.5}
	assert.ErrorContains(t, spec.Validate(), "perPod.cores: found 2 with the discipline fifo, expected it with ps only")
	assert.ErrorContains(t, spec.Validate(), "lifecycle.warmUp.for: found -1ns, expected 0s to 24h")
	assert.ErrorContains(t, spec.Validate(), "lifecycle.warmUp.slowdown: found 0.5, expected 1 to 100")
}
