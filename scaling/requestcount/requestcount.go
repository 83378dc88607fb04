// Package requestcount is the trigger of a live scale handler that is fed by the
// request-holding proxy: a RequestCount says that requests wait for the service.
//
// A message is a sign of work, and its absence is one of idleness only while
// somebody would have sent one. KubeElasti's proxy sees the traffic of a service
// only while it has no ready pod, so beside a workload that is up this trigger
// needs another one that sees the traffic there. It ignores how many requests
// wait: one is enough to be up for the cooldown.
//
// Source: KubeElasti v0.1.30, operator/internal/elastiserver, where a message
// stamps status.lastScaledUpTime, from which the cooldown counts.
package requestcount

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling"
)

var _ scaling.Scaler = (*Scaler)(nil)

// Options say whose messages count, and for how long. All are needed.
type Options struct {
	Namespace string
	Service   string
	Cooldown  time.Duration // how long a message keeps the workload up
	Clock     clock.PassiveClock
}

// Validate reports everything that cannot be used, as messages.Problems.
func (o Options) Validate() error {
	var problems messages.Problems
	if o.Namespace == "" {
		problems.Addf("Namespace", "found none, expected a namespace")
	}
	if o.Service == "" {
		problems.Addf("Service", "found none, expected a service name")
	}
	if o.Cooldown <= 0 {
		problems.Addf("Cooldown", "found %v, expected more than 0s", o.Cooldown)
	}
	if o.Clock == nil {
		problems.Addf("Clock", "found none, expected a clock")
	}
	return problems.Err()
}

// Scaler remembers one instant: when a request last waited. It is for many
// goroutines.
//
//	        Receive              + cooldown
//	 hold      |         up          |        to zero
//	-----------+=====================+----------------->
//	 since New, for the cooldown
type Scaler struct {
	options Options
	began   time.Time

	mu       sync.Mutex
	received time.Time // zero: never
}

// New gives a Scaler that knows of no message yet: until its own cooldown is
// over it wants neither zero nor up, since messages before it are unknown to it.
// Errors are messages.Problems.
func New(o Options) (*Scaler, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	return &Scaler{options: o, began: o.Clock.Now()}, nil
}

// Receive takes a message that came at now. Messages may come in any order; the
// newest counts. One that is invalid or for another service is an error.
func (s *Scaler) Receive(now time.Time, m messages.RequestCount) error {
	if err := m.Validate(); err != nil {
		return fmt.Errorf("requestcount: %w", err)
	}
	if m.Namespace != s.options.Namespace || m.Svc != s.options.Service {
		return fmt.Errorf("requestcount: found a message for %s/%s, expected %s/%s",
			m.Namespace, m.Svc, s.options.Namespace, s.options.Service)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.After(s.received) {
		s.received = now
	}
	return nil
}

// IsHealthy is true while ctx lives: there is nothing that could be away.
func (s *Scaler) IsHealthy(ctx context.Context) (bool, error) {
	return ctx.Err() == nil, context.Cause(ctx)
}

// ShouldScaleToZero says that no message came, and none can have been missed,
// for the cooldown.
func (s *Scaler) ShouldScaleToZero(ctx context.Context) (bool, error) {
	now, last := s.instants()
	idle := now.Sub(s.began) >= s.options.Cooldown && (last.IsZero() || now.Sub(last) >= s.options.Cooldown)
	return idle && ctx.Err() == nil, context.Cause(ctx)
}

// ShouldScaleFromZero says that a message came within the cooldown.
func (s *Scaler) ShouldScaleFromZero(ctx context.Context) (bool, error) {
	now, last := s.instants()
	active := !last.IsZero() && now.Sub(last) < s.options.Cooldown
	return active || ctx.Err() != nil, context.Cause(ctx)
}

// Close has nothing to let go of.
func (s *Scaler) Close() error { return nil }

func (s *Scaler) instants() (now, last time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.options.Clock.Now(), s.received
}
