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
	result.Nodes = nodesOf(run)
	r.charge(result, run.tally, existed.Seconds(), idle.Seconds(), run.cluster.Invocations())
	result.Activator = activatorOf(run)
	result.Metrics, result.PodStarts = r.tracks.result, podStarts(run)
	result.Overload = overloadOf(result, r.spec.MeasureFrom)
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
	latency := merged(phases, func(p *cluster.PhaseTally) *cluster.Histogram { return p.Latency })
	r.timeline.IntervalS = r.interval.Seconds()
	return &Result{
		Schema:      Schema,
		Scenario:    r.spec.Scenario,
		Description: r.spec.Description,
		Manifest:    r.spec.Strategy.Manifest,
		Latencies:   quantilesOf(latency),
		Autoscaler:  r.spec.Strategy.Name,
		Seed:        r.spec.Seed,
		Start:       r.spec.Start.UTC().Format(time.RFC3339),
		DurationS:   r.end.Seconds(),
		Requests:    requestsOf(tally.Total()),
		LatencyS:    distributionOf(latency),
		WaitS:       distributionOf(merged(phases, func(p *cluster.PhaseTally) *cluster.Histogram { return p.Wait })),
		Phases:      r.phases(phases),
		Timeline:    r.timeline,
		Bands:       r.bands,
		Decisions:   append([]Decision{}, r.decisions...),
		Assertions:  []Assertion{},
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
		cpuMilli: r.spec.Cluster.CPURequestMilli, memoryBytes: r.spec.Cluster.MemoryRequestBytes,
		serverless: r.spec.Strategy.Serverless != nil, invocations: invocations,
		requests: result.Requests, late: tally.Late(),
		nodes: r.nodePrice(result.Nodes),
	}
	result.PodSeconds, result.IdlePodSeconds, result.IdleShare = existed, idle, u.idleShare()
	result.CPUCoreHours, result.MemoryGiBHours = u.cpuCoreHours(), u.memoryGiBHours()
	result.Cost = r.spec.Prices.bill(u)
}

// nodesOf is the time of the nodes, as the results give it; nil where there are none.
func nodesOf(run *run) *NodeSummary {
	existed, requested := run.cluster.NodeTime()
	if existed == nil {
		return nil
	}
	s := &NodeSummary{Requested: requested}
	for i, d := range existed {
		p := &run.spec.Cluster.Nodes.Pools[i]
		s.Pools = append(s.Pools, NodePool{Name: p.Name, NodeSeconds: d.Seconds()})
		s.NodeSeconds += d.Seconds()
	}
	return s
}

// nodePrice is what the nodes cost; nil where there are none, or they have no price.
func (r *recorder) nodePrice(n *NodeSummary) *float64 {
	if n == nil {
		return nil
	}
	var sum *float64
	for i, pool := range n.Pools {
		if price := r.spec.Cluster.Nodes.Pools[i].HourPrice; price != nil {
			sum = new(orZero(sum) + pool.NodeSeconds/time.Hour.Seconds()**price)
		}
	}
	return sum
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

// curve are the shares at which a latency curve is given: the further up, the finer.
var curve = []float64{0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97, 0.98,
	0.985, 0.99, 0.9925, 0.995, 0.997, 0.998, 0.999, 0.9995, 0.9999, 0.99995, 0.99999, 1}

// quantilesOf is nil when nothing was recorded. It does not go on where a single
// request would make the difference.
func quantilesOf(h *cluster.Histogram) *Quantiles {
	if h.Count() == 0 {
		return nil
	}
	var c Quantiles
	for _, q := range curve {
		if q < 1 && (1-q)*float64(h.Count()) < 1 {
			continue
		}
		s := h.Max().Seconds()
		if q < 1 {
			s = h.QuantileSeconds(q)
		}
		c.Q, c.S = append(c.Q, q), append(c.S, s)
	}
	return &c
}

// podStarts is nil where no pod was created after time 0, and where pods are not
// made one by one.
func podStarts(run *run) *PodStarts {
	if run.spec.Strategy.Oracle || run.spec.Strategy.Serverless != nil {
		return nil
	}
	var starts PodStarts
	run.cluster.Lives(func(p cluster.PodStatus) {
		if p.CreatedAt == 0 && p.ReadyAt == 0 {
			return
		}
		if starts.Count++; starts.Count > MaxPodStarts {
			return
		}
		starts.Pods = append(starts.Pods, PodStart{
			Pod: p.ID, CreatedS: p.CreatedAt.Seconds(), ScheduledS: instant(p.ScheduledAt), StartedS: instant(p.StartedAt),
			ReadyS: instant(p.ReadyAt), RoutableS: instant(p.RoutableAt), DeletedS: instant(p.DeletedAt),
		})
	})
	if starts.Count == 0 {
		return nil
	}
	return &starts
}

// instant is null for what did not happen.
func instant(at time.Duration) *float64 {
	if at == cluster.NotYet {
		return nil
	}
	return new(at.Seconds())
}

// throughput is how many requests per second one pod, or one instance, serves
// undisturbed.
func throughput(spec Spec) float64 {
	pod := spec.Cluster.PerPod
	if spec.Strategy.Serverless != nil {
		pod.Discipline, pod.Concurrency = "fifo", 1
	}
	return pod.Throughput()
}
