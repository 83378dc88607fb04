package keda

import (
	"k8s.io/apimachinery/pkg/api/resource"

	autoscalingv2 "k8s.io/api/autoscaling/v2"

	"github.com/scalelab/scalelab/messages"
)

// record is one observation of a trigger, after fallback.
type record struct {
	value    *resource.Quantity // nil: none
	active   bool
	fallback bool // the value is that of the fallback
	// nameless: a formula has no name for the value, because it once was that of
	// the fallback, which is called composite-metric.
	nameless bool
	note     string // of the reading
	hidden   string // the error that the fallback, or nil in the formula, stands in for
	err      string // why there is none
}

// observe asks a trigger, or takes a record for its answer, and applies the
// fallback to it.
func (a *Autoscaler) observe(l look, i int, instead *record) record {
	var r record
	if instead != nil {
		// A value of the fallback counts as one that was read.
		r = record{value: instead.value, active: instead.active, note: instead.note, err: instead.err, nameless: instead.nameless}
	} else {
		r = a.ask(l, i)
	}
	return a.withFallback(l, i, r)
}

// ask reads a trigger's answer.
func (a *Autoscaler) ask(l look, i int) record {
	var m *messages.Metric
	if at := a.asked[i]; at >= 0 {
		m = &l.seen.Metrics[at]
	}
	said := a.triggers[i].read(l.now, m)
	if said.err != "" {
		return record{err: said.err}
	}
	value := quantity(said.value)
	return record{value: &value, active: said.active, note: said.note}
}

// falls says whether failures are counted: a fallback is given, and with a formula
// its target is a whole number.
func (a *Autoscaler) falls() bool {
	return a.spec.Fallback != nil && (a.formula == nil || a.formula.whole)
}

// withFallback counts failures in a row, of polls and of the HPA's questions
// together, and takes the fallback's value once there are too many.
func (a *Autoscaler) withFallback(l look, i int, r record) record {
	if !a.falls() {
		return r
	}
	if r.err == "" {
		a.note(l.health, i, 0)
		return r
	}
	failures := max(l.health.failures[i], 0) + 1
	a.note(l.health, i, failures)
	f := a.spec.Fallback
	switch {
	case failures <= f.FailureThreshold:
		return r
	case f.Behavior == fallbackModifiers:
		nothing := *resource.NewQuantity(-1, resource.DecimalSI)
		return record{value: &nothing, hidden: r.err}
	}
	value, ok := a.fallback(l, i)
	if !ok {
		return record{err: "error performing fallback"}
	}
	return record{value: &value, fallback: true, nameless: true, hidden: r.err}
}

// fallback is the value that makes the HPA want as many replicas as the fallback
// says. A total cannot be had without a ready pod.
func (a *Autoscaler) fallback(l look, i int) (resource.Quantity, bool) {
	target, total := a.target(i)
	replicas := float64(a.fallbackReplicas(l.cur))
	if total {
		ready := readyPods(l.seen.Pods)
		if ready == 0 {
			return resource.Quantity{}, false
		}
		replicas /= float64(ready)
	}
	return *resource.NewMilliQuantity(toInt64(float64(target*1000)*replicas), resource.DecimalSI), true
}

// target is the number that a trigger's metric is held against, and whether it is
// one of all pods together.
func (a *Autoscaler) target(i int) (target float64, total bool) {
	if a.formula != nil {
		return a.formula.target, a.formula.total
	}
	t := a.triggers[i].spec.External.Target
	if t.Type == autoscalingv2.ValueMetricType {
		return t.Value.AsApproximateFloat64(), true
	}
	return t.AverageValue.AsApproximateFloat64(), false
}

func (a *Autoscaler) fallbackReplicas(current int32) int32 {
	f := a.spec.Fallback
	switch f.Behavior {
	case fallbackCurrent:
		return current
	case fallbackHigher:
		return max(current, f.Replicas)
	case fallbackLower:
		return min(current, f.Replicas)
	}
	return f.Replicas
}

// readyPods are those that run and are ready.
func readyPods(pods []messages.Pod) (n int) {
	for i := range pods {
		if pods[i].Phase == messages.PodRunning && pods[i].Ready {
			n++
		}
	}
	return n
}

// combine makes the composite metric of the records of all triggers; nil where the
// formula has none. A fallback of any of them comes before the formula.
func (a *Autoscaler) combine(l look, records []record) (value *resource.Quantity, problem string) {
	for i := range records {
		if records[i].fallback {
			return records[i].value, ""
		}
	}
	clear(a.values)
	for i := range records {
		switch r := &records[i]; {
		case r.value == nil:
		case r.nameless:
			a.values[""] = r.value.AsApproximateFloat64()
		case a.unknown(l, i):
			a.values[a.triggers[i].name] = nil
		default:
			a.values[a.triggers[i].name] = r.value.AsApproximateFloat64()
		}
	}
	composite, err := a.formula.evaluate(a.values)
	if err != nil {
		return nil, err.Error()
	}
	return &composite, ""
}

// unknown says that a trigger has failed too often for its value to be believed,
// so that the formula sees nil.
func (a *Autoscaler) unknown(l look, i int) bool {
	f := a.spec.Fallback
	return f != nil && f.Behavior == fallbackModifiers && l.health.failures[i] > f.FailureThreshold
}
