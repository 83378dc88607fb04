package resolver

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// roundTrips answers the attempts one after the other.
type roundTrips []func(*http.Request) (*http.Response, error)

func (r *roundTrips) RoundTrip(req *http.Request) (*http.Response, error) {
	next := (*r)[0]
	*r = (*r)[1:]
	return next(req)
}

func answer(req *http.Request) (*http.Response, error) {
	text := ""
	if req.Body != nil {
		b, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		text = string(b)
	}
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text)), Request: req}, nil
}

// breaks is an attempt on a connection that ends after so many bytes.
func breaks(written int64, readsBody bool) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		conn := &countedConn{}
		conn.written.Store(100) // by requests before
		httptrace.ContextClientTrace(req.Context()).GotConn(httptrace.GotConnInfo{Conn: conn, Reused: true})
		conn.written.Add(written)
		if readsBody {
			_, _ = req.Body.Read(make([]byte, 1))
		}
		_ = req.Body.Close()
		return nil, io.ErrUnexpectedEOF
	}
}

func TestOnlyWhatWasNotSentIsSentAgain(t *testing.T) {
	uncounted := func(req *http.Request) (*http.Response, error) {
		httptrace.ContextClientTrace(req.Context()).GotConn(httptrace.GotConnInfo{})
		return nil, io.ErrUnexpectedEOF
	}
	dial := func(*http.Request) (*http.Response, error) { return nil, refusedBy("pod") }
	for name, test := range map[string]struct {
		first  func(*http.Request) (*http.Response, error)
		status int
		after  time.Duration
	}{
		"no connection":                    {dial, 200, 3 * time.Second},
		"a dead connection":                {breaks(0, false), 200, 0},
		"a connection that took a byte":    {breaks(1, false), 502, 0},
		"a body that was begun":            {breaks(0, true), 502, 0},
		"a connection nobody counted":      {uncounted, 502, 0},
		"an error nobody can place":        {func(*http.Request) (*http.Response, error) { return nil, errors.New("odd") }, 502, 0},
		"a read that failed, with no dial": {func(*http.Request) (*http.Response, error) { return nil, &net.OpError{Op: "read", Err: io.EOF} }, 502, 0},
	} {
		t.Run(name, func(t *testing.T) {
			transport := &roundTrips{test.first, answer}
			bubble(t, func(o *Options) { o.Transport = transport }, func(t *testing.T, g *rig) {
				g.operator.setReady(true)
				r := <-g.send(t.Context(), http.MethodPut, webHost, "/", strings.NewReader("whole"))
				assert.Equal(t, test.status, r.status)
				assert.Equal(t, test.after, r.after)
				if r.status == 200 {
					assert.Equal(t, "whole", r.body)
				} else {
					assert.Len(t, *transport, 1, "no second attempt")
				}
				g.empty()
			})
		})
	}
}

func TestAnAnswerAfterTheTimeoutIsNone(t *testing.T) {
	late := &roundTrips{func(req *http.Request) (*http.Response, error) {
		time.Sleep(2 * time.Minute) // deaf to its context
		return answer(req)
	}}
	bubble(t, func(o *Options) { o.Transport = late }, func(t *testing.T, g *rig) {
		g.operator.setReady(true)
		refusedWith(t, <-g.get(t.Context(), webHost, "/"), 408, "request timeout")
		assert.Zero(t, g.empty().Answered)
	})
}

// A kept connection that breaks once the request has gone into it: plain
// http.Transport would send the request again.
func TestKeptConnectionsDoNotRepeatRequests(t *testing.T) {
	for _, test := range []struct {
		method string
		header string
	}{{"GET", ""}, {"HEAD", ""}, {"OPTIONS", ""}, {"TRACE", ""}, {"POST", "Idempotency-Key"}, {"DELETE", "X-Idempotency-Key"}} {
		t.Run(test.method, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var g *rig
				g = newRig(t, func(o *Options) {
					o.Transport = NewTransport(TransportOptions{
						MaxIdle: 10, MaxIdlePerHost: 10,
						Dial: func(ctx context.Context, n, a string) (net.Conn, error) { return g.net.dial(ctx, n, a) },
					})
				})
				defer g.resolver.transport.(*http.Transport).CloseIdleConnections()
				requests := 0
				g.pod(func(_ http.ResponseWriter, r *http.Request) {
					requests++
					assert.Equal(t, test.method, r.Method)
					assert.Empty(t, r.TransferEncoding)
					assert.Zero(t, r.ContentLength)
					if test.header != "" {
						assert.Equal(t, "once", r.Header.Get(test.header))
					}
					if requests == 2 {
						panic(http.ErrAbortHandler)
					}
				})
				send := func() result {
					req := httptest.NewRequestWithContext(t.Context(), test.method, "http://"+webHost+"/", nil)
					if test.header != "" {
						req.Header.Set(test.header, "once")
					}
					return g.recorded(req)
				}
				assert.Equal(t, 200, send().status)
				synctest.Wait()
				assert.Equal(t, 502, send().status)
				assert.Equal(t, 2, requests)
				assert.EqualValues(t, 1, g.empty().Failed)
			})
		})
	}
}

func TestTheDefaultTransportKeepsNoConnection(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(hello))
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	require.NoError(t, err)
	resp, err := NewTransport(TransportOptions{}).RoundTrip(req)
	require.NoError(t, err)
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "hello", string(text))
	assert.NoError(t, resp.Body.Close())
	assert.True(t, resp.Close)
}

func TestWritesThatFailAreNotCounted(t *testing.T) {
	here, there := net.Pipe()
	c := &countedConn{Conn: here}
	go func() { _, _ = there.Read(make([]byte, 3)); _ = there.Close() }()
	n, err := c.Write([]byte("hello"))
	assert.Equal(t, 3, n)
	assert.ErrorIs(t, err, io.ErrClosedPipe)
	assert.EqualValues(t, 3, c.written.Load())
}
