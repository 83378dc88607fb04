// Package bench replays matrices of autoscalers and seeds on identical traffic
// and compares what came out.
package bench

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"
)

// Matrix is a scenario to be replayed with every autoscaler and every seed.
type Matrix struct {
	Scenario    *scenarios.Scenario
	Autoscalers []string
	Seeds       []uint64
	// Actuator makes the actuator of one run, or of one service of a fleet; nil
	// carries decisions out directly. Any worker calls it.
	Actuator func(autoscaler string, spec sim.Spec) (sim.Actuator, error)
	// Progress is told the share of the simulated time that is done, now and
	// then, from one goroutine at a time.
	Progress func(share float64)
	// Workers is how many runs, or services of a fleet, go on at once; 0: as
	// many as there are processors. It changes nothing in the results.
	Workers int
}

// Seeds are n seeds from first on.
func Seeds(first uint64, n int) []uint64 {
	seeds := make([]uint64, n)
	for i := range seeds {
		seeds[i] = first + uint64(i)
	}
	return seeds
}

// Replay runs the matrix and judges every run by the scenario's assertions,
// for which it also runs the autoscalers that they mention. The results are
// ordered by autoscaler, then by seed, as listed. The first error in that order
// is returned.
func (m Matrix) Replay(ctx context.Context) ([]*sim.Result, error) {
	asked := len(m.Autoscalers) * len(m.Seeds)
	m.Autoscalers = needed(m.Scenario, m.Autoscalers)
	n := len(m.Autoscalers) * len(m.Seeds)
	results, failures := make([]*sim.Result, n), make([]error, n)
	progress := newProgress(n, m.Progress)
	inParallel(n, m.atOnce(n), func(i int) {
		results[i], failures[i] = m.replay(ctx, i, progress.of(i))
	})
	for _, err := range failures {
		if err != nil {
			return nil, err
		}
	}
	Judge(m.Scenario, results)
	return results[:asked], nil
}

// inParallel calls do for every number below n, several of them at once.
func inParallel(n, atOnce int, do func(i int)) {
	jobs := make(chan int)
	var group sync.WaitGroup
	for range atOnce {
		group.Go(func() {
			for i := range jobs {
				do(i)
			}
		})
	}
	for i := range n {
		jobs <- i
	}
	close(jobs)
	group.Wait()
}

func (m Matrix) workers() int {
	if m.Workers == 0 {
		return runtime.GOMAXPROCS(0)
	}
	return m.Workers
}

// atOnce is how many of the runs go on together. Fleets do one by one: each
// takes all workers for itself.
func (m Matrix) atOnce(runs int) int {
	if m.Scenario.Document.Fleet != nil {
		return 1
	}
	return max(1, min(m.workers(), runs))
}

// progress adds the shares of the runs up.
type progress struct {
	sync.Mutex
	done   []float64 // of each run
	report func(share float64)
}

func newProgress(runs int, report func(share float64)) *progress {
	return &progress{done: make([]float64, runs), report: report}
}

// of is what follows the i-th run; nil when nobody is told.
func (p *progress) of(i int) func(now, end time.Duration) {
	if p.report == nil {
		return nil
	}
	return func(now, end time.Duration) {
		p.Lock()
		defer p.Unlock()
		p.done[i] = float64(now) / float64(end)
		sum := 0.0
		for _, share := range p.done {
			sum += share
		}
		p.report(sum / float64(len(p.done)))
	}
}

// replay runs the i-th cell; follow may be nil.
func (m Matrix) replay(ctx context.Context, i int, follow func(now, end time.Duration)) (*sim.Result, error) {
	name, seed := m.Autoscalers[i/len(m.Seeds)], m.Seeds[i%len(m.Seeds)]
	spec, err := m.Scenario.Spec(name, seed)
	if err != nil {
		return nil, err
	}
	options := []sim.Option{sim.WithWorkers(m.workers())}
	if follow != nil {
		options = append(options, sim.WithProgress(follow))
	}
	if m.Actuator != nil {
		options = append(options, sim.WithActuators(func(spec sim.Spec) (sim.Actuator, error) { return m.Actuator(name, spec) }))
	}
	result, err := sim.Run(ctx, spec, options...)
	if err != nil {
		return nil, fmt.Errorf("%s, seed %d: %w", name, seed, err)
	}
	return result, nil
}
