package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"
	"pgregory.net/rapid"

	"github.com/scalelab/scalelab/messages"
)

var start = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// skipping is a clock whose timers have fired already: a wait takes its time on
// the clock and none in the test.
type skipping struct {
	*clocktesting.FakeClock
	waits []time.Duration
}

func newSkipping() *skipping { return &skipping{FakeClock: clocktesting.NewFakeClock(start)} }

func (c *skipping) NewTimer(d time.Duration) clock.Timer {
	c.waits = append(c.waits, d)
	timer := c.FakeClock.NewTimer(d)
	c.Step(d)
	return timer
}

// operator is a real operator on loopback that answers with codes, the last one
// for ever, and writes down what it was told.
type operator struct {
	*httptest.Server
	mu    sync.Mutex
	codes []int
	told  []messages.RequestCount
}

func newOperator(t *testing.T, codes ...int) *operator {
	o := &operator{codes: codes}
	handler := Handler(func(_ context.Context, m messages.RequestCount) error {
		o.told = append(o.told, m)
		return nil
	})
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		defer o.mu.Unlock()
		code := o.codes[0]
		if len(o.codes) > 1 {
			o.codes = o.codes[1:]
		}
		switch code {
		case 200:
			handler.ServeHTTP(w, r)
		case hangUp:
			connection, _, err := w.(http.Hijacker).Hijack()
			assert.NoError(t, err)
			connection.Close()
		default:
			reply(w, code, "sorry")
		}
	}))
	t.Cleanup(o.Close)
	return o
}

const hangUp = -1

func (o *operator) client(t *testing.T, c clock.Clock) *Client {
	client, err := NewClient(Options{BaseURL: o.URL + "/", HTTP: o.Client(), Clock: c})
	require.NoError(t, err)
	return client
}

func of(namespace, name string) messages.RequestCount {
	return messages.RequestCount{Count: 1, Svc: name, Namespace: namespace}
}

func TestOnceInAWindow(t *testing.T) {
	o, c := newOperator(t, 200), newSkipping()
	client := o.client(t, c)
	web, api, other := of("shop", "web"), of("shop", "api"), of("stage", "web")
	for _, s := range []struct {
		after time.Duration
		m     messages.RequestCount
		told  int
		why   string
	}{
		{0, web, 1, "the first"},
		{0, web, 1, "in the window"},
		{0, api, 2, "another service"},
		{time.Second, other, 3, "the same name in another namespace"},
		{28*time.Second + 999*time.Millisecond, web, 3, "29.999 s"},
		{time.Millisecond, web, 4, "30 s"},
		{0, other, 4, "29 s after its own"},
		{time.Second, other, 5, "30 s after its own"},
		{-time.Minute, web, 6, "the clock was set back"},
	} {
		c.Step(s.after)
		require.NoError(t, client.Notify(t.Context(), s.m), s.why)
		require.Len(t, o.told, s.told, s.why)
	}
	assert.Equal(t, []messages.RequestCount{web, api, other, web, other, web}, o.told)
	assert.Empty(t, c.waits)
}

func TestRetries(t *testing.T) {
	ms := func(values ...int) (waits []time.Duration) {
		for _, v := range values {
			waits = append(waits, time.Duration(v)*time.Millisecond)
		}
		return waits
	}
	for _, s := range []struct {
		name  string
		codes []int
		waits []time.Duration
		err   string
		told  int
	}{
		{"at once", []int{200}, nil, "", 1},
		{"an operator that starts", []int{503, 502, 500, 200}, ms(100, 200, 400), "", 1},
		{"a connection that breaks", []int{hangUp, 200}, ms(100), "", 1},
		{"never", []int{500}, ms(100, 200, 400, 800), "notify: shop/web: attempt 5 of 5: found status 500, expected 200: sorry", 0},
		{"refused", []int{400}, nil, "notify: shop/web: found status 400, expected 200: sorry", 0},
		{"refused at the second attempt", []int{500, 404}, ms(100), "notify: shop/web: found status 404, expected 200: sorry", 0},
		{"taken for later", []int{202}, nil, "notify: shop/web: found status 202, expected 200: sorry", 0},
	} {
		t.Run(s.name, func(t *testing.T) {
			o, c := newOperator(t, s.codes...), newSkipping()
			err := o.client(t, c).Notify(t.Context(), of("shop", "web"))
			if s.err == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, s.err)
				var status *StatusError
				require.ErrorAs(t, err, &status)
				assert.Equal(t, s.codes[len(s.codes)-1], status.Code)
			}
			assert.Equal(t, s.waits, c.waits)
			assert.Len(t, o.told, s.told)
		})
	}
}

func TestNobodyListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	c := newSkipping()
	client, err := NewClient(Options{BaseURL: "http://" + address, Clock: c})
	require.NoError(t, err)
	err = client.Notify(t.Context(), of("shop", "web"))
	require.ErrorContains(t, err, "notify: shop/web: attempt 5 of 5: Post ")
	var refused *net.OpError
	assert.ErrorAs(t, err, &refused)
	assert.Len(t, c.waits, 4)
}

