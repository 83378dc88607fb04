package cluster

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Filled and MergeFilled against Each and Merge.
func TestFilledBuckets(t *testing.T) {
	require.Zero(t, buckets%8)
	rapid.Check(t, func(t *rapid.T) {
		longest := rapid.SampledFrom([]int64{3, 1000, int64(time.Minute), 1<<63 - 1}).Draw(t, "longest")
		h := NewHistogram()
		for _, ns := range rapid.SliceOf(rapid.Int64Range(0, longest)).Draw(t, "values") {
			h.Record(time.Duration(ns))
		}
		want := []Bucket{{1, 2}}
		h.Each(func(bucket int, count uint64) { want = append(want, Bucket{uint64(bucket), count}) })
		got := h.Filled([]Bucket{{1, 2}})
		require.Equal(t, want, got)

		one, other := NewHistogram(), NewHistogram()
		one.Record(time.Second)
		other.Record(time.Second)
		one.Merge(h)
		other.MergeFilled(h, got[1:])
		require.Equal(t, one, other)
	})
}
