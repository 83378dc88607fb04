package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim"
)

// ExplanationSchema names the format of an Explanation.
const ExplanationSchema = "scalelab/explanation/v1"

// Explanation is what `explain -o json` prints: what was true at an instant of a
// run, and the decision of every control loop that was in force then.
type Explanation struct {
	Schema     string  `json:"schema"`
	Scenario   string  `json:"scenario"`
	Autoscaler string  `json:"autoscaler"`
	Seed       uint64  `json:"seed"`
	AtS        float64 `json:"at_s"`
	Worst      *Worst  `json:"worst,omitempty"` // what the instant was chosen for
	// Overload is the one in which the instant lies, if it does.
	Overload *sim.Overload `json:"overload,omitempty"`
	// Changes are all decisions that changed the count, where they were asked for.
	Changes []sim.Decision `json:"changes,omitempty"`
	Truth   *Moment        `json:"truth"`
	InForce []InForce      `json:"in_force"` // one per loop that had decided by then
}

// Worst is the interval of the timeline with the highest p99 latency.
type Worst struct {
	AtS         float64 `json:"at_s"` // its end
	LatencyP99S float64 `json:"latency_p99_s"`
}

// Moment is one interval of the timeline: counts at its end, rates and latency
// of it.
type Moment struct {
	FromS        float64   `json:"from_s"`
	ToS          float64   `json:"to_s"`
	Desired      int32     `json:"desired"`
	Created      int32     `json:"created"`
	Ready        int32     `json:"ready"`
	ArrivedRPS   float64   `json:"arrived_rps"`
	CompletedRPS float64   `json:"completed_rps"`
	LostRPS      *float64  `json:"lost_rps"`
	Queue        int64     `json:"queue"`
	LatencyP99S  *float64  `json:"latency_p99_s"`
	Metrics      []Measure `json:"metrics,omitempty"`
}

// Measure is one metric as its loop saw it, beside the truth.
type Measure struct {
	Loop   string   `json:"loop"`
	Name   string   `json:"name"`
	Unit   string   `json:"unit"`
	Target *float64 `json:"target"`
	Seen   *float64 `json:"seen"`
	AgeS   *float64 `json:"age_s"`
	Truth  *float64 `json:"truth"`
}

// InForce is the newest decision of one loop at an instant.
type InForce struct {
	Decision sim.Decision `json:"decision"`
	SaidS    float64      `json:"said_s"` // the last time until then
	Times    int          `json:"times"`  // it had been said until then
	// NextS is when the loop decided next, absent where it did not, and NextSame
	// whether it said the same again.
	NextS    *float64 `json:"next_s"`
	NextSame bool     `json:"next_same"`
	// AskedS is when what a stabilization window kept had last been asked for.
	AskedS *float64 `json:"asked_s,omitempty"`
}

// Explain looks an instant of a run up, which is to lie within it. It is an error
// when the result contradicts itself.
func Explain(r *sim.Result, atS float64) (*Explanation, error) {
	if err := check(r); err != nil {
		return nil, err
	}
	if !(atS >= 0 && atS <= r.DurationS) {
		return nil, fmt.Errorf("found the instant %s, expected 0s to %s, the end of the run", clock(atS), clock(r.DurationS))
	}
	e := &Explanation{Schema: ExplanationSchema, Scenario: r.Scenario, Autoscaler: r.Autoscaler, Seed: r.Seed, AtS: atS,
		Truth: momentAt(r, atS), InForce: []InForce{}}
	if o := r.Overload; o != nil && o.FromS <= atS && (atS <= o.ToS || atS == o.WorstS) {
		e.Overload = o
	}
	for _, loop := range loops(r.Decisions) {
		if f, ok := inForce(r.Decisions, loop, atS); ok {
			e.InForce = append(e.InForce, f)
			e.Truth.forget(f)
		}
	}
	return e, nil
}

