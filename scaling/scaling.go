// Package scaling has the interfaces that every autoscaling system implements.
// Each system lives in a package of its own below this one: its manifest
// types, defaults, validation and the pure decision.
package scaling

import (
	"time"

	"github.com/scalelab/scalelab/messages"
)

// Autoscaler is one control loop. It is pure: the same sequence of inputs
// gives the same Decisions, and its memory is its own fields.
type Autoscaler interface {
	// Period is the time between two decisions.
	Period() time.Duration
	// Decide says how many replicas the workload should have. An error means
	// that the loop could not run at all; a metric that is absent is no error.
	Decide(now time.Time, seen messages.Observation) (messages.Decision, error)
}

// Observer is an Autoscaler that wants to see metrics.
type Observer interface {
	// Queries are answered in Observation.Metrics, index by index, at every
	// Decide. The list does not change over the autoscaler's life.
	Queries() []messages.Query
}

// Waker is an Autoscaler that can be told of requests that found nobody home.
type Waker interface {
	Wake(now time.Time, count messages.RequestCount, seen messages.Replicas) (messages.Decision, error)
}
