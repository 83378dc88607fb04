package sim

import (
	"time"

	"github.com/scalelab/scalelab/sim/cluster"
)

// result puts together what the recorder, the tally and the cluster know.
func (r *recorder) result(run *run) *Result {
	existed, idle := run.cluster.PodTime()
	latency, wait := cluster.NewHistogram(), cluster.NewHistogram()
	for _, p := range run.tally.Phases() {
		latency.Merge(p.Latency)
		wait.Merge(p.Wait)
	}
	r.summary.MeanReady, r.summary.MinReady = r.ready.mean(r.end), r.ready.least
	r.summary.MeanDesired = r.wanted.mean(r.end)
	r.timeline.IntervalS = r.interval.Seconds()
	name := r.spec.Strategy.Name
	return &Result{
		Schema:         Schema,
		Scenario:       r.spec.Scenario,
		Autoscaler:     name,
		Seed:           r.spec.Seed,
		Actuator:       run.actuator.Name(),
		Fingerprint:    r.print.String(),
		Start:          r.spec.Start.UTC().Format(time.RFC3339),
		DurationS:      r.end.Seconds(),
		Requests:       requestsOf(run.cluster.Counters()),
		LatencyS:       distributionOf(latency),
		WaitS:          distributionOf(wait),
		Replicas:       r.summary,
		PodSeconds:     existed.Seconds(),
		IdlePodSeconds: idle.Seconds(),
		Cost:           r.cost(existed),
		Phases:         r.phases(run),
		Timeline:       r.timeline,
		Decisions:      append([]Decision{}, r.decisions...),
		Assertions:     []Assertion{},
	}
}

func (r *recorder) cost(existed time.Duration) *Cost {
	if r.spec.PodHourPrice == nil {
		return nil
	}
	price := *r.spec.PodHourPrice
	return &Cost{Total: existed.Hours() * price, PodHourPrice: price}
}

// phases gives the figures of the phases that the run has reached.
func (r *recorder) phases(run *run) []Phase {
	phases := []Phase{}
	tallies := run.tally.Phases()
	for i, w := range r.spec.Traffic.Windows() {
		if w.From >= r.end {
			break
		}
		phases = append(phases, Phase{
			Name:     w.Name,
			FromS:    w.From.Seconds(),
			ToS:      min(w.To, r.end).Seconds(),
			Requests: requestsOf(tallies[i].Counters),
			LatencyS: distributionOf(tallies[i].Latency),
			WaitS:    distributionOf(tallies[i].Wait),
		})
	}
	return phases
}

func requestsOf(c cluster.Counters) Requests {
	return Requests{
		Arrived:   c.Arrived,
		Completed: c.Completed,
		TimedOut:  c.TimedOut,
		Rejected:  c.Rejected,
		Failed:    c.Failed,
		InFlight:  c.InFlight,
		Retried:   c.Retried,
		Cold:      c.Cold,
	}
}

// distributionOf is nil when nothing was recorded.
func distributionOf(h *cluster.Histogram) *Distribution {
	if h.Count() == 0 {
		return nil
	}
	return &Distribution{
		Mean: h.MeanSeconds(),
		P50:  h.QuantileSeconds(0.5),
		P90:  h.QuantileSeconds(0.9),
		P95:  h.QuantileSeconds(0.95),
		P99:  h.QuantileSeconds(0.99),
		P999: h.QuantileSeconds(0.999),
		Max:  h.Max().Seconds(),
	}
}
