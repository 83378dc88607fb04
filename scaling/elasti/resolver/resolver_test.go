package resolver

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/scalelab/scalelab/messages"
)

func TestServicesShareTheSlots(t *testing.T) {
	bubble(t, func(o *Options) { o.Settings.Slots, o.Settings.Timeout = 1, 30*time.Second }, func(t *testing.T, g *rig) {
		g.get(t.Context(), "asleep.shop", "/")
		synctest.Wait()
		g.serve("elasti-web-pvt-4edf6ad8f8.shop.svc.cluster.local:80", http.HandlerFunc(hello))
		r := <-g.get(t.Context(), webHost, "/")
		refusedWith(t, r, 408, "request timeout")
		assert.Equal(t, 30*time.Second, r.after)
		s := g.resolver.Stats()
		assert.EqualValues(t, 1, s.Services[ServiceName{"shop", "asleep"}].Requests)
		assert.EqualValues(t, 1, s.Services[web].Requests)
		assert.EqualValues(t, 2, g.empty().Requests)
	})
}

func TestIdleServicesAreForgotten(t *testing.T) {
	bubble(t, nil, func(t *testing.T, g *rig) {
		g.pod(hello)
		<-g.get(t.Context(), webHost, "/")
		synctest.Wait()
		assert.Contains(t, g.resolver.Stats().Services, web)
		time.Sleep(10*time.Second - 1)
		assert.Equal(t, 400, (<-g.get(t.Context(), "nonsense", "/")).status)
		assert.Contains(t, g.resolver.Stats().Services, web)
		time.Sleep(time.Nanosecond)
		<-g.get(t.Context(), "web.bank", "/")
		assert.NotContains(t, g.resolver.Stats().Services, web)
		assert.EqualValues(t, 3, g.empty().Requests, "the total forgets nothing")
	})
	s := newServices(settings())
	for i := range idleServicesMax + 10 {
		s.release(s.take(ServiceName{"ns", strings.Repeat("x", i)}, 0), 0)
	}
	assert.Len(t, s.all, idleServicesMax)
	assert.NotContains(t, s.all, ServiceName{"ns", "xxxxxxxxx"}, "the longest idle go first")
	assert.Contains(t, s.all, ServiceName{"ns", "xxxxxxxxxx"})
}

func TestBadTargets(t *testing.T) {
	bubble(t, nil, func(t *testing.T, g *rig) {
		r := <-g.get(t.Context(), "localhost", "/")
		assert.Equal(t, 400, r.status)
		assert.Contains(t, r.body, "localhost")
		assert.EqualValues(t, 1, g.empty().BadTarget)
	})
	for _, target := range []string{"", "://", "no-host"} {
		bubble(t, func(o *Options) {
			o.Target = func(*http.Request) (messages.Host, error) {
				return messages.Host{Namespace: "shop", SourceService: "web", TargetHost: target}, nil
			}
		}, func(t *testing.T, g *rig) {
			refusedWith(t, <-g.get(t.Context(), webHost, "/"), 500, "no address of the private service")
			assert.Empty(t, g.resolver.Stats().Services)
			g.empty()
		})
	}
}

func TestPanicsAreContained(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"in the target": func(o *Options) { o.Target = func(*http.Request) (messages.Host, error) { panic("lost") } },
		"in the look":   func(o *Options) { o.Ready = func(context.Context, messages.Host) (bool, error) { panic("lost") } },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, change, func(t *testing.T, g *rig) {
				refusedWith(t, <-g.get(t.Context(), webHost, "/"), 500, "internal error")
				assert.EqualValues(t, 1, g.empty().Panicked)
				assert.Contains(t, g.log.String(), "cause=lost")
			})
		})
	}
	bubble(t, nil, func(t *testing.T, g *rig) {
		g.pod(hello)
		req := httptest.NewRequest(http.MethodGet, "http://"+webHost, nil)
		assert.PanicsWithValue(t, http.ErrAbortHandler, func() { g.resolver.ServeHTTP(&brittle{}, req) },
			"an answer that has begun can only be broken off")
		assert.EqualValues(t, 1, g.empty().Broken)
	})
}

// brittle is a client's connection that panics when the answer comes.
type brittle struct{ http.ResponseWriter }

func (*brittle) Header() http.Header { return http.Header{} }
func (*brittle) WriteHeader(int)     { panic("brittle") }

func TestShutdown(t *testing.T) {
	t.Run("finishes what is held", func(t *testing.T) {
		bubble(t, nil, func(t *testing.T, g *rig) {
			got := g.get(t.Context(), webHost, "/")
			synctest.Wait()
			done := make(chan error)
			go func() { done <- g.resolver.Shutdown(t.Context()) }()
			synctest.Wait()
			r := <-g.get(t.Context(), webHost, "/")
			refusedWith(t, r, 503, "shutting down")
			assert.Equal(t, "3", r.header.Get("Retry-After"))
			g.pod(hello)
			assert.Equal(t, 200, (<-got).status)
			assert.NoError(t, <-done)
			assert.NoError(t, g.resolver.Shutdown(t.Context()), "twice is no harm")
			g.empty()
		})
	})
	t.Run("lets go of what has no answer when it takes too long", func(t *testing.T) {
		bubble(t, nil, func(t *testing.T, g *rig) {
			g.pod(func(w http.ResponseWriter, r *http.Request) {
				hello(w, r)
				_ = http.NewResponseController(w).Flush()
				time.Sleep(20 * time.Second)
				hello(w, r)
			})
			streamed := g.get(t.Context(), webHost, "/")
			synctest.Wait()
			held := g.get(t.Context(), "api.shop", "/")
			synctest.Wait()
			g.operator.setReady(false)
			ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Second, errors.New("patience"))
			defer cancel()
			assert.EqualError(t, g.resolver.Shutdown(ctx), "shut down with requests inside\npatience")
			r := <-held
			refusedWith(t, r, 503, "shutting down")
			assert.Equal(t, 10*time.Second, r.after)
			assert.Equal(t, "hellohello", (<-streamed).body)
			g.empty()
		})
	})
}

func TestBadOptionsAreRefused(t *testing.T) {
	_, err := New(Options{})
	for _, part := range []string{"settings.retry: found 0s", "clock: found none", "target: found none", "ready: found none", "notify: found none"} {
		assert.ErrorContains(t, err, part)
	}
	bubble(t, func(o *Options) { o.Logger, o.Transport = nil, nil }, func(t *testing.T, g *rig) {
		assert.Equal(t, 400, (<-g.get(t.Context(), "localhost", "/")).status)
	})
}
