package resolver

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/elasti/hold"
)

// loopback is a resolver behind a real socket of this machine, with its pod's
// address fixed and the clock in the test's hand.
type loopback struct {
	t        *testing.T
	clock    *testingclock.FakeClock
	operator operator
	address  string // of the pod
	resolver *Resolver
	front    *httptest.Server
}

// newLoopback reaches the pod by transport; nil: the default.
func newLoopback(t *testing.T, s hold.Settings, pod http.Handler, transport http.RoundTripper) *loopback {
	g := &loopback{t: t, clock: testingclock.NewFakeClock(time.Unix(0, 0))}
	server := httptest.NewServer(pod)
	t.Cleanup(server.Close)
	g.address = server.Listener.Addr().String()
	var err error
	g.resolver, err = New(Options{
		Settings: s, Clock: g.clock, Ready: g.operator.isReady, Transport: transport,
		Target: func(r *http.Request) (messages.Host, error) {
			return messages.Host{Namespace: "shop", SourceService: "web", TargetHost: "http://" + g.address}, nil
		},
		Notify: func(_ context.Context, m messages.RequestCount) error {
			g.operator.mu.Lock()
			defer g.operator.mu.Unlock()
			g.operator.told = append(g.operator.told, m)
			return nil
		},
	})
	require.NoError(t, err)
	g.front = httptest.NewServer(g.resolver)
	t.Cleanup(func() {
		g.front.Close()
		assert.NoError(t, g.resolver.Shutdown(context.Background()))
		assertEmpty(t, g.resolver.Stats().Total)
	})
	return g
}

// quiet waits until so many requests are inside and all of them wait for the
// clock or for a slot: a timeout each, and a look for those with a slot.
func (g *loopback) quiet(inside int) {
	g.until(func(c Counts) bool {
		return c.Waiting+c.Held == inside && c.Proxied == 0 && g.clock.Waiters() == c.Waiting+2*c.Held
	})
}

// until waits, without sleeping.
func (g *loopback) until(reached func(Counts) bool) {
	for !reached(g.resolver.Stats().Total) {
		runtime.Gosched()
	}
}

// do sends a request in the background.
func (g *loopback) do(method, path string, header http.Header, body io.Reader) <-chan result {
	out := make(chan result, 1)
	req, err := http.NewRequestWithContext(g.t.Context(), method, g.front.URL+path, body)
	require.NoError(g.t, err)
	for name, values := range header {
		req.Header[name] = values
	}
	go func() {
		resp, err := g.front.Client().Do(req)
		if err != nil {
			out <- result{err: err}
			return
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		out <- result{status: resp.StatusCode, body: string(text), header: resp.Header, err: err}
	}()
	return out
}

func TestForwardedHeadersKeepWhatAnIngressWrote(t *testing.T) {
	g := newLoopback(t, settings(), http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "203.0.113.7, 127.0.0.1", r.Header.Get("X-Forwarded-For"))
		assert.Equal(t, "shop.example.com", r.Header.Get("X-Forwarded-Host"))
		assert.Equal(t, "https", r.Header.Get("X-Forwarded-Proto"))
		assert.Equal(t, "for=203.0.113.7", r.Header.Get("Forwarded"))
		assert.Empty(t, r.Header.Get("X-Hop"), "a hop's own headers end here")
		assert.Empty(t, r.Header.Get("Accept-Encoding"), "nothing is compressed that the client did not ask for")
	}), nil)
	g.operator.setReady(true)
	g.front.Client().Transport.(*http.Transport).DisableCompression = true
	r := <-g.do(http.MethodGet, "/", http.Header{
		"X-Forwarded-For": {"203.0.113.7"}, "X-Forwarded-Host": {"shop.example.com"}, "X-Forwarded-Proto": {"https"},
		"Forwarded": {"for=203.0.113.7"}, "X-Hop": {"mine"}, "Connection": {"X-Hop"},
	}, nil)
	assert.Equal(t, 200, r.status)
}

// untouchable is a body that must not be read yet.
type untouchable struct {
	io.Reader
	allowed chan struct{}
	t       *testing.T
}

func (u *untouchable) Read(p []byte) (int, error) {
	select {
	case <-u.allowed:
	default:
		u.t.Error("read before the request was forwarded")
	}
	return u.Reader.Read(p)
}

