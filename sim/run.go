package sim

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling"
	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/event"
	"github.com/scalelab/scalelab/sim/metrics"
	"github.com/scalelab/scalelab/sim/random"
)

// Option changes how a run is carried out, never what comes out of it.
type Option func(*run)

// WithActuator carries decisions out through act instead of directly. act must
// stand at the Spec's replica count of time 0, as Spec.InitialReplicas gives it.
func WithActuator(act Actuator) Option { return func(r *run) { r.actuator = act } }

// WithActuators makes the actuator of a run, and of every service of a fleet,
// with newActuator. It is called by any worker.
func WithActuators(newActuator func(Spec) (Actuator, error)) Option {
	return func(r *run) { r.newActuator = newActuator }
}

// WithWorkers lets n services of a fleet run at the same time; without it, one.
func WithWorkers(n int) Option { return func(r *run) { r.workers = n } }

// WithProgress calls report with the simulated time reached at every control
// event. For a fleet it is called after every service, by one worker at a time,
// with the mean of the times that its services have reached.
func WithProgress(report func(now, end time.Duration)) Option {
	return func(r *run) { r.progress = report }
}

// Run replays the Spec's traffic against its strategy. The same Spec gives the
// same Result, whatever the Options.
func Run(ctx context.Context, spec Spec, options ...Option) (*Result, error) {
	if spec.Fleet != nil {
		f, err := newFleet(spec, options)
		if err != nil {
			return nil, err
		}
		return f.play(ctx)
	}
	r, err := newRun(spec, nil)
	if err != nil {
		return nil, err
	}
	for _, option := range options {
		option(r)
	}
	if err := r.start(ctx); err != nil {
		return nil, err
	}
	return r.recorder.result(r), nil
}

// start plays with the actuator that was asked for.
func (r *run) start(ctx context.Context) (err error) {
	defer r.arrivals.Close()
	switch {
	case r.actuator != nil:
	case r.newActuator != nil:
		if r.actuator, err = r.newActuator(r.spec); err != nil {
			return err
		}
	default:
		r.actuator = Direct(r.spec.InitialReplicas())
	}
	return r.play(ctx)
}

// task is what a control event does.
type task struct {
	kind kind
	loop int  // index of the loop that syncs, or of the incident or fault
	late bool // the API server has kept the sync waiting
}

type kind uint8

const (
	scrape kind = iota
	sync
	sample
	befall  // an incident
	reach   // the resolver can be reached again
	collect // a loop takes the proxies' reports
	strike  // a fault happens or begins
	relent  // a fault ends
	ask     // the HTTP add-on asks its interceptors
	push    // it tells the operator
)

// arrivals are those of the plan, or of the plan with surges.
type arrivals interface {
	cluster.Arrivals
	Err() error
	Close() error
}

// run is one replay under way: the loop that carries the data plane to the next
// control event, handles it, and records.
type run struct {
	spec     Spec
	end      time.Duration
	arrivals arrivals
	tally    *cluster.Tally
	cluster  *cluster.Cluster
	door     *metrics.Door
	loops    []loop
	events   event.Queue[task]
	actuator Actuator
	recorder *recorder
	elasti   *kubeElasti // nil: none
	weather  weather
	progress func(now, end time.Duration)

	// What Options for fleets set.
	newActuator func(Spec) (Actuator, error)
	workers     int

	changes []cluster.Transition
	truth   metrics.Truth
	seen    []messages.Metric // what the decision under way was shown
	path    messages.Path     // the one last asked for
}

