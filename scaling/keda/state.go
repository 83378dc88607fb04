package keda

import (
	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/trail"
)

// state is what a poll makes of the triggers.
type state struct {
	active   bool
	failed   bool     // a trigger gave no value
	first    string   // the first failure
	cause    string   // what makes it active, for messages
	fallback bool     // a value of the fallback is in use
	records  []record // of the external triggers; those of others are empty
}

// state looks at every trigger, whatever the others say.
func (a *Autoscaler) state(l look) state {
	s := state{records: make([]record, len(a.triggers))}
	observed := a.readsHPA && a.hpaActive
	for i := range a.triggers {
		t := &a.triggers[i]
		if !t.external() {
			a.tellResource(l, t)
			continue
		}
		if observed && a.records[i] != nil {
			s.records[i] = *a.records[i]
		} else {
			s.records[i] = a.observe(l, i, nil)
		}
		r := &s.records[i]
		s.fallback = s.fallback || r.fallback
		switch {
		case r.err != "":
			s.fail(t.label + ": " + r.err)
		case r.fallback:
			s.activate("the fallback of " + t.label)
		case r.active:
			s.activate(t.label)
		}
		a.tell(l, i, r)
	}
	if a.formula != nil {
		a.judge(l, &s)
	}
	if a.resource && !s.failed {
		s.activate("a ScaledObject of cpu and memory alone")
	}
	return s
}

func (s *state) fail(why string) {
	if !s.failed {
		s.failed, s.first = true, why
	}
}

func (s *state) activate(cause string) {
	if !s.active {
		s.active, s.cause = true, cause
	}
}

// judge lets the formula have the say instead of the triggers.
func (a *Autoscaler) judge(l look, s *state) {
	s.active, s.cause = false, ""
	if s.failed {
		return
	}
	value, problem := a.combine(l, s.records)
	if problem != "" {
		a.trail.Text("no composite metric: ").Text(problem).Step(messages.StageTrigger, l.cur)
		return
	}
	number, subject := value.AsApproximateFloat64(), "the formula"
	if s.fallback {
		subject = "the fallback, which comes before the formula,"
	}
	a.trail.Text(subject).Text(" gives ").Decimals(number, 3)
	if number > a.formula.activation {
		s.activate("the formula")
		a.trail.Text(", above ").Decimals(a.formula.activation, 3).Text(": active")
	} else {
		a.trail.Text(", not above ").Decimals(a.formula.activation, 3).Text(": not active")
	}
	a.trail.Text("; the HPA holds it against ").Decimals(a.formula.target, 3)
	if a.formula.total {
		a.trail.Text(" for all pods together")
	} else {
		a.trail.Text(" for each pod")
	}
	a.trail.Step(messages.StageTrigger, l.cur)
}

// tell writes down what a trigger says.
func (a *Autoscaler) tell(l look, i int, r *record) {
	if a.trail.Quiet {
		return
	}
	a.trail.Text(a.triggers[i].label).Text(": ")
	switch {
	case r.err != "":
		a.trail.Text(r.err)
	case r.fallback:
		a.tellFailures(l, i, r).Text("the fallback's value of ").Text(r.value.String()).Text(" instead")
	case a.unknown(l, i):
		a.tellFailures(l, i, r).Text("nil in the formula")
	case r.active:
		a.trail.Text(r.value.String()).Text(", active")
	default:
		a.trail.Text(r.value.String()).Text(", not active")
	}
	if r.err == "" && r.note != "" {
		a.trail.Text(": ").Text(r.note)
	}
	a.trail.Step(messages.StageTrigger, l.cur)
}

// tellFailures says what a trigger has failed of, and how often.
func (a *Autoscaler) tellFailures(l look, i int, r *record) *trail.Trail {
	return a.trail.Text(r.hidden).Text(", failure ").Count(l.health.failures[i]).Text(" in a row: ")
}

// tellResource says that a trigger has no part in this.
func (a *Autoscaler) tellResource(l look, t *trigger) {
	if !a.resource {
		a.trail.Text(t.label).Text(": for the HPA alone, which does not scale from or to zero").Step(messages.StageTrigger, l.cur)
	}
}

// keep stores the records of triggers that the HPA is to be answered from.
func (a *Autoscaler) keep(s state) {
	for i := range a.triggers {
		if a.triggers[i].cached {
			a.records[i] = new(s.records[i])
		}
	}
}
