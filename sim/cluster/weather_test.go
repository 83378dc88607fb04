package cluster

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/sim/random"
)

// draw gives dice to a fault.
func draw() *random.Stream {
	s := random.Seed(7).Key("fault", 0).Stream()
	return &s
}

// stormy is small with nobody asking for anything, and pods that start at once: in
// 4 s, and get requests at once.
func stormy() Spec {
	spec := small()
	spec.Unsteady = true
	spec.Lifecycle.Schedule, spec.Lifecycle.ImagePull = random.Constant(0), random.Constant(0)
	spec.Lifecycle.EndpointPropagation = random.Constant(0)
	return spec
}

// changes are the transitions of a pod to a state.
func changes(c *Cluster, pod int32, to State) (at []time.Duration) {
	for _, t := range c.Transitions(nil) {
		if t.Pod == pod && t.To == to {
			at = append(at, t.At)
		}
	}
	return at
}

func seconds64(s ...float64) (list []time.Duration) {
	for _, x := range s {
		list = append(list, time.Duration(x*1e9))
	}
	return list
}

func TestBackOff(t *testing.T) {
	var b backOff
	now := time.Hour
	for n, want := range seconds64(0, 10, 20, 40, 80, 160, 300, 300) {
		pause := b.wait(now)
		require.Equal(t, want, pause, "restart %d", n+1)
		now += pause + time.Second // the container that was started ends after one second
	}
	assert.Equal(t, 300*time.Second, b.wait(b.since+10*time.Minute), "ten minutes are not more than ten minutes")
	assert.Equal(t, time.Duration(0), b.wait(b.since+10*time.Minute+1), "a container that has run for longer begins anew")
	assert.Equal(t, 10*time.Second, b.wait(b.since))
}

func TestACrashedContainerStartsAgainAfterItsBackOff(t *testing.T) {
	spec := stormy()
	spec.Lifecycle.StartCPU = 0.5
	c := newCluster(t, spec, &instantsOf{9500 * time.Millisecond, 9600 * time.Millisecond, 12 * time.Second})
	c.Reach(10 * time.Second)
	assert.Equal(t, 1, c.Crash(5, draw()), "all that there are")
	// What it serves and what waits in it is lost; nothing reaches it until 14 s.
	assert.Equal(t, Counters{Arrived: 2, Failed: 2}, c.Counters())
	c.Advance(12 * time.Second)
	assert.Equal(t, Counters{Arrived: 3, Failed: 3}, c.Counters())
	p := c.Pods(nil)[0]
	assert.Equal(t, PodStatus{State: Starting, RunningSince: 10 * time.Second, ReadyAt: NotYet, UnreadyAt: 10 * time.Second,
		Restarts: 1, DeletedAt: NotYet, Node: none, Received: 2, CPU: time.Second}, p, "two seconds of half a core")
	c.Reach(20 * time.Second)
	assert.Equal(t, 2*time.Second, c.Pods(nil)[0].CPU)
	c.Crash(1, draw())
	assert.Equal(t, 0, c.Crash(1, draw()), "there is no container to crash in the back-off of 10 s")
	c.Advance(25 * time.Second)
	assert.Equal(t, NotYet, c.Pods(nil)[0].RunningSince)
	c.Advance(40 * time.Second)
	assert.Equal(t, seconds64(0, 14, 34), changes(c, 0, Ready))
	assert.Equal(t, 4*time.Second, c.Pods(nil)[0].CPU)
	existed, idle := c.PodTime()
	assert.Equal(t, 40*time.Second, existed)
	assert.Equal(t, 9500*time.Millisecond+6*time.Second+6*time.Second, idle, "0 to 9.5, 14 to 20, and 34 to 40 s")
	c.Scale(0)
	assert.Empty(t, c.Pods(nil))
}

func TestAPodInItsBackOffIsGoneAtOnceWhenDeleted(t *testing.T) {
	spec := stormy()
	spec.PreStop = 5 * time.Second
	c := newCluster(t, spec, &instantsOf{})
	c.Reach(time.Second)
	c.Crash(1, draw())
	c.Scale(0)
	assert.Empty(t, c.Pods(nil), "no container, no hook")
	c.Advance(time.Minute)
	assert.Equal(t, Counters{}, c.Counters())
}

