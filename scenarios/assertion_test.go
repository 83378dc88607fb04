package scenarios_test

import (
	"testing"

	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/scenarios/strict"
	"github.com/scalelab/scalelab/sim"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const expecting = head + `traffic: [{name: base, for: 10m, rps: 5}, {name: two words, for: 1m, rps: 50}]
autoscalers:
  small: {replicas: 1}
  hpa-70: {replicas: 3}
  oracle: {oracle: true}
assertions:
`

func TestAssertions(t *testing.T) {
	s := parse(t, expecting+`  - latency.p99{phase="two words"} < 2s
  - {check: pod_hours < 1.2 * oracle.pod_hours, severity: warn}
  - check: >-
      requests.failed == 0 and
      latency.mean <= of("hpa-70").latency.mean
    for: [small]
  - {check: requests.lost == 0, for: [oracle]}
`, nil)
	var found []scenarios.Assertion
	var at []string
	for _, e := range s.Expectations() {
		found = append(found, e.Assertion)
		at = append(at, e.Position.String())
	}
	assert.Equal(t, []scenarios.Assertion{
		{Check: `latency.p99{phase="two words"} < 2s`, Severity: "error", For: []string{"small", "hpa-70"}},
		{Check: "pod_hours < 1.2 * oracle.pod_hours", Severity: "warn", For: []string{"small", "hpa-70"}},
		{Check: `requests.failed == 0 and latency.mean <= of("hpa-70").latency.mean`, Severity: "error", For: []string{"small"}},
		{Check: "requests.lost == 0", Severity: "error", For: []string{"oracle"}},
	}, found)
	assert.Equal(t, []string{"s.yaml:10:5", "s.yaml:11:13", "s.yaml:13:7", "s.yaml:16:13"}, at)
	assert.Equal(t, []string{"small", "oracle", "hpa-70"}, s.Needs("small"))
	assert.Equal(t, []string{"hpa-70", "oracle"}, s.Needs("hpa-70"))
	assert.Equal(t, []string{"oracle"}, s.Needs("oracle"))
}

func TestAnExpectationJudges(t *testing.T) {
	e := parse(t, expecting+"  - {check: pod_hours < 1.5 * oracle.pod_hours, severity: warn}\n", nil).Expectations()[0]
	verdict := e.Judge(&sim.Result{PodSeconds: 3600}, func(string) *sim.Result { return &sim.Result{PodSeconds: 1800} })
	assert.Equal(t, sim.Assertion{Expression: "pod_hours < 1.5 * oracle.pod_hours", Severity: "warn", Observed: new(1.0), Limit: new(0.75)}, verdict)
}

// TestResolvedAssertions come back as they were.
func TestResolvedAssertions(t *testing.T) {
	first := parse(t, expecting+`  - 'latency.p99{phase=base} < 2s'
  - {check: requests.failed == 0, severity: warn, for: [small]}
`, nil)
	resolved, err := first.Resolved()
	require.NoError(t, err)
	assert.Contains(t, string(resolved), "assertions:\n")
	second := parse(t, string(resolved), nil)
	assert.Equal(t, first.Document.Assertions, second.Document.Assertions)
	assert.Equal(t, "s.yaml", second.Expectations()[0].Position.File)
}

func TestBadAssertions(t *testing.T) {
	for name, c := range map[string]struct{ assertion, want string }{
		"a typo":            {"latency.p98 < 2s", `s.yaml:10:13: assertions[0]: found p98, expected one of mean, p50, p90, p95, p99, p999, max (did you mean "p90"?)`},
		"a typo in quotes":  {`"latency.p99{phase=\"\u0062ase\"} < orcale.latency.p99"`, `s.yaml:10:41: assertions[0]: found orcale.latency.p99, expected a figure such as latency.p99 or requests.failed (did you mean "oracle.latency.p99"?)`},
		"single quotes":     {`'of(''hpa-07'').cost < 2'`, `s.yaml:10:9: assertions[0]: found hpa-07, expected one of small, hpa-70, oracle (did you mean "hpa-70"?)`},
		"an unknown phase":  {"latency.p99{phase=bsae} < 2s", `s.yaml:10:23: assertions[0]: found bsae, expected one of base, two words (did you mean "base"?)`},
		"no prices":         {"{check: cost.total < 2}", "s.yaml:10:13: assertions[0].check: found cost.total without prices, expected cost: {podHour: PRICE} in the scenario"},
		"over lines":        {"{check: requests.failed == 0 and\n      requests.lots == 0}", `s.yaml:11:16: assertions[0].check: found lots, expected one of arrived, completed, timed_out, rejected, failed, in_flight, retried, cold, lost, lost_share (did you mean "lost"?)`},
		"in a block":        {"|\n    requests.failed == 0\n    and latency.p99", "s.yaml:12:9: assertions[0]: found latency.p99, which is a number, expected true or false: a comparison such as latency.p99 < 2s"},
		"a number":          {"5", "s.yaml:10:5: assertions[0]: found 5, expected an expression such as latency.p99 < 2s, or {check: EXPRESSION}"},
		"a bool":            {"{check: true}", `s.yaml:10:13: assertions[0].check: found true, expected a string such as "true"`},
		"nothing":           {"{severity: warn}", "s.yaml:10:5: assertions[0].check: found nothing, expected a string"},
		"empty":             {`""`, "s.yaml:10:6: assertions[0]: found nothing, expected a comparison such as latency.p99 < 2s"},
		"a severity":        {"{check: pod_hours < 1, severity: warning}", `s.yaml:10:38: assertions[0].severity: found warning, expected one of error, warn`},
		"an unknown key":    {"{chek: pod_hours < 1, check: pod_hours < 1}", `s.yaml:10:6: assertions[0].chek: found an unknown key, expected one of check, severity, for (did you mean "check"?)`},
		"for nobody":        {"{check: pod_hours < 1, for: []}", "s.yaml:10:33: assertions[0].for: found an empty list, expected names of autoscalers, or no for"},
		"for a stranger":    {"{check: pod_hours < 1, for: [smal]}", `s.yaml:10:34: assertions[0].for[0]: found smal, expected the name of an autoscaler (did you mean "small"?)`},
		"for somebody":      {"{check: pod_hours < 1, for: [small, small]}", "s.yaml:10:41: assertions[0].for[1]: found small twice, expected it once"},
		"hostile":           {`"pod_hours < 1 \u001b[31m"`, `s.yaml:10:20: assertions[0]: found "\x1b", expected figures, numbers, comparisons, + - * / ( ), and, or, not`},
		"a merged mistake":  {"&a pod_hours < 1\n  - *a\n  - &b pod_houres < 1", `s.yaml:12:8: assertions[2]: found pod_houres, expected a figure such as latency.p99 or requests.failed (did you mean "pod_hours"?)`},
		"an alias mistaken": {"&a pod_hour < 1\n  - *a", `s.yaml:10:8: assertions[0]: found pod_hour, expected a figure such as latency.p99 or requests.failed (did you mean "pod_hours"?)`},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, messagesOf(t, expecting+"  - "+c.assertion+"\n", nil)[0])
		})
	}
	t.Run("set", func(t *testing.T) {
		_, err := scenarios.Parse("s.yaml", []byte(expecting+"  - pod_hours < 1\n"), files{}.open, `assertions[0]=latency.p98 < 2s`)
		assert.EqualError(t, err, `--set:1:23: assertions[0]: found p98, expected one of mean, p50, p90, p95, p99, p999, max (did you mean "p90"?)`)
		_, err = scenarios.Parse("s.yaml", []byte(expecting+"  - pod_hours < 1\n"), files{}.open, `assertions=[pod_hours < 2, latency.p99 < 2s]`)
		assert.NoError(t, err)
	})
	t.Run("for nobody", func(t *testing.T) {
		assert.Equal(t, []string{"s.yaml:4:14: assertions[0]: found an assertion for nobody, expected autoscalers, or for: [oracle]"}, messagesOf(t, head+"assertions: [pod_hours < 1]\n"+tail, nil))
		parse(t, head+"assertions: [{check: pod_hours < 1, for: [oracle]}]\n"+tail, nil)
	})
	t.Run("no list", func(t *testing.T) {
		assert.Equal(t, []string{"s.yaml:4:13: assertions: found pod_hours < 1, expected a list"}, messagesOf(t, head+"assertions: pod_hours < 1\n"+tail, nil))
	})
}

// TestNoPhaseIsMissed: a run that its duration ends early does not reach all.
func TestNoPhaseIsMissed(t *testing.T) {
	s := parse(t, expecting+`  - requests.arrived{phase="two words"} > 0`+"\nduration: 5m\n", nil)
	verdict := s.Expectations()[0].Judge(&sim.Result{Phases: []sim.Phase{{Name: "base"}}}, nil)
	assert.False(t, verdict.Passed)
	assert.Equal(t, `the run ends before the phase "two words"`, verdict.Message)
	assert.Equal(t, strict.Position{File: "s.yaml", Line: 10, Column: 5}, s.Expectations()[0].Position)
}