func TestAFailureOpensNoWindow(t *testing.T) {
	o, c := newOperator(t, 400, 400, 200), newSkipping()
	client := o.client(t, c)
	require.Error(t, client.Notify(t.Context(), of("shop", "web")))
	require.Error(t, client.Notify(t.Context(), of("shop", "web")))
	require.NoError(t, client.Notify(t.Context(), of("shop", "web")))
	require.NoError(t, client.Notify(t.Context(), of("shop", "web")))
	assert.Len(t, o.told, 1)
}

func TestAMessageThatIsInvalid(t *testing.T) {
	o, c := newOperator(t, 200), newSkipping()
	assert.EqualError(t, o.client(t, c).Notify(t.Context(), of("", "web")), "notify: namespace: expected a namespace, found none")
	assert.Empty(t, o.told)
}

// transport answers in memory, so that a bubble's clock can go on.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func ok() *http.Response {
	return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(`{"message":"received"}`))}
}

func inMemory(t *testing.T, f transport) *Client {
	client, err := NewClient(Options{BaseURL: "http://operator:8013", HTTP: &http.Client{Transport: f}, Clock: clock.RealClock{}})
	require.NoError(t, err)
	return client
}

func TestAThousandRequestsAreOneNotification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent atomic.Int32
		client := inMemory(t, func(*http.Request) (*http.Response, error) {
			time.Sleep(2 * time.Second)
			if sent.Add(1) < 3 {
				return nil, errors.New("connection refused")
			}
			return ok(), nil
		})
		began := time.Now()
		var group sync.WaitGroup
		for range 1000 {
			group.Go(func() {
				assert.NoError(t, client.Notify(t.Context(), of("shop", "web")))
				assert.Equal(t, 6300*time.Millisecond, time.Since(began), "3 attempts of 2 s, waits of 0.1 and 0.2 s")
			})
		}
		group.Wait()
		assert.Equal(t, int32(3), sent.Load())
		assert.Empty(t, client.underway)
	})
}

func TestThoseWhoWaitShareAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent atomic.Int32
		client := inMemory(t, func(*http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			sent.Add(1)
			return &http.Response{StatusCode: 403, Body: http.NoBody}, nil
		})
		var group sync.WaitGroup
		for range 10 {
			group.Go(func() {
				assert.EqualError(t, client.Notify(t.Context(), of("shop", "web")), "notify: shop/web: found status 403, expected 200")
			})
		}
		group.Wait()
		assert.Equal(t, int32(1), sent.Load())
	})
}

func TestTheSenderLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent atomic.Int32
		client := inMemory(t, func(r *http.Request) (*http.Response, error) {
			sent.Add(1)
			select {
			case <-r.Context().Done():
				return nil, r.Context().Err()
			case <-time.After(10 * time.Second):
				return ok(), nil
			}
		})
		began := time.Now()
		var group sync.WaitGroup
		first, leave := context.WithTimeout(t.Context(), 3*time.Second)
		defer leave()
		group.Go(func() {
			assert.ErrorIs(t, client.Notify(first, of("shop", "web")), context.DeadlineExceeded)
			assert.Equal(t, 3*time.Second, time.Since(began))
		})
		synctest.Wait()
		for range 5 { // one of them takes over, and it takes 10 s from then on
			group.Go(func() {
				assert.NoError(t, client.Notify(t.Context(), of("shop", "web")))
				assert.Equal(t, 13*time.Second, time.Since(began))
			})
		}
		impatient, leaveToo := context.WithTimeout(t.Context(), time.Second)
		defer leaveToo()
		group.Go(func() {
			assert.EqualError(t, client.Notify(impatient, of("shop", "web")), "notify: shop/web: context deadline exceeded")
			assert.Equal(t, time.Second, time.Since(began))
		})
		group.Wait()
		assert.Equal(t, int32(2), sent.Load())
	})
}

func TestLeavingBetweenTwoAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := inMemory(t, func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") })
		ctx, leave := context.WithTimeoutCause(t.Context(), 150*time.Millisecond, errors.New("the client left"))
		defer leave()
		began := time.Now()
		assert.EqualError(t, client.Notify(ctx, of("shop", "web")), "notify: shop/web: the client left")
		assert.Equal(t, 150*time.Millisecond, time.Since(began))
	})
}

func TestATransportThatPanicsBlocksNobody(t *testing.T) {
	calls := 0
	client := inMemory(t, func(*http.Request) (*http.Response, error) {
		if calls++; calls == 1 {
			panic("broken")
		}
		return ok(), nil
	})
	assert.Panics(t, func() { _ = client.Notify(t.Context(), of("shop", "web")) })
	assert.NoError(t, client.Notify(t.Context(), of("shop", "web")))
	assert.Equal(t, 2, calls)
}

