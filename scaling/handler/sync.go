package handler

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/scalelab/scalelab/k8shelper"
)

// Sync reads the list of ElastiServices and takes in what is new or changed. A
// service whose ElastiService is gone is released: its target is scaled to its
// minimum unless it has replicas, KEDA is unpaused, and its traffic goes
// straight to the pods. What cannot be released is tried again by the next
// Sync. A list that cannot be read changes nothing and is the error.
func (h *Handler) Sync(ctx context.Context) error {
	done, err := h.syncs.take(ctx, struct{}{})
	if err != nil {
		return err
	}
	defer done()
	return h.sync(ctx)
}

// sync is Sync by whoever has the turn.
func (h *Handler) sync(ctx context.Context) error {
	var list []unstructured.Unstructured
	err := h.call.do(ctx, func(ctx context.Context) error {
		var err error
		list, err = h.ops.List(ctx, k8shelper.ElastiServices, h.options.Namespace)
		return err
	})
	if err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	wanted := map[types.NamespacedName]bool{}
	var taken []*service
	for i := range list {
		u := &list[i]
		if u.GetDeletionTimestamp() == nil {
			wanted[types.NamespacedName{Namespace: u.GetNamespace(), Name: u.GetName()}] = true
			if s := h.take(ctx, u); s != nil {
				taken = append(taken, s)
			}
		}
	}
	for _, s := range h.services(func(s *service) bool { return !wanted[s.key] }) {
		h.replace(ctx, s, nil)
	}
	h.synced.Store(true) // wake-ups need not wait for what follows
	for _, s := range taken {
		h.look(ctx, s)
	}
	h.releaseLeaving(ctx)
	return ctx.Err()
}

// take takes in an ElastiService if it is new or changed, and returns nil
// otherwise. One that cannot be used leaves the generation before it in force.
func (h *Handler) take(ctx context.Context, u *unstructured.Unstructured) *service {
	h.mu.Lock()
	old := h.known[types.NamespacedName{Namespace: u.GetNamespace(), Name: u.GetName()}]
	h.mu.Unlock()
	if old != nil && old.uid == u.GetUID() && old.generation == u.GetGeneration() {
		return nil
	}
	s, err := h.newService(u)
	if err != nil {
		h.report.failed(ctx, referenceTo(u), EventInvalid, err)
		return nil
	}
	if !h.replace(ctx, old, s) {
		s.close(h.options.Log)
		return nil
	}
	return s
}

// replace puts a service in the place of another; either may be nil. The old
// one is released unless the new one looks after the same target and service.
// It waits for whoever works on the old target. False means that ctx ended.
func (h *Handler) replace(ctx context.Context, old, s *service) bool {
	if old != nil {
		done, err := h.targets.take(ctx, old.turn)
		if err != nil {
			return false
		}
		defer done()
		defer old.close(h.options.Log)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case s == nil:
		delete(h.known, old.key)
		h.leaving = append(h.leaving, old)
		return true
	case old == nil:
	case old.turn == s.turn && old.spec.Service == s.spec.Service && old.scaledObject() == s.scaledObject():
		// The stamp in memory is finer than that in the status, and may be newer:
		// of a wake-up after the list was read, or of one that could not be written.
		if stamp := old.autoscaler.ScaledUp(); stamp.After(s.autoscaler.ScaledUp()) {
			s.autoscaler.Restore(stamp)
		}
		s.traffic = old.traffic
		s.rises.Store(old.rises.Load())
	default:
		h.leaving = append(h.leaving, old)
	}
	h.known[s.key] = s
	return true
}

// releaseLeaving releases what is no longer wanted, as far as that succeeds.
func (h *Handler) releaseLeaving(ctx context.Context) {
	h.mu.Lock()
	leaving := h.leaving
	h.leaving = nil
	h.mu.Unlock()
	var left []*service
	for _, s := range leaving {
		if err := h.release(ctx, s); err != nil {
			h.report.failed(ctx, s.reference, EventScaleFailed, fmt.Errorf("release: %w", err))
			left = append(left, s)
		}
	}
	h.mu.Lock()
	h.leaving = append(h.leaving, left...)
	h.mu.Unlock()
}

// release leaves nothing at zero that nobody would wake. What another
// ElastiService looks after is left to that one.
func (h *Handler) release(ctx context.Context, s *service) error {
	done, err := h.targets.take(ctx, s.turn)
	if err != nil {
		return err
	}
	defer done()
	nobody := func(looksAfter func(other *service) bool) bool { return len(h.services(looksAfter)) == 0 }
	var problems []error
	if nobody(func(other *service) bool { return other.scaledObject() == s.scaledObject() }) {
		problems = append(problems, h.unpause(ctx, s))
	}
	if nobody(func(other *service) bool { return other.turn == s.turn }) {
		problems = append(problems, h.liftFromZero(ctx, s))
	}
	if h.leads() && nobody(func(other *service) bool {
		return other.key.Namespace == s.key.Namespace && other.spec.Service == s.spec.Service
	}) {
		problems = append(problems, h.removeDetour(ctx, s))
	}
	for i, err := range problems {
		if errors.Is(err, k8shelper.ErrNotFound) {
			problems[i] = nil // gone with the ElastiService
		}
	}
	return errors.Join(problems...)
}

// liftFromZero scales a target that is at zero to its minimum.
func (h *Handler) liftFromZero(ctx context.Context, s *service) error {
	seen, err := h.scale(ctx, s)
	if err != nil || seen.Desired > 0 {
		return err
	}
	decision := s.autoscaler.Release(h.options.Clock.Now(), replicas(seen))
	if err := h.setScale(ctx, s, seen, decision.Desired); err != nil {
		return err
	}
	h.report.done(ctx, s.reference, EventReleased, decision.Message)
	return nil
}
