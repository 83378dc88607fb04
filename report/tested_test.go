package report

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/sim"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tested is a report with every kind of outcome.
func tested() *bench.TestReport {
	at := func(a sim.Assertion, line int) bench.TestedAssertion {
		return bench.TestedAssertion{Assertion: a, File: "shop/checkout.yaml", Line: line, Column: 5}
	}
	held := at(sim.Assertion{Expression: "requests.failed == 0", Severity: "error", Passed: true, Observed: new(0.0), Limit: new(0.0)}, 41)
	r := &bench.TestReport{Schema: bench.TestSchema, Scenarios: []bench.TestedScenario{
		{Scenario: "checkout", File: "shop/checkout.yaml", Seed: new(uint64(42)), Start: "2026-01-05T00:00:00Z", Verdict: bench.TestFailed, Problems: []bench.Problem{},
			Autoscalers: []bench.TestedAutoscaler{
				{Autoscaler: "hpa-70", Fingerprint: "ab12", Balanced: true, Assertions: []bench.TestedAssertion{held,
					at(sim.Assertion{Expression: "latency.p99{phase=spike} < 2s and requests.lost_share < 0.5%", Severity: "error",
						Observed: new(3.14), Limit: new(2.0), Unit: "s", Part: "latency.p99{phase=spike} < 2s"}, 42),
					at(sim.Assertion{Expression: "cost.total < 1.2 * oracle.cost", Severity: "warn", Observed: new(2.0001), Limit: new(2.0)}, 43)}},
				{Autoscaler: "fixed-20", Fingerprint: "cd34", Balanced: true, Assertions: []bench.TestedAssertion{held,
					at(sim.Assertion{Expression: "latency.p99{phase=idle} < 2s", Severity: "error", Limit: new(2.0), Unit: "s", Message: `no request completed in the phase "idle"`}, 44)}},
				{Autoscaler: "oracle", Fingerprint: "ef56", Balanced: true, Assertions: []bench.TestedAssertion{}},
			}},
		{Scenario: "warned", File: "warned.yaml", Seed: new(uint64(1)), Start: "2026-01-05T00:00:00Z", Verdict: bench.TestWarned, Problems: []bench.Problem{},
			Autoscalers: []bench.TestedAutoscaler{{Autoscaler: "hpa", Balanced: true, Assertions: []bench.TestedAssertion{
				at(sim.Assertion{Expression: "requests.lost == 0", Severity: "warn", Observed: new(1234567.0), Limit: new(0.0)}, 9)}}}},
		{Scenario: "plain", File: "plain.yaml", Seed: new(uint64(1)), Start: "2026-01-05T00:00:00Z", Verdict: bench.TestUnasserted, Problems: []bench.Problem{},
			Autoscalers: []bench.TestedAutoscaler{{Autoscaler: "fixed", Balanced: true, Assertions: []bench.TestedAssertion{}}}},
		{Scenario: "good", File: "good.yaml", Seed: new(uint64(1)), Start: "2026-01-05T00:00:00Z", Verdict: bench.TestPassed, Problems: []bench.Problem{},
			Autoscalers: []bench.TestedAutoscaler{{Autoscaler: "fixed", Balanced: true, Assertions: []bench.TestedAssertion{held}}}},
		{File: "broken.yaml", Verdict: bench.TestInvalid, Problems: []bench.Problem{
			{File: "broken.yaml", Line: 3, Column: 5, Text: `assertions[0]: found p98, expected one of mean, p50, p90, p95, p99, p999, max (did you mean "p90"?)`},
			{File: "broken.yaml", Text: "open scenario: permission denied"}}, Autoscalers: []bench.TestedAutoscaler{}},
	}}
	for i := range r.Scenarios {
		one := r.Scenarios[i].Count()
		r.Summary.Scenarios++
		r.Summary.Invalid += one.Invalid
		r.Summary.Unasserted += one.Unasserted
		r.Summary.Assertions += one.Assertions
		r.Summary.Passed += one.Passed
		r.Summary.Failed += one.Failed
		r.Summary.Warnings += one.Warnings
		r.Summary.Unbalanced += one.Unbalanced
	}
	return r
}