// ExplainWorst looks up why the p99 latency was the worst: the last scale-up of
// the overload before it, else that instant itself, and the end of the run where no
// request was completed.
func ExplainWorst(r *sim.Result) (*Explanation, error) {
	if err := check(r); err != nil {
		return nil, err
	}
	at, worst := r.DurationS, (*Worst)(nil)
	for i, p99 := range r.Timeline.LatencyP99S {
		if p99 != nil && (worst == nil || *p99 > worst.LatencyP99S) {
			at = min(r.Timeline.TS[i], r.DurationS)
			worst = &Worst{AtS: at, LatencyP99S: *p99}
		}
	}
	if o := r.Overload; o != nil {
		at = o.WorstS
		worst = &Worst{AtS: o.WorstS, LatencyP99S: o.LatencyP99S}
		for _, d := range r.Decisions {
			if d.Desired > d.Current && o.FromS <= d.TS && d.TS <= o.WorstS {
				at = d.TS
			}
		}
	}
	e, err := Explain(r, at)
	if err == nil {
		e.Worst = worst
	}
	return e, err
}

// ListChanges adds all decisions that changed the count.
func (e *Explanation) ListChanges(r *sim.Result) { e.Changes = changing(r.Decisions) }

// Clock writes seconds since the start as every report does: 34m15s.
func Clock(s float64) string { return clock(s) }

// loops are the names of the control loops, in the order in which they spoke.
func loops(decisions []sim.Decision) []string {
	var names []string
	known := map[string]bool{}
	for _, d := range decisions {
		if !known[d.Autoscaler] {
			known[d.Autoscaler] = true
			names = append(names, d.Autoscaler)
		}
	}
	return names
}

// inForce is the last decision of a loop at an instant or before it.
func inForce(decisions []sim.Decision, loop string, atS float64) (f InForce, ok bool) {
	at := -1
	for i, d := range decisions {
		if d.Autoscaler != loop {
			continue
		}
		if d.TS > atS {
			f.NextS = new(d.TS)
			break
		}
		at, ok = i, true
	}
	if !ok {
		return f, false
	}
	d := decisions[at]
	f.Decision, f.SaidS, f.Times = d, d.TS, 1
	if d.Again > 0 && d.UntilS > d.TS {
		period := (d.UntilS - d.TS) / float64(d.Again)
		said := min(d.Again, int(math.Floor((atS-d.TS)/period+1e-9)))
		f.SaidS, f.Times = d.TS+float64(said)*period, said+1
		if said < d.Again {
			f.NextS, f.NextSame = new(d.TS+float64(said+1)*period), true
		}
	}
	f.AskedS = lastAsked(decisions[:at], &d)
	return f, true
}

// lastAsked is when a loop last asked for the count that a stabilization window
// keeps; nil where none does, or where it was never asked for.
func lastAsked(before []sim.Decision, d *sim.Decision) *float64 {
	at := slices.IndexFunc(d.Steps, func(s messages.Step) bool { return s.Stage == messages.StageWindow })
	if at < 0 {
		return nil
	}
	for i := len(before) - 1; i >= 0; i-- {
		b := &before[i]
		if asked, ok := b.Asked(); ok && b.Autoscaler == d.Autoscaler && asked == d.Steps[at].Replicas {
			return new(max(b.TS, b.UntilS))
		}
	}
	return nil
}

// forget drops what a loop saw after the decision that is explained.
func (m *Moment) forget(f InForce) {
	if m == nil || f.NextS == nil || *f.NextS > m.ToS {
		return
	}
	for i := range m.Metrics {
		if m.Metrics[i].Loop == f.Decision.Autoscaler {
			m.Metrics[i].Seen, m.Metrics[i].AgeS = nil, nil
		}
	}
}

// momentAt is the interval of the timeline in which an instant lies, or the last
// one; nil where there is none.
func momentAt(r *sim.Result, atS float64) *Moment {
	t := r.Timeline
	if len(t.TS) == 0 {
		return nil
	}
	i := 0
	for i < len(t.TS)-1 && t.TS[i] < atS {
		i++
	}
	m := &Moment{ToS: t.TS[i], Desired: t.Desired[i], Created: t.Created[i], Ready: t.Ready[i], ArrivedRPS: t.ArrivedRPS[i],
		CompletedRPS: t.CompletedRPS[i], Queue: t.Queue[i], LatencyP99S: t.LatencyP99S[i]}
	if i > 0 {
		m.FromS = t.TS[i-1]
	}
	if len(t.LostRPS) > 0 {
		m.LostRPS = &t.LostRPS[i]
	}
	for _, track := range r.Metrics {
		m.Metrics = append(m.Metrics, Measure{Loop: track.Loop, Name: track.Name, Unit: track.Unit, Target: track.Target,
			Seen: track.Seen[i], AgeS: track.AgeS[i], Truth: track.Truth[i]})
	}
	return m
}
