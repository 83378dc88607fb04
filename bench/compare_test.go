package bench

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/sim"
)

// outcomeOf is a result with the figures that conclusions are made of.
func outcomeOf(name string, seed uint64, p99, podSeconds float64, lost uint64) *sim.Result {
	return &sim.Result{
		Schema: sim.Schema, Scenario: "spike", Autoscaler: name, Seed: seed,
		Requests:   sim.Requests{Arrived: 1000, Completed: 1000 - lost, Failed: lost, Cold: 3},
		LatencyS:   &sim.Distribution{Mean: p99 / 10, P50: p99 / 10, P99: p99, Max: p99 * 2},
		WaitS:      &sim.Distribution{},
		Replicas:   sim.ReplicaSummary{MeanReady: podSeconds / 100, MaxDesired: 9},
		PodSeconds: podSeconds, IdlePodSeconds: podSeconds / 4,
	}
}

// seeded makes results of one autoscaler with seeds 1, 2, ...; figures gives
// p99 and pod-seconds.
func seeded(name string, seeds int, lost uint64, figures func(seed int) (p99, podSeconds float64)) []*sim.Result {
	var results []*sim.Result
	for seed := 1; seed <= seeds; seed++ {
		p99, podSeconds := figures(seed)
		results = append(results, outcomeOf(name, uint64(seed), p99, podSeconds, lost))
	}
	return results
}

func constant(p99, podSeconds float64) func(int) (float64, float64) {
	return func(int) (float64, float64) { return p99, podSeconds }
}

func together(lists ...[]*sim.Result) []*sim.Result {
	var all []*sim.Result
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}

func compared(t *testing.T, baseline string, lists ...[]*sim.Result) *Comparison {
	t.Helper()
	c, err := Compare(together(lists...), baseline)
	require.NoError(t, err)
	return c
}

func TestCompareByHand(t *testing.T) {
	c := compared(t, "a",
		seeded("a", 6, 0, func(seed int) (float64, float64) { return float64(seed), 3600 }),
		seeded("b", 6, 10, func(seed int) (float64, float64) { return 2 * float64(seed), 1800 }))

	a := c.Of("a", LatencyP99)
	assert.Equal(t, 3.5, *a.Median)
	assert.Equal(t, [2]float64{1, 6}, [2]float64{*a.Min, *a.Max})
	assert.Equal(t, [2]float64{1, 6}, [2]float64{a.Interval.Low, a.Interval.High})
	assert.InDelta(t, 0.96875, a.Interval.Confidence, 1e-12)
	assert.Nil(t, a.Difference, "the baseline has no difference")

	d := c.Of("b", LatencyP99).Difference // b - a is 1, 2, ... 6
	assert.Equal(t, 6, d.N)
	assert.Equal(t, 3.5, *d.Median)
	assert.Equal(t, [2]float64{1, 6}, [2]float64{d.Interval.Low, d.Interval.High})
	assert.InDelta(t, 100, *d.RelativePercent, 1e-12)
	assert.InDelta(t, 2.0/64, *d.PValue, 1e-12)
	assert.True(t, d.Significant)
	assert.Equal(t, Distinct, d.Mark)

	lost := c.Of("b", LostShare)
	assert.Equal(t, 0.01, *lost.Median)
	assert.Nil(t, lost.Difference.RelativePercent, "nothing is no base for a percentage")
	assert.Equal(t, Identical, c.Of("b", Cold).Difference.Mark)
	assert.False(t, c.Of("b", Cold).Difference.Significant)
	assert.Equal(t, Estimate{}, c.Of("c", Cold))
	assert.Empty(t, c.Warnings)
	assert.Equal(t, []uint64{1, 2, 3, 4, 5, 6}, c.Seeds)
}

func TestCompareClaimsNothingOnMixedDifferences(t *testing.T) {
	c := compared(t, "a", seeded("a", 20, 0, constant(1, 100)),
		seeded("b", 20, 0, func(seed int) (float64, float64) { return 1 + 0.1*float64(seed%2*2-1), 100 }))
	d := c.Of("b", LatencyP99).Difference
	assert.Equal(t, Indistinguishable, d.Mark)
	assert.False(t, d.Significant)
	assert.InDelta(t, 1, *d.PValue, 1e-12)
	assert.Equal(t, []string{"a and b cannot be told apart: 0.0278 pod-hours, p99 1.00 s."}, c.Conclusion)
}

