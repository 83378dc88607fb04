package bench

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// coverage is the exact confidence of the k-th to the (n+1-k)-th of n values,
// 1 - 2 sum_{i<k} C(n,i) / 2^n, in whole numbers.
func coverage(n, k int) float64 {
	tail := new(big.Int)
	for i := range k {
		tail.Add(tail, new(big.Int).Binomial(int64(n), int64(i)))
	}
	all := new(big.Int).Lsh(big.NewInt(1), uint(n))
	outside := new(big.Rat).SetFrac(tail.Lsh(tail, 1), all)
	inside, _ := new(big.Rat).Sub(big.NewRat(1, 1), outside).Float64()
	return inside
}

func TestMedianRankHasTheExactCoverage(t *testing.T) {
	for n := 6; n <= 40; n++ {
		k, achieved := medianRank(n, Confidence)
		require.Positive(t, k, "n=%d", n)
		assert.InDelta(t, coverage(n, k), achieved, 1e-12, "n=%d", n)
		assert.GreaterOrEqual(t, coverage(n, k), Confidence, "n=%d", n)
		assert.Less(t, coverage(n, k+1), Confidence, "n=%d: a narrower interval would do", n)
	}
}

// The ranks are those of the tables for the sign test, two-sided at 5 %.
func TestMedianRankByTheTable(t *testing.T) {
	for n, want := range map[int]int{0: 0, 1: 0, 5: 0, 6: 1, 8: 1, 9: 2, 11: 2, 12: 3, 15: 4, 20: 6, 25: 8, 30: 10, 40: 14} {
		k, _ := medianRank(n, Confidence)
		assert.Equal(t, want, k, "n=%d", n)
	}
}

func TestMedianInterval(t *testing.T) {
	for _, c := range []struct {
		name      string
		ascending []float64
		want      *Interval
	}{
		{"five values are too few", []float64{1, 2, 3, 4, 5}, nil},
		{"six values: their range", []float64{1, 2, 3, 4, 5, 9}, &Interval{1, 9, 0.96875}},
		{"nine values: second to eighth", []float64{1, 2, 3, 4, 5, 6, 7, 8, 90}, &Interval{2, 8, 0.9609375}},
		{"all equal", []float64{3, 3, 3, 3, 3, 3}, &Interval{3, 3, 0.96875}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := medianInterval(c.ascending)
			if c.want == nil {
				assert.Nil(t, got)
				return
			}
			require.NotNil(t, got)
			assert.Equal(t, [2]float64{c.want.Low, c.want.High}, [2]float64{got.Low, got.High})
			assert.InDelta(t, c.want.Confidence, got.Confidence, 1e-12)
		})
	}
}

func TestMedian(t *testing.T) {
	assert.Equal(t, 7.0, median([]float64{7}))
	assert.Equal(t, 2.0, median([]float64{1, 2, 9}))
	assert.Equal(t, 2.5, median([]float64{1, 2, 3, 9}))
}

func TestSignTest(t *testing.T) {
	for _, c := range []struct {
		name        string
		differences []float64
		want        float64
	}{
		{"six of six", []float64{1, 2, 3, 4, 5, 6}, 2.0 / 64},
		{"six of six downwards", []float64{-1, -2, -3, -4, -5, -6}, 2.0 / 64},
		{"five of six", []float64{1, 2, 3, 4, 5, -6}, 14.0 / 64},
		{"a tie counts against", []float64{1, 2, 3, 4, 5, 0}, 14.0 / 64},
		{"half and half", []float64{1, -1, 2, -2}, 1},
		{"nothing but ties", []float64{0, 0, 0, 0, 0, 0}, 1},
		{"one pair", []float64{1}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.InDelta(t, c.want, signTest(c.differences), 1e-12)
		})
	}
}

// The interval and the test are two ways to say the same.
func TestIntervalAgreesWithSignTest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		differences := rapid.SliceOfN(rapid.Map(rapid.IntRange(-3, 5), func(i int) float64 { return float64(i) }), 1, 40).Draw(t, "differences")
		significant := medianInterval(ascending(differences)).excludesZero()
		if p := signTest(differences); significant != (p <= 1-Confidence) {
			t.Fatalf("interval excludes 0: %v, but p = %v", significant, p)
		}
	})
}
