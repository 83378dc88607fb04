package assertions_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/scenarios/assertions"
	"github.com/scalelab/scalelab/sim"
)

var names = assertions.Names{
	Phases:      []string{"base", "spike", "two words", `"}<b>`},
	Autoscalers: []string{"hpa-70", "fast", "latency", "oracle"},
	Priced:      true,
}

// run is a result with a different number in every figure.
func run() *sim.Result {
	return &sim.Result{
		Requests: sim.Requests{Arrived: 1000, Completed: 900, TimedOut: 40, Rejected: 30, Failed: 20, InFlight: 10, Retried: 7, Cold: 5},
		LatencyS: &sim.Distribution{Mean: 0.1, P50: 0.05, P90: 0.2, P95: 0.3, P99: 1.5, P999: 2.5, Max: 4},
		WaitS:    &sim.Distribution{Mean: 0.01, P50: 0.005, P90: 0.02, P95: 0.03, P99: 0.15, P999: 0.25, Max: 0.4},
		Replicas: sim.ReplicaSummary{MeanReady: 4.5, MeanDesired: 4.75, MaxDesired: 9, MinReady: 2, ScaleUps: 6, ScaleDowns: 3, Flaps: 1},

		PodSeconds: 7200, IdlePodSeconds: 1800, Cost: &sim.Cost{Total: 0.1},
		Activator: &sim.Activator{Requests: 50, Buffered: 20, WaitS: &sim.Distribution{Mean: 0.6, Max: 0.9}},
		Phases: []sim.Phase{
			{Name: "base", Requests: sim.Requests{Arrived: 10}},
			{Name: "spike", Requests: sim.Requests{Arrived: 990, Failed: 20, TimedOut: 40, Rejected: 30}, LatencyS: &sim.Distribution{P99: 1.75}, WaitS: &sim.Distribution{P99: 0.75}},
		},
	}
}

// others are cheaper by half, and have no activator and nothing completed.
func others(string) *sim.Result {
	r := run()
	r.Cost.Total, r.LatencyS, r.Activator = 0.05, nil, nil
	return r
}

func judge(t *testing.T, source string) sim.Assertion {
	t.Helper()
	e, err := assertions.Compile(source, names)
	require.NoError(t, err, source)
	return e.Judge(run(), others)
}

