package handler

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/clock"

	"github.com/scalelab/scalelab/k8shelper/fakecluster"
	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/elasti"
	"github.com/scalelab/scalelab/scaling/prometheus"
)

func TestDecideMode(t *testing.T) {
	for _, test := range []struct {
		what             string
		desired, created int32
		ready            int
		err              error
		want             Mode
	}{
		{"nothing wanted", 0, 3, 3, nil, ModeProxy},
		{"nothing there", 3, 0, 3, nil, ModeProxy},
		{"less than nothing", -1, -1, 3, nil, ModeProxy},
		{"no pod is ready", 3, 3, 0, nil, ModeProxy},
		{"one pod is ready", 3, 3, 1, nil, ModeServe},
		{"pods cannot be counted", 3, 3, 0, errTest, ""},
	} {
		t.Run(test.what, func(t *testing.T) {
			mode, err := decideMode(test.desired, test.created, func() (int, error) { return test.ready, test.err })
			assert.Equal(t, test.want, mode)
			assert.ErrorIs(t, err, test.err)
		})
	}
}

func TestCallsAreTriedAgain(t *testing.T) {
	busy := apierrors.NewTooManyRequests("test", 60)
	for _, test := range []struct {
		what  string
		err   error
		fails int // attempts
		tries int
		took  time.Duration
		want  string
	}{
		{"success", nil, 0, 1, 0, ""},
		{"a conflict, then success", conflict(), 2, 3, 300 * time.Millisecond, ""},
		{"the pause has a maximum", conflict(), 9, 5, 1100 * time.Millisecond, `given up after 5 attempts: Operation cannot be fulfilled on elastiservices.elasti.truefoundry.com "web": test`},
		{"a server that asks for a minute gets the maximum", busy, 1, 2, 400 * time.Millisecond, ""},
		{"what no pause cures", errTest, 9, 1, 0, "test"},
		{"a broken connection", io.ErrUnexpectedEOF, 1, 2, 100 * time.Millisecond, ""},
	} {
		t.Run(test.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := caller{clock: clock.RealClock{}, timeout: time.Second,
					retry: Retry{Attempts: 5, Initial: 100 * time.Millisecond, Maximum: 400 * time.Millisecond}}
				start, tries := time.Now(), 0
				err := c.do(t.Context(), func(context.Context) error {
					if tries++; tries <= test.fails {
						return test.err
					}
					return nil
				})
				assert.Equal(t, test.tries, tries)
				assert.Equal(t, test.took, time.Since(start))
				if test.want == "" {
					assert.NoError(t, err)
				} else {
					assert.EqualError(t, err, test.want)
					assert.ErrorIs(t, err, test.err)
				}
			})
		})
	}
}

func TestCallsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := caller{clock: clock.RealClock{}, timeout: time.Second, retry: Retry{Attempts: 2, Initial: time.Minute, Maximum: time.Hour}}
		forever := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

		start := time.Now()
		err := c.do(t.Context(), forever)
		assert.EqualError(t, err, "given up after 2 attempts: timeout of 1s: context canceled")
		assert.Equal(t, time.Minute+2*time.Second, time.Since(start))

		ctx, cancel := context.WithCancel(t.Context())
		start = time.Now()
		time.AfterFunc(500*time.Millisecond, cancel)
		assert.ErrorIs(t, c.do(ctx, forever), context.Canceled)
		assert.Equal(t, 500*time.Millisecond, time.Since(start), "in the middle of an attempt")

		ctx, cancel = context.WithCancel(t.Context())
		start = time.Now()
		time.AfterFunc(30*time.Second, cancel)
		err = c.do(ctx, func(context.Context) error { return conflict() })
		assert.ErrorIs(t, err, context.Canceled)
		assert.True(t, apierrors.IsConflict(err))
		assert.Equal(t, 30*time.Second, time.Since(start), "in the middle of a pause")
	})
}

func TestTurnsComeInTheOrderOfAsking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var turns turns[string]
		first, err := turns.take(t.Context(), "a")
		require.NoError(t, err)
		other, err := turns.take(t.Context(), "b")
		require.NoError(t, err, "another target has its own line")
		other()

		var order []int
		for i := range 5 {
			go func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				done, err := turns.take(t.Context(), "a")
				assert.NoError(t, err)
				order = append(order, i)
				done()
			}()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = turns.take(ctx, "a")
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		first()
		synctest.Wait()
		assert.Equal(t, []int{0, 1, 2, 3, 4}, order)
		assert.Empty(t, turns.lines, "lines that nobody uses are forgotten")
	})
}

