package resolver

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/scalelab/scalelab/messages"
)

// held is a request inside, from its arrival to its end.
type held struct {
	r       *Resolver
	service *service
	host    messages.Host
	target  *url.URL // of the private service
	arrived time.Duration
	pass    *pass
	body    *wholeBody // nil without one

	client context.Context // ends when the client leaves
	ctx    context.Context // ends when nobody waits any longer; its cause says why
	cancel context.CancelCauseFunc
	relax  func() // ends the watch over the timeout

	at      stage   // guarded by the Resolver's mutex
	begun   bool    // the answer has begun
	outcome outcome // pending: the answer broke off
}

// arrive lets a request in, and tells the operator.
func (r *Resolver) arrive(req *http.Request, host messages.Host) (*held, error) {
	target, err := url.Parse(host.TargetHost)
	if err != nil || target.Host == "" {
		err = &refusal{http.StatusInternalServerError, "no address of the private service", badTarget}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if r.closing {
		err = errStopped
	}
	if err != nil {
		r.total.Requests++
		r.total.end(asRefusal(err).outcome)
		return nil, err
	}
	v := r.services.take(ServiceName{host.Namespace, host.SourceService}, now)
	r.tally(v, func(c *Counts) { c.Requests++ })
	turnAway := func(why *refusal) (*held, error) {
		r.tally(v, func(c *Counts) { c.end(why.outcome) })
		r.services.release(v, now)
		return nil, why
	}
	if !v.rules.Open(r.settings, now) {
		return turnAway(errClosed)
	}
	r.tell(v, now)
	pass := r.gate.enter()
	if pass == nil {
		return turnAway(errFull)
	}
	r.inside++
	h := &held{r: r, service: v, host: host, target: target, arrived: now, pass: pass, client: req.Context()}
	waits := h.client
	if r.settings.Faults.GhostsStay {
		waits = context.WithoutCancel(waits)
	}
	h.ctx, h.cancel = context.WithCancelCause(waits)
	h.relax = h.watch()
	if pass.place != nil {
		h.moveLocked(waiting)
	} else {
		h.moveLocked(holding)
	}
	return h, nil
}

// watch ends the request's waiting when it times out or the resolver ends,
// until the function it returns is called.
func (h *held) watch() func() {
	var timeout <-chan time.Time
	stop := func() {}
	if h.r.settings.Timeout > 0 {
		timer := h.r.clock.NewTimer(h.r.settings.Timeout)
		timeout, stop = timer.C(), func() { timer.Stop() }
	}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-timeout:
			h.cancel(errTimeout)
		case <-h.r.ending.Done():
			h.cancel(errStopped)
		case <-quit:
		}
	}()
	return sync.OnceFunc(func() {
		close(quit)
		<-done
		stop()
	})
}

// depart gives everything back that the request had.
func (r *Resolver) depart(h *held) {
	h.relax()
	h.cancel(nil)
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	h.moveLocked(gone)
	r.gate.leave(h.pass)
	if h.outcome == pending {
		h.outcome = panicked
		if h.begun {
			h.outcome = broken
		}
	}
	if h.outcome == answered {
		h.service.rules.Answered(r.settings, now)
	}
	r.tally(h.service, func(c *Counts) { c.end(h.outcome) })
	r.services.release(h.service, now)
	r.inside--
	r.settle()
}

// move says where the request is now.
func (h *held) move(to stage) {
	h.r.mu.Lock()
	defer h.r.mu.Unlock()
	h.moveLocked(to)
}

func (h *held) moveLocked(to stage) {
	h.r.tally(h.service, func(c *Counts) { c.move(h.at, to) })
	h.at = to
}

// over says why the request must not wait any longer, if so. The timeout comes
// before a look that is due at the same instant.
func (h *held) over() error {
	if cause := context.Cause(h.ctx); cause != nil {
		var own *refusal
		if errors.As(cause, &own) {
			return own
		}
		return errLeft
	}
	if t := h.r.settings.Timeout; t > 0 && !h.begun && h.r.now() >= h.arrived+t {
		return errTimeout
	}
	return nil
}

// awaitSlot returns with a slot, or with the reason why not.
func (h *held) awaitSlot() error {
	select {
	case <-h.pass.granted:
	case <-h.ctx.Done():
	}
	if err := h.over(); err != nil {
		return err
	}
	h.move(holding)
	return nil
}

// sleep returns nil after d.
func (h *held) sleep(d time.Duration) error {
	timer := h.r.clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
	case <-h.ctx.Done():
	}
	return h.over()
}