func TestWhatHolds(t *testing.T) {
	for _, source := range []string{
		"latency.mean == 100ms", "latency.p50 == 0.05", "latency.p90 == 200ms", "latency.p95 == 300ms",
		"latency.p99 == 1.5s", "latency.p999 == 2s500ms", "latency.max == 4s",
		"wait.mean == 10ms", "wait.p50 == 5ms", "wait.p90 == 20ms", "wait.p95 == 30ms", "wait.p99 == 150ms", "wait.p999 == 0.25", "wait.max == 400ms",
		"requests.arrived == 1000", "requests.completed == 900", "requests.timed_out == 40", "requests.rejected == 30",
		"requests.failed == 20", "requests.in_flight == 10", "requests.retried == 7", "requests.cold == 5",
		"requests.lost == 90", "requests.lost_share == 9%",
		"replicas.mean_ready == 4.5", "replicas.mean_desired == 4.75", "replicas.max_desired == 9", "replicas.min_ready == 2",
		"replicas.scale_ups == 6", "replicas.scale_downs == 3", "replicas.flaps == 1",
		"pod_seconds == 7200", "pod_hours == 2", "idle_pod_seconds == 1800", "cost.total == 0.1", "cost == cost.total",
		"activator.requests == 50", "activator.buffered == 20", "activator.wait.mean == 600ms", "activator.wait.max == 900ms",

		"latency.p99{phase=spike} == 1.75", "wait.p99 { phase = 'spike' } < 1", `requests.lost{phase="spike"} == 90`,
		"requests.arrived{phase=base} + requests.arrived{phase=spike} == requests.arrived",
		"cost < 2.1 * oracle.cost", `cost.total == 2 * of("hpa-70").cost`, "of ( 'fast' ).cost.total == fast.cost", `of("latency").cost < latency.p99`,

		"latency.p99 < 1m30s", "latency.p99 < 1h", "latency.p50 > 49999us", "latency.p50 > 49999µs", "latency.p50 > 1ns",
		"requests.lost_share < 0.5 and requests.lost_share > 0.5%", "requests.arrived == 1e3", "requests.arrived > 1.5E+2",
		"1s < latency.p99 < 2s", "latency.p99 >= 1.5 && latency.p99 <= 1.5 && latency.p99 != 1.4",
		"not (latency.p99 > 2s)", "!(latency.p99 > 2s) or false", "true and requests.failed > 0",
		"requests.failed == 0 or requests.failed == 20", "requests.failed == 0 || true",

		"requests.arrived - (requests.lost - requests.failed) == 930", "(requests.arrived - requests.lost) - requests.failed == 890",
		"requests.arrived / (requests.failed * 10) == 5", "requests.arrived / requests.failed * 10 == 500",
		"-(requests.failed + 1) == -21", "- -requests.failed == 20", "+requests.failed == 20", "(requests.failed + 1) * 2 == 42", "requests.failed + 1 * 2 == 22",
		"min(requests.failed, 5, requests.cold) == 5", "max(latency.p99, 2s) == 2s", "abs(requests.failed - 30) == 10", "requests.cold * 3 / 2 == 7.5",
		"min(1, max(requests.failed, -abs(-3))) == 1", "\n requests.failed\n  ==\t20 \n",
	} {
		assert.True(t, judge(t, source).Passed, source)
		assert.False(t, judge(t, "not ("+source+")").Passed, "not (%s)", source)
	}
}

func TestWhatIsObserved(t *testing.T) {
	for source, want := range map[string]sim.Assertion{
		"latency.p99{phase=spike} < 2s":          {Passed: true, Observed: new(1.75), Limit: new(2.0), Unit: "s"},
		"latency.p99 < 0.5":                      {Observed: new(1.5), Limit: new(0.5), Unit: "s"},
		"1 > latency.p99":                        {Observed: new(1.0), Limit: new(1.5), Unit: "s"},
		"cost > 1.5 * oracle.cost":               {Passed: true, Observed: new(0.1), Limit: new(0.05 + 0.025000000000000005)},
		"requests.lost_share < 1%":               {Observed: new(0.09), Limit: new(0.01), Unit: "share"},
		"requests.lost <= 5% * requests.arrived": {Observed: new(90.0), Limit: new(50.0)},
		"latency.p99 < 2 * latency.p50":          {Observed: new(1.5), Limit: new(0.1), Unit: "s"},
		"latency.p99 / latency.p50 < 3":          {Observed: new(1.5 / 0.05), Limit: new(3.0)},
		"max(latency.p99, 0) == 1":               {Observed: new(1.5), Limit: new(1.0), Unit: "s"},
		"not (latency.p99 < 2s)":                 {Observed: new(1.5), Limit: new(2.0), Unit: "s"},
		"false or requests.failed == 0":          {Observed: new(20.0), Limit: new(0.0)},
		"false and requests.failed == 0":         {},

		"latency.p99 < 2s and  requests.failed == 0":                     {Observed: new(20.0), Limit: new(0.0), Part: "requests.failed == 0"},
		"latency.p99 < 2s and requests.failed > 0":                       {Passed: true, Observed: new(1.5), Limit: new(2.0), Unit: "s", Part: "latency.p99 < 2s"},
		"latency.p99 < 1s or requests.failed == 0":                       {Observed: new(1.5), Limit: new(1.0), Unit: "s", Part: "latency.p99 < 1s"},
		"latency.p99 < 1s or requests.failed{phase=spike} > (1 + 2) * 3": {Passed: true, Observed: new(20.0), Limit: new(9.0), Part: "requests.failed{phase=spike} > (1 + 2) * 3"},
		"2s < latency.p99 < 3s":                                          {Observed: new(2.0), Limit: new(1.5), Unit: "s", Part: "2s < latency.p99"},
	} {
		assert.Equal(t, want, judge(t, source), source)
	}
}

