package cluster

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/scalelab/scalelab/sim/random"
)

func drawClients(t *rapid.T, spec *Spec) {
	spec.OnTimeout = rapid.SampledFrom([]string{"leave", "cancel"}).Draw(t, "on timeout")
	r := defaultRetries()
	r.Attempts = rapid.IntRange(1, 5).Draw(t, "attempts")
	r.Backoff.Initial = time.Duration(rapid.IntRange(0, 1000).Draw(t, "backoff_ms")) * time.Millisecond
	r.Backoff.Jitter = rapid.SampledFrom([]string{"none", "full", "equal"}).Draw(t, "jitter")
	if rapid.Bool().Draw(t, "budget") {
		r.Budget = &Budget{MaxTokens: rapid.IntRange(1, 10).Draw(t, "tokens"), TokenRatio: 0.1}
	}
	per := time.Duration(rapid.IntRange(1, 2000).Draw(t, "per_attempt_ms")) * time.Millisecond
	if rapid.Bool().Draw(t, "timeouts") && (spec.RequestTimeout == 0 || per < spec.RequestTimeout) {
		r.PerAttemptTimeout, r.On = per, append(r.On, "timeout")
	}
	spec.Retries = r
	if n := rapid.IntRange(0, 10).Draw(t, "users"); n > 0 {
		think := time.Duration(rapid.IntRange(100, 5000).Draw(t, "think_ms")) * time.Millisecond
		spec.Users = []Users{{From: 5 * time.Second, To: 50 * time.Second, Count: n, ThinkTime: random.Spec{Dist: "exponential", Mean: &think}}}
	}
}

// callsInFlight counts the calls that are not in the free list.
func callsInFlight(c *Cluster) uint64 {
	n := uint64(len(c.clients.calls))
	for i := c.clients.free; i != none; i = c.clients.calls[i].next {
		n--
	}
	return n
}

const second = time.Second

// oneSlot is one pod with one slot, a queue and a constant service time, whose
// clients wait for ever.
func oneSlot(queue int, service time.Duration) Spec {
	spec := Defaults()
	spec.PerPod = PerPod{Concurrency: 1, Queue: queue, Discipline: "fifo", ServiceTime: random.Constant(service)}
	spec.RequestTimeout = 0
	return spec
}

func trying(attempts int, perAttempt, pause time.Duration, on ...string) *Retries {
	return &Retries{Attempts: attempts, On: on, PerAttemptTimeout: perAttempt, Backoff: Backoff{Initial: pause, Factor: 2, Max: time.Minute, Jitter: "none"}}
}

// story runs a world and tells what became of every request.
func story(t *testing.T, spec Spec, arrivals ...time.Duration) ([]string, *Cluster) {
	t.Helper()
	w := &witness{arrivals: arrivals}
	tally := NewTally([]time.Duration{0}, 0)
	tally.observe = w.ended
	c, err := New(spec, 1, (*instantsOf)(&arrivals), tally)
	require.NoError(t, err)
	w.cluster = c
	c.Advance(time.Hour)
	var told []string
	for _, r := range w.look() {
		told = append(told, r.String())
	}
	return told, c
}

