package handler

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/scalelab/scalelab/k8shelper"
)

// traffic is where a service's traffic was last led.
type traffic struct {
	mode      Mode // empty: unknown
	addresses []string
	at        time.Time // when it was written
}

// leads says whether traffic is ours to lead.
func (h *Handler) leads() bool { return h.options.Resolver != Resolver{} }

// look settles the mode of a service outside of a poll.
func (h *Handler) look(ctx context.Context, s *service) {
	h.inTurn(ctx, s, func(seen k8shelper.Scale) {
		_ = h.settle(ctx, s, seen) // is reported
	})
}

// settle decides the mode of a service, leads its traffic there, and tells.
func (h *Handler) settle(ctx context.Context, s *service, seen k8shelper.Scale) error {
	if h.leads() {
		mode, err := decideMode(seen.Desired, seen.Created, func() (int, error) { return h.readyPods(ctx, s, seen.Selector) })
		if err == nil {
			err = h.lead(ctx, s, mode)
		}
		if err != nil {
			h.report.failed(ctx, s.reference, EventModeFailed, err)
			return err
		}
		h.rise(s, seen.Desired)
	}
	h.tell(ctx, s)
	return nil
}

// tell writes the status if the mode is new or the ElastiService is.
func (h *Handler) tell(ctx context.Context, s *service) {
	mode := s.traffic.mode
	if s.told != nil && *s.told == mode {
		return
	}
	if h.patchStatus(ctx, s, k8shelper.ElastiStatus{LastReconciledTime: h.options.Clock.Now(), Mode: string(mode)}) == nil {
		s.told = &mode
	}
}

// rise has the pods of a service looked at until they take its traffic over.
func (h *Handler) rise(s *service, desired int32) {
	rises := h.leads() && desired > 0 && s.traffic.mode != ModeServe
	if s.rises.Swap(rises) == rises || !rises {
		return
	}
	select {
	case h.nudge <- struct{}{}:
	default: // Run looks anyway
	}
}

func (h *Handler) readyPods(ctx context.Context, s *service, selector string) (int, error) {
	var pods k8shelper.Pods
	err := h.call.do(ctx, func(ctx context.Context) error {
		var err error
		pods, err = h.ops.Pods(ctx, s.key.Namespace, selector)
		return err
	})
	return pods.Ready, err
}

// lead leads a service's traffic. What was written less than Resync ago is not
// written again, unless the resolver has moved.
func (h *Handler) lead(ctx context.Context, s *service, mode Mode) error {
	if !h.leads() {
		return nil
	}
	var addresses []string
	if mode == ModeProxy {
		var err error
		if addresses, err = h.resolvers(ctx); err != nil {
			return err
		}
	}
	now := h.options.Clock.Now()
	fresh := now.Sub(s.traffic.at) < h.options.Resync
	if fresh && s.traffic.mode == mode && slices.Equal(s.traffic.addresses, addresses) {
		return nil
	}
	s.traffic = traffic{} // unknown, should a step fail
	var err error
	if mode == ModeProxy {
		err = h.detour(ctx, s, addresses)
	} else {
		err = h.straight(ctx, s)
	}
	if err != nil {
		return err
	}
	s.traffic = traffic{mode: mode, addresses: addresses, at: now}
	return nil
}

// resolvers are the addresses that requests are held at.
func (h *Handler) resolvers(ctx context.Context) ([]string, error) {
	r := h.options.Resolver
	var addresses []string
	err := h.call.do(ctx, func(ctx context.Context) error {
		var err error
		addresses, err = h.ops.ReadyAddresses(ctx, r.Namespace, r.Service)
		return err
	})
	if err == nil && len(addresses) == 0 {
		err = fmt.Errorf("read endpoints of %s/%s: %w", r.Namespace, r.Service, ErrNoResolver)
	}
	return addresses, err
}

// detour leads the traffic through the resolver, which reaches the pods by the
// private service.
func (h *Handler) detour(ctx context.Context, s *service, addresses []string) error {
	err := h.call.do(ctx, func(ctx context.Context) error {
		_, err := h.ops.EnsurePrivateService(ctx, s.key.Namespace, s.spec.Service, &s.owner)
		return err
	})
	if err != nil {
		return err
	}
	return h.call.do(ctx, func(ctx context.Context) error {
		return h.ops.EnsureResolverSlice(ctx, k8shelper.ResolverSlice{
			Namespace: s.key.Namespace, Service: s.spec.Service,
			Addresses: addresses, Port: h.options.Resolver.Port, Owner: &s.owner,
		})
	})
}

// straight leads the traffic to the pods alone.
func (h *Handler) straight(ctx context.Context, s *service) error {
	return h.call.do(ctx, func(ctx context.Context) error {
		return h.ops.DeleteResolverSlice(ctx, s.key.Namespace, s.spec.Service)
	})
}

// removeDetour removes everything that detour made.
func (h *Handler) removeDetour(ctx context.Context, s *service) error {
	if err := h.straight(ctx, s); err != nil {
		return err
	}
	return h.call.do(ctx, func(ctx context.Context) error {
		return h.ops.DeletePrivateService(ctx, s.key.Namespace, s.spec.Service)
	})
}
