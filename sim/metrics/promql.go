package metrics

import (
	"slices"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/metrics/prometheus"
)

// The series that Prometheus finds:
//
//	http_requests_total  requests that the pod's container answered since its start,
//	                     from its first scrape as a Ready pod on, with code="200"
//	up                   of every running pod: 1 when the scrape succeeds, that is
//	                     once its container has been Ready, else 0
//	up                   of Prometheus itself: 1, with container="prometheus"
//
// Pods carry the labels that a ServiceMonitor's targets have: namespace,
// service, pod, container, endpoint="http", job (the service, or the workload
// if there is none) and instance (the pod's name with port 8080). They are
// targets until they are gone, terminating ones included.
const (
	requestsSeries = "http_requests_total"
	upSeries       = "up"
)

var seriesNames = []string{requestsSeries, upSeries}

// promql is Prometheus and what it is fed with.
type promql struct {
	server *prometheus.Server
	itself *prometheus.Series
	buffer []prometheus.Sample
	late   []scrape // with a delay: what no query finds yet
}

// scrape is what one scrape found.
type scrape struct {
	at      time.Duration
	samples []prometheus.Sample
}

// podSeries are the series of one pod; nil ones are selected by no query.
type podSeries struct {
	made         bool
	requests, up *prometheus.Series
}

// comesUp says whether a pod's container can be scraped: once it has been Ready.
func comesUp(p *cluster.PodStatus) bool {
	return p.RunningSince != cluster.NotYet && (p.ReadyAt != cluster.NotYet || p.UnreadyAt > p.RunningSince)
}

// startPrometheus makes the Door scrape if any query wants it to.
func (d *Door) startPrometheus() error {
	var exprs []string
	for _, l := range d.loops {
		for _, p := range l.plans {
			if p.query.Kind == messages.QueryPromQL {
				exprs = append(exprs, p.query.Name)
			}
		}
	}
	if len(exprs) > 0 {
		server, err := prometheus.New(d.spec.Pipeline.PrometheusScrape, exprs...)
		if err != nil {
			return err
		}
		d.promql = &promql{server: server, itself: server.Series(upSeries,
			"namespace", "monitoring", "service", "prometheus", "pod", "prometheus-0", "container", "prometheus",
			"endpoint", "web", "job", "prometheus", "instance", "prometheus-0:9090")}
	}
	if d.promql != nil || len(d.gauges) > 0 {
		d.scrapeAt = d.prometheus.next(cluster.NotYet)
	}
	return nil
}

// scrapeSeries lets Prometheus scrape itself and every running pod.
func (d *Door) scrapeSeries(now time.Duration, t Truth) {
	samples := append(d.promql.buffer[:0], prometheus.Sample{Series: d.promql.itself, Value: 1})
	for i := range t.Pods {
		p, k := &t.Pods[i], &d.known[i]
		if p.StartedAt == cluster.NotYet {
			continue
		}
		if !k.series.made {
			k.series = d.seriesOf(p.ID)
		}
		if !comesUp(p) {
			samples = append(samples, prometheus.Sample{Series: k.series.up, Value: 0},
				prometheus.Sample{Series: k.series.requests, Value: prometheus.Stale})
			continue
		}
		samples = append(samples,
			prometheus.Sample{Series: k.series.up, Value: 1},
			prometheus.Sample{Series: k.series.requests, Value: float64(p.Completed - p.Former)})
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

func (d *Door) seriesOf(pod int32) podSeries {
	name, job, container := d.name(pod), d.spec.Service, ""
	if job == "" {
		job = d.spec.Workload
	}
	if names := d.containers(); len(names) > 0 {
		container = names[0]
	}
	labels := []string{
		"namespace", d.spec.Namespace, "service", d.spec.Service, "pod", name, "container", container,
		"endpoint", "http", "job", job, "instance", name + ":8080",
	}
	return podSeries{
		made:     true,
		up:       d.promql.server.Series(upSeries, labels...),
		requests: d.promql.server.Series(requestsSeries, append(labels, "code", "200")...),
	}
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
		m.Value = value
	}
}
