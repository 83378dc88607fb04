package sim

import (
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
	ready     gauge
	wanted    gauge
	summary   ReplicaSummary
	direction int // of the last change of the count: +1, -1 or 0
	last      cluster.Counters
	sampledAt time.Duration
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

// decision writes a decision down.
func (r *recorder) decision(now time.Duration, loop string, current int32, d messages.Decision) {
	r.print.decision(now, loop, current, d)
	r.decisions = append(r.decisions, Decision{
		TS:         now.Seconds(),
		Autoscaler: loop,
		Current:    current,
		Desired:    d.Desired,
		Reason:     d.Reason,
		Message:    d.Message,
		Steps:      append([]messages.Step{}, d.Steps...),
	})
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
		switch t.To {
		case cluster.Ready:
			r.ready.set(t.At, r.ready.value+1)
		case cluster.Draining: // only pods that were Ready drain
			r.ready.set(t.At, r.ready.value-1)
		default:
			continue
		}
		if r.spec.Strategy.Oracle || r.spec.Strategy.Serverless != nil { // what they want is there
			r.desired(t.At, r.ready.value)
		}
	}
}

// sample adds one entry to the timeline.
func (r *recorder) sample(run *run) {
	now, counters := run.cluster.Now(), run.cluster.Counters()
	replicas, latency := run.cluster.Replicas(), run.tally.Interval()
	r.print.sample(now, counters, latency)

	t := &r.timeline
	elapsed := now - r.sampledAt
	r.sampledAt = now
	t.TS = append(t.TS, now.Seconds())
	t.Desired = append(t.Desired, replicas.Desired)
	t.Created = append(t.Created, replicas.Created)
	t.Ready = append(t.Ready, replicas.Ready)
	t.ArrivedRPS = append(t.ArrivedRPS, float64(counters.Arrived-r.last.Arrived)/elapsed.Seconds())
	t.CompletedRPS = append(t.CompletedRPS, float64(counters.Completed-r.last.Completed)/elapsed.Seconds())
	t.Queue = append(t.Queue, run.cluster.Waiting())
	var p99 *float64
	if latency.Count() > 0 {
		v := latency.QuantileSeconds(0.99)
		p99 = &v
	}
	t.LatencyP99S = append(t.LatencyP99S, p99)
	r.last = counters
	latency.Reset()
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
