package bench_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/scenarios/strict"
	"github.com/scalelab/scalelab/sim"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const judged = `apiVersion: scalelab/v1alpha1
kind: Scenario
metadata: {name: NAME}
seed: 3
traffic: [{name: base, for: 1m, rps: 20}, {name: silence, for: 1m, rps: 0}]
autoscalers:
  small: {replicas: 1}
  large: {replicas: 4}
`

func scenarioNamed(t *testing.T, name, more string) *scenarios.Scenario {
	t.Helper()
	s, err := scenarios.Parse(name+".yaml", []byte(strings.Replace(judged, "NAME", name, 1)+more), nil)
	require.NoError(t, err)
	return s
}

const verdicts = `assertions:
  - requests.lost == 0
  - {check: pod_hours < 2 * of("small").pod_hours, severity: warn}
  - {check: pod_hours > oracle.pod_hours, for: [small]}
  - {check: "latency.p99{phase=silence} < 1s", for: [oracle]}
`

// outcomes is what came out per autoscaler, a letter per assertion.
func outcomes(list []sim.Assertion) string {
	text := ""
	for _, a := range list {
		switch {
		case a.Passed:
			text += "p"
		case a.Severity == sim.SeverityWarn:
			text += "w"
		default:
			text += "f"
		}
	}
	return text
}

func TestReplayJudges(t *testing.T) {
	s := scenarioNamed(t, "judged", verdicts)
	m := bench.Matrix{Scenario: s, Autoscalers: []string{"large"}, Seeds: bench.Seeds(1, 3)}
	results, err := m.Replay(context.Background())
	require.NoError(t, err)
	require.Len(t, results, 3, "small was run to be compared with, and is not in the results")
	for i, r := range results {
		assert.Equal(t, "large", r.Autoscaler)
		assert.Equal(t, uint64(1+i), r.Seed)
		assert.Equal(t, "pw", outcomes(r.Assertions))
		assert.InEpsilon(t, r.PodSeconds/3600, *r.Assertions[1].Observed, 1e-12)
	}
	assert.False(t, bench.Failed(results), "a warning is no failure")

	m.Autoscalers, m.Seeds = []string{"oracle", "small"}, []uint64{3}
	results, err = m.Replay(context.Background())
	require.NoError(t, err)
	assert.Equal(t, []string{"f", "ppp"}, []string{outcomes(results[0].Assertions), outcomes(results[1].Assertions)})
	assert.Equal(t, `no request completed in the phase "silence"`, results[0].Assertions[0].Message)
	assert.True(t, bench.Failed(results))
	assert.False(t, bench.Failed(results[1:]))
}

func TestJudgingChangesNoTrajectory(t *testing.T) {
	with, without := scenarioNamed(t, "judged", verdicts), scenarioNamed(t, "judged", "")
	a, b := run(t, with, "small", "direct"), run(t, without, "small", "direct")
	assert.Equal(t, a, b)
	bench.Judge(with, []*sim.Result{a})
	assert.Equal(t, "p", outcomes(a.Assertions[:1]))
	assert.Equal(t, "oracle: it did not run", a.Assertions[2].Message, "nobody gave its result")
	assert.Equal(t, a.Fingerprint, b.Fingerprint)
}

func suite(t *testing.T, workers int) bench.Suite {
	fleet := scenarioNamed(t, "many", "fleet: {services: 3}\nassertions: [requests.lost == 0]\n")
	return bench.Suite{Workers: workers, Cases: []bench.Case{
		{File: "judged.yaml", Scenario: scenarioNamed(t, "judged", verdicts), Seed: 3},
		{File: "broken.yaml", Problems: []bench.Problem{{File: "broken.yaml", Line: 1, Column: 1, Text: "found an empty file"}}},
		{File: "fleet.yaml", Scenario: fleet, Seed: 3},
		{File: "plain.yaml", Scenario: scenarioNamed(t, "plain", ""), Seed: 9},
		{File: "warned.yaml", Scenario: scenarioNamed(t, "warned", "assertions: [{check: pod_hours < 0, severity: warn}]\n"), Seed: 3},
	}}
}

