package bench

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"
)

var writeStatistics = flag.Bool("statistics", false, "replay more and rewrite docs/statistics.md")

// calibration is a scenario small enough to be replayed thousands of times.
const calibration = `
apiVersion: scalelab/v1alpha1
kind: Scenario
metadata: {name: calibration}
workload:
  replicas: 2
  perPod: {concurrency: 2, queue: 5, serviceTime: {dist: lognormal, p50: 200ms, p99: 1500ms}}
  requestTimeout: 4s
lifecycle: {start: {dist: lognormal, p50: 8s, p99: 20s}}
traffic:
  - {name: calm, for: 2m, rps: 3}
  - {name: busy, for: 3m, rps: 12}
autoscalers:
  hpa:
    manifests:
      - {apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: h}, spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: calibration}, minReplicas: 2, maxReplicas: 8, metrics: [{type: Pods, pods: {metric: {name: concurrency}, target: {type: AverageValue, averageValue: "1"}}}]}}
`

// calibrated are metrics of different kinds: a mean, which is never the same
// twice; a percentile in the steps of its histogram; a share; and pod-seconds,
// which runs that scale at the same syncs have in common.
var calibrated = []string{"latency_s.mean", LatencyP99, LostShare, PodSeconds}

// study is what comparisons of a strategy with itself have found.
type study struct {
	seeds       int // of a comparison
	comparisons int
	values      map[string][]float64
	intervals   map[string][]Interval
	alarms      map[string]int
}

// compareWithItself replays one strategy with ever new seeds and compares it
// with itself: whatever is found is a false alarm. Two runs with different
// seeds are as independent as runs can be, so the pairing is of no help.
func compareWithItself(t *testing.T, comparisons, seeds int) study {
	s, err := scenarios.Parse("calibration.yaml", []byte(calibration), scenarios.Files("."))
	require.NoError(t, err)
	found := study{seeds: seeds, comparisons: comparisons,
		values: map[string][]float64{}, intervals: map[string][]Interval{}, alarms: map[string]int{}}
	for i := range comparisons {
		results, err := Matrix{Scenario: s, Autoscalers: []string{"hpa"}, Seeds: Seeds(uint64(1+2*seeds*i), 2*seeds)}.Replay(context.Background())
		require.NoError(t, err)
		found.add(t, results)
	}
	return found
}

func (f *study) add(t *testing.T, results []*sim.Result) {
	for _, name := range calibrated {
		for _, r := range results {
			f.values[name] = append(f.values[name], *named(Metrics(), name).value(r, nil))
		}
	}
	for i, r := range results {
		r.Seed = uint64(i % f.seeds)
		r.Autoscaler = []string{"hpa", "itself"}[i/f.seeds]
	}
	c, err := Compare(results, "hpa")
	require.NoError(t, err)
	for _, name := range calibrated {
		f.intervals[name] = append(f.intervals[name], *c.Of("hpa", name).Interval, *c.Of("itself", name).Interval)
		if c.Of("itself", name).Difference.Significant {
			f.alarms[name]++
		}
	}
}

// covering counts the intervals that hold the median of all runs, which stands
// for the true one.
func (f *study) covering(name string) int {
	truth := median(ascending(f.values[name]))
	return count(f.intervals[name], truth)
}

func count(intervals []Interval, truth float64) int {
	n := 0
	for _, i := range intervals {
		if i.Low <= truth && truth <= i.High {
			n++
		}
	}
	return n
}

// likely is the central 99.9 % range of a binomial count.
func likely(trials int, p float64) (low, high int) {
	b := distuv.Binomial{N: float64(trials), P: p}
	for b.CDF(float64(low)) < 0.0005 {
		low++
	}
	for high = low; b.CDF(float64(high)) < 0.9995; high++ {
	}
	return low, high
}

// TestCalibration holds what a comparison claims of itself against what it does:
// the rate of its false alarms, and how often its intervals cover the truth. With
// -statistics it replays ten times as much and writes docs/statistics.md.
func TestCalibration(t *testing.T) {
	comparisons, seeds := 200, 9
	switch {
	case *writeStatistics:
		comparisons, seeds = 1000, 20
	case testing.Short():
		comparisons = 20
	}
	var rows strings.Builder
	knownCoverage(t, &rows, 1000, 20)
	found := compareWithItself(t, comparisons, seeds)
	for _, name := range calibrated {
		low, high := likely(comparisons, falseAlarms(seeds))
		alarms := found.alarms[name]
		row(&rows, "false alarms, "+name, seeds, comparisons, falseAlarms(seeds), alarms, low, high)
		assert.LessOrEqual(t, alarms, high, name)
		if name == "latency_s.mean" { // elsewhere ties make false alarms rarer
			assert.GreaterOrEqual(t, alarms, low, name)
		}
	}
	for _, name := range calibrated {
		intervals := 2 * comparisons
		low, high := likely(intervals, 1-falseAlarms(seeds))
		covered := found.covering(name)
		row(&rows, "coverage, "+name, seeds, intervals, 1-falseAlarms(seeds), covered, low, high)
		assert.GreaterOrEqual(t, covered, low, name)
		if name == "latency_s.mean" {
			assert.LessOrEqual(t, covered, high, name)
		}
	}
	t.Log("\n" + rows.String())
	if *writeStatistics {
		require.NoError(t, os.WriteFile("../docs/statistics.md", []byte(statisticsText+rows.String()), 0o644))
	}
}

