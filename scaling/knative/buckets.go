package knative

import (
	"math"
	"time"
)

// buckets average what was recorded in the last seconds, one bucket for each.
// The linear average divides the sum by the number of seconds that count; the
// weighted one lets a bucket count for less the older it is.
//
// Sums and products are formed in the order of upstream's aggregation package,
// so that results agree to the last bit.
type buckets struct {
	sums        []float64 // a ring: second s is at s modulo its length
	total       float64   // of all sums
	first, last int64     // seconds of the first and the newest record
	any         bool      // something was recorded
	decay       float64   // what a bucket loses to the next older one; 0: linear
}

const (
	leastDecay = 0.2
	// leftOver is the weight that the buckets beyond the window would have had.
	leftOver = 0.0001
)

// newBuckets cover a window of whole seconds.
func newBuckets(window time.Duration, weighted bool) buckets {
	b := buckets{sums: make([]float64, int(window/time.Second))}
	if weighted {
		b.decay = max(1-math.Pow(leftOver, 1/float64(len(b.sums))), leastDecay)
	}
	return b
}

func (b *buckets) window() int64 { return int64(len(b.sums)) }

// at is where a second has its bucket. Seconds before 1970 are negative.
func (b *buckets) at(second int64) *float64 {
	w := b.window()
	return &b.sums[(second%w+w)%w]
}

// record adds a value to the bucket of a second. After a gap as long as the
// window everything starts afresh; what is older than the window is dropped.
func (b *buckets) record(second int64, value float64) {
	switch gap := second - b.last; {
	case !b.any || gap >= b.window():
		clear(b.sums)
		b.total, b.first, b.last, b.any = 0, second, second, true
	case gap <= -b.window():
		return
	case gap > 0:
		for s := b.last + 1; s <= second; s++ {
			b.total -= *b.at(s)
			*b.at(s) = 0
		}
		b.last = second
	default:
		b.first = min(b.first, second)
	}
	*b.at(second) += value
	b.total += value
}

// empty says that nothing was recorded for longer than the window.
func (b *buckets) empty(second int64) bool { return !b.any || second-b.last > b.window() }

// average is 0 where nothing was recorded in the window.
func (b *buckets) average(second int64) float64 {
	if b.decay > 0 {
		return b.weighted(second)
	}
	age := max(second-b.last, 0)
	if !b.any || age >= b.window() {
		return 0
	}
	sum := b.total
	for s := b.last + 1; s <= second; s++ {
		sum -= *b.at(s)
	}
	return round6(sum / float64(min(b.last-b.first+1, b.window()-age)))
}

// weighted is the sum of decay (1 - decay)^age over the buckets. With 10 s the
// decay is 0.602: the newest second counts for 60 %, the one before for 24 %.
func (b *buckets) weighted(second int64) float64 {
	if b.empty(second) {
		return 0
	}
	weight, count := b.decay, b.window()
	if age := second - b.last; age > 0 {
		weight *= math.Pow(1-b.decay, float64(age))
		count -= age
	}
	sum := 0.0
	for i := range count {
		sum += float64(*b.at(b.last - i) * weight)
		weight *= 1 - b.decay
	}
	return sum
}

// round6 rounds to six decimals.
func round6(x float64) float64 { return math.Round(float64(x*1e6)) / 1e6 }
