package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden holds text against a file of testdata.
func golden(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err, "go test ./report -update writes it")
	assert.Equal(t, string(want), text)
}

func rendered(t *testing.T, render func(*bytes.Buffer) error) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, render(&out))
	return out.String()
}

func runText(t *testing.T, r *sim.Result, format string, o Options) string {
	return rendered(t, func(out *bytes.Buffer) error { return Run(out, r, format, o) })
}

func compareText(t *testing.T, c *bench.Outcome, format string, o Options) string {
	return rendered(t, func(out *bytes.Buffer) error { return Compare(out, c, format, o) })
}

// requireFits is the invariant of everything printed on a terminal: no line is
// wider than the terminal, nothing controls it, no blanks at the ends.
func requireFits(t *testing.T, text string, width int) {
	t.Helper()
	require.True(t, strings.HasSuffix(text, "\n"))
	for number, l := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		require.LessOrEqual(t, columns(l), width, "line %d: %s", number+1, l)
		require.Equal(t, strings.TrimRight(l, " "), l, "line %d ends in blanks", number+1)
		for _, r := range l {
			require.False(t, unicode.IsControl(r) || unicode.Is(unicode.Cf, r), "line %d has %U", number+1, r)
		}
	}
}

func TestRunTable(t *testing.T) {
	for name, r := range map[string]*sim.Result{"run": strategies[0].result(42), "silence": nothing(), "hostile": hostile()} {
		text := runText(t, r, Table, Options{})
		golden(t, name+".table.txt", text)
		for _, width := range []int{60, 80, 131} {
			requireFits(t, runText(t, r, Table, Options{Width: width}), width)
		}
		q := r.Requests
		for _, n := range []uint64{q.Arrived, q.Completed, q.TimedOut, q.Rejected, q.Failed, q.InFlight, q.Cold, q.Retried, q.Lost()} {
			assert.Contains(t, text, count(n))
		}
		for _, d := range []*sim.Distribution{r.LatencyS, r.WaitS} {
			if d != nil {
				for _, v := range []float64{d.Mean, d.P50, d.P90, d.P95, d.P99, d.P999, d.Max} {
					assert.Contains(t, text, bench.Seconds(v))
				}
			}
		}
		for _, v := range []string{bench.PodHours(r.PodSeconds), bench.PodHours(r.IdlePodSeconds), r.Fingerprint,
			bench.Digits(r.Replicas.MeanReady), bench.Digits(r.Replicas.MeanDesired), r.Start, clock(r.DurationS)} {
			assert.Contains(t, text, v)
		}
		for _, d := range changing(r.Decisions) {
			assert.Contains(t, text, change(d))
			assert.Contains(t, text, clock(d.TS))
		}
	}
}

func TestRunWide(t *testing.T) {
	r := strategies[0].result(42)
	text := runText(t, r, Wide, Options{})
	golden(t, "run.wide.txt", text)
	for _, d := range r.Decisions {
		assert.Contains(t, text, d.Message)
		assert.Contains(t, text, string(d.Reason))
	}
	assert.Equal(t, 4, strings.Count(text, "cpu at")+strings.Count(text, "no requests for"))
}

func TestManyDecisionsAreCut(t *testing.T) {
	r := strategies[0].result(42)
	for i := range 40 {
		r.Decisions = append(r.Decisions, sim.Decision{TS: 4300 + float64(i), Autoscaler: "hpa", Current: 1, Desired: int32(2 + i), Message: "more"})
	}
	text := runText(t, r, Table, Options{})
	assert.Contains(t, text, "44 decisions, of which 43 changed the count; the first 12 (-o wide shows all)\n")
	assert.NotContains(t, text, "1 → 11")
	assert.Contains(t, runText(t, r, Wide, Options{}), "1 → 41")
}

