package resolver

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"
)

// TransportOptions are how private services are reached.
type TransportOptions struct {
	// Dial makes a connection; nil: over TCP, given up after 5 s.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// MaxIdle and MaxIdlePerHost are how many connections are kept for the next
	// request, in all and to one private service (KubeElasti: 1000 and 100). 0:
	// none. A pod that goes may close a kept connection while a request is on
	// its way into it: nobody knows then whether the request was handled, and it
	// ends with 502.
	MaxIdle, MaxIdlePerHost int
}

// NewTransport returns a transport that a Resolver can tell of whether a broken
// connection has carried anything of a request. It changes nothing on the way:
// no proxy of the environment, no compression of its own. Its timeouts are
// those of sockets, on the machine's clock.
func NewTransport(o TransportOptions) *http.Transport {
	if o.Dial == nil {
		o.Dial = (&net.Dialer{Timeout: 5 * time.Second}).DialContext
	}
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := o.Dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &countedConn{Conn: conn}, nil
		},
		DisableKeepAlives:     o.MaxIdle <= 0,
		MaxIdleConns:          o.MaxIdle,
		MaxIdleConnsPerHost:   o.MaxIdlePerHost,
		IdleConnTimeout:       90 * time.Second,
		ExpectContinueTimeout: time.Second,
		DisableCompression:    true,
	}
}

// countedConn counts what may have been written.
type countedConn struct {
	net.Conn
	written atomic.Int64
}

// Write counts before it writes, and takes back what was not: while a write is
// under way its bytes count as sent.
func (c *countedConn) Write(p []byte) (int, error) {
	c.written.Add(int64(len(p)))
	n, err := c.Conn.Write(p)
	c.written.Add(int64(n - len(p)))
	return n, err
}

// progress is how far an attempt to send a request got.
type progress uint8

const (
	sent        progress = iota // some of it may have left
	unconnected                 // no connection came about
	stale                       // a kept connection was dead already
)

// attempt watches one attempt to send a request.
type attempt struct {
	conn atomic.Pointer[usedConn]
}

type usedConn struct {
	*countedConn // nil for one that is not counted
	before       int64
}

func (a *attempt) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		used := &usedConn{}
		if counted, ok := info.Conn.(*countedConn); ok {
			used.countedConn, used.before = counted, counted.written.Load()
		}
		a.conn.Store(used)
	}})
}

// progress judges by positive evidence only: in doubt a request was sent.
func (a *attempt) progress(err error) progress {
	used := a.conn.Load()
	var op *net.OpError
	switch {
	case used == nil && errors.As(err, &op) && op.Op == "dial":
		return unconnected
	case used != nil && used.countedConn != nil && used.written.Load() == used.before:
		return stale
	}
	return sent
}

// wholeBody is a request's body that outlives failed attempts: a transport
// closes what it could not send.
type wholeBody struct {
	io.Reader
	touched atomic.Bool
}

func (b *wholeBody) Read(p []byte) (int, error) {
	b.touched.Store(true)
	return b.Reader.Read(p)
}

func (*wholeBody) Close() error { return nil }

// sendOnce makes a request one that http.Transport does not repeat on its own:
// it would, when a kept connection breaks after the request was written, for
// methods without a body and with an idempotency key. What goes over the wire
// means the same.
func sendOnce(out *http.Request) {
	if out.Body != nil {
		return
	}
	switch out.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		// A body of nothing that is not http.NoBody, without a length or chunks.
		out.Body, out.TransferEncoding = io.NopCloser(strings.NewReader("")), []string{"identity"}
	}
	for _, key := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		if values, ok := out.Header[key]; ok {
			delete(out.Header, key)
			out.Header[strings.ToLower(key)] = values // unseen by the transport, the same to the pod
		}
	}
}
