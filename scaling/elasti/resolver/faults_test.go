package resolver

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/scaling/elasti/hold"
)

func TestErrorsOfTheLookAreNoPod(t *testing.T) {
	bubble(t, nil, func(t *testing.T, g *rig) {
		g.pod(hello)
		g.operator.readyErr = errDown
		got := g.get(t.Context(), webHost, "/")
		time.Sleep(time.Second)
		g.operator.mu.Lock()
		g.operator.readyErr = nil
		g.operator.mu.Unlock()
		assert.Equal(t, 3*time.Second, (<-got).after)
		assert.Contains(t, g.log.String(), "the API server is away")
	})
}

func TestTrafficIsSwitchedOnlyWithTheFault(t *testing.T) {
	bubble(t, func(o *Options) {
		o.Settings.Faults = hold.Faults{Closed: 5 * time.Second, CloseAfter: 15 * time.Second}
	}, func(t *testing.T, g *rig) {
		g.pod(hello)
		for _, step := range []struct {
			wait   time.Duration
			status int
		}{{0, 200}, {15*time.Second - 1, 200}, {1, 408}, {5*time.Second - 1, 408}, {1, 200}} {
			time.Sleep(step.wait)
			r := <-g.get(t.Context(), webHost, "/")
			if step.status == 408 {
				refusedWith(t, r, 408, "traffic is switched")
			}
			assert.Equal(t, step.status, r.status)
		}
		assert.EqualValues(t, 2, g.empty().Closed)
	})
}

func TestReadyIsBelievedForAWhileOnlyWithTheFault(t *testing.T) {
	for _, fault := range []bool{false, true} {
		bubble(t, func(o *Options) {
			if fault {
				o.Settings.Faults = hold.Faults{ReadyCache: 5 * time.Second, Dials: 16}
			}
		}, func(t *testing.T, g *rig) {
			pod := g.pod(hello)
			<-g.get(t.Context(), webHost, "/")
			require.NoError(t, pod.Close())
			g.operator.setReady(false)
			got := g.get(t.Context(), webHost, "/")
			time.Sleep(25 * time.Second)
			g.pod(hello)
			r := <-got
			if !fault {
				assert.Equal(t, 200, r.status)
				return
			}
			assert.Equal(t, 502, r.status)
			assert.Contains(t, r.body, "connection refused")
			// 50 ms (1.4^15 - 1) / 0.4
			assert.InDelta(t, 19.32, r.after.Seconds(), 0.01)
			c := g.empty()
			assert.EqualValues(t, 1, c.Failed)
			assert.EqualValues(t, 2, c.Looks, "dials are repeated without a look")
		})
	}
}

func TestDialBackoffs(t *testing.T) {
	for name, test := range map[string]struct {
		final  bool
		status int
		after  time.Duration
	}{
		"refused is tried again": {false, 200, 50*time.Millisecond + 70*time.Millisecond},
		"refused is final":       {true, 502, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(o *Options) {
				o.Settings.Faults = hold.Faults{Dials: 16, RefusedIsFinal: test.final}
			}, func(t *testing.T, g *rig) {
				g.operator.setReady(true)
				got := g.get(t.Context(), webHost, "/")
				time.Sleep(100 * time.Millisecond)
				g.pod(hello)
				r := <-got
				assert.Equal(t, test.status, r.status)
				assert.Equal(t, test.after, r.after)
				g.empty()
			})
		})
	}
	bubble(t, func(o *Options) {
		o.Settings.Faults.Dials, o.Settings.Timeout = 16, time.Second
	}, func(t *testing.T, g *rig) {
		g.operator.setReady(true)
		r := <-g.get(t.Context(), webHost, "/")
		refusedWith(t, r, 408, "request timeout")
		assert.Equal(t, time.Second, r.after)
	})
}

func TestAnEndpointThatDoesNotServeYetIsLookedForAgain(t *testing.T) {
	bubble(t, nil, func(t *testing.T, g *rig) {
		g.operator.setReady(true)
		got := g.send(t.Context(), http.MethodPost, webHost, "/", strings.NewReader("the whole body"))
		synctest.Wait()
		c := g.resolver.Stats().Total
		assert.Equal(t, [2]int{1, 0}, [2]int{c.Held, c.Proxied})
		time.Sleep(time.Second)
		g.pod(echo)
		r := <-got
		assert.Equal(t, result{200, "the whole body", r.header, nil, 3 * time.Second}, r)
		assert.EqualValues(t, 1, g.empty().Redials)
	})
}
