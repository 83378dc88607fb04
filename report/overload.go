package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/sim"
)

// delays are the stages of an overload in words.
var delays = map[sim.DelayStage]string{
	sim.DelayMetric: "metric lag", sim.DelaySync: "sync", sim.DelayWindow: "stabilization", sim.DelayPolicy: "policies",
	sim.DelayLimit: "limit of replicas", sim.DelaySteps: "further syncs", sim.DelayCreate: "pod creation", sim.DelayNode: "node",
	sim.DelayImage: "image", sim.DelayStart: "start", sim.DelayRoute: "endpoints", sim.DelayQueue: "queue", sim.DelayWaiting: "no answer",
}

// overload says why the latency was the worst, and what the time until relief was
// spent on; stages that took no time are left out. It is empty for none.
func overload(o *sim.Overload) string {
	if o == nil {
		return ""
	}
	var stages []string
	for _, d := range o.Stages {
		if words, ok := delays[d.Stage]; ok && d.Seconds > 0 {
			stages = append(stages, words+" "+stretch(d.Seconds))
		}
	}
	text := fmt.Sprintf("Worst p99 %s at %s: too few pods for %s from %s: %s", bench.Seconds(o.LatencyP99S), clock(o.WorstS),
		stretch(o.ToS-o.FromS), clock(o.FromS), strings.Join(stages, " → "))
	switch o.Relief {
	case sim.ReliefLoad:
		text += "; then the load fell"
	case sim.ReliefNone:
		text += ", until the end"
	}
	return text + "."
}

// stretch writes a length of time to three digits, and of 100 s or more to the second.
func stretch(s float64) string {
	if s < 100 {
		return trimmed(s) + " s"
	}
	return clock(math.Round(s))
}
