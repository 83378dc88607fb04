package resolver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"k8s.io/utils/clock"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/elasti/hold"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	webHost    = "web.shop.svc.cluster.local"
	webPrivate = "elasti-web-pvt-4edf6ad8f8.shop.svc.cluster.local:80"
)

var web = ServiceName{"shop", "web"}

func privateName(service string) string { return "elasti-" + service + "-pvt-4edf6ad8f8" }

// network is a network inside a synctest bubble: pipes in place of sockets, and
// connections refused where nobody listens.
type network struct {
	mu        sync.Mutex
	listeners map[string]*listener
}

func newNetwork() *network { return &network{listeners: map[string]*listener{}} }

type listener struct {
	net     *network
	address string
	conns   chan net.Conn
	done    chan struct{}
	once    sync.Once
}

func (n *network) listen(address string) *listener {
	l := &listener{net: n, address: address, conns: make(chan net.Conn), done: make(chan struct{})}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.listeners[address] = l
	return l
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() {
		l.net.mu.Lock()
		defer l.net.mu.Unlock()
		if l.net.listeners[l.address] == l {
			delete(l.net.listeners, l.address)
		}
		close(l.done)
	})
	return nil
}

func (l *listener) Addr() net.Addr { return &net.UnixAddr{Name: l.address} }

func (n *network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	l := n.listeners[address]
	n.mu.Unlock()
	if l == nil {
		return nil, refusedBy(address)
	}
	here, there := net.Pipe()
	select {
	case l.conns <- there:
		return here, nil
	case <-l.done:
		return nil, refusedBy(address)
	case <-ctx.Done():
		return nil, &net.OpError{Op: "dial", Err: ctx.Err()}
	}
}

func refusedBy(address string) error {
	return &net.OpError{Op: "dial", Net: "tcp", Addr: &net.UnixAddr{Name: address}, Err: syscall.ECONNREFUSED}
}

// operator is what stands behind Ready and Notify.
type operator struct {
	mu       sync.Mutex
	ready    bool
	readyErr error
	notErr   error
	looks    int
	told     []messages.RequestCount
	toldAt   []time.Duration
	onNotify func()
}

func (o *operator) isReady(context.Context, messages.Host) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.looks++
	return o.ready, o.readyErr
}

func (o *operator) setReady(ready bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ready = ready
}

// rig is a resolver with a network, an operator and a pod's server.
type rig struct {
	t        *testing.T
	net      *network
	operator operator
	resolver *Resolver
	client   *http.Client
	start    time.Time
	log      *bytes.Buffer
}

// settings are round numbers.
func settings() hold.Settings {
	return hold.Settings{Retry: 3 * time.Second, Slots: 2, Capacity: 4, Timeout: time.Minute, NotifyEvery: 10 * time.Second}
}

// newRig must be called inside a bubble.
func newRig(t *testing.T, change func(*Options)) *rig {
	g := &rig{t: t, net: newNetwork(), start: time.Now(), log: &bytes.Buffer{}}
	target, err := HostFromHeader("", "cluster.local", privateName)
	require.NoError(t, err)
	o := Options{
		Settings: settings(), Clock: clock.RealClock{}, Target: target,
		Ready: g.operator.isReady,
		Notify: func(_ context.Context, m messages.RequestCount) error {
			g.operator.mu.Lock()
			defer g.operator.mu.Unlock()
			g.operator.told = append(g.operator.told, m)
			g.operator.toldAt = append(g.operator.toldAt, time.Since(g.start))
			if g.operator.onNotify != nil {
				g.operator.onNotify()
			}
			return g.operator.notErr
		},
		Transport: NewTransport(TransportOptions{Dial: g.net.dial}),
		Logger:    slog.New(slog.NewTextHandler(&lockedWriter{w: g.log}, nil)),
	}
	if change != nil {
		change(&o)
	}
	g.resolver, err = New(o)
	require.NoError(t, err)
	g.serve("resolver:80", g.resolver)
	g.client = &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return g.net.dial(ctx, network, "resolver:80")
		},
	}}
	return g
}

type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// serve serves until the test ends.
func (g *rig) serve(address string, h http.Handler) *http.Server {
	server := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	l := g.net.listen(address)
	go func() { _ = server.Serve(l) }()
	g.t.Cleanup(func() { _ = server.Close(); synctest.Wait() })
	return server
}

// pod makes the service ready, with a pod that answers with h.
func (g *rig) pod(h http.HandlerFunc) *http.Server {
	server := g.serve(webPrivate, h)
	g.operator.setReady(true)
	return server
}

// result is what a client saw.
type result struct {
	status int
	body   string
	header http.Header
	err    error
	after  time.Duration // since the rig was made
}

// get sends a request in the background.
func (g *rig) get(ctx context.Context, host, path string) <-chan result {
	return g.send(ctx, http.MethodGet, host, path, nil)
}

func (g *rig) send(ctx context.Context, method, host, path string, body io.Reader) <-chan result {
	out := make(chan result, 1)
	req, err := http.NewRequestWithContext(ctx, method, "http://"+host+path, body)
	require.NoError(g.t, err)
	go func() {
		resp, err := g.client.Do(req)
		if err != nil {
			out <- result{err: err, after: time.Since(g.start)}
			return
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		out <- result{resp.StatusCode, string(text), resp.Header, err, time.Since(g.start)}
	}()
	return out
}

// refusedWith asserts an answer of the resolver itself.
func refusedWith(t *testing.T, r result, status int, reason string) {
	t.Helper()
	require.NoError(t, r.err)
	assert.Equal(t, status, r.status)
	assert.Equal(t, "application/json", r.header.Get("Content-Type"))
	var answer map[string]string
	require.NoError(t, json.Unmarshal([]byte(r.body), &answer), r.body)
	assert.Equal(t, map[string]string{"error": reason}, answer)
}

// empty asserts that nobody is inside and every request has one outcome.
func (g *rig) empty() Counts {
	g.t.Helper()
	synctest.Wait()
	c := g.resolver.Stats().Total
	assertEmpty(g.t, c)
	g.resolver.mu.Lock()
	defer g.resolver.mu.Unlock()
	assert.Zero(g.t, g.resolver.gate.taken)
	assert.Zero(g.t, g.resolver.gate.queue.Len())
	assert.Zero(g.t, g.resolver.inside)
	return c
}

func assertEmpty(t *testing.T, c Counts) {
	t.Helper()
	assert.Zero(t, c.Waiting+c.Held+c.Proxied)
	assert.Equal(t, c.Requests, c.Answered+c.Refused+c.TimedOut+c.Closed+c.Left+c.Failed+c.Broken+c.Stopped+c.BadTarget+c.Panicked)
}

func hello(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }

// bubble runs a test with a rig on a clock that moves when everybody waits.
func bubble(t *testing.T, change func(*Options), test func(t *testing.T, g *rig)) {
	synctest.Test(t, func(t *testing.T) { test(t, newRig(t, change)) })
}

// recorded calls the handler without a server.
func (g *rig) recorded(req *http.Request) result {
	w := httptest.NewRecorder()
	g.resolver.ServeHTTP(w, req)
	return result{status: w.Code, body: w.Body.String(), header: w.Header()}
}

var errDown = errors.New("the API server is away")

func echo(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }
