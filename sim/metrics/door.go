package metrics

import (
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/event"
	"github.com/scalelab/scalelab/sim/metrics/adapter"
	"github.com/scalelab/scalelab/sim/metrics/prometheus"
	"github.com/scalelab/scalelab/sim/random"
)

// Truth is the state of the workload at one instant.
type Truth struct {
	// Pods are all pods that are not Gone, in order of creation.
	Pods     []cluster.PodStatus
	Counters cluster.Counters
	// Held is the number of requests that wait outside of the pods: at a front,
	// in a central queue, or as messages that can be taken.
	Held int
	// Hidden is the number of messages that pods have taken and lost, and that nobody
	// can take yet.
	Hidden int
	// Topic are the partitions of the queue, in which messages are until they have
	// been processed, and not until they are taken; none: it has none.
	Topic []messages.Partition
	// Replicas are the counts that the workload's Deployment reports.
	Replicas messages.Replicas
	// Activators are the proxies before all pods, and Path is the way of requests.
	Activators []cluster.Activator
	Path       messages.Path
}

// levels are what SourceQueue and SourceConcurrency measure of a workload, with the
// requests that wait, messages that can be taken among them, and those in service.
func (t *Truth) levels(waiting, inService int64) (queue, concurrency int64) {
	concurrency = waiting + inService + int64(t.Hidden)
	if len(t.Topic) > 0 {
		return concurrency, concurrency
	}
	return waiting, concurrency
}

// Spec is what a Door needs to know.
type Spec struct {
	Pipeline Pipeline
	// Sources are names beyond DefaultSources, or in place of them.
	Sources map[string]Source
	// Requests are the resource requests of the pod template's containers. The
	// simulated CPU time belongs to the container of the first.
	Requests  []messages.ResourceRequest
	Workload  string
	Namespace string
	Service   string
	// Memory says that the memory of the pods is simulated.
	Memory bool
	// Consumes says that the workload takes messages from a queue, and Partitions
	// how many the queue has; 0: none.
	Consumes   bool
	Partitions int
	// Adapter are the rules by which metrics of an HPA are queries to Prometheus; nil:
	// they are what Sources says.
	Adapter *adapter.Config
	// Series are what Prometheus finds beyond the series of usual exporters, or in
	// place of them.
	Series []Series
	Start  time.Time // the instant of time 0
	// Queries are what each control loop asks, one list per loop.
	Queries [][]messages.Query
	// Gaps are the stretches in which nothing is collected.
	Gaps []Gap
	// Seed is what random phases and noise are drawn from.
	Seed uint64
}

func (s *Spec) seed() random.Seed { return random.Seed(s.Seed) }

// Door collects what the loops' queries need, and answers them.
type Door struct {
	spec  Spec
	loops []loop
	pods  []messages.Pod // the buffer of every Observation
	names []string       // of the pods, by ID
	known []track        // pods seen at a scrape, in order of creation
	spare []track        // the other buffer of known

	kubelet, metricsServer, prometheus grid

	resource *resource // nil: nobody asks for CPU
	gauges   []*gauge  // what is measured for Pods, Object and External metrics
	promql   *promql   // nil: nobody asks a PromQL query
	scrapeAt time.Duration
	scraped  time.Duration // the newest Prometheus scrape, or cluster.NotYet
	reports  reports
}

// loop is one control loop's view.
type loop struct {
	plans   []plan
	answers []messages.Metric
}

// track is what has been collected of one pod.
type track struct {
	id     int32
	cpu    cpuSamples
	gauges []history            // index by index with Door.gauges
	series []*prometheus.Series // index by index with promql.pods; nil: not made yet
}

