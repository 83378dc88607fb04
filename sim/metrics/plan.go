package metrics

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/metrics/adapter"
	"github.com/scalelab/scalelab/sim/metrics/prometheus"
)

// plan is a query with everything looked up that does not change.
type plan struct {
	query    messages.Query
	scalar   bool           // PromQL: the result is a scalar, and no vector
	sidecar  bool           // resource: of a container that uses no CPU
	memory   bool           // resource: memory, not CPU
	adapted  *adapter.Query // Pods, Object, External: by the adapter's rules; nil: a gauge
	gauge    int            // Pods, Object, External: index into Door.gauges
	tooEarly string         // Object, External: the answer before there are samples enough
	asked    time.Duration  // Pods, Object, External: when the adapter asked for what it has in its cache
}

// resolve finds out what a query asks for, and makes the Door collect it.
func (d *Door) resolve(q messages.Query) (plan, error) {
	switch q.Kind {
	case messages.QueryResource:
		return d.resolveResource(q)
	case messages.QueryPods, messages.QueryObject, messages.QueryExternal:
		if d.spec.adapts(q) {
			adapted, err := d.spec.adapted(q)
			return plan{query: q, adapted: adapted}, err
		}
		return d.resolveGauge(q)
	case messages.QueryPromQL:
		scalar, err := prometheus.Scalar(q.Name)
		if err != nil {
			return plan{}, messages.Invalidf(q.Field, "%v", err)
		}
		return plan{query: q, scalar: scalar}, nil
	case messages.QueryQueue:
		return plan{query: q}, checkQueue(q)
	}
	return plan{}, fmt.Errorf("query %q has the unknown kind %d", q.Name, q.Kind)
}

func (d *Door) resolveResource(q messages.Query) (plan, error) {
	switch q.Name {
	case "cpu":
	case "memory":
		if !d.spec.Memory {
			return plan{}, messages.Invalidf(q.Field, `found resource "memory", expected cpu: memory is simulated with workload.perPod.memory`)
		}
	default:
		return plan{}, messages.Invalidf(q.Field, "found resource %q, %s", q.Name, messages.OneOf(q.Name, []string{"cpu"}))
	}
	sidecar, err := d.sidecar(q)
	if err != nil {
		return plan{}, err
	}
	if d.resource == nil {
		if d.resource, err = newResource(&d.spec, d.kubelet, d.metricsServer); err != nil {
			return plan{}, err
		}
	}
	return plan{query: q, sidecar: sidecar, memory: q.Name == "memory"}, nil
}

// sidecar tells whether the query narrows to a container that is not the one
// the CPU time belongs to. Without any requests the containers are not known,
// and the pod's usage is taken for every one of them.
func (d *Door) sidecar(q messages.Query) (bool, error) {
	names := d.spec.containers()
	if q.Container == "" || len(names) == 0 {
		return false, nil
	}
	if !slices.Contains(names, q.Container) {
		return false, messages.Invalidf(q.Field, "found container %q, %s", q.Container, messages.OneOf(q.Container, names))
	}
	return q.Container != names[0], nil
}

// containers are the names of the pod template's containers, as far as its
// requests tell.
func (s *Spec) containers() (names []string) {
	for _, r := range s.Requests {
		if r.Container != "" && !slices.Contains(names, r.Container) {
			names = append(names, r.Container)
		}
	}
	return names
}

func (d *Door) resolveGauge(q messages.Query) (plan, error) {
	known := DefaultSources()
	maps.Copy(known, d.spec.Sources)
	source, ok := known[q.Name]
	if !ok {
		names := slices.Sorted(maps.Keys(known))
		return plan{}, messages.Invalidf(q.Field, "found metric %q, %s", q.Name, messages.OneOf(q.Name, names))
	}
	pipeline := &d.spec.Pipeline
	g := gauge{source: source.Source, window: source.window(), interval: pipeline.PrometheusScrape,
		delay: pipeline.Delay.Prometheus, cache: pipeline.AdapterCache}
	if err := g.checkWindow(q); err != nil {
		return plan{}, err
	}
	var err error
	if g.noise, err = newNoise("pipeline.noise.metrics."+g.source, pipeline.Noise.Metrics, d.spec.seed()); err != nil {
		return plan{}, err
	}
	p := plan{query: q, gauge: d.share(g), tooEarly: "no scrape of the metric yet", asked: cluster.NotYet}
	if isRate(g.source) {
		p.tooEarly = fmt.Sprintf("no two scrapes of the metric in the last %v", g.window)
	}
	if q.Kind == messages.QueryPods {
		d.gauges[p.gauge].perPod = true
	}
	return p, nil
}