func TestReadinessComesWithAProbe(t *testing.T) {
	for _, test := range []struct {
		name  string
		probe Probe
		want  float64 // of a pod that is started at 10 s and can serve at 14 s
	}{
		{"at a tick", Probe{Period: 2 * time.Second, Failures: 3, Successes: 1}, 14},
		{"at the next tick", Probe{Period: 3 * time.Second, Failures: 3, Successes: 1}, 16},
		{"after some successes", Probe{Period: 3 * time.Second, Failures: 3, Successes: 3}, 22},
		{"not before the delay", Probe{InitialDelay: 7 * time.Second, Period: 2 * time.Second, Failures: 3, Successes: 1}, 18},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec := stormy()
			spec.Replicas, spec.Probes.Readiness = 0, &test.probe
			test.probe.Timeout = time.Second
			c := newCluster(t, spec, &instantsOf{})
			c.Advance(10 * time.Second)
			c.Scale(1)
			c.Advance(time.Minute)
			assert.Equal(t, seconds64(test.want), changes(c, 0, Ready))
		})
	}
}

func TestTheInitialDelayCountsFromTheContainersStart(t *testing.T) {
	spec := stormy()
	spec.Replicas, spec.Fresh = 1, true
	spec.Probes.Startup = &Probe{Period: 3 * time.Second, Timeout: time.Second, Failures: 10, Successes: 1}
	spec.Probes.Readiness = &Probe{InitialDelay: 7 * time.Second, Period: 4 * time.Second, Timeout: time.Second, Failures: 1, Successes: 1}
	c := newCluster(t, spec, &instantsOf{})
	c.Advance(time.Minute)
	// Up at 4 s, which the startup probe sees at 6 s. The readiness probe ticks at 6, 10,
	// 14 s, and counts from 7 s on.
	assert.Equal(t, seconds64(10), changes(c, 0, Ready))
}

func TestAContainerThatStartsForTooLongIsKilled(t *testing.T) {
	// Up after 25 s: the probe fails at 5, 15 and 25 s, or 5, 15 and 20 s before.
	for name, probes := range map[string]Probes{
		"liveness": {Liveness: &Probe{InitialDelay: 5 * time.Second, Period: 10 * time.Second, Timeout: time.Second, Failures: 2, Successes: 1}},
		"startup":  {Startup: &Probe{InitialDelay: 5 * time.Second, Period: 10 * time.Second, Timeout: time.Second, Failures: 2, Successes: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			spec := stormy()
			spec.Fresh, spec.Probes, spec.Lifecycle.Start = true, probes, random.Constant(25*time.Second)
			c := newCluster(t, spec, &instantsOf{})
			// The probe ticks at 10 and 20 s; killed at 20 s, started again at once, killed at
			// 40 s, started again at 50 s, killed at 70 s.
			for _, step := range []struct {
				at       time.Duration
				restarts int32
				running  time.Duration
			}{{20*time.Second - 1, 0, 0}, {20 * time.Second, 1, 20 * time.Second}, {40 * time.Second, 2, NotYet}, {50 * time.Second, 2, 50 * time.Second}, {70 * time.Second, 3, NotYet}} {
				c.Advance(step.at)
				p := c.Pods(nil)[0]
				assert.Equal(t, step.restarts, p.Restarts, "at %s", step.at)
				assert.Equal(t, step.running, p.RunningSince, "at %s", step.at)
				assert.Equal(t, Starting, p.State)
			}
		})
	}
}

func TestAStartupProbeKeepsTheLivenessProbeAway(t *testing.T) {
	spec := stormy()
	spec.Fresh, spec.Lifecycle.Start = true, random.Constant(25*time.Second)
	spec.Probes.Startup = &Probe{Period: 10 * time.Second, Timeout: time.Second, Failures: 4, Successes: 1}
	spec.Probes.Liveness = &Probe{Period: time.Second, Timeout: time.Second, Failures: 1, Successes: 1}
	c := newCluster(t, spec, &instantsOf{})
	c.Advance(time.Hour)
	assert.Equal(t, seconds64(30), changes(c, 0, Ready))
	assert.Zero(t, c.Pods(nil)[0].Restarts)
}

