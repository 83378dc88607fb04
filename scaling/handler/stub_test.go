package handler

import (
	"context"
	"sync"
	"time"
)

// stub is a Scaler under the test's control. Its zero value is healthy, and
// sees no work but not for long enough.
type stub struct {
	mu         sync.Mutex
	state      scalerState
	asked      int
	closed     int
	takes      time.Duration // to answer whether it is healthy
	closeFails error
}

type scalerState struct {
	unhealthy, idle, busy         bool
	healthErr, zeroErr, atWorkErr error
}

func (s *stub) set(state scalerState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = state
}

func (s *stub) get() scalerState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

func (s *stub) IsHealthy(ctx context.Context) (bool, error) {
	s.mu.Lock()
	s.asked++
	takes := s.takes
	s.mu.Unlock()
	if takes > 0 {
		select {
		case <-time.After(takes):
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
	state := s.get()
	return !state.unhealthy && state.healthErr == nil, state.healthErr
}

func (s *stub) ShouldScaleToZero(context.Context) (bool, error) {
	state := s.get()
	return state.idle && state.zeroErr == nil, state.zeroErr
}

func (s *stub) ShouldScaleFromZero(context.Context) (bool, error) {
	state := s.get()
	return state.busy || state.atWorkErr != nil, state.atWorkErr
}

func (s *stub) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed++
	return s.closeFails
}

var (
	idle = scalerState{idle: true}
	busy = scalerState{busy: true}
)

// takesLong makes the trigger's answers take so long.
func (s *stub) takesLong(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.takes = d
}
