package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim"
)

func explained(t testing.TB, e *Explanation, format string) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, WriteExplanation(&out, e, format, Options{}))
	return out.String()
}

// held is a run of 100 s whose HPA is held by its window, and says so five times.
func held() *sim.Result {
	r := nothing()
	r.Scenario, r.Autoscaler, r.DurationS = "held", "hpa-70", 100
	r.Timeline = sim.Timeline{IntervalS: 50, TS: []float64{50, 100}, Desired: []int32{4, 4}, Created: []int32{4, 4}, Ready: []int32{3, 4},
		ArrivedRPS: []float64{80, 10}, CompletedRPS: []float64{60.5, 12}, LostRPS: []float64{1.5, 0}, Queue: []int64{1, 0},
		LatencyP99S: []*float64{new(0.75), nil}}
	r.Metrics = []sim.MetricTrack{{Loop: "hpa", Name: "cpu utilization", Unit: "%", Target: new(70.0),
		Seen: []*float64{new(75.0), new(20.0)}, AgeS: []*float64{new(5.0), nil}, Truth: []*float64{new(88.0), nil}}}
	metric := messages.Step{Stage: messages.StageMetric, Replicas: 4, Detail: "cpu utilization: seen 5s ago, 75% of requests / target 70% = 1.0714, x 3 pods = 3.2143"}
	window := messages.Step{Stage: messages.StageWindow, Replicas: 4, Detail: "highest recommendation of the last 5m0s is 4"}
	low := messages.Step{Stage: messages.StageMetric, Replicas: 2, Detail: "cpu utilization: 28% of requests / target 70% = 0.4, x 4 pods = 1.6"}
	r.Decisions = []sim.Decision{
		{TS: 15, Autoscaler: "hpa", Current: 3, Desired: 4, Reason: messages.ReasonScaleUp, Message: "scale up from 3 to 4", Steps: []messages.Step{metric}},
		{TS: 20, Autoscaler: "elasti", Current: 4, Desired: 4, Reason: messages.ReasonActive, Message: "wanted up.", Signals: []messages.Signal{{Name: "panic", Value: 1}}},
		{TS: 30, Autoscaler: "hpa", Current: 4, Desired: 4, Reason: messages.ReasonStabilized, Message: "hold 4", Steps: []messages.Step{low, window}, Again: 4, UntilS: 90},
	}
	return r
}

func TestExplanationOfRepeatedDecisions(t *testing.T) {
	for _, c := range []struct {
		at       float64
		standing string
	}{
		{15, "Decided at 15s; the next decision came at 30s."},
		{29.5, "Decided at 15s, 14.5s before; the next decision came at 30s."},
		{30, "Decided at 30s; it was said again at 45s, and until 1m30s."},
		{47, "Decided at 45s, 2s before, for the 2nd time in a row since 30s; it was said again at 1m, and until 1m30s."},
		{60, "Decided at 1m, for the 3rd time in a row since 30s; it was said again at 1m15s, and until 1m30s."},
		{100, "Decided at 1m30s, 10s before, for the 5th time in a row since 30s; it was the loop's last."},
	} {
		e, err := Explain(held(), c.at)
		require.NoError(t, err)
		assert.Equal(t, c.standing, e.InForce[0].standing(c.at), "%v s", c.at)
	}
}

func TestExplanationTable(t *testing.T) {
	e, err := ExplainWorst(held())
	require.NoError(t, err)
	e.ListChanges(held())
	text := explained(t, e, Table)
	golden(t, "explain.table.txt", text)
	requireFits(t, text, 80)
	golden(t, "explain.md", explained(t, e, Markdown))
	requireSquare(t, explained(t, e, Markdown))

	var back Explanation
	require.NoError(t, json.Unmarshal([]byte(explained(t, e, JSON)), &back))
	assert.Equal(t, e, &back)
	assert.Equal(t, ExplanationSchema, back.Schema)
	assert.Equal(t, 50.0, back.AtS, "the end of the interval of the worst p99")
	assert.Equal(t, 15.0, *back.InForce[0].AskedS, "what the window keeps")
}

