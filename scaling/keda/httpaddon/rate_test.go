package httpaddon

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// step records requests, unless n is negative, and then asks for the mean.
type step struct {
	record  float64 // seconds; nothing is recorded where n is -1
	n       int64
	ask     float64
	average float64
	counts  []int64 // of the ring from the first bucket on; nil: not looked at
}

// The facts of upstream's pkg/queue/bucketing_test.go (which are Knative's, but for the
// divisor), as data.
func TestRateAsUpstream(t *testing.T) {
	for name, c := range map[string]struct {
		window, granularity time.Duration
		steps               []step
	}{
		"several in a bucket, and a gap": {2 * time.Minute, time.Second, []step{
			{0, 1, 0, 1, nil}, {0.1, 10, 0.1, 11, nil}, {1, 1, 1, 6, nil}, {3, 1, 3, 3.25, nil},
		}},
		"buckets of 5 s": {2 * time.Minute, 5 * time.Second, []step{
			{0, 1, 0, 1, nil}, {3, 11, 3, 12, nil}, {6, 1, 6, 6.5, nil},
		}},
		"nothing": {2 * time.Minute, time.Second, []step{{0, -1, 0, 0, nil}}},
		"many times": {5 * time.Minute, time.Second, []step{
			{1, 10, 1, 10, nil}, {2, 15, 2, 12.5, nil}, {3, 20, 3, 15, nil}, {4, 25, 4, 17.5, nil}, {5, 30, 5, 20, nil},
		}},
		"out of order": {time.Minute, time.Second, []step{
			{0, 10, 0, 10, nil}, {3, 25, 3, 8.75, nil}, {2, 20, 3, 13.75, nil}, {1, 15, 3, 17.5, nil}, {4, 30, 4, 20, nil},
		}},
		"the window's mean": {5 * time.Second, time.Second, []step{
			{0, 1, 0, 1, nil}, {1, 2, 1, 1.5, nil}, {2, 3, 2, 2, nil}, {3, 4, 3, 2.5, nil}, {4, 5, 4, 3, nil},
			{0, -1, 3.6, 3, nil},      // asked for an earlier instant
			{0, -1, 6, 2.4, nil},      // a short hole: 12 over all five buckets
			{0, -1, 10, 0, nil},       // a long one
			{6, 91, 6, 20.6, nil},     // written after a hole
			{60, 1984, 60, 1984, nil}, // much later
			{57, 4, 60, 497, nil},     // then something earlier
			{61, 5, 61, 398.6, nil},   // a second on
			{58, 10, 61, 400.6, nil},  // earlier once more
			{55, 10, 61, 400.6, nil},  // too early
			{56, 10, 61, 400.6, nil},  // by exactly the window: too early
			{66, 10, 66, 10, nil},     // after nothing for exactly the window
			{0, -1, 70.999, 10, nil},  // the last instant at which it is within it
			{0, -1, 71, 0, nil},       // and the first at which it is not
		}},
		"backwards": {5 * time.Second, time.Second, []step{
			{8, 5, 8, 5, nil}, {7, 5, 8, 5, nil}, {6, 5, 8, 5, nil}, {5, 5, 8, 5, nil}, {4, 5, 8, 5, nil},
			{3, 5, 8, 5, nil}, {2, 5, 8, 5, nil}, {1, 5, 8, 5, nil}, {0, 5, 5, 5, nil},
		}},
		"a sudden stop": {5 * time.Second, time.Second, []step{
			{0, -1, 0, 0, []int64{0, 0, 0, 0, 0}},
			{0, 1, 0, 1, []int64{1, 0, 0, 0, 0}}, {1, 2, 1, 1.5, []int64{1, 2, 0, 0, 0}}, {2, 3, 2, 2, []int64{1, 2, 3, 0, 0}},
			{3, 4, 3, 2.5, []int64{1, 2, 3, 4, 0}}, {4, 5, 4, 3, []int64{1, 2, 3, 4, 5}},
			{0, -1, 5, 2.8, []int64{1, 2, 3, 4, 5}}, {0, -1, 6, 2.4, []int64{1, 2, 3, 4, 5}},
			{7, 8, 7, 3.4, []int64{0, 0, 8, 4, 5}}, {8, 9, 8, 4.4, []int64{0, 0, 8, 9, 5}}, {9, 10, 9, 5.4, []int64{0, 0, 8, 9, 10}},
			{10, 11, 10, 7.6, []int64{11, 0, 8, 9, 10}}, {11, 12, 11, 10, []int64{11, 12, 8, 9, 10}},
			{0, -1, 12, 8.4, nil}, {0, -1, 13, 6.6, nil}, {0, -1, 14, 4.6, nil}, {0, -1, 15, 2.4, nil}, {0, -1, 16, 0, nil},
			{17, 1, 17, 1, []int64{0, 0, 1, 0, 0}},
		}},
		"holes": {5 * time.Second, time.Second, []step{
			{0, 1, 0, 1, nil}, {1, 2, 1, 1.5, nil}, {2, 3, 2, 2, nil}, {3, 4, 3, 2.5, nil}, {4, 5, 4, 3, nil}, {8, 2, 8, 1.4, []int64{0, 0, 0, 2, 5}},
		}},
		"three decimals": {time.Minute, time.Second, []step{{0, 1, 0, 1, nil}, {2, 0, 2, 0.333, nil}, {5, 1, 5, 0.333, nil}, {6, 0, 6, 0.286, nil}}},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Date(2024, 6, 26, 12, 0, 0, 0, time.UTC)
			at := func(s float64) time.Time { return start.Add(time.Duration(math.Round(s * 1e9))) }
			r := NewRate(c.window, c.granularity)
			for i, s := range c.steps {
				if s.n >= 0 {
					r.Record(at(s.record), s.n)
				}
				assert.InDelta(t, s.average, r.Average(at(s.ask)), 1e-12, "step %d", i)
				if s.counts != nil {
					first := r.index(start) % int64(len(r.counts))
					assert.Equal(t, s.counts, slices.Concat(r.counts[first:], r.counts[:first]), "step %d", i)
				}
			}
		})
	}
}