func TestReadinessThatFails(t *testing.T) {
	for _, test := range []struct {
		name       string
		probe      *Probe
		until      []time.Duration // from 11 s on, and from there
		gone, back []time.Duration
	}{
		{"without a probe at once", nil, seconds64(20), seconds64(11), seconds64(20)},
		{"with one after its failures, at ticks", &Probe{Period: 3 * time.Second, Failures: 2, Successes: 2}, seconds64(20), seconds64(15), seconds64(24)},
		{"too short for its failures", &Probe{Period: 3 * time.Second, Failures: 4, Successes: 1}, seconds64(20), nil, nil},
		{"one that goes on while another lasts", &Probe{Period: 3 * time.Second, Failures: 4, Successes: 1}, seconds64(20, 22), seconds64(21), seconds64(24)},
		{"a tick at the end is a success", &Probe{Period: 3 * time.Second, Failures: 2, Successes: 1}, seconds64(15), nil, nil},
		{"over before it begins", nil, seconds64(11), nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec := stormy()
			if spec.Probes.Readiness = test.probe; test.probe != nil {
				test.probe.Timeout = time.Second
			}
			c := newCluster(t, spec, &instantsOf{10900 * time.Millisecond, 17 * time.Second, 27 * time.Second})
			c.Reach(11 * time.Second)
			for _, until := range test.until {
				assert.Equal(t, 1, c.Unready(1, until, draw()))
			}
			c.Advance(26 * time.Second)
			var gone, back []time.Duration
			for _, change := range c.Transitions(nil) {
				switch {
				case change.To == Starting:
					gone = append(gone, change.At)
				case change.From == Starting:
					back = append(back, change.At)
				}
			}
			assert.Equal(t, test.gone, gone)
			assert.Equal(t, test.back, back)
			c.Advance(time.Minute)
			failed := uint64(0)
			if len(test.gone) > 0 && test.gone[0] < 17*time.Second {
				failed = 1 // the one of 17 s
			}
			assert.Equal(t, Counters{Arrived: 3, Completed: 3 - failed, Failed: failed}, c.Counters(), "what it holds is served")
		})
	}
}

func TestALongerFailureKeepsAPodUnready(t *testing.T) {
	c := newCluster(t, stormy(), &instantsOf{})
	c.Reach(time.Second)
	c.Unready(1, 5*time.Second, draw())
	c.Unready(1, 9*time.Second, draw())
	c.Advance(time.Minute)
	assert.Equal(t, seconds64(0, 9), changes(c, 0, Ready))
}

func TestWarmUpComesOncePerContainer(t *testing.T) {
	spec := stormy()
	spec.Lifecycle.WarmUp = &WarmUp{For: 10 * time.Second, Slowdown: 3}
	l := instantsOf{30 * time.Second, 44 * time.Second}
	c := newCluster(t, spec, &l)
	c.Reach(10 * time.Second)
	c.Unready(1, 29*time.Second, draw())
	c.Advance(33 * time.Second)
	assert.Equal(t, time.Second, c.tally.Interval().Max(), "the container is as warm as it was")
	c.Reach(40 * time.Second)
	c.Crash(1, draw())
	c.Advance(time.Minute)
	assert.Equal(t, 3*time.Second, c.tally.Interval().Max(), "another one is not")
}

// TestRequestsAreLostBetweenTheEndOfAPodAndTheWordOfIt sends a request every 100 ms to
// two pods in turn, one of which is deleted at 10 s and leaves the routes at 13 s.
func TestRequestsAreLostBetweenTheEndOfAPodAndTheWordOfIt(t *testing.T) {
	for _, test := range []struct {
		name             string
		preStop, service time.Duration
		lost             uint64
		gone             time.Duration
	}{
		// It gets every second request of (10, 13) s, all of which find nobody.
		{"no hook", 0, 10 * time.Millisecond, 15, 10 * time.Second},
		// From 12 s on: those of 12.15, 12.35 ... 12.95 s.
		{"a hook that is too short", 2 * time.Second, 10 * time.Millisecond, 5, 12 * time.Second},
		{"a hook that is as long", 3 * time.Second, 10 * time.Millisecond, 0, 13 * time.Second},
		// The last one comes at 12.95 s.
		{"it finishes what it holds", 3 * time.Second, 450 * time.Millisecond, 0, 13400 * time.Millisecond},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec := stormy()
			spec.Replicas, spec.PerPod.Concurrency = 2, 10
			spec.PreStop, spec.PerPod.ServiceTime = test.preStop, random.Constant(test.service)
			spec.Lifecycle.Deregister = random.Constant(3 * time.Second)
			var l instantsOf
			for at := 50 * time.Millisecond; at < 20*time.Second; at += 100 * time.Millisecond {
				l = append(l, at)
			}
			c := newCluster(t, spec, &l)
			c.Reach(10 * time.Second)
			c.Scale(1)
			c.Advance(30 * time.Second)
			assert.Equal(t, Counters{Arrived: 200, Completed: 200 - test.lost, Failed: test.lost}, c.Counters())
			deleted := c.pods[0].ID
			if c.pods[1].State == Gone {
				deleted = c.pods[1].ID
			}
			assert.Equal(t, []time.Duration{test.gone}, changes(c, deleted, Gone))
		})
	}
}

