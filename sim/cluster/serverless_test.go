package cluster

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/sim/random"
)

// lambda is a platform with fixed times: 1 s warm, 3 s cold, 10 s of keep-alive.
func lambda() Spec {
	spec := small()
	spec.Serverless = &Serverless{ColdServiceTime: random.Constant(3 * time.Second)}
	keep(&spec, 10*time.Second)
	return spec
}

func keep(spec *Spec, keepAlive time.Duration) { spec.Serverless.KeepAlive = &keepAlive }

func atSeconds(at ...float64) *instantsOf {
	var l instantsOf
	for _, s := range at {
		l = append(l, time.Duration(s*1e9))
	}
	return &l
}

func TestTheNewestIdleInstanceServes(t *testing.T) {
	// 0 and 1 start at 0 s and 1 s, and are idle from 3 s and 4 s on. The request
	// of 5 s goes to 1, which became idle last, and 0 is reclaimed at 13 s. The
	// request of 15 s goes to 1 again, idle since 6 s.
	c := newCluster(t, lambda(), atSeconds(0, 1, 5, 15))
	c.Advance(5 * time.Second)
	pods := c.Pods(nil)
	require.Len(t, pods, 2)
	assert.Equal(t, []int32{0, 1}, []int32{pods[0].InService, pods[1].InService})
	c.Advance(time.Minute)
	assert.Equal(t, []Transition{
		{At: 0, Pod: 0, To: Ready},
		{At: 1 * time.Second, Pod: 1, To: Ready},
		{At: 13 * time.Second, Pod: 0, From: Ready, To: Draining}, {At: 13 * time.Second, Pod: 0, From: Draining, To: Gone},
		{At: 26 * time.Second, Pod: 1, From: Ready, To: Draining}, {At: 26 * time.Second, Pod: 1, From: Draining, To: Gone},
	}, c.Transitions(nil))
	assert.Equal(t, Counters{Arrived: 4, Completed: 4, Cold: 2}, c.Counters())
	existed, idle := c.PodTime()
	assert.Equal(t, (13+25)*time.Second, existed)
	assert.Equal(t, (10+25-3-1-1)*time.Second, idle)
}

func TestOneInstantOfAPlatform(t *testing.T) {
	for name, c := range map[string]struct {
		arrivals *instantsOf
		cold     uint64
	}{
		"a request at the end of the keep-alive comes too late":   {atSeconds(0, 13), 2},
		"a nanosecond earlier it does not":                        {&instantsOf{0, 13*time.Second - 1}, 1},
		"an instance freed at an instant serves an arrival of it": {atSeconds(0, 3), 1},
		"two at once need two instances":                          {atSeconds(0, 0, 3, 3, 3), 3},
	} {
		t.Run(name, func(t *testing.T) {
			fast := newCluster(t, lambda(), c.arrivals)
			fast.Advance(time.Minute)
			assert.Equal(t, c.cold, fast.Counters().Cold)
		})
	}
}

func TestAPlatformWithoutKeepAlive(t *testing.T) {
	spec := lambda()
	keep(&spec, 0)
	c := newCluster(t, spec, atSeconds(0, 3, 6, 9, 9))
	c.Advance(time.Minute)
	assert.Equal(t, Counters{Arrived: 5, Completed: 5, Cold: 5}, c.Counters(), "an instance is gone in the instant in which it becomes idle")
	existed, idle := c.PodTime()
	assert.Equal(t, 15*time.Second, existed)
	assert.Zero(t, idle)
	assert.Len(t, c.instances.slab, 2, "entries of instances that are gone are used again")
}

func TestALimitOfInstances(t *testing.T) {
	spec := lambda()
	most := int32(2)
	spec.Serverless.MaxInstances = &most
	c := newCluster(t, spec, atSeconds(0, 0, 0, 2.5, 3, 3.5))
	c.Advance(2900 * time.Millisecond)
	assert.Equal(t, Counters{Arrived: 4, Rejected: 2, InFlight: 2}, c.Counters())
	assert.Equal(t, int32(2), c.Replicas().Ready)
	c.Advance(time.Minute)
	assert.Equal(t, Counters{Arrived: 6, Rejected: 2, Completed: 4, Cold: 2}, c.Counters())
}

func TestTheClientOfAPlatformGivesUp(t *testing.T) {
	spec := lambda()
	spec.RequestTimeout = 2 * time.Second
	c := newCluster(t, spec, atSeconds(0, 2.5, 7))
	c.Advance(2 * time.Second)
	assert.Equal(t, Counters{Arrived: 1, TimedOut: 1}, c.Counters())
	assert.Equal(t, int32(1), c.Pods(nil)[0].InService, "the instance works on")
	c.Advance(2500 * time.Millisecond)
	assert.Equal(t, int32(2), c.Replicas().Created, "so the next request needs another")
	c.Advance(time.Minute)
	assert.Equal(t, Counters{Arrived: 3, TimedOut: 2, Completed: 1}, c.Counters(), "cold counts what was completed")
	assert.Len(t, c.Transitions(nil), 2*3)
}