// newRun prepares a run, with k if it is that of a service of a fleet.
func newRun(spec Spec, k *kit) (*run, error) {
	spec, err := spec.named().prepared()
	if err != nil {
		return nil, err
	}
	r := &run{spec: spec, end: spec.End()}
	if spec.MeasureFrom < 0 || spec.MeasureFrom >= r.end {
		return nil, messages.Invalidf("measure.from", "found %s, expected an instant within the run of %s", spec.MeasureFrom, r.end)
	}
	spec.Cluster.Replicas = spec.InitialReplicas()
	spec.Cluster = withStrategy(spec.Cluster, spec.Strategy)
	seed := random.Seed(spec.Seed)
	if r.loops, err = newLoops(spec); err != nil {
		return nil, err
	}
	spec.Cluster.Fixed = len(r.loops) == 0
	spec.Cluster.Watched = slices.ContainsFunc(r.loops, func(l loop) bool { return l.reconciler != nil })
	r.recorder = newRecorder(spec, r.end)
	if k != nil {
		r.tally = k.tally
		r.recorder.equip(k)
	} else {
		r.tally = newTally(spec, phaseStarts(spec))
	}
	for _, u := range spec.Traffic.Users() {
		spec.Cluster.Users = append(spec.Cluster.Users, cluster.Users{
			From: u.From, To: u.To, Count: u.Count, ThinkTime: u.ThinkTime, Index: uint64(u.Index),
		})
	}
	if surges := spec.surges(); len(surges) > 0 {
		r.arrivals = spec.Traffic.Surged(seed, surges)
	} else {
		r.arrivals = spec.Traffic.Arrivals(seed)
	}
	if r.cluster, err = cluster.New(spec.Cluster, seed, r.arrivals, r.tally); err != nil {
		r.arrivals.Close()
		return nil, err
	}
	if r.door, err = newDoor(spec, r.loops); err != nil {
		r.arrivals.Close()
		return nil, err
	}
	r.path = r.cluster.Path()
	if k == nil {
		r.recorder.tracks.follow(r.loops, r.door)
		r.recorder.room = throughput(spec)
	}
	r.recorder.band("proxied", r.path == messages.PathProxy, 0)
	r.elasti = newKubeElasti(spec, r.loops)
	r.schedule()
	return r, nil
}

// phaseStarts are the instants at which the traffic's phases begin.
func phaseStarts(spec Spec) []time.Duration {
	windows := spec.Traffic.Windows()
	starts := make([]time.Duration, len(windows))
	for i, w := range windows {
		starts[i] = w.From
	}
	return starts
}

func newTally(spec Spec, starts []time.Duration) *cluster.Tally {
	tally := cluster.NewTally(starts, spec.MeasureFrom)
	if p := spec.Prices; p != nil && p.LateRequest != nil {
		tally.CountLate(p.LateRequest.After)
	}
	return tally
}

// newDoor opens the door from truth to Observation for every loop's queries.
func newDoor(spec Spec, loops []loop) (*metrics.Door, error) {
	queries := make([][]messages.Query, len(loops))
	for i, l := range loops {
		if o, ok := l.autoscaler.(scaling.Observer); ok {
			queries[i] = o.Queries()
		}
	}
	view := metrics.Spec{
		Pipeline:  spec.Pipeline,
		Sources:   spec.Sources,
		Adapter:   spec.Adapter,
		Series:    spec.Series,
		Requests:  spec.Requests,
		Workload:  spec.Workload,
		Namespace: spec.Namespace,
		Service:   spec.Service,
		Start:     spec.Start,
		Queries:   queries,
		Gaps:      spec.Gaps,
		Seed:      spec.Seed,
		Memory:    spec.Cluster.PerPod.Memory != nil,
	}
	if m := spec.Cluster.Consumes; m != nil {
		view.Consumes, view.Partitions = true, m.Partitions
	}
	return metrics.NewDoor(view)
}

// schedule puts the first event of every kind into the queue.
func (r *run) schedule() {
	if at := r.door.Next(); at != event.Never {
		r.events.Push(at, event.Scrapes, task{kind: scrape})
	}
	for i := range r.loops {
		r.events.Push(r.loops[i].first, event.Syncs, task{kind: sync, loop: i})
		if c := r.loops[i].collector; c != nil {
			r.events.Push(r.loops[i].offset+c.CollectEvery(), event.Scrapes, task{kind: collect, loop: i})
		}
		if on := r.loops[i].addOn; on != nil && r.loops[i].autoscaler == on.autoscaler {
			r.scheduleAddOn(i)
		}
	}
	r.events.Push(r.recorder.interval, event.Samples, task{kind: sample})
	r.scheduleIncidents()
	r.scheduleFaults()
}

