package hpa

import (
	"fmt"
	"time"

	"github.com/scalelab/scalelab/messages"
	ours "github.com/scalelab/scalelab/scaling/hpa"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
)

// life is how a world moves on.
type life struct {
	entries []autoscalingv2.MetricSpec // with defaults
	desired int32
	created int32 // as the Deployment's status shows it, which may lag
	pods    []pod
	born    int
	ratios  []float64
	away    []int // for how many more syncs a metric fails
	how     []failure
}

// pod is a pod and what it is going to do.
type pod struct {
	messages.Pod
	started, running, ready, gone time.Time
	wontCondition, wontStart      bool
}

// scene is what can be seen at one sync: seen is what ours gets; the rest is
// what makes the same of it for the real controller.
type scene struct {
	at         time.Time
	seen       messages.Observation
	queries    []messages.Query
	failures   []failure
	samples    []sample
	series     [][]int64
	containers []string
}

func newLife(w *world) life {
	l := life{desired: int32(w.dice.between(0, 6)), entries: ours.Defaults(w.manifest).Spec.Metrics}
	if w.dice.chance(0.8) {
		l.desired = max(l.desired, 1)
	}
	for range l.entries {
		l.ratios = append(l.ratios, 1)
		l.away = append(l.away, 0)
		l.how = append(l.how, works)
	}
	return l
}

// step brings the world to a sync of the instant now, after the count has become
// desired.
func (w *world) step(now time.Time, desired int32, first bool) *scene {
	d := &w.dice
	if first {
		desired = w.desired
	}
	w.desired = desired
	if !first && d.chance(w.byHand) {
		w.desired = int32(d.between(0, int(w.manifest.Spec.MaxReplicas)+3))
	}
	w.moveReplicas(now, first)
	kept := w.pods[:0]
	for _, p := range w.pods {
		if p.gone.IsZero() || p.gone.After(now) {
			w.movePod(now, &p)
			kept = append(kept, p)
		}
	}
	w.pods = kept
	if first || !d.chance(w.lagging) {
		w.created = w.alive()
	}
	return w.scene(now)
}

// alive counts the pods that a ReplicaSet counts.
func (w *world) alive() (n int32) {
	for i := range w.pods {
		if !w.pods[i].Deleting && w.pods[i].Phase != messages.PodFailed {
			n++
		}
	}
	return n
}

// moveReplicas makes and deletes pods, as a ReplicaSet does, with delays.
func (w *world) moveReplicas(now time.Time, first bool) {
	d := &w.dice
	for n := w.alive(); n < w.desired && (first || !d.chance(w.lagging)); n++ {
		w.pods = append(w.pods, w.newPod(now, first && d.chance(0.8)))
	}
	for i := len(w.pods) - 1; i >= 0 && w.alive() > w.desired; i-- {
		p := &w.pods[i]
		if !p.Deleting && p.Phase != messages.PodFailed {
			p.Deleting = true
			p.gone = now.Add(w.within(w.retire))
		}
	}
}

// within is a whole number of seconds up to a limit.
func (w *world) within(limit int) time.Duration {
	return time.Duration(w.dice.IntN(limit+1)) * time.Second
}

func (w *world) newPod(now time.Time, old bool) pod {
	d := &w.dice
	born := now.Add(-w.within(int(w.flags.SyncPeriod / time.Second))).Truncate(time.Second)
	if old {
		born = now.Add(-time.Hour).Truncate(time.Second)
	}
	t := 0
	if w.born > 8 {
		t = len(w.templates) - 1
	}
	p := pod{Pod: messages.Pod{Name: fmt.Sprintf("web-%d", w.born), Requests: w.templates[t]}}
	w.born++
	p.started = born.Add(w.within(2))
	p.running = p.started.Add(w.within(w.startup / 4))
	p.ready = p.running.Add(w.within(w.startup))
	p.wontCondition, p.wontStart = d.chance(w.odd), d.chance(w.odd)
	return p
}

// movePod lets happen what is due.
func (w *world) movePod(now time.Time, p *pod) {
	d := &w.dice
	due := func(at time.Time) bool { return !at.After(now) }
	if due(p.started) && !p.HasCondition && !p.wontCondition {
		p.HasCondition, p.ReadyChanged = true, p.started
	}
	if due(p.started) && p.Started.IsZero() && !p.wontStart {
		p.Started = p.started
	}
	if due(p.running) && p.Phase == messages.PodPending {
		p.Phase = messages.PodRunning
	}
	recently := func() time.Time { return now.Truncate(time.Second).Add(-w.within(5)) }
	switch {
	case p.Phase != messages.PodRunning || !p.HasCondition:
	case due(p.ready) && !p.Ready && p.Started.Equal(p.ReadyChanged):
		p.Ready, p.ReadyChanged = true, p.ready
	case d.chance(w.flapping):
		p.Ready, p.ReadyChanged = !p.Ready, recently()
	case d.chance(w.flapping / 5):
		p.Phase, p.Ready, p.ReadyChanged = messages.PodFailed, false, recently()
		p.gone = now.Add(w.within(120))
	}
}

// scene draws the metrics of this instant and puts everything together.
func (w *world) scene(now time.Time) *scene {
	s := &scene{at: now, queries: w.queries, containers: w.containers,
		series: make([][]int64, len(w.entries)), samples: make([]sample, len(w.pods)+w.strangers()), failures: make([]failure, len(w.entries))}
	s.seen.Replicas = messages.Replicas{Desired: w.desired, Created: w.created}
	for i := range w.pods {
		s.seen.Pods = append(s.seen.Pods, w.pods[i].Pod)
		if w.pods[i].Ready {
			s.seen.Replicas.Ready++
		}
	}
	for i := range w.entries {
		w.moveRatio(i)
		w.moveFailure(i)
		s.failures[i] = w.how[i]
	}
	w.drawSamples(now, s)
	for i := range w.entries {
		s.seen.Metrics = append(s.seen.Metrics, w.measure(now, s, i))
	}
	return s
}

// strangers is how many pods have samples and are not listed.
func (w *world) strangers() int {
	if w.dice.chance(w.odd) {
		return w.dice.between(1, 2)
	}
	return 0
}

// moveRatio moves the ratio of a metric to its target: it stays, goes to an edge
// of the tolerance, walks, jumps, or falls to nothing.
func (w *world) moveRatio(i int) {
	d := &w.dice
	if d.chance(w.calm) {
		return
	}
	switch x := d.Float64(); {
	case x < 0.4:
		w.ratios[i] = pick(d, 1+w.up, 1-w.down, 1)
	case x < 0.65:
		w.ratios[i] *= 0.85 + float64(0.3*d.Float64())
	case x < 0.85:
		w.ratios[i] = 2 * d.Float64()
	case x < 0.95:
		w.ratios[i] = 0
	case d.chance(0.05): // more than a count can hold
		w.ratios[i] = pick(d, 1e9, 1e11)
	default:
		w.ratios[i] = 6 * d.Float64()
	}
}

// moveFailure lets a metric fail for some syncs and come back.
func (w *world) moveFailure(i int) {
	d := &w.dice
	if w.away[i] > 0 {
		w.away[i]--
		return
	}
	w.how[i] = works
	if d.chance(w.failing) {
		w.away[i], w.how[i] = d.IntN(5), pick(d, refuses, empty)
	}
}
