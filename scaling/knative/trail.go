package knative

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
		return "-"
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

func (t *trail) int(n int32) *trail {
	if !t.quiet {
		t.buf = strconv.AppendInt(t.buf, int64(n), 10)
	}
	return t
}

// number writes at most three decimals.
func (t *trail) number(x float64) *trail {
	if !t.quiet {
		t.buf = strconv.AppendFloat(t.buf, math.Round(float64(x*1000))/1000+0, 'f', -1, 64)
	}
	return t
}

func (t *trail) duration(d time.Duration) *trail {
	if !t.quiet {
		t.buf = append(t.buf, d.String()...)
	}
	return t
}

// verb writes a change in the field's words.
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

// ground is why a count is wanted: the reason where it is held, and words that
// fit behind a change as well.
type ground struct {
	reason messages.Reason
	words  string
}

// The engine's grounds.
var (
	noReports  = ground{messages.ReasonMetricFailed, "no reports to judge by"}
	asleep     = ground{messages.ReasonSteady, "asleep at the last tick"}
	stableAsks = ground{messages.ReasonSteady, "the stable window asks for it"}
	panicAsks  = ground{messages.ReasonPanic, "the panic window asks for it"}
	panicKeeps = ground{messages.ReasonPanic, "no scale-down in panic"}
	delayKeeps = ground{messages.ReasonStabilized, "scale-down-delay keeps the count"}
)

// The reconciler's grounds.
var (
	none = ground{} // the reconciler has nothing against the engine's count

	atMin     = ground{messages.ReasonAtLimit, "min-scale"}
	atMax     = ground{messages.ReasonAtLimit, "max-scale"}
	atInitial = ground{messages.ReasonAtLimit, "initial-scale"}
	neverZero = ground{messages.ReasonAtLimit, "enable-scale-to-zero is false"}

	starting      = ground{messages.ReasonCooldown, "idle, but the first pods are on their way"}
	gaveUp        = ground{messages.ReasonSteady, "the pods did not become ready in time"}
	lastlyActive  = ground{messages.ReasonCooldown, "idle, but active for less than the stable window"}
	deactivated   = ground{messages.ReasonCooldown, "idle, and inactive from now on"}
	notYetProxied = ground{messages.ReasonCooldown, "idle, but the activator is not yet in the way of requests"}
	retained      = ground{messages.ReasonCooldown, "idle, but the last pod is retained"}
	inGrace       = ground{messages.ReasonCooldown, "idle, but by the activator for less than the grace period"}
	idle          = ground{messages.ReasonSteady, "idle, and the activator stands in"}
)
