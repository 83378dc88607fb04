package sim

import (
	"fmt"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling"
	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/event"
	"github.com/scalelab/scalelab/sim/metrics"
)

// stopped does what the data plane has stopped for.
func (r *run) stopped(why cluster.Stop) error {
	if why == cluster.Asked {
		return r.wake()
	}
	r.recorder.band("proxied", r.cluster.Path() == messages.PathProxy, r.cluster.Now())
	for i := range r.loops {
		if err := r.reconcile(i); err != nil {
			return err
		}
	}
	return nil
}

// alarm is the earliest instant at which a loop wants to reconcile.
func (r *run) alarm() (earliest struct {
	at   time.Duration
	loop int
}) {
	earliest.at = event.Never
	for i := range r.loops {
		l := &r.loops[i]
		if l.reconciler == nil || l.down {
			continue
		}
		next := l.reconciler.Next()
		if at := next.Sub(r.spec.Start) - l.skew; !next.IsZero() && at < earliest.at {
			earliest.at, earliest.loop = max(at, r.cluster.Now()), i
		}
	}
	return earliest
}

// reconcile lets a loop act between its decisions, if it is one that does.
func (r *run) reconcile(loop int) error {
	l := &r.loops[loop]
	if l.reconciler == nil || l.down {
		return nil
	}
	return r.decide(l, func(now time.Time, replicas messages.Replicas) (d messages.Decision, err error) {
		d, err = l.reconciler.Reconcile(now, r.observe(loop, replicas))
		l.idle = d.Desired == replicas.Desired && d.Path == r.path && d.Reason == l.reason
		return d, err
	})
}

// observe is what a loop sees. One that asks no metrics is not shown pods either.
func (r *run) observe(loop int, replicas messages.Replicas) messages.Observation {
	if _, asks := r.loops[loop].autoscaler.(scaling.Observer); !asks {
		return messages.Observation{Replicas: replicas, Path: r.cluster.Path()}
	}
	o := r.door.Observe(loop, r.cluster.Now(), r.look(), replicas)
	r.seen, r.loops[loop].collected = o.Metrics, r.door.Collected(loop)
	if on := r.loops[loop].addOn; on != nil {
		r.loops[loop].collected = max(r.loops[loop].collected, on.asked)
	}
	return o
}

// wake hands the message about a request that found nobody home to the loops
// that listen.
func (r *run) wake() error {
	if r.elasti != nil {
		arrived := !r.out(r.elasti.loop, r.cluster.Now())
		if r.cluster.Notified(arrived); !arrived {
			return nil
		}
	}
	count := messages.RequestCount{Count: 1, Svc: r.spec.Service, Namespace: r.spec.Namespace}
	for i := range r.loops {
		l := &r.loops[i]
		waker, ok := l.autoscaler.(scaling.Waker)
		if !ok || l.down {
			continue
		}
		l.collected, l.woken = r.cluster.Now(), true
		err := r.decide(l, func(now time.Time, replicas messages.Replicas) (messages.Decision, error) {
			return waker.Wake(now, count, replicas)
		})
		l.woken = false
		if err != nil {
			return err
		}
	}
	return nil
}

// decide lets a loop decide on what the API shows now, and carries it out.
func (r *run) decide(l *loop, ask func(time.Time, messages.Replicas) (messages.Decision, error)) error {
	now := r.cluster.Now()
	r.takeChanges()
	if err := r.actuator.Mirror(now, r.changes, r.cluster.Replicas()); err != nil {
		return fmt.Errorf("at %s: show the cluster in the API: %w", now, err)
	}
	r.changes = r.changes[:0]
	replicas, err := r.actuator.Replicas(now)
	if err != nil {
		return fmt.Errorf("at %s: read the workload's scale: %w", now, err)
	}
	d, err := ask(r.spec.Start.Add(now+l.skew), r.lagging(l, now, replicas))
	if err != nil {
		return fmt.Errorf("at %s: %s: %w", now, l.name, err)
	}
	standing, err := r.actuator.Carry(now, l.name, d)
	if err != nil {
		return fmt.Errorf("at %s: carry out %s's decision: %w", now, l.name, err)
	}
	if l.shown != nil {
		r.seen = l.shown()
	}
	r.elasti.fellAsleep(now, d, replicas)
	r.recorder.decision(now, l, replicas.Desired, d)
	r.recorder.tracks.decided(r.spec.Start, l, r.seen, &d)
	r.seen = nil
	l.reason, l.idle = d.Reason, false
	r.recorder.desired(now, standing)
	r.cluster.Scale(standing)
	if d.Path != "" && d.Path != r.path {
		r.path = d.Path
		r.cluster.SetPath(d.Path)
	}
	return nil
}

// takeChanges moves the pods' transitions to the recorder; they stay in changes
// until the actuator has seen them.
func (r *run) takeChanges() {
	known := len(r.changes)
	r.changes = r.cluster.Transitions(r.changes)
	r.recorder.transitions(r.changes[known:])
	if len(r.loops) == 0 { // nobody will ask the actuator
		r.changes = r.changes[:0]
	}
}

// look reads the truth for the metrics pipeline.
func (r *run) look() metrics.Truth {
	r.truth.Pods = r.cluster.Pods(r.truth.Pods[:0])
	r.truth.Counters = r.cluster.Counters()
	r.truth.Held, r.truth.Hidden = r.cluster.Held(), r.cluster.Hidden()
	r.truth.Topic = r.cluster.Topic(r.truth.Topic[:0])
	r.truth.Replicas = r.cluster.Replicas()
	r.truth.Activators = r.cluster.Activators(r.truth.Activators[:0])
	r.truth.Path = r.cluster.Path()
	return r.truth
}