func TestCompareOfIdenticalSamples(t *testing.T) {
	for _, seeds := range []int{1, 3, 20} {
		figures := func(seed int) (float64, float64) { return float64(seed), float64(seed * seed) }
		c := compared(t, "a", seeded("a", seeds, 1, figures), seeded("b", seeds, 1, figures))
		for _, m := range c.Metrics {
			d := c.Of("b", m.Name).Difference
			assert.False(t, d.Significant, "%s with %d seeds", m.Name, seeds)
			if d.N > 0 {
				assert.Equal(t, Identical, d.Mark, "%s with %d seeds", m.Name, seeds)
			}
		}
	}
}

func TestCompareWithFewSeeds(t *testing.T) {
	one := compared(t, "a", seeded("a", 1, 0, constant(1, 100)), seeded("b", 1, 0, constant(2, 50)))
	e := one.Of("b", LatencyP99)
	assert.Nil(t, e.Interval)
	assert.Nil(t, e.Difference.PValue)
	assert.Equal(t, Distinct, e.Difference.Mark)
	assert.False(t, e.Difference.Significant)
	assert.Equal(t, []string{"one seed (1): the figures have no interval and hold for this seed only; 6 seeds or more give 95 % intervals"}, one.Warnings)

	five := compared(t, "a", seeded("a", 5, 0, constant(1, 100)), seeded("b", 5, 0, constant(2, 50)))
	e = five.Of("b", LatencyP99)
	assert.Nil(t, e.Interval)
	assert.Equal(t, Indistinguishable, e.Difference.Mark)
	assert.InDelta(t, 2.0/32, *e.Difference.PValue, 1e-12)
	assert.Equal(t, []string{"5 seeds: a 95 % interval needs at least 6, so no difference can be told from chance"}, five.Warnings)
}

func TestCompareWithoutCompletedRequests(t *testing.T) {
	b := seeded("b", 6, 1000, constant(1, 50))
	for _, r := range b {
		r.LatencyS, r.WaitS = nil, nil
	}
	c := compared(t, "a", seeded("a", 6, 0, constant(1, 100)), b)
	e := c.Of("b", LatencyP99)
	assert.Equal(t, 0, e.N)
	assert.Nil(t, e.Median)
	assert.Equal(t, &Difference{Mark: Indistinguishable}, e.Difference)
	assert.Equal(t, []string{"b: no latency, because no request was completed"}, c.Warnings)
	assert.Equal(t, []string{"a is the only one that loses no request: 0.0278 pod-hours, p99 1.00 s (b needs only 0.0139 pod-hours but loses 100 %)."}, c.Conclusion)
}

func TestCompareWithLatencyForSomeSeeds(t *testing.T) {
	b := seeded("b", 8, 0, constant(2, 100))
	b[3].LatencyS = nil
	c := compared(t, "a", seeded("a", 8, 0, constant(1, 100)), b)
	e := c.Of("b", LatencyP99)
	assert.Equal(t, 7, e.N)
	assert.Equal(t, 7, e.Difference.N)
	assert.True(t, e.Difference.Significant)
	assert.Equal(t, []string{"b: no latency for 1 of 8 seeds, because no request was completed"}, c.Warnings)
}

func TestCompareWithoutRequests(t *testing.T) {
	silent := func(name string, podSeconds float64) []*sim.Result {
		results := seeded(name, 6, 0, constant(0, podSeconds))
		for _, r := range results {
			r.Requests, r.LatencyS, r.WaitS = sim.Requests{}, nil, nil
		}
		return results
	}
	c := compared(t, "", silent("a", 100), silent("b", 7200))
	assert.Nil(t, c.Of("a", LostShare).Median)
	assert.Equal(t, []string{"a is the cheapest without losing a request: 0.0278 pod-hours."}, c.Conclusion)
}

