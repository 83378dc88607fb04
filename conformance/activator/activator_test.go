package activator

import (
	"flag"
	"hash/fnv"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	seedFlag     = flag.Uint64("seed", 0, "the first world's seed; 0: the day's date")
	requestsFlag = flag.Int("requests", 60_000, "stop after so many requests")
)

// TestConformanceActivator plays random worlds to the real proxies and ours.
func TestConformanceActivator(t *testing.T) {
	seed, begun := *seedFlag, time.Now()
	if seed == 0 {
		y, m, d := begun.Date()
		seed = uint64(y*10_000+int(m)*100+d) * 1_000_000
	}
	t.Logf("worlds from seed %d on", seed)
	counts := counts{}
	requests, worlds, wrong := 0, 0, 0
	for ; requests < *requestsFlag && wrong < 3; seed++ {
		n, err := play(t, newWorld(seed), counts)
		if err != nil {
			wrong++
			t.Error(err)
		}
		worlds++
		requests += n
	}
	t.Log(counts)
	t.Logf("%d worlds, %d requests compared, %d mismatches, %.1f s", worlds, requests, wrong, time.Since(begun).Seconds())
	if *requestsFlag >= 200_000 && wrong == 0 {
		assert.Empty(t, counts.unmet(), "none of what a world can have is left out")
	}
}

// play plays a world in a bubble of its own.
func play(t *testing.T, w *world, counts counts) (requests int, err error) {
	synctest.Test(t, func(*testing.T) { requests, err = w.run(counts) })
	return requests, err
}

// TestConformanceActivatorRefusesNobody has more requests wait than the 10,000 of
// upstream's constant: its breaker takes that many beyond a capacity of 2^31-1, not
// beyond the capacity of the moment.
func TestConformanceActivatorRefusesNobody(t *testing.T) {
	w := newWorld(1)
	w.limit, w.direct, w.alike, w.scales, w.arrivals, w.end = 1, false, true, nil, nil, 2*time.Second
	w.drawSpec()
	w.spec.Replicas, w.spec.Activators.Count, w.spec.RequestTimeout = 1, 1, 0
	for n := range 11_000 {
		w.arrivals = append(w.arrivals, time.Millisecond+time.Duration(n))
	}
	counts := counts{}
	requests, err := play(t, w, counts)
	require.NoError(t, err)
	assert.Equal(t, 11_000, requests)
	assert.Equal(t, 1, counts["activator:admits_at_once"])
	assert.Zero(t, counts["pod:refuses"]+counts["activator:gives_up_waiting"])
}

// TestUpstreamIsDeterministic: on one processor and on two the real proxies do the
// same, so that a difference is one between the two sides.
func TestUpstreamIsDeterministic(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for seed := uint64(1); seed <= 20; seed++ {
		var heard [2]uint64
		for n := range heard {
			runtime.GOMAXPROCS(n + 1)
			w := newWorld(seed)
			if w.limit == 0 {
				continue // upstream draws the pods from a stream that nobody can seed
			}
			trace := fnv.New64a()
			w.trace = trace
			_, err := play(t, w, counts{})
			require.NoError(t, err)
			heard[n] = trace.Sum64()
		}
		assert.Equal(t, heard[0], heard[1], "seed %d", seed)
	}
}