// The instant of the worst latency may be long after the decision that it waited for.
func TestTheLastScaleUpBeforeTheWorst(t *testing.T) {
	r := held()
	r.Overload = &sim.Overload{WorstS: 50, LatencyP99S: 0.75, FromS: 10, ToS: 45, Relief: sim.ReliefPods, Stages: []sim.Delay{{Stage: sim.DelayStart, Seconds: 35}}}
	e, err := ExplainWorst(r)
	require.NoError(t, err)
	assert.Equal(t, 15.0, e.AtS)
	assert.Equal(t, "seed 1 · at 15s, the last scale-up before the worst p99 latency: 750 ms at 50s", e.line())
	assert.Contains(t, explained(t, e, Table), "Overload   Worst p99 750 ms at 50s: too few pods for 35 s from 10s: start 35 s.\n")
	r.Overload.FromS = 20
	e, err = ExplainWorst(r)
	require.NoError(t, err)
	assert.Equal(t, 50.0, e.AtS, "none in the overload")
}

func TestExplanationBeforeAnybodyDecided(t *testing.T) {
	e, err := Explain(held(), 3)
	require.NoError(t, err)
	assert.Empty(t, e.InForce)
	assert.Contains(t, explained(t, e, Table), "No control loop had decided by then.")
	assert.Contains(t, explained(t, e, Markdown), "No control loop had decided by then.")
	assert.Contains(t, explained(t, e, JSON), `"in_force": []`)

	e, err = ExplainWorst(nothing())
	require.NoError(t, err)
	assert.Equal(t, []any{60.0, (*Moment)(nil), (*Worst)(nil)}, []any{e.AtS, e.Truth, e.Worst}, "without a request or a timeline: the end")
}

func TestExplainRefuses(t *testing.T) {
	for at, want := range map[float64]string{
		-1:    "found the instant -1s, expected 0s to 1m40s, the end of the run",
		100.5: "found the instant 1m40.5s, expected 0s to 1m40s, the end of the run",
	} {
		_, err := Explain(held(), at)
		assert.EqualError(t, err, want)
	}
	r := held()
	r.Timeline.Queue = nil
	_, err := ExplainWorst(r)
	assert.ErrorContains(t, err, "queue has 0")
	e, err := Explain(held(), 3)
	require.NoError(t, err)
	assert.EqualError(t, WriteExplanation(&bytes.Buffer{}, e, CSV, Options{}), `format: found "csv", expected one of table, json, markdown`)
	for _, format := range ExplainFormats() {
		assert.ErrorContains(t, WriteExplanation(brokenWriter{}, e, format, Options{}), "disk full")
	}
}

// What a loop saw later than the decision in force is no part of its explanation.
func TestAMetricSeenLaterIsLeftOut(t *testing.T) {
	e, err := Explain(held(), 16)
	require.NoError(t, err)
	assert.Equal(t, "cpu utilization: 88 % in truth, target 70 %", e.Truth.Metrics[0].text())
	e, err = Explain(held(), 49)
	require.NoError(t, err)
	assert.Equal(t, "cpu utilization: 88 % in truth, 75 % as hpa last saw it (of 5s ago), target 70 %", e.Truth.Metrics[0].text(), "said again at 60 s, after the interval")
}

func TestRounding(t *testing.T) {
	for _, c := range []struct {
		detail   string
		replicas int32
		want     string
	}{
		{"x 2 pods = 2.4571", 3, ", rounded up"},
		{"x 2 pods = 3", 3, ""},
		{"x 2 pods = 2.4571", 7, ""},
		{"no figure", 3, ""},
		{"= many", 3, ""},
	} {
		assert.Equal(t, c.want, rounding(messages.Step{Stage: messages.StageMetric, Replicas: c.replicas, Detail: c.detail}), c.detail)
	}
	assert.Empty(t, rounding(messages.Step{Stage: messages.StageClamp, Replicas: 3, Detail: "= 2.5"}))
}

