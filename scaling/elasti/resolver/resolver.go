// Package resolver is KubeElasti's request-holding reverse proxy as an
// http.Handler. While a service has no pod, its requests come here: each takes a
// slot in the order of arrival, asks the operator for a pod, looks for a ready
// one every Retry, and is then forwarded once to the private service. The rules
// are those of package hold, which the simulator's front follows too; here are
// the sockets, the queue and the clock.
//
// A request is sent at most once: it is tried again only while no byte of it
// has left, that is when no connection came about. Its body is not read before
// it is forwarded, however long it is held, and so costs no memory here. The
// price: over HTTP/1 a server notices that a client has left only once the body
// is read, so a held request with a body keeps its slot until the next attempt
// to forward it or its timeout; one without a body gives it back at once.
//
// The timeout covers the time until a response begins. A response that has
// begun, a stream or a websocket is not cut off: it could not become a 408.
//
// Ignored: HTTP/2 without TLS towards the pods (a Transport can add it), and
// the answers to probes that KubeElasti reads from the ElastiService.
//
// Source: KubeElasti v0.1.30, resolver/internal (handler, throttler, hostmanager).
package resolver

import (
	"context"
	"errors"
	"log"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/elasti/hold"
)

// TargetFunc says which service a request is for; HostFromHeader makes one. An
// error is answered with 400.
type TargetFunc func(*http.Request) (messages.Host, error)

// ReadyFunc says whether a service has a ready pod now. An error counts as none.
type ReadyFunc func(context.Context, messages.Host) (bool, error)

// NotifyFunc tells the operator that requests wait; notify.Client has one. It
// must return when its context ends.
type NotifyFunc func(context.Context, messages.RequestCount) error

// Options are what a Resolver is made of. All but Transport and Logger must be
// set.
type Options struct {
	Settings hold.Settings
	Clock    clock.WithTicker
	Target   TargetFunc
	Ready    ReadyFunc
	Notify   NotifyFunc
	// Transport reaches the private services; nil: NewTransport's.
	Transport http.RoundTripper
	Logger    *slog.Logger // nil: nothing is logged
}

// Validate reports everything that cannot be used.
func (o Options) Validate() error {
	var problems messages.Problems
	problems.Add(messages.Under("settings", o.Settings.Validate()))
	for _, part := range []struct {
		field   string
		missing bool
	}{
		{"clock", o.Clock == nil}, {"target", o.Target == nil}, {"ready", o.Ready == nil}, {"notify", o.Notify == nil},
	} {
		if part.missing {
			problems.Addf(part.field, "found none, expected one")
		}
	}
	return problems.Err()
}

// Resolver holds and forwards requests. It is safe for concurrent use.
type Resolver struct {
	settings  hold.Settings
	clock     clock.WithTicker
	origin    time.Time // what instants are counted from
	target    TargetFunc
	ready     ReadyFunc
	notify    NotifyFunc
	transport http.RoundTripper
	logger    *slog.Logger
	proxyLog  *log.Logger // the same, for httputil

	// ending is over when Shutdown has run out of patience or of requests.
	ending context.Context
	end    context.CancelFunc

	mu       sync.Mutex
	gate     gate
	services services
	total    Counts
	inside   int // requests and messages under way
	closing  bool
	quiet    chan struct{} // closed when closing and nothing is inside
}

// New returns a Resolver, or everything that is wrong with the options.
func New(o Options) (*Resolver, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Transport == nil {
		o.Transport = NewTransport(TransportOptions{})
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	ending, end := context.WithCancel(context.Background())
	return &Resolver{
		settings: o.Settings, clock: o.Clock, origin: o.Clock.Now(),
		target: o.Target, ready: o.Ready, notify: o.Notify, transport: o.Transport, logger: o.Logger,
		proxyLog: slog.NewLogLogger(o.Logger.Handler(), slog.LevelWarn),
		ending:   ending, end: end,
		gate:     gate{settings: o.Settings},
		services: newServices(o.Settings),
		quiet:    make(chan struct{}),
	}, nil
}

func (r *Resolver) now() time.Duration { return r.clock.Since(r.origin) }

// ServeHTTP holds a request until its service has a ready pod, and forwards it.
// Otherwise the answer is JSON {"error": why} with 400 (for no service), 408
// (timeout, or traffic is switched), 500 (too many inside), 502 (no connection,
// or it broke) or 503 with Retry-After (shutting down).
func (r *Resolver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	var h *held
	defer func() {
		if cause := recover(); cause != nil {
			r.contain(w, h, cause)
		}
	}()
	host, err := r.target(req)
	if err != nil {
		r.turnAway(w, &refusal{http.StatusBadRequest, err.Error(), badTarget})
		return
	}
	if h, err = r.arrive(req, host); err != nil {
		r.reply(w, err)
		return
	}
	defer r.depart(h)
	if err := h.awaitSlot(); err != nil {
		h.fail(w, nil, err)
		return
	}
	h.forward(w, req)
}

// contain ends a request whose handling panicked: with 500, or by breaking the
// connection if an answer has begun.
func (r *Resolver) contain(w http.ResponseWriter, h *held, cause any) {
	if cause == http.ErrAbortHandler {
		panic(cause) // how net/http is told to break the connection
	}
	r.logger.Error("a request's handling panicked", "cause", cause)
	if h != nil && h.begun {
		panic(http.ErrAbortHandler)
	}
	if h == nil {
		r.turnAway(w, errPanic)
		return
	}
	r.reply(w, errPanic)
}

// turnAway answers a request that never got as far as a service.
func (r *Resolver) turnAway(w http.ResponseWriter, why *refusal) {
	r.mu.Lock()
	r.total.Requests++
	r.total.end(why.outcome)
	r.mu.Unlock()
	r.reply(w, why)
}

// Shutdown stops taking requests (503), waits until those inside are answered,
// and returns nil. When ctx ends first, requests that have no answer yet get
// 503, responses that have begun go on, and ctx's error is returned.
func (r *Resolver) Shutdown(ctx context.Context) error {
	defer r.end()
	r.mu.Lock()
	r.closing = true
	r.settle()
	r.mu.Unlock()
	select {
	case <-r.quiet:
		return nil
	case <-ctx.Done():
		return errors.Join(errors.New("shut down with requests inside"), context.Cause(ctx))
	}
}

// settle closes quiet once nothing is left. The caller holds mu.
func (r *Resolver) settle() {
	if !r.closing || r.inside > 0 {
		return
	}
	select {
	case <-r.quiet:
	default:
		close(r.quiet)
	}
}
