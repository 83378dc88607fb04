package keda

import "github.com/scalelab/scalelab/messages"

// report adds the conditions of the ScaledObject, and the state as bands over time.
func (a *Autoscaler) report(s state, d *messages.Decision) {
	ready := messages.Condition{Type: "Ready", Status: "True", Reason: "ScaledObjectReady"}
	switch {
	case s.failed && d.Reason == messages.ReasonActive:
		ready.Status, ready.Reason = "Unknown", "PartialTriggerError"
	case s.failed && !s.active && a.spec.Fallback == nil:
		ready.Status, ready.Reason = "False", "TriggerError"
	}
	active := messages.Condition{Type: "Active", Status: "False", Reason: "ScalerNotActive"}
	switch {
	case s.active:
		active.Status, active.Reason = "True", "ScalerActive"
	case d.Reason == messages.ReasonCooldown:
		active.Reason = "ScalerCooldown"
	}
	fallback := messages.Condition{Type: "Fallback", Status: "False", Reason: "NoFallbackFound"}
	if s.fallback {
		fallback.Status, fallback.Reason = "True", "FallbackExists"
	}
	a.conditions = append(a.conditions[:0], ready, active, fallback)
	a.signals = append(a.signals[:0], flag("active", s.active), flag("fallback", s.fallback))
	d.Conditions, d.Signals = a.conditions, a.signals
}

func flag(name string, on bool) messages.Signal {
	s := messages.Signal{Name: name, Flag: true}
	if on {
		s.Value = 1
	}
	return s
}
