package cluster

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestBucketsAreNarrowAndInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Uint64Range(0, math.MaxInt64-1).Draw(t, "ns")
		b := bucketOf(v)
		require.Less(t, b, buckets)
		require.LessOrEqual(t, b, bucketOf(v+1))
		require.InDelta(t, float64(v), float64(middleOf(b)), float64(v)/256+0.5)
	})
	assert.Equal(t, buckets-1, bucketOf(math.MaxInt64))
}

func TestQuantilesAgainstSorting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(0, int64(time.Hour)), 1, 300).Draw(t, "values")
		h, other := NewHistogram(), NewHistogram()
		var sum float64
		for i, v := range values {
			[]*Histogram{h, other}[i%2].Record(time.Duration(v))
			sum += float64(v)
		}
		h.Merge(other)
		slices.Sort(values)
		for _, q := range []float64{0, 0.5, 0.9, 0.99, 1} {
			exact := float64(values[max(int(math.Ceil(q*float64(len(values))))-1, 0)]) / 1e9
			require.InDelta(t, exact, h.QuantileSeconds(q), exact/256+1e-9, "q = %v", q)
		}
		require.Equal(t, uint64(len(values)), h.Count())
		require.Equal(t, time.Duration(values[len(values)-1]), h.Max())
		require.InEpsilon(t, sum/float64(len(values))+1, h.MeanSeconds()*1e9+1, 1e-12)
	})
}

func TestMeanIsExactBeyond64Bits(t *testing.T) {
	h := NewHistogram()
	for range 5 {
		h.Record(math.MaxInt64)
	}
	assert.Equal(t, float64(math.MaxInt64)/1e9, h.MeanSeconds())
}

func TestResetEmptiesTheHistogram(t *testing.T) {
	h := NewHistogram()
	assert.True(t, math.IsNaN(h.MeanSeconds()))
	assert.True(t, math.IsNaN(h.QuantileSeconds(0.5)))
	h.Record(time.Second)
	h.Reset()
	assert.Equal(t, NewHistogram(), h)
	h.Each(func(bucket int, count uint64) { t.Errorf("bucket %d is filled with %d", bucket, count) })
}
