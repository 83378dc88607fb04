// Package trail writes down how an autoscaler's decision comes about, in words,
// without an allocation for every word.
package trail

import (
	"math"
	"strconv"
	"time"

	"github.com/scalelab/scalelab/messages"
)

// Trail takes words and numbers, which are appended to one buffer; Step and Take cut
// off what has been written. The zero value is ready. It is not safe for concurrent
// use.
type Trail struct {
	// Steps are those of the decision under way. They belong to whoever gets it.
	Steps []messages.Step
	// Quiet makes it write nothing, for runs of which nobody reads the words.
	Quiet bool

	buf []byte
}

// Begin starts a new decision.
func (t *Trail) Begin() {
	if t.Quiet {
		return
	}
	t.buf = t.buf[:0]
	t.Steps = make([]messages.Step, 0, 4)
}

// Step makes a step of what has been written.
func (t *Trail) Step(stage messages.Stage, replicas int32) {
	if t.Quiet {
		return
	}
	t.Steps = append(t.Steps, messages.Step{Stage: stage, Replicas: replicas, Detail: t.Take()})
}

// Take returns what has been written and starts afresh. It is never empty where
// nothing is written: a problem may be told by its text alone.
func (t *Trail) Take() string {
	if t.Quiet {
		return "-"
	}
	s := string(t.buf)
	t.buf = t.buf[:0]
	return s
}

// Text writes words.
func (t *Trail) Text(s string) *Trail {
	if !t.Quiet {
		t.buf = append(t.buf, s...)
	}
	return t
}

// Int writes a whole number.
func (t *Trail) Int(n int64) *Trail {
	if !t.Quiet {
		t.buf = strconv.AppendInt(t.buf, n, 10)
	}
	return t
}

// Count writes a number of replicas.
func (t *Trail) Count(n int32) *Trail { return t.Int(int64(n)) }

// Milli writes thousandths as a Quantity does: 1500 is "1500m", 2000 is "2".
func (t *Trail) Milli(n int64) *Trail {
	if n%1000 == 0 {
		return t.Int(n / 1000)
	}
	return t.Int(n).Text("m")
}

// Decimals writes a number with at most so many decimals.
func (t *Trail) Decimals(x float64, places int) *Trail {
	if !t.Quiet {
		scale := math.Pow10(places)
		t.buf = strconv.AppendFloat(t.buf, math.Round(float64(x*scale))/scale+0, 'f', -1, 64) // no -0
	}
	return t
}

// Duration writes a duration as Go does.
func (t *Trail) Duration(d time.Duration) *Trail {
	if !t.Quiet {
		t.buf = append(t.buf, d.String()...)
	}
	return t
}

// Pods writes "1 pod" or "5 pods".
func (t *Trail) Pods(n int64) *Trail {
	if n == 1 {
		return t.Text("1 pod")
	}
	return t.Int(n).Text(" pods")
}

// Change writes a change of the count in the field's words.
func (t *Trail) Change(from, to int32) *Trail {
	switch ReasonOf(from, to) {
	case messages.ReasonScaleFromZero:
		return t.Text("scale from zero to ").Count(to)
	case messages.ReasonScaleToZero:
		return t.Text("scale to zero from ").Count(from)
	case messages.ReasonScaleUp:
		t.Text("scale up from ")
	default:
		t.Text("scale down from ")
	}
	return t.Count(from).Text(" to ").Count(to)
}

// ReasonOf names a change of the count.
func ReasonOf(from, to int32) messages.Reason {
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