func TestSuite(t *testing.T) {
	var shares []float64
	s := suite(t, 1)
	s.Progress = func(share float64) { shares = append(shares, share) }
	report, err := s.Run(context.Background())
	require.NoError(t, err)
	assert.Equal(t, bench.TestSummary{Scenarios: 5, Invalid: 1, Unasserted: 1, Assertions: 10, Passed: 6, Failed: 1, Warnings: 3}, report.Summary)
	assert.False(t, report.OK())
	var verdict []bench.TestVerdict
	for _, s := range report.Scenarios {
		verdict = append(verdict, s.Verdict)
		for _, a := range s.Autoscalers {
			assert.True(t, a.Balanced)
			assert.Len(t, a.Fingerprint, 64)
		}
	}
	assert.Equal(t, []bench.TestVerdict{bench.TestFailed, bench.TestInvalid, bench.TestPassed, bench.TestUnasserted, bench.TestWarned}, verdict)
	first := report.Scenarios[0]
	assert.Equal(t, []string{"small", "large", "oracle"}, []string{first.Autoscalers[0].Autoscaler, first.Autoscalers[1].Autoscaler, first.Autoscalers[2].Autoscaler})
	last := first.Autoscalers[2].Assertions[0]
	assert.Equal(t, []any{"judged.yaml", 13, 14, false}, []any{last.File, last.Line, last.Column, last.Passed})
	assert.Equal(t, uint64(9), *report.Scenarios[3].Seed)
	assert.Nil(t, report.Scenarios[1].Seed)
	assert.True(t, slices.IsSorted(shares))
	assert.Greater(t, shares[len(shares)-1], 0.9)

	text, err := json.Marshal(report)
	require.NoError(t, err)
	for _, workers := range []int{0, 2, 7} {
		again, err := suite(t, workers).Run(context.Background())
		require.NoError(t, err)
		other, err := json.Marshal(again)
		require.NoError(t, err)
		assert.Equal(t, string(text), string(other), "%d workers", workers)
	}
}

func TestSuiteOfNothing(t *testing.T) {
	report, err := bench.Suite{}.Run(context.Background())
	require.NoError(t, err)
	assert.Equal(t, &bench.TestReport{Schema: bench.TestSchema, Scenarios: []bench.TestedScenario{}}, report)
	assert.True(t, report.OK())
}

// TestSuiteWithoutAutoscalers plays the oracle, which is always there.
func TestSuiteWithoutAutoscalers(t *testing.T) {
	src := "apiVersion: scalelab/v1alpha1\nkind: Scenario\nmetadata: {name: alone}\ntraffic: [{for: 1m, rps: 1}]\n"
	alone, err := scenarios.Parse("alone.yaml", []byte(src), nil)
	require.NoError(t, err)
	report, err := bench.Suite{Cases: []bench.Case{{File: "alone.yaml", Scenario: alone, Seed: 1}}}.Run(context.Background())
	require.NoError(t, err)
	require.Len(t, report.Scenarios[0].Autoscalers, 1)
	assert.Equal(t, "oracle", report.Scenarios[0].Autoscalers[0].Autoscaler)
	assert.Equal(t, bench.TestUnasserted, report.Scenarios[0].Verdict)
}

func TestSuiteStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := suite(t, 2).Run(ctx)
	assert.ErrorIs(t, err, context.Canceled)
	assert.ErrorContains(t, err, "judged with small, seed 3: stopped at 0s")

	broken := suite(t, 2)
	broken.Cases[3].Actuator = func(string, sim.Spec) (sim.Actuator, error) { return nil, strict.Problems{{Text: "no actuator"}} }
	_, err = broken.Run(context.Background())
	assert.ErrorContains(t, err, "plain with small, seed 9: ")
}

// TestUnbalanced: a run whose requests do not add up is found out, in all and in
// a phase.
func TestUnbalanced(t *testing.T) {
	s := scenarioNamed(t, "judged", "")
	for name, spoil := range map[string]func(*sim.Result){
		"in all":             func(r *sim.Result) { r.Requests.Completed-- },
		"in a phase":         func(r *sim.Result) { r.Phases[0].Requests.Failed++ },
		"between the phases": func(r *sim.Result) { r.Requests.Arrived++; r.Requests.Completed++ },
	} {
		r := run(t, s, "small", "direct")
		assert.True(t, bench.Balanced(r))
		spoil(r)
		assert.False(t, bench.Balanced(r), name)
	}
}