func TestAbsentIsNeitherTrueNorFalse(t *testing.T) {
	const why = `no request completed in the phase "base"`
	for source, want := range map[string]sim.Assertion{
		"latency.p99{phase=base} < 2s":             {Limit: new(2.0), Unit: "s", Message: why},
		"latency.p99{phase=base} > 2s":             {Limit: new(2.0), Unit: "s", Message: why},
		"latency.p99{phase=base} != 2s":            {Limit: new(2.0), Unit: "s", Message: why},
		"not (latency.p99{phase=base} < 2s)":       {Limit: new(2.0), Unit: "s", Message: why},
		"2s > latency.p99{phase=base} * 2":         {Observed: new(2.0), Unit: "s", Message: why},
		"wait.p99{phase=base} < 2s":                {Limit: new(2.0), Unit: "s", Message: `no request was served in the phase "base"`},
		"requests.failed{phase='two words'} == 0":  {Limit: new(0.0), Message: `the run ends before the phase "two words"`},
		"latency.p99 < oracle.latency.p99":         {Observed: new(1.5), Unit: "s", Message: "oracle: no request completed"},
		"fast.activator.requests == 0":             {Limit: new(0.0), Message: "fast: there is no activator"},
		"oracle.activator.wait.p99 == 0":           {Limit: new(0.0), Unit: "s", Message: "oracle: no activator held a request"},
		"requests.cold / (requests.lost - 90) < 1": {Limit: new(1.0), Message: "it is divided by zero"},
		"0 * (requests.lost - 90) / 0 == 0":        {Limit: new(0.0), Message: "it is divided by zero"},

		"requests.failed > 0 and latency.p99{phase=base} < 2s":      {Limit: new(2.0), Unit: "s", Message: why, Part: "latency.p99{phase=base} < 2s"},
		"latency.p99{phase=base} < 2s and requests.failed == 0":     {Observed: new(20.0), Limit: new(0.0), Part: "requests.failed == 0"},
		"latency.p99{phase=base} < 2s or requests.failed > 0":       {Passed: true, Observed: new(20.0), Limit: new(0.0), Part: "requests.failed > 0"},
		"requests.failed == 0 or not (latency.p99{phase=base} < 2)": {Limit: new(2.0), Unit: "s", Message: why, Part: "latency.p99{phase=base} < 2"},
	} {
		assert.Equal(t, want, judge(t, source), source)
	}
	e, err := assertions.Compile("requests.lost_share == 0", names)
	require.NoError(t, err)
	assert.Equal(t, sim.Assertion{Limit: new(0.0), Unit: "share", Message: "no request arrived"}, e.Judge(&sim.Result{}, others))
}

func TestMentions(t *testing.T) {
	e, err := assertions.Compile(`cost < of("hpa-70").cost + oracle.cost and latency.p99 < oracle.latency.p99`, names)
	require.NoError(t, err)
	assert.Equal(t, []string{"hpa-70", "oracle"}, e.Mentions())
	assert.Equal(t, "oracle: it did not run", judgeAlone(e).Message)
}

// judgeAlone knows hpa-70 only.
func judgeAlone(e *assertions.Expression) sim.Assertion {
	return e.Judge(run(), func(name string) *sim.Result {
		if name == "hpa-70" {
			return run()
		}
		return nil
	})
}