func TestAHeldBodyIsNotRead(t *testing.T) {
	g := newLoopback(t, settings(), http.HandlerFunc(echo), nil)
	body := &untouchable{strings.NewReader("late"), make(chan struct{}), t}
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", body)
	w := httptest.NewRecorder()
	done := make(chan struct{})
	go func() {
		defer close(done)
		g.resolver.ServeHTTP(w, req)
	}()
	g.quiet(1)
	g.operator.setReady(true)
	close(body.allowed)
	g.clock.Step(3 * time.Second)
	<-done
	assert.Equal(t, "late", w.Body.String())
}

func TestTrailersPassBothWays(t *testing.T) {
	g := newLoopback(t, settings(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "Grpc-Status")
		_, _ = io.Copy(w, r.Body)
		w.Header().Set("Grpc-Status", r.Trailer.Get("Checksum"))
	}), nil)
	g.operator.setReady(true)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.front.URL, io.NopCloser(strings.NewReader("body")))
	require.NoError(t, err)
	req.Trailer = http.Header{"Checksum": {"42"}}
	resp, err := g.front.Client().Do(req)
	require.NoError(t, err)
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, "body", string(text))
	assert.Equal(t, http.Header{"Grpc-Status": {"42"}}, resp.Trailer)
}

func TestStreamsPassPieceByPiece(t *testing.T) {
	g := newLoopback(t, settings(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		in := bufio.NewReader(r.Body)
		control := http.NewResponseController(w)
		assert.NoError(t, control.EnableFullDuplex())
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			_, _ = io.WriteString(w, "data: "+line)
			assert.NoError(t, control.Flush())
		}
	}), nil)
	g.operator.setReady(true)
	in, out := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.front.URL, in)
	require.NoError(t, err)
	go func() { _, _ = io.WriteString(out, "one\n") }()
	resp, err := g.front.Client().Do(req)
	require.NoError(t, err)
	answers := bufio.NewReader(resp.Body)
	line, err := answers.ReadString('\n')
	require.NoError(t, err)
	assert.Equal(t, "data: one\n", line, "while the request goes on")
	g.clock.Step(time.Hour)
	require.NoError(t, out.Close())
	_, err = io.ReadAll(answers)
	assert.NoError(t, err, "the timeout does not cut a stream off")
	require.NoError(t, resp.Body.Close())
}

func TestUpgradesPassThrough(t *testing.T) {
	g := newLoopback(t, settings(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "websocket", r.Header.Get("Upgrade"))
		conn, rw, err := http.NewResponseController(w).Hijack()
		if !assert.NoError(t, err) {
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_ = rw.Flush()
		line, _ := rw.ReadString('\n')
		_, _ = rw.WriteString("echo " + line)
		_ = rw.Flush()
	}), nil)
	g.operator.setReady(true)
	conn, err := net.Dial("tcp", g.front.Listener.Addr().String())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, "GET /chat HTTP/1.1\r\nHost: web.shop\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	require.NoError(t, err)
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
	assert.Equal(t, "Upgrade", resp.Header.Get("Connection"))
	g.clock.Step(time.Hour) // the timeout does not cut it off
	_, err = io.WriteString(conn, "hello\n")
	require.NoError(t, err)
	line, err := in.ReadString('\n')
	require.NoError(t, err)
	assert.Equal(t, "echo hello\n", line)
}

func TestAnswersThatBreakOffBreakOff(t *testing.T) {
	g := newLoopback(t, settings(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hello(w, r)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}), nil)
	g.operator.setReady(true)
	r := <-g.do(http.MethodGet, "/", nil, nil)
	assert.ErrorIs(t, r.err, io.ErrUnexpectedEOF, "half an answer must not look whole")
	g.quiet(0)
	assert.EqualValues(t, 1, g.resolver.Stats().Total.Broken)
}

func TestAnswersSayThatTheConnectionEnds(t *testing.T) {
	g := newLoopback(t, settings(), http.HandlerFunc(hello), nil)
	g.operator.setReady(true)
	resp, err := g.front.Client().Get(g.front.URL)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.True(t, resp.Close)
}
