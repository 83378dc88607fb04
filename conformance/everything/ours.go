package everything

import (
	"context"
	"fmt"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/hpa"
	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"
	"github.com/scalelab/scalelab/sim/clientset"
	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/metrics"
	"github.com/scalelab/scalelab/sim/random"
)

// autoscaler is the name of the strategy that is played.
const autoscaler = "hpa"

// simulate plays a scenario as scalelab run does.
func simulate(s *scenarios.Scenario) (*tap, error) {
	spec, err := s.Spec(autoscaler, s.Document.Seed)
	if err != nil {
		return nil, err
	}
	objects, err := s.Objects(autoscaler)
	if err != nil {
		return nil, err
	}
	act, err := clientset.New(objects, spec.Start)
	if err != nil {
		return nil, err
	}
	t := &tap{Actuator: act, ready: map[int32]bool{}}
	_, err = sim.Run(context.Background(), spec, sim.WithActuator(t))
	return t, err
}

// tap is an Actuator that writes down what passes through.
type tap struct {
	*clientset.Actuator
	side
	first []string // of every sync, how it began: with the metric

	now   messages.Replicas
	ready map[int32]bool
}

// Mirror follows the transitions, each at its own instant.
func (t *tap) Mirror(now time.Duration, changes []cluster.Transition, standing messages.Replicas) error {
	for _, c := range changes {
		switch c.To {
		case cluster.Pending:
			t.now.Created++
		case cluster.Ready:
			t.now.Ready++
			t.ready[c.Pod] = true
			t.now.Created = max(t.now.Created, t.now.Ready) // the initial pods were never Pending
		case cluster.Draining:
			t.now.Created--
			t.now.Ready--
		case cluster.Gone:
			if !t.ready[c.Pod] {
				t.now.Created--
			}
		}
		t.record(c.At)
	}
	if t.now.Created != standing.Created || t.now.Ready != standing.Ready {
		return fmt.Errorf("transitions lead to %+v, the cluster stands at %+v", t.now, standing)
	}
	return t.Actuator.Mirror(now, changes, standing)
}

// record appends the counts, with the desired count as it stood at the instant.
func (t *tap) record(at time.Duration) {
	c := counts{at, t.now}
	if n := len(t.syncs); n > 0 {
		c.Desired = t.syncs[n-1].desired
	}
	t.curve = add(t.curve, c)
}

// Carry takes down the decision.
func (t *tap) Carry(now time.Duration, loop string, d messages.Decision) (int32, error) {
	standing, err := t.Actuator.Carry(now, loop, d)
	t.syncs = append(t.syncs, decision{now, standing})
	t.first = append(t.first, d.Steps[0].Detail)
	t.record(now)
	return standing, err
}

// reading is what the metrics API shows from an instant on, in thousandths.
type reading struct {
	at    time.Duration
	milli int64
	err   string
}

// offered reads the metric of the scenario's HPA at every sync, through the
// simulator's metrics pipeline and with the pods as they are at time 0: the
// offered load does not depend on them.
func offered(s *scenarios.Scenario) ([]reading, error) {
	spec, err := s.Spec(autoscaler, s.Document.Seed)
	if err != nil {
		return nil, err
	}
	if spec.Strategy.HPA == nil {
		return nil, fmt.Errorf("scenario %s: autoscaler %s: expected a HorizontalPodAutoscaler, found none", s.Name(), autoscaler)
	}
	a, err := hpa.New(*spec.Strategy.HPA)
	if err != nil {
		return nil, err
	}
	queries := a.Queries()
	if len(queries) != 1 || queries[0].Kind != messages.QueryExternal {
		return nil, fmt.Errorf("scenario %s: found %d metrics, the first of type %s, expected one of type External", s.Name(), len(queries), queries[0].Kind)
	}
	seed := random.Seed(spec.Seed)
	arrivals := spec.Traffic.Arrivals(seed)
	defer arrivals.Close()
	c, err := cluster.New(spec.Cluster, seed, arrivals, cluster.NewTally([]time.Duration{0}, 0))
	if err != nil {
		return nil, err
	}
	door, err := metrics.NewDoor(metrics.Spec{Pipeline: spec.Pipeline, Sources: spec.Sources, Workload: spec.Workload,
		Namespace: spec.Namespace, Service: spec.Service, Start: spec.Start, Queries: [][]messages.Query{queries}})
	if err != nil {
		return nil, err
	}
	truth := func(now time.Duration) metrics.Truth {
		c.Advance(now)
		return metrics.Truth{Pods: c.Pods(nil), Counters: c.Counters(), Held: c.Held()}
	}
	var tape []reading
	for now := time.Duration(0); now < spec.End(); now += a.Period() {
		for door.Next() <= now {
			next := door.Next()
			door.Scrape(next, truth(next))
		}
		m := door.Observe(0, now, truth(now), c.Replicas()).Metrics[0]
		tape = append(tape, reading{now, m.Milli, m.Err})
	}
	return tape, nil
}
