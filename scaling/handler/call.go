package handler

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/utils/clock"

	"github.com/scalelab/scalelab/k8shelper"
)

// Retry bounds how a call is tried again that failed for a reason which may
// pass: a conflict, a timeout, a server that is busy or broken. The pause
// doubles and has no jitter, so that a run can be repeated: 6 attempts with
// 200 ms and 5 s wait 200 ms, 400 ms, 800 ms, 1.6 s and 3.2 s, 6.2 s in all.
type Retry struct {
	Attempts int           // 1 is no retry
	Initial  time.Duration // pause after the first failure
	Maximum  time.Duration // of one pause, also of one that the server asks for
}

// errTimeout ends one attempt that took too long; the next may do better.
var errTimeout = errors.New("timeout")

// caller carries calls out: bounded in time, repeated while there is hope.
type caller struct {
	clock   clock.WithTicker
	retry   Retry
	timeout time.Duration // of one attempt
}

// do tries until an attempt succeeds, fails for good, or the attempts or ctx end.
func (c caller) do(ctx context.Context, attempt func(context.Context) error) error {
	pause := c.retry.Initial
	for n := 1; ; n++ {
		err := c.once(ctx, c.timeout, attempt)
		switch {
		case err == nil || ctx.Err() != nil:
			return err
		case !errors.Is(err, errTimeout) && !k8shelper.Transient(err):
			return err
		case n >= c.retry.Attempts:
			return fmt.Errorf("given up after %d attempts: %w", n, err)
		}
		wished, _ := k8shelper.RetryAfter(err)
		if ended := c.sleep(ctx, min(max(pause, wished), c.retry.Maximum)); ended != nil {
			return fmt.Errorf("%w, after: %w", ended, err)
		}
		pause = min(2*pause, c.retry.Maximum)
	}
}

// once is one attempt, whose context ends with the timeout. An error that comes
// of it wraps errTimeout.
func (c caller) once(ctx context.Context, timeout time.Duration, attempt func(context.Context) error) error {
	within, cancel := context.WithCancelCause(ctx)
	timer := c.clock.NewTimer(timeout)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-timer.C():
			cancel(errTimeout)
		case <-within.Done():
		}
	}()
	err := attempt(within)
	late := errors.Is(context.Cause(within), errTimeout)
	cancel(nil)
	timer.Stop()
	<-watched
	if err != nil && late {
		return fmt.Errorf("%w of %v: %w", errTimeout, timeout, err)
	}
	return err
}

// sleep waits on the injected clock; an error means that ctx ended first.
func (c caller) sleep(ctx context.Context, d time.Duration) error {
	timer := c.clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
