package hpa

import (
	"math"
	"strconv"
	"time"

	"github.com/scalelab/scalelab/messages"
)

// trail writes down how a decision comes about. Words and numbers are appended
// to one buffer; step and take cut off what has been written. A quiet trail
// writes nothing.
type trail struct {
	buf   []byte
	steps []messages.Step
	quiet bool
}

// begin starts a new decision. Its steps belong to whoever gets the Decision.
func (t *trail) begin() {
	if t.quiet {
		return
	}
	t.buf = t.buf[:0]
	t.steps = make([]messages.Step, 0, 4)
}

// step makes a step of what has been written.
func (t *trail) step(stage messages.Stage, replicas int32) {
	if t.quiet {
		return
	}
	t.steps = append(t.steps, messages.Step{Stage: stage, Replicas: replicas, Detail: t.take()})
}

// take returns what has been written and starts afresh.
func (t *trail) take() string {
	if t.quiet {
		return "-" // a problem is told by its text, which is not empty
	}
	s := string(t.buf)
	t.buf = t.buf[:0]
	return s
}

func (t *trail) text(s string) *trail {
	if !t.quiet {
		t.buf = append(t.buf, s...)
	}
	return t
}

func (t *trail) int(n int32) *trail { return t.count(int64(n)) }

func (t *trail) count(n int64) *trail {
	if !t.quiet {
		t.buf = strconv.AppendInt(t.buf, n, 10)
	}
	return t
}

// milli writes thousandths as a Quantity does: 1500 is "1500m", 2000 is "2".
func (t *trail) milli(n int64) *trail {
	if n%1000 == 0 {
		return t.count(n / 1000)
	}
	return t.count(n).text("m")
}

// ratio writes at most four decimals.
func (t *trail) ratio(r float64) *trail {
	if !t.quiet {
		t.buf = strconv.AppendFloat(t.buf, math.Round(float64(r*1e4))/1e4, 'f', -1, 64)
	}
	return t
}

func (t *trail) duration(d time.Duration) *trail {
	if !t.quiet {
		t.buf = append(t.buf, d.String()...)
	}
	return t
}

// level writes a level in the unit of the source's target.
func (t *trail) level(s *source, level int64) *trail {
	if s.kind == utilization {
		return t.count(level).text("% of requests")
	}
	return t.milli(level).text(" per pod")
}

// against writes a level's comparison with its target.
func (t *trail) against(s *source, r float64) *trail {
	return t.text(" / target ").text(s.shown).text(" = ").ratio(r)
}

// times writes what a ratio is multiplied with.
func (t *trail) times(pods int64) *trail { return t.text(", x ").pods(pods) }

func (t *trail) pods(n int64) *trail {
	if n == 1 {
		return t.text("1 pod")
	}
	return t.count(n).text(" pods")
}

// verb writes the change in the field's words.
func (t *trail) verb(from, to int32) *trail {
	switch reasonOf(from, to) {
	case messages.ReasonScaleFromZero:
		return t.text("scale from zero to ").int(to)
	case messages.ReasonScaleToZero:
		return t.text("scale to zero from ").int(from)
	case messages.ReasonScaleUp:
		t.text("scale up from ")
	default:
		t.text("scale down from ")
	}
	return t.int(from).text(" to ").int(to)
}

// reasonOf names a change of the count.
func reasonOf(from, to int32) messages.Reason {
	switch {
	case from == 0 && to > 0:
		return messages.ReasonScaleFromZero
	case from > 0 && to == 0:
		return messages.ReasonScaleToZero
	case to > from:
		return messages.ReasonScaleUp
	}
	return messages.ReasonScaleDown
}

// describe begins the step of a metric: its name and the age of what was seen.
func (a *Autoscaler) describe(v view, s *source, m *messages.Metric) *trail {
	t := a.trail.text(s.label).text(": ")
	if !m.At.IsZero() {
		t.text("seen ").duration(v.now.Sub(m.At).Round(100 * time.Millisecond)).text(" ago, ")
	}
	return t
}

// change is a Decision that moves the count. What the metrics ask for is named
// where it is not what they get.
func (a *Autoscaler) change(cur, final int32, want proposal) messages.Decision {
	t := a.trail.verb(cur, final).text(": ")
	switch {
	case want.replicas > cur:
		t.text(want.source.label).text(" above target")
	case want.replicas < cur && final < cur:
		t.text("all metrics below target")
	default:
		t.text("a recent recommendation was higher")
	}
	return messages.Decision{Desired: final, Reason: reasonOf(cur, final), Message: asked(t, want, final).take()}
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
	t := a.trail.text("hold ").int(cur).text(": ").text(why)
	return messages.Decision{Desired: cur, Reason: reason, Message: asked(t, want, cur).take()}
}

func (a *Autoscaler) hold(cur int32, reason messages.Reason, why ...string) messages.Decision {
	t := a.trail.text("hold ").int(cur).text(": ")
	for _, words := range why {
		t.text(words)
	}
	return messages.Decision{Desired: cur, Reason: reason, Message: t.take()}
}

func asked(t *trail, want proposal, got int32) *trail {
	if want.replicas == got {
		return t
	}
	return t.text("; the metrics ask for ").int(want.replicas)
}
