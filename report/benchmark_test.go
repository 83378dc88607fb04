package report

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchproc"
)

// parsed reads benchmark lines as benchstat does: values by autoscaler and unit.
func parsed(t *testing.T, text string) map[string]map[string][]float64 {
	t.Helper()
	var project benchproc.ProjectionParser
	column, err := project.Parse("/autoscaler", nil)
	require.NoError(t, err)
	found := map[string]map[string][]float64{}
	reader := benchfmt.NewReader(strings.NewReader(text), "outcomes.txt")
	for reader.Scan() {
		switch record := reader.Result().(type) {
		case *benchfmt.Result:
			name := column.Project(record).StringValues()
			if found[name] == nil {
				found[name] = map[string][]float64{}
			}
			for _, v := range record.Values {
				found[name][v.Unit] = append(found[name][v.Unit], v.Value)
			}
		case *benchfmt.SyntaxError:
			require.NoError(t, record)
		}
	}
	require.NoError(t, reader.Err())
	return found
}

func TestBenchmarkLinesAreReadAsBenchstatDoes(t *testing.T) {
	results := matrix(2)
	results[2].Autoscaler, results[3].Autoscaler = "hpa-50", "hpa-50" // beside hpa-70: no number of processors
	text := compareText(t, outcome(results), Bench, Options{})
	found := parsed(t, text)
	require.Len(t, found, len(strategies))
	for i, r := range results {
		values := found[r.Autoscaler]
		assert.Equal(t, r.LatencyS.P99, values["p99-s"][i%2])
		assert.Equal(t, r.LatencyS.P50, values["p50-s"][i%2])
		assert.Equal(t, 100*float64(r.Requests.Lost())/float64(r.Requests.Arrived), values["lost-%"][i%2])
		assert.Equal(t, r.PodSeconds/3600, values["pod-h"][i%2])
		assert.Equal(t, r.Cost.Total, values["cost"][i%2])
		for unit, v := range values {
			assert.Len(t, v, 2, unit)
		}
	}
}

func TestBenchmarkLineOfARun(t *testing.T) {
	text := runText(t, nothing(), Bench, Options{})
	golden(t, "silence.bench.txt", text)
	assert.Equal(t, map[string]map[string][]float64{"fixed": {"pods": {2}, "pod-h": {120.0 / 3600}}}, parsed(t, text), "absent is absent")
}

func TestBenchmarkNames(t *testing.T) {
	for name, want := range map[string]string{
		"hpa-70":       "hpa-70",
		"a b/c=d%":     "a%20b%2Fc%3Dd%25",
		"größer":       "größer",
		"\xff\n\u202e": "%EF%BF%BD%0A%E2%80%AE",
		"":             "",
	} {
		assert.Equal(t, want, benchmarkName(name))
	}
	r := hostile()
	found := parsed(t, runText(t, r, Bench, Options{}))
	require.Len(t, found, 1)
	assert.Contains(t, found, benchmarkName(r.Autoscaler))
}
