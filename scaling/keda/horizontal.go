package keda

import (
	"fmt"
	"slices"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling"
	"github.com/scalelab/scalelab/scaling/hpa"
)

// Horizontal is the HPA of a ScaledObject, whose external metrics KEDA's adapter
// answers.
type Horizontal struct {
	keda     *Autoscaler
	hpa      *hpa.Autoscaler
	min, max int32

	queries []messages.Query // those of the triggers, then those of resources
	sources []source         // of the HPA's metrics, index by index
	seen    []messages.Metric
	records []record // used again
}

// source is where the answer for a metric of the HPA comes from: an external
// trigger, all of them, or a query of the HPA's own.
type source struct {
	trigger int // its index; -1: none
	query   int // index into the queries; -1: none
}

var (
	_ scaling.Autoscaler = (*Horizontal)(nil)
	_ scaling.Observer   = (*Horizontal)(nil)
)

// Horizontal gives the HPA that belongs to the loop; it is nil while the
// ScaledObject is paused. The error is messages.Problems of the HPA's manifest.
func (a *Autoscaler) Horizontal() (*Horizontal, error) {
	if a.manifest.Paused() {
		return nil, nil
	}
	manifest := a.run.KubernetesVersion.Defaults(a.manifest.HPA())
	inner, err := hpa.New(hpa.Spec{Manifest: manifest, Controller: a.run.Controller, KubernetesVersion: a.run.KubernetesVersion})
	if err != nil {
		return nil, err
	}
	h := &Horizontal{keda: a, hpa: inner, min: *manifest.Spec.MinReplicas, max: manifest.Spec.MaxReplicas, queries: slices.Clone(a.queries)}
	own := inner.Queries()
	for i, m := range manifest.Spec.Metrics {
		s := source{trigger: -1, query: -1}
		switch {
		case m.External == nil:
			s.query = len(h.queries)
			own[i].Field = a.writtenAt(m)
			h.queries = append(h.queries, own[i])
		case a.formula == nil:
			s.trigger = slices.IndexFunc(a.triggers, func(t trigger) bool { return t.metric == m.External.Metric.Name })
			s.query = a.asked[s.trigger]
		}
		h.sources = append(h.sources, s)
	}
	h.seen = make([]messages.Metric, len(h.sources))
	return h, nil
}

// writtenAt is where the trigger of a resource stands in the ScaledObject.
func (a *Autoscaler) writtenAt(m autoscalingv2.MetricSpec) string {
	i := slices.IndexFunc(a.triggers, func(t trigger) bool {
		if m.ContainerResource != nil {
			return t.spec.ContainerResource != nil && t.spec.ContainerResource.Name == m.ContainerResource.Name &&
				t.spec.ContainerResource.Container == m.ContainerResource.Container
		}
		return t.spec.Resource != nil && t.spec.Resource.Name == m.Resource.Name
	})
	if m.ContainerResource != nil {
		return fmt.Sprintf("spec.triggers[%d].metadata.containerName", i)
	}
	return fmt.Sprintf("spec.triggers[%d].type", i)
}

// Stop ends the process of the HPA's controller.
func (h *Horizontal) Stop() { h.hpa.Stop() }

// Restart starts it again.
func (h *Horizontal) Restart(now time.Time) { h.hpa.Restart(now) }

// Quietly makes the HPA give no reasons in words.
func (h *Horizontal) Quietly() { h.hpa.Quietly() }

// Period is the sync period of the HPA's controller.
func (h *Horizontal) Period() time.Duration { return h.hpa.Period() }

// First is how long after its creation the HPA is synced for the first time.
func (h *Horizontal) First() time.Duration { return h.hpa.First() }

// Gauges are what the HPA's metrics are compared with.
func (h *Horizontal) Gauges() []messages.Gauge { return h.hpa.Gauges() }

// Queries are those of the triggers, and the resources that the HPA asks for.
func (h *Horizontal) Queries() []messages.Query { return h.queries }