func TestCompareAgainstTheOracle(t *testing.T) {
	priced := seeded("a", 6, 0, constant(1, 3600))
	for _, r := range priced {
		r.Cost = &sim.Cost{Total: 0.5}
	}
	c := compared(t, "", seeded(Oracle, 6, 0, constant(0.5, 1800)), priced)
	assert.Equal(t, "a", c.Baseline, "the oracle is no default baseline")
	assert.Equal(t, 2.0, *c.Of("a", OracleRatio).Median)
	assert.Equal(t, 1.0, *c.Of(Oracle, OracleRatio).Median)
	assert.Equal(t, 0.5, *c.Of("a", CostTotal).Median)
	assert.Nil(t, c.Of(Oracle, CostTotal).Median)
	assert.Empty(t, c.Conclusion, "a single strategy wins nothing")

	alone := compared(t, "", seeded(Oracle, 1, 0, constant(0.5, 0)))
	assert.Equal(t, Oracle, alone.Baseline)
	assert.Nil(t, alone.Of(Oracle, OracleRatio).Median)
}

func TestConclusions(t *testing.T) {
	for _, c := range []struct {
		name    string
		results []*sim.Result
		want    []string
	}{
		{"a trade-off with one seed", together(seeded("slow", 1, 0, constant(2.1, 3600)), seeded("quick", 1, 0, constant(0.8, 9000)), seeded("leaky", 1, 12, constant(1, 1800)), seeded("broken", 1, 500, constant(1, 360))),
			[]string{"With seed 1, slow is the cheapest without losing a request: 1.00 pod-hours, p99 2.10 s (leaky needs only 0.500 pod-hours but loses 1.2 %).",
				"quick is the fastest without losing any: p99 800 ms instead of 2.10 s, for 2.50 times the pod-hours."}},
		{"a small price", together(seeded("slow", 3, 0, constant(2.1, 3600)), seeded("quick", 3, 0, constant(0.8, 4500))),
			[]string{"In the median of 3 seeds, slow is the cheapest without losing a request: 1.00 pod-hours, p99 2.10 s.",
				"quick is the fastest without losing any: p99 800 ms instead of 2.10 s, for 25.0 % more pod-hours."}},
		{"one wins both", together(seeded("good", 6, 0, constant(0.8, 3600)), seeded("poor", 6, 0, constant(2, 4500))),
			[]string{"good is both the cheapest and the fastest that loses no request: 1.00 pod-hours, p99 800 ms."}},
		{"two share the first place", together(seeded("x", 6, 0, constant(2, 3600)), seeded("y", 6, 0, constant(2, 3600)), seeded("z", 6, 0, constant(1, 7200))),
			[]string{"x and y are the cheapest without losing a request: 1.00 pod-hours, p99 2.00 s.",
				"z is the fastest without losing any: p99 1.00 s instead of 2.00 s, for 2.00 times the pod-hours."}},
		{"nothing to choose from but losses", together(seeded("x", 6, 0, constant(2, 3600)), seeded("y", 6, 0, constant(2, 3600)), seeded("z", 6, 10, constant(1, 360))),
			[]string{"x and y are the only ones that lose no request, and they cannot be told apart: 1.00 pod-hours, p99 2.00 s (z needs only 0.100 pod-hours but loses 1.0 %)."}},
		{"nobody is free of losses", together(seeded("x", 1, 5, constant(2, 3600)), seeded("y", 1, 9, constant(2, 1800))),
			[]string{"With seed 1, every strategy loses requests; x loses fewest: 1.00 pod-hours, p99 2.00 s, 0.50 % lost.",
				"y is cheapest: 0.500 pod-hours, p99 2.00 s, 0.90 % lost."}},
		{"losing least is also cheapest", together(seeded("x", 6, 5, constant(2, 3600)), seeded("y", 6, 9, constant(2, 7200))),
			[]string{"Every strategy loses requests; x loses fewest: 1.00 pod-hours, p99 2.00 s, 0.50 % lost."}},
		{"the cheapest costs nothing", together(seeded("x", 6, 0, constant(2, 0)), seeded("y", 6, 0, constant(1, 7200))),
			[]string{"x is the cheapest without losing a request: 0 pod-hours, p99 2.00 s.",
				"y is the fastest without losing any: p99 1.00 s instead of 2.00 s."}},
		{"a bill that is not pods by the hour", together(priced(seeded("x", 6, 0, constant(2, 7200)), 0.02), priced(seeded("y", 6, 0, constant(1, 3600)), 0.05), priced(seeded("z", 6, 10, constant(1, 3600)), 0.01)),
			[]string{"x is the cheapest without losing a request: cost 0.0200, p99 2.00 s (z costs only 0.0100 but loses 1.0 %).",
				"y is the fastest without losing any: p99 1.00 s instead of 2.00 s, for 2.50 times the money."}},
		{"a bill for some only", together(priced(seeded("x", 6, 0, constant(2, 7200)), 0.02), seeded("y", 6, 0, constant(1, 3600))),
			[]string{"y is both the cheapest and the fastest that loses no request: 1.00 pod-hours, p99 1.00 s."}},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, compared(t, "", c.results).Conclusion)
		})
	}
	assert.Equal(t, "3.0 % fewer", multiple(0.97, "fewer"))
	assert.Equal(t, "a, b and c", list([]string{"a", "b", "c"}))
}