// knownCoverage draws from a law whose median is 1 and whose mean is far from it.
func knownCoverage(t *testing.T, rows *strings.Builder, replications, n int) {
	skewed := distuv.LogNormal{Mu: 0, Sigma: 1.5, Src: rand.NewPCG(1, 2)}
	var intervals []Interval
	for range replications {
		values := make([]float64, n)
		for i := range values {
			values[i] = skewed.Rand()
		}
		intervals = append(intervals, *medianInterval(ascending(values)))
	}
	covered := count(intervals, 1)
	low, high := likely(replications, 1-falseAlarms(n))
	row(rows, "coverage, lognormal with σ = 1.5", n, replications, 1-falseAlarms(n), covered, low, high)
	assert.GreaterOrEqual(t, covered, low)
	assert.LessOrEqual(t, covered, high)
}

func row(rows *strings.Builder, what string, n, trials int, exact float64, found, low, high int) {
	percent := func(k int) float64 { return 100 * float64(k) / float64(trials) }
	fmt.Fprintf(rows, "| %s | %d | %d | %.2f %% | %.2f %% | %.2f to %.2f %% |\n",
		what, n, trials, 100*exact, percent(found), percent(low), percent(high))
}

const statisticsText = `# Statistics of a comparison

` + "`scalelab compare --seeds N`" + ` replays the same N seeds with every strategy. A request's arrival and demand depend on the seed and on nothing that an autoscaler did, so the strategies meet identical traffic and are compared seed by seed. This page says how, what that does not cover, and what was measured. ` + "`make statistics`" + ` writes it; a shorter run is part of ` + "`go test ./...`" + ` (bench/calibration_test.go).

**Median and interval.** Of each metric the median over the seeds, with an interval from the k-th smallest to the k-th largest value. It assumes nothing about the distribution. The table prints its exact confidence, which is at least 95 % and jumps with N because k is a whole number: 96.9 % with 6 seeds, 95.9 % with 20. Fewer than 6 seeds have no interval.

**Difference.** The median of the differences to the baseline, paired by seed, with the same kind of interval. Where that holds 0, the table prints ` + "`~`" + `: chance may have made the difference, or the seeds are too few to know. ` + "`=`" + ` is exactly equal with every seed. The mark says the same as the exact two-sided sign test, whose p-value is in the JSON; differences of exactly 0 count against a finding.

**Many tests.** Every difference is tested by itself, at the rate of false alarms that the table prints. Nothing corrects for testing many: of 50 differences that are none, two are expected to look like one. Choose the metric you decide by before you look.

**Few seeds.** With one seed there are figures and no doubt about them, but they hold for this seed only; with two to five every difference is marked ` + "`~`" + `. The output warns of both.

**Pareto front** (◆). A strategy is on it when no other one beats it; the oracle does not take part. To beat is to be better by at least one of p99, lost share and cost (pod-hours where there are no prices), and worse by none. A difference marked ` + "`~`" + ` counts as none; with fewer than 6 seeds medians are taken as they are. Since ` + "`~`" + ` does not carry over from A and B to C, three strategies may beat each other in a circle: then none of them is put above the others.

**Regret** is a strategy's p99, pod-seconds or cost minus the oracle's with the same seed, and may be negative where requests are lost.

**benchstat.** ` + "`-o bench`" + ` prints one line per strategy and seed, for ` + "`benchstat -col /autoscaler`" + `. benchstat does not know that the lines are paired: its Mann-Whitney test answers a weaker question and sees less.

## Measured

*False alarms*: one strategy (an HPA in a scenario of five minutes in which it loses some requests) is compared with itself, the one side with other seeds than the other. *Coverage*: how often the interval of a median holds the true one, which for runs is the median of all of them, and for the lognormal distribution known. *Exact* is what the method promises where values never repeat; p99 has the steps of its histogram, and two runs that scale at the same syncs have exactly the same pod-seconds, which makes false alarms rarer and intervals cover more often. The last column is the central 99.9 % range of what chance allows around the exact rate.

| | seeds | repeated | exact | measured | 99.9 % range |
|---|---:|---:|---:|---:|---:|
`
