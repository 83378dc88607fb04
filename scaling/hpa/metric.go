package hpa

import (
	"math"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/trail"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// targetKind says what a metric is compared with.
type targetKind uint8

const (
	utilization  targetKind = iota // percent of the pods' requests
	averageValue                   // thousandths per pod
	totalValue                     // thousandths in all
)

// source is one entry of spec.metrics.
type source struct {
	query  messages.Query
	label  string // what messages call it
	kind   targetKind
	target int64  // percent, or thousandths
	shown  string // the target as the manifest writes it
	broken string // why the controller never asks for it, or empty
	says   saying
}

// newSource reads a validated entry of spec.metrics; field is its path.
func newSource(m autoscalingv2.MetricSpec, field string) source {
	switch m.Type {
	case autoscalingv2.ResourceMetricSourceType:
		return newResource(m.Resource.Name, "", m.Resource.Target, field+".resource.name")
	case autoscalingv2.ContainerResourceMetricSourceType:
		c := m.ContainerResource
		return newResource(c.Name, c.Container, c.Target, field+".containerResource.name")
	case autoscalingv2.PodsMetricSourceType:
		return newNamed(messages.QueryPods, m.Pods.Metric, m.Pods.Target.AverageValue, averageValue, field+".pods.metric.name")
	case autoscalingv2.ObjectMetricSourceType:
		value, kind := m.Object.Target.AverageValue, averageValue
		if m.Object.Target.Type == autoscalingv2.ValueMetricType {
			value, kind = m.Object.Target.Value, totalValue
		}
		s := newNamed(messages.QueryObject, m.Object.Metric, value, kind, field+".object.metric.name")
		if s.broken == "" && (value == nil || m.Object.Target.Type == autoscalingv2.UtilizationMetricType) {
			s.broken = "invalid object metric source: neither a value target nor an average value target was set"
		}
		s.query.Object = m.Object.DescribedObject.Kind + "/" + m.Object.DescribedObject.Name
		s.label = m.Object.DescribedObject.Kind + " metric " + m.Object.Metric.Name
		return s
	}
	value, kind := m.External.Target.AverageValue, averageValue
	if value == nil {
		value, kind = m.External.Target.Value, totalValue
	}
	return newNamed(messages.QueryExternal, m.External.Metric, value, kind, field+".external.metric.name")
}

func newResource(name corev1.ResourceName, container string, target autoscalingv2.MetricTarget, field string) source {
	s := source{
		query: messages.Query{Kind: messages.QueryResource, Name: string(name), Container: container, Field: field},
		label: string(name),
	}
	if container != "" {
		s.label += " of container " + container
	}
	if v := target.AverageValue; v != nil {
		s.kind, s.target, s.shown = averageValue, v.MilliValue(), v.String()
		return s
	}
	s.kind, s.target = utilization, int64(*target.AverageUtilization)
	s.label += " utilization"
	s.shown = new(trail.Trail).Count(*target.AverageUtilization).Text("%").Take()
	return s
}

func newNamed(kind messages.QueryKind, metric autoscalingv2.MetricIdentifier, value *resource.Quantity, target targetKind, field string) source {
	s := source{
		query: messages.Query{Kind: kind, Name: metric.Name, Field: field},
		label: "external metric " + metric.Name,
		kind:  target,
	}
	if value != nil { // nil only for an object whose type names the other field
		s.target, s.shown = value.MilliValue(), value.String()
	}
	if _, err := metav1.LabelSelectorAsSelector(metric.Selector); err != nil {
		s.broken = err.Error()
	}
	if kind == messages.QueryPods {
		s.label = "pods metric " + metric.Name
	}
	if metric.Selector != nil {
		s.query.Selector = metav1.FormatLabelSelector(metric.Selector)
	}
	return s
}

// Gauges are what the manifest's metrics are compared with, one for each Query.
func (a *Autoscaler) Gauges() []messages.Gauge {
	gauges := make([]messages.Gauge, len(a.sources))
	for i, s := range a.sources {
		gauges[i] = messages.Gauge{Name: s.label, Target: new(float64(s.target) / 1000), Per: messages.PerPod}
		switch s.kind {
		case utilization:
			gauges[i].Unit, gauges[i].Per = "%", messages.PerRequest
			*gauges[i].Target = float64(s.target)
		case totalValue:
			gauges[i].Per = messages.InAll
		}
	}
	return gauges
}

// proposal is what one metric, or all of them together, ask for.
type proposal struct {
	replicas int32
	source   *source
	within   bool   // held, because the metric is near its target
	problem  string // why there is no proposal
	// unanswered: the problem is that of the metrics API.
	unanswered bool
	reading    messages.Reading
}

// why is the reason of a rescale from a count, in the words of its event.
func (p proposal) why(cur int32) string {
	switch {
	case p.replicas > cur:
		return p.source.says.above
	case p.replicas < cur:
		return "All metrics below target"
	}
	return ""
}

// propose takes the largest of the metrics' proposals; one for 0 gives way to
// the next whatever that is. A metric that fails may hide a higher one, so that
// nothing is scaled down then.
func (a *Autoscaler) propose(v view) proposal {
	var best, first proposal
	failed := 0
	for i := range a.sources {
		p := a.proposeOne(v, &a.sources[i], &v.seen.Metrics[i])
		if p.problem != "" {
			p.reading = messages.Reading{Failed: true}
			if failed == 0 {
				first = p
			}
			failed++
			a.report.metricFailed(p)
			a.trail.Text(p.source.label).Text(": ").Text(p.problem).Step(messages.StageMetric, v.cur)
		} else if best.replicas == 0 || p.replicas > best.replicas {
			best = p
		}
		a.report.readings = append(a.report.readings, p.reading)
	}
	if failed == len(a.sources) || failed > 0 && best.replicas < v.cur {
		a.report.allFailed(first, failed, len(a.sources))
		best.problem = a.trail.Int(int64(failed)).Text(" of ").Int(int64(len(a.sources))).
			Text(" metrics failed, the first with: ").Text(first.problem).Take()
		return best
	}
	a.report.set(scalingActive, yes, "ValidMetricFound", best.source.says.found)
	best.replicas = max(best.replicas, 0) // negative metrics ask for nothing
	if len(a.sources) > 1 {
		a.trail.Text("largest proposal, by ").Text(best.source.label).Step(messages.StageMetric, best.replicas)
	}
	return best
}

func (a *Autoscaler) proposeOne(v view, s *source, m *messages.Metric) proposal {
	switch {
	case s.broken != "":
		return proposal{source: s, problem: s.broken}
	case m.Err != "":
		return proposal{source: s, problem: m.Err, unanswered: true}
	case s.query.Kind == messages.QueryResource || s.query.Kind == messages.QueryPods:
		return a.fromPods(v, s, m)
	case s.kind == totalValue:
		return a.fromTotal(v, s, m)
	}
	return a.fromAverage(v, s, m)
}

// fromTotal scales the ready pods by value / target. Without pods the ratio
// itself is the count.
func (a *Autoscaler) fromTotal(v view, s *source, m *messages.Metric) proposal {
	r := float64(m.Milli) / float64(s.target)
	p := proposal{source: s, reading: messages.Reading{Milli: m.Milli}}
	if v.cur == 0 {
		p.replicas = toInt32(math.Ceil(r))
		against(a.describe(v, s, m).Milli(m.Milli), s, r).Text("; no pods yet").Step(messages.StageMetric, p.replicas)
		return p
	}
	ready := countReady(v.seen.Pods)
	if p.replicas = scaled(r, ready); a.version.has(capsTotals) && float64(r*float64(ready)) > math.MaxInt32 {
		p.replicas = math.MaxInt32
	}
	against(a.describe(v, s, m).Milli(m.Milli), s, r).Text(", x ").Pods(ready).
		Text(" = ").Decimals(r*float64(ready), 4).Step(messages.StageMetric, p.replicas)
	if a.tolerance.holds(r) {
		return a.heldNear(r, v.cur, p)
	}
	if len(v.seen.Pods) == 0 {
		p.problem = noPods
	}
	return p
}

// fromAverage divides the value by the target per pod. What is held is the
// count of pods that exist, which can differ from the one asked for. An
// external value below 0 counts as the largest there is: the controller takes
// it for a sum that has overflowed.
func (a *Autoscaler) fromAverage(v view, s *source, m *messages.Metric) proposal {
	created, milli := v.seen.Replicas.Created, m.Milli
	guarded := s.query.Kind == messages.QueryExternal && a.version.has(fearsOverflow)
	if guarded && milli < 0 {
		milli = math.MaxInt64
	}
	r := float64(milli) / (float64(s.target) * float64(created))
	share := float64(milli) / float64(s.target)
	count := math.Ceil(share)
	p := proposal{source: s, replicas: toInt32(count)}
	if guarded && count > math.MaxInt32 {
		p.replicas = math.MaxInt32
	}
	p.reading.Milli = spread(milli, created)
	against(a.describe(v, s, m).Milli(milli).Text(" for ").Pods(int64(created)), s, r).
		Text(", value / target = ").Decimals(share, 4).Step(messages.StageMetric, p.replicas)
	if a.tolerance.holds(r) {
		return a.heldNear(r, created, p)
	}
	return p
}

// heldNear is p kept at a count, because the ratio is too close to 1.
func (a *Autoscaler) heldNear(r float64, count int32, p proposal) proposal {
	a.trail.Text("ratio ").Decimals(r, 4).Text(" is within ").Decimals(a.tolerance.low, 4).Text(" to ").Decimals(a.tolerance.high, 4).
		Step(messages.StageTolerance, count)
	p.replicas, p.within = count, true
	return p
}

// band is the range of ratios in which nothing is scaled, ends included.
type band struct{ low, high float64 }

func (b band) holds(r float64) bool { return b.low <= r && r <= b.high }

// newBand takes the flag's tolerance for a direction that has none of its own.
func newBand(tolerance float64, b *autoscalingv2.HorizontalPodAutoscalerBehavior) band {
	upward, downward := tolerance, tolerance
	if b != nil && b.ScaleUp.Tolerance != nil {
		upward = b.ScaleUp.Tolerance.AsApproximateFloat64()
	}
	if b != nil && b.ScaleDown.Tolerance != nil {
		downward = b.ScaleDown.Tolerance.AsApproximateFloat64()
	}
	return band{low: 1 - downward, high: 1 + upward}
}
