package bench_test

import (
	"context"
	"flag"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/scenarios"
)

var chaos = flag.Int("chaos", 0, "schedules of faults that TestChaos draws, over the whole catalogue; 0: one for each scenario")

// TestChaos draws faults for every scenario of the catalogue and each of its
// autoscalers. Of many schedules, those whose runs are short get more.
func TestChaos(t *testing.T) {
	if testing.Short() {
		t.Skip("a schedule is a run, and there is one for every scenario: without -short")
	}
	type job struct {
		s          *scenarios.Scenario
		autoscaler string
		weight     float64
	}
	var jobs []job
	total := 0.0
	for _, name := range scenarios.Names() {
		s, err := scenarios.Embedded(name)
		require.NoError(t, err)
		if s.Document.Fleet != nil { // faults befall one service
			continue
		}
		for i, a := range s.AutoscalerNames() {
			if *chaos == 0 && i > 0 {
				continue
			}
			spec, err := s.Spec(a, 1)
			require.NoError(t, err)
			requests, _ := spec.Traffic.Total()
			jobs = append(jobs, job{s, a, 1 / (1e6 + float64(requests))})
			total += jobs[len(jobs)-1].weight
		}
	}
	schedules, faults, twice, kinds := 0, 0, 0, map[string]int{}
	for _, j := range jobs {
		n := max(1, int(float64(*chaos)*j.weight/total+0.5))
		report, err := bench.Chaos{Scenario: j.s, Autoscaler: j.autoscaler, Seed: 1, Schedules: n, Workers: 2}.Search(context.Background())
		require.NoError(t, err, "%s with %s", j.s.Name(), j.autoscaler)
		if f := report.Failure; f != nil {
			assert.Fail(t, "an invariant does not hold", "%s with %s, schedule %d: %s\n%s", j.s.Name(), j.autoscaler, f.Schedule, f.Broken, f.Scenario)
		}
		assert.True(t, report.Settles, "%s with %s", j.s.Name(), j.autoscaler)
		schedules, faults, twice = schedules+report.Schedules, faults+report.Faults, twice+report.Twice
		for kind, n := range report.Kinds {
			kinds[kind] += n
		}
		if *chaos > 0 {
			t.Logf("%s with %s: %d schedules", j.s.Name(), j.autoscaler, report.Schedules)
		}
	}
	t.Logf("%d schedules, %d faults, %d strategies, %d schedules twice; %v", schedules, faults, len(jobs), twice, kinds)
}