func TestRetries(t *testing.T) {
	busy := oneSlot(0, 10*second)
	for name, c := range map[string]struct {
		spec     Spec
		retries  *Retries
		timeout  time.Duration
		cancel   bool
		arrivals []time.Duration
		want     []string
		retried  uint64
	}{
		"a rejected request finds its slot after 1 + 2 + 4 + 8 s": {
			spec: busy, retries: trying(5, 0, second, "rejected"), arrivals: []time.Duration{0, second}, retried: 4,
			want: []string{"completed: arrival 0s, start 0s, end 10s, pod 0, 0 retries", "completed: arrival 1s, start 16s, end 26s, pod 0, 4 retries"},
		},
		"three attempts are not enough": {
			spec: busy, retries: trying(3, 0, second, "rejected"), arrivals: []time.Duration{0, second}, retried: 2,
			want: []string{"completed: arrival 0s, start 0s, end 10s, pod 0, 0 retries", "rejected: arrival 1s, start -1ns, end 4s, pod -1, 2 retries"},
		},
		"what is not listed is final": {
			spec: busy, retries: trying(5, 0, second, "failed"), arrivals: []time.Duration{0, second},
			want: []string{"completed: arrival 0s, start 0s, end 10s, pod 0, 0 retries", "rejected: arrival 1s, start -1ns, end 1s, pod -1, 0 retries"},
		},
		"the deadline ends a request in back-off, and the retry is not sent": {
			spec: busy, retries: trying(5, 0, second, "rejected"), timeout: 5 * second, arrivals: []time.Duration{0, second}, retried: 2,
			want: []string{"timed out: arrival 0s, start 0s, end 5s, pod 0, 0 retries", "timed out: arrival 1s, start -1ns, end 6s, pod -1, 2 retries"},
		},
		"the pod works on for an attempt that timed out, and its slot is taken": {
			spec: oneSlot(0, 3*second), retries: trying(3, 2*second, second, "timeout"), arrivals: []time.Duration{0}, retried: 2,
			// Sent at 0, 3 and 7 s; the second is served from 3 s on.
			want: []string{"timed out: arrival 0s, start 7s, end 9s, pod 0, 2 retries"},
		},
		"a queued attempt leaves the queue and comes again": {
			spec: oneSlot(2, 5*second), retries: trying(4, 2*second, second, "timeout"), arrivals: []time.Duration{0, 0}, retried: 6,
			want: []string{
				"timed out: arrival 0s, start 13s, end 15s, pod 0, 3 retries",
				"timed out: arrival 0s, start -1ns, end 15s, pod -1, 3 retries",
			},
		},
		"cancelled services free the slot at once": {
			spec: oneSlot(1, 5*second), cancel: true, timeout: 2 * second, arrivals: []time.Duration{0, second},
			want: []string{"timed out: arrival 0s, start 0s, end 2s, pod 0, 0 retries", "timed out: arrival 1s, start 2s, end 3s, pod 0, 0 retries"},
		},
		"an attempt that fails when nobody is home": {
			spec: func() Spec { s := oneSlot(0, second); s.Replicas = 0; return s }(), retries: trying(3, 0, 0, "failed"), arrivals: []time.Duration{second}, retried: 2,
			want: []string{"failed: arrival 1s, start -1ns, end 1s, pod -1, 2 retries"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			spec := c.spec
			spec.Retries, spec.RequestTimeout = c.retries, c.timeout
			if c.cancel {
				spec.OnTimeout = "cancel"
			}
			told, world := story(t, spec, c.arrivals...)
			assert.Equal(t, c.want, told)
			assert.Equal(t, c.retried, world.Counters().Retried)
		})
	}
}

// TestCancelKeepsTheCPUUsed has half a service of 4 s with 2 s of CPU thrown away.
func TestCancelKeepsTheCPUUsed(t *testing.T) {
	spec := oneSlot(0, 4*second)
	cpu := 2 * second
	spec.PerPod.CPUPerRequest = &cpu
	spec.RequestTimeout, spec.OnTimeout = 2*second, "cancel"
	_, c := story(t, spec, 0, 2*second)
	p := c.Pods(nil)[0]
	assert.Equal(t, 2*second, p.CPU)
	assert.Equal(t, uint64(0), p.Completed)
	assert.Equal(t, uint64(2), p.Received)
	assert.Equal(t, Counters{Arrived: 2, TimedOut: 2}, c.Counters())
	_, idle := c.PodTime()
	assert.Equal(t, time.Hour-4*second, idle)
	assert.Zero(t, occupied(c))
}

// TestServiceTimesOfAttempts draws every attempt's own work; the first one's is
// that of a world without retries.
func TestServiceTimesOfAttempts(t *testing.T) {
	spec := oneSlot(0, second)
	mean := second
	spec.PerPod.ServiceTime = random.Spec{Dist: "exponential", Mean: &mean}
	spec.Retries = trying(3, 0, 0, "rejected")
	c, err := New(spec, 7, &instantsOf{}, NewTally([]time.Duration{0}, 0))
	require.NoError(t, err)
	plain, err := NewDemand(spec, 7)
	require.NoError(t, err)
	drawn := map[time.Duration]bool{}
	for index := range uint64(100) {
		assert.Equal(t, plain.At(index), c.clients.demands[0].At(index))
		for attempt := range c.clients.demands {
			drawn[c.clients.demands[attempt].At(index)] = true
		}
	}
	assert.Len(t, drawn, 300)
}

func TestPauses(t *testing.T) {
	for jitter, c := range map[string]struct{ low, mean [4]float64 }{
		"none":  {low: [4]float64{100, 200, 400, 500}, mean: [4]float64{100, 200, 400, 500}},
		"full":  {low: [4]float64{0, 0, 0, 0}, mean: [4]float64{50, 100, 200, 250}},
		"equal": {low: [4]float64{50, 100, 200, 250}, mean: [4]float64{75, 150, 300, 375}},
	} {
		r := Retries{Attempts: 5, Backoff: Backoff{Initial: 100 * time.Millisecond, Factor: 2, Max: 500 * time.Millisecond, Jitter: jitter}}
		p := newPauses(r, 1)
		for n := range 4 {
			limit, sum := float64(p.limits[n])/1e6, 0.0
			assert.Equal(t, [4]float64{100, 200, 400, 500}[n], limit)
			for index := range uint64(20_000) {
				pause := float64(p.of(index, int32(n+1))) / 1e6
				require.True(t, pause >= c.low[n] && pause <= limit, "%s: retry %d after %v ms", jitter, n+1, pause)
				sum += pause
			}
			// Five standard errors of a uniform law: 5 width / sqrt(12 n).
			assert.InDelta(t, c.mean[n], sum/20_000, 5*(limit-c.low[n])/489.9+1e-6, "%s: retry %d", jitter, n+1)
		}
	}
}

