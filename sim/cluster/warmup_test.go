package cluster

import (
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/scalelab/scalelab/sim/random"
)

func TestStretchedServiceFallsLinearly(t *testing.T) {
	w := newWarmUp(&WarmUp{For: 30 * time.Second, Slowdown: 3})
	for age, want := range map[time.Duration]time.Duration{
		0:                3 * time.Second,
		15 * time.Second: 2 * time.Second,
		29 * time.Second: time.Second + 66_666_666, // 1/15 more, rounded down
		30 * time.Second: time.Second,
		time.Hour:        time.Second,
	} {
		assert.Equal(t, want, w.stretched(time.Second, age), "at the age of %s", age)
	}
	assert.Equal(t, time.Second, newWarmUp(nil).stretched(time.Second, 0))
	assert.Equal(t, time.Second, newWarmUp(&WarmUp{For: 0, Slowdown: 9}).stretched(time.Second, 0))
	assert.Equal(t, time.Second, newWarmUp(&WarmUp{For: time.Hour, Slowdown: 1}).stretched(time.Second, 0))
	slowest := newWarmUp(&WarmUp{For: 24 * time.Hour, Slowdown: 100})
	assert.Equal(t, random.MaxDraw, slowest.stretched(random.MaxDraw, 0), "as long as a draw can be")
	assert.Equal(t, random.MaxDraw, slowest.stretched(random.MaxDraw-5, 24*time.Hour-1))
	assert.Equal(t, 1000*time.Hour, slowest.stretched(10*time.Hour, 0))
}

// TestStretchedServiceIsExact compares with fractions of any size.
func TestStretchedServiceIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		length := rapid.Int64Range(1, int64(24*time.Hour)).Draw(t, "for")
		milli := rapid.Int64Range(1000, 100_000).Draw(t, "slowdown")
		service := rapid.Int64Range(0, int64(10*8760*time.Hour)).Draw(t, "service")
		age := rapid.Int64Range(0, length).Draw(t, "age")
		factor := new(big.Rat).Mul(big.NewRat(milli-1000, 1000), big.NewRat(length-age, length))
		factor.Add(factor, big.NewRat(1, 1))
		want, exact := random.MaxDraw, factor.Mul(factor, big.NewRat(service, 1))
		if exact.Cmp(ns(want)) < 0 {
			want = floor(exact)
		}
		w := newWarmUp(&WarmUp{For: time.Duration(length), Slowdown: float64(milli) / 1000})
		require.Equal(t, want, w.stretched(time.Duration(service), time.Duration(age)))
	})
}

// TestNewPodsAreSlowAtFirst: a pod that is Ready at 7 s and reachable half a
// second later warms up for 10 s.
func TestNewPodsAreSlowAtFirst(t *testing.T) {
	spec := small()
	spec.Replicas = 0
	spec.Lifecycle.WarmUp = &WarmUp{For: 10 * time.Second, Slowdown: 5}
	l := instantsOf{8 * time.Second, 9 * time.Second, 20 * time.Second}
	c := newCluster(t, spec, &l)
	c.Scale(1)
	// At the age of 1 s a second takes 1 + 4 * 9/10; the next begins at 12.6 s at
	// the age of 5.6 s and takes 1 + 4 * 4.4/10.
	c.Advance(12600 * time.Millisecond)
	assert.Equal(t, Counters{Arrived: 2, Completed: 1, InFlight: 1}, c.Counters())
	c.Advance(15359 * time.Millisecond)
	assert.Equal(t, uint64(1), c.Counters().Completed)
	c.Advance(15360 * time.Millisecond)
	assert.Equal(t, uint64(2), c.Counters().Completed)
	assert.Equal(t, 7360*time.Millisecond, c.Pods(nil)[0].CPU, "busy slots use CPU")
	c.Advance(21 * time.Second)
	assert.Equal(t, uint64(3), c.Counters().Completed, "warm")

	own := 30 * time.Millisecond
	spec.PerPod.CPUPerRequest = &own
	l = instantsOf{8 * time.Second, 9 * time.Second}
	c = newCluster(t, spec, &l)
	c.Scale(1)
	c.Advance(time.Minute)
	assert.Equal(t, 60*time.Millisecond, c.Pods(nil)[0].CPU, "what is given stays as given")

	shared := shared(1)
	shared.Replicas, shared.Lifecycle.WarmUp = 0, spec.Lifecycle.WarmUp
	l = instantsOf{8 * time.Second}
	c = newCluster(t, shared, &l)
	c.Scale(1)
	c.Advance(12600*time.Millisecond - 1)
	assert.Equal(t, uint64(0), c.Counters().Completed)
	c.Advance(12600 * time.Millisecond)
	assert.Equal(t, 4600*time.Millisecond, c.Pods(nil)[0].CPU, "it really works longer")

	spec = small()
	spec.Lifecycle.WarmUp = &WarmUp{For: time.Hour, Slowdown: 5}
	c = newCluster(t, spec, arrivals(1, 0))
	c.Advance(time.Second)
	assert.Equal(t, uint64(1), c.Counters().Completed, "pods of time 0 are warm")
}

// TestScaleUpMakesItSlowerForAWhile: more pods than before, and yet a request
// takes longer until they are warm.
func TestScaleUpMakesItSlowerForAWhile(t *testing.T) {
	latency := func(warm *WarmUp) (means []float64) {
		spec := Defaults()
		spec.Replicas = 4
		spec.Lifecycle.WarmUp = warm
		seed := random.Seed(1)
		tally := NewTally([]time.Duration{0, 60 * time.Second, 70 * time.Second, 100 * time.Second}, 0)
		c, err := New(spec, seed, &poisson{stream: seed.Key("test", 0).Stream(), rate: 320}, tally)
		require.NoError(t, err)
		c.Advance(53500 * time.Millisecond)
		c.Scale(8) // reachable at 60 s
		c.Advance(200 * time.Second)
		for _, p := range tally.Phases() {
			means = append(means, p.Latency.MeanSeconds())
		}
		return means
	}
	warm := latency(nil)
	assert.Less(t, warm[1], warm[0], "more pods, less waiting")
	cold := latency(&WarmUp{For: 30 * time.Second, Slowdown: 4})
	assert.Equal(t, warm[0], cold[0], "before the scale-up nothing is different")
	assert.Greater(t, cold[1], 1.5*warm[0])
	assert.Less(t, cold[2], cold[1])
	assert.InDelta(t, warm[3], cold[3], 1e-3, "warm in the end")
}
