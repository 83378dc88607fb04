package cluster

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/scaling/elasti/hold"
	"github.com/scalelab/scalelab/sim/random"
)

// instantsOf is a list of arrivals.
type instantsOf []time.Duration

func (l *instantsOf) Fill(dst []time.Duration) int {
	n := copy(dst, *l)
	*l = (*l)[n:]
	return n
}

// arrivals gives n requests at once at an instant.
func arrivals(n int, at time.Duration) *instantsOf {
	l := make(instantsOf, n)
	for i := range l {
		l[i] = at
	}
	return &l
}

// small is a workload with fixed times: one pod, one slot, a queue of two,
// service of a second, and a pod that starts in 1 + 2 + 4 s and gets requests
// half a second later.
func small() Spec {
	return Spec{
		Replicas: 1,
		PerPod: PerPod{
			Concurrency: 1, Queue: 2, Discipline: "fifo",
			ServiceTime: random.Constant(time.Second),
		},
		Routing:     Routing{Policy: "round-robin"},
		GracePeriod: 10 * time.Second,
		Lifecycle: Lifecycle{
			Schedule:            random.Constant(1 * time.Second),
			ImagePull:           random.Constant(2 * time.Second),
			Start:               random.Constant(4 * time.Second),
			Listen:              random.Constant(0),
			EndpointPropagation: random.Constant(500 * time.Millisecond),
		},
	}
}

func newCluster(t testing.TB, spec Spec, arrivals Arrivals) *Cluster {
	t.Helper()
	c, err := New(spec, 1, arrivals, NewTally([]time.Duration{0}, 0))
	require.NoError(t, err)
	return c
}

func balanced(t testing.TB, c Counters) {
	t.Helper()
	assert.Equal(t, c.Arrived, c.Completed+c.TimedOut+c.Rejected+c.Failed+c.InFlight, "%+v", c)
}

func TestOneSlotServesInOrderAndRefusesWhatDoesNotFit(t *testing.T) {
	c := newCluster(t, small(), arrivals(4, time.Second))
	c.Advance(3500 * time.Millisecond)
	// One in service at once, two wait, the fourth is refused.
	assert.Equal(t, Counters{Arrived: 4, Completed: 2, Rejected: 1, InFlight: 1}, c.Counters())
	c.Advance(4 * time.Second)
	assert.Equal(t, Counters{Arrived: 4, Completed: 3, Rejected: 1}, c.Counters())
	p := c.tally.Phases()[0]
	assert.Equal(t, 3*time.Second, p.Latency.Max())
	assert.Equal(t, 2*time.Second, p.Wait.Max())
	assert.InDelta(t, 2, p.Latency.MeanSeconds(), 1e-12)
}

func TestTimeouts(t *testing.T) {
	spec := small()
	spec.RequestTimeout = 1500 * time.Millisecond
	c := newCluster(t, spec, arrivals(3, 0))
	// The first is served 0 to 1 s. The second is in service at 1.5 s: its client
	// leaves, the pod goes on to 2 s. The third leaves the queue at 1.5 s.
	c.Advance(1400 * time.Millisecond)
	assert.Equal(t, Counters{Arrived: 3, Completed: 1, InFlight: 2}, c.Counters())
	c.Advance(1500 * time.Millisecond)
	assert.Equal(t, Counters{Arrived: 3, Completed: 1, TimedOut: 2}, c.Counters())
	pods := c.Pods(nil)
	assert.Equal(t, int32(1), pods[0].InService)
	assert.Equal(t, int32(0), pods[0].Queued)
	c.Advance(2 * time.Second)
	assert.Equal(t, uint64(2), c.Pods(nil)[0].Completed, "the pod answers although nobody listens")
	assert.Equal(t, Counters{Arrived: 3, Completed: 1, TimedOut: 2}, c.Counters())
}

func TestResponseAtTheTimeoutIsInTime(t *testing.T) {
	spec := small()
	spec.RequestTimeout = time.Second
	c := newCluster(t, spec, arrivals(1, 0))
	c.Advance(time.Second)
	assert.Equal(t, Counters{Arrived: 1, Completed: 1}, c.Counters())
}

