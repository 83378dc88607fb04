package sim

import (
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/elasti"
	"github.com/scalelab/scalelab/sim/event"
)

// kubeElasti is what befalls KubeElasti during a run: its resolver, its
// operator, and the objects they keep. With the fixed behaviour a restart is a
// handover between replicas that loses nothing, and what is deleted leaves the
// workload awake.
type kubeElasti struct {
	world      elasti.World
	autoscaler *elasti.Autoscaler
	loop       int           // its index in run.loops
	outUntil   time.Duration // the operator answers nobody before
	asleepAt   time.Duration // when it last scaled to zero
	before     int32         // status.replicas at that time
}

// newKubeElasti is nil for a strategy without an ElastiService.
func newKubeElasti(spec Spec, loops []loop) *kubeElasti {
	for i := range loops {
		if a, ok := loops[i].autoscaler.(*elasti.Autoscaler); ok {
			return &kubeElasti{world: spec.Strategy.Elasti.World, autoscaler: a, loop: i, asleepAt: -1 << 62}
		}
	}
	return nil
}

// scheduleIncidents puts them into the queue. A released version gives requests
// no way to the resolver behind an ingress that ignores its endpoints.
func (r *run) scheduleIncidents() {
	k := r.elasti
	if k == nil {
		return
	}
	for i, incident := range k.world.Incidents {
		r.events.Push(incident.At, event.Faults, task{kind: befall, loop: i})
	}
	if k.world.Released() && k.world.Ingress == elasti.Traefik {
		r.cluster.ReachFront(false)
	}
}

// befall lets an incident happen.
func (r *run) befall(now time.Duration, incident elasti.Incident) error {
	k, lasts := r.elasti, now
	defer func() { r.recorder.stretch(incident.What, now, lasts) }()
	switch incident.What {
	case elasti.OperatorOutage:
		k.outUntil = now + incident.For
		lasts = k.outUntil
	case elasti.NeighbourWakeUp:
		r.cluster.Overheard()
	case elasti.ResolverRestart:
		if k.world.Released() {
			// The slice names the old process until the operator's next resync.
			back := (now + incident.For + elasti.ResyncPeriod - 1) / elasti.ResyncPeriod * elasti.ResyncPeriod
			r.loseResolver()
			lasts = back
			r.events.Push(back, event.Faults, task{kind: reach})
		}
	case elasti.ResolverDeleted:
		lasts = r.end
		r.loseResolver()
		return r.release()
	case elasti.ServiceDeleted:
		// Its slice goes with it; what the resolver holds, it holds.
		lasts = r.end
		r.cluster.ReachFront(false)
		return r.release()
	}
	return nil
}

func (r *run) loseResolver() {
	r.cluster.LoseFront()
	r.cluster.ReachFront(false)
}

// release ends the ElastiService's loop. The released versions leave a sleeping
// workload asleep for ever.
func (r *run) release() error {
	k := r.elasti
	k.outUntil = event.Never
	if k.world.Released() {
		return nil
	}
	return r.decide(&r.loops[k.loop], func(now time.Time, replicas messages.Replicas) (messages.Decision, error) {
		return k.autoscaler.Release(now, replicas), nil
	})
}

// out says whether the loop's operator does not answer at now.
func (r *run) out(loop int, now time.Duration) bool {
	return r.elasti != nil && loop == r.elasti.loop && now < r.elasti.outUntil
}

// lagging is what status.replicas says to the operator: for a while after it
// scaled to zero, the pods of before.
func (r *run) lagging(l *loop, now time.Duration, seen messages.Replicas) messages.Replicas {
	if k := r.elasti; k != nil && l == &r.loops[k.loop] && now < k.asleepAt+k.world.StatusLag {
		seen.Created = max(seen.Created, k.before)
	}
	return seen
}

// fellAsleep remembers the last change to zero.
func (k *kubeElasti) fellAsleep(now time.Duration, d messages.Decision, seen messages.Replicas) {
	if k != nil && d.Desired == 0 && seen.Desired > 0 {
		k.asleepAt, k.before = now, seen.Created
	}
}
