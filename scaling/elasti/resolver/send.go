package resolver

import (
	"context"
	"errors"
	"net/http"
	"syscall"
)

// look returns nil once a pod is ready. It keeps the slot meanwhile.
func (h *held) look() error {
	r := h.r
	for {
		if err := h.over(); err != nil {
			return err
		}
		there, err := r.ready(h.ctx, h.host)
		if err := h.over(); err != nil {
			return err
		}
		if err != nil {
			r.logger.Warn("not known whether a pod is ready", "service", h.service.name.String(), "error", err)
		}
		if h.seen(there && err == nil) {
			return nil
		}
		if err := h.sleep(r.settings.Retry); err != nil {
			return err
		}
	}
}

// seen says what follows from a look: whether to forward. If not, the operator
// is told once more when that is due.
func (h *held) seen(there bool) bool {
	h.r.mu.Lock()
	defer h.r.mu.Unlock()
	now := h.r.now()
	ready := h.service.rules.Ready(h.r.settings, now, there)
	h.r.tally(h.service, func(c *Counts) {
		c.Looks++
		if !ready {
			c.Sleeps++
		}
	})
	if !ready && now > h.arrived { // at its arrival the operator was told already
		h.r.tell(h.service, now)
	}
	return ready
}

// RoundTrip looks for a ready pod, and sends the request until some of it has
// left, which happens once.
func (h *held) RoundTrip(out *http.Request) (*http.Response, error) {
	failed := 0 // dials
	for {
		if failed == 0 || h.r.settings.Faults.Dials <= 0 {
			if err := h.look(); err != nil {
				return nil, err
			}
		}
		resp, how, err := h.send(out)
		if err == nil || how == sent {
			return resp, err
		}
		h.count(func(c *Counts) { c.Redials++ })
		if how == stale {
			continue // there are only so many kept connections
		}
		failed++
		pause := h.r.settings.Retry
		if h.r.settings.Faults.Dials > 0 {
			again := false
			if pause, again = h.r.settings.Faults.Pause(failed, errors.Is(err, syscall.ECONNREFUSED)); !again {
				return nil, err
			}
		}
		if err := h.sleep(pause); err != nil {
			return nil, err
		}
	}
}

// send tries to send the request once.
func (h *held) send(out *http.Request) (*http.Response, progress, error) {
	if h.client.Err() != nil {
		return nil, sent, errLeft // a ghost goes no further
	}
	unfollow := context.AfterFunc(h.client, func() { h.cancel(errLeft) })
	defer unfollow()
	h.move(proxying)
	wait := h.r.now() - h.arrived
	var try attempt
	resp, err := h.r.transport.RoundTrip(out.WithContext(try.trace(out.Context())))
	if err == nil {
		h.relax() // now nothing but the client's leaving ends it
		if late := h.over(); late != nil {
			_ = resp.Body.Close()
			return nil, sent, late
		}
		h.count(func(c *Counts) { c.sent(wait) })
		return resp, sent, nil
	}
	if over := h.over(); over != nil {
		return nil, sent, over
	}
	how := try.progress(err)
	if how != sent && (h.body == nil || !h.body.touched.Load()) {
		h.move(holding)
		return nil, how, err
	}
	return nil, sent, err
}

func (h *held) count(change func(*Counts)) {
	h.r.mu.Lock()
	defer h.r.mu.Unlock()
	h.r.tally(h.service, change)
}
