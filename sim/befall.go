package sim

import (
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling"
	"github.com/scalelab/scalelab/sim/event"
	"github.com/scalelab/scalelab/sim/random"
)

// weather is what befalls a run: faults, by their index in Spec.Faults, under way.
type weather struct {
	draws     []random.Stream // one per fault
	errors    float64         // share of syncs that fail
	errorDraw random.Stream
	latency   time.Duration
}

// scheduleFaults puts the begin and the end of every fault into the queue. Of one
// instant ends come first, so that one fault may follow another at once.
func (r *run) scheduleFaults() {
	w, seed := &r.weather, random.Seed(r.spec.Seed)
	w.errorDraw = seed.Key("fault.api", 0).Stream()
	for i := range r.spec.Faults {
		if f := &r.spec.Faults[i]; f.kind().lasts {
			r.events.Push(f.until(), event.Faults, task{kind: relent, loop: i})
		}
	}
	for i := range r.spec.Faults {
		f := &r.spec.Faults[i]
		w.draws = append(w.draws, seed.Key("fault", uint64(i)).Stream())
		r.events.Push(f.At, event.Faults, task{kind: strike, loop: i})
		r.recorder.stretch(f.label(), f.At, f.until())
	}
}

// strike lets a fault happen or begin.
func (r *run) strike(i int) {
	f, draw := &r.spec.Faults[i], &r.weather.draws[i]
	switch {
	case f.Rollout != nil:
		r.cluster.Rollout()
	case f.PodCrash != nil:
		r.cluster.Crash(f.PodCrash.Count, draw)
	case f.NodeLoss != nil:
		r.cluster.LoseNodes(f.NodeLoss.Count, draw)
	case f.NodeDrain != nil:
		r.cluster.DrainNodes(f.NodeDrain.Count, draw)
	case f.SpotInterruption != nil:
		notice := defaultNotice
		if n := f.SpotInterruption.Notice; n != nil {
			notice = *n
		}
		r.cluster.InterruptNodes(f.SpotInterruption.Count, notice, draw)
	case f.Unready != nil:
		r.cluster.Unready(f.Unready.Count, f.until(), draw)
	case f.SlowStart != nil:
		r.cluster.SlowStart(*f.SlowStart)
	case f.APIErrors != nil:
		r.weather.errors = *f.APIErrors
	case f.APILatency != nil:
		r.weather.latency = *f.APILatency
	case f.AutoscalerDown != "":
		r.down(f, true)
	case f.ClockSkew != nil:
		r.skew(f.ClockSkew.Of, f.ClockSkew.by())
	}
}

// hits says whether a loop is down with the fault. The HPA that KEDA makes is run by
// Kubernetes, and does not go down with KEDA's operator.
func (f *Fault) hits(l *loop) bool { return f.AutoscalerDown == "all" || f.AutoscalerDown == l.name }

// relent ends a fault.
func (r *run) relent(i int) {
	f := &r.spec.Faults[i]
	switch {
	case f.SlowStart != nil:
		r.cluster.SlowStart(1)
	case f.APIErrors != nil:
		r.weather.errors = 0
	case f.APILatency != nil:
		r.weather.latency = 0
	case f.AutoscalerDown != "":
		r.down(f, false)
	case f.ClockSkew != nil:
		r.skew(f.ClockSkew.Of, 0)
	}
}

// down ends the processes of the loops that a fault hits, or starts them again: what
// they had in memory is lost then, and what they keep in the API is not.
func (r *run) down(f *Fault, down bool) {
	for k := range r.loops {
		l := &r.loops[k]
		if !f.hits(l) {
			continue
		}
		l.down = down
		if process, ok := l.autoscaler.(scaling.Restarter); ok {
			if down {
				process.Stop()
			} else {
				process.Restart(r.spec.Start.Add(r.cluster.Now()))
			}
		}
	}
}

// skew sets how much the clocks of loops are fast.
func (r *run) skew(name string, by time.Duration) {
	for k := range r.loops {
		if l := &r.loops[k]; l.name == name {
			l.skew = by
		}
	}
}

// refused says whether the API server fails the sync of now.
func (r *run) refused() bool {
	return r.weather.errors > 0 && r.weather.errorDraw.Float64() < r.weather.errors
}

// noteRefusal writes a sync down that the API server has failed.
func (r *run) noteRefusal(l *loop) {
	now, count := r.cluster.Now(), r.cluster.Replicas().Desired
	r.recorder.decision(now, l, count, messages.Decision{Desired: count, Reason: messages.ReasonAPIFailed,
		Message: "hold: the API server fails the sync"})
}