func TestNoReadyPodFailsRequests(t *testing.T) {
	spec := small()
	spec.Replicas = 0
	c := newCluster(t, spec, arrivals(2, time.Second))
	assert.Equal(t, NoStop, c.Advance(2*time.Second), "nobody to wake up")
	assert.Equal(t, Counters{Arrived: 2, Failed: 2}, c.Counters())
}

func TestPodLife(t *testing.T) {
	spec := small()
	spec.Replicas = 0
	l := instantsOf{7400 * time.Millisecond, 7500 * time.Millisecond, 7600 * time.Millisecond}
	c := newCluster(t, spec, &l)
	c.Scale(1)
	c.Advance(7500 * time.Millisecond)
	assert.Equal(t, []Transition{
		{At: 0, To: Pending}, {At: 1 * time.Second, From: Pending, To: Scheduled}, {At: 3 * time.Second, From: Scheduled, To: Starting},
		{At: 7 * time.Second, From: Starting, To: Ready},
	}, c.Transitions(nil))
	// Ready at 7 s, but requests only reach it from 7.5 s on.
	assert.Equal(t, Counters{Arrived: 2, Failed: 1, InFlight: 1}, c.Counters())
	assert.Equal(t, []PodStatus{{
		ID: 0, State: Ready, CreatedAt: 0, ScheduledAt: 1 * time.Second, StartedAt: 3 * time.Second,
		RunningSince: 3 * time.Second, ReadyAt: 7 * time.Second, UnreadyAt: NotYet, RoutableAt: 7500 * time.Millisecond, DeletedAt: NotYet, Node: none, Received: 1, InService: 1,
	}}, c.Pods(nil))

	c.Scale(0)
	c.Advance(8 * time.Second)
	assert.Equal(t, []Transition{{At: 7500 * time.Millisecond, From: Ready, To: Draining}}, c.Transitions(nil))
	assert.Equal(t, Counters{Arrived: 3, Failed: 2, InFlight: 1}, c.Counters(), "a draining pod gets nothing new")
	c.Advance(8500 * time.Millisecond)
	assert.Equal(t, []Transition{{At: 8500 * time.Millisecond, From: Draining, To: Gone}}, c.Transitions(nil))
	existed, idle := c.PodTime()
	assert.Equal(t, 8500*time.Millisecond, existed)
	assert.Equal(t, 500*time.Millisecond, idle, "from Ready to the first request")
	assert.Empty(t, c.Pods(nil))
}

func TestGraceEndsWithWhatIsHeldFailing(t *testing.T) {
	spec := small()
	spec.GracePeriod = 1500 * time.Millisecond
	c := newCluster(t, spec, arrivals(3, 0))
	c.Advance(0)
	c.Scale(0)
	c.Advance(1500 * time.Millisecond)
	// Served to 1 s; the second is in service and the third waits when the pod is killed.
	assert.Equal(t, Counters{Arrived: 3, Completed: 1, Failed: 2}, c.Counters())
	c.Advance(10 * time.Second)
	assert.Equal(t, Counters{Arrived: 3, Completed: 1, Failed: 2}, c.Counters())
	assert.Empty(t, c.departures.heap)
}

func TestPodDeletedBeforeReadyIsGoneAtOnce(t *testing.T) {
	spec := small()
	spec.Replicas = 0
	c := newCluster(t, spec, arrivals(0, 0))
	c.Scale(1)
	c.Advance(2 * time.Second)
	c.Scale(0)
	c.Advance(20 * time.Second)
	assert.Equal(t, []Transition{{To: Pending}, {At: 1 * time.Second, To: Scheduled}, {At: 2 * time.Second, From: Scheduled, To: Gone}}, c.Transitions(nil))
}

