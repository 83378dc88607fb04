package resolver

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/scalelab/scalelab/messages"
)

func TestTheQueueIsFull(t *testing.T) {
	bubble(t, nil, func(t *testing.T, g *rig) {
		var inside []<-chan result
		for range 4 {
			inside = append(inside, g.get(t.Context(), webHost, "/"))
		}
		synctest.Wait()
		c := g.resolver.Stats().Total
		assert.Equal(t, [3]int{2, 2, 0}, [3]int{c.Held, c.Waiting, c.Proxied})
		refusedWith(t, <-g.get(t.Context(), webHost, "/"), 500, "too many requests are waiting")
		g.pod(hello)
		for _, got := range inside {
			r := <-got
			assert.Equal(t, 200, r.status)
			assert.Equal(t, 3*time.Second, r.after)
		}
		assert.EqualValues(t, 1, g.empty().Refused)
	})
}

func TestTimeouts(t *testing.T) {
	change := func(o *Options) { o.Settings.Timeout, o.Settings.Slots = 9*time.Second, 1 }
	t.Run("while held and in the queue, before a look at the same instant", func(t *testing.T) {
		bubble(t, change, func(t *testing.T, g *rig) {
			first := g.get(t.Context(), webHost, "/1")
			synctest.Wait()
			second := g.get(t.Context(), webHost, "/2")
			for _, got := range []<-chan result{first, second} {
				r := <-got
				refusedWith(t, r, 408, "request timeout")
				assert.Equal(t, 9*time.Second, r.after)
			}
			c := g.empty()
			assert.EqualValues(t, 2, c.TimedOut)
			assert.EqualValues(t, 3, c.Looks, "at 0, 3 and 6 s, by the one with the slot")
		})
	})
	t.Run("while the pod computes", func(t *testing.T) {
		bubble(t, change, func(t *testing.T, g *rig) {
			g.pod(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
			r := <-g.get(t.Context(), webHost, "/")
			refusedWith(t, r, 408, "request timeout")
			assert.Equal(t, 9*time.Second, r.after)
			g.empty()
		})
	})
	t.Run("while somebody else looks", func(t *testing.T) {
		bubble(t, func(o *Options) {
			change(o)
			o.Ready = func(ctx context.Context, _ messages.Host) (bool, error) { <-ctx.Done(); return true, nil }
		}, func(t *testing.T, g *rig) {
			refusedWith(t, <-g.get(t.Context(), webHost, "/"), 408, "request timeout")
			g.empty()
		})
	})
	t.Run("not once the answer has begun", func(t *testing.T) {
		bubble(t, change, func(t *testing.T, g *rig) {
			g.pod(func(w http.ResponseWriter, r *http.Request) {
				hello(w, r)
				_ = http.NewResponseController(w).Flush()
				time.Sleep(time.Minute)
				hello(w, r)
			})
			r := <-g.get(t.Context(), webHost, "/")
			assert.Equal(t, result{200, "hellohello", r.header, nil, time.Minute}, r)
			g.empty()
		})
	})
	t.Run("none", func(t *testing.T) {
		bubble(t, func(o *Options) { o.Settings.Timeout = 0 }, func(t *testing.T, g *rig) {
			got := g.get(t.Context(), webHost, "/")
			time.Sleep(24 * time.Hour)
			g.pod(hello)
			assert.Equal(t, 200, (<-got).status)
			g.empty()
		})
	})
}

func TestAClientThatLeavesFreesItsSlotAtOnce(t *testing.T) {
	for _, ghosts := range []bool{false, true} {
		bubble(t, func(o *Options) {
			o.Settings.Slots, o.Settings.Faults.GhostsStay = 1, ghosts
		}, func(t *testing.T, g *rig) {
			ctx, leave := context.WithCancel(t.Context())
			holder := g.get(ctx, webHost, "/holder")
			synctest.Wait()
			queued := g.get(ctx, webHost, "/queued")
			synctest.Wait()
			last := g.get(t.Context(), webHost, "/last")
			time.Sleep(4 * time.Second)
			leave()
			assert.ErrorIs(t, (<-holder).err, context.Canceled)
			assert.ErrorIs(t, (<-queued).err, context.Canceled)
			synctest.Wait()
			c := g.resolver.Stats().Total
			if ghosts {
				assert.Equal(t, [2]int{1, 2}, [2]int{c.Held, c.Waiting})
			} else {
				assert.Equal(t, [2]int{1, 0}, [2]int{c.Held, c.Waiting})
			}
			forwarded := 0
			g.pod(func(w http.ResponseWriter, r *http.Request) { forwarded++; hello(w, r) })
			r := <-last
			assert.Equal(t, 200, r.status)
			if ghosts {
				assert.Equal(t, 6*time.Second, r.after, "when the first ghost looks again")
			} else {
				assert.Equal(t, 7*time.Second, r.after, "3 s after it got the slot")
			}
			assert.Equal(t, 1, forwarded, "nothing is sent for a ghost")
			assert.EqualValues(t, 2, g.empty().Left)
		})
	}
}

func TestAGhostIsCalledBackOnceItsRequestIsSent(t *testing.T) {
	bubble(t, func(o *Options) { o.Settings.Faults.GhostsStay = true }, func(t *testing.T, g *rig) {
		g.pod(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		ctx, leave := context.WithCancel(t.Context())
		g.get(ctx, webHost, "/")
		synctest.Wait()
		assert.Equal(t, 1, g.resolver.Stats().Total.Proxied)
		leave()
		assert.EqualValues(t, 1, g.empty().Left)
	})
}
