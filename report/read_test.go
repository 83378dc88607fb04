package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/sim"
)

// frozen are files that an earlier scalelab wrote, before results had metrics, pod
// starts, latency curves, lost rates and overloads.
func frozen(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "frozen", name))
	require.NoError(t, err)
	return text
}

func TestReadOlderFiles(t *testing.T) {
	run, err := Read("run.json", frozen(t, "run.json"))
	require.NoError(t, err)
	require.Len(t, run.Runs, 1)
	assert.False(t, run.Compared)
	r := run.Runs[0]
	assert.Equal(t, []any{"shop", "hpa", uint64(7), 600.0}, []any{r.Scenario, r.Autoscaler, r.Seed, r.DurationS})
	assert.Nil(t, r.Metrics, "absent, not empty")
	assert.Nil(t, r.Timeline.LostRPS)
	assert.Nil(t, r.Overload)
	assert.Nil(t, r.IdleShare)
	assert.Equal(t, 0.05*r.PodSeconds/3600, r.Cost.Total, "its price is not asked any more")

	compared, err := Read("compare.json", frozen(t, "compare.json"))
	require.NoError(t, err)
	assert.True(t, compared.Compared)
	assert.Equal(t, "hpa", compared.Baseline)
	assert.Equal(t, []string{"hpa", "fixed-3", "oracle"}, names3(compared.Runs))
	outcome, err := bench.NewOutcome(compared.Runs, compared.Baseline)
	require.NoError(t, err)

	for _, format := range Formats() {
		text := runText(t, r, format, Options{})
		assert.NotEmpty(t, text, format)
		assert.NotEmpty(t, compareText(t, outcome, format, Options{}), format)
		if format == Table {
			assert.Contains(t, text, "shop / hpa\n")
			assert.NotContains(t, text, "too few pods")
			requireFits(t, text, 80)
		}
	}
	for _, format := range ExplainFormats() {
		e, err := Explain(r, 330)
		require.NoError(t, err)
		assert.NotEmpty(t, explained(t, e, format))
	}
}

func names3(runs []*sim.Result) (names []string) {
	for _, r := range runs {
		names = append(names, r.Autoscaler)
	}
	return names
}

// What is written is read back the same, whether as one document or as lines.
func TestReadWhatIsWritten(t *testing.T) {
	c := outcome(matrix(2))
	for _, format := range []string{JSON, JSONL} {
		text := compareText(t, c, format, Options{})
		back, err := Read("x", []byte(text))
		require.NoError(t, err)
		assert.Equal(t, c.Results, back.Runs)
		assert.Equal(t, format == JSON, back.Compared)
	}
	lines := compareText(t, c, JSONL, Options{})
	assert.Equal(t, len(c.Results), strings.Count(lines, "\n"))
	assert.True(t, strings.HasPrefix(lines, `{"schema":"scalelab/result/v1","scenario":"flash-crowd",`))

	// Several documents, with any blanks between them; a newer scalelab's fields.
	text := runText(t, strategies[0].result(1), JSON, Options{}) + "\n\n\t" + runText(t, strategies[1].result(1), JSONL, Options{})
	text = strings.Replace(text, `"actuator"`, `"from_the_future": [1], "actuator"`, 1)
	back, err := Read("x", []byte(text))
	require.NoError(t, err)
	assert.Equal(t, []*sim.Result{strategies[0].result(1), strategies[1].result(1)}, back.Runs)
}

