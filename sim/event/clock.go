package event

import (
	"time"

	"k8s.io/utils/clock"
)

// Clock is simulated time for code that asks a clock. It moves only when Set
// is called, and never backwards.
type Clock struct {
	start time.Time
	now   time.Duration
}

var _ clock.PassiveClock = (*Clock)(nil)

// NewClock gives a clock that stands at start.
func NewClock(start time.Time) *Clock { return &Clock{start: start} }

// Set moves the clock to now after the start. It panics if that is the past:
// an event out of order is a broken invariant.
func (c *Clock) Set(now time.Duration) {
	if now < c.now {
		panic("event: clock set back from " + c.now.String() + " to " + now.String())
	}
	c.now = now
}

// Elapsed is the time since the start.
func (c *Clock) Elapsed() time.Duration { return c.now }

// Now is the instant the clock stands at.
func (c *Clock) Now() time.Time { return c.start.Add(c.now) }

// Since is the simulated time that has passed since t.
func (c *Clock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }
