package cluster

import (
	"math/bits"
	"slices"
)

// Bucket is a filled bucket of a Histogram.
type Bucket struct{ Index, Count uint64 }

// Filled appends the filled buckets to dst in rising order and returns it. Of an
// interval few buckets are filled, and they lie wide apart: eight at a time are
// passed over when all are empty, and otherwise written without a branch that
// would be guessed wrong.
func (h *Histogram) Filled(dst []Bucket) []Bucket {
	if h.n == 0 {
		return dst
	}
	at := len(dst)
	dst = slices.Grow(dst, min(h.up()-h.low, int(min(h.n, buckets)))+1)
	dst = dst[:cap(dst)]
	low, up := h.low&^7, h.up()
	for counts := h.counts[low:]; low < up; low, counts = low+8, counts[8:] {
		block := counts[:8]
		if block[0]|block[1]|block[2]|block[3]|block[4]|block[5]|block[6]|block[7] == 0 {
			continue
		}
		for i, count := range block {
			dst[at] = Bucket{uint64(low + i), count}
			if count > 0 {
				at++
			}
		}
	}
	return dst[:at]
}

// MergeFilled is Merge with the other's filled buckets at hand.
func (h *Histogram) MergeFilled(o *Histogram, filled []Bucket) {
	if len(filled) == 0 {
		return
	}
	for _, b := range filled {
		h.counts[b.Index] += b.Count
	}
	h.n += o.n
	low, carry := bits.Add64(h.sum[1], o.sum[1], 0)
	h.sum[0], h.sum[1] = h.sum[0]+o.sum[0]+carry, low
	h.max, h.low = max(h.max, o.max), min(h.low, o.low)
}
