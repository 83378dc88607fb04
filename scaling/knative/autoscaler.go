package knative

import (
	"fmt"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling"
	"github.com/scalelab/scalelab/scaling/trail"
)

var (
	_ scaling.Autoscaler = (*Autoscaler)(nil)
	_ scaling.Collector  = (*Autoscaler)(nil)
	_ scaling.Reconciler = (*Autoscaler)(nil)
	_ scaling.Waker      = (*Autoscaler)(nil)
)

// Autoscaler is the KPA of one revision: the collector and the engine that
// decide about its count, and the reconciler that carries it out. It is not safe
// for concurrent use.
type Autoscaler struct {
	spec     Spec
	settings settings
	created  time.Time
	begun    bool

	engine     engine
	reconciler reconciler
	poked      time.Time // when the engine was woken up; zero: it was not
	pods       pods      // as last seen

	// Reused from one decision to the next.
	trail      trail.Trail
	conditions []messages.Condition
	signals    []messages.Signal
}

// pods are the counts whose changes the reconciler hears of.
type pods struct{ created, ready int32 }

// New makes the Autoscaler of a revision that it sees for the first time at
// created, when Reconcile has to be called. The error is messages.Problems.
//
// Upstream keeps instants in whole seconds, and gives an activation up if it has
// lasted longer than its deadline, looking exactly then. In a cluster the look
// comes some milliseconds into a second; created should do so, too.
func New(spec Spec, created time.Time) (*Autoscaler, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	a := &Autoscaler{spec: spec, settings: newSettings(spec), created: created}
	a.engine = newEngine(&a.settings, spec.Draw)
	return a, nil
}

// Stop ends the autoscaler's process.
func (a *Autoscaler) Stop() {}

// Restart starts it again: it sees the revision for the first time, which is not new,
// and has no metrics.
func (a *Autoscaler) Restart(now time.Time) {
	quiet := a.trail.Quiet
	a.spec.New = false
	*a = Autoscaler{spec: a.spec, settings: newSettings(a.spec), created: now}
	a.engine = newEngine(&a.settings, a.spec.Draw)
	a.trail.Quiet = quiet
}

// Quietly makes the Autoscaler give no reasons in words: Message is a dash,
// Steps are empty, and conditions have no messages. It is for runs of which
// nobody keeps the decisions.
func (a *Autoscaler) Quietly() { a.trail.Quiet = true }

// StableAverage is the signal that the engine steers by outside of panic.
const StableAverage = "stable_average"

// CountsRequests says that the metric is requests per second, not concurrency.
func (a *Autoscaler) CountsRequests() bool { return a.settings.metric == rps }

// Gauge is what StableAverage is: the sum over the pods. The target is that of one
// pod, so that it is none of the sum.
func (a *Autoscaler) Gauge() messages.Gauge {
	return messages.Gauge{Name: a.settings.metric + ", stable average over all pods"}
}

// Period is the time between two ticks; the first is one period after created.
func (a *Autoscaler) Period() time.Duration { return period }

// CollectEvery is the time between two scrapes of the pods, and between two
// reports of an activator.
func (a *Autoscaler) CollectEvery() time.Duration { return bucketSize }

// Next is the instant at which Reconcile has to be called at the latest.
func (a *Autoscaler) Next() time.Time {
	if !a.begun {
		return a.created
	}
	next := a.poked
	for _, at := range [...]time.Time{a.reconciler.due, a.reconciler.prober.next} {
		if next.IsZero() || !at.IsZero() && at.Before(next) {
			next = at
		}
	}
	return next
}

// Collect takes the reports of one second. An activator that has requests while
// nothing is wanted wakes the engine up: then Next is now.
func (a *Autoscaler) Collect(now time.Time, stats messages.Stats) {
	c := &a.engine.collector
	c.scrape(now, stats.Pods)
	for _, report := range stats.Proxies {
		c.recordProxy(now, report)
		a.poke(now, report.Concurrency)
	}
}

// poke wakes the engine up if it wants nothing.
func (a *Autoscaler) poke(now time.Time, concurrency float64) {
	if a.engine.desired == 0 && concurrency != 0 {
		a.poked = now
	}
}