// TestBudget follows the test of gRPC's own throttle: 4 tokens, 1.6 a success.
func TestBudget(t *testing.T) {
	b := newBucket(Budget{MaxTokens: 4, TokenRatio: 1.6})
	assert.True(t, b.failure(), "3 tokens, above 2")
	b.success()
	assert.Equal(t, int64(4000), b.tokens, "never more than full")
	assert.True(t, b.failure(), "3")
	for _, left := range []int64{2000, 1000, 0, 0} {
		assert.False(t, b.failure())
		assert.Equal(t, left, b.tokens)
	}
	b.success()
	b.success()
	assert.True(t, b.failure(), "2.2")
	assert.Equal(t, int64(290), newBucket(Budget{MaxTokens: 1, TokenRatio: 0.29}).ratio)
	assert.Equal(t, int64(546), newBucket(Budget{MaxTokens: 1, TokenRatio: 0.5466}).ratio, "decimals beyond the third are ignored")
}

// TestBudgetStopsRetries has 20 requests fail at once: of 8 tokens four may be
// taken, and the fourth stops retries.
func TestBudgetStopsRetries(t *testing.T) {
	spec := oneSlot(0, second)
	spec.Replicas = 0
	spec.Retries = trying(2, 0, second, "failed")
	spec.Retries.Budget = &Budget{MaxTokens: 8, TokenRatio: 1}
	_, c := story(t, spec, make([]time.Duration, 20)...)
	assert.Equal(t, Counters{Arrived: 20, Failed: 20, Retried: 3}, c.Counters())
}

func TestUsers(t *testing.T) {
	spec := oneSlot(5, 2*second)
	spec.Users = []Users{{From: 10 * second, To: 30 * second, Count: 2, ThinkTime: random.Constant(5 * second)}}
	told, c := story(t, spec, second)
	assert.Equal(t, []string{
		"completed: arrival 1s, start 1s, end 3s, pod 0, 0 retries",
		"completed: arrival 15s, start 15s, end 17s, pod 0, 0 retries", // both think for 5 s
		"completed: arrival 15s, start 17s, end 19s, pod 0, 0 retries",
		"completed: arrival 22s, start 22s, end 24s, pod 0, 0 retries",
		"completed: arrival 24s, start 24s, end 26s, pod 0, 0 retries",
		"completed: arrival 29s, start 29s, end 31s, pod 0, 0 retries", // the next thought ends at 36 s, the other one's at 31 s
	}, told)
	assert.Equal(t, uint64(6), c.Counters().Completed)
}

func TestUsersWaitForTheirRetries(t *testing.T) {
	spec := oneSlot(0, 2*second)
	spec.Users = []Users{{To: 12 * second, Count: 1, ThinkTime: random.Constant(4 * second)}}
	spec.Retries = trying(3, second, second, "timeout")
	told, _ := story(t, spec)
	// Sent at 4, 6 and 9 s, each served 2 s; the user hears of the end at 10 s.
	assert.Equal(t, []string{"timed out: arrival 4s, start 9s, end 10s, pod 0, 2 retries"}, told)
}

