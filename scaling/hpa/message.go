package hpa

import (
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/trail"
)

// inUnit writes a level in the unit of the source's target.
func inUnit(t *trail.Trail, s *source, level int64) *trail.Trail {
	if s.kind == utilization {
		return t.Int(level).Text("% of requests")
	}
	return t.Milli(level).Text(" per pod")
}

// against writes a level's comparison with its target.
func against(t *trail.Trail, s *source, r float64) *trail.Trail {
	return t.Text(" / target ").Text(s.shown).Text(" = ").Decimals(r, 4)
}

// filledIn writes who is left out of the metric at first, and what is taken for
// their use because of the ratio without them.
func filledIn(t *trail.Trail, s *source, g groups, r float64) *trail.Trail {
	t.Pods(g.missing.pods).Text(" without a sample, ").Int(g.unready.pods).Text(" not ready")
	switch {
	case r > 1:
		return t.Text(", all taken as idle: ")
	case s.kind == averageValue:
		return t.Text(", without a sample taken at the target: ")
	}
	return t.Text(", without a sample taken at ").Int(max(100, s.target)).Text("%: ")
}

// describe begins the step of a metric: its name and the age of what was seen.
func (a *Autoscaler) describe(v view, s *source, m *messages.Metric) *trail.Trail {
	t := a.trail.Text(s.label).Text(": ")
	if !m.At.IsZero() {
		t.Text("seen ").Duration(v.now.Sub(m.At).Round(100 * time.Millisecond)).Text(" ago, ")
	}
	return t
}

// change is a Decision that moves the count. What the metrics ask for is named
// where it is not what they get.
func (a *Autoscaler) change(cur, final int32, want proposal) messages.Decision {
	t := a.trail.Change(cur, final).Text(": ")
	switch {
	case want.replicas > cur:
		t.Text(want.source.label).Text(" above target")
	case want.replicas < cur && final < cur:
		t.Text("all metrics below target")
	default:
		t.Text("a recent recommendation was higher")
	}
	return messages.Decision{Desired: final, Reason: trail.ReasonOf(cur, final), Message: asked(t, want, final).Take()}
}

// holdSteady is a Decision to stay where the metrics want the count.
func (a *Autoscaler) holdSteady(cur int32, want proposal) messages.Decision {
	if want.within {
		return a.hold(cur, messages.ReasonWithinTolerance, want.source.label, " within tolerance of its target")
	}
	return a.hold(cur, messages.ReasonSteady, want.source.label, " asks for the current count")
}

// holdAgainst is a Decision to stay although the metrics want another count.
func (a *Autoscaler) holdAgainst(cur int32, want proposal, reason messages.Reason, why string) messages.Decision {
	t := a.trail.Text("hold ").Count(cur).Text(": ").Text(why)
	return messages.Decision{Desired: cur, Reason: reason, Message: asked(t, want, cur).Take()}
}

func (a *Autoscaler) hold(cur int32, reason messages.Reason, why ...string) messages.Decision {
	t := a.trail.Text("hold ").Count(cur).Text(": ")
	for _, words := range why {
		t.Text(words)
	}
	return messages.Decision{Desired: cur, Reason: reason, Message: t.Take()}
}

func asked(t *trail.Trail, want proposal, got int32) *trail.Trail {
	if want.replicas == got {
		return t
	}
	return t.Text("; the metrics ask for ").Count(want.replicas)
}