// checkWindow refuses windows in which there can be too few scrapes.
func (g *gauge) checkWindow(q messages.Query) error {
	switch {
	case g.delay > 0 && g.window > 0 && g.window <= g.interval+g.delay:
		return messages.Invalidf(q.Field, "metric %q: found a window of %v, expected more than the scrape interval of %v and the delay of %v",
			q.Name, g.window, g.interval, g.delay)
	case isRate(g.source) && g.window <= g.interval:
		return messages.Invalidf(q.Field, "metric %q: found a window of %v, expected more than the scrape interval of %v, for a rate needs two scrapes",
			q.Name, g.window, g.interval)
	case !isRate(g.source) && g.window > 0 && g.window < g.interval:
		return messages.Invalidf(q.Field, "metric %q: found a window of %v, expected at least the scrape interval of %v",
			q.Name, g.window, g.interval)
	}
	return nil
}

// share gives the index of the gauge that measures the same as g.
func (d *Door) share(g gauge) int {
	for i, other := range d.gauges {
		if other.source == g.source && other.window == g.window {
			return i
		}
	}
	d.gauges = append(d.gauges, &g)
	return len(d.gauges) - 1
}

// validateSources reports the sources' problems in the order of their names.
func validateSources(named map[string]Source) error {
	var problems messages.Problems
	for _, name := range slices.Sorted(maps.Keys(named)) {
		problems.Add(messages.Under("metrics."+name, named[name].Validate()))
	}
	return problems.Err()
}

// answer fills m with the answer at now, using its buffers again.
func (d *Door) answer(p *plan, m *messages.Metric, now time.Duration, t Truth) {
	*m = messages.Metric{Pods: m.Pods[:0]}
	switch p.query.Kind {
	case messages.QueryResource:
		d.answerResource(p, m, now, t.Pods)
	case messages.QueryQueue:
		m.At, m.Milli, m.Partitions = d.instant(now), 1000*t.length(p.query.Name), t.Topic
	case messages.QueryPromQL:
		d.answerPromQL(p, m, now)
	case messages.QueryPods, messages.QueryObject, messages.QueryExternal:
		d.askAdapter(p, m, now, t.Pods)
	}
	if m.Err != "" {
		*m = messages.Metric{Err: m.Err, Pods: m.Pods[:0]}
	}
}

// askAdapter asks the adapter, which asks Prometheus unless it has an answer that is
// young enough.
func (d *Door) askAdapter(p *plan, m *messages.Metric, now time.Duration, pods []cluster.PodStatus) {
	if cache := d.spec.Pipeline.AdapterCache; cache > 0 {
		if p.asked == cluster.NotYet || now-p.asked >= cache {
			p.asked = now
		}
		now = p.asked
	}
	if d.prometheus.silent(now) {
		p.asked = cluster.NotYet
		m.Err = adapterIsLost
		return
	}
	if p.adapted != nil {
		d.answerAdapted(p, m, now, pods)
		return
	}
	if newest := d.newestScrape(now); newest != cluster.NotYet {
		m.At, m.Window = d.instant(newest), d.gauges[p.gauge].window
	}
	if p.query.Kind == messages.QueryPods {
		d.answerPods(p, m, now, pods)
	} else {
		d.answerTotal(p, m, now)
	}
}

// newestScrape is the newest scrape that a query of an instant finds, or
// cluster.NotYet.
func (d *Door) newestScrape(now time.Duration) time.Duration {
	if p := &d.spec.Pipeline; p.Delay.Prometheus == 0 && p.AdapterCache == 0 {
		return d.scraped
	}
	return d.prometheus.last(now - d.spec.Pipeline.Delay.Prometheus)
}
