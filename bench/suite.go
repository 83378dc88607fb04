package bench

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"
)

// Suite is scenarios to be held against their assertions.
type Suite struct {
	Cases    []Case
	Progress func(share float64) // as of a Matrix
	Workers  int                 // as of a Matrix, over all cases
}

// Case is one scenario of a Suite: it, or what is wrong with it.
type Case struct {
	File     string // as it was asked for
	Scenario *scenarios.Scenario
	Seed     uint64
	Actuator func(autoscaler string, spec sim.Spec) (sim.Actuator, error) // as of a Matrix
	Problems []Problem
}

// Run replays every case with every autoscaler that it lists or that its
// assertions are for or mention. Whatever the workers, the report is the same.
// The first error in the order of the cases is returned.
func (s Suite) Run(ctx context.Context) (*TestReport, error) {
	tested := make([]TestedScenario, len(s.Cases))
	var services, fleets []*play
	for i, c := range s.Cases {
		tested[i] = c.unplayed()
		if c.Scenario == nil {
			continue
		}
		plays := s.plays(c, &tested[i])
		if c.Scenario.Document.Fleet != nil {
			fleets = append(fleets, plays...)
		} else {
			services = append(services, plays...)
		}
	}
	all := slices.Concat(services, fleets)
	progress := newProgress(len(all), s.Progress)
	do := func(first int) func(int) {
		return func(i int) { all[first+i].run(ctx, progress.of(first+i)) }
	}
	// A fleet takes all workers for itself.
	inParallel(len(services), max(1, min(s.workers(), len(services))), do(0))
	inParallel(len(fleets), 1, do(len(services)))
	for _, p := range all {
		if p.err != nil {
			return nil, fmt.Errorf("%s with %w", p.matrix.Scenario.Name(), p.err)
		}
	}
	return newTestReport(tested), nil
}

func (s Suite) workers() int {
	if s.Workers == 0 {
		return runtime.GOMAXPROCS(0)
	}
	return s.Workers
}

// play is one run of a case.
type play struct {
	matrix  *Matrix // of the case, with one seed
	cell    int
	results []*sim.Result // of the case, shared by its plays
	missing *atomic.Int64 // results that the case still waits for
	into    *TestedScenario
	err     error
}

func (s Suite) plays(c Case, into *TestedScenario) []*play {
	names := c.Scenario.AutoscalerNames()
	for _, e := range c.Scenario.Expectations() {
		for _, name := range e.For {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 {
		names = []string{Oracle}
	}
	names = needed(c.Scenario, names)
	m := &Matrix{Scenario: c.Scenario, Autoscalers: names, Seeds: []uint64{c.Seed}, Actuator: c.Actuator, Workers: s.Workers}
	results, missing := make([]*sim.Result, len(names)), new(atomic.Int64)
	missing.Store(int64(len(names)))
	plays := make([]*play, len(names))
	for i := range names {
		plays[i] = &play{matrix: m, cell: i, results: results, missing: missing, into: into}
	}
	return plays
}

// run plays; whoever is the last of its case judges, and lets go of the results.
func (p *play) run(ctx context.Context, follow func(now, end time.Duration)) {
	p.results[p.cell], p.err = p.matrix.replay(ctx, p.cell, follow)
	if p.missing.Add(-1) > 0 || slices.Contains(p.results, nil) {
		return
	}
	Judge(p.matrix.Scenario, p.results)
	p.into.judge(p.matrix.Scenario, p.results)
	clear(p.results)
}
