package handler

import (
	"context"
	"errors"
	"fmt"

	"github.com/scalelab/scalelab/k8shelper"
	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/elasti"
)

// inTurn lets nobody else touch the target while do works on the scale that it
// is given: from the reading of the replicas to the last write, so that no
// wake-up comes between what is decided on and what is done. A service that is
// not current any more is left alone.
func (h *Handler) inTurn(ctx context.Context, s *service, do func(seen k8shelper.Scale)) {
	done, err := h.targets.take(ctx, s.turn)
	if err != nil {
		return
	}
	defer done()
	if !h.current(s) {
		return
	}
	seen, err := h.scale(ctx, s)
	if err != nil {
		h.report.failed(ctx, s.reference, EventScaleFailed, err)
		return
	}
	do(seen)
}

// poll is one poll of one service.
func (h *Handler) poll(ctx context.Context, s *service) {
	h.inTurn(ctx, s, func(seen k8shelper.Scale) { h.pollOn(ctx, s, seen) })
}

func (h *Handler) pollOn(ctx context.Context, s *service, seen k8shelper.Scale) {
	decision := s.autoscaler.Poll(h.options.Clock.Now(), replicas(seen), func(trigger int) elasti.Vote {
		return h.vote(ctx, s, trigger)
	})
	if ctx.Err() != nil {
		return // what was voted is that we are being stopped
	}
	err := h.carry(ctx, s, seen, decision)
	switch {
	case err != nil: // the replicas are not known; the next poll looks
	case wishOf(decision) == down:
		h.rise(s, 0)
		h.tell(ctx, s) // the traffic is led already
	default:
		seen.Desired = decision.Desired
		err = h.settle(ctx, s, seen)
	}
	h.rescue(ctx, s, seen, err)
}

// rescue wakes a target that sleeps while no resolver is there to wake it, at
// the second poll in a row that finds it so: one that restarts is back by then.
func (h *Handler) rescue(ctx context.Context, s *service, seen k8shelper.Scale, err error) {
	alone := errors.Is(err, ErrNoResolver) && seen.Desired == 0
	if alone && s.alone {
		// What fails is reported, and tried again by the next poll.
		_ = h.up(ctx, s, seen, s.autoscaler.Release(h.options.Clock.Now(), replicas(seen)))
	}
	s.alone = alone
}

// Wake scales the target of a service to its minimum at once, whatever the
// triggers say: requests are held for it. A wake-up during a poll of the target
// waits for the end of it. A service that no ElastiService names is
// ErrUnknownService.
func (h *Handler) Wake(ctx context.Context, count messages.RequestCount) error {
	if err := count.Validate(); err != nil {
		return fmt.Errorf("wake: %w", err)
	}
	if err := h.syncOnce(ctx); err != nil {
		return fmt.Errorf("wake %s/%s: %w", count.Namespace, count.Svc, err)
	}
	err := fmt.Errorf("wake %s/%s: %w", count.Namespace, count.Svc, ErrUnknownService)
	for range replacements {
		found := h.services(func(s *service) bool {
			return s.key.Namespace == count.Namespace && s.spec.Service == count.Svc
		})
		if len(found) == 0 {
			return err
		}
		var problems []error
		for _, s := range found {
			problems = append(problems, h.wake(ctx, s, count))
		}
		switch failed := errors.Join(problems...); {
		case failed == nil:
			return nil
		case !errors.Is(failed, errReplaced):
			return fmt.Errorf("wake %s/%s: %w", count.Namespace, count.Svc, failed)
		}
	}
	return err
}

// replacements bounds how often a wake-up looks its service up again.
const replacements = 3

// errReplaced is a service that changed while somebody waited for its turn.
var errReplaced = errors.New("the ElastiService has changed")

// syncOnce reads the list of ElastiServices if that has never succeeded.
func (h *Handler) syncOnce(ctx context.Context) error {
	if h.synced.Load() {
		return nil
	}
	done, err := h.syncs.take(ctx, struct{}{})
	if err != nil {
		return err
	}
	defer done()
	if h.synced.Load() {
		return nil
	}
	return h.sync(ctx)
}

// wake wakes one service.
func (h *Handler) wake(ctx context.Context, s *service, count messages.RequestCount) error {
	done, err := h.targets.take(ctx, s.turn)
	if err != nil {
		return err
	}
	defer done()
	if !h.current(s) {
		return errReplaced
	}
	seen, err := h.scale(ctx, s)
	if err != nil {
		h.report.failed(ctx, s.reference, EventScaleFailed, err)
		return err
	}
	decision, err := s.autoscaler.Wake(h.options.Clock.Now(), count, replicas(seen))
	if err != nil {
		return err
	}
	if err := h.carry(ctx, s, seen, decision); err != nil {
		return err
	}
	h.rise(s, decision.Desired)
	return nil
}

func replicas(s k8shelper.Scale) messages.Replicas {
	return messages.Replicas{Desired: s.Desired, Created: s.Created}
}