func TestCompareTable(t *testing.T) {
	for name, seeds := range map[string]int{"compare-one-seed": 1, "compare-three-seeds": 3, "compare-twenty-seeds": 20} {
		c := outcome(matrix(seeds))
		text := compareText(t, c, Table, Options{})
		golden(t, name+".table.txt", text)
		for _, width := range []int{60, 80, 140} {
			requireFits(t, compareText(t, c, Table, Options{Width: width}), width)
		}
		flat := strings.Join(strings.Fields(text), " ")
		for _, s := range c.Comparison.Autoscalers {
			assert.Contains(t, text, s.Autoscaler)
			for _, m := range shownColumns(c.Comparison, false) {
				e := s.Metrics[m.metric]
				assert.Contains(t, text, m.format(*e.Median), "%s of %s", m.metric, s.Autoscaler)
				assert.Contains(t, text, m.difference(e.Difference), "%s of %s", m.metric, s.Autoscaler)
			}
		}
		for _, sentence := range append(c.Comparison.Conclusion, c.Comparison.Warnings...) {
			assert.Contains(t, flat, strings.Join(strings.Fields(sentence), " "))
		}
	}
	golden(t, "compare.wide.txt", compareText(t, outcome(matrix(20)), Wide, Options{}))
}

func TestCompareSaysWhatDidNotFit(t *testing.T) {
	results := matrix(1)
	for _, r := range results {
		r.Requests.Cold += 123_456_789
		if r.Autoscaler == "hpa-fast" {
			r.Autoscaler = "a-strategy-with-quite-a-long-name"
		}
	}
	text := compareText(t, outcome(results), Table, Options{Width: 60})
	requireFits(t, text, 60)
	assert.Contains(t, text, "left out for want of width: COST, COLD")
	assert.Contains(t, text, "a-strategy-wi…")
}

func TestCompareWithoutLatencyOracleAndCost(t *testing.T) {
	a, b := nothing(), nothing()
	b.Autoscaler, b.PodSeconds = "hpa", 240
	c := outcomeAgainst(t, "fixed", a, b)
	text := compareText(t, c, Table, Options{})
	golden(t, "compare-silence.table.txt", text)
	requireFits(t, text, 80)
	for _, head := range []string{"P50", "P99", "LOST", "COST", "ORACLE"} {
		assert.NotContains(t, strings.SplitN(text, "\n", 4)[2], head, "nobody has it")
	}
	b.Requests, b.LatencyS = sim.Requests{Arrived: 1, Completed: 1}, spread(1)
	assert.Contains(t, compareText(t, outcomeAgainst(t, "fixed", a, b), Table, Options{}), " - ", "absent is not 0")
}

func outcomeAgainst(t *testing.T, baseline string, results ...*sim.Result) *bench.Outcome {
	t.Helper()
	c, err := bench.NewOutcome(results, baseline)
	require.NoError(t, err)
	return c
}

func TestColorChangesNoLetter(t *testing.T) {
	plainText := compareText(t, outcome(matrix(1)), Table, Options{})
	colored := compareText(t, outcome(matrix(1)), Table, Options{Color: true})
	assert.Contains(t, colored, "\x1b[")
	assert.Equal(t, plainText, stripColors(colored))

	r := hostile()
	colored = runText(t, r, Table, Options{Color: true})
	assert.Equal(t, runText(t, r, Table, Options{}), stripColors(colored))
	assert.NotContains(t, colored, "\x1b[2J", "the name's escape sequence does not reach the terminal")
	assert.NotContains(t, plainText, "\x1b")
}

// stripColors removes SGR sequences only.
func stripColors(text string) string {
	var kept strings.Builder
	for {
		before, after, found := strings.Cut(text, "\x1b[")
		kept.WriteString(before)
		if !found {
			return trimLines(kept.String())
		}
		_, text, _ = strings.Cut(after, "m")
	}
}

func trimLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.Join(lines, "\n")
}