func testText(t *testing.T, r *bench.TestReport, format string) string {
	t.Helper()
	var out strings.Builder
	require.NoError(t, Tested(&out, r, format, Options{}))
	return out.String()
}

func TestTested(t *testing.T) {
	for format, file := range map[string]string{Table: "tested.table.txt", Markdown: "tested.md", JUnit: "tested.xml", GitHub: "tested.github.txt"} {
		golden(t, file, testText(t, tested(), format))
	}
	table := testText(t, tested(), Table)
	for line := range strings.Lines(table) {
		assert.LessOrEqual(t, columns(strings.TrimSuffix(line, "\n")), 80, line)
	}
	assert.Contains(t, table, "(observed 2.0001, limit 2)", "what looks alike is written out")
	var back bench.TestReport
	require.NoError(t, json.Unmarshal([]byte(testText(t, tested(), JSON)), &back))
	assert.Equal(t, tested(), &back)
}

func TestTestedNothing(t *testing.T) {
	nobody := &bench.TestReport{Schema: bench.TestSchema, Scenarios: []bench.TestedScenario{}}
	assert.Equal(t, "0 scenarios, 0 assertions: 0 passed, 0 failed, 0 warnings\n", testText(t, nobody, Table))
	assert.Equal(t, xml.Header+"<testsuites></testsuites>\n", testText(t, nobody, JUnit))
	assert.EqualError(t, Tested(io.Discard, nobody, "csv", Options{}), `format: found "csv", expected one of table, json, markdown, junit, github`)
}

// TestUnbalanced: a run that lost count of its requests fails in every format.
func TestUnbalanced(t *testing.T) {
	r := tested()
	r.Scenarios[3].Autoscalers[0].Balanced = false
	r.Summary.Unbalanced = 1
	for _, format := range []string{Table, Markdown, JUnit, GitHub} {
		assert.Contains(t, strings.Join(strings.Fields(testText(t, r, format)), " "), "do not add up", format)
	}
	assert.False(t, r.OK())
}

// hostileTested has in every place where users write what could do harm in some
// format, 10,000 characters of it.
func hostileTested() *bench.TestReport {
	evil := "<script>alert(1)</script>]]>\"'&%0A::error::x\n::stop-commands::y\r##[add-mask]z `tick` | **b** @octocat #1 \x1b[31mred\x00\u202egnp\u2066\ufeff\uffff\ufffe\x85\u2028\xff<!--"
	long := evil + strings.Repeat("a ::error::b 日本 ", 700)
	r := tested()
	s := &r.Scenarios[0]
	s.Scenario, s.File = long, long+"::,"
	s.Autoscalers[0].Autoscaler = long
	for i := range s.Autoscalers[0].Assertions {
		a := &s.Autoscalers[0].Assertions[i]
		a.Expression, a.Part, a.Message, a.File, a.Passed = long, long, long, long, false
	}
	r.Scenarios[4].File = evil
	r.Scenarios[4].Problems[0] = bench.Problem{File: evil, Line: 1, Column: 1, Text: long}
	return r
}