func TestScaleDownOrder(t *testing.T) {
	spec := small()
	spec.Replicas = 2
	c := newCluster(t, spec, arrivals(0, 0))
	c.Advance(100 * time.Second)
	c.Scale(3) // pod 2: Ready at 107 s
	c.Advance(107 * time.Second)
	c.Scale(4) // pod 3: Starting from 110 s on
	c.Advance(110 * time.Second)
	c.Scale(5) // pod 4: Pending
	gone := func(n int32) (ids []int32) {
		before := c.Pods(nil)
		c.Scale(n)
		c.Advance(c.Now())
		after := map[int32]bool{}
		for _, p := range c.Pods(nil) {
			after[p.ID] = true
		}
		for _, p := range before {
			if !after[p.ID] {
				ids = append(ids, p.ID)
			}
		}
		return ids
	}
	assert.Equal(t, []int32{4}, gone(4), "unassigned before starting")
	assert.Equal(t, []int32{3}, gone(3), "not ready before ready")
	assert.Equal(t, []int32{2}, gone(2), "ready for 3 s before ready for 110 s")
}

// Pods that are not Ready are compared by the power of two that their age lies
// in, too: 34 to 69 s here. Found by conformance/everything.
func TestScaleDownOrderOfStartingPods(t *testing.T) {
	first := map[bool]int{}
	for seed := range random.Seed(20) {
		spec := small()
		spec.Replicas = 0
		spec.Lifecycle.Start = random.Constant(time.Hour)
		c, err := New(spec, seed, arrivals(0, 0), NewTally([]time.Duration{0}, 0))
		require.NoError(t, err)
		for i, created := range []time.Duration{0, 20 * time.Second, 40 * time.Second} {
			c.Advance(created)
			c.Scale(int32(i + 1))
		}
		c.Advance(60 * time.Second)
		c.Scale(2)
		assert.Equal(t, Gone, c.pods[2].State, "20 s old, where the others are 40 and 60")
		c.Scale(1)
		older := c.pods[0].State == Gone
		assert.Equal(t, c.pods[0].uid < c.pods[1].uid, older)
		first[older]++
	}
	assert.Equal(t, map[bool]int{false: 13, true: 7}, first)
}

func TestFrontHoldsWakesAndForwards(t *testing.T) {
	spec := small()
	spec.Replicas = 0
	spec.PerPod.Concurrency = 10
	spec.Front = &hold.Settings{Retry: 3 * time.Second, Slots: 2, Capacity: 3, Timeout: time.Minute, NotifyEvery: 10 * time.Second}
	c := newCluster(t, spec, arrivals(4, time.Second))
	require.Equal(t, Asked, c.Advance(20*time.Second))
	assert.Equal(t, time.Second, c.Now())
	c.Notified(true)
	c.Scale(1) // Ready at 8 s, reachable at 8.5 s
	assert.Equal(t, NoStop, c.Advance(time.Second), "one message in ten seconds")
	// Two hold slots, one waits for a slot, the fourth exceeds the capacity.
	assert.Equal(t, Counters{Arrived: 4, Rejected: 1, InFlight: 3}, c.Counters())
	assert.Equal(t, 3, c.Held())
	assert.Equal(t, int64(3), c.Waiting())
	// Looks at 4, 7 and 10 s; the third request takes a slot that is free at 11 s.
	c.Advance(10 * time.Second)
	assert.Equal(t, 1, c.Held())
	c.Advance(12 * time.Second)
	assert.Equal(t, Counters{Arrived: 4, Completed: 3, Rejected: 1, Cold: 2}, c.Counters())
	p := c.tally.Phases()[0]
	assert.Equal(t, 11*time.Second, p.Latency.Max())
	assert.InDelta(t, (10+10+11)/3.0, p.Latency.MeanSeconds(), 1e-12)
	balanced(t, c.Counters())
}