// TestProblems marks with ^ in front where the problem lies.
func TestProblems(t *testing.T) {
	for _, c := range []struct{ marked, want string }{
		{"^", "found nothing, expected a comparison such as latency.p99 < 2s"},
		{"^true or 1 < 2", "found no figure, expected one such as latency.p99"},
		{"latency.^p98 < 2s", `found p98, expected one of mean, p50, p90, p95, p99, p999, max (did you mean "p90"?)`},
		{"activator.wait.^p98 < 2s", `found p98, expected one of mean, p50, p90, p95, p99, p999, max (did you mean "p90"?)`},
		{"requests.^fialed == 0", `found fialed, expected one of arrived, completed, timed_out, rejected, failed, in_flight, retried, cold, lost, lost_share (did you mean "failed"?)`},
		{"requests.failed == 0 and ^latencie.p99 < 2s", `found latencie.p99, expected a figure such as latency.p99 or requests.failed (did you mean "latency.p99"?)`},
		{"^orcale.latency.p99 < 2s", `found orcale.latency.p99, expected a figure such as latency.p99 or requests.failed (did you mean "oracle.latency.p99"?)`},
		{"^latency < 2s", "found latency, expected latency. and one of mean, p50, p90, p95, p99, p999, max"},
		{"^oracle < 2", "found oracle, expected a figure of it such as oracle.latency.p99"},
		{"oracle.latency.^p98 < 2s", `found p98, expected one of mean, p50, p90, p95, p99, p999, max (did you mean "p90"?)`},
		{"oracle.^latencie < 2s", "found latencie, expected a figure such as latency.p99 or requests.failed"},
		{"^hpa-70.latency.p99 < 2s", `found hpa-70, expected of("hpa-70") before a figure: the name is no single word`},
		{`of(^"hpa-07").cost < 2`, `found hpa-07, expected one of hpa-70, fast, latency, oracle (did you mean "hpa-70"?)`},
		{`of(^hpa-70).cost < 2`, `found hpa-70).cost, expected the name of an autoscaler in quotes, such as of("hpa-70")`},
		{`of("hpa-70"^.cost < 2`, `found .cost, expected )`},
		{`of("hpa-70")^ < 2`, `found <, expected a figure such as of("NAME").latency.p99`},
		{`of("hpa-70").latency.^p98 < 2`, `found p98, expected one of mean, p50, p90, p95, p99, p999, max (did you mean "p90"?)`},
		{`of(^"hpa-70`, `found "\"hpa-70", expected the name of an autoscaler in quotes, such as of("hpa-70")`},
		{"latency.p99{phase=^spkie} < 2s", `found spkie, expected one of base, spike, two words, "\"}<b>" (did you mean "spike"?)`},
		{"latency.p99{^faze=spike} < 2s", "found faze=spike}, expected phase=NAME"},
		{"latency.p99{phase=^} < 2s", "found }, expected the name of a phase, in quotes if it is more than a word"},
		{"latency.p99{phase=^two words} < 2s", `found two, expected one of base, spike, two words, "\"}<b>"`},
		{"latency.p99{phase=spike^ < 2s", "found <, expected }"},
		{"replicas.flaps^{phase=spike} < 2", "found a phase for replicas.flaps, expected one only for latency, wait and requests"},
		{"latency.p99 < ^2seconds", "found 2seconds, expected a number, a duration such as 1m30s, or a share such as 0.5%"},
		{"latency.p99 < ^1.2.3", "found 1.2.3, expected a number, a duration such as 1m30s, or a share such as 0.5%"},
		{"latency.p99 < ^2.", "found 2., expected a number, a duration such as 1m30s, or a share such as 0.5%"},
		{"requests.lost_share < ^5%%", "found 5%%, expected a number, a duration such as 1m30s, or a share such as 0.5%"},
		{"requests.failed < ^0x10", "found 0x10, expected a number, a duration such as 1m30s, or a share such as 0.5%"},
		{"requests.failed < ^1e16", "found 1e16, expected at most 1e15"},
		{"requests.failed < ^1e999", "found 1e999, expected at most 1e15"},
		{"latency.p99 < ^999999h", "found 999999h, expected at most 87600h"},
		{"latency.p99 < ^9999999999999999999h", "found 9999999999999999999h, expected at most 87600h"},
		{"requests.failed ^= 0", "found =, expected == to compare"},
		{"requests.failed ^% 3 == 0", "found %, expected it right behind a number, such as 0.5%"},
		{"requests.failed < ^.5", "found ., expected a digit before it"},
		{"requests.failed == ^'x'", `found a text, expected it in of("NAME") or {phase="NAME"}`},
		{"requests.failed ^? 1 : 2", "found ?, expected figures, numbers, comparisons, + - * / ( ), and, or, not"},
		{"requests.failed == 0^; 1", "found ;, expected figures, numbers, comparisons, + - * / ( ), and, or, not"},
		{"requests.failed == 0 ^| 1", "found |, expected figures, numbers, comparisons, + - * / ( ), and, or, not"},
		{"^[requests.failed]", "found [, expected figures, numbers, comparisons, + - * / ( ), and, or, not"},
		{"requests.failed == 0 ^ä", "found ä, expected figures, numbers, comparisons, + - * / ( ), and, or, not"},
		{"requests.failed == 0 ^\x1b", `found "\x1b", expected figures, numbers, comparisons, + - * / ( ), and, or, not`},
		{"(^{phase=spike}) < 2", "found {, expected it behind a figure, such as latency.p99{phase=NAME}"},

		{"latency.p99 <^", "found the end, expected a figure such as latency.p99, a number or ("},
		{"latency.p99 < ^< 2s", "found <, expected a figure such as latency.p99, a number or ("},
		{"latency.p99 < 2s ^3s", "found 3s, expected an operator such as < or and, or the end"},
		{"(latency.p99 < 2s^", "found the end, expected an operator such as < or and, or )"},
		{"latency.p99 < 2s^)", "found ), expected an operator such as < or and, or the end"},
		{"latency.p99 not ^< 2s", "found <, expected a figure such as latency.p99, a number or ("},
		{"requests.failed * ^* 2 < 1", "found *, expected a figure such as latency.p99, a number or ("},
		{"(^) < cost", "found ), expected a figure such as latency.p99, a number or ("},
		{"max ^requests.failed < 2", "found requests.failed, expected ( after max"},
		{"^max < requests.failed", "found max without arguments, expected max(...)"},
		{"^max(requests.failed) < 2", "found max with 1 arguments, expected two or more"},
		{"^abs(requests.failed, 1) < 2", "found abs with 2 arguments, expected one"},
		{"^latency.p99", "found latency.p99, which is a number, expected true or false: a comparison such as latency.p99 < 2s"},
		{"latency.p99 ^+ 2s", "found latency.p99 + 2s, which is a number, expected true or false: a comparison such as latency.p99 < 2s"},
		{"^not latency.p99 < 2s", "found not before a number, expected it before brackets: not (latency.p99 < 2s)"},
		{"not ^cost", "found cost, which is a number, expected true or false: a comparison such as latency.p99 < 2s"},
		{"latency.p99 < 2s and ^cost", "found cost, which is a number, expected true or false: a comparison such as latency.p99 < 2s"},
		{"(latency.p99 ^< 2s) == (cost < 2)", "found latency.p99 < 2s, which is true or false, expected a number"},
		{"latency.p99 < ^true", "found true, which is true or false, expected a number"},
		{"max(cost, 1 ^< 2) > 2", "found 1 < 2, which is true or false, expected a number"},
		{"^" + strings.Repeat("cost+", 820) + "0 > 1", "found 4105 bytes, expected at most 4096"},
	} {
		offset := strings.Index(c.marked, "^")
		source := strings.Replace(c.marked, "^", "", 1)
		_, err := assertions.Compile(source, names)
		var problem *assertions.Problem
		require.True(t, errors.As(err, &problem), c.marked)
		assert.Equal(t, c.want, problem.Text, c.marked)
		assert.Equal(t, offset, problem.Offset, c.marked)
	}
	free := names
	free.Priced = false
	_, err := assertions.Compile("requests.failed == 0 and oracle.cost < 1", free)
	assert.Equal(t, &assertions.Problem{Offset: 32, Text: "found cost without prices, expected cost: {podHour: PRICE} in the scenario"}, err)
}