func TestTroubleIsToldEveryTenMinutes(t *testing.T) {
	inBubble(t, func(e *env) {
		t, r := e.t, e.handler.report
		about := corev1.ObjectReference{Kind: "ElastiService", Namespace: "shop", Name: "web", UID: "1"}
		for range 50 { // every 30 s for 25 minutes
			r.failed(t.Context(), about, EventScaleFailed, errTest)
			time.Sleep(30 * time.Second)
		}
		other := about
		other.UID = "2"
		r.failed(t.Context(), other, EventScaleFailed, errTest)
		r.failed(t.Context(), about, EventModeFailed, errTest)
		assert.Equal(t, []string{
			"Warning ScaleFailed: test",
			"Warning ScaleFailed: test (20 times in the last 10m0s)",
			"Warning ScaleFailed: test (20 times in the last 10m0s)",
			"Warning ModeFailed: test", "Warning ScaleFailed: test",
		}, e.events())
		time.Sleep(20 * time.Minute)
		r.failed(t.Context(), about, EventScaleFailed, errTest)
		assert.Len(t, r.trouble, 1, "trouble that is over is forgotten")

		e.fault(func(fakecluster.Call) fakecluster.Fault { return fakecluster.Fault{Err: errTest} })
		r.done(t.Context(), about, EventScaledUp, "message")
		assert.Contains(t, e.log.String(), "event not written")
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		r.failed(ended, about, EventInvalid, errTest)
		assert.NotContains(t, e.log.String(), EventInvalid)
	})
}

func TestInvalidOptions(t *testing.T) {
	_, err := New(Options{
		PollingInterval: -1, ModeInterval: -1, Resync: -1, CallTimeout: -1, TriggerTimeout: -1,
		Retry: Retry{Attempts: -1}, Workers: -1, Resolver: Resolver{Service: "resolver"},
	})
	var problems messages.Problems
	require.ErrorAs(t, err, &problems)
	var fields []string
	for _, p := range problems {
		var invalid *messages.Invalid
		require.True(t, errors.As(p, &invalid))
		fields = append(fields, invalid.Field)
	}
	assert.Equal(t, []string{"Clients", "Clock", "Log", "PollingInterval", "ModeInterval", "Resync", "CallTimeout", "TriggerTimeout",
		"Retry.Initial", "Retry.Maximum", "Retry.Attempts", "Workers", "Resolver"}, fields)
}

func TestDefaults(t *testing.T) {
	o := Options{}.WithDefaults()
	assert.Equal(t, 30*time.Second, o.PollingInterval)
	assert.Equal(t, time.Second, o.ModeInterval)
	assert.Equal(t, 5*time.Minute, o.Resync)
	assert.Equal(t, Retry{6, 200 * time.Millisecond, 5 * time.Second}, o.Retry)
	assert.Equal(t, 1, o.Workers)
	kept := Options{PollingInterval: time.Minute, Workers: 3, Retry: Retry{Attempts: 1}}.WithDefaults()
	assert.Equal(t, time.Minute, kept.PollingInterval)
	assert.Equal(t, 3, kept.Workers)
	assert.Equal(t, Retry{Attempts: 1}, kept.Retry)
}

func TestPrometheusScalers(t *testing.T) {
	source := func(server, query, threshold string) Source {
		return Source{Cooldown: time.Minute, Trigger: elasti.Trigger{Type: "prometheus", Metadata: elasti.TriggerMetadata{
			ServerAddress: server, Query: query, Threshold: threshold, Headers: map[string]string{"X-Scope-OrgID": "a"},
		}}}
	}
	factory := PrometheusScalers("http://default:9090", prometheus.Secret("Bearer x"))
	for _, server := range []string{"", "http://other:9090"} {
		scaler, err := factory(source(server, "up", "0.5"))
		require.NoError(t, err)
		require.NoError(t, scaler.Close())
	}
	for _, bad := range []Source{source("", "", "0.5"), source("", "up", "x"), source("ftp://x", "up", "1")} {
		scaler, err := factory(bad)
		require.Error(t, err)
		assert.Nil(t, scaler)
	}
	_, err := PrometheusScalers("", "")(source("", "up", "1"))
	assert.ErrorContains(t, err, "ServerAddress")
}

func TestOnlyOneRun(t *testing.T) {
	inBubble(t, func(e *env) {
		e.run()
		e.until(time.Second)
		assert.ErrorIs(e.t, e.handler.Run(e.t.Context()), ErrRunning)
		e.stop()
		assert.Equal(e.t, 1, e.trigger.closed)
		e.run()
		e.stop()
	})
}

func FuzzNewService(f *testing.F) {
	good, err := elastiService("shop", "web", nil).MarshalJSON()
	require.NoError(f, err)
	f.Add(good)
	f.Add([]byte(`{"apiVersion":"elasti.truefoundry.com/v1alpha1","kind":"ElastiService","metadata":{"creationTimestamp":7},"spec":[],"status":"x"}`))
	f.Add([]byte(`{"apiVersion":"v1","kind":"ElastiService","spec":{"minTargetReplicas":1e30,"triggers":[null],"scaleTargetRef":{"kind":7}}}`))
	cluster, err := fakecluster.New(fakecluster.Options{Clock: clock.RealClock{}})
	require.NoError(f, err)
	h, err := New(Options{Clients: cluster.Clients(), Clock: clock.RealClock{}, Log: slog.New(slog.DiscardHandler)})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text []byte) {
		u := parse(text)
		if u == nil {
			return
		}
		s, err := h.newService(u)
		if err == nil {
			assert.NoError(t, s.target.Validate(), "what is taken in can be asked for")
			s.close(slog.New(slog.DiscardHandler))
		}
	})
}
