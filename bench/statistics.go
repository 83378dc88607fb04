package bench

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"
)

// Confidence is the least confidence of an Interval.
const Confidence = 0.95

// MinSeeds is the smallest sample that has an Interval: the range of 6 values
// covers the median with 1 - 2/2^6 = 96.9 %, the range of 5 only with 93.8 %.
const MinSeeds = 6

// Interval is a confidence interval of a median by order statistics: the k-th
// smallest and the k-th largest value. It assumes nothing about the
// distribution. Confidence is the exact one, at least 0.95; it jumps with the
// sample size because k is a whole number.
// Source: Conover, Practical Nonparametric Statistics, 3rd ed., section 3.2.
type Interval struct {
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	Confidence float64 `json:"confidence"`
}

// excludesZero says that the interval lies on one side of 0.
func (i *Interval) excludesZero() bool { return i != nil && (i.Low > 0 || i.High < 0) }

// medianRank is the largest k for which the k-th smallest to the k-th largest
// of n values cover the median with the given confidence, and the confidence
// that this has: 1 - 2 P(Binomial(n, 1/2) < k). k is 0 when n is too small.
func medianRank(n int, confidence float64) (k int, achieved float64) {
	below := distuv.Binomial{N: float64(n), P: 0.5}
	covered := func(k int) float64 { return 1 - 2*below.CDF(float64(k-1)) }
	// Coverage falls with k; the first rank that is too narrow ends the search.
	k = sort.Search(n/2, func(i int) bool { return covered(i+1) < confidence })
	if k == 0 {
		return 0, 0
	}
	return k, covered(k)
}

// medianInterval is the interval of the median of ascending values, or nil when
// there are too few.
func medianInterval(ascending []float64) *Interval {
	n := len(ascending)
	k, achieved := medianRank(n, Confidence)
	if k == 0 {
		return nil
	}
	return &Interval{Low: ascending[k-1], High: ascending[n-k], Confidence: achieved}
}

// median of ascending values: the middle one, or halfway between the two.
func median(ascending []float64) float64 {
	n := len(ascending)
	if n%2 == 1 {
		return ascending[n/2]
	}
	low, high := ascending[n/2-1], ascending[n/2]
	return low + (high-low)/2
}

// signTest is the two-sided probability of differences as one-sided as these
// if the median difference were 0. Differences of exactly 0 count against a
// finding, so that p <= 0.05 and "the 95 % interval excludes 0" are the same
// statement. Source: Dixon and Mood, The Statistical Sign Test, JASA 41 (1946).
func signTest(differences []float64) float64 {
	positive, negative := 0, 0
	for _, d := range differences {
		switch {
		case d > 0:
			positive++
		case d < 0:
			negative++
		}
	}
	n := len(differences)
	against := n - max(positive, negative)
	below := distuv.Binomial{N: float64(n), P: 0.5}
	return math.Min(1, 2*below.CDF(float64(against)))
}

// falseAlarms is how often n differences that are pure chance, and never 0, are
// called significant: a little less than 1 - Confidence, because ranks are
// whole numbers. It is 0 where n is too small for any finding.
func falseAlarms(n int) float64 {
	if k, achieved := medianRank(n, Confidence); k > 0 {
		return 1 - achieved
	}
	return 0
}

// caveat says how the differences were tested and what that does not cover.
func caveat(seeds int) string {
	if rate := falseAlarms(seeds); rate > 0 {
		return fmt.Sprintf("each difference is tested by itself (sign test paired by seed, %s false alarms); "+
			"nothing corrects for testing many", Percent(rate))
	}
	return ""
}

func ascending(values []float64) []float64 {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	return sorted
}
