package traffic

import (
	"math/bits"
	"time"

	"github.com/scalelab/scalelab/sim/random"
)

// scatter is a point process with mean gap 1, which the integrated rate then
// stretches over time.
type scatter struct {
	gaps gapLaw
	// gamma are the gaps and biased the gap that an arbitrary instant falls
	// into, which is longer: length-biased, one more in shape.
	gamma, biased random.Gamma
	on, cycle     time.Duration // bursts; cycle 0: none
}

type gapLaw uint8

const (
	poissonGaps gapLaw = iota
	evenGaps
	gammaGaps
)

func newScatter(p Process) scatter {
	switch p.Process {
	case "uniform":
		return scatter{gaps: evenGaps}
	case "gamma":
		shape := 1 / float64(*p.CV**p.CV)
		return scatter{gaps: gammaGaps, gamma: random.NewGamma(shape), biased: random.NewGamma(shape + 1)}
	case "bursts":
		return scatter{on: *p.On, cycle: *p.On + *p.Off}
	}
	return scatter{}
}

// gap draws the distance between two points.
func (s *scatter) gap(stream *random.Stream) float64 {
	switch s.gaps {
	case evenGaps:
		return 1
	case gammaGaps:
		return s.gamma.Draw(stream) / s.gamma.Shape()
	}
	return stream.Exp()
}

// edges draws the distances from the start to the first point and from the last
// point to the end: the two parts of a gap that the border falls into, so that
// the expected number of points is right from the first instant on.
func (s *scatter) edges(stream *random.Stream) (first, last float64) {
	switch s.gaps {
	case evenGaps:
		return 0.5, 0.5
	case gammaGaps:
		whole := s.biased.Draw(stream) / s.gamma.Shape()
		first = float64(whole * stream.Float64())
		return first, whole - first
	}
	return stream.Exp(), stream.Exp()
}

// span is the length of n points with their gaps and edges. It draws from a copy
// of the stream, so that the same numbers come again when the points are emitted.
func (s *scatter) span(stream random.Stream, n float64) float64 {
	first, last := s.edges(&stream)
	total := first + last
	for range int64(n) - 1 {
		total += s.gap(&stream)
	}
	return total
}

// squeeze moves an instant into the burst of its cycle, keeping the order.
func (s *scatter) squeeze(t time.Duration) time.Duration {
	into := t % s.cycle
	high, low := bits.Mul64(uint64(into), uint64(s.on))
	squeezed, _ := bits.Div64(high, low, uint64(s.cycle))
	return t - into + time.Duration(squeezed)
}
