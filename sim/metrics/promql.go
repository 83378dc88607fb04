package metrics

import (
	"slices"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/metrics/prometheus"
)

// promql is Prometheus and what it is fed with.
type promql struct {
	server *prometheus.Server
	buffer []prometheus.Sample
	pods   []family // of every pod; track.series has theirs, index by index
	whole  []wholeSeries
	late   []scrape // with a delay: what no query finds yet
}

// scrape is what one scrape found.
type scrape struct {
	at      time.Duration
	samples []prometheus.Sample
}

// wholeSeries is a series that is there once.
type wholeSeries struct {
	series *prometheus.Series
	value  func(t *Truth) (value float64, there bool)
}

// startPrometheus makes the Door scrape if any query wants it to.
func (d *Door) startPrometheus() error {
	if exprs := d.expressions(); len(exprs) > 0 {
		server, err := prometheus.New(d.spec.Pipeline.PrometheusScrape, exprs...)
		if err != nil {
			return err
		}
		d.promql = &promql{server: server}
		for _, f := range d.spec.families() {
			d.promql.expose(f)
		}
	}
	if d.promql != nil || len(d.gauges) > 0 {
		d.scrapeAt = d.prometheus.next(cluster.NotYet)
	}
	return nil
}

// expressions are what Prometheus will be asked.
func (d *Door) expressions() (exprs []string) {
	for _, l := range d.loops {
		for _, p := range l.plans {
			switch {
			case p.query.Kind == messages.QueryPromQL:
				exprs = append(exprs, p.query.Name)
			case p.adapted != nil:
				exprs = append(exprs, p.adapted.Expr)
			}
		}
	}
	return exprs
}

// expose takes in what a query can select.
func (p *promql) expose(f family) {
	switch {
	case !p.server.Names(f.name):
	case f.ofPod != nil:
		p.pods = append(p.pods, f)
	default:
		if series := p.server.Series(f.name, f.labels...); series != nil {
			p.whole = append(p.whole, wholeSeries{series: series, value: f.ofAll})
		}
	}
}

// scrapeSeries lets Prometheus scrape what belongs to no single pod, and every
// running pod.
func (d *Door) scrapeSeries(now time.Duration, t Truth) {
	samples := d.promql.buffer[:0]
	for _, w := range d.promql.whole {
		if value, there := w.value(&t); there {
			samples = append(samples, prometheus.Sample{Series: w.series, Value: value})
		}
	}
	for i := range t.Pods {
		p, k := &t.Pods[i], &d.known[i]
		if p.StartedAt == cluster.NotYet {
			continue
		}
		if k.series == nil {
			k.series = d.seriesOf(p.ID)
		}
		for j, f := range d.promql.pods {
			if k.series[j] == nil {
				continue
			}
			switch value, there := f.ofPod(p); {
			case there:
				samples = append(samples, prometheus.Sample{Series: k.series[j], Value: value})
			case !comesUp(p): // the scrape fails
				samples = append(samples, prometheus.Sample{Series: k.series[j], Value: prometheus.Stale})
			}
		}
	}
	d.promql.buffer = samples
	if d.spec.Pipeline.Delay.Prometheus > 0 {
		d.promql.late = append(d.promql.late, scrape{now, slices.Clone(samples)})
		return
	}
	d.promql.server.Append(d.spec.Start.Add(now), samples)
}

// arrive stores the scrapes up to an instant.
func (d *Door) arrive(upTo time.Duration) {
	q, n := d.promql, 0
	for ; n < len(q.late) && q.late[n].at <= upTo; n++ {
		q.server.Append(d.spec.Start.Add(q.late[n].at), q.late[n].samples)
	}
	q.late = slices.Delete(q.late, 0, n)
}

// seriesOf are a pod's series; nil ones are selected by no query.
func (d *Door) seriesOf(pod int32) []*prometheus.Series {
	name := d.name(pod)
	made := make([]*prometheus.Series, len(d.promql.pods))
	for i, f := range d.promql.pods {
		made[i] = d.promql.server.Series(f.name, f.labelsOf(name)...)
	}
	return made
}

// answerPromQL evaluates the query at now, cut to the second: the trigger sends
// the instant of its evaluation in RFC 3339 without a fraction.
func (d *Door) answerPromQL(p *plan, m *messages.Metric, now time.Duration) {
	if d.prometheus.silent(now) {
		m.Err = prometheusIsDown
		return
	}
	d.arrive(now - d.spec.Pipeline.Delay.Prometheus)
	m.At = d.instant(now)
	value, empty, err := d.promql.server.Query(m.At, p.query.Name)
	switch {
	case err != nil:
		m.Err = err.Error()
	case empty:
		m.Err = messages.EmptyResult
	default:
		m.Value, m.Scalar = value, p.scalar
	}
}
