package cluster

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/sim/random"
)

// closedLoop is a population of users.
type closedLoop struct {
	n     int
	think random.Spec
}

func (l closedLoop) until(end time.Duration) Users {
	return Users{To: end, Count: l.n, ThinkTime: l.think}
}

// machineRepairman is M/M/1//N with mean service 1 s and mean think time z: its
// throughput and its mean response time. With p(k) proportional to
// N! / (N-k)! z^-k for k requests in flight, X = 1 - p(0) and R = N/X - z.
// (Kleinrock, Queueing Systems, vol. 1, 3.8; Denning and Buzen 1978 for R.) It
// holds for every law of think times with mean z.
func machineRepairman(n int, z float64) (throughput, response float64) {
	sum, term := 0.0, 1.0
	for k := 0; k <= n; k++ {
		sum += term
		term *= float64(n-k) / z
	}
	throughput = 1 - 1/sum
	return throughput, float64(n)/throughput - z
}

func TestMachineRepairman(t *testing.T) {
	// One user never waits: a cycle of 8 s + 1 s.
	x, r := machineRepairman(1, 8)
	assert.InDelta(t, 1.0/9, x, 1e-12)
	assert.InDelta(t, 1, r, 1e-9)
	// Two users, z = 1: p = 1/5, 2/5, 2/5.
	x, r = machineRepairman(2, 1)
	assert.InDelta(t, 0.8, x, 1e-12)
	assert.InDelta(t, 1.5, r, 1e-12)
	// Far beyond saturation the server is never idle.
	x, r = machineRepairman(100, 10)
	assert.InDelta(t, 1, x, 1e-12)
	assert.InDelta(t, 90, r, 1e-9)
}

func repairman(n int, z float64, law random.Spec, name string) system {
	think := service("exponential", z, 1)
	if law.Dist == "constant" {
		think = service("constant", z, 0)
	}
	x, r := machineRepairman(n, z)
	return system{
		entry: "users", name: fmt.Sprintf("M/M/1//%d, Z = %g s, %s", n, z, name), rate: x, warmUp: 2000 * time.Second,
		spec: onePod(1, unbounded, service("exponential", 1, 1)), closed: &closedLoop{n: n, think: think},
		quantities: []quantity{
			{name: "X [1/s]", expected: x, of: func(o outcome) float64 { return float64(o.Completed) / o.seconds }},
			{name: "R [s]", expected: r, of: func(o outcome) float64 { return o.Latency.MeanSeconds() }},
			{name: "X (R + Z)", expected: float64(n), of: func(o outcome) float64 {
				return float64(o.Completed) / o.seconds * (o.Latency.MeanSeconds() + z)
			}},
		},
	}
}

// TestUsersAreAlwaysSomewhere holds N = X (R + Z) on sample paths, to the
// nanosecond: of every user, the thoughts and the responses follow one another
// without a gap, so that over the time T that N users take for C requests
// N T = C (R + Z), with the means R and Z of that run.
func TestUsersAreAlwaysSomewhere(t *testing.T) {
	const n, length = 30, 20 * time.Minute
	mean := 3 * time.Second
	think := random.Spec{Dist: "exponential", Mean: &mean}
	dist, err := random.New(think)
	require.NoError(t, err)
	for seed := range random.Seed(20) {
		spec := onePod(4, 5, service("exponential", 1, 1)) // some time out or are rejected, and are tried again
		spec.RequestTimeout = 4 * time.Second
		spec.Retries = trying(3, 2*time.Second, time.Second, "timeout", "rejected")
		spec.Users = []Users{{To: length, Count: n, ThinkTime: think}}
		tally := NewTally([]time.Duration{0}, 0)
		c, err := New(spec, seed, &instantsOf{}, tally)
		require.NoError(t, err)
		var responses, last [n]time.Duration
		tally.observe = func(q *request, now time.Duration, _ fate) {
			user := c.clients.calls[q.call].user
			responses[user] += now - q.arrival
			last[user] = now
		}
		c.Advance(time.Hour)
		balanced(t, c.Counters())
		require.Zero(t, c.Counters().InFlight)
		require.Greater(t, c.Counters().Arrived, uint64(3000))
		require.Greater(t, c.Counters().Retried, uint64(100))
		thoughts := uint64(0)
		for id, user := range c.clients.users.all {
			thoughts += uint64(user.turn)
			spent := responses[id]
			for turn := range user.turn - 1 { // the last one lasts beyond the phase
				stream := c.clients.users.groups[0].key.At(uint64(id)<<32 | uint64(turn))
				spent += dist.Draw(&stream)
			}
			assert.Equal(t, last[id], spent, "seed %d, user %d", seed, id)
		}
		assert.Equal(t, c.Counters().Arrived+n, thoughts, "a thought before every request, and one after the last")
	}
}