func TestTheHookEndsWithTheGracePeriod(t *testing.T) {
	spec := stormy()
	spec.PreStop, spec.GracePeriod = time.Minute, 5*time.Second
	spec.PerPod.ServiceTime = random.Constant(8 * time.Second)
	c := newCluster(t, spec, arrivals(1, time.Second))
	c.Advance(2 * time.Second)
	c.Scale(0)
	c.Advance(time.Minute)
	assert.Equal(t, seconds64(7), changes(c, 0, Gone))
	assert.Equal(t, Counters{Arrived: 1, Failed: 1}, c.Counters())
}

func TestNewsThatComesLateDoesNotUndoWhatHasOvertakenIt(t *testing.T) {
	spec := stormy()
	spec.Lifecycle.Deregister = random.Constant(5 * time.Second)
	c := newCluster(t, spec, &instantsOf{})
	c.Reach(10 * time.Second)
	c.Unready(1, 12*time.Second, draw()) // out at 15 s, but back at 12 s
	c.Advance(30 * time.Second)
	assert.Equal(t, []int32{0}, c.routable)
	assert.Equal(t, 12*time.Second, c.Pods(nil)[0].RoutableAt)

	spec.Lifecycle.Deregister, spec.Lifecycle.EndpointPropagation = random.Constant(0), random.Constant(5*time.Second)
	c = newCluster(t, spec, &instantsOf{})
	c.Reach(10 * time.Second)
	c.Unready(1, 12*time.Second, draw()) // in at 17 s
	c.Reach(14 * time.Second)
	c.Unready(1, 30*time.Second, draw())
	c.Advance(29 * time.Second)
	assert.Empty(t, c.routable, "what was to come at 17 s is out of date")
}

// TestQueuedProbes has a pod of one slot with work for 60 s, which comes at 2 s.
func TestQueuedProbes(t *testing.T) {
	probe := &Probe{Period: 10 * time.Second, Timeout: time.Second, Failures: 2, Successes: 1}
	spec := stormy()
	spec.PerPod.Queue = 100
	spec.Probes = Probes{Readiness: probe, Queued: true}
	c := newCluster(t, spec, arrivals(60, 2*time.Second))
	c.Advance(2 * time.Minute)
	// Sent at 10 and 20 s, over at 11 and 21 s. The last request begins at 61 s: the
	// probe of 60 s is over at 61 s, while it still waits, that of 70 s is well.
	assert.Equal(t, []Transition{{At: 0, To: Ready}, {At: 21 * time.Second, From: Ready, To: Starting}, {At: 71 * time.Second, From: Starting, To: Ready}}, c.Transitions(nil))
	assert.Equal(t, Counters{Arrived: 60, Completed: 60}, c.Counters())

	spec.Probes = Probes{Liveness: probe, Queued: true}
	c = newCluster(t, spec, arrivals(60, 2*time.Second))
	c.Advance(2 * time.Minute)
	assert.Equal(t, Counters{Arrived: 60, Completed: 18, Failed: 42}, c.Counters(), "killed at 21 s")
	assert.Equal(t, seconds64(0, 25), changes(c, 0, Ready))

	spec.Probes = Probes{Readiness: probe, Queued: true}
	c = newCluster(t, spec, &instantsOf{})
	c.Reach(9500 * time.Millisecond)
	c.Unready(1, 25*time.Second, draw())
	c.Advance(time.Minute)
	assert.Equal(t, []Transition{{At: 0, To: Ready}, {At: 21 * time.Second, From: Ready, To: Starting}, {At: 31 * time.Second, From: Starting, To: Ready}}, c.Transitions(nil))
}

