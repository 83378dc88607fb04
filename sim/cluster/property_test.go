package cluster

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/scalelab/scalelab/scaling/elasti/hold"
	"github.com/scalelab/scalelab/sim/event"
	"github.com/scalelab/scalelab/sim/random"
)

// poisson gives arrivals at a rate per second, for ever.
type poisson struct {
	stream random.Stream
	at     float64
	rate   float64
}

func (p *poisson) Fill(dst []time.Duration) int {
	for i := range dst {
		p.at += p.stream.Exp() / p.rate
		dst[i] = time.Duration(p.at * 1e9)
	}
	return len(dst)
}

func drawWorld(t *rapid.T) Spec {
	mean := time.Duration(rapid.IntRange(1, 3000).Draw(t, "service_ms")) * time.Millisecond
	spec := Spec{
		Replicas: int32(rapid.IntRange(0, 5).Draw(t, "replicas")),
		PerPod: PerPod{
			Concurrency: rapid.IntRange(1, 4).Draw(t, "concurrency"),
			Queue:       rapid.IntRange(0, 5).Draw(t, "queue"),
			Discipline:  rapid.SampledFrom([]string{"fifo", "ps"}).Draw(t, "discipline"),
			ServiceTime: random.Spec{Dist: "exponential", Mean: &mean},
		},
		Routing:        Routing{Policy: rapid.SampledFrom([]string{"random", "round-robin", "least-request", "p2c", "central-queue"}).Draw(t, "policy")},
		RequestTimeout: time.Duration(rapid.IntRange(0, 4000).Draw(t, "timeout_ms")) * time.Millisecond,
		GracePeriod:    time.Duration(rapid.IntRange(0, 5).Draw(t, "grace_s")) * time.Second,
		Lifecycle: Lifecycle{
			Schedule:            random.Constant(time.Duration(rapid.IntRange(0, 2).Draw(t, "schedule_s")) * time.Second),
			ImagePull:           random.Constant(0),
			Start:               random.Constant(time.Duration(rapid.IntRange(0, 6).Draw(t, "start_s")) * time.Second),
			Listen:              random.Constant(time.Duration(rapid.IntRange(0, 3).Draw(t, "listen_s")) * time.Second),
			EndpointPropagation: random.Constant(time.Duration(rapid.IntRange(0, 2).Draw(t, "propagation_s")) * time.Second),
		},
	}
	if rapid.IntRange(0, 3).Draw(t, "kind") == 0 {
		drawMessages(t, &spec)
		return spec
	}
	if rapid.IntRange(0, 3).Draw(t, "interceptor") == 0 {
		spec.Interceptor = &Interceptor{
			Readiness:      time.Duration(rapid.IntRange(0, 5000).Draw(t, "readiness_ms")) * time.Millisecond,
			ResponseHeader: time.Duration(rapid.IntRange(0, 3000).Draw(t, "answer_ms")) * time.Millisecond,
			DialEvery:      50 * time.Millisecond, DialFor: time.Duration(rapid.IntRange(0, 2000).Draw(t, "dial_ms")) * time.Millisecond,
		}
	} else if rapid.Bool().Draw(t, "front") {
		spec.Front = &hold.Settings{
			Retry:       time.Duration(rapid.IntRange(1, 3000).Draw(t, "retry_ms")) * time.Millisecond,
			Slots:       rapid.IntRange(1, 20).Draw(t, "slots"),
			Capacity:    rapid.IntRange(1, 40).Draw(t, "capacity"),
			Timeout:     time.Duration(rapid.IntRange(0, 6000).Draw(t, "front_timeout_ms")) * time.Millisecond,
			NotifyEvery: 2 * time.Second,
		}
		spec.Handover = time.Duration(rapid.IntRange(0, 3).Draw(t, "handover_s")) * time.Second
		if rapid.Bool().Draw(t, "faults") {
			spec.Front.Faults = hold.Faults{
				ReadyCache:      time.Duration(rapid.IntRange(0, 5).Draw(t, "ready_cache_s")) * time.Second,
				Dials:           rapid.IntRange(0, 16).Draw(t, "dials"),
				RefusedIsFinal:  rapid.Bool().Draw(t, "refused_is_final"),
				Closed:          time.Duration(rapid.IntRange(0, 5).Draw(t, "closed_s")) * time.Second,
				GhostsStay:      rapid.Bool().Draw(t, "ghosts_stay"),
				NotifyOnArrival: rapid.Bool().Draw(t, "notify_on_arrival"),
			}
		}
	}
	if rapid.Bool().Draw(t, "clients") {
		drawClients(t, &spec)
	}
	return spec
}

