package keda

import (
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/trail"
)

// request is what the operator does about a state.
func (a *Autoscaler) request(l look, s state) messages.Decision {
	if s.active {
		return a.activate(l, s)
	}
	return a.deactivate(l, s)
}

// leaves says whether an active workload has to leave zero, or the idle count.
func (a *Autoscaler) leaves(cur int32) bool {
	return cur == 0 || a.spec.IdleReplicaCount != nil && cur < a.spec.minimum()
}

// activate leaves zero, or with an idle count anything below the minimum; between
// minimum and maximum the HPA has the say.
func (a *Autoscaler) activate(l look, s state) messages.Decision {
	switch {
	case a.leaves(l.cur):
		if annotated(a.manifest, pausedOutAnnotation) {
			return a.hold(l, messages.ReasonDisabled, "scaling out is paused")
		}
		a.mark(l.now)
		return a.scale(l, a.spec.hpaMinimum(), s.cause+" is active")
	case s.failed:
		// The time of the last activity stays, so that a trigger that fails for
		// good does not keep the workload up by itself.
		a.trail.Text("a trigger failed, so that this is not taken down as activity").Step(messages.StageTrigger, l.cur)
		return a.hold(l, messages.ReasonActive, s.cause+" is active; "+s.first)
	}
	a.mark(l.now)
	return a.hold(l, messages.ReasonActive, s.cause+" is active")
}

// deactivate goes to the idle count or to zero after the cooldown, and up to the
// minimum.
func (a *Autoscaler) deactivate(l look, s state) messages.Decision {
	f, idle, least := a.spec.Fallback, a.spec.IdleReplicaCount, a.spec.minimum()
	switch {
	case s.failed && f != nil && f.Replicas != 0:
		return a.hold(l, messages.ReasonMetricFailed, s.first+"; waiting for the fallback")
	case s.failed && f == nil:
		return a.hold(l, messages.ReasonMetricFailed, s.first)
	case idle != nil && l.cur > *idle, l.cur > 0 && least == 0:
		return a.cool(l)
	case idle == nil && l.cur < least:
		return a.scale(l, least, "below minReplicaCount")
	case idle == nil && l.cur > least:
		return a.hold(l, messages.ReasonSteady, "no trigger is active; down to minReplicaCount the HPA scales, and the cooldown has no part in it")
	}
	return a.hold(l, messages.ReasonSteady, "no trigger is active")
}

// cool goes down if the last activity is more than the cooldown ago; of one that
// never was active, the creation more than the initial cooldown. A cooldown that
// is over at this very instant is not over.
func (a *Autoscaler) cool(l look) messages.Decision {
	if annotated(a.manifest, pausedInAnnotation) {
		return a.hold(l, messages.ReasonDisabled, "scaling in is paused")
	}
	since, period, what, event := a.lastActive, a.spec.Cooldown(), "cooldown", "the last activity"
	if since.IsZero() {
		since, period, what, event = a.created, a.spec.initialCooldown(), "initial cooldown", "the creation"
	}
	a.trail.Text("the ").Text(what).Text(" of ").Duration(period).Text(" since ").Text(event).Text(" at ").Text(clock(since))
	down := or(a.spec.IdleReplicaCount, a.spec.minimum())
	if over := since.Add(period); !over.Before(l.now) {
		a.trail.Text(" lasts until ").Text(clock(over)).Text(" UTC").Step(messages.StageCooldown, l.cur)
		return a.hold(l, messages.ReasonCooldown, "no trigger is active, but the "+what+" is not over")
	}
	a.trail.Text(" is over")
	if l.cur > down+1 {
		a.trail.Text(", for all pods at once: the HPA's behavior has no part in it")
	}
	a.trail.Step(messages.StageCooldown, down)
	return a.scale(l, down, "no trigger is active, and the "+what+" is over")
}

func clock(t time.Time) string { return t.UTC().Format(time.TimeOnly) }

// mark takes down that the workload is in use.
func (a *Autoscaler) mark(now time.Time) { a.lastActive = now.Truncate(time.Second) }

func (a *Autoscaler) scale(l look, to int32, because string) messages.Decision {
	return messages.Decision{Desired: to, Reason: trail.ReasonOf(l.cur, to), Message: a.trail.Change(l.cur, to).Text(": ").Text(because).Take()}
}

func (a *Autoscaler) hold(l look, reason messages.Reason, because string) messages.Decision {
	return messages.Decision{Desired: l.cur, Reason: reason, Message: a.trail.Text("hold ").Count(l.cur).Text(": ").Text(because).Take()}
}