func TestMarkdown(t *testing.T) {
	golden(t, "run.md", runText(t, strategies[0].result(42), Markdown, Options{}))
	golden(t, "compare.md", compareText(t, outcome(matrix(20)), Markdown, Options{}))
	golden(t, "silence.md", runText(t, nothing(), Markdown, Options{}))

	text := runText(t, hostile(), Markdown, Options{})
	golden(t, "hostile.md", text)
	outside := withoutCode(text)
	for _, markup := range []string{"<img", "@octocat", "**bold**", "| new row |"} {
		assert.NotContains(t, outside, markup)
	}
	assert.NotRegexp(t, `[^\\]\]\(`, outside, "no link")
	for l := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(l, "|") {
			assert.True(t, strings.HasSuffix(l, "|"), "a row on one line: %s", l)
		}
	}
	requireSquare(t, text)
}

// requireSquare checks that every row of a table has as many cells as its head.
func requireSquare(t *testing.T, text string) {
	t.Helper()
	cells := 0
	for l := range strings.SplitSeq(text, "\n") {
		if !strings.HasPrefix(l, "|") {
			cells = 0
			continue
		}
		n := strings.Count(l, "|") - strings.Count(l, `\|`)
		if cells == 0 {
			cells = n
		}
		require.Equal(t, cells, n, l)
	}
}

// withoutCode drops code spans.
func withoutCode(text string) string {
	var kept strings.Builder
	for text != "" {
		at := strings.IndexByte(text, '`')
		if at < 0 {
			break
		}
		kept.WriteString(text[:at])
		fence := text[at : len(text)-len(strings.TrimLeft(text[at:], "`"))]
		_, text, _ = strings.Cut(text[at+len(fence):], fence)
	}
	return kept.String() + text
}

func TestJSONRoundTrips(t *testing.T) {
	for name, r := range map[string]*sim.Result{"run": strategies[0].result(42), "silence": nothing()} {
		text := runText(t, r, JSON, Options{})
		var back sim.Result
		require.NoError(t, json.Unmarshal([]byte(text), &back))
		assert.Equal(t, r, &back, name)
		require.True(t, strings.HasPrefix(text, "{\n  \"schema\": \"scalelab/result/v1\",\n"))
		require.True(t, strings.HasSuffix(text, "}\n"))
		requireValid(t, "result.schema.json", text)
	}
	c := outcome(matrix(6))
	text := compareText(t, c, JSON, Options{})
	requireValid(t, "compare.schema.json", text)
	var back bench.Outcome
	require.NoError(t, json.Unmarshal([]byte(text), &back))
	assert.Equal(t, c.Results, back.Results)
	again, err := encodeJSON(back)
	require.NoError(t, err)
	assert.Equal(t, text, string(again))
}

// requireValid holds a document against a schema in testdata.
func requireValid(t *testing.T, schema, text string) {
	t.Helper()
	compiled, err := jsonschema.NewCompiler().Compile(filepath.Join("testdata", schema))
	require.NoError(t, err)
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	require.NoError(t, err)
	require.NoError(t, compiled.Validate(document))
}

func TestJSONControlsNoTerminal(t *testing.T) {
	r := hostile()
	r.Autoscaler = "\u009b31m\x7f\ufeff"
	text := runText(t, r, JSON, Options{})
	for _, c := range text {
		require.False(t, c != '\n' && unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c), "%U", c)
	}
	var back sim.Result
	require.NoError(t, json.Unmarshal([]byte(text), &back))
	assert.Equal(t, r.Autoscaler, back.Autoscaler, "the name is unharmed")
	assert.Equal(t, r.Scenario, back.Scenario)
}