func TestSlowStretches(t *testing.T) {
	spec := stormy()
	spec.Slow = []Slow{{From: 10 * time.Second, To: 20 * time.Second, Factor: 2.5}, {From: 20 * time.Second, To: 21 * time.Second, Factor: 1}}
	l := instantsOf{9999 * time.Millisecond, 13 * time.Second, 20 * time.Second}
	c := newCluster(t, spec, &l)
	for _, want := range []time.Duration{time.Second, 2500 * time.Millisecond, time.Second} {
		c.Advance(c.nextArrival + 3*time.Second)
		assert.Equal(t, want, c.tally.Interval().Max())
		c.tally.Interval().Reset()
	}
	assert.Equal(t, random.MaxDraw, multiplied(random.MaxDraw, 1000), "nothing overflows")
	assert.Equal(t, random.MaxDraw, multiplied(random.MaxDraw, 1.5))

	spec.Lifecycle.WarmUp, spec.Fresh, spec.Lifecycle.Start = &WarmUp{For: time.Minute, Slowdown: 3}, true, random.Constant(0)
	c = newCluster(t, spec, arrivals(1, time.Second))
	c.Advance(5 * time.Second)
	assert.Equal(t, time.Second, c.tally.Interval().Max(), "pods that are Ready at time 0 are warm")
}

func TestSlowStart(t *testing.T) {
	spec := stormy()
	spec.Replicas = 0
	c := newCluster(t, spec, &instantsOf{})
	c.SlowStart(2.5)
	c.Scale(1)
	c.Advance(time.Second)
	c.SlowStart(1)
	c.Scale(2)
	c.Advance(time.Minute)
	assert.Equal(t, []Transition{{At: 5 * time.Second, Pod: 1, From: Starting, To: Ready}, {At: 10 * time.Second, From: Starting, To: Ready}}, c.Transitions(nil)[6:])
}

func TestAConsumerTakesMessagesUntilItsSIGTERM(t *testing.T) {
	spec := stormy()
	spec.PreStop, spec.Routing.Policy, spec.PerPod.Queue = 3*time.Second, "central-queue", 0
	spec.Consumes = &Consumption{}
	c := newCluster(t, spec, arrivals(20, time.Second))
	c.Reach(4 * time.Second)
	c.Scale(0)
	c.Advance(time.Minute)
	// Deleted at 4 s, SIGTERM at 7 s, when the message ends that it has taken at 6 s.
	assert.Equal(t, Counters{Arrived: 20, Completed: 6, InFlight: 14}, c.Counters())
	assert.Equal(t, seconds64(7), changes(c, 0, Gone))
}

func TestTheUnsteadyForeseeLess(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Spec)
		want   bool
	}{
		{"steady", func(*Spec) {}, true},
		{"unsteady in turn", func(s *Spec) { s.Unsteady = true }, true},
		{"unsteady by load", func(s *Spec) { s.Unsteady, s.Routing.Policy = true, "least-request" }, false},
		{"queued probes by load", func(s *Spec) { s.Probes.Queued, s.Routing.Policy = true, "least-request" }, false},
		{"pods that linger, by load", func(s *Spec) {
			s.Lifecycle.Deregister, s.Routing.Policy = random.Constant(time.Second), "least-request"
		}, false},
		{"unsteady behind activators", func(s *Spec) {
			s.Unsteady, s.Activators = true, &Activators{Count: 1, ProbeEvery: time.Second, Report: time.Second}
		}, false},
		{"fixed pods with one queue", func(s *Spec) { s.Fixed, s.Routing.Policy = true, "central-queue" }, true},
		{"unsteady ones", func(s *Spec) { s.Fixed, s.Unsteady, s.Routing.Policy = true, true, "central-queue" }, false},
		{"fixed pods on nodes", func(s *Spec) {
			s.Fixed, s.Routing.Policy, s.Nodes = true, "central-queue", &Nodes{Pools: []Pool{{Name: "a", CPU: 1, Memory: 1, Count: 1}}}
		}, false},
	} {
		spec := small()
		test.change(&spec)
		assert.Equal(t, test.want, newCluster(t, spec, &instantsOf{}).foresight, test.name)
	}
}

