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

// Collector is an Autoscaler that gathers the reports of the proxies on the way
// of the requests by itself, between its decisions.
type Collector interface {
	// CollectEvery is the reporting period.
	CollectEvery() time.Duration
	// Collect takes the reports of the period that ends at now.
	Collect(now time.Time, stats messages.Stats)
}

// Reconciler is an Autoscaler that also acts between its decisions: when pods
// come, go or become Ready, when the way of the requests has changed, and at
// instants of its own.
type Reconciler interface {
	// Reconcile acts on what is seen now.
	Reconcile(now time.Time, seen messages.Observation) (messages.Decision, error)
	// Next is the instant at which Reconcile has to be called at the latest; a
	// zero Time is never. It can change with every call of any other method.
	Next() time.Time
}

// Restarter is an Autoscaler that has something in its memory, or somebody who asks
// it, when its process ends.
type Restarter interface {
	// Stop ends the process. Until it is started again nothing but Restart is called.
	Stop()
	// Restart starts it again: what was in memory is forgotten, what is kept in the
	// API is not.
	Restart(now time.Time)
}

// Waker is an Autoscaler that can be told of requests that found nobody home.
type Waker interface {
	Wake(now time.Time, count messages.RequestCount, seen messages.Replicas) (messages.Decision, error)
}
