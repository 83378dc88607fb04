package report

import (
	"fmt"
	"math"

	"github.com/scalelab/scalelab/sim"
)

// longestRun is more than the simulated time of any run, in seconds.
const longestRun = math.MaxInt64 / 1e9

// implausible says what no run can have written; empty where there is nothing of
// the kind.
func implausible(r *sim.Result) string {
	if !(r.DurationS > 0 && r.DurationS <= longestRun) {
		return fmt.Sprintf("duration_s: found %v, expected more than 0 and at most %v", r.DurationS, longestRun)
	}
	if q := r.Requests; q.Arrived != q.Completed+q.TimedOut+q.Rejected+q.Failed+q.InFlight {
		return fmt.Sprintf("requests: found %d arrived, expected the sum of the others, %d",
			q.Arrived, q.Completed+q.TimedOut+q.Rejected+q.Failed+q.InFlight)
	}
	if err := check(r); err != nil {
		return err.Error()
	}
	for _, problem := range []string{unevenTime(r), unevenTracks(r), unevenDecisions(r)} {
		if problem != "" {
			return problem
		}
	}
	if o := r.Overload; o != nil && !(o.WorstS >= 0 && o.WorstS <= r.DurationS) {
		return fmt.Sprintf("overload.worst_s: found %v, expected 0 to %v", o.WorstS, r.DurationS)
	}
	if l := r.Latencies; l != nil && len(l.Q) != len(l.S) {
		return fmt.Sprintf("latency_quantiles: q has %d entries, but s has %d", len(l.Q), len(l.S))
	}
	return ""
}

// unevenTime says where time goes backwards or counts are below nothing.
func unevenTime(r *sim.Result) string {
	t, before := r.Timeline, 0.0
	for i, at := range t.TS {
		if at < before || at > r.DurationS {
			return fmt.Sprintf("timeline.t_s[%d]: found %v, expected %v to %v", i, at, before, r.DurationS)
		}
		before = at
		for _, c := range []struct {
			name  string
			value float64
		}{{"desired", float64(t.Desired[i])}, {"created", float64(t.Created[i])}, {"ready", float64(t.Ready[i])},
			{"arrived_rps", t.ArrivedRPS[i]}, {"completed_rps", t.CompletedRPS[i]}, {"queue", float64(t.Queue[i])}} {
			if c.value < 0 {
				return fmt.Sprintf("timeline.%s[%d]: found %v, expected 0 or more", c.name, i, c.value)
			}
		}
	}
	return ""
}

// unevenTracks says which metric does not go with the timeline.
func unevenTracks(r *sim.Result) string {
	n := len(r.Timeline.TS)
	for i, m := range r.Metrics {
		if len(m.Seen) != n || len(m.AgeS) != n || len(m.Truth) != n {
			return fmt.Sprintf("metrics[%d]: found %d, %d and %d values of seen, age_s and truth, expected %d, as in the timeline",
				i, len(m.Seen), len(m.AgeS), len(m.Truth), n)
		}
	}
	return ""
}

// unevenDecisions says where the log of decisions goes backwards.
func unevenDecisions(r *sim.Result) string {
	before := 0.0
	for i, d := range r.Decisions {
		switch {
		case d.TS < before || d.TS > r.DurationS:
			return fmt.Sprintf("decisions[%d].t_s: found %v, expected %v to %v", i, d.TS, before, r.DurationS)
		case d.Again < 0 || d.Again > 0 && !(d.UntilS > d.TS && d.UntilS <= r.DurationS):
			return fmt.Sprintf("decisions[%d]: found it again %d times until %v, expected until more than %v and at most %v",
				i, d.Again, d.UntilS, d.TS, r.DurationS)
		}
		before = d.TS
	}
	return ""
}

// Comparable reports runs that cannot have met the same traffic, or whose curves
// cannot be laid over each other.
func Comparable(runs []*sim.Result) error {
	for _, r := range runs {
		first := runs[0]
		for _, c := range []struct {
			what     string
			one, two any
		}{
			{"a run of the scenario", first.Scenario, r.Scenario},
			{"a run of seconds", first.DurationS, r.DurationS},
			{"a timeline of intervals", len(first.Timeline.TS), len(r.Timeline.TS)},
		} {
			if c.one != c.two {
				return fmt.Errorf("found %s %v (%s) beside one of %v (%s), expected the same",
					c.what, c.two, fit(clean(r.Autoscaler), longestName), c.one, fit(clean(first.Autoscaler), longestName))
			}
		}
	}
	return nil
}