func TestFrontTimesOut(t *testing.T) {
	spec := small()
	spec.Replicas = 0
	spec.Front = &hold.Settings{Retry: 3 * time.Second, Slots: 1, Capacity: 9, Timeout: 5 * time.Second, NotifyEvery: 4 * time.Second}
	l := instantsOf{0, time.Second, 4 * time.Second}
	c := newCluster(t, spec, &l)
	spec.Front.Faults.NotifyOnArrival = true
	require.Equal(t, Asked, c.Advance(time.Minute))
	c.Notified(true)
	require.Equal(t, Asked, c.Advance(time.Minute), "four seconds later another message")
	c.Notified(true)
	assert.Equal(t, 4*time.Second, c.Now())
	c.Advance(5 * time.Second)
	assert.Equal(t, Counters{Arrived: 3, TimedOut: 1, InFlight: 2}, c.Counters())
	c.Advance(6 * time.Second)
	assert.Equal(t, Counters{Arrived: 3, TimedOut: 2, InFlight: 1}, c.Counters())
	c.Advance(time.Minute)
	assert.Equal(t, Counters{Arrived: 3, TimedOut: 3}, c.Counters())
	assert.Equal(t, 0, c.Held())
	assert.Equal(t, 0, c.front.used)
}

func TestFrontRefusalsDoNotNest(t *testing.T) {
	spec := small()
	spec.Replicas = 0
	spec.PerPod.Queue = 0
	spec.Front = &hold.Settings{Retry: time.Second, Slots: 1, Capacity: 200_000, NotifyEvery: time.Hour}
	c := newCluster(t, spec, arrivals(100_000, 0))
	require.Equal(t, Asked, c.Advance(0))
	c.Notified(true)
	c.Scale(1)
	c.Advance(time.Minute)
	// The first look after 7.5 s finds the pod; each later one waits for the slot.
	balanced(t, c.Counters())
	assert.Equal(t, uint64(0), c.Counters().Failed)
	assert.Greater(t, c.Counters().Completed, uint64(40))
}

func TestCentralQueue(t *testing.T) {
	spec := small()
	spec.Replicas = 2
	spec.Routing.Policy = "central-queue"
	c := newCluster(t, spec, arrivals(7, 0))
	c.Advance(0)
	// Two in service, four wait (two pods with a queue of two), one is refused.
	assert.Equal(t, Counters{Arrived: 7, Rejected: 1, InFlight: 6}, c.Counters())
	assert.Equal(t, int64(4), c.Waiting())
	c.Scale(0)
	c.Advance(time.Second)
	// The pods finish what they serve; the others wait for a new pod.
	assert.Equal(t, Counters{Arrived: 7, Completed: 2, Rejected: 1, InFlight: 4}, c.Counters())
	c.Scale(1)
	c.Advance(8500*time.Millisecond + time.Second)
	assert.Equal(t, Counters{Arrived: 7, Completed: 3, Rejected: 1, InFlight: 3}, c.Counters())
}

func TestRoutingPolicies(t *testing.T) {
	received := func(policy string, requests int) []uint64 {
		spec := small()
		spec.Replicas = 3
		spec.PerPod.Queue = 1000
		spec.Routing.Policy = policy
		c := newCluster(t, spec, arrivals(requests, 0))
		c.Advance(0)
		var got []uint64
		for _, p := range c.Pods(nil) {
			got = append(got, p.Received)
		}
		return got
	}
	assert.Equal(t, []uint64{4, 3, 3}, received("round-robin", 10))
	assert.Equal(t, []uint64{4, 3, 3}, received("least-request", 10))
	for _, policy := range []string{"random", "p2c"} {
		got := received(policy, 900)
		assert.Equal(t, uint64(900), got[0]+got[1]+got[2])
		slack := map[string]float64{"random": 60, "p2c": 5}[policy] // random: 4 standard deviations of 14
		for _, n := range got {
			assert.InDelta(t, 300, float64(n), slack, policy)
		}
	}
}

