package resolver

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/scaling/elasti/hold"
)

const (
	stormClients = 200
	stormLives   = 10 // times the target goes 0 -> 1 -> 0
)

func stormSettings() hold.Settings {
	return hold.Settings{
		Retry: 3 * time.Second, Slots: 100, Capacity: 1000, Timeout: 10 * time.Minute, NotifyEvery: 10 * time.Second,
	}
}

// ledger counts how often each request reached a pod.
type ledger struct {
	mu   sync.Mutex
	seen map[string]int
	busy chan struct{} // pods answer once it is closed; nil: at once
}

// note returns what to wait for before the answer.
func (l *ledger) note(id string) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen[id]++
	return l.busy
}

// hold makes the pods wait with their answers until the function it returns is
// called.
func (l *ledger) hold() (release func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy = make(chan struct{})
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		close(l.busy)
		l.busy = nil
	}
}

func (l *ledger) assertOnceEach(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, times := range l.seen {
		if times != 1 {
			t.Errorf("request %s was forwarded %d times", id, times)
		}
	}
}

func report(t *testing.T, c Counts, lives int) {
	t.Helper()
	mean := c.HoldTotal / time.Duration(max(1, c.Delayed))
	t.Logf("%d clients, %d lives of the pod: %d requests, %d answered, %d left; %d were held, %s on average, %s at most; "+
		"%d looks, %d retries after a look, %d retries after a refused connection; %d messages to the operator",
		stormClients, lives, c.Requests, c.Answered, c.Left, c.Delayed, mean.Round(time.Millisecond), c.HoldMax.Round(time.Millisecond),
		c.Looks, c.Sleeps, c.Redials, c.Notified)
}

// lives is a pod on a socket that comes and goes. While it is away, its last
// address refuses connections.
type lives struct {
	mu      sync.Mutex
	server  *httptest.Server
	address string
}

func (l *lives) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	l.mu.Lock()
	address := l.address
	l.mu.Unlock()
	return new(net.Dialer).DialContext(ctx, network, address)
}

func (l *lives) up(pod http.Handler) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.server = httptest.NewServer(pod)
	l.address = l.server.Listener.Addr().String()
}

func (l *lives) down() { l.server.Close() }

// Over real sockets, with the clock in the test's hand: every life has a wave
// of clients that come while there is no pod, whose first dials find it not
// serving yet; a wave that comes while it is up; and a wave of which one half
// is being answered and the other waits for a slot when the pod goes.
func TestStormOnLoopback(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("storm", stormOnLoopback)
	for runtime.NumGoroutine() > before { // connections are still being closed
		runtime.Gosched()
	}
	t.Logf("goroutines before and after: %d, %d", before, runtime.NumGoroutine())
}

func stormOnLoopback(t *testing.T) {
	target := &lives{}
	book := ledger{seen: map[string]int{}}
	pod := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if busy := book.note(r.Header.Get("X-Id")); busy != nil {
			<-busy
		}
		hello(w, r)
	})
	g := newLoopback(t, stormSettings(), pod, NewTransport(TransportOptions{Dial: target.dial}))
	target.up(pod)
	target.down()

	sent := 0
	wave := func() []<-chan result {
		var answers []<-chan result
		for range stormClients {
			answers = append(answers, g.do(http.MethodGet, "/", http.Header{"X-Id": {strconv.Itoa(sent)}}, nil))
			sent++
		}
		return answers
	}
	collect := func(answers []<-chan result) {
		t.Helper()
		for _, got := range answers {
			r := <-got
			require.NoError(t, r.err)
			require.Equal(t, 200, r.status, r.body)
			require.Equal(t, "hello", r.body)
		}
	}
	var leftover []<-chan result
	for range stormLives {
		early := wave()
		g.quiet(len(early) + len(leftover)/2)
		g.operator.setReady(true) // before it serves
		g.clock.Step(3 * time.Second)
		g.quiet(len(early) + len(leftover)/2)
		target.up(pod)
		g.clock.Step(3 * time.Second)
		collect(leftover)
		collect(early)
		collect(wave())

		g.until(func(c Counts) bool { return c.Proxied == 0 })
		release := book.hold()
		leftover = wave()
		g.until(func(c Counts) bool { return c.Proxied == 100 && c.Waiting == 100 })
		g.operator.setReady(false)
		release()
		g.quiet(len(leftover) / 2)
		target.down()
		g.clock.Step(5 * time.Second)
		g.quiet(len(leftover) / 2)
	}
	target.up(pod)
	g.operator.setReady(true)
	g.clock.Step(3 * time.Second)
	collect(leftover)
	target.down()
	g.quiet(0)

	c := g.resolver.Stats().Total
	assertEmpty(t, c)
	assert.EqualValues(t, sent, c.Requests)
	assert.EqualValues(t, sent, c.Answered)
	assert.Len(t, book.seen, sent)
	book.assertOnceEach(t)
	assert.Equal(t, 11*time.Second, c.HoldMax)
	report(t, c, stormLives)
}

