package bench_test

import (
	"context"
	"flag"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/scenarios"
)

var chaos = flag.Int("chaos", 0, "schedules of faults that TestChaos draws, over the whole catalogue; 0: one for each scenario")

// TestChaos draws faults for every scenario of the catalogue and each of its
// autoscalers.
func TestChaos(t *testing.T) {
	names := scenarios.Names()
	type job struct{ scenario, autoscaler string }
	var jobs []job
	for _, name := range names {
		s, err := scenarios.Embedded(name)
		require.NoError(t, err)
		if s.Document.Fleet != nil {
			continue
		}
		for _, a := range s.AutoscalerNames() {
			jobs = append(jobs, job{name, a})
		}
	}
	schedules, faults := 0, 0
	for i, j := range jobs {
		n := *chaos / len(jobs)
		if i < *chaos%len(jobs) {
			n++
		}
		if *chaos == 0 && (i > 0 && jobs[i-1].scenario == j.scenario) {
			continue
		}
		s, err := scenarios.Embedded(j.scenario)
		require.NoError(t, err)
		began := time.Now()
		report, err := bench.Chaos{Scenario: s, Autoscaler: j.autoscaler, Seed: 1, Schedules: max(1, n), Workers: 2}.Search(context.Background())
		require.NoError(t, err, "%s with %s", j.scenario, j.autoscaler)
		if report.Failure != nil {
			assert.Fail(t, "an invariant does not hold", "%s with %s, schedule %d: %s\n%s", j.scenario, j.autoscaler, report.Failure.Schedule, report.Failure.Broken, report.Failure.Scenario)
		}
		schedules, faults = schedules+report.Schedules, faults+report.Faults
		t.Logf("%s with %s: %d schedules, settles %t, %s", j.scenario, j.autoscaler, report.Schedules, report.Settles, time.Since(began))
	}
	t.Logf("%d schedules, %d faults, %d strategies of %d scenarios", schedules, faults, len(jobs), len(names))
}
