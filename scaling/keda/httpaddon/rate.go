package httpaddon

import (
	"math"
	"time"
)

// Rate is a number of requests over time: counts in buckets of a granularity, a ring
// as long as a window. With a window of 5 s and a granularity of 1 s, the counts 1, 2
// and 3 of three seconds in a row have the mean 2, and 5 s after the last of them 0.
//
// The mean is that of the buckets from the first count on, which are at most all.
// Unlike Knative's, it is over as many buckets while nothing is counted any more. A
// granularity that is no whole number of seconds is rounded down where a bucket is
// looked for, as upstream does.
type Rate struct {
	granularity, window time.Duration
	counts              []int64
	total               int64     // of counts
	first, last         time.Time // beginnings of buckets; zero: nothing was counted
}

// NewRate needs a granularity of at least a second, and a window above 0.
func NewRate(window, granularity time.Duration) *Rate {
	return &Rate{granularity: granularity, window: window, counts: make([]int64, int((window+granularity-1)/granularity))}
}

// Record counts n requests at an instant. Those as old as the window before the
// newest are passed over; after a gap as long as the window all starts afresh.
func (r *Rate) Record(now time.Time, n int64) {
	bucket := now.Truncate(r.granularity)
	gap := bucket.Sub(r.last)
	switch {
	case gap <= -r.window:
		return
	case gap >= r.window:
		clear(r.counts)
		r.total, r.first, r.last = 0, bucket, bucket
	case gap > 0:
		for i := r.index(r.last) + 1; i <= r.index(now); i++ {
			at := r.at(i)
			r.total -= *at
			*at = 0
		}
		r.last = bucket
	case bucket.Before(r.first):
		r.first = bucket
	}
	*r.at(r.index(now)) += n
	r.total += n
}

// Average is the mean count of a bucket, to three decimals.
func (r *Rate) Average(now time.Time) float64 {
	now = now.Truncate(r.granularity)
	gap := now.Sub(r.last)
	if gap >= r.window {
		return 0
	}
	sum := r.total
	for i := r.index(r.last) + 1; gap > 0 && i <= r.index(now); i++ {
		sum -= *r.at(i)
	}
	buckets := min(int(r.last.Sub(r.first)/r.granularity)+1, len(r.counts))
	return math.Round(float64(sum)/float64(buckets)*1000) / 1000
}

// index numbers the buckets since 1970.
func (r *Rate) index(t time.Time) int64 { return t.Unix() / int64(r.granularity/time.Second) }

// at is the count of a bucket, also of one before 1970.
func (r *Rate) at(index int64) *int64 {
	n := int64(len(r.counts))
	return &r.counts[(index%n+n)%n]
}
