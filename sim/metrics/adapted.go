package metrics

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/metrics/adapter"
	"github.com/scalelab/scalelab/sim/metrics/prometheus"
)

// adapts says whether a metric is for the adapter's rules to find.
func (s *Spec) adapts(q messages.Query) bool {
	switch {
	case s.Adapter == nil:
		return false
	case q.Kind == messages.QueryPods, q.Kind == messages.QueryObject:
		return len(s.Adapter.Rules) > 0
	}
	return q.Kind == messages.QueryExternal && len(s.Adapter.ExternalRules) > 0
}

// adapted is the query that stands for a metric. For all pods of the workload it is
// the same one, whichever there are: the adapter lists them by name and drops what is
// about others, which comes to the same.
func (s *Spec) adapted(q messages.Query) (*adapter.Query, error) {
	r := adapter.Request{Metric: q.Name, Selector: q.Selector, Namespace: s.Namespace}
	switch q.Kind {
	case messages.QueryPods:
		r.Of, r.Name, r.AnyOf = adapter.Pods, regexp.QuoteMeta(s.Workload)+"-.*", true
	case messages.QueryObject:
		kind, name, _ := strings.Cut(q.Object, "/")
		r.Of, r.Name = adapter.OfKind(kind), name
	}
	var found []adapter.Series
	for _, f := range s.families() {
		found = append(found, adapter.Series{Name: f.name, Label: f.value(cluster.PodName(s.Workload, 0))})
	}
	adapted, err := s.Adapter.Query(r, found)
	if err == nil {
		_, err = prometheus.Scalar(adapted.Expr)
	}
	if err != nil {
		return nil, messages.Invalidf(q.Field, "%v", err)
	}
	return &adapted, nil
}

// answerAdapted asks Prometheus at now, to the millisecond.
func (d *Door) answerAdapted(p *plan, m *messages.Metric, now time.Duration, pods []cluster.PodStatus) {
	m.At = d.instant(now)
	d.arrive(now - d.spec.Pipeline.Delay.Prometheus)
	elements, err := d.promql.server.Elements(d.spec.Start.Add(now).Truncate(time.Millisecond), p.adapted.Expr)
	if err != nil {
		m.Err = "Internal error occurred: unable to fetch metrics" // the cause is in the adapter's log
		return
	}
	switch p.query.Kind {
	case messages.QueryPods:
		d.adaptedPods(p, m, elements, pods)
	case messages.QueryObject:
		d.adaptedObject(p, m, elements)
	default:
		adaptedSum(m, elements)
	}
}

// adaptedPods gives every pod that is named by an element. Of several, the last holds.
func (d *Door) adaptedPods(p *plan, m *messages.Metric, elements []prometheus.Element, pods []cluster.PodStatus) {
	values := map[string]float64{}
	for i := range elements {
		values[elements[i].Label(p.adapted.Label)] = elements[i].Value
	}
	for i := range pods {
		if value, found := values[d.name(pods[i].ID)]; found {
			m.Pods = append(m.Pods, messages.PodMetric{Pod: i, Milli: milli(value), At: m.At})
		}
	}
	if len(m.Pods) == 0 {
		m.Err = "no metrics returned from custom metrics API"
	}
}

func (d *Door) adaptedObject(p *plan, m *messages.Metric, elements []prometheus.Element) {
	_, name, _ := strings.Cut(p.query.Object, "/")
	found := false
	for i := range elements {
		if elements[i].Label(p.adapted.Label) == name {
			m.Milli, found = milli(elements[i].Value), true
		}
	}
	if !found {
		m.Err = fmt.Sprintf("the server could not find the metric %s for %s", p.query.Name, p.query.Object)
	}
}

// adaptedSum is what the HPA makes of the elements of an External metric.
func adaptedSum(m *messages.Metric, elements []prometheus.Element) {
	if len(elements) == 0 {
		m.Err = "no metrics returned from external metrics API"
	}
	for i := range elements {
		m.Milli += milli(elements[i].Value)
	}
}

// milli cuts a value to thousandths. NaN is 0; what is too large is the least number
// of all, as on the processors that adapters run on.
func milli(value float64) int64 {
	thousandths := value * 1000
	switch {
	case math.IsNaN(value):
		return 0
	case math.Abs(thousandths) >= math.MaxInt64:
		return math.MinInt64
	}
	return int64(thousandths)
}