// In a bubble, where nobody is in step: clients that think for a while between
// requests, one in twenty of which leaves early, an operator that takes its
// time, and a pod whose endpoint is there before it serves and still there when
// it does not any more.
func TestStormInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t, func(o *Options) { o.Settings = stormSettings() })
		book := ledger{seen: map[string]int{}}
		pod := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			book.note(r.Header.Get("X-Id"))
			time.Sleep(time.Duration(50+len(r.Header.Get("X-Id"))*100) * time.Millisecond)
			hello(w, r)
		})
		lived, alive := 0, false
		live := func() {
			time.Sleep(4 * time.Second)
			g.operator.setReady(true)
			time.Sleep(time.Second)
			server := g.serve(webPrivate, pod)
			time.Sleep(25 * time.Second)
			assert.NoError(t, server.Shutdown(context.Background()))
			time.Sleep(500 * time.Millisecond)
			g.operator.mu.Lock()
			defer g.operator.mu.Unlock()
			g.operator.ready, alive = false, false
			lived++
		}
		g.operator.onNotify = func() {
			if !alive {
				alive = true
				go live()
			}
		}
		over := func() bool {
			g.operator.mu.Lock()
			defer g.operator.mu.Unlock()
			return lived >= stormLives
		}
		var clients sync.WaitGroup
		for i := range stormClients {
			clients.Go(func() { stormClient(t, g, i, over) })
		}
		clients.Wait()
		assert.NoError(t, g.resolver.Shutdown(t.Context()))
		time.Sleep(time.Minute) // the last life ends
		c := g.empty()
		assert.Equal(t, c.Requests, c.Answered+c.Left)
		assert.LessOrEqual(t, c.Answered, int64(len(book.seen)))
		assert.LessOrEqual(t, int64(len(book.seen)), c.Requests)
		book.assertOnceEach(t)
		assert.Positive(t, c.Left)
		assert.Positive(t, c.Redials)
		report(t, c, lived)
	})
}

// stormClient sends one request after the other. All that it does not leave are
// answered.
func stormClient(t *testing.T, g *rig, i int, over func() bool) {
	dice := rand.New(rand.NewPCG(1, uint64(i)))
	for n := 0; !over(); n++ {
		time.Sleep(time.Duration(dice.IntN(20_000)) * time.Millisecond)
		ctx, leave := context.WithCancel(t.Context())
		if dice.IntN(20) == 0 {
			ctx, leave = context.WithTimeout(t.Context(), time.Duration(1+dice.IntN(4000))*time.Millisecond)
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+webHost, nil)
		assert.NoError(t, err)
		req.Header.Set("X-Id", fmt.Sprintf("%d/%d", i, n))
		resp, err := g.client.Do(req)
		if err != nil {
			assert.ErrorIs(t, err, context.DeadlineExceeded)
		} else {
			text, err := io.ReadAll(resp.Body)
			assert.NoError(t, err)
			assert.NoError(t, resp.Body.Close())
			assert.Equal(t, 200, resp.StatusCode, string(text))
		}
		leave()
	}
}