func TestYAMLSaysWhatJSONSays(t *testing.T) {
	large := strategies[0].result(1<<63 + 1)
	large.PodSeconds, large.IdlePodSeconds = 1.5e21, 1e-9
	large.Scenario = "true"
	large.Autoscaler = "0x10"
	for name, r := range map[string]*sim.Result{"run": strategies[0].result(42), "silence": nothing(), "hostile": hostile(), "large": large} {
		var fromYAML, fromJSON any
		require.NoError(t, yaml.Unmarshal([]byte(runText(t, r, YAML, Options{})), &fromYAML), name)
		require.NoError(t, yaml.Unmarshal([]byte(runText(t, r, JSON, Options{})), &fromJSON), name)
		assert.Equal(t, fromJSON, fromYAML, name)
	}
	text := compareText(t, outcome(matrix(1)), YAML, Options{})
	assert.True(t, strings.HasPrefix(text, "schema: scalelab/compare/v1\nresults:\n"))
	assert.Contains(t, text, "\n  seeds: [42]\n")
	assert.Contains(t, text, `mark: "="`, "= alone is no string in YAML 1.1")
	assert.Contains(t, text, `"n": 1`, "n alone is a boolean in YAML 1.1")
}

func TestRunCSV(t *testing.T) {
	r := strategies[0].result(42)
	rows, err := csv.NewReader(strings.NewReader(runText(t, r, CSV, Options{}))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, len(r.Timeline.TS)+1)
	assert.Equal(t, []string{"t_s", "desired", "created", "ready", "arrived_rps", "completed_rps", "queue", "latency_p99_s"}, rows[0])
	assert.Equal(t, []string{"15", "3", "3", "3", "80", "80", "0", "1.05"}, rows[1])
	assert.Equal(t, "", rows[480][7], "absent is empty")
}

func TestCompareCSV(t *testing.T) {
	results := append(matrix(2), hostile())
	rows, err := csv.NewReader(strings.NewReader(rendered(t, func(out *bytes.Buffer) error {
		return Compare(out, &bench.Outcome{Results: append(results, nothing())}, CSV, Options{})
	}))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, len(results)+2)
	assert.Equal(t, []string{"scenario", "autoscaler", "seed"}, rows[0][:3])
	assert.Equal(t, []string{"flash-crowd", "hpa-70", "42", "clientset", "7200", "1412342", "1410652"}, rows[1][:7])
	assert.Equal(t, hostile().Scenario, rows[11][0], "data stays data")
	assert.Equal(t, hostile().Autoscaler, rows[11][1])
	silent := map[string]string{}
	for i, head := range rows[0] {
		silent[head] = rows[12][i]
	}
	assert.Equal(t, "", silent["latency_s_p99"])
	assert.Equal(t, "", silent["cost_total"])
	assert.Equal(t, "120", silent["pod_seconds"])
}

func TestUnknownFormat(t *testing.T) {
	want := `format: found "xml", expected one of ` + strings.Join(Formats(), ", ")
	assert.EqualError(t, Run(&bytes.Buffer{}, nothing(), "xml", Options{}), want)
	assert.EqualError(t, Compare(&bytes.Buffer{}, outcome(matrix(1)), "xml", Options{}), want)
	assert.EqualError(t, Scenarios(&bytes.Buffer{}, nil, "csv", Options{}), `format: found "csv", expected one of table, json, yaml`)
	assert.EqualError(t, Trace(&bytes.Buffer{}, Recording{}, "csv", Options{}), `format: found "csv", expected one of table, json, yaml`)
}