// drawMessages has the workload consume.
func drawMessages(t *rapid.T, spec *Spec) {
	spec.Consumes = &Consumption{
		VisibilityTimeout: new(time.Duration(rapid.IntRange(0, 8000).Draw(t, "visibility_ms")) * time.Millisecond),
		MaxDeliveries:     rapid.IntRange(0, 3).Draw(t, "deliveries"),
	}
	if rapid.Bool().Draw(t, "partitioned") {
		spec.Consumes.Partitions = rapid.IntRange(1, 6).Draw(t, "partitions")
		spec.Consumes.Rebalance = new(time.Duration(rapid.IntRange(0, 3).Draw(t, "rebalance_s")) * time.Second)
	}
	spec.Routing.Policy, spec.PerPod.Queue, spec.RequestTimeout = "central-queue", 0, 0
	spec.Lifecycle.Listen, spec.Lifecycle.EndpointPropagation = random.Constant(0), random.Constant(0)
}

// inFlight counts the requests that are really held for a client.
func inFlight(c *Cluster) (n uint64) {
	if c.clients.on {
		return callsInFlight(c)
	}
	for i := range c.pods {
		for _, s := range c.pods[i].stays {
			if !s.told {
				n++
			}
		}
	}
	for i := range c.requests.slab {
		if q := &c.requests.slab[i]; q.place != free && !q.gone {
			n++
		}
	}
	return n
}

// occupied counts the entries of the slab in use, for whomever.
func occupied(c *Cluster) (n int) {
	for i := range c.requests.slab {
		if c.requests.slab[i].place != free {
			n++
		}
	}
	return n
}

func TestConservationInRandomWorlds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := drawWorld(t)
		seed := random.Seed(rapid.Uint64().Draw(t, "seed"))
		tally := NewTally([]time.Duration{0, 20 * time.Second}, 0)
		c, err := New(spec, seed, &poisson{stream: seed.Key("test", 0).Stream(), rate: rapid.Float64Range(0.1, 20).Draw(t, "rps")}, tally)
		require.NoError(t, err)
		for at := time.Second; at < 60*time.Second; at += time.Duration(rapid.IntRange(1, 8000).Draw(t, "step_ms")) * time.Millisecond {
			for c.Advance(at) != NoStop {
				c.Notified(rapid.Bool().Draw(t, "arrived"))
				c.Scale(max(1, c.desired))
			}
			if spec.Front != nil && rapid.IntRange(0, 9).Draw(t, "lose the front") == 0 {
				c.LoseFront()
				require.Zero(t, c.front.used)
			}
			if rapid.Bool().Draw(t, "scale") {
				c.Scale(int32(rapid.IntRange(0, 6).Draw(t, "to")))
			}
			check(t, c)
		}
		silence(c)
		c.Scale(3)
		for c.Advance(24*time.Hour) != NoStop { // a backlog may take hours
			c.Notified(true)
		}
		assert.Equal(t, uint64(0), c.Counters().InFlight, "everything ends once nothing arrives")
		assert.Equal(t, 0, c.front.used)
		assert.Equal(t, 0, c.front.sleepers)
		assert.Zero(t, c.interceptor.held())
		assert.Zero(t, c.Pending())
		assert.Zero(t, occupied(c), "no entry of the slab is forgotten")
		check(t, c)
	})
}

// silence has nobody send anything any more but what is tried again.
func silence(c *Cluster) {
	c.arrivals, c.upcoming, c.clients.open, c.nextArrival = &instantsOf{}, upcoming{}, event.Never, event.Never
	if c.clients.on {
		c.nextArrival = c.clients.next()
	}
}

