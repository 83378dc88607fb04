package keda

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling"
	"github.com/scalelab/scalelab/scaling/trail"
)

// Autoscaler is the operator's loop over one ScaledObject, and what it shares with
// the metrics adapter. It is not safe for concurrent use.
type Autoscaler struct {
	run      Spec
	manifest *ScaledObject     // of run
	spec     *ScaledObjectSpec // of the manifest
	triggers []trigger
	queries  []messages.Query
	asked    []int    // for each trigger the index of its query; -1: it has none
	formula  *formula // nil: every trigger has a metric of its own
	created  time.Time
	readsHPA bool
	resource bool // no trigger but cpu and memory
	pushed   int  // the trigger that the HTTP add-on answers for; -1: none

	lastActive time.Time // whole seconds, as the status has it; zero: never
	written    *health   // as the API has it
	polled     *health   // the copy of the polls
	cached     *health   // the copy of the scalers' cache; nil: there is none
	records    []*record // kept observations, for each trigger; nil: none
	stopped    bool      // the operator's process has ended
	hpaActive  bool      // the HPA's condition ScalingActive

	// Reused from one decision to the next.
	trail      trail.Trail
	conditions []messages.Condition
	signals    []messages.Signal
	values     map[string]any // of the formula
}

var (
	_ scaling.Autoscaler = (*Autoscaler)(nil)
	_ scaling.Observer   = (*Autoscaler)(nil)
)

// New gives the loop of a ScaledObject that was created at created, of which the
// API keeps whole seconds. Errors are messages.Problems with paths in the manifest.
func New(spec Spec, created time.Time) (*Autoscaler, error) {
	if spec.Manifest == nil {
		return nil, errors.New("keda: found no manifest, expected a ScaledObject")
	}
	if err := spec.Manifest.Validate(); err != nil {
		return nil, err
	}
	if spec.Route() != nil {
		if err := spec.HTTP.Validate(); err != nil {
			return nil, fmt.Errorf("keda: HTTP add-on: %w", err)
		}
	}
	s := &spec.Manifest.Spec
	a := &Autoscaler{
		run: spec, manifest: spec.Manifest, spec: s, created: created.Truncate(time.Second),
		readsHPA: s.readsHPA(), resource: s.onlyResources(),
		written: newHealth(len(s.Triggers)), polled: newHealth(len(s.Triggers)), cached: newHealth(len(s.Triggers)), records: make([]*record, len(s.Triggers)),
	}
	a.triggers, _ = spec.Manifest.read()
	a.pushed = slices.IndexFunc(a.triggers, func(t trigger) bool { return t.addon != nil })
	if s.usesModifiers() {
		a.formula = newFormula(s, &messages.Problems{})
		a.values = map[string]any{}
	}
	for i := range a.triggers {
		a.asked = append(a.asked, -1)
		if q := a.triggers[i].query; q != nil {
			a.asked[i] = len(a.queries)
			a.queries = append(a.queries, *q)
		}
	}
	return a, nil
}

// Quietly makes the Autoscaler give no reasons in words.
func (a *Autoscaler) Quietly() { a.trail.Quiet = true }

// Stop ends the operator's process, with which KEDA's adapter answers the HPA.
func (a *Autoscaler) Stop() { a.stopped = true }

// Restart starts it again, with empty caches. The last activity and the failures are
// in the API.
func (a *Autoscaler) Restart(time.Time) {
	a.stopped, a.cached = false, nil
	clear(a.records)
}

// Period is the polling interval.
func (a *Autoscaler) Period() time.Duration { return a.spec.Polling() }

// Queries are those of the triggers that ask something, in order.
func (a *Autoscaler) Queries() []messages.Query { return a.queries }

// LastActive is status.lastActiveTime; zero when there is none.
func (a *Autoscaler) LastActive() time.Time { return a.lastActive }

// Failures are the failures in a row of each external metric, as status.health has
// them. They are counted only where there is a fallback.
func (a *Autoscaler) Failures() map[string]int32 {
	counts := map[string]int32{}
	for i, n := range a.written.failures {
		if n != unheard {
			counts[a.triggers[i].metric] = n
		}
	}
	return counts
}

// look is what one poll, or one question of the HPA, sees.
type look struct {
	now    time.Time
	cur    int32 // spec.replicas
	seen   *messages.Observation
	health *health // the copy that goes by
}

// Decide is one poll. Only an Observation that does not answer Queries is an
// error.
func (a *Autoscaler) Decide(now time.Time, seen messages.Observation) (messages.Decision, error) {
	if len(seen.Metrics) != len(a.queries) {
		return messages.Decision{}, fmt.Errorf("keda: found %d metrics, expected %d", len(seen.Metrics), len(a.queries))
	}
	a.trail.Begin()
	l := look{now: now, cur: seen.Replicas.Desired, seen: &seen}
	if a.manifest.Paused() {
		return a.pause(l), nil
	}
	l.health = a.reread()
	state := a.state(l)
	if state.failed {
		a.forget()
	}
	if annotated(a.manifest, forcedAnnotation) {
		state.active, state.cause = true, "the annotation force-activation"
	}
	d := a.request(l, state)
	a.keep(state)
	a.report(state, &d)
	d.Steps = a.trail.Steps
	return d, nil
}

// pause sets the count that the annotation gives, if it gives one.
func (a *Autoscaler) pause(l look) messages.Decision {
	count, _ := a.manifest.pausedReplicas()
	if count != nil && *count != l.cur {
		return messages.Decision{Desired: *count, Reason: trail.ReasonOf(l.cur, *count),
			Message: a.trail.Change(l.cur, *count).Text(": the ScaledObject is paused at that count").Take()}
	}
	return messages.Decision{Desired: l.cur, Reason: messages.ReasonDisabled,
		Message: a.trail.Text("hold ").Count(l.cur).Text(": the ScaledObject is paused").Take()}
}
