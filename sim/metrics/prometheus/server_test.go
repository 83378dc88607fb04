package prometheus

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start is a whole minute, so that the steps of subqueries fall on whole minutes
// of the test.
var start = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

const interval = 30 * time.Second

func at(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }

func serverFor(t testing.TB, exprs ...string) *Server {
	t.Helper()
	s, err := New(interval, exprs...)
	require.NoError(t, err)
	return s
}

// scrapes appends a value every 30 s from second 0 on; a negative value is a
// scrape without the series.
func scrapes(s *Server, series *Series, values ...float64) {
	for i, v := range values {
		var found []Sample
		if v >= 0 {
			found = []Sample{{Series: series, Value: v}}
		}
		s.Append(at(30*i), found)
	}
}

func TestAnswersCalculatedByHand(t *testing.T) {
	const gone = -1
	steady := []float64{0, 300, 600, 900, 1200} // 10 per second, scraped at 0 ... 120 s
	for _, test := range []struct {
		what   string
		expr   string
		values []float64
		now    int
		want   float64
		empty  bool
	}{
		{what: "newest sample", expr: `x`, values: steady, now: 120, want: 1200},
		{what: "newest sample between two scrapes", expr: `x`, values: steady, now: 119, want: 900},
		{what: "a sample just within the lookback", expr: `x`, values: []float64{7}, now: 299, want: 7},
		{what: "a sample as old as the lookback is too old", expr: `x`, values: []float64{7}, now: 300, empty: true},
		{what: "before the first scrape", expr: `x`, now: 0, empty: true},
		{what: "a number", expr: `3 * 7`, now: 0, want: 21},
		{what: "a vector from a number", expr: `vector(2.5)`, now: 0, want: 2.5},

		// Samples 90 s (900) and 120 s (1200) are in (60 s, 120 s]: 300 in 30 s. The
		// first lies 30 s from the old end, less than 1.1 x 30 s: extrapolated by 30 s
		// to 600 in 60 s.
		{what: "rate reaches the old end", expr: `rate(x[1m])`, values: steady, now: 120, want: 10},
		// At 149 s the window is (89 s, 149 s]: 90 s and 120 s; 1 s to the old end and
		// 29 s to the new one are both bridged: 300 x 60/30 / 60.
		{what: "rate reaches both ends", expr: `rate(x[1m])`, values: steady, now: 149, want: 10},
		// (40 s, 160 s]: 60, 90, 120 s: 600 in 60 s. Old end 20 s away: bridged. New
		// end 40 s > 33 s away: half an interval, 15 s. 600 x 95/60 / 120.
		{what: "rate over a range that ends in silence", expr: `rate(x[2m])`, values: steady, now: 160, want: 600.0 * 95 / 60 / 120},
		// 0, 30, 60 in (-60 s, 60 s]: 10, 20, 30. The old end is 60 s away: half an
		// interval, 15 s, but zero is reached after 60 x 10/20 = 30 s: 15 s it is.
		// (30 - 10) x 75/60 / 120.
		{what: "rate of a young counter", expr: `rate(x[2m])`, values: []float64{10, 20, 30}, now: 60, want: 20.0 * 75 / 60 / 120},
		// The counter cannot have been below zero: 2 at 0 s with 10 per 30 s was zero
		// 6 s before. (22 - 2) x 66/60 / 120.
		{what: "rate does not extrapolate below zero", expr: `rate(x[2m])`, values: []float64{2, 12, 22}, now: 60, want: 20.0 * 66 / 60 / 120},
		// 100, 200, 50: the fall is a reset, 200 are added: 150 in 60 s; bridged to 90 s.
		{what: "increase over a reset", expr: `increase(x[90s])`, values: []float64{100, 200, 50}, now: 60, want: 150 * 90.0 / 60},
		{what: "a rate of one sample", expr: `rate(x[1m])`, values: []float64{5}, now: 10, empty: true},
		{what: "a window as long as the interval holds one sample", expr: `rate(x[30s])`, values: steady, now: 120, empty: true},
		{what: "an offset", expr: `x offset 1m`, values: steady, now: 120, want: 600},

		// The steps at 60 and 120 s find 1 and 1.
		{what: "health while up", expr: `min_over_time((max(x) or vector(0))[120s:])`, values: []float64{1, 1, 1, 1, 1}, now: 120, want: 1},
		// The step at 60 s finds 0.
		{what: "health after a dip at a step", expr: `min_over_time((max(x) or vector(0))[120s:])`, values: []float64{1, 1, 0, 1, 1}, now: 120, want: 0},
		// The dip at 90 s lies between two steps and is not seen.
		{what: "health after a dip between the steps", expr: `min_over_time((max(x) or vector(0))[120s:])`, values: []float64{1, 1, 1, 0, 1}, now: 120, want: 1},

		// Missing at 60 s: the marker of 60 s is written at 93 s.
		{what: "an ended series is seen until its marker is written", expr: `x`, values: []float64{4, 4, gone, gone}, now: 92, want: 4},
		{what: "an ended series is gone once its marker is written", expr: `x`, values: []float64{4, 4, gone, gone}, now: 93, empty: true},
		{what: "the marker hides the series from its instant on", expr: `x offset 33s`, values: []float64{4, 4, gone, gone}, now: 93, empty: true},
		{what: "the marker does not hide the series before", expr: `x offset 34s`, values: []float64{4, 4, gone, gone}, now: 93, want: 4},
		{what: "a range leaves the marker out", expr: `count_over_time(x[2m])`, values: []float64{4, 4, gone, gone, gone}, now: 115, want: 2},
	} {
		t.Run(test.what, func(t *testing.T) {
			s := serverFor(t, test.expr, `x`)
			scrapes(s, s.Series("x", "pod", "web-00000"), test.values...)
			got, empty, err := s.Query(at(test.now), test.expr)
			require.NoError(t, err)
			assert.Equal(t, test.empty, empty)
			assert.InDelta(t, test.want, got, 1e-12)
		})
	}
}