func TestClientsThatCannotBe(t *testing.T) {
	for want, change := range map[string]func(*Spec){
		`onTimeout: found "drop", expected leave or cancel`:                                                                     func(s *Spec) { s.OnTimeout = "drop" },
		"retries.attempts: found 0, expected 1 to 100":                                                                          func(s *Spec) { s.Retries.Attempts = 0 },
		"retries.attempts: found 101, expected 1 to 100":                                                                        func(s *Spec) { s.Retries.Attempts = 101 },
		"retries.on: found an empty list, expected some of timeout, rejected and failed; attempts: 1 means no retries":          func(s *Spec) { s.Retries.On = nil },
		`retries.on: found "error", expected timeout, rejected and failed at most once each`:                                    func(s *Spec) { s.Retries.On = []string{"error"} },
		`retries.on: found "failed", expected timeout, rejected and failed at most once each`:                                   func(s *Spec) { s.Retries.On = []string{"failed", "failed"} },
		"retries.on: found timeout without perAttemptTimeout, expected both: requestTimeout leaves no time for another attempt": func(s *Spec) { s.Retries.On = []string{"timeout"} },
		"retries.perAttemptTimeout: found 30s, expected less than requestTimeout, which is 30s and spans all attempts":          func(s *Spec) { s.Retries.PerAttemptTimeout = 30 * second },
		"retries.perAttemptTimeout: found -1s, expected 0s to 720h0m0s":                                                         func(s *Spec) { s.Retries.PerAttemptTimeout = -second },
		"retries.backoff.initial: found -1s, expected 0s to 720h0m0s":                                                           func(s *Spec) { s.Retries.Backoff.Initial = -second },
		"retries.backoff.max: found 1s, expected at least initial, which is 2s":                                                 func(s *Spec) { s.Retries.Backoff.Initial = 2 * second },
		"retries.backoff.factor: found 0.5, expected 1 to 1000":                                                                 func(s *Spec) { s.Retries.Backoff.Factor = 0.5 },
		`retries.backoff.jitter: found "some", expected none, full or equal`:                                                    func(s *Spec) { s.Retries.Backoff.Jitter = "some" },
		"retries.budget.maxTokens: found 1001, expected 1 to 1000":                                                              func(s *Spec) { s.Retries.Budget = &Budget{MaxTokens: 1001, TokenRatio: 1} },
		"retries.budget.tokenRatio: found 0, expected 0.001 to 1000":                                                            func(s *Spec) { s.Retries.Budget = &Budget{MaxTokens: 1} },
		"users.count: found 0, expected 1 to 1000000":                                                                           func(s *Spec) { s.Users = []Users{{ThinkTime: random.Constant(1)}} },
		"users: found a phase from 2s to 1s, expected a stretch of time": func(s *Spec) {
			s.Users = []Users{{From: 2 * second, To: second, Count: 1, ThinkTime: random.Constant(1)}}
		},
		"users: found 1200000 users, expected at most 1000000": func(s *Spec) {
			u := Users{Count: 600_000, ThinkTime: random.Constant(1)}
			s.Users = []Users{u, u}
		},
	} {
		spec := Defaults()
		change(&spec)
		_, err := New(spec, 1, &instantsOf{}, NewTally([]time.Duration{0}, 0))
		assert.EqualError(t, err, "workload: "+want)
	}
	spec := Defaults()
	spec.Users = []Users{{Count: 1, ThinkTime: random.Spec{Dist: "normal"}}}
	assert.ErrorContains(t, spec.Validate(), "users.thinkTime.dist: found ")
}

// storm is 50 pods at 90 % of their capacity whose clients wait for less than
// most services take: almost every request is tried three times.
func storm() Spec {
	spec := Defaults()
	spec.Replicas = 50
	spec.PerPod.Concurrency = 8
	spec.Routing.Policy = "p2c"
	spec.RequestTimeout = 2 * second
	spec.Retries = &Retries{
		Attempts: 3, On: []string{"timeout", "rejected", "failed"}, PerAttemptTimeout: 100 * time.Millisecond,
		Backoff: Backoff{Initial: 20 * time.Millisecond, Factor: 2, Max: second, Jitter: "full"},
		Budget:  &Budget{MaxTokens: 1000, TokenRatio: 1},
	}
	return spec
}

func TestClientsDoNotAllocate(t *testing.T) {
	for _, onTimeout := range []string{"leave", "cancel"} {
		spec := storm()
		spec.OnTimeout = onTimeout
		spec.Users = []Users{{To: time.Hour, Count: 200, ThinkTime: random.Constant(second)}}
		seed := random.Seed(1)
		c, err := New(spec, seed, &poisson{stream: seed.Key("test", 0).Stream(), rate: 2000}, NewTally([]time.Duration{0}, 0))
		require.NoError(t, err)
		at := 60 * second
		c.Advance(at)
		before := c.Counters()
		assert.Zero(t, testing.AllocsPerRun(10, func() {
			at += second
			c.Advance(at)
		}), onTimeout)
		after := c.Counters()
		assert.Greater(t, after.Retried-before.Retried, uint64(5000), fmt.Sprintf("%s: %+v", onTimeout, after))
	}
}

// BenchmarkRetries counts attempts.
func BenchmarkRetries(b *testing.B) {
	for _, onTimeout := range []string{"leave", "cancel"} {
		b.Run(onTimeout, func(b *testing.B) {
			spec := storm()
			spec.OnTimeout = onTimeout
			seed := random.Seed(1)
			c, err := New(spec, seed, &poisson{stream: seed.Key("test", 0).Stream(), rate: 2000}, NewTally([]time.Duration{0}, 0))
			require.NoError(b, err)
			c.Advance(40 * time.Second)
			attempts := func() uint64 { n := c.tally.Total(); return n.Arrived + n.Retried }
			at, n := c.Now(), attempts()
			b.ReportAllocs()
			b.ResetTimer()
			for attempts()-n < uint64(b.N) {
				at += 10 * time.Millisecond
				c.Advance(at)
			}
		})
	}
}
