package sim

import (
	"math"
	"slices"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/cluster"
)

// recorder writes down what happens: the timeline, the decisions, the replica
// statistics and the fingerprint.
type recorder struct {
	spec     Spec
	end      time.Duration
	interval time.Duration
	print    fingerprint

	timeline  Timeline
	decisions []Decision
	bands     []Band
	tracks    tracks
	room      float64 // requests per second that one pod serves undisturbed; 0: not known
	cells     []cell  // of a fleet, in place of timeline and decisions
	ready     gauge
	wanted    gauge
	summary   ReplicaSummary
	direction int // of the last change of the count: +1, -1 or 0
	last      cluster.Counters
	sampledAt time.Duration
	buckets   []cluster.Bucket // scratch of sample
}

// sampleIntervals are the steps of the timeline; the first that gives at most
// maxSamples is taken.
var sampleIntervals = []time.Duration{
	time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

const maxSamples = 500

func newRecorder(spec Spec, end time.Duration) *recorder {
	n := spec.InitialReplicas()
	r := &recorder{
		spec:     spec,
		end:      end,
		interval: spec.SampleEvery,
		ready:    gauge{from: spec.MeasureFrom},
		wanted:   gauge{from: spec.MeasureFrom, value: n},
		summary:  ReplicaSummary{MaxDesired: n},
	}
	if r.interval == 0 {
		r.interval = sampleIntervals[len(sampleIntervals)-1]
		for _, step := range sampleIntervals {
			if end/step <= maxSamples {
				r.interval = step
				break
			}
		}
	}
	return r
}

// equip makes the recorder add its samples to those of a fleet.
func (r *recorder) equip(k *kit) {
	r.cells = k.fleet.cells
	r.print, r.buckets = k.print, k.buckets
	r.print.reset()
}

// decision writes a decision down. A fleet keeps none, and nobody wants to read of
// reconciliations that came to nothing.
func (r *recorder) decision(now time.Duration, l *loop, current int32, d messages.Decision) {
	r.print.decision(now, l.name, current, d)
	if r.cells != nil || l.idle {
		return
	}
	r.write(Decision{
		TS:         now.Seconds(),
		Autoscaler: l.name,
		Current:    current,
		Desired:    d.Desired,
		Reason:     d.Reason,
		Message:    d.Message,
		Steps:      d.Steps,
		Signals:    d.Signals,
		said:       now,
		collected:  l.collected,
		woken:      l.woken,
	}, l.autoscaler.Period())
	for _, s := range d.Signals {
		if s.Flag {
			r.band(s.Name, s.Value != 0, now)
		}
	}
}

// write adds a decision to the list, or counts it with the one of its loop before
// it that says the same.
func (r *recorder) write(d Decision, period time.Duration) {
	for i := len(r.decisions) - 1; i >= 0; i-- {
		before := &r.decisions[i]
		if before.Autoscaler != d.Autoscaler {
			continue
		}
		if d.said-before.said == period && d.repeats(before) {
			before.Again++
			before.UntilS, before.said = d.TS, d.said
			return
		}
		break
	}
	d.Steps = append([]messages.Step{}, d.Steps...)
	d.Signals = slices.Clone(d.Signals)
	r.decisions = append(r.decisions, d)
}

// band follows a state that begins and ends. A fleet keeps none.
func (r *recorder) band(name string, on bool, now time.Duration) {
	if r.cells != nil {
		return
	}
	at := -1
	for i := range r.bands {
		if r.bands[i].Name == name && r.bands[i].open {
			at = i
		}
	}
	switch {
	case on && at < 0:
		r.bands = append(r.bands, Band{Name: name, FromS: now.Seconds(), ToS: r.end.Seconds(), open: true})
	case !on && at >= 0:
		r.bands[at].ToS, r.bands[at].open = now.Seconds(), false
	}
}

// stretch notes what was so from one instant to another, both known. A fleet keeps
// none.
func (r *recorder) stretch(name string, from, to time.Duration) {
	if r.cells == nil {
		r.bands = append(r.bands, Band{Name: name, FromS: from.Seconds(), ToS: min(to, r.end).Seconds()})
	}
}

// desired follows spec.replicas.
func (r *recorder) desired(now time.Duration, count int32) {
	before := r.wanted.value
	r.wanted.set(now, count)
	if now < r.spec.MeasureFrom {
		r.summary.MaxDesired = count
		return
	}
	r.summary.MaxDesired = max(r.summary.MaxDesired, count)
	direction := 0
	switch {
	case count > before:
		direction = +1
		r.summary.ScaleUps++
	case count < before:
		direction = -1
		r.summary.ScaleDowns++
	default:
		return
	}
	if direction == -r.direction {
		r.summary.Flaps++
	}
	r.direction = direction
}

// transitions follows the pods.
func (r *recorder) transitions(changes []cluster.Transition) {
	for _, t := range changes {
		r.print.transition(t)
		switch {
		case t.To == cluster.Ready:
			r.ready.set(t.At, r.ready.value+1)
		case t.From == cluster.Ready:
			r.ready.set(t.At, r.ready.value-1)
		default:
			continue
		}
		if r.spec.Strategy.Oracle || r.spec.Strategy.Serverless != nil { // what they want is there
			r.desired(t.At, r.ready.value)
		}
	}
}

// sample adds one entry to the timeline, or to a fleet's.
func (r *recorder) sample(run *run) {
	now, counters := run.cluster.Now(), run.cluster.Counters()
	latency := run.tally.Interval()
	r.buckets = latency.Filled(r.buckets[:0])
	r.print.sample(now, counters, r.buckets)
	replicas := run.cluster.Replicas()
	e := entry{
		now: now, elapsed: now - r.sampledAt,
		desired: int64(replicas.Desired), created: int64(replicas.Created), ready: int64(replicas.Ready),
		arrived: counters.Arrived - r.last.Arrived, completed: counters.Completed - r.last.Completed,
		waiting: run.cluster.Waiting(), lost: counters.Lost() - r.last.Lost(),
	}
	if r.cells != nil {
		r.cells[0].add(e, latency, r.buckets)
		r.cells = r.cells[1:]
	} else {
		r.timeline.add(e, latency)
		r.timeline.idealize(r.room)
		if run.cluster.HasNodes() {
			n := run.cluster.NodeCounts()
			r.timeline.Nodes = append(r.timeline.Nodes, saturated(int64(n.Ready)))
			r.timeline.Pending = append(r.timeline.Pending, saturated(int64(n.Pending)))
		}
		r.tracks.sample(run)
	}
	r.sampledAt, r.last = now, counters
	latency.Reset()
}

// entry is one sample: counts of the instant, and of the interval before it.
type entry struct {
	now, elapsed            time.Duration
	desired, created, ready int64
	waiting                 int64
	arrived, completed      uint64
	lost                    uint64
}

// add appends a sample. latency is of the interval; nil is as good as empty.
func (t *Timeline) add(e entry, latency *cluster.Histogram) {
	t.TS = append(t.TS, e.now.Seconds())
	t.Desired = append(t.Desired, saturated(e.desired))
	t.Created = append(t.Created, saturated(e.created))
	t.Ready = append(t.Ready, saturated(e.ready))
	t.ArrivedRPS = append(t.ArrivedRPS, float64(e.arrived)/e.elapsed.Seconds())
	t.CompletedRPS = append(t.CompletedRPS, float64(e.completed)/e.elapsed.Seconds())
	t.LostRPS = append(t.LostRPS, float64(e.lost)/e.elapsed.Seconds())
	t.Queue = append(t.Queue, e.waiting)
	quantile := func(q float64) *float64 {
		if latency == nil || latency.Count() == 0 {
			return nil
		}
		return new(latency.QuantileSeconds(q))
	}
	t.LatencyP50S = append(t.LatencyP50S, quantile(0.5))
	t.LatencyP90S = append(t.LatencyP90S, quantile(0.9))
	t.LatencyP99S = append(t.LatencyP99S, quantile(0.99))
}

// idealize adds the pods that the newest rate would just fill, where one of them
// serves perPod requests per second.
func (t *Timeline) idealize(perPod float64) {
	if perPod > 0 {
		rate := t.ArrivedRPS[len(t.ArrivedRPS)-1]
		t.Ideal = append(t.Ideal, saturated(int64(math.Ceil(rate/perPod))))
	}
}

// replicas are the statistics of the whole run.
func (r *recorder) replicas() ReplicaSummary {
	summary := r.summary
	summary.MeanReady, summary.MinReady = r.ready.mean(r.end), r.ready.least
	summary.MeanDesired = r.wanted.mean(r.end)
	return summary
}

// gauge integrates a count over time from an instant on.
type gauge struct {
	from     time.Duration
	value    int32
	at       time.Duration
	integral float64 // count seconds
	least    int32
	started  bool
}

func (g *gauge) set(now time.Duration, value int32) {
	g.advance(now)
	g.value = value
	if g.started && now > g.from {
		g.least = min(g.least, value)
	}
}

// advance adds the stretch up to now. The least value is looked for from the
// measured stretch's first instant on, after everything that happens in it.
func (g *gauge) advance(now time.Duration) {
	since := max(g.at, g.from)
	if now > since {
		if !g.started {
			g.started, g.least = true, g.value
		}
		g.integral += float64(float64(g.value) * (now - since).Seconds())
	}
	g.at = now
}

// mean is the time-weighted mean up to end.
func (g *gauge) mean(end time.Duration) float64 {
	g.advance(end)
	return g.integral / (end - g.from).Seconds()
}
