package cluster

import (
	"math"
	"math/bits"
	"time"
)

// A Histogram counts durations in buckets whose width is at most 1/128 of
// their value: values below 256 ns have a bucket each, above that every power
// of two is divided into 128. A percentile is the middle of its bucket, so its
// relative error is at most 1/256, 0.4 %.
type Histogram struct {
	counts []uint64
	n      uint64
	sum    [2]uint64 // 128 bits of nanoseconds: high, low
	max    time.Duration
	low    int // the counts below, and those above the bucket of max, are 0
}

const (
	subBits = 7
	buckets = (64 - subBits) << subBits
)

// NewHistogram gives an empty histogram.
func NewHistogram() *Histogram {
	return &Histogram{counts: make([]uint64, buckets), low: buckets}
}

// bucketOf is v for v < 256, and then 128 buckets for every doubling: the shift
// leaves 8 significant bits, of which the first is always 1.
func bucketOf(v uint64) int {
	shift := bits.Len64(v>>(subBits+1)) & 63
	return shift<<subBits + int(v>>shift)
}

// middleOf is the middle of a bucket in nanoseconds.
func middleOf(bucket int) uint64 {
	if bucket < 2<<subBits {
		return uint64(bucket)
	}
	shift := bucket>>subBits - 1
	first := uint64(bucket-shift<<subBits) << shift
	return first + uint64(1)<<shift>>1
}

// Record counts one duration. Negative durations are a broken invariant.
func (h *Histogram) Record(d time.Duration) {
	if d == 0 { // nobody has to wait most of the time
		h.counts[0]++
		h.n++
		h.low = 0
		return
	}
	h.record(d, bucketOf(uint64(d)))
}

// record counts a duration whose bucket is known.
func (h *Histogram) record(d time.Duration, b int) {
	h.counts[b]++
	h.n++
	low, carry := bits.Add64(h.sum[1], uint64(d), 0)
	if h.sum[1] = low; carry != 0 {
		h.sum[0]++
	}
	if d > h.max {
		h.max = d
	}
	if b < h.low {
		h.low = b
	}
}

// up is the first bucket above all that are filled.
func (h *Histogram) up() int { return bucketOf(uint64(h.max)) + 1 }

// Count is the number of durations recorded.
func (h *Histogram) Count() uint64 { return h.n }

// Max is the largest duration recorded, exactly.
func (h *Histogram) Max() time.Duration { return h.max }

// MeanSeconds is the exact mean, rounded once; NaN when nothing was recorded.
func (h *Histogram) MeanSeconds() float64 {
	if h.n == 0 {
		return math.NaN()
	}
	whole, rest := bits.Div64(h.sum[0], h.sum[1], h.n)
	return (float64(whole) + float64(rest)/float64(h.n)) / 1e9
}

// QuantileSeconds is the value below which the share q of the durations lies:
// the smallest with at least q*n at or below it. NaN when nothing was recorded.
func (h *Histogram) QuantileSeconds(q float64) float64 {
	if h.n == 0 {
		return math.NaN()
	}
	rank := uint64(math.Ceil(q * float64(h.n)))
	rank = min(max(rank, 1), h.n)
	var seen uint64
	for b := h.low; b < h.up(); b++ {
		seen += h.counts[b]
		if seen >= rank {
			return float64(min(middleOf(b), uint64(h.max))) / 1e9
		}
	}
	return float64(h.max) / 1e9
}

// Merge adds the other histogram's counts.
func (h *Histogram) Merge(o *Histogram) {
	if o.n == 0 {
		return
	}
	for b := o.low; b < o.up(); b++ {
		h.counts[b] += o.counts[b]
	}
	h.n += o.n
	low, carry := bits.Add64(h.sum[1], o.sum[1], 0)
	h.sum[0], h.sum[1] = h.sum[0]+o.sum[0]+carry, low
	h.max, h.low = max(h.max, o.max), min(h.low, o.low)
}

// Reset empties the histogram.
func (h *Histogram) Reset() {
	if h.n > 0 {
		clear(h.counts[h.low:h.up()])
	}
	*h = Histogram{counts: h.counts, low: buckets}
}

// Each visits the filled buckets in rising order.
func (h *Histogram) Each(visit func(bucket int, count uint64)) {
	for b := h.low; b < h.up(); b++ {
		if h.counts[b] > 0 {
			visit(b, h.counts[b])
		}
	}
}