func TestMemoryIsBounded(t *testing.T) {
	c, sent := newSkipping(), 0
	client, err := NewClient(Options{BaseURL: "http://operator", Clock: c, MaxServices: 3, HTTP: &http.Client{
		Transport: transport(func(*http.Request) (*http.Response, error) { sent++; return ok(), nil }),
	}})
	require.NoError(t, err)
	for i := range 1000 {
		require.NoError(t, client.Notify(t.Context(), of("shop", fmt.Sprint("s", i))))
		require.LessOrEqual(t, len(client.windows.of), 3)
		require.Equal(t, client.windows.order.Len(), len(client.windows.of))
	}
	require.Equal(t, 1000, sent)
	require.NoError(t, client.Notify(t.Context(), of("shop", "s997")))
	require.Equal(t, 1000, sent, "the newest three are remembered")
	require.NoError(t, client.Notify(t.Context(), of("shop", "s996")))
	require.Equal(t, 1001, sent, "the oldest was forgotten")
	c.Step(30 * time.Second)
	require.NoError(t, client.Notify(t.Context(), of("shop", "x")))
	assert.Len(t, client.windows.of, 1, "windows that are over hold no memory")
}

// The windows against a list of everything that was ever sent.
func TestWindowsAgainstHistory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWindows(30*time.Second, 1000)
		last := map[service]time.Time{}
		now := start
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "seconds")) * time.Second)
			s := service{rapid.SampledFrom([]string{"a", "b"}).Draw(t, "namespace"), rapid.SampledFrom([]string{"x", "y"}).Draw(t, "name")}
			at, known := last[s]
			if want := known && now.Sub(at) < 30*time.Second; w.open(s, now) != want {
				t.Fatalf("%v at %v: expected open = %t", s, now, want)
			}
			if rapid.Bool().Draw(t, "start") {
				w.start(s, now)
				last[s] = now
			}
		}
	})
}

func TestOptions(t *testing.T) {
	good := Options{BaseURL: "https://operator.elasti:8013/base", Clock: clock.RealClock{}}
	client, err := NewClient(good)
	require.NoError(t, err)
	assert.Equal(t, "https://operator.elasti:8013/base/informer/incoming-request", client.url)
	assert.Equal(t, 5*time.Second, client.options.HTTP.Timeout)
	assert.Equal(t, 30*time.Second, client.options.Window)
	assert.Equal(t, 5*time.Second, client.options.Retry.wait(1000), "bounded, however many attempts")
	assert.Equal(t, time.Duration(0), Retry{Attempts: 9, Factor: 2}.wait(9))

	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"nothing at all":        {func(o *Options) { *o = Options{} }, "BaseURL: found none, expected a URL such as http://operator:8013\nClock: found none, expected a clock"},
		"no scheme":             {func(o *Options) { o.BaseURL = "operator:8013" }, "BaseURL: expected a URL such as http://operator:8013"},
		"another scheme":        {func(o *Options) { o.BaseURL = "ftp://operator" }, "BaseURL: expected a URL such as http://operator:8013"},
		"no host":               {func(o *Options) { o.BaseURL = "http://:8013" }, "BaseURL: expected a URL such as http://operator:8013"},
		"no URL":                {func(o *Options) { o.BaseURL = "http://u:hunter2@%zz" }, "BaseURL: expected a URL such as http://operator:8013"},
		"a password":            {func(o *Options) { o.BaseURL = "http://u:hunter2@operator" }, "BaseURL: found a user, a query or a fragment, expected none"},
		"a query":               {func(o *Options) { o.BaseURL = "http://operator?" }, "BaseURL: found a user, a query or a fragment, expected none"},
		"a negative window":     {func(o *Options) { o.Window = -1 }, "Window: found -1ns, expected more than 0s"},
		"a negative memory":     {func(o *Options) { o.MaxServices = -1 }, "MaxServices: found -1, expected at least 1"},
		"no attempt":            {func(o *Options) { o.Retry.Max = 1 }, "Retry.Attempts: found 0, expected at least 1"},
		"a wait below zero":     {func(o *Options) { o.Retry = Retry{Attempts: 1, First: -1} }, "Retry.First: found -1ns, expected at least 0s"},
		"ever shorter waits":    {func(o *Options) { o.Retry = Retry{Attempts: 2, Factor: 0.5} }, "Retry.Factor: found 0.5, expected 1 to 2147483647"},
		"no factor":             {func(o *Options) { o.Retry = Retry{Attempts: 2, Factor: math.NaN()} }, "Retry.Factor: found NaN, expected 1 to 2147483647"},
		"an infinite factor":    {func(o *Options) { o.Retry = Retry{Attempts: 2, Factor: math.Inf(1)} }, "Retry.Factor: found +Inf, expected 1 to 2147483647"},
		"a bound that is lower": {func(o *Options) { o.Retry = Retry{Attempts: 1, First: 2, Max: 1} }, "Retry.Max: found 1ns, expected at least First (2ns)"},
	} {
		t.Run(name, func(t *testing.T) {
			o := good
			c.change(&o)
			client, err := NewClient(o)
			assert.Nil(t, client)
			assert.EqualError(t, err, c.want)
		})
	}
}