func TestCPU(t *testing.T) {
	spec := small()
	spec.PerPod.Concurrency = 2
	spec.CPURequestMilli = 500
	c := newCluster(t, spec, arrivals(2, 0))
	c.Advance(400 * time.Millisecond)
	// Two slots busy use the request of half a core: 0.2 s of CPU in 0.4 s.
	assert.Equal(t, 200*time.Millisecond, c.Pods(nil)[0].CPU)
	c.Advance(5 * time.Second)
	assert.Equal(t, 500*time.Millisecond, c.Pods(nil)[0].CPU)

	own := 30 * time.Millisecond
	spec.PerPod.CPUPerRequest = &own
	c = newCluster(t, spec, arrivals(2, 0))
	c.Advance(500 * time.Millisecond)
	assert.Equal(t, 30*time.Millisecond, c.Pods(nil)[0].CPU)
	c.Advance(5 * time.Second)
	assert.Equal(t, 60*time.Millisecond, c.Pods(nil)[0].CPU)
}

func TestPhasesBelongToTheArrival(t *testing.T) {
	l := instantsOf{900 * time.Millisecond, 1100 * time.Millisecond, 2000 * time.Millisecond}
	tally := NewTally([]time.Duration{0, time.Second, 2 * time.Second}, 2*time.Second)
	c, err := New(small(), 1, &l, tally)
	require.NoError(t, err)
	c.Advance(time.Minute)
	for i, p := range tally.Phases() {
		assert.Equal(t, Counters{Arrived: 1, Completed: 1}, p.Counters, "phase %d", i)
	}
	assert.Equal(t, uint64(0), tally.Phases()[1].Latency.Count(), "arrived before the measured stretch")
	assert.Equal(t, uint64(1), tally.Phases()[2].Latency.Count())
	assert.Equal(t, uint64(3), tally.Interval().Count())
}

func TestElasticClusterHasJustThePodsThatTheRequestsFill(t *testing.T) {
	spec := small()
	spec.PerPod.Concurrency = 2
	spec.Elastic = true
	l := instantsOf{0, 0, 500 * time.Millisecond, 5 * time.Second}
	c := newCluster(t, spec, &l)
	// Two requests 0 to 1 s, one 0.5 to 1.5 s, one 5 to 6 s.
	c.Advance(700 * time.Millisecond)
	assert.Equal(t, int32(2), c.Replicas().Ready)
	c.Advance(10 * time.Second)
	assert.Equal(t, Counters{Arrived: 4, Completed: 4}, c.Counters())
	assert.Equal(t, []Transition{
		{To: Ready}, {At: 500 * time.Millisecond, Pod: 1, To: Ready},
		{At: time.Second, Pod: 1, From: Ready, To: Draining}, {At: time.Second, Pod: 1, From: Draining, To: Gone},
		{At: 1500 * time.Millisecond, From: Ready, To: Draining}, {At: 1500 * time.Millisecond, From: Draining, To: Gone},
		{At: 5 * time.Second, To: Ready}, {At: 6 * time.Second, From: Ready, To: Draining}, {At: 6 * time.Second, From: Draining, To: Gone},
	}, c.Transitions(nil))
	existed, idle := c.PodTime()
	assert.Equal(t, 3*time.Second, existed)
	assert.Zero(t, idle)
	assert.Zero(t, c.tally.Phases()[0].Wait.Max())
	assert.Empty(t, c.Pods(nil), "the pool is no API object")
}

func TestBadWorkloadsAreRefused(t *testing.T) {
	spec := Defaults()
	spec.Replicas = -1
	spec.PerPod.Concurrency = 0
	spec.PerPod.Queue = -1
	spec.PerPod.Discipline = "lifo"
	bad := -time.Second
	spec.PerPod.CPUPerRequest = &bad
	spec.Routing.Policy = "sticky"
	spec.RequestTimeout = -1
	spec.Front = &hold.Settings{}
	_, err := New(spec, 1, arrivals(0, 0), NewTally([]time.Duration{0}, 0))
	require.Error(t, err)
	for _, part := range []string{
		"replicas: found -1", "perPod.concurrency: found 0", "perPod.queue: found -1", `perPod.discipline: found "lifo"`,
		"perPod.cpuPerRequest: found -1s", `routing.policy: found "sticky"`, "requestTimeout: found -1ns",
		"front.retry: found 0s", "front.slots: found 0", "front.capacity: found 0",
	} {
		assert.ErrorContains(t, err, part)
	}
	assert.NoError(t, Defaults().Validate())
}