// NewDoor resolves every query. Its errors are messages.Problems: a query that
// asks for something unknown is a *messages.Invalid at the query's Field, a bad
// setting one at its place in a scenario, below "pipeline" or "metrics".
func NewDoor(spec Spec) (*Door, error) {
	var problems messages.Problems
	problems.Add(messages.Under("pipeline", spec.Pipeline.Validate()))
	problems.Add(validateSources(spec.Sources))
	problems.Add(validateGaps(spec.Gaps))
	if spec.Adapter != nil {
		problems.Add(messages.Under("adapter", spec.Adapter.Validate()))
	}
	problems.Add(messages.Under("series", ValidateSeries(spec.Series, spec.Consumes)))
	if len(problems) > 0 {
		return nil, problems
	}
	d := &Door{spec: spec, scrapeAt: event.Never, scraped: cluster.NotYet}
	if err := d.layGrids(); err != nil {
		return nil, err
	}
	for _, queries := range spec.Queries {
		l := loop{answers: make([]messages.Metric, len(queries))}
		for _, q := range queries {
			p, err := d.resolve(q)
			problems.Add(err)
			l.plans = append(l.plans, p)
		}
		d.loops = append(d.loops, l)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	if err := d.startPrometheus(); err != nil {
		return nil, err
	}
	return d, nil
}

// layGrids finds out when the parts of the pipeline do their work.
func (d *Door) layGrids() error {
	p := &d.spec.Pipeline
	for _, part := range []struct {
		grid     *grid
		name     string // in phases
		interval time.Duration
		gaps     string
	}{
		{&d.kubelet, "kubelet", p.Kubelet, partKubelet},
		{&d.metricsServer, "metricsServer", p.MetricsServer, partMetricsServer},
		{&d.prometheus, "prometheus", p.PrometheusScrape, partPrometheus},
	} {
		offset, err := p.Offset(part.name, part.interval, d.spec.seed())
		if err != nil {
			return messages.Under("pipeline", err)
		}
		*part.grid = grid{interval: part.interval, phase: offset, gaps: gapsOf(d.spec.Gaps, part.gaps)}
	}
	return nil
}

// Next is the instant at which the Door has to see the truth next, or
// event.Never when no query needs it to.
func (d *Door) Next() time.Duration { return min(d.resource.next(), d.scrapeAt) }

// Scrape collects what is due at now, which is to be the instant that Next
// gave; before it, nothing happens.
func (d *Door) Scrape(now time.Duration, t Truth) {
	if now < d.Next() {
		return
	}
	d.follow(t.Pods)
	if d.resource != nil {
		d.resource.collect(now, t.Pods, d.known)
	}
	if now >= d.scrapeAt {
		if d.promql != nil && d.prometheus.stopped(d.scraped, now) {
			d.promql.server.Restart()
		}
		d.scrapeAt = d.prometheus.next(now)
		d.scraped = now
		for i, g := range d.gauges {
			g.scrape(now, t, d.known, i)
		}
		if d.promql != nil {
			d.scrapeSeries(now, t)
		}
	}
}

// Observe gives the view of one loop, by its index in Spec.Queries, at now. The
// view's slices are used again at the next Observe: pods at that of any loop,
// metrics at that of the same loop. Partitions are those of the Truth.
func (d *Door) Observe(loop int, now time.Duration, t Truth, replicas messages.Replicas) messages.Observation {
	d.describe(t.Pods)
	l := &d.loops[loop]
	for i := range l.plans {
		d.answer(&l.plans[i], &l.answers[i], now, t)
	}
	return messages.Observation{Replicas: replicas, Pods: d.pods, Metrics: l.answers, Path: t.Path}
}

// Collected is when the newest of what a loop's queries are answered from was
// collected, by the loop's index in Spec.Queries; 0 where nothing has been.
func (d *Door) Collected(loop int) time.Duration {
	var newest time.Duration
	for i := range d.loops[loop].plans {
		switch d.loops[loop].plans[i].query.Kind {
		case messages.QueryResource:
			newest = max(newest, d.resource.collected)
		default:
			newest = max(newest, d.scraped)
		}
	}
	return newest
}

// follow makes known the tracks of exactly the pods that exist, in their order.
func (d *Door) follow(pods []cluster.PodStatus) {
	next := d.spare[:0]
	i := 0
	for _, p := range pods {
		for i < len(d.known) && d.known[i].id < p.ID {
			i++
		}
		if i < len(d.known) && d.known[i].id == p.ID {
			next = append(next, d.known[i])
		} else {
			next = append(next, track{id: p.ID, cpu: noSamples, gauges: make([]history, len(d.gauges))})
		}
	}
	d.known, d.spare = next, d.known
}

// eachKnown calls visit for every pod that has a track. Both lists are in order
// of creation.
func (d *Door) eachKnown(pods []cluster.PodStatus, visit func(index int, p *cluster.PodStatus, k *track)) {
	i := 0
	for index := range pods {
		p := &pods[index]
		for i < len(d.known) && d.known[i].id < p.ID {
			i++
		}
		if i < len(d.known) && d.known[i].id == p.ID {
			visit(index, p, &d.known[i])
		}
	}
}

// instant is a point of simulated time as the API writes it: whole seconds.
func (d *Door) instant(at time.Duration) time.Time {
	return d.spec.Start.Add(at).Truncate(time.Second)
}