func TestRateBefore1970(t *testing.T) {
	r := NewRate(5*time.Second, time.Second)
	for i := range 20 {
		r.Record(time.Unix(int64(i-1000), 0), 3)
	}
	assert.Equal(t, 3.0, r.Average(time.Unix(-981, 0)))
	assert.Equal(t, 1.8, r.Average(time.Unix(-979, 0)))
}

// TestRateAgainstAList holds the ring against a list of all counts, which are gone
// through at every question.
func TestRateAgainstAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		granularity := time.Duration(rapid.IntRange(1, 4).Draw(t, "granularity_s")) * time.Second
		window := time.Duration(rapid.IntRange(1, 30).Draw(t, "buckets"))*granularity - time.Duration(rapid.IntRange(0, 1).Draw(t, "part"))*time.Second/2
		r, buckets := NewRate(window, granularity), int64(math.Ceil(float64(window)/float64(granularity)))
		now := time.Duration(0)
		type count struct{ bucket, n int64 }
		var list []count
		first, last := int64(0), int64(math.MinInt64/2)
		for range rapid.IntRange(1, 60).Draw(t, "records") {
			now += time.Duration(rapid.OneOf(rapid.IntRange(0, 3000), rapid.IntRange(0, 60_000)).Draw(t, "after_ms")) * time.Millisecond
			bucket, n := int64(now/granularity), int64(rapid.IntRange(0, 50).Draw(t, "n"))
			if time.Duration(min(bucket-last, math.MaxInt32))*granularity >= window {
				first, list = bucket, nil
			}
			last = bucket
			list = append(list, count{bucket, n})
			r.Record(time.Unix(0, 0).Add(now), n)

			asked := now + time.Duration(rapid.IntRange(0, 20_000).Draw(t, "asked_ms"))*time.Millisecond
			newest, want := int64(asked/granularity), 0.0
			if time.Duration(newest-last)*granularity < window {
				sum := int64(0)
				for _, c := range list {
					if c.bucket > newest-buckets {
						sum += c.n
					}
				}
				want = math.Round(float64(sum)/float64(min(last-first+1, buckets))*1000) / 1000
			}
			require.Equal(t, want, r.Average(time.Unix(0, 0).Add(asked)))
		}
	})
}
