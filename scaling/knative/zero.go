package knative

import (
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/trail"
)

// settle is how long a change of the PodAutoscaler takes to come back, where no
// other event is expected.
const settle = 3 * time.Second

// zero decides about a wanted zero. The revision has to be active for a stable
// window, then inactive, with the activator in the way of its requests for the
// grace period. A count that is not to be applied still goes into the
// conditions.
func (r *reconciler) zero(v *view, t *trail.Trail) (want int32, apply bool) {
	switch {
	case !r.toZero:
		r.ground = neverZero
		t.Text(r.ground.words).Step(messages.StageClamp, 1)
		return 1, true
	case r.active == activating:
		return r.abandon(v, t)
	case r.active == active:
		return r.deactivate(v, t)
	}
	return r.retire(v, t)
}

// abandon gives up a revision that does not become active.
func (r *reconciler) abandon(v *view, t *trail.Trail) (want int32, apply bool) {
	lasted := v.now.Sub(r.since)
	t.Text("activating for ").Duration(lasted).Text(" of ").Duration(r.activates)
	// Upstream asks for more than this, which a work queue's delay makes it.
	if lasted >= r.activates {
		r.ground = gaveUp
		t.Step(messages.StageCooldown, 0)
		return 0, true
	}
	r.enqueue(v.now.Add(r.activates))
	r.ground = starting
	t.Step(messages.StageCooldown, unknown)
	return unknown, false
}

// deactivate makes a revision inactive that was active for a stable window;
// zero is applied at a later look.
func (r *reconciler) deactivate(v *view, t *trail.Trail) (want int32, apply bool) {
	lasted := v.now.Sub(r.since)
	t.Text("active for ").Duration(lasted).Text(" of ").Duration(r.stable)
	if lasted < r.stable {
		r.enqueue(v.now.Add(r.stable - lasted))
		r.ground = lastlyActive
		t.Step(messages.StageCooldown, 1)
		return 1, true
	}
	if r.mode == messages.PathProxy {
		r.enqueue(v.now.Add(settle))
	}
	r.ground = deactivated
	t.Step(messages.StageCooldown, 0)
	return 0, false
}

// retire applies zero once the activator stands in for the pods. With no limit
// of the burst it always does, and is not asked.
func (r *reconciler) retire(v *view, t *trail.Trail) (want int32, apply bool) {
	if r.burst != -1 && v.path != messages.PathProxy {
		r.prober.offer(v.now)
		r.ground = notYetProxied
		t.Text("a probe does not come to the activator").Step(messages.StageCooldown, 0)
		return 0, false
	}
	lasted, proxied := v.now.Sub(r.since), r.proxiedFor(v.now)
	t.Text("inactive for ").Duration(lasted).Text(" of ").Duration(max(r.grace, r.retention)).
		Text(", by the activator for ").Duration(proxied).Text(" of ").Duration(r.grace)
	switch {
	case lasted >= max(r.grace, r.retention):
	case lasted < r.retention:
		r.enqueue(v.now.Add(r.retention - lasted))
		r.ground = retained
		t.Step(messages.StageCooldown, 0)
		return 0, false
	case proxied < r.grace:
		r.enqueue(v.now.Add(r.grace - proxied))
		r.ground = inGrace
		t.Step(messages.StageCooldown, 0)
		return 0, false
	}
	r.ground = idle
	t.Step(messages.StageCooldown, 0)
	return 0, true
}

// prober asks every second whether a request to the revision comes to the
// activator, until one does, or for 45 s. It tells nothing but that it has
// stopped.
type prober struct {
	until time.Time // zero: it does not probe
	next  time.Time
}

const (
	probePeriod  = time.Second
	probeTimeout = 45 * time.Second
	// probeEcho is how long after its end the reconciler looks again.
	probeEcho = time.Second
)

// offer starts the prober at an instant at which a probe has failed, unless it
// is under way.
func (p *prober) offer(now time.Time) {
	if p.until.IsZero() {
		p.until, p.next = now.Add(probeTimeout), now.Add(probePeriod)
	}
}

// probe makes the probes that are due, and says whether it has stopped.
func (p *prober) probe(now time.Time, path messages.Path) (stopped bool) {
	if p.until.IsZero() || p.next.After(now) {
		return false
	}
	if path == messages.PathProxy || !p.next.Before(p.until) {
		*p = prober{}
		return true
	}
	for !p.next.After(now) {
		p.next = p.next.Add(probePeriod)
	}
	return false
}
