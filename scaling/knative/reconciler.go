package knative

import (
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/trail"
)

// reconciler carries the engine's count over to the Deployment, by way of the
// PodAutoscaler's conditions and the mode of its ServerlessService.
type reconciler struct {
	*settings
	status
	due    time.Time // when it is enqueued for; zero: it is not
	prober prober
	ground ground // what the reconciler has against the engine's count
	wanted int32  // the PodAutoscaler's desiredScale
}

// view is what one reconciliation looks at, and the count that it changes.
type view struct {
	now     time.Time
	ready   int32
	path    messages.Path // of a request that would come now
	desired int32         // the engine's count
	excess  int32         // the engine's excess burst capacity

	current int32  // spec.replicas of the Deployment
	changed bool   // current was changed,
	against ground // and this is what the reconciler then had against the engine's count
}

// newReconciler is that of a revision that is new, or has been there before.
func newReconciler(s *settings, now time.Time, ready int32, isNew bool) reconciler {
	r := reconciler{settings: s, wanted: unknown}
	r.since = now.Truncate(time.Second)
	r.mode = messages.PathProxy
	r.initialized = !isNew
	switch {
	case isNew && r.readyFrom() == 0, !isNew && ready == 0:
		r.active = inactive
	case !isNew:
		r.active = active
	}
	r.follow(now, ready)
	return r
}

// readyFrom is how many pods have to be ready for the revision to be active.
func (r *reconciler) readyFrom() int32 {
	if r.initialized {
		return max(r.low, 1)
	}
	return max(r.low, r.initial)
}

// enqueue asks for a reconciliation, unless there will be one before.
func (r *reconciler) enqueue(at time.Time) {
	if r.due.IsZero() || at.Before(r.due) {
		r.due = at
	}
}

// reconcile repeats itself for as long as it changes the status: every write
// comes back as an event.
func (r *reconciler) reconcile(v *view, t *trail.Trail) {
	var want int32
	for first := true; ; first = false {
		before, steps := r.status, len(t.Steps)
		known := r.ground
		again := r.once(v, t)
		if !first && again == want && r.ground == known {
			t.Steps = t.Steps[:steps] // nothing new
		}
		want = again
		if r.status == before {
			return
		}
	}
}

// once is one reconciliation. It gives the count that is wanted, be it applied
// or not.
func (r *reconciler) once(v *view, t *trail.Trail) (want int32) {
	if want = r.scale(v, t); want != unknown || r.wanted == unknown {
		r.wanted = want
	}
	r.mode = messages.PathProxy
	if want > 0 && v.excess >= 0 {
		r.mode = messages.PathDirect
	}
	r.follow(v.now, v.ready)
	r.judge(v, want)
	return want
}

// scale holds the engine's count within the bounds and off zero, and applies it.
func (r *reconciler) scale(v *view, t *trail.Trail) (want int32) {
	r.ground = none
	if v.desired < 0 && r.active != activating {
		return v.desired
	}
	want, apply := r.bound(v.desired, t), true
	if want == 0 {
		want, apply = r.zero(v, t)
	}
	if apply && want != v.current {
		v.current, v.changed, v.against = want, true, r.ground
	}
	return want
}

// bound keeps the count within min-scale and max-scale, and for the first time
// at the initial scale.
func (r *reconciler) bound(desired int32, t *trail.Trail) int32 {
	low, at, name := r.low, atMin, "min-scale is "
	if r.initial > max(low, 1) && !r.initialized && r.reachable {
		low, at, name = r.initial, atInitial, "initial-scale is "
	}
	switch {
	case desired < low && low > 0:
		r.ground = at
		t.Text(name).Count(low).Step(messages.StageClamp, low)
		return low
	case desired < 0:
		return 0
	case r.high != 0 && desired > r.high:
		r.ground = atMax
		t.Text("max-scale is ").Count(r.high).Step(messages.StageClamp, r.high)
		return r.high
	}
	return desired
}

// judge computes the condition Active of what is wanted and what is there.
func (r *reconciler) judge(v *view, want int32) {
	need := r.readyFrom()
	if v.ready >= need {
		r.initialized = true
	}
	unwanted := want == 0 || need == 0
	awake := want > 0 || !r.active.isInactive() // while the count is unknown, it stays as it is
	switch {
	case unwanted && need > 0 && r.active == activating:
		r.become(timedOut, v.now)
	case unwanted, !awake && v.ready < need:
		r.become(inactive, v.now)
	case awake && v.ready < need:
		r.become(activating, v.now)
	case awake:
		r.become(active, v.now)
	}
}

// signal adds what the reconciler writes: the PodAutoscaler's desiredScale, and
// whether it asks the ServerlessService for the mode Proxy.
func (r *reconciler) signal(signals []messages.Signal) []messages.Signal {
	asked := 0.0
	if r.mode == messages.PathProxy {
		asked = 1
	}
	return append(signals,
		messages.Signal{Name: "desired_scale", Value: float64(r.wanted)},
		messages.Signal{Name: "proxy_mode", Value: asked})
}
