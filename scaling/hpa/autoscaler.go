package hpa

import (
	"cmp"
	"fmt"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling"
	"github.com/scalelab/scalelab/scaling/trail"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var (
	_ scaling.Autoscaler = (*Autoscaler)(nil)
	_ scaling.Observer   = (*Autoscaler)(nil)
)

// Autoscaler decides for one HorizontalPodAutoscaler. Its memory is what the
// controller keeps between two syncs: past recommendations, past rescales, and
// whether it scaled to zero itself. It is not safe for concurrent use.
type Autoscaler struct {
	min, max   int32
	controller Controller
	sources    []source
	queries    []messages.Query
	// wakes: an Object or External metric exists, so zero can be left again.
	wakes     bool
	version   Version
	tolerance band
	behavior  *behavior // nil: the manifest gives none

	recommendations recommendations
	rescales        rescales
	scaledToZero    bool // the ScaledToZero condition
	report          report

	// Reused from one decision to the next.
	trail   trail.Trail
	samples []int32
}

// New makes an Autoscaler that has seen nothing yet. The manifest gets the API
// server's defaults; the flags do not: see DefaultController. The error is
// messages.Problems.
func New(spec Spec) (*Autoscaler, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	manifest := spec.KubernetesVersion.Defaults(spec.Manifest).Spec
	namespace := cmp.Or(spec.Manifest.Namespace, metav1.NamespaceDefault)
	a := &Autoscaler{
		min:        *manifest.MinReplicas,
		max:        manifest.MaxReplicas,
		controller: spec.Controller,
		wakes:      canReturnFromZero(manifest.Metrics),
		version:    spec.KubernetesVersion,
		tolerance:  newBand(spec.Controller.Tolerance, manifest.Behavior),
		behavior:   newBehavior(manifest.Behavior, spec.Controller.DownscaleStabilization),
	}
	for i, metric := range manifest.Metrics {
		s := newSource(metric, fmt.Sprintf("spec.metrics[%d]", i))
		s.says = newSaying(metric, s.broken, namespace, spec.KubernetesVersion)
		a.sources = append(a.sources, s)
		a.queries = append(a.queries, s.query)
	}
	return a, nil
}

// Stop ends the controller's process.
func (a *Autoscaler) Stop() {}

// Restart forgets what the controller had in memory: its recommendations, and the
// changes that policies count. The conditions are in the API.
func (a *Autoscaler) Restart(time.Time) { a.recommendations, a.rescales = nil, rescales{} }

// Quietly makes the Autoscaler give no reasons in words: Message is a dash,
// Steps are empty, and conditions and events have no messages. It is for runs
// of which nobody keeps the decisions.
func (a *Autoscaler) Quietly() { a.trail.Quiet, a.report.quiet = true, true }

// Period is the controller's sync period.
func (a *Autoscaler) Period() time.Duration { return a.controller.SyncPeriod }

// First is how long after its creation the HPA is synced for the first time.
func (a *Autoscaler) First() time.Duration {
	if a.version.has(syncsNewAtOnce) {
		return 0
	}
	return a.controller.SyncPeriod
}

// Queries has one entry for every entry of spec.metrics, in order.
func (a *Autoscaler) Queries() []messages.Query { return a.queries }

// view is what one decision looks at.
type view struct {
	now  time.Time
	cur  int32 // spec.replicas of the scale subresource
	seen *messages.Observation
}

// Decide is one sync. It takes for granted that the Decision is carried out:
// a change of the count goes into its memory. The error says that the metrics
// do not answer the Queries.
func (a *Autoscaler) Decide(now time.Time, seen messages.Observation) (messages.Decision, error) {
	if len(seen.Metrics) != len(a.queries) {
		return messages.Decision{}, fmt.Errorf("hpa: found %d metrics, expected an answer to each of %d queries", len(seen.Metrics), len(a.queries))
	}
	v := view{now: now, cur: seen.Replicas.Desired, seen: &seen}
	a.recommendations.begin(v.cur, now)
	a.trail.Begin()
	a.report.begin()

	d := a.decide(v)
	d.Steps = a.trail.Steps
	d.Conditions, d.Events, d.Readings = a.report.conditions, a.report.events, a.report.readings
	return d, nil
}

// decide branches: switched off, outside the limits, or by the metrics.
func (a *Autoscaler) decide(v view) messages.Decision {
	switch {
	case v.cur == 0 && !a.scaledToZero:
		a.report.set(scalingActive, no, "ScalingDisabled", "scaling is disabled since the replica count of the target is zero")
		return messages.Decision{Reason: messages.ReasonDisabled,
			Message: "hold 0: scaling is disabled, because somebody else set the count to zero"}
	case v.cur > a.max:
		return a.returnToLimit(v, a.max, "above maxReplicas ", "Current number of replicas above Spec.MaxReplicas")
	case v.cur < a.min && v.cur != 0: // zero of its own making is left by the metrics
		return a.returnToLimit(v, a.min, "below minReplicas ", "Current number of replicas below Spec.MinReplicas")
	}
	want := a.propose(v)
	if want.problem != "" {
		return a.hold(v.cur, messages.ReasonMetricFailed, want.problem)
	}
	stable := a.stabilize(v, want.replicas)
	a.report.stabilized(v.cur, want.replicas, stable, a.behavior != nil)
	allowed := a.limitRate(v, stable)
	final := a.clamp(allowed)
	a.report.limited(stable, final, a.min, a.max)
	if final != v.cur {
		a.rescale(v, final, want.why(v.cur))
		return a.change(v.cur, final, want)
	}
	switch v.cur {
	case want.replicas:
		return a.holdSteady(v.cur, want)
	case stable:
		return a.holdAgainst(v.cur, want, messages.ReasonStabilized, "the stabilization window keeps the count")
	case allowed:
		return a.holdAgainst(v.cur, want, messages.ReasonLimitedByPolicy, "the scaling policies allow no change now")
	}
	return a.holdAgainst(v.cur, want, messages.ReasonAtLimit, "the limit of replicas is reached")
}

// returnToLimit corrects a count that somebody else set outside the limits,
// without looking at metrics, windows or policies.
func (a *Autoscaler) returnToLimit(v view, limit int32, relation, why string) messages.Decision {
	a.rescale(v, limit, why)
	a.trail.Count(v.cur).Text(" is ").Text(relation).Count(limit).Step(messages.StageClamp, limit)
	return messages.Decision{
		Desired: limit,
		Reason:  trail.ReasonOf(v.cur, limit),
		Message: a.trail.Change(v.cur, limit).Text(": ").Text(relation).Count(limit).Take(),
	}
}

// clamp keeps the count within minReplicas and maxReplicas.
func (a *Autoscaler) clamp(replicas int32) int32 {
	switch {
	case replicas > a.max:
		a.trail.Text("maxReplicas is ").Count(a.max).Step(messages.StageClamp, a.max)
		return a.max
	case replicas < a.min:
		a.trail.Text("minReplicas is ").Count(a.min).Step(messages.StageClamp, a.min)
		return a.min
	}
	return replicas
}

// rescale is what the controller does once the scale is written. Only the
// HPA's own way to zero lets it come back from there.
func (a *Autoscaler) rescale(v view, desired int32, why string) {
	if a.behavior != nil {
		a.rescales.record(a.behavior, v.now, v.cur, desired)
	}
	a.report.rescaled(desired, why)
	if a.version.has(scalesToZero) {
		a.scaledToZero = v.cur > 0 && desired == 0 && a.min == 0 && a.wakes
		a.report.asleep(a.scaledToZero)
	}
}
