package activator

import (
	"maps"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/sim/random"
)

// holding answers probes as a queue-proxy does whose container has Knative's own
// readiness probe, without a period: it holds them until the container takes
// requests, or until the activator gives up.
type holding struct {
	conductor
	timeouts map[time.Duration]int // of probes that got no answer
}

func (h *holding) RoundTrip(r *http.Request) (*http.Response, error) {
	began := time.Now()
	select {
	case <-time.After(h.lives[podOf(r.URL.Host)].listens - began.Sub(h.begun)):
		return h.conductor.RoundTrip(r)
	case <-r.Context().Done():
		h.mu.Lock()
		defer h.mu.Unlock()
		h.timeouts[time.Since(began)]++
		return nil, r.Context().Err()
	}
}

// TestHeldProbes says how late an activator finds pods whose queue-proxies hold
// its probes: ours finds them within 200 ms. A lone one is found at once; of
// several, each waits for the others' probes, 300 ms at most.
func TestHeldProbes(t *testing.T) {
	d := dice{random.Seed(7).Key("held", 0).Stream()}
	for range 40 {
		pods := d.between(1, 6)
		var late []time.Duration
		h := &holding{timeouts: map[time.Duration]int{}}
		for range pods {
			h.lives = append(h.lives, life{started: 0, listens: 700*time.Millisecond + d.within(2*time.Second), ready: time.Hour, deleted: time.Hour})
		}
		synctest.Test(t, func(t *testing.T) {
			h.stopped = make(chan struct{})
			p, err := startProxy(0, 1, 1, h)
			require.NoError(t, err)
			defer p.close()
			synctest.Wait()
			require.NoError(t, p.hold(h.pass))
			h.begun = time.Now()
			require.NoError(t, p.know(subsets(h.lives, 0)))
			listens := slices.SortedFunc(slices.Values(h.lives), func(a, b life) int { return int(a.listens - b.listens) })
			for len(late) < pods {
				time.Sleep(time.Millisecond)
				synctest.Wait()
				for len(late) < p.breaker.Capacity() {
					late = append(late, time.Since(h.begun)-listens[len(late)].listens)
				}
			}
		})
		for n, l := range late {
			assert.LessOrEqual(t, l, 301*time.Millisecond, "pod %d of %d", n, pods)
		}
		assert.LessOrEqual(t, late[pods-1], time.Millisecond, "the last one is found at once")
		assert.Subset(t, []time.Duration{300 * time.Millisecond}, slices.Collect(maps.Keys(h.timeouts)))
	}
}