func TestInconsistentTimeline(t *testing.T) {
	r := strategies[0].result(42)
	r.Timeline.Ready = r.Timeline.Ready[:3]
	const want = "timeline of hpa-70, seed 42: t_s has 480 entries, but ready has 3"
	assert.EqualError(t, Run(&bytes.Buffer{}, r, Table, Options{}), want)
	assert.EqualError(t, Compare(&bytes.Buffer{}, &bench.Outcome{Results: []*sim.Result{r}}, CSV, Options{}), want)
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestBrokenWriter(t *testing.T) {
	c := outcome(matrix(1))
	for _, format := range Formats() {
		assert.ErrorContains(t, Run(brokenWriter{}, nothing(), format, Options{}), "disk full", format)
		assert.ErrorContains(t, Compare(brokenWriter{}, c, format, Options{}), "disk full", format)
	}
	r := nothing()
	r.PodSeconds /= 0 * r.PodSeconds
	assert.ErrorContains(t, Run(&bytes.Buffer{}, r, JSON, Options{}), "encoding the result: json: unsupported value: +Inf")
	assert.ErrorContains(t, Run(&bytes.Buffer{}, r, YAML, Options{}), "encoding the result")
}

func TestScenarios(t *testing.T) {
	list := []Scenario{
		{"flash-crowd", "a sale starts at noon and the crowd comes at once, ten times what is usual, and leaves as fast", 7200, []string{"fixed", "hpa-70"}},
		{"night-off", "nobody comes at night", 86400, []string{"elasti\x1b[0m"}},
	}
	text := rendered(t, func(out *bytes.Buffer) error { return Scenarios(out, list, Table, Options{}) })
	golden(t, "scenarios.txt", text)
	requireFits(t, text, 80)
	text = rendered(t, func(out *bytes.Buffer) error { return Scenarios(out, list, JSON, Options{}) })
	var back []Scenario
	require.NoError(t, json.Unmarshal([]byte(text), &back))
	assert.Equal(t, list, back)
	assert.Equal(t, "[]\n", rendered(t, func(out *bytes.Buffer) error { return Scenarios(out, nil, JSON, Options{}) }))
	assert.Equal(t, "[]\n", rendered(t, func(out *bytes.Buffer) error { return Scenarios(out, nil, YAML, Options{}) }))
	assert.Equal(t, "flash-crowd is valid: 2h, 2 autoscalers (fixed, hpa-70)\n",
		rendered(t, func(out *bytes.Buffer) error { return Valid(out, list[0], Options{}) }))
}

func TestTrace(t *testing.T) {
	bins := Recording{File: "traces/elb.csv", Kind: "counts", Rows: 4032, First: "2014-04-10 00:04:00", Last: "2014-04-24 00:02:00",
		LengthS: 1209600, BinS: new(300.0), Requests: 249327, MeanRPS: 0.206, PeakRPS: 2.19, PeakToMean: new(10.6), Dispersion: new(88.1)}
	for i := range 12 {
		bins.Holes = append(bins.Holes, TraceHole{Line: i + 2, After: "2014-04-10 00:04:00", Before: "2014-04-10 00:14:00", MissingBins: 1})
	}
	text := rendered(t, func(out *bytes.Buffer) error { return Trace(out, bins, Table, Options{}) })
	golden(t, "trace-counts.txt", text)
	requireFits(t, text, 80)
	stamps := Recording{File: "llm.csv", Kind: "timestamps", Rows: 8819, First: "a", Last: "b", LengthS: 3600, Requests: 8819, GapCV: new(1.8)}
	text = rendered(t, func(out *bytes.Buffer) error { return Trace(out, stamps, Table, Options{}) })
	golden(t, "trace-timestamps.txt", text)
	text = rendered(t, func(out *bytes.Buffer) error { return Trace(out, stamps, JSON, Options{}) })
	assert.Contains(t, text, "\"bin_s\": null,\n  \"holes\": [],\n  \"requests\": 8819,\n")
}

// The schema knows every field that a real run has, and nothing it has not.
func TestARealResultFitsTheSchema(t *testing.T) {
	for scenario, autoscaler := range map[string]string{"flash-crowd": "hpa-70", "knative-flash-crowd": "knative", "bursty-idle": "elasti", "serverless-api": "oracle", "slow-nodes": "hpa-40"} {
		s, err := scenarios.Embedded(scenario)
		require.NoError(t, err)
		spec, err := s.Spec(autoscaler, 1)
		require.NoError(t, err)
		r, err := sim.Run(t.Context(), spec)
		require.NoError(t, err)
		requireValid(t, "result.schema.json", runText(t, r, JSON, Options{}))
	}
}