func TestCompareWarnsOfUnequalTraffic(t *testing.T) {
	b := seeded("b", 6, 0, constant(1, 100))
	b[1].Requests.Arrived = 999
	c := compared(t, "a", seeded("a", 6, 0, constant(1, 100)), b)
	assert.Equal(t, []string{"seed 2: the traffic differs: a got 1000 requests, b 999"}, c.Warnings)

	b[4].Requests.Arrived = 1
	c = compared(t, "a", seeded("a", 6, 0, constant(1, 100)), b)
	assert.Equal(t, []string{"seed 2: the traffic differs: a got 1000 requests, b 999; it differs for 2 seeds"}, c.Warnings)
}

func TestCompareRefuses(t *testing.T) {
	a, b := seeded("hpa-70", 3, 0, constant(1, 100)), seeded("elasti", 3, 0, constant(1, 100))
	other := outcomeOf("elasti", 3, 1, 1, 0)
	other.Scenario = "steady"
	for _, c := range []struct {
		name     string
		results  []*sim.Result
		baseline string
		want     string
	}{
		{"nothing", nil, "", "comparing: no results"},
		{"a nil", []*sim.Result{nil}, "", "comparing: a result is nil"},
		{"a missing seed", together(a, b[:2]), "", `comparing: autoscaler "elasti" has no result for seed 3, which others have`},
		{"a run twice", together(a, a[:1]), "", `comparing: autoscaler "hpa-70" has two results for seed 1`},
		{"two scenarios", together(a, b[:2], []*sim.Result{other}), "", `comparing: found scenarios "spike" and "steady", expected one`},
		{"an unknown baseline", together(b, a), "hpa70", `comparing: baseline: found "hpa70", which is no autoscaler here; did you mean "hpa-70" or "elasti"?`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := NewOutcome(c.results, c.baseline)
			assert.EqualError(t, err, c.want)
		})
	}
}

func TestOutcomeAsJSON(t *testing.T) {
	o, err := NewOutcome(together(seeded("a", 6, 0, constant(1, 100)), seeded("b", 6, 2, constant(2, 50))), "a")
	require.NoError(t, err)
	text, err := json.Marshal(o)
	require.NoError(t, err)
	var fields struct {
		Schema     string
		Results    []json.RawMessage
		Comparison struct {
			Schema      string
			Autoscalers []struct {
				Autoscaler string
				Metrics    map[string]map[string]any
			}
		}
	}
	require.NoError(t, json.Unmarshal(text, &fields))
	assert.Equal(t, "scalelab/compare/v1", fields.Schema)
	assert.Equal(t, "scalelab/comparison/v1", fields.Comparison.Schema)
	assert.Len(t, fields.Results, 12)
	b := fields.Comparison.Autoscalers[1]
	assert.Equal(t, "b", b.Autoscaler)
	assert.Len(t, b.Metrics, len(Metrics()))
	assert.Equal(t, 0.002, b.Metrics["requests.lost_share"]["median"])
	assert.Nil(t, b.Metrics["cost.total"]["median"])
	assert.False(t, strings.Contains(string(text), `"warnings":null`))
}

func TestCompareOfManySeedsIsQuick(t *testing.T) {
	figures := func(seed int) (float64, float64) { return float64(seed), 100 }
	c := compared(t, "a", seeded("a", 20_000, 0, figures), seeded("b", 20_000, 0, figures))
	assert.Equal(t, 10000.5, *c.Of("b", LatencyP99).Median)
	assert.InDelta(t, 0.95, c.Of("b", LatencyP99).Interval.Confidence, 0.01)
}