func TestOrdinal(t *testing.T) {
	for n, want := range map[int]string{1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 11: "11th", 12: "12th", 13: "13th", 21: "21st", 111: "111th", 1002: "1,002nd"} {
		assert.Equal(t, want, ordinal(n))
	}
}

func TestOverloadInWords(t *testing.T) {
	assert.Empty(t, overload(nil))
	o := &sim.Overload{WorstS: 640, LatencyP99S: 0.56, FromS: 610, ToS: 4210, Relief: sim.ReliefPods, Stages: []sim.Delay{
		{Stage: sim.DelayMetric, Seconds: 27}, {Stage: sim.DelaySync}, {Stage: sim.DelayNode, Seconds: 0.5}, {Stage: sim.DelayStart, Seconds: 3572.5}, {Stage: "\x1b", Seconds: 1}}}
	assert.Equal(t, "Worst p99 560 ms at 10m40s: too few pods for 1h from 10m10s: metric lag 27 s → node 0.5 s → start 59m33s.", overload(o))
	o.Relief = sim.ReliefLoad
	assert.True(t, strings.HasSuffix(overload(o), "; then the load fell."))
	o.Relief = sim.ReliefNone
	assert.True(t, strings.HasSuffix(overload(o), ", until the end."))
}

// hostileNames are what no name may do to a terminal, a page or a table.
var hostileNames = []string{
	"<script>alert(1)</script>", `"quoted' \"`, "\u202egnp.exe\u202c", "\x1b[2J\x1b]0;owned\a\u009b31m", strings.Repeat("x", 10_000),
	"a|b\n| c |", "**bold** @octocat #1 [x](javascript:1)", "\xff\xfe",
}

func TestHostileExplanations(t *testing.T) {
	for _, name := range hostileNames {
		r := held()
		r.Scenario, r.Autoscaler = name, name
		r.Metrics[0].Name, r.Metrics[0].Unit, r.Metrics[0].Loop = name, name, name
		for i := range r.Decisions {
			d := &r.Decisions[i]
			d.Autoscaler, d.Reason, d.Message = name, messages.Reason(name), name
			d.Steps = append(d.Steps, messages.Step{Stage: messages.Stage(name), Detail: name})
			d.Signals = []messages.Signal{{Name: name}}
		}
		r.Overload = &sim.Overload{FromS: 0, ToS: 100, Relief: sim.Relief(name), Stages: []sim.Delay{{Stage: sim.DelayStage(name), Seconds: 1}}}
		e, err := ExplainWorst(r)
		require.NoError(t, err)
		e.ListChanges(r)
		requireFits(t, explained(t, e, Table), 80)
		text := explained(t, e, Markdown)
		requireSquare(t, text)
		outside := withoutCode(text)
		for _, markup := range []string{"<script>", "\x1b", "\u009b", "\u202e", "**bold**", "@octocat"} {
			assert.NotContains(t, outside, markup)
		}
		for _, c := range explained(t, e, JSON) {
			require.False(t, c != '\n' && c < ' ' || c >= 0x7f && c <= 0x9f, "%U", c)
		}
	}
}

// The same names in a result that is read from a file, in every format.
func TestHostileResultsFromAFile(t *testing.T) {
	for _, name := range hostileNames {
		r := strategies[0].result(1)
		r.Scenario, r.Autoscaler, r.Fingerprint, r.Start, r.Actuator = name, name, name, name, name
		r.Phases[0].Name, r.Decisions[1].Message = name, name
		text, err := json.Marshal(r)
		require.NoError(t, err)
		back, err := Read("f", text)
		require.NoError(t, err)
		for _, format := range Formats() {
			shown := runText(t, back.Runs[0], format, Options{})
			switch format {
			case Table:
				requireFits(t, shown, 80)
			case Markdown:
				requireSquare(t, shown)
				assert.NotContains(t, withoutCode(shown), "<script>")
			case HTML:
				assert.NotContains(t, shown, "<script>alert")
			}
			if format != CSV && format != PNG {
				assert.NotContains(t, shown, "\x1b", format)
			}
		}
	}
}
