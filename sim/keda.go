package sim

import (
	"fmt"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/keda"
	"github.com/scalelab/scalelab/scaling/keda/httpaddon"
	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/event"
	"github.com/scalelab/scalelab/sim/metrics"
)

// kedaStart is how long after the creation of a ScaledObject the operator looks at
// its triggers for the first time, and opens the streams of scalers that push: it
// makes the HPA first. Like the instants of a real cluster it is no whole second, so
// that a cooldown that is a multiple of the polling interval ends with the poll that
// it seems to end with.
const kedaStart = 100 * time.Millisecond

// kedaLoops are the operator's loop and that of the HPA it makes. Of a paused
// ScaledObject there is no HPA.
func kedaLoops(spec Spec) ([]loop, error) {
	a, err := keda.New(*spec.Strategy.Keda, spec.Start)
	if err != nil {
		return nil, fmt.Errorf("scaled object: %w", err)
	}
	h, err := a.Horizontal()
	if err != nil {
		return nil, fmt.Errorf("horizontal pod autoscaler of the scaled object: %w", err)
	}
	on := newAddOn(spec, a)
	loops := []loop{{name: "keda", autoscaler: a, first: kedaStart, addOn: on, pushed: -1}}
	if h != nil {
		loops = append(loops, loop{name: "hpa", autoscaler: h, first: h.First(), gauges: h.Gauges(), queries: h.Queries(), asked: h.Asked(), shown: h.Seen,
			addOn: on, pushed: h.Pushed()})
	}
	return loops, nil
}

// addOn is KEDA's HTTP add-on: its scaler asks the interceptors at every multiple of
// its tick, and tells the operator on a stream that was opened at kedaStart.
type addOn struct {
	autoscaler *keda.Autoscaler
	settings   httpaddon.Controller
	source     string        // what its metric measures
	asked      time.Duration // when the interceptors were asked last
}

// newAddOn is nil for a ScaledObject without a trigger for it. The interceptors are
// there at time 0, and nothing has come yet.
func newAddOn(spec Spec, a *keda.Autoscaler) *addOn {
	route := spec.Strategy.Keda.Route()
	if route == nil {
		return nil
	}
	on := &addOn{autoscaler: a, settings: spec.Strategy.Keda.HTTP, source: metrics.SourceConcurrency}
	if route.Rate {
		on.source = metrics.SourceRPS
	}
	a.Collect(spec.Start, httpaddon.Count{})
	return on
}

// intercept puts the add-on's interceptor on the way of the requests if there is a
// trigger for it.
func intercept(c cluster.Spec, s *keda.Spec) cluster.Spec {
	route := s.Route()
	if route == nil {
		return c
	}
	p := route.Patience(s.HTTP)
	c.Interceptor = &cluster.Interceptor{
		Readiness: p.Readiness, ResponseHeader: p.ResponseHeader, DialEvery: httpaddon.DialEvery, DialFor: httpaddon.DialFor,
	}
	if p.Request > 0 {
		c.Interceptor.DialFor = 0
		if c.RequestTimeout == 0 || p.Request < c.RequestTimeout {
			c.RequestTimeout = p.Request
		}
	}
	return c
}

// scheduleAddOn puts the first of its events into the queue.
func (r *run) scheduleAddOn(loop int) {
	s := r.loops[loop].addOn.settings
	r.events.Push(s.QueueTick, event.Scrapes, task{kind: ask, loop: loop})
	r.events.Push(kedaStart+s.StreamInterval, event.Syncs, task{kind: push, loop: loop})
}

// ask has the scaler ask the interceptors, whose counts are those of one: it sums
// them up.
func (on *addOn) ask(r *run, now time.Duration) {
	n := r.cluster.Counters()
	on.asked = now
	on.autoscaler.Collect(r.spec.Start.Add(now), httpaddon.Count{Pending: r.cluster.Pending(), Requests: int64(n.Arrived + n.Retried)})
}

// push has the scaler tell the operator whether there is work, and the operator scale
// if it has to.
func (on *addOn) push(r *run, l *loop) error {
	now := r.cluster.Now()
	if !on.autoscaler.Hear(r.spec.Start.Add(now), r.cluster.Replicas().Desired) {
		return nil
	}
	l.collected = on.asked
	return r.decide(l, func(now time.Time, replicas messages.Replicas) (messages.Decision, error) {
		return on.autoscaler.Push(now, replicas), nil
	})
}