func TestDeepNesting(t *testing.T) {
	deep := strings.Repeat("(", 2000) + "cost < 1" + strings.Repeat(")", 2000)
	assert.True(t, judge(t, deep).Passed)
	assert.False(t, judge(t, strings.Repeat("!", 1999)+"(cost < 1)").Passed)
	assert.True(t, judge(t, strings.Repeat("abs(", 500)+"-cost"+strings.Repeat(")", 500)+" < 1").Passed)
	assert.True(t, judge(t, strings.Repeat("cost < 1 and ", 300)+"cost < 1").Passed)
}

// FuzzCompile holds whatever compiles to what an assertion promises: numbers or
// a reason, and never both verdicts.
func FuzzCompile(f *testing.F) {
	for _, seed := range []string{
		"latency.p99{phase=spike} < 2s", "requests.failed == 0", "cost.total < 1.2 * oracle.cost", `of("hpa-70").latency.p99 / 0 < 1m30s`,
		"not (latency.p99{phase='two words'} < 150ms) or requests.lost_share < 0.5%", "1 < max(cost, 2, -3) <= abs(4e3)", "a.b ? [1..9] : {x=1}", "requests.failed ** 2 % 3 != 1;let x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		e, err := assertions.Compile(source, names)
		if err != nil {
			var problem *assertions.Problem
			require.True(t, errors.As(err, &problem))
			assert.NotEmpty(t, problem.Text)
			assert.GreaterOrEqual(t, problem.Offset, 0)
			assert.LessOrEqual(t, problem.Offset, len(source))
			return
		}
		verdict := e.Judge(run(), others)
		for _, side := range []*float64{verdict.Observed, verdict.Limit} {
			assert.False(t, side != nil && (math.IsNaN(*side) || math.IsInf(*side, 0)), source)
		}
		assert.False(t, verdict.Passed && verdict.Message != "", source)
		opposite, err := assertions.Compile("not ("+source+")", names)
		if err == nil {
			contrary := opposite.Judge(run(), others)
			assert.False(t, contrary.Passed && verdict.Passed, source)
			assert.True(t, contrary.Passed || verdict.Passed || verdict.Message != "", source)
		}
		if verdict.Part != "" {
			part, err := assertions.Compile(verdict.Part, names)
			var problem *assertions.Problem
			if errors.As(err, &problem) {
				assert.Contains(t, problem.Text, "found no figure", source)
				return
			}
			again := part.Judge(run(), others)
			assert.Equal(t, verdict.Observed, again.Observed, source)
			assert.Equal(t, verdict.Limit, again.Limit, source)
		}
	})
}

// Every part of the bill can be asserted; one without a price is unknown.
func TestPartsOfTheBill(t *testing.T) {
	run := &sim.Result{Autoscaler: "a", Cost: &sim.Cost{Total: 10, Pods: new(7.0), Lost: new(3.0)}, IdleShare: new(0.25), CPUCoreHours: new(4.0)}
	read := map[string]*float64{"cost": new(10.0), "cost.total": new(10.0), "cost.pods": new(7.0), "cost.lost": new(3.0), "cost.vcpu": nil,
		"cost.memory": nil, "cost.requests": nil, "cost.late": nil, "idle_share": new(0.25), "cpu_core_hours": new(4.0), "memory_gib_hours": nil}
	for name, want := range read {
		f, ok := figureOf(name)
		require.True(t, ok, name)
		assert.Equal(t, want, f.read(source{run: run}), name)
		if f.priced {
			assert.Nil(t, f.read(source{run: &sim.Result{}}), name)
		}
	}
}