func TestSeveralSeries(t *testing.T) {
	const perPod = `rate(x{service="web"}[1m])`
	sum := fmt.Sprintf("sum(%s)", perPod)
	s := serverFor(t, sum, perPod)
	one := s.Series("x", "service", "web", "pod", "a")
	two := s.Series("x", "service", "web", "pod", "b")
	assert.Nil(t, s.Series("x", "service", "other", "pod", "c"), "no expression selects it")
	assert.Nil(t, s.Series("y", "service", "web"), "no expression selects it")
	assert.Equal(t, `{__name__="x", pod="a", service="web"}`, one.Labels().String())
	for i := range 3 {
		s.Append(at(30*i), []Sample{{one, float64(60 * i)}, {nil, 3}, {two, float64(90 * i)}})
	}
	got, _, err := s.Query(at(60), sum)
	require.NoError(t, err)
	assert.Equal(t, 2.0+3.0, got)

	_, _, err = s.Query(at(60), perPod)
	assert.EqualError(t, err, `query "rate(x{service=\"web\"}[1m])": found 2 elements, expected one`)
}

func TestSeriesThatComesBack(t *testing.T) {
	s := serverFor(t, `x`)
	first := s.Series("x", "pod", "a")
	s.Append(at(0), []Sample{{first, 1}})
	s.Append(at(30), nil)
	s.Append(at(60), []Sample{{first, 2}}) // before 63 s: no marker any more
	got, _, err := s.Query(at(63), `x`)
	require.NoError(t, err)
	assert.Equal(t, 2.0, got)
	assert.Equal(t, 2, first.Len())
}