func TestReadSaysWhatIsWrong(t *testing.T) {
	good := runText(t, nothing(), JSON, Options{})
	changed := func(old, new string) string {
		require.Contains(t, good, old)
		return strings.Replace(good, old, new, 1)
	}
	const result = "scalelab/result/v1"
	lines := strings.Count(good, "\n")
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "f: found no result, expected scalelab/result/v1 or scalelab/compare/v1"},
		{"blanks", " \n\t", "f: found no result, expected scalelab/result/v1 or scalelab/compare/v1"},
		{"no JSON", "apiVersion: x", "f:1:1: found no JSON: invalid character 'a' looking for beginning of value"},
		{"broken on the third line", "{\n  \"schema\": \"x\",\n  \"é\": ]\n}", "f:3:8: found no JSON: invalid character ']' looking for beginning of value"},
		{"cut off", good[:len(good)-3], fmt.Sprintf("f:%d:21: found the end of the file in the middle of a result, expected the rest of it", lines-1)},
		{"cut off in the second document", good + "{", fmt.Sprintf("f:%d:2: found the end of the file in the middle of a result, expected the rest of it", lines+1)},
		{"not an object", "[1]", "f:1:1: found an array, expected an object"},
		{"no schema", `{"a": 1}`, "f:1:1: found no schema, expected scalelab/result/v1 or scalelab/compare/v1"},
		{"a newer schema", changed(result, "scalelab/result/v2"), `f:1:1: found the schema "scalelab/result/v2", expected scalelab/result/v1 or scalelab/compare/v1`},
		{"another schema in the second document", good + "\n" + `{"schema": "k8s"}`, fmt.Sprintf(`f:%d:1: found the schema "k8s", expected scalelab/result/v1 or scalelab/compare/v1`, lines+2)},
		{"a schema with an escape", `{"schema": "\u001b[31m"}`, `f:1:1: found the schema "\x1b[31m", expected scalelab/result/v1 or scalelab/compare/v1`},
		{"a string for a number", changed(`"seed": 1`, `"seed": "one"`), "f:5:15: seed: found a string, expected a whole number of kind uint64"},
		{"a seed below 0", changed(`"seed": 1`, `"seed": -1`), "f:5:12: seed: found a number -1, expected a whole number of kind uint64"},
		{"a number beyond all", changed(`"duration_s": 60`, `"duration_s": 1e999`), "f:9:21: duration_s: found a number 1e999, expected a number"},
		{"NaN", changed(`"duration_s": 60`, `"duration_s": NaN`), "f:9:17: found no JSON: invalid character 'N' looking for beginning of value"},
		{"no duration", changed(`"duration_s": 60`, `"duration_s": 0`), "f:1:1: fixed, seed 1: duration_s: found 0, expected more than 0 and at most 9.223372036854776e+09"},
		{"requests that do not add up", changed(`"arrived": 0`, `"arrived": 5`), "f:1:1: fixed, seed 1: requests: found 5 arrived, expected the sum of the others, 0"},
		{"an uneven timeline", changed(`"t_s": null`, `"t_s": [1]`), "f:1:1: fixed, seed 1: timeline of fixed, seed 1: t_s has 1 entries, but desired has 0, created has 0, ready has 0, arrived_rps has 0, completed_rps has 0, queue has 0, latency_p99_s has 0"},
		{"an empty comparison", `{"schema": "scalelab/compare/v1", "results": []}`, "f:1:1: found a comparison without results, expected one or more"},
		{"a comparison of null", `{"schema": "scalelab/compare/v1", "results": [null]}`, "f:1:1: results[0]: found null, expected a result"},
		{"a comparison of others", `{"schema": "scalelab/compare/v1", "results": [{"schema": "a"}]}`, `f:1:1: results[0]: found the schema "a", expected scalelab/result/v1`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Read("f", []byte(c.text))
			assert.EqualError(t, err, c.want)
		})
	}
}

func TestImplausible(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*sim.Result)
		want   string
	}{
		{"nothing wrong", func(*sim.Result) {}, ""},
		{"time goes back", func(r *sim.Result) { r.Timeline.TS[1] = 1 }, "timeline.t_s[1]: found 1, expected 15 to 7200"},
		{"time beyond the end", func(r *sim.Result) { r.Timeline.TS[479] = 9999 }, "timeline.t_s[479]: found 9999, expected 7185 to 7200"},
		{"pods below none", func(r *sim.Result) { r.Timeline.Ready[2] = -1 }, "timeline.ready[2]: found -1, expected 0 or more"},
		{"a newer column", func(r *sim.Result) { r.Timeline.LostRPS = []float64{1} }, "timeline of hpa-70, seed 42: t_s has 480 entries, but lost_rps has 1"},
		{"an uneven metric", func(r *sim.Result) { r.Metrics = []sim.MetricTrack{{}} }, "metrics[0]: found 0, 0 and 0 values of seen, age_s and truth, expected 480, as in the timeline"},
		{"decisions go back", func(r *sim.Result) { r.Decisions[1].TS = 1 }, "decisions[1].t_s: found 1, expected 15 to 7200"},
		{"again and never", func(r *sim.Result) { r.Decisions[0].Again = 2 }, "decisions[0]: found it again 2 times until 0, expected until more than 15 and at most 7200"},
		{"an overload beyond the end", func(r *sim.Result) { r.Overload = &sim.Overload{WorstS: 7201} }, "overload.worst_s: found 7201, expected 0 to 7200"},
		{"an uneven curve", func(r *sim.Result) { r.Latencies = &sim.Quantiles{Q: []float64{1}} }, "latency_quantiles: q has 1 entries, but s has 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := strategies[0].result(42)
			c.change(r)
			assert.Equal(t, c.want, implausible(r))
		})
	}
}