// Asked gives for each metric of the HPA the index of the query behind it; -1 where
// there is none, or several.
func (h *Horizontal) Asked() []int {
	asked := make([]int, len(h.sources))
	for i, s := range h.sources {
		asked[i] = s.query
	}
	return asked
}

// Pushed is the index of the HPA's metric that the HTTP add-on answers for; -1: none.
func (h *Horizontal) Pushed() int {
	return slices.IndexFunc(h.sources, func(s source) bool { return s.trigger >= 0 && s.trigger == h.keda.pushed })
}

// Seen are the metrics as the HPA was last shown them, for each of its own.
func (h *Horizontal) Seen() []messages.Metric { return h.seen }

// Decide is one sync. The adapter is asked when the HPA asks for metrics: neither
// at zero nor outside of its limits.
func (h *Horizontal) Decide(now time.Time, seen messages.Observation) (messages.Decision, error) {
	if len(seen.Metrics) != len(h.queries) {
		return messages.Decision{}, fmt.Errorf("keda: found %d metrics, expected %d", len(seen.Metrics), len(h.queries))
	}
	cur := seen.Replicas.Desired
	l := look{now: now, cur: cur, seen: &seen}
	for i, s := range h.sources {
		switch {
		case cur == 0 || cur < h.min || cur > h.max:
			h.seen[i] = messages.Metric{Err: "not asked for"}
		case h.keda.stopped && (s.trigger >= 0 || s.query < 0):
			h.seen[i] = messages.Metric{Err: "the operator does not answer"}
		case s.trigger >= 0:
			h.seen[i] = h.answer(l, s.trigger)
		case s.query >= 0:
			h.seen[i] = seen.Metrics[s.query]
		default:
			h.seen[i] = h.answerAll(l)
		}
	}
	seen.Metrics = h.seen
	d, err := h.hpa.Decide(now, seen)
	h.keda.hpaActive = slices.ContainsFunc(d.Conditions, func(c messages.Condition) bool {
		return c.Type == string(autoscalingv2.ScalingActive) && c.Status == "True"
	})
	return d, err
}

// observe asks one trigger for the HPA, or the record of the last poll, and leaves
// the observation to the polls that go by it.
func (h *Horizontal) observe(l look, i int) record {
	a := h.keda
	var kept *record
	if a.triggers[i].cached {
		kept = a.records[i]
	}
	r := a.observe(l, i, kept)
	if a.readsHPA {
		a.records[i] = &r
	}
	return r
}

// answer is that of one trigger.
func (h *Horizontal) answer(l look, i int) messages.Metric {
	l.health = h.keda.cachedHealth()
	r := h.observe(l, i)
	if r.err != "" {
		h.keda.forget()
		return failed("metric:" + h.keda.triggers[i].metric + " encountered error")
	}
	return messages.Metric{At: l.now.Truncate(time.Second), Milli: r.value.MilliValue()}
}

// answerAll is that of the formula over all triggers.
func (h *Horizontal) answerAll(l look) messages.Metric {
	a := h.keda
	l.health = a.cachedHealth()
	h.records = h.records[:0]
	asked, broken, fallback := false, false, false
	for i := range a.triggers {
		r := record{}
		if a.triggers[i].external() {
			asked, r = true, h.observe(l, i)
		}
		broken, fallback = broken || r.err != "", fallback || r.fallback
		h.records = append(h.records, r)
	}
	if broken {
		a.forget()
	}
	switch {
	case broken && !fallback:
		return failed("metric:" + compositeMetric + " encountered error")
	case !asked:
		return failed("no matching metrics found for " + compositeMetric)
	}
	value, problem := a.combine(l, h.records)
	if problem != "" {
		return messages.Metric{Err: "no metrics returned from external metrics API"}
	}
	return messages.Metric{At: l.now.Truncate(time.Second), Milli: value.MilliValue()}
}

// failed is the adapter's error, as the API passes it on.
func failed(why string) messages.Metric {
	return messages.Metric{Err: "rpc error: code = Unknown desc = error when getting metric values " + why}
}