func TestRetention(t *testing.T) {
	for _, test := range []struct {
		expr string
		want time.Duration // without the slack
	}{
		{`x`, 5 * time.Minute},
		{`vector(1)`, 0},
		{`rate(x[1m])`, time.Minute},
		{`rate(x[1m] offset 10m)`, 11 * time.Minute},
		{`x offset -10m`, 0},
		{`min_over_time((max(x) or vector(0))[900s:])`, 20 * time.Minute},
		{`max_over_time(rate(x[2m])[10m:1m] offset 5m)`, 17 * time.Minute},
		{`max_over_time(sum(max_over_time(x[1h] offset 1h))[1d:5m]) or vector(0)`, 26 * time.Hour},
		{`x @ end()`, 5 * time.Minute},
	} {
		t.Run(test.expr, func(t *testing.T) {
			got := serverFor(t, test.expr).Retention()
			assert.InDelta(t, test.want+slack, got, float64(time.Millisecond), "%v", got)
		})
	}
	assert.Zero(t, serverFor(t).Retention(), "nothing is asked")
}

func TestRefusedExpressions(t *testing.T) {
	for _, test := range []struct{ what, expr, want string }{
		{"not PromQL", `sum(`, `query "sum(": 1:5: parse error: unclosed left parenthesis`},
		{"a range vector", `x[5m]`, `query "x[5m]": found a range vector, expected an instant vector`},
		{"a string", `"x"`, `query "\"x\"": found a string, expected an instant vector`},
		{"a fixed instant", `x @ 5`, `query "x @ 5": found @ with a fixed instant, expected none: it would need every sample since then`},
		{"a fixed subquery", `max_over_time(x[5m:] @ 5)`, `query "max_over_time(x[5m:] @ 5)": found @ with a fixed instant, expected none: it would need every sample since then`},
	} {
		t.Run(test.what, func(t *testing.T) {
			_, err := Scalar(test.expr)
			assert.EqualError(t, err, test.want)
			_, err = New(interval, test.expr)
			assert.EqualError(t, err, test.want)
			_, err = Selectors(test.expr)
			assert.EqualError(t, err, test.want)
		})
	}
	for expr, want := range map[string]bool{`sum(rate(x[5m]))`: false, `scalar(x)`: true, `vector(1)`: false, `1 + time()`: true} {
		scalar, err := Scalar(expr)
		require.NoError(t, err)
		assert.Equal(t, want, scalar, expr)
	}
}

func TestSelectors(t *testing.T) {
	got, err := Selectors(`sum(rate(b{a="c", d!="e"}[5m] offset 1m)) / max(up) + count({__name__=~"u.*"})`)
	require.NoError(t, err)
	var texts, names []string
	for _, s := range got {
		texts, names = append(texts, s.String()), append(names, s.Name())
	}
	assert.Equal(t, []string{`b{a="c",d!="e"}`, `up`, `{__name__=~"u.*"}`}, texts)
	assert.Equal(t, []string{"b", "up", ""}, names)
	assert.True(t, got[2].Takes("up"))
	assert.False(t, got[1].Takes("upper"))

	value := func(label string) string { return map[string]string{"a": "b", "d": "e"}[label] }
	assert.Equal(t, []Matcher{
		{Label: "a", Value: "c", Equal: true, Text: `a="c"`},
		{Label: "d", Value: "e", Text: `d!="e"`},
	}, got[0].Refused(value))
	assert.Empty(t, got[1].Refused(value))
}

func TestNamesThatAreSelected(t *testing.T) {
	s := serverFor(t, `sum(a{b="c"})`, `{__name__=~"d.*"}`)
	for name, want := range map[string]bool{"a": true, "down": true, "up": false} {
		assert.Equal(t, want, s.Names(name), name)
	}
	assert.True(t, serverFor(t, `{b="c"}`).Names("anything"))
}

func TestQueryThatFails(t *testing.T) {
	s := serverFor(t, `x`)
	s.Append(at(0), []Sample{{s.Series("x", "pod", "a"), 1}, {s.Series("x", "pod", "b"), 1}})
	_, _, err := s.Query(at(0), `sum(x * ignoring(pod) x)`)
	assert.ErrorContains(t, err, `query "sum(x * ignoring(pod) x)": found duplicate series for the match group`)
	_, _, err = s.Query(at(0), `x[`)
	assert.ErrorContains(t, err, `query "x[": 1:3: parse error`)
	_, _, err = s.Query(at(0), `x[5m]`)
	assert.EqualError(t, err, `query "x[5m]": found a matrix, expected an instant vector`)
}