func TestWhatAScrapeSeesOfAPlatform(t *testing.T) {
	spec := lambda()
	spec.CPURequestMilli, spec.PerPod.Concurrency = 500, 4
	c := newCluster(t, spec, atSeconds(0, 5))
	c.Advance(5500 * time.Millisecond)
	assert.Equal(t, []PodStatus{{
		State: Ready, DeletedAt: NotYet, Received: 2, Completed: 1, InService: 1,
		CPU: 1500*time.Millisecond + 250*time.Millisecond, // one request at a time uses all of the CPU request
	}}, c.Pods(nil))
	assert.Zero(t, c.Waiting())
	assert.Zero(t, c.Held())
	assert.Equal(t, []Transition{{Pod: 0, To: Ready}}, c.Transitions(nil))
}

func TestAPlatformIsValidated(t *testing.T) {
	none, negative := int32(0), -time.Second
	for want, change := range map[string]func(*Spec){
		"workload: serverless.keepAlive: found -1s, expected 0s to 720h0m0s": func(s *Spec) { s.Serverless.KeepAlive = &negative },
		"workload: serverless.coldServiceTime.value: found -1s, expected 0s or more": func(s *Spec) {
			s.Serverless.ColdServiceTime = random.Constant(negative)
		},
		"workload: serverless.maxInstances: found 0, expected 1 to 100000":                         func(s *Spec) { s.Serverless.MaxInstances = &none },
		"workload: serverless: found it beside an elastic number of pods, expected one of the two": func(s *Spec) { s.Elastic = true },
	} {
		spec := lambda()
		change(&spec)
		_, err := New(spec, 1, atSeconds(), NewTally([]time.Duration{0}, 0))
		assert.EqualError(t, err, want)
	}
	assert.Equal(t, 10*time.Minute, *Serverless{}.WithDefaults().KeepAlive)
}

// steadyPlatform is S1 of the acceptance list with a faster clock: 900 requests
// a second that take 20 ms, and 6 s of keep-alive.
func steadyPlatform(t testing.TB) *Cluster {
	spec := onePod(1, 0, service("exponential", 0.020, 1))
	spec.Serverless = &Serverless{ColdServiceTime: service("exponential", 0.022, 1)}
	keep(&spec, 6*time.Second)
	spec.RequestTimeout = time.Second
	c, err := New(spec, 1, &poisson{stream: random.Seed(1).Key("test", 0).Stream(), rate: 900}, NewTally([]time.Duration{0}, 0))
	require.NoError(t, err)
	c.Advance(time.Hour)
	return c
}

func TestAPlatformDoesNotAllocate(t *testing.T) {
	c := steadyPlatform(t)
	at, changes := c.Now(), c.Transitions(nil)
	before := c.instances.started
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		at += time.Second
		c.Advance(at)
		changes = c.Transitions(changes[:0])
	}))
	assert.Greater(t, c.instances.started, before, "instances came and went")
}

func BenchmarkServerless(b *testing.B) {
	c := steadyPlatform(b)
	changes := c.Transitions(nil)
	at, n := c.Now(), c.arrived
	b.ReportAllocs()
	b.ResetTimer()
	for c.arrived-n < uint64(b.N) {
		at += 100 * time.Millisecond
		c.Advance(at)
		changes = c.Transitions(changes[:0])
	}
}

// TestInstancesAreTheBusiestInstantOfTheKeepAlive holds the law that Serverless
// states against the requests themselves; with a keep-alive as long as the run,
// cold starts stop at the busiest instant of all.
func TestInstancesAreTheBusiestInstantOfTheKeepAlive(t *testing.T) {
	for _, keepAlive := range []time.Duration{0, time.Second, 20 * time.Second, time.Hour} {
		spec := onePod(1, 0, service("exponential", 2, 1))
		spec.Serverless = &Serverless{ColdServiceTime: service("lognormal", 3, 4)}
		keep(&spec, keepAlive)
		var began, ended []time.Duration
		tally := NewTally([]time.Duration{0}, 0)
		tally.observe = func(q *request, now time.Duration, f fate) {
			require.Equal(t, completed, f)
			began, ended = append(began, q.start), append(ended, now)
		}
		seed := random.Seed(7)
		c, err := New(spec, seed, &until{poisson{stream: seed.Key("test", 0).Stream(), rate: 2}, 500 * time.Second}, tally)
		require.NoError(t, err)
		var looks, found []time.Duration // instants, and instances then
		for at := time.Duration(0); at < 700*time.Second; at += 1700 * time.Millisecond {
			c.Advance(at)
			looks, found = append(looks, at), append(found, time.Duration(c.Replicas().Created))
		}
		inService := func(at time.Duration) (n time.Duration) {
			for i := range began {
				if began[i] <= at && at < ended[i] {
					n++
				}
			}
			return n
		}
		peak := time.Duration(0)
		for i, at := range looks {
			busiest := inService(at - keepAlive)
			for _, s := range began { // it grows there only
				if at-keepAlive <= s && s <= at {
					busiest = max(busiest, inService(s))
				}
			}
			require.Equal(t, busiest, found[i], "%s, keep-alive %s", at, keepAlive)
			peak = max(peak, busiest)
		}
		n := c.Counters()
		require.Greater(t, n.Completed, uint64(900))
		switch keepAlive {
		case 0:
			assert.Equal(t, n.Completed, n.Cold, "every request starts its own instance")
		case time.Hour:
			assert.Equal(t, uint64(peak), n.Cold, "once there are enough, none is started any more")
		default:
			assert.Greater(t, n.Cold, uint64(peak))
			assert.Less(t, n.Cold, n.Completed/2)
		}
	}
}
