package sim

import (
	"time"

	"github.com/scalelab/scalelab/sim/cluster"
)

// result puts together what the recorder, the tally and the cluster know.
func (r *recorder) result(run *run) *Result {
	result := r.outcome(run.tally)
	result.Actuator = run.actuator.Name()
	result.Fingerprint = r.print.String()
	result.Replicas = r.replicas()
	existed, idle := run.cluster.PodTime()
	r.charge(result, run.tally, existed.Seconds(), idle.Seconds(), run.cluster.Invocations())
	result.Activator = activatorOf(run)
	return result
}

// activatorOf is nil where there is none.
func activatorOf(run *run) *Activator {
	all := run.cluster.Activators(nil)
	if all == nil {
		return nil
	}
	waits := run.tally.Buffered()
	sum := &Activator{Buffered: waits.Count(), WaitS: distributionOf(waits)}
	for _, a := range all {
		sum.Requests += a.Entered
	}
	return sum
}

// outcome is what the tally and the timeline tell.
func (r *recorder) outcome(tally *cluster.Tally) *Result {
	phases := tally.Phases()
	r.timeline.IntervalS = r.interval.Seconds()
	return &Result{
		Schema:     Schema,
		Scenario:   r.spec.Scenario,
		Autoscaler: r.spec.Strategy.Name,
		Seed:       r.spec.Seed,
		Start:      r.spec.Start.UTC().Format(time.RFC3339),
		DurationS:  r.end.Seconds(),
		Requests:   requestsOf(tally.Total()),
		LatencyS:   distributionOf(merged(phases, func(p *cluster.PhaseTally) *cluster.Histogram { return p.Latency })),
		WaitS:      distributionOf(merged(phases, func(p *cluster.PhaseTally) *cluster.Histogram { return p.Wait })),
		Phases:     r.phases(phases),
		Timeline:   r.timeline,
		Bands:      r.bands,
		Decisions:  append([]Decision{}, r.decisions...),
		Assertions: []Assertion{},
	}
}

// merged is one histogram of all phases.
func merged(phases []cluster.PhaseTally, of func(*cluster.PhaseTally) *cluster.Histogram) *cluster.Histogram {
	if len(phases) == 1 {
		return of(&phases[0])
	}
	all := cluster.NewHistogram()
	for i := range phases {
		all.Merge(of(&phases[i]))
	}
	return all
}

// charge adds the pods' time and what it costs to a result.
func (r *recorder) charge(result *Result, tally *cluster.Tally, existed, idle float64, invocations uint64) {
	u := usage{
		existed: existed, idle: idle,
		cpuMilli: r.spec.Cluster.CPURequestMilli, memoryBytes: r.spec.MemoryRequestBytes,
		serverless: r.spec.Strategy.Serverless != nil, invocations: invocations,
		requests: result.Requests, late: tally.Late(),
	}
	result.PodSeconds, result.IdlePodSeconds, result.IdleShare = existed, idle, u.idleShare()
	result.CPUCoreHours, result.MemoryGiBHours = u.cpuCoreHours(), u.memoryGiBHours()
	result.Cost = r.spec.Prices.bill(u)
}

// phases gives the figures of the phases that the run has reached.
func (r *recorder) phases(tallies []cluster.PhaseTally) []Phase {
	phases := []Phase{}
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
