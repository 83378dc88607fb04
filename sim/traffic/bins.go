package traffic

import (
	"math"
	"time"

	"github.com/scalelab/scalelab/messages"
)

// bins is a recording made ready for replay: scaled, cut and compressed.
type bins struct {
	counts   bool
	first    int // index in the recording of values[0]
	values   []float64
	bin      time.Duration // recorded
	offset   time.Duration // recorded
	compress float64
	length   time.Duration // of the phase
}

// newBins applies the Trace and the phase's length, nil for the whole trace.
func newBins(r *recording, trace Trace, length *time.Duration) (*bins, error) {
	b := &bins{counts: r.counts, bin: r.bin, offset: trace.Offset, compress: *trace.Compress}
	recorded := time.Duration(len(r.values)) * r.bin
	if b.offset >= recorded {
		return nil, messages.Invalidf("offset", "found %s, expected less than the trace's %s", b.offset, recorded)
	}
	if float64(r.bin)/b.compress < 1000 {
		return nil, messages.Invalidf("compress", "found %v, expected less: it makes bins of %s shorter than 1µs", b.compress, r.bin)
	}
	if b.replayed(recorded) < time.Microsecond {
		return nil, messages.Invalidf("offset", "found %s of a trace of %s, expected to leave more of it", b.offset, recorded)
	}
	if length == nil {
		if float64(recorded-b.offset)/b.compress > float64(maxLength) {
			return nil, messages.Invalidf("file", "found a trace of %s to be replayed, expected at most 10 years; for cuts it", recorded-b.offset)
		}
		whole := b.replayed(recorded)
		length = &whole
	}
	b.length = *length
	b.first = int(b.offset / r.bin)
	if b.replayed(time.Duration(b.first+1)*b.bin) == 0 {
		b.first++ // what the offset leaves of the bin is less than 1 ns
	}
	if b.counts {
		return b, b.scaleCounts(r, *trace.Scale)
	}
	for i := b.first; i < len(r.values) && b.replayed(time.Duration(i)*b.bin) < b.length; i++ {
		rate := r.values[i] * *trace.Scale * b.compress
		if rate > maxRate {
			return nil, messages.Invalidf("scale", "found a rate of %g requests per second after scale and compress, expected at most %g", rate, float64(maxRate))
		}
		b.values = append(b.values, rate)
	}
	return b, nil
}

// scaleCounts rounds the running total instead of each bin: the sum is the
// rounded scale * sum, and no bin is off by more than 1. Of a bin that is cut,
// the part that is replayed counts.
func (b *bins) scaleCounts(r *recording, scale float64) error {
	before, upTo := 0.0, 0.0 // scaled running totals from the offset on
	for i := b.first; i < len(r.values); i++ {
		start := time.Duration(i) * b.bin
		if b.replayed(start) >= b.length {
			break
		}
		from, to := max(start, b.offset), start+b.bin
		if last := b.length; b.replayed(to) > last {
			to = min(to, max(from, b.offset+time.Duration(float64(last)*b.compress)))
		}
		upTo += float64(r.values[i] * (float64(to-from) / float64(b.bin)))
		rounded := math.Round(scale * upTo)
		if count := rounded - before; count <= maxCount && rounded <= maxTotal {
			b.values = append(b.values, count)
		} else {
			return messages.Invalidf("scale", "found %v, which makes a bin of %g requests, expected at most %g", scale, count, float64(maxCount))
		}
		before = rounded
	}
	return nil
}

// replayed is when in the phase a recorded instant comes.
func (b *bins) replayed(recorded time.Duration) time.Duration {
	at := max(0, recorded-b.offset)
	if b.compress == 1 {
		return at
	}
	return time.Duration(float64(at) / b.compress)
}

// segment is the i-th bin of the phase.
func (b *bins) segment(i int) segment {
	start := time.Duration(b.first+i) * b.bin
	s := segment{start: b.replayed(start), end: min(b.replayed(start+b.bin), b.length)}
	if b.counts {
		s.count = b.values[i]
		s.rate = s.count / s.seconds()
	} else {
		s.rate = b.values[i]
	}
	s.toRate = s.rate
	return s
}