// check holds the cluster's counts against each other.
func check(t require.TestingT, c *Cluster) {
	n := c.Counters()
	require.Equal(t, n.Arrived, n.Completed+n.TimedOut+n.Rejected+n.Failed+n.InFlight, "%+v", n)
	require.Equal(t, n.InFlight, inFlight(c))
	var created, ready int32
	for i := range c.pods {
		p := &c.pods[i]
		require.LessOrEqual(t, len(p.serving), c.spec.PerPod.Concurrency)
		require.LessOrEqual(t, int(p.queue.length), c.spec.PerPod.Queue)
		if p.State < Draining {
			created++
		}
		if p.State == Ready {
			ready++
		}
		if p.position != none {
			require.Equal(t, p.ID, c.routable[p.position])
			if !c.foresight {
				require.Equal(t, int32(len(p.serving))+p.queue.length, c.router.loads[p.position])
				require.Equal(t, len(p.serving) < c.spec.PerPod.Concurrency, c.router.open[p.position/64]>>(p.position%64)&1 == 1)
			}
			require.True(t, p.queue.length == 0 || len(p.serving) == c.spec.PerPod.Concurrency, "nobody waits beside a free slot")
		}
		if p.State == Gone {
			require.Empty(t, p.serving)
			require.Empty(t, p.stays)
			require.Zero(t, p.queue.length)
		}
	}
	require.Equal(t, c.desired, created)
	require.Equal(t, c.Replicas().Created, created)
	require.Equal(t, c.Replicas().Ready, ready)
	existed, idle := c.PodTime()
	require.LessOrEqual(t, idle, existed)
}

// TestErlangC holds the wait in M/M/3 with an offered load of 2 against its
// closed form: C(3, 2) = 4/9 and Wq = C / (3 - 2) = 0.4444 service times.
func TestErlangC(t *testing.T) {
	spec := Defaults()
	mean := time.Second
	spec.PerPod = PerPod{Concurrency: 3, Queue: 1_000_000, Discipline: "fifo", ServiceTime: random.Spec{Dist: "exponential", Mean: &mean}}
	spec.RequestTimeout = 0
	var means []float64
	for replication := range uint64(20) {
		seed := random.Seed(replication)
		tally := NewTally([]time.Duration{0}, 500*time.Second)
		c, err := New(spec, seed, &poisson{stream: seed.Key("test", 0).Stream(), rate: 2}, tally)
		require.NoError(t, err)
		c.Advance(50_000 * time.Second)
		means = append(means, tally.Phases()[0].Wait.MeanSeconds())
	}
	var sum, squares float64
	for _, m := range means {
		sum += m
	}
	average := sum / float64(len(means))
	for _, m := range means {
		squares += (m - average) * (m - average)
	}
	// 99.9 % of Student's t with 19 degrees of freedom.
	half := 3.883 * math.Sqrt(squares/19/20)
	assert.InDelta(t, 4.0/9, average, half, "n = 20 replications of 100,000 requests")
	assert.Less(t, half, 0.02)
}

func TestAdvanceDoesNotAllocate(t *testing.T) {
	spec := Defaults()
	spec.Replicas = 10
	spec.Routing.Policy = "p2c"
	seed := random.Seed(1)
	c, err := New(spec, seed, &poisson{stream: seed.Key("test", 0).Stream(), rate: 600}, NewTally([]time.Duration{0}, 0))
	require.NoError(t, err)
	at := 60 * time.Second
	c.Advance(at)
	assert.Zero(t, testing.AllocsPerRun(10, func() {
		at += time.Second
		c.Advance(at)
	}))
}

func BenchmarkAdvance(b *testing.B) {
	for _, policy := range []string{"random", "round-robin", "least-request", "p2c", "central-queue"} {
		b.Run(policy, func(b *testing.B) {
			spec := Defaults()
			spec.Replicas = 50
			spec.PerPod.Concurrency = 8
			spec.Routing.Policy = policy
			seed := random.Seed(1)
			c, err := New(spec, seed, &poisson{stream: seed.Key("test", 0).Stream(), rate: 2800}, NewTally([]time.Duration{0}, 0))
			require.NoError(b, err)
			c.Advance(40 * time.Second)
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