func TestComparable(t *testing.T) {
	a, b := strategies[0].result(1), strategies[1].result(1)
	assert.NoError(t, Comparable([]*sim.Result{a, b}))
	b.Scenario = "other"
	assert.EqualError(t, Comparable([]*sim.Result{a, b}), "found a run of the scenario other (hpa-fast) beside one of flash-crowd (hpa-70), expected the same")
	b = strategies[1].result(1)
	b.DurationS = 60
	assert.EqualError(t, Comparable([]*sim.Result{a, b}), "found a run of seconds 60 (hpa-fast) beside one of 7200 (hpa-70), expected the same")
	b = nothing()
	b.Scenario, b.DurationS = a.Scenario, a.DurationS
	assert.EqualError(t, Comparable([]*sim.Result{a, b}), "found a timeline of intervals 0 (fixed) beside one of 480 (hpa-70), expected the same")
}

func TestIsResult(t *testing.T) {
	for text, want := range map[string]bool{
		runText(t, nothing(), JSON, Options{}):             true,
		runText(t, nothing(), JSONL, Options{}):            true,
		"\n " + `{"schema": 1}`:                            true,
		`{"apiVersion": "x", "description": "\"schema\""}`: false,
		"apiVersion: scalelab/v1alpha1":                    false,
		"{}":                                               false, "": false, "[]": false,
	} {
		assert.Equal(t, want, IsResult([]byte(text)), text)
	}
}

// FuzzRead: whatever is read can be written in every format, and is then read back.
func FuzzRead(f *testing.F) {
	var small bytes.Buffer
	require.NoError(f, Run(&small, nothing(), JSON, Options{}))
	f.Add(small.Bytes())
	f.Add(tiny(f))
	f.Add([]byte(`{"schema":"scalelab/compare/v1","results":[` + string(tiny(f)) + `],"comparison":{"baseline":"x"}}`))
	f.Add([]byte(`{"schema":"scalelab/result/v1","duration_s":1}{`))
	f.Fuzz(func(t *testing.T, text []byte) {
		all, err := Read("f", text)
		if err != nil {
			require.Nil(t, all)
			return
		}
		for _, r := range all.Runs {
			for _, format := range Formats() {
				var out bytes.Buffer
				require.NoError(t, Run(&out, r, format, Options{}), format)
				if format == JSONL {
					back, err := Read("again", out.Bytes())
					require.NoError(t, err)
					again, err := json.Marshal(back.Runs[0])
					require.NoError(t, err)
					first, err := json.Marshal(r)
					require.NoError(t, err)
					require.JSONEq(t, string(first), string(again))
				}
			}
			e, err := ExplainWorst(r)
			require.NoError(t, err)
			for _, format := range ExplainFormats() {
				require.NoError(t, WriteExplanation(&bytes.Buffer{}, e, format, Options{}))
			}
		}
		if Comparable(all.Runs) != nil {
			return
		}
		if c, err := bench.NewOutcome(all.Runs, ""); err == nil {
			for _, format := range Formats() {
				require.NoError(t, Compare(&bytes.Buffer{}, c, format, Options{}), format)
			}
		}
	})
}

// tiny is a result with a little of everything.
func tiny(t testing.TB) []byte {
	r := strategies[0].result(42)
	r.DurationS = 30
	r.Timeline = sim.Timeline{IntervalS: 15, TS: []float64{15, 30}, Desired: []int32{1, 2}, Created: []int32{1, 2}, Ready: []int32{1, 1},
		Ideal: []int32{1, 3}, ArrivedRPS: []float64{1, 9}, CompletedRPS: []float64{1, 2}, LostRPS: []float64{0, 1}, Queue: []int64{0, 7},
		LatencyP99S: []*float64{nil, new(0.5)}}
	r.Metrics = []sim.MetricTrack{{Loop: "hpa", Name: "cpu", Unit: "%", Target: new(70.0), Seen: []*float64{nil, new(99.0)}, AgeS: []*float64{nil, new(5.0)}, Truth: []*float64{new(1.0), nil}}}
	r.Overload = &sim.Overload{WorstS: 30, LatencyP99S: 0.5, FromS: 15, ToS: 30, Relief: sim.ReliefNone, Stages: []sim.Delay{{Stage: sim.DelayMetric, Seconds: 15, UntilS: 30}}}
	r.PodStarts = &sim.PodStarts{Count: 1, Pods: []sim.PodStart{{Pod: 1, CreatedS: 20}}}
	r.Latencies = &sim.Quantiles{Q: []float64{0.5, 1}, S: []float64{0.1, 0.5}}
	r.Bands = []sim.Band{{Name: "panic", FromS: 1, ToS: 2}}
	r.Decisions = r.Decisions[:1]
	r.Decisions[0].Again, r.Decisions[0].UntilS = 1, 30
	r.Phases = r.Phases[:1]
	text, err := json.Marshal(r)
	require.NoError(t, err)
	return text
}