func TestHostileTested(t *testing.T) {
	for _, format := range TestFormats() {
		text := testText(t, hostileTested(), format)
		assert.True(t, utf8.ValidString(text), format)
		for _, r := range text {
			require.False(t, r != '\n' && unicode.IsControl(r), "%s: %U", format, r)
			if format != JSON {
				require.False(t, unicode.Is(unicode.Cf, r), "%s: %U", format, r)
			}
		}
	}
	t.Run("a log is no command", func(t *testing.T) {
		for line := range strings.Lines(testText(t, hostileTested(), Table)) {
			assert.False(t, strings.HasPrefix(strings.TrimSpace(line), "::"), line)
			assert.NotContains(t, line, "##[")
			assert.LessOrEqual(t, columns(strings.TrimSuffix(line, "\n")), 80, line)
		}
	})
	t.Run("annotations are one line each", func(t *testing.T) {
		lines := strings.Split(strings.TrimSuffix(testText(t, hostileTested(), GitHub), "\n"), "\n")
		assert.Len(t, lines, 3+1+1+2+1)
		for _, line := range lines[:len(lines)-1] {
			command, text, ok := strings.Cut(strings.TrimPrefix(line, "::"), "::")
			require.True(t, ok)
			assert.Regexp(t, `^(error|warning) file=[^:,]+(,line=\d+,col=\d+)?,title=[^:,]+$`, command)
			assert.NotContains(t, text, "%0A::")
			assert.LessOrEqual(t, columns(text), 3*longestText)
		}
	})
	t.Run("JUnit is XML", func(t *testing.T) {
		r := hostileTested()
		decoder := xml.NewDecoder(strings.NewReader(testText(t, r, JUnit)))
		var found int
		for {
			token, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			if start, ok := token.(xml.StartElement); ok {
				found++
				assert.Contains(t, []string{"testsuites", "testsuite", "properties", "property", "testcase", "skipped", "error", "failure", "system-out", "system-err"}, start.Name.Local)
				for _, a := range start.Attr {
					assert.NotEmpty(t, a.Value, a.Name.Local)
				}
			}
		}
		assert.Equal(t, strings.Count(testText(t, r, JUnit), "<testcase"), 2+strings.Count(testText(t, r, JUnit), "classname")-2)
		assert.Greater(t, found, 30)
	})
	t.Run("Markdown mentions nobody", func(t *testing.T) {
		text := withoutCode(testText(t, hostileTested(), Markdown))
		assert.NotRegexp(t, `[^\\]<(script|!--[^ ])`, text)
		requireSquare(t, testText(t, hostileTested(), Markdown))
		assert.NotContains(t, text, "@octocat")
		assert.NotContains(t, text, "**b**")
	})
}

// TestJUnitCounts holds the counters of every suite against its cases.
func TestJUnitCounts(t *testing.T) {
	var suites junitSuites
	require.NoError(t, xml.Unmarshal([]byte(testText(t, tested(), JUnit)), &suites))
	require.Len(t, suites.Suites, 5)
	for i, s := range suites.Suites {
		assert.Equal(t, i, s.ID)
		assert.Len(t, s.Cases, s.Tests, s.Name)
		failures, faults, skipped := 0, 0, 0
		for _, c := range s.Cases {
			for counter, there := range map[*int]bool{&failures: c.Failure != nil, &faults: c.Error != nil, &skipped: c.Skipped != nil} {
				if there {
					*counter++
				}
			}
		}
		assert.Equal(t, []int{failures, faults, skipped}, []int{s.Failures, s.Errors, s.Skipped}, s.Name)
	}
	assert.Equal(t, "2026-01-05T00:00:00", suites.Suites[0].Timestamp)
	assert.Equal(t, "checkout.hpa-70", suites.Suites[0].Cases[0].Class)
	assert.Equal(t, 8, suites.Suites[0].Tests, "three runs and five assertions")
	assert.Equal(t, 2, suites.Suites[4].Errors)
}

func TestObserved(t *testing.T) {
	for want, a := range map[string]sim.Assertion{
		"1.38 s":                                {Passed: true, Observed: new(1.38), Limit: new(2.0), Unit: "s"},
		"0.41 %":                                {Passed: true, Observed: new(0.0041), Unit: "share"},
		"812,345":                               {Passed: true, Observed: new(812345.0)},
		"observed 3.20 s, limit 2.00 s":         {Observed: new(3.2), Limit: new(2.0), Unit: "s"},
		"observed 2.000001 s, limit 2 s":        {Observed: new(2.000001), Limit: new(2.0), Unit: "s"},
		"observed 2.00 s, limit 2.00 s":         {Observed: new(2.0), Limit: new(2.0), Unit: "s"},
		"a < b: observed 3, limit 2":            {Observed: new(3.0), Limit: new(2.0), Part: "a < b"},
		"nothing observed: no request arrived":  {Limit: new(2.0), Message: "no request arrived"},
		"never true":                            {},
		"always true":                           {Passed: true},
		"a < b: nothing observed: it is absent": {Limit: new(2.0), Part: "a < b", Message: "it is absent"},
	} {
		assert.Equal(t, want, observed(a))
	}
}
