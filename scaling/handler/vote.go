package handler

import (
	"context"
	"errors"
	"fmt"

	"github.com/scalelab/scalelab/scaling"
	"github.com/scalelab/scalelab/scaling/elasti"
)

var errUnhealthy = errors.New("not healthy")

// vote asks one trigger. Doubt is for leaving everything as it is: a trigger
// that is not healthy, that fails, or that has seen no work but not for long
// enough, votes neither for zero nor up.
func (h *Handler) vote(ctx context.Context, s *service, index int) elasti.Vote {
	name := fmt.Sprintf("trigger %d", index)
	direction := elasti.Skip
	err := h.call.once(ctx, h.options.TriggerTimeout, func(ctx context.Context) error {
		var err error
		direction, err = ask(ctx, s.scalers[index])
		return err
	})
	switch {
	case err != nil:
		err = fmt.Errorf("%s: %w", name, err)
		h.report.failed(ctx, s.reference, EventTriggerFailed, err)
		return elasti.Vote{Direction: elasti.Skip, Because: err.Error()}
	case direction == elasti.ToZero:
		return elasti.Vote{Direction: direction, Because: name + " sees no work"}
	case direction == elasti.Up:
		return elasti.Vote{Direction: direction, Because: name + " sees work"}
	}
	return elasti.Vote{Direction: direction, Because: name + " sees no work, but not for long enough"}
}

func ask(ctx context.Context, s scaling.Scaler) (elasti.Direction, error) {
	healthy, err := s.IsHealthy(ctx)
	if err != nil {
		return elasti.Skip, fmt.Errorf("health unknown: %w", err)
	}
	if !healthy {
		return elasti.Skip, errUnhealthy
	}
	zero, err := s.ShouldScaleToZero(ctx)
	if err != nil {
		return elasti.Skip, fmt.Errorf("idleness unknown: %w", err)
	}
	if zero {
		return elasti.ToZero, nil
	}
	up, err := s.ShouldScaleFromZero(ctx)
	if err != nil {
		return elasti.Skip, fmt.Errorf("work unknown: %w", err)
	}
	if up {
		return elasti.Up, nil
	}
	return elasti.Skip, nil
}