// Memory must depend on the reach of the queries and the number of pods alive,
// not on the length of the run.
func TestMemoryIsBounded(t *testing.T) {
	s := serverFor(t, `sum(rate(x[2m]))`) // 121 s: at most 5 scrapes of a series
	var pod *Series
	most, points := 0, 0
	for i := range 5000 {
		if i%10 == 0 {
			pod = s.Series("x", "pod", fmt.Sprint(i)) // the pod before is gone
		}
		s.Append(at(30*i), []Sample{{pod, float64(i)}})
		most = max(most, len(s.series))
		for _, series := range s.series {
			points = max(points, cap(series.points))
			require.LessOrEqual(t, series.Len(), 6)
		}
	}
	assert.Equal(t, 2, most, "the pod alive and one ended")
	assert.LessOrEqual(t, points, 16)
}

// The fast answer against a plain sum over all samples.
func TestSumOverTimeAgainstAllSamples(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		window := rapid.IntRange(1, 600).Draw(t, "window")
		values := rapid.SliceOfN(rapid.IntRange(0, 9), 1, 60).Draw(t, "values")
		expr := fmt.Sprintf("sum_over_time(x[%ds])", window)
		s, err := New(interval, expr)
		if err != nil {
			t.Fatal(err)
		}
		series := s.Series("x")
		for i, v := range values {
			s.Append(at(30*i), []Sample{{series, float64(v)}})
		}
		now := 30*(len(values)-1) + rapid.IntRange(0, 29).Draw(t, "late")
		sum, n := 0, 0
		for i, v := range values {
			if second := 30 * i; second > now-window && second <= now {
				sum, n = sum+v, n+1
			}
		}
		got, empty, err := s.Query(at(now), expr)
		if err != nil || empty != (n == 0) || got != float64(sum) {
			t.Fatalf("got %v, %v, %v; want the sum %d of %d samples", got, empty, err, sum, n)
		}
	})
}

func TestLabelQueries(t *testing.T) {
	s := serverFor(t, `x`)
	s.Append(at(0), []Sample{{s.Series("x", "pod", "b"), 1}, {s.Series("x", "pod", "a"), 1}, {s.Series("x"), 1}})
	q, err := s.Querier(0, 0)
	require.NoError(t, err)
	values, _, err := q.LabelValues(t.Context(), "pod", nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b"}, values)
	names, _, err := q.LabelNames(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"__name__", "pod"}, names)

	set, order := q.Select(t.Context(), true, nil), []string{}
	for set.Next() {
		order = append(order, set.At().Labels().Get("pod"))
	}
	assert.Equal(t, []string{"", "a", "b"}, order)
}

func FuzzNew(f *testing.F) {
	for _, seed := range []string{
		``, `x`, `sum(rate(http_requests_total{service="web"}[1m])) or vector(0)`, `x @ 5`, `x[5m:1m]`, `{`,
		`min_over_time((max(up{container="prometheus"}) or vector(0))[900s:])`, `"s"`, `x offset -1y`, `1/0`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		s, err := New(interval, expr)
		if err != nil {
			_, err := Scalar(expr)
			assert.Error(t, err)
			return
		}
		assert.GreaterOrEqual(t, s.Retention(), time.Duration(0))
		_, err = Selectors(expr)
		assert.NoError(t, err)
	})
}

func BenchmarkQuery(b *testing.B) {
	for _, expr := range []string{
		`sum(rate(http_requests_total{service="web"}[1m])) or vector(0)`,
		`min_over_time((max(up{container="prometheus"}) or vector(0))[900s:])`,
	} {
		b.Run(expr, func(b *testing.B) {
			s := serverFor(b, expr)
			var samples []Sample
			for i := range 10 {
				samples = append(samples, Sample{s.Series("http_requests_total", "service", "web", "pod", fmt.Sprint(i)), 0})
			}
			samples = append(samples, Sample{s.Series("up", "container", "prometheus"), 1})
			for i := range 100 {
				for j := range 10 {
					samples[j].Value = float64(300 * i)
				}
				s.Append(at(30*i), samples)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := s.Query(at(30*99), expr); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
