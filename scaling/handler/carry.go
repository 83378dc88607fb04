package handler

import (
	"context"
	"errors"
	"fmt"

	"github.com/scalelab/scalelab/k8shelper"
	"github.com/scalelab/scalelab/messages"
)

// errOvertaken is a scale to zero of a target that somebody has scaled since it
// was decided on.
var errOvertaken = errors.New("the target has been scaled meanwhile")

// wish is what a decision asks for beside a count: who wants a target up or
// down has steps to take even if it is there already.
type wish uint8

const (
	hold wish = iota // cooldown, or a trigger that knows nothing
	up
	down
)

func wishOf(d messages.Decision) wish {
	switch d.Reason {
	case messages.ReasonActive, messages.ReasonScaleUp, messages.ReasonScaleDown, messages.ReasonScaleFromZero:
		return up
	case messages.ReasonSteady, messages.ReasonScaleToZero:
		return down
	}
	return hold
}

// carry carries a decision out. seen is the scale that it was made on.
func (h *Handler) carry(ctx context.Context, s *service, seen k8shelper.Scale, d messages.Decision) error {
	switch wishOf(d) {
	case up:
		return h.up(ctx, s, seen, d)
	case down:
		return h.down(ctx, s, seen, d)
	}
	return nil
}

// up stamps, unpauses and scales. A step that fails does not keep the next from
// being tried: what counts is that the target comes up.
func (h *Handler) up(ctx context.Context, s *service, seen k8shelper.Scale, d messages.Decision) error {
	stamped := h.stamp(ctx, s)
	unpaused := h.unpause(ctx, s)
	if unpaused != nil {
		h.report.failed(ctx, s.reference, EventPauseFailed, unpaused)
	}
	if d.Desired <= seen.Desired {
		return errors.Join(stamped, unpaused)
	}
	if err := h.setScale(ctx, s, seen, d.Desired); err != nil {
		h.report.failed(ctx, s.reference, EventScaleFailed, err)
		return errors.Join(stamped, unpaused, err)
	}
	h.report.done(ctx, s.reference, EventScaledUp, d.Message)
	return errors.Join(stamped, unpaused)
}

// down leads the traffic to the resolver, pauses KEDA and scales to zero. A
// step that fails keeps the next from being tried: it would strand the service,
// or KEDA would undo it.
func (h *Handler) down(ctx context.Context, s *service, seen k8shelper.Scale, d messages.Decision) error {
	if err := h.lead(ctx, s, ModeProxy); err != nil {
		h.report.failed(ctx, s.reference, EventModeFailed, err)
		return err
	}
	if err := h.pause(ctx, s); err != nil {
		h.report.failed(ctx, s.reference, EventPauseFailed, err)
		return err
	}
	if seen.Desired == 0 {
		return nil
	}
	if err := h.setScale(ctx, s, seen, 0); err != nil {
		h.report.failed(ctx, s.reference, EventScaleFailed, err)
		return err
	}
	h.report.done(ctx, s.reference, EventScaledToZero, d.Message)
	return nil
}

// scale reads the target's scale.
func (h *Handler) scale(ctx context.Context, s *service) (k8shelper.Scale, error) {
	var read k8shelper.Scale
	err := h.call.do(ctx, func(ctx context.Context) error {
		var err error
		read, err = h.ops.Scale(ctx, s.target)
		return err
	})
	return read, err
}

// setScale writes a count onto the scale that was seen. If the target has
// changed since, it is read again: whoever made it larger than a count above
// zero is not undone, and zero is only written where the count still is the one
// that was decided on.
func (h *Handler) setScale(ctx context.Context, s *service, seen k8shelper.Scale, count int32) error {
	current, stale := seen, false
	return h.call.do(ctx, func(ctx context.Context) error {
		if stale {
			read, err := h.ops.Scale(ctx, s.target)
			if err != nil {
				return err
			}
			current = read
		}
		switch {
		case current.Desired == count || count > 0 && current.Desired > count:
			return nil // a write that timed out did take effect, or somebody was faster
		case count == 0 && current.Desired != seen.Desired:
			return fmt.Errorf("set scale of %s to 0: found %d replicas, decided on %d: %w", s.target, current.Desired, seen.Desired, errOvertaken)
		}
		_, err := h.ops.SetScaleAt(ctx, s.target, count, current.ResourceVersion)
		stale = err != nil
		return err
	})
}
