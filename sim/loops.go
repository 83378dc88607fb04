package sim

import (
	"fmt"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling"
	"github.com/scalelab/scalelab/scaling/elasti"
	"github.com/scalelab/scalelab/scaling/hpa"
	"github.com/scalelab/scalelab/scaling/knative"
	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/metrics"
	"github.com/scalelab/scalelab/sim/random"
)

// loop is one control loop of a strategy.
type loop struct {
	name       string
	autoscaler scaling.Autoscaler
	first      time.Duration // instant of the first sync
	offset     time.Duration // by how much its phase makes it and its collections later

	// What it steers by: its queries, index by index, or one signal that measures
	// source.
	gauges         []messages.Gauge
	queries        []messages.Query
	signal, source string
	// Where queries and gauges differ: asked has for each gauge the index of the
	// query behind it, or -1, and shown gives the answers gauge by gauge.
	asked []int
	shown func() []messages.Metric

	// addOn is KEDA's HTTP add-on, which answers for the gauge pushed, or for none
	// where that is -1; nil: there is none.
	addOn  *addOn
	pushed int

	// The autoscaler where it is one; nil otherwise.
	collector  scaling.Collector
	reconciler scaling.Reconciler

	down bool          // its process has ended
	skew time.Duration // by how much its clock is fast

	// collected is when the newest measurement that it was shown was.
	collected time.Duration
	woken     bool // the decision under way is asked for by a request

	reason messages.Reason // of its last decision
	idle   bool            // the one under way is a reconciliation that changes nothing
}

// newLoops makes the control loops of the Spec's strategy. Those of one instant
// run in this order.
func newLoops(spec Spec) ([]loop, error) {
	if err := spec.Strategy.check(); err != nil {
		return nil, err
	}
	var loops []loop
	if s := spec.Strategy.HPA; s != nil {
		a, err := hpa.New(*s)
		if err != nil {
			return nil, fmt.Errorf("horizontal pod autoscaler: %w", err)
		}
		loops = append(loops, loop{name: "hpa", autoscaler: a, first: a.First(), gauges: a.Gauges(), queries: a.Queries()})
	}
	if s := spec.Strategy.Elasti; s != nil {
		a, err := elasti.New(*s, spec.Start)
		if err != nil {
			return nil, fmt.Errorf("elasti service: %w", err)
		}
		// The operator's ticker fires for the first time after one period.
		loops = append(loops, loop{name: "elasti", autoscaler: a, first: a.Period()})
	}
	if spec.Strategy.Keda != nil {
		of, err := kedaLoops(spec)
		if err != nil {
			return nil, err
		}
		loops = append(loops, of...)
	}
	if s := spec.Strategy.Knative; s != nil && s.autoscaled() {
		a, err := knative.New(s.spec(spec.Service, random.Seed(spec.Seed)), spec.Start)
		if err != nil {
			return nil, fmt.Errorf("knative revision: %w", err)
		}
		l := loop{name: "knative", autoscaler: a, first: a.Period(), collector: a, reconciler: a,
			gauges: []messages.Gauge{a.Gauge()}, signal: knative.StableAverage, source: metrics.SourceConcurrency}
		if a.CountsRequests() {
			l.source = metrics.SourceRPS
		}
		loops = append(loops, l)
	}
	return loops, spec.shift(loops)
}

// shift begins every loop at its phase.
func (s *Spec) shift(loops []loop) (err error) {
	for i := range loops {
		l := &loops[i]
		if l.offset, err = s.Pipeline.Offset(l.name, l.autoscaler.Period(), random.Seed(s.Seed)); err != nil {
			return messages.Under("pipeline", err)
		}
		l.first += l.offset
	}
	return nil
}

// CheckPhases reports an offset of a control loop that is not shorter than its
// period, at its place in a scenario.
func (s Spec) CheckPhases() error {
	_, err := newLoops(s)
	return err
}

// check reports ways to scale that exclude each other.
func (s *Strategy) check() error {
	switch {
	case s.Keda != nil && (s.HPA != nil || s.Elasti != nil || s.Knative != nil || s.Oracle || s.Serverless != nil || s.Replicas != nil):
		return fmt.Errorf("strategy %s: found a ScaledObject beside another way to scale, expected it alone", s.Name)
	case s.Serverless != nil && (s.HPA != nil || s.Elasti != nil || s.Knative != nil || s.Oracle || s.Replicas != nil):
		return fmt.Errorf("strategy %s: found serverless beside another way to scale, expected it alone", s.Name)
	case s.Knative != nil && (s.Elasti != nil || s.Oracle || s.Replicas != nil || s.Knative.autoscaled() == (s.HPA != nil)):
		return fmt.Errorf("strategy %s: found a Knative revision beside another way to scale, expected it alone, or with the HPA of its class", s.Name)
	}
	return nil
}

// withStrategy is the cluster as the strategy needs it: with the resolver that
// holds requests, elastic for the oracle, or serverless; these two need no loop.
func withStrategy(c cluster.Spec, s Strategy) cluster.Spec {
	if s.Elasti != nil {
		front := s.Elasti.Hold()
		c.Front, c.Handover = &front, s.Elasti.World.Handover
	}
	if s.Knative != nil {
		c = s.Knative.Place(c)
	}
	if s.Keda != nil {
		c = intercept(c, s.Keda)
	}
	c.Elastic, c.Serverless = s.Oracle, s.Serverless
	return c
}
