package report

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/scalelab/scalelab/messages"
)

// stepGrid is the calculation, one stage per row, with long words broken unless
// the width is 0.
func stepGrid(f InForce, width int) grid {
	d := f.Decision
	g := grid{columns: []column{{head: "STAGE", text: true}, {head: "REPLICAS"}, {head: "HOW", text: true}}}
	const used = 12 + 2 + 8 + 2
	add := func(s style, stage string, replicas int32, how string) {
		lines := []string{how}
		if width > 0 {
			lines = append(wrap(how, width-used), "")
		}
		g.add(s, stage, count(replicas), lines[0])
		for _, more := range lines[1:max(1, len(lines)-1)] {
			g.add(s, "", "", more)
		}
	}
	add(plain, "before", d.Current, "the count that was asked for until then")
	for _, s := range d.Steps {
		add(plain, clean(string(s.Stage)), s.Replicas, clean(s.Detail)+rounding(s)+f.lastAsked(s))
	}
	add(strong, "outcome", d.Desired, clean(string(d.Reason)))
	for _, s := range d.Signals {
		g.add(faint, "", "", fit(clean(s.Name), longestName)+" = "+trimmed(s.Value))
	}
	return g
}

// lastAsked says when what a window keeps was asked for.
func (f *InForce) lastAsked(s messages.Step) string {
	if s.Stage != messages.StageWindow || f.AskedS == nil {
		return ""
	}
	return ", last asked for at " + clock(*f.AskedS)
}

// rounding completes a calculation that ends in a fraction of a pod.
func rounding(s messages.Step) string {
	if s.Stage != messages.StageMetric && s.Stage != messages.StageReadiness {
		return ""
	}
	at := strings.LastIndex(s.Detail, " = ")
	if at < 0 {
		return ""
	}
	pods, err := strconv.ParseFloat(s.Detail[at+3:], 64)
	if err != nil || pods == math.Trunc(pods) || math.Ceil(pods) != float64(s.Replicas) {
		return ""
	}
	return ", rounded up"
}

// untouched names the stages of an HPA that let the proposal pass, because what
// did not intervene is half of an explanation.
func (f *InForce) untouched() string {
	d := f.Decision
	if asked, ok := d.Asked(); d.Autoscaler != "hpa" || !ok || d.Reason == messages.ReasonMetricFailed || d.Changes() && asked == 0 {
		return ""
	}
	var idle []string
	for _, s := range []struct {
		stage messages.Stage
		words string
	}{{messages.StageReadiness, "missing or unready pods"}, {messages.StageTolerance, "tolerance"},
		{messages.StageWindow, "stabilization window"}, {messages.StagePolicy, "policies"}, {messages.StageClamp, "limits"}} {
		if !slices.ContainsFunc(d.Steps, func(step messages.Step) bool { return step.Stage == s.stage }) {
			idle = append(idle, s.words)
		}
	}
	if len(idle) == 0 {
		return ""
	}
	return "Without effect: " + strings.Join(idle, ", ") + "."
}
