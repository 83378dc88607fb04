package sim

import (
	"context"
	"fmt"
	locks "sync" // sync is a kind of event here
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/cluster"
)

// fleet is a run of many services under way. Workers take them in order and add
// what each one did to sums of whole numbers, so that neither the number of
// workers nor the order in which they finish changes anything. What is not
// whole is kept for every service and summed up in their order at the end.
type fleet struct {
	spec    Spec
	end     time.Duration
	options run // as the Options left it
	weights []float64
	starts  []time.Duration // of the traffic's phases

	cells  []cell // one per sample of the timeline
	served []served

	mutex    locks.Mutex // of what follows
	tally    *cluster.Tally
	invoked  uint64
	actuator string
	done     int
	failedAt int // the first service that failed; len(weights): none
	failure  error
}

// cell adds up one sample of the timeline over the services.
type cell struct {
	mutex locks.Mutex
	entry
	latency *cluster.Histogram // nil: nobody has completed
}

// add adds a service's sample; filled are the buckets of latency.
func (c *cell) add(e entry, latency *cluster.Histogram, filled []cluster.Bucket) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.now, c.elapsed = e.now, e.elapsed
	c.desired += e.desired
	c.created += e.created
	c.ready += e.ready
	c.waiting += e.waiting
	c.arrived += e.arrived
	c.completed += e.completed
	c.lost += e.lost
	if len(filled) == 0 {
		return
	}
	if c.latency == nil {
		c.latency = cluster.NewHistogram()
	}
	c.latency.MergeFilled(latency, filled)
}

// served is what is kept of one service.
type served struct {
	requests      Requests
	p99           *float64 // seconds
	replicas      ReplicaSummary
	existed, idle float64 // pod-seconds
	print         [32]byte
}

// kit is what the runs of one worker use one after the other.
type kit struct {
	fleet   *fleet
	tally   *cluster.Tally
	latency *cluster.Histogram
	print   fingerprint
	buckets []cluster.Bucket
}

func newFleet(spec Spec, options []Option) (*fleet, error) {
	spec = spec.named()
	f := &fleet{spec: spec, end: spec.End(), failedAt: spec.Fleet.Services}
	for _, option := range options {
		option(&f.options)
	}
	if err := messages.Under("fleet", spec.Fleet.Validate()); err != nil {
		return nil, err
	}
	if err := messages.Under("traffic", spec.Traffic.CheckScalable()); err != nil {
		return nil, err
	}
	if f.options.actuator != nil {
		return nil, fmt.Errorf("found one actuator for a fleet, expected one for every service")
	}
	f.weights = spec.Fleet.Weights(spec.Seed)
	f.served = make([]served, spec.Fleet.Services)
	f.starts = phaseStarts(spec)
	f.tally = newTally(spec, f.starts)
	interval := newRecorder(spec, f.end).interval
	f.cells = make([]cell, (f.end+interval-1)/interval)
	return f, nil
}

// play runs all services. The error is that of the first service, in their
// order, that failed.
func (f *fleet) play(ctx context.Context) (*Result, error) {
	jobs := make(chan int)
	var group locks.WaitGroup
	for range max(1, min(f.options.workers, len(f.weights))) {
		group.Go(func() {
			k := &kit{fleet: f, tally: newTally(f.spec, f.starts), latency: cluster.NewHistogram()}
			for i := range jobs {
				f.finished(i, f.serve(ctx, i, k))
			}
		})
	}
	for i := range f.weights {
		if f.hasFailed() {
			break
		}
		jobs <- i
	}
	close(jobs)
	group.Wait()
	if f.failure != nil {
		return nil, fmt.Errorf("%s: %w", f.spec.serviceName(f.failedAt), f.failure)
	}
	return f.result(), nil
}

func (f *fleet) hasFailed() bool {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.failure != nil
}

// quietly spares the loops the words that nobody reads: a fleet keeps no
// decisions, and without API objects there is nobody else.
func (r *run) quietly() {
	for _, l := range r.loops {
		if q, ok := l.autoscaler.(interface{ Quietly() }); ok {
			q.Quietly()
		}
	}
}

// finished counts a service. Services are handed out in order, so whatever
// fails first in their order has been handed out when another one fails.
func (f *fleet) finished(i int, err error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if err != nil && i < f.failedAt {
		f.failedAt, f.failure = i, err
	}
	f.done++
	if f.options.progress != nil && f.failure == nil {
		share := float64(f.done) / float64(len(f.weights))
		f.options.progress(time.Duration(share*float64(f.end)), f.end)
	}
}

// serve runs the i-th service and adds it to the sums.
func (f *fleet) serve(ctx context.Context, i int, k *kit) error {
	k.tally.Reset()
	r, err := newRun(f.spec.ofService(i, f.weights[i]), k)
	if err != nil {
		return err
	}
	if r.newActuator = f.options.newActuator; r.newActuator == nil {
		r.quietly()
	}
	if err := r.start(ctx); err != nil {
		return err
	}
	s := &f.served[i]
	counters := r.cluster.Counters()
	if c := counters; c.Arrived != c.Completed+c.TimedOut+c.Rejected+c.Failed+c.InFlight {
		panic(fmt.Sprintf("sim: requests of %s are lost or made up: %+v", f.spec.serviceName(i), c))
	}
	s.requests = requestsOf(counters)
	k.latency.Reset()
	for _, p := range k.tally.Phases() {
		k.latency.Merge(p.Latency)
	}
	if k.latency.Count() > 0 {
		s.p99 = new(k.latency.QuantileSeconds(0.99))
	}
	s.replicas = r.recorder.replicas()
	existed, idle := r.cluster.PodTime()
	s.existed, s.idle = existed.Seconds(), idle.Seconds()
	k.print, k.buckets = r.recorder.print, r.recorder.buckets
	k.print.sumInto(&s.print)

	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.tally.Merge(k.tally)
	f.invoked += r.cluster.Invocations()
	f.actuator = r.actuator.Name()
	return nil
}
