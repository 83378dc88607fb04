package hpa

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/scalelab/scalelab/messages"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// drawSamples draws what the metrics server knows. The first entry that names a
// resource leads it: the pods' average lands near the ratio of that entry.
func (w *world) drawSamples(now time.Time, s *scene) {
	d := &w.dice
	for i := range w.pods {
		p := &w.pods[i]
		running := p.Phase == messages.PodRunning || d.chance(w.odd)
		if !running || p.running.After(now.Add(-w.within(20))) || d.chance(w.missing) {
			continue
		}
		window := d.seconds(10, 15, 30, 60)
		at := now.Truncate(time.Second).Add(-w.within(45))
		// The edge that decides whether a sample of a new pod counts.
		if edge := p.ReadyChanged.Add(window + time.Duration(d.between(-1, 1))*time.Second); d.chance(0.4) && !edge.After(now) {
			at = edge
		}
		s.samples[i] = sample{at: at, window: window}
	}
	for i := len(w.pods); i < len(s.samples); i++ {
		s.samples[i] = sample{at: now.Truncate(time.Second), window: time.Minute}
	}
	for _, r := range []string{"cpu", "memory"} {
		w.drawUse(s, r)
	}
}

// drawUse draws the use of one resource.
func (w *world) drawUse(s *scene, r string) {
	d := &w.dice
	lead, container := -1, ""
	for i, q := range w.queries {
		if q.Kind == messages.QueryResource && q.Name == r && lead < 0 {
			lead, container = i, q.Container
		}
	}
	uneven := d.chance(0.3)
	value, percent := int64(100), true
	ratio := 0.5
	if lead >= 0 {
		value, percent, _ = target(&w.entries[lead])
		ratio = w.ratios[lead]
	}
	level := near(d, float64(value)*ratio)
	for i := range s.samples {
		p := &s.samples[i]
		if p.at.IsZero() || d.chance(w.odd/3) { // a pod without this resource
			continue
		}
		use := level
		if percent {
			use = level * w.requested(i, r, container) / 100
		}
		if uneven {
			use = int64(math.Round(float64(use) * 2 * d.Float64()))
		}
		for _, c := range w.containers {
			part := use
			switch {
			case container != "" && c != container:
				part = int64(d.IntN(300))
			case container == "" && len(w.containers) > 1 && c == name:
				part = use - use/3
			case container == "" && len(w.containers) > 1:
				part = use / 3
			}
			if c == name || !d.chance(w.odd/3) { // a sidecar without a sample
				p.use = append(p.use, usage{c, r, part})
			}
		}
	}
}

// requested is what pod i, or one of its containers, requests.
func (w *world) requested(i int, r, container string) (sum int64) {
	if i >= len(w.pods) {
		return int64(w.dice.IntN(1000))
	}
	for _, q := range w.pods[i].Requests {
		if q.Resource == r && q.Container != "" && (container == "" || q.Container == container) {
			sum += q.Milli
		}
	}
	return sum
}

// nothing is what the metrics client says of an empty list.
var nothing = messages.Metric{Err: "no metrics returned"}

// measure is the answer to query i as ours gets it.
func (w *world) measure(now time.Time, s *scene, i int) messages.Metric {
	d := &w.dice
	q := w.queries[i]
	value, _, perPod := target(&w.entries[i])
	m := messages.Metric{At: now.Truncate(time.Second).Add(-w.within(30))}
	switch {
	case s.failures[i] == refuses, s.failures[i] == empty && q.Kind == messages.QueryObject:
		return messages.Metric{Err: errRefused.Error()}
	case s.failures[i] == empty:
		return nothing
	case q.Kind == messages.QueryResource:
		if !slices.ContainsFunc(s.samples, func(p sample) bool { return !p.at.IsZero() }) {
			return nothing
		}
		for j := range s.samples {
			if use, ok := s.samples[j].of(q.Name, q.Container); ok {
				m.Pods = append(m.Pods, messages.PodMetric{Pod: s.podIndex(j), Milli: use, At: s.samples[j].at, Window: s.samples[j].window})
			}
		}
	case q.Kind == messages.QueryPods:
		level, uneven := near(d, float64(value)*w.ratios[i]), d.chance(0.3)
		for j := range w.pods {
			if p := &w.pods[j]; (p.Phase == messages.PodRunning || d.chance(w.odd)) && !d.chance(w.missing) {
				v := level
				if uneven {
					v = int64(math.Round(float64(level) * 2 * d.Float64()))
				}
				m.Pods = append(m.Pods, messages.PodMetric{Pod: j, Milli: v, At: m.At, Window: time.Minute})
			}
		}
		for range len(s.samples) - len(w.pods) {
			m.Pods = append(m.Pods, messages.PodMetric{Pod: messages.Unlisted, Milli: near(d, float64(value)), At: m.At, Window: time.Minute})
		}
		if len(m.Pods) == 0 {
			return nothing
		}
	case perPod:
		m.Milli = near(d, float64(value)*w.ratios[i]*float64(max(1, w.created)))
	default:
		m.Milli = near(d, float64(value)*w.ratios[i])
	}
	if m.Milli > 0 && d.chance(w.odd/5) {
		m.Milli = -m.Milli
	}
	if q.Kind == messages.QueryExternal {
		rest := m.Milli
		for range d.IntN(3) {
			part := int64(float64(rest) * d.Float64())
			s.series[i] = append(s.series[i], part)
			rest -= part
		}
		s.series[i] = append(s.series[i], rest)
	}
	return m
}

// podObject is pod i as the API has it.
func (s *scene) podObject(i int) *corev1.Pod {
	p := &s.seen.Pods[i]
	o := &corev1.Pod{}
	o.Name, o.Namespace, o.Labels = p.Name, namespace, selector
	o.Status.Phase = corev1.PodPhase(p.Phase.String())
	if p.Deleting {
		o.DeletionTimestamp = &metav1.Time{Time: s.at}
	}
	if !p.Started.IsZero() {
		o.Status.StartTime = &metav1.Time{Time: p.Started}
	}
	if p.HasCondition {
		c := corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: metav1.NewTime(p.ReadyChanged)}
		if p.Ready {
			c.Status = corev1.ConditionTrue
		}
		o.Status.Conditions = []corev1.PodCondition{c}
	}
	o.Spec.Resources = &corev1.ResourceRequirements{Requests: requestsOf(p, "")}
	for _, name := range s.containers {
		o.Spec.Containers = append(o.Spec.Containers, corev1.Container{Name: name,
			Resources: corev1.ResourceRequirements{Requests: requestsOf(p, name)}})
	}
	return o
}

func requestsOf(p *messages.Pod, container string) corev1.ResourceList {
	list := corev1.ResourceList{}
	for _, r := range p.Requests {
		if r.Container == container && r.Resource != "" {
			list[corev1.ResourceName(r.Resource)] = *milli(r.Milli)
		}
	}
	return list
}

// podName is the name of the pod of a sample; those beyond the pods are of pods
// that the API does not list.
func (s *scene) podName(i int) string {
	if i < len(s.seen.Pods) {
		return s.seen.Pods[i].Name
	}
	return fmt.Sprintf("gone-%d", i)
}

// podIndex is what ours calls the pod of a sample.
func (s *scene) podIndex(i int) int {
	if i < len(s.seen.Pods) {
		return i
	}
	return messages.Unlisted
}
