package resolver

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/scalelab/scalelab/scaling/elasti/hold"
)

// Slots are granted in the order of arrival, whoever leaves when, and none is
// lost: the gate against a list that is searched from the front.
func TestSlotsAreGrantedInTheOrderOfArrival(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := hold.Settings{Slots: rapid.IntRange(1, 4).Draw(t, "slots"), Capacity: rapid.IntRange(1, 8).Draw(t, "capacity")}
		g := gate{settings: s}
		var inside []*pass // by arrival; the first Slots of them have one
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if n := len(inside); n > 0 && rapid.Bool().Draw(t, "leave") {
				i := rapid.IntRange(0, n-1).Draw(t, "who")
				g.leave(inside[i])
				inside = slices.Delete(inside, i, i+1)
			} else if p := g.enter(); p != nil {
				inside = append(inside, p)
			} else if n < s.Capacity {
				t.Fatalf("refused with %d inside, capacity %d", n, s.Capacity)
			}
			for i, p := range inside {
				if has, want := p.place == nil, i < min(s.Slots, s.Capacity); has != want || has != isClosed(p.granted) {
					t.Fatalf("the %d. of %d inside has a slot: %t, expected %t", i+1, len(inside), has, want)
				}
			}
			if want := min(len(inside), s.Slots); g.taken != want {
				t.Fatalf("%d slots taken, expected %d", g.taken, want)
			}
		}
	})
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestRequestsAreForwardedInTheOrderOfArrival(t *testing.T) {
	bubble(t, func(o *Options) { o.Settings.Slots, o.Settings.Capacity = 1, 100 }, func(t *testing.T, g *rig) {
		var order, want []string
		var answers []<-chan result
		for i := range 30 {
			path := fmt.Sprintf("/%d", i)
			want = append(want, path)
			answers = append(answers, g.get(t.Context(), webHost, path))
			time.Sleep(time.Millisecond)
		}
		g.pod(func(_ http.ResponseWriter, r *http.Request) {
			order = append(order, r.URL.Path)
			time.Sleep(time.Second)
		})
		for i, got := range answers {
			assert.Equal(t, 3*time.Second+time.Duration(i+1)*time.Second, (<-got).after)
		}
		synctest.Wait()
		assert.Equal(t, want, order)
		g.empty()
	})
}