// play runs up to the end. The data plane still moves at the last instant, the
// control loops do not any more.
func (r *run) play(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("stopped at %s of simulated time: %w", r.cluster.Now(), err)
		}
		if r.progress != nil {
			r.progress(r.cluster.Now(), r.end)
		}
		next, alarm, late := r.events.Next(), r.alarm(), -1
		if alarm.at < next {
			next, late = alarm.at, alarm.loop
		}
		if next >= r.end {
			break
		}
		if why := r.advance(next); why != cluster.NoStop {
			if err := r.stopped(why); err != nil {
				return err
			}
			continue
		}
		var err error
		if late >= 0 {
			err = r.reconcile(late)
		} else {
			err = r.handle(r.events.Pop())
		}
		if err != nil {
			return err
		}
	}
	for {
		why := r.cluster.Advance(r.end)
		if why == cluster.NoStop {
			break
		}
		if err := r.stopped(why); err != nil {
			return err
		}
	}
	if err := r.arrivals.Err(); err != nil {
		return fmt.Errorf("traffic: %w", err)
	}
	r.takeChanges()
	r.recorder.sample(r)
	return nil
}

// advance carries the data plane to the next control event, through its
// instant, or, for what changes the world under it, up to that.
func (r *run) advance(next time.Duration) cluster.Stop {
	if r.events.Next() == next && r.events.Peek().Phase == event.Faults {
		return r.cluster.Reach(next)
	}
	return r.cluster.Advance(next)
}

func (r *run) handle(e event.Event[task]) (err error) {
	switch e.Payload.kind {
	case scrape:
		r.door.Scrape(e.At, r.look())
		r.events.Push(r.door.Next(), event.Scrapes, e.Payload)
	case sync:
		l := &r.loops[e.Payload.loop]
		if r.weather.latency > 0 && !e.Payload.late {
			r.events.Push(e.At+r.weather.latency, event.Syncs, task{kind: sync, loop: e.Payload.loop, late: true})
			break
		}
		switch {
		case l.down || r.out(e.Payload.loop, e.At):
		case r.refused():
			r.noteRefusal(l)
		default:
			err = r.decide(l, func(now time.Time, replicas messages.Replicas) (messages.Decision, error) {
				return l.autoscaler.Decide(now, r.observe(e.Payload.loop, replicas))
			})
		}
		r.events.Push(e.At+l.autoscaler.Period(), event.Syncs, task{kind: sync, loop: e.Payload.loop})
	case sample:
		r.takeChanges()
		r.recorder.sample(r)
		r.events.Push(e.At+r.recorder.interval, event.Samples, e.Payload)
	case befall:
		err = r.befall(e.At, r.elasti.world.Incidents[e.Payload.loop])
	case strike:
		r.strike(e.Payload.loop)
	case relent:
		r.relent(e.Payload.loop)
	case reach:
		r.cluster.ReachFront(true)
	case collect:
		l := &r.loops[e.Payload.loop]
		l.collected = e.At
		stats := r.door.Reports(e.At, l.collector.CollectEvery(), r.look())
		if !l.down {
			l.collector.Collect(r.spec.Start.Add(e.At+l.skew), stats)
		}
		r.events.Push(e.At+l.collector.CollectEvery(), event.Scrapes, e.Payload)
	case ask:
		on := r.loops[e.Payload.loop].addOn
		on.ask(r, e.At)
		r.events.Push(e.At+on.settings.QueueTick, event.Scrapes, e.Payload)
	case push:
		l := &r.loops[e.Payload.loop]
		if !l.down {
			err = l.addOn.push(r, l)
		}
		r.events.Push(e.At+l.addOn.settings.StreamInterval, event.Syncs, e.Payload)
	}
	return err
}
