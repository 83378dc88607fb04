package assertions

import (
	"fmt"

	"github.com/scalelab/scalelab/sim"
)

// term is a literal or a figure: what stands between operators.
type term struct {
	text       string // as it is written
	literal    *float64
	unit       Unit
	figure     figure
	autoscaler string // whose figure it is; "" is the one that is judged
	phase      string
	inPhase    bool
}

// value is what a term comes to in a result; without a number, why says why.
type value struct {
	number *float64
	why    string
}

// of reads the term in a result.
func (t term) of(r *sim.Result) value {
	if t.literal != nil {
		return value{number: t.literal}
	}
	whose := ""
	if t.autoscaler != "" {
		whose = t.autoscaler + ": "
	}
	if r == nil {
		return value{why: whose + "it did not run"}
	}
	from := source{run: r, requests: r.Requests, latency: r.LatencyS, wait: r.WaitS}
	where := ""
	if t.inPhase {
		phase := phaseOf(r, t.phase)
		if phase == nil {
			return value{why: fmt.Sprintf("%sthe run ends before the phase %q", whose, t.phase)}
		}
		from.requests, from.latency, from.wait = phase.Requests, phase.LatencyS, phase.WaitS
		where = fmt.Sprintf(" in the phase %q", t.phase)
	}
	if number := t.figure.read(from); number != nil {
		return value{number: number}
	}
	return value{why: whose + t.figure.missing + where}
}

func phaseOf(r *sim.Result, name string) *sim.Phase {
	for i := range r.Phases {
		if r.Phases[i].Name == name {
			return &r.Phases[i]
		}
	}
	return nil
}
