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

func TestARequestIsHeldUntilTheNextLookAfterThePodIsReady(t *testing.T) {
	bubble(t, nil, func(t *testing.T, g *rig) {
		got := g.get(t.Context(), webHost, "/a?b=c;d&e")
		synctest.Wait()
		c := g.resolver.Stats().Services[web]
		assert.Equal(t, Counts{Held: 1, Requests: 1, Looks: 1, Sleeps: 1, Notified: 1}, c)
		assert.Equal(t, []messages.RequestCount{{Count: 1, Svc: "web", Namespace: "shop"}}, g.operator.told)

		time.Sleep(4 * time.Second)
		g.pod(func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, webHost, r.Host)
			assert.Equal(t, "/a?b=c;d&e", r.RequestURI)
			assert.Equal(t, webHost, r.Header.Get("X-Forwarded-Host"))
			assert.Equal(t, "http", r.Header.Get("X-Forwarded-Proto"))
			hello(w, r)
		})
		r := <-got
		assert.Equal(t, result{200, "hello", r.header, nil, 6 * time.Second}, r, "looks at 0, 3 and 6 s")
		assert.Equal(t, "", r.header.Get("X-Forwarded-Host"))
		c = g.empty()
		assert.Equal(t, Counts{
			Requests: 1, Answered: 1, Looks: 3, Sleeps: 2, Notified: 1, Delayed: 1,
			HoldTotal: 6 * time.Second, HoldMax: 6 * time.Second,
		}, c)
	})
}

func TestAReadyPodAnswersAtOnceAndTheOperatorHearsOfIt(t *testing.T) {
	bubble(t, nil, func(t *testing.T, g *rig) {
		g.pod(hello)
		r := <-g.get(t.Context(), webHost, "/")
		assert.Equal(t, 200, r.status)
		assert.Zero(t, r.after)
		synctest.Wait()
		assert.Len(t, g.operator.told, 1)
		assert.Zero(t, g.empty().Delayed)
	})
}

func TestOperatorIsToldAgainWhileRequestsAreHeld(t *testing.T) {
	bubble(t, nil, func(t *testing.T, g *rig) {
		first, second := g.get(t.Context(), webHost, "/1"), g.get(t.Context(), webHost, "/2")
		third := g.get(t.Context(), webHost, "/3")
		time.Sleep(22 * time.Second)
		g.pod(hello)
		for _, got := range []<-chan result{first, second, third} {
			assert.Equal(t, 200, (<-got).status)
		}
		// The first look at or after 10 s since the last message: 12 s, 24 s.
		assert.Equal(t, []time.Duration{0, 12 * time.Second}, g.operator.toldAt)
		assert.Equal(t, 3, g.operator.told[1].Count)
	})
}

func TestFailedMessagesDoNotSuppress(t *testing.T) {
	for _, counts := range []bool{false, true} {
		bubble(t, func(o *Options) { o.Settings.Faults.FailedNotifyCounts = counts }, func(t *testing.T, g *rig) {
			g.operator.notErr = errDown
			got := g.get(t.Context(), webHost, "/")
			time.Sleep(7 * time.Second)
			g.pod(hello)
			<-got
			if counts {
				assert.Equal(t, []time.Duration{0}, g.operator.toldAt)
				return
			}
			assert.Equal(t, []time.Duration{0, 3 * time.Second, 6 * time.Second}, g.operator.toldAt)
			assert.EqualValues(t, 3, g.empty().Unnotified)
			assert.Contains(t, g.log.String(), "the API server is away")
		})
	}
}

func TestASlowOrPanickingOperatorBlocksNobody(t *testing.T) {
	bubble(t, func(o *Options) {
		o.Settings.NotifyEvery = 0
		o.Notify = func(ctx context.Context, _ messages.RequestCount) error {
			select {
			case <-ctx.Done():
			case <-time.After(time.Hour):
			}
			panic("cannot speak")
		}
	}, func(t *testing.T, g *rig) {
		g.pod(hello)
		assert.Zero(t, (<-g.get(t.Context(), webHost, "/")).after)
		assert.Zero(t, (<-g.get(t.Context(), webHost, "/")).after, "one message at a time")
		assert.NoError(t, g.resolver.Shutdown(t.Context()), "a message under way is waited for")
		assert.Equal(t, time.Hour, time.Since(g.start))
		assert.EqualValues(t, 1, g.empty().Unnotified)
		assert.Contains(t, g.log.String(), "cannot speak")
	})
}

func TestMessagesAreSuppressedByNameOnlyWithTheFault(t *testing.T) {
	for _, fault := range []bool{false, true} {
		bubble(t, func(o *Options) { o.Settings.Faults.NotifyByName = fault }, func(t *testing.T, g *rig) {
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			g.get(ctx, "web.shop", "/")
			synctest.Wait()
			g.get(ctx, "web.bank", "/")
			g.get(ctx, "api.bank", "/")
			synctest.Wait()
			want := 3
			if fault {
				want = 2
			}
			assert.Len(t, g.operator.told, want)
			time.Sleep(10 * time.Second)
			g.get(ctx, "web.bank", "/")
			synctest.Wait()
			assert.GreaterOrEqual(t, len(g.operator.told), want+1)
			leave()
			g.empty()
		})
	}
}
