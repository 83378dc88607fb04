package bench_test

import (
	"context"
	"flag"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"
	"github.com/scalelab/scalelab/sim/cluster"
)

var chaos = flag.Int("chaos", 0, "schedules of faults that TestChaos draws, over the whole catalogue; 0: one for each scenario")

// restless are the strategies that do not come to the same rest in an hour, which is
// what their scenarios are about: the released KubeElasti scales no more when its object
// or its resolver has gone, a metric that fails for good forbids to scale down, and a
// formula that keeps to three pods needs longer for what a surge leaves.
var restless = map[string]bool{
	"museum-133-deleted/elasti-v0.1.30": true, "museum-296-resolver-gone/elasti-v0.1.30": true,
	"museum-keda-6659/no-fallback": true, "museum-keda-7072/keda": true,
}

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
			jobs = append(jobs, job{s, a, 1 / (1e5 + float64(requests))})
			total += jobs[len(jobs)-1].weight
		}
	}
	schedules, faults, twice, kinds := 0, 0, 0, map[string]int{}
	for _, j := range jobs {
		n := max(1, int(float64(*chaos)*j.weight/total+0.5))
		report, err := bench.Chaos{Scenario: j.s, Autoscaler: j.autoscaler, Seed: 1, Schedules: n, Workers: 2,
			AnyRest: restless[j.s.Name()+"/"+j.autoscaler]}.Search(context.Background())
		require.NoError(t, err, "%s with %s", j.s.Name(), j.autoscaler)
		if f := report.Failure; f != nil {
			assert.Fail(t, "an invariant does not hold", "%s with %s, schedule %d: %s\n%s", j.s.Name(), j.autoscaler, f.Schedule, f.Broken, f.Scenario)
		}
		assert.NotEqual(t, restless[j.s.Name()+"/"+j.autoscaler], report.Settles, "%s with %s", j.s.Name(), j.autoscaler)
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

// stuck is an actuator with a bug: once a pod has ceased to be Ready it carries out no
// decision any more.
type stuck struct {
	sim.Actuator
	broken bool
}

func (a *stuck) Mirror(now time.Duration, changes []cluster.Transition, counts messages.Replicas) error {
	for _, t := range changes {
		a.broken = a.broken || t.From == cluster.Ready && t.To == cluster.Starting
	}
	return a.Actuator.Mirror(now, changes, counts)
}

func (a *stuck) Carry(now time.Duration, loop string, d messages.Decision) (int32, error) {
	if a.broken {
		stands, err := a.Replicas(now)
		if err != nil {
			return 0, err
		}
		d.Desired = stands.Desired
	}
	return a.Actuator.Carry(now, loop, d)
}

// A planted bug is found, and what is left of its schedule is the one fault that it
// needs.
func TestChaosMakesAFailingScheduleSmall(t *testing.T) {
	s, err := scenarios.Embedded("ramp")
	require.NoError(t, err)
	search := bench.Chaos{Scenario: s, Autoscaler: "hpa-80", Seed: 1, Schedules: 100, Actuator: func(_ string, spec sim.Spec) (sim.Actuator, error) {
		return &stuck{Actuator: sim.Direct(spec.InitialReplicas())}, nil
	}}
	report, err := search.Search(context.Background())
	require.NoError(t, err)
	f := report.Failure
	require.NotNil(t, f)
	t.Logf("schedule %d: %s\n%s", f.Schedule, f.Broken, f.Scenario)
	assert.Contains(t, f.Broken, "after 1h0m0s of silence")
	assert.Greater(t, len(f.Drawn), 1)
	require.Len(t, f.Faults, 1)
	assert.Contains(t, []string{"podCrash", "unready"}, f.Faults[0].Kind())

	again, err := search.Search(context.Background())
	require.NoError(t, err)
	assert.Equal(t, report, again, "the same seed, the same find")

	written, err := scenarios.Parse("found.yaml", f.Scenario, scenarios.Files("."))
	require.NoError(t, err)
	assert.Equal(t, f.Faults, written.Document.Faults)
}

func TestChaosOfWhatCannotBeSearched(t *testing.T) {
	s, err := scenarios.Embedded("ramp")
	require.NoError(t, err)
	_, err = bench.Chaos{Scenario: s, Autoscaler: "nobody", Schedules: 1}.Search(context.Background())
	assert.ErrorContains(t, err, "nobody")
	ended, end := context.WithCancel(context.Background())
	end()
	_, err = bench.Chaos{Scenario: s, Autoscaler: "hpa-80", Schedules: 1}.Search(ended)
	assert.ErrorIs(t, err, context.Canceled)
	for _, name := range scenarios.Names() {
		if fleet, err := scenarios.Embedded(name); err == nil && fleet.Document.Fleet != nil {
			_, err = bench.Chaos{Scenario: fleet, Autoscaler: fleet.AutoscalerNames()[0], Schedules: 1}.Search(context.Background())
			assert.ErrorContains(t, err, "found a fleet, expected one service")
		}
	}
}

// A panic is a find like any other.
func TestChaosFindsPanics(t *testing.T) {
	s, err := scenarios.Embedded("ramp")
	require.NoError(t, err)
	runs := 0
	report, err := bench.Chaos{Scenario: s, Autoscaler: "hpa-80", Seed: 3, Schedules: 1, Actuator: func(_ string, spec sim.Spec) (sim.Actuator, error) {
		if runs++; runs > 1 { // the first is without faults
			panic("planted")
		}
		return sim.Direct(spec.InitialReplicas()), nil
	}}.Search(context.Background())
	require.NoError(t, err)
	require.NotNil(t, report.Failure)
	assert.Equal(t, "panic: planted", report.Failure.Broken)
	assert.Empty(t, report.Failure.Faults, "it needs none")
}