// Wake is the message that an activator sends at once about a request for a
// revision of which it knew nothing: one request, concurrent with none.
func (a *Autoscaler) Wake(now time.Time, count messages.RequestCount, seen messages.Replicas) (messages.Decision, error) {
	if err := count.Validate(); err != nil {
		return messages.Decision{}, fmt.Errorf("knative: wake-up: %w", err)
	}
	if name := a.spec.Revision.Name; count.Svc != name {
		return messages.Decision{}, fmt.Errorf("knative: wake-up: found service %q, expected %q", count.Svc, name)
	}
	report := messages.ProxyStats{Concurrency: 1, Requests: 1}
	a.engine.collector.recordProxy(now, report)
	a.poke(now, report.Concurrency)
	// A request has just come to the activator: so would a probe.
	return a.act(now, messages.Observation{Replicas: seen, Path: messages.PathProxy}, false), nil
}

// Decide is a tick of the engine, and a reconciliation where the reconciler
// hears of it or has a reason of its own. Desired is spec.replicas as it has to
// be; Path is the way that requests are to take once pods are ready, while
// seen.Path is the one that a probe would take now. The error is always nil.
func (a *Autoscaler) Decide(now time.Time, seen messages.Observation) (messages.Decision, error) {
	return a.act(now, seen, true), nil
}

// Reconcile is a reconciliation if pods have come, gone or become Ready, or if
// one is due; another way of requests is no reason. The error is always nil.
func (a *Autoscaler) Reconcile(now time.Time, seen messages.Observation) (messages.Decision, error) {
	return a.act(now, seen, false), nil
}

// act lets everything happen that is due.
func (a *Autoscaler) act(now time.Time, seen messages.Observation, ticks bool) messages.Decision {
	a.trail.Begin()
	counts := seen.Replicas
	heard, way := a.look(now, counts)
	if ticks || !a.poked.IsZero() {
		a.poked = time.Time{}
		heard = a.engine.tick(now, counts.Ready, &a.trail) || heard
	}
	r := &a.reconciler
	if r.prober.probe(now, seen.Path) {
		r.enqueue(now.Add(probeEcho))
	}
	if !r.due.IsZero() && !r.due.After(now) {
		r.due, heard = time.Time{}, true
	}
	v := view{now: now, current: counts.Desired, ready: counts.Ready, path: seen.Path,
		desired: a.engine.desired, excess: a.engine.excess}
	if heard {
		r.reconcile(&v, &a.trail)
	}
	return a.decision(counts.Desired, &v, way)
}

// look begins at the first call. It says whether the reconciler hears of the pods,
// and the way that requests were led before.
func (a *Autoscaler) look(now time.Time, seen messages.Replicas) (heard bool, way messages.Path) {
	counts, r := pods{seen.Created, seen.Ready}, &a.reconciler
	if !a.begun {
		a.begun = true
		a.engine.begin(now, seen.Ready)
		*r = newReconciler(&a.settings, now, seen.Ready, a.spec.New)
		a.pods = counts
		return true, r.way()
	}
	heard, way, a.pods = counts != a.pods, r.way(), counts
	r.follow(now, seen.Ready)
	return heard, way
}

// decision says what has come of it. before is the way that requests were led.
func (a *Autoscaler) decision(from int32, v *view, before messages.Path) messages.Decision {
	r, t := &a.reconciler, &a.trail
	g := a.ground(v)
	d := messages.Decision{Desired: v.current, Reason: g.reason, Path: r.way()}
	if from == d.Desired {
		t.Text("hold ").Count(from)
	} else {
		d.Reason = trail.ReasonOf(from, d.Desired)
		t.Change(from, d.Desired)
	}
	t.Text(": ").Text(g.words)
	switch {
	case d.Path == before:
	case d.Path == messages.PathDirect:
		t.Text("; requests go to the pods from now on: excess burst capacity ").Count(v.excess)
	case r.mode == messages.PathDirect:
		t.Text("; requests go by the activator until a pod is ready")
	default:
		t.Text("; requests go by the activator from now on: excess burst capacity ").Count(v.excess)
	}
	d.Message, d.Steps = t.Take(), t.Steps
	a.conditions = r.report(a.conditions, t.Quiet)
	a.signals = r.signal(a.engine.report(a.signals))
	d.Conditions, d.Signals = a.conditions, a.signals
	return d
}

// ground is why the count came about: the last word has the reconciler.
func (a *Autoscaler) ground(v *view) ground {
	against := a.reconciler.ground
	if v.changed {
		against = v.against
	}
	switch {
	case against != none:
		return against
	case a.engine.valid:
		return a.engine.ground
	case v.current == 0:
		return asleep
	}
	return noReports
}