func TestBadWeatherIsRefused(t *testing.T) {
	good := func() *Probe { return &Probe{Period: time.Second, Timeout: time.Second, Failures: 1, Successes: 1} }
	for _, test := range []struct {
		change func(*Spec)
		want   string
	}{
		{func(s *Spec) { s.PreStop = -1 }, "preStop: found -1ns, expected 0s to 720h0m0s"},
		{func(s *Spec) { s.Probes.Startup = good(); s.Probes.Startup.InitialDelay = -1 }, "probes.startupProbe.initialDelaySeconds: found -1ns, expected 0s to 720h0m0s"},
		{func(s *Spec) { s.Probes.Readiness = good(); s.Probes.Readiness.Period = 0 }, "probes.readinessProbe.periodSeconds: found 0s, expected more than 0s, up to 720h0m0s"},
		{func(s *Spec) { s.Probes.Liveness = good(); s.Probes.Liveness.Timeout = 721 * time.Hour }, "probes.livenessProbe.timeoutSeconds: found 721h0m0s, expected more than 0s, up to 720h0m0s"},
		{func(s *Spec) { s.Probes.Liveness = good(); s.Probes.Liveness.Failures = 0 }, "probes.livenessProbe.failureThreshold: found 0, expected 1 to 1000"},
		{func(s *Spec) { s.Probes.Readiness = good(); s.Probes.Readiness.Successes = 1001 }, "probes.readinessProbe.successThreshold: found 1001, expected 1 to 1000"},
		{func(s *Spec) { s.Probes.Startup = good(); s.Probes.Startup.Successes = 2 }, "probes.startupProbe.successThreshold: found 2, expected 1: only a readiness probe can have more"},
		{func(s *Spec) { s.Probes.Queued, s.Routing.Policy = true, "central-queue" }, "probes: found queued with routing by central-queue, expected another policy: nothing waits in a pod then"},
		{func(s *Spec) { s.Slow = []Slow{{From: 2, To: 1, Factor: 1}} }, "slow: found a stretch from 2ns to 1ns, expected them in order and apart"},
		{func(s *Spec) { s.Slow = []Slow{{From: 1, To: 3, Factor: 1}, {From: 2, To: 4, Factor: 1}} }, "slow: found a stretch from 2ns to 4ns, expected them in order and apart"},
		{func(s *Spec) { s.Slow = []Slow{{To: 1, Factor: 0.5}} }, "slow: found a factor of 0.5, expected 1 to 1000 with at most three decimals"},
		{func(s *Spec) { s.Slow = []Slow{{To: 1, Factor: 1.0001}} }, "slow: found a factor of 1.0001, expected 1 to 1000 with at most three decimals"},
		{func(s *Spec) { s.Lifecycle.StartCPU = -1 }, "lifecycle.startCPU: found -1, expected 0 to 1000 with at most three decimals"},
		{func(s *Spec) { s.Lifecycle.Deregister = random.Spec{Dist: "odd"} }, `lifecycle.deregister.dist: found "odd", expected`},
		{func(s *Spec) {
			s.Lifecycle.Deregister, s.Lifecycle.EndpointPropagation = random.Constant(time.Second), random.Constant(0)
			s.Consumes, s.Routing.Policy, s.PerPod.Queue = &Consumption{}, "central-queue", 0
		}, "lifecycle.deregister: found 1s, expected 0s: a pod consumes from Ready on, without anybody connecting to it"},
		{func(s *Spec) { s.Update.MaxSurge = Share{Number: -1} }, "update.maxSurge: found -1, expected 0 to 100000"},
		{func(s *Spec) { s.Update.MaxUnavailable = Share{Number: 101, Percent: true} }, "update.maxUnavailable: found 101, expected 0 to 100"},
		{func(s *Spec) { s.Update.MinReady = -1 }, "update.minReadySeconds: found -1ns, expected 0s to 720h0m0s"},
	} {
		spec := small()
		test.change(&spec)
		_, err := New(spec, 1, &instantsOf{}, NewTally([]time.Duration{0}, 0))
		assert.ErrorContains(t, err, test.want)
	}
}

func TestAnActivatorKnowsAPodOnce(t *testing.T) {
	spec := stormy()
	spec.Replicas, spec.Lifecycle.Listen = 0, random.Constant(10*time.Second)
	spec.Activators = &Activators{Count: 1, ProbeEvery: time.Second, Report: time.Second, Proxied: true}
	c := newCluster(t, spec, &instantsOf{})
	c.Scale(1) // Ready at 4 s, and listening at 14 s
	c.Advance(5 * time.Second)
	c.Unready(1, 7*time.Second, draw())
	c.Advance(20 * time.Second)
	assert.Equal(t, []int32{0}, c.activators.reached)
	c.Unready(1, 25*time.Second, draw())
	c.Advance(21 * time.Second)
	assert.Empty(t, c.activators.reached, "nor while it is not Ready")
	c.Advance(30 * time.Second)
	assert.Equal(t, []int32{0}, c.activators.reached)
}
