package traffic

import (
	"fmt"
	"math"
	"slices"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/random"
)

// CheckScalable says why the plan cannot be scaled: exact timestamps are
// requests one by one, and users are one by one, of which there is no half. The error is
// messages.Problems with the fields of the Spec.
func (p *Plan) CheckScalable() error {
	var problems messages.Problems
	for i := range p.phases {
		if p.phases[i].stamps != nil {
			problems.Addf(fmt.Sprintf("[%d].trace.timestamps", i), "found exact timestamps, which no service of a fleet can have a share of; expected count or value")
		}
		if p.phases[i].users != nil {
			problems.Addf(fmt.Sprintf("[%d].users", i), "found users, whom no service of a fleet can have a share of; expected a rate")
		}
	}
	return problems.Err()
}

// Scaled is the plan with all its rates multiplied by factor. Of a bin's count
// c, factor * c rounded up or down arrive: the running total is cut to whole
// requests after adding one uniform number, drawn from the seed for each phase,
// so that the expected count of every bin is exact and no running total is off
// by more than 1. The plan must be scalable.
func (p *Plan) Scaled(factor float64, seed random.Seed) *Plan {
	scaled := &Plan{phases: slices.Clone(p.phases)}
	for i := range scaled.phases {
		ph := &scaled.phases[i]
		if ph.bins == nil {
			ph.segments = scaledSegments(ph.segments, factor)
			continue
		}
		share := seed.Key("share", uint64(i)).Stream()
		bins := *ph.bins
		bins.values = slices.Clone(bins.values)
		if bins.counts {
			shareCounts(bins.values, factor, share.Float64())
		} else {
			for k := range bins.values {
				bins.values[k] *= factor
			}
		}
		ph.bins = &bins
	}
	return scaled
}

func scaledSegments(segments []segment, factor float64) []segment {
	scaled := slices.Clone(segments)
	for i := range scaled {
		s := &scaled[i]
		s.rate, s.toRate = s.rate*factor, s.toRate*factor
		if s.wave != nil {
			w := *s.wave
			for _, part := range []*float64{&w.mean, &w.amplitude, &w.perTurn, &w.swing, &w.bend} {
				*part *= factor
			}
			s.wave = &w
		}
	}
	return scaled
}

// shareCounts replaces counts by their share: with a factor of 0.3 and an offset
// of 0.5, counts of 1 become 0, 1, 0, 0, 1, 0, 0, 0, 1 and so on.
func shareCounts(counts []float64, factor, offset float64) {
	total, before := 0.0, math.Floor(offset)
	for i, count := range counts {
		total += count
		upTo := math.Floor(float64(factor*total) + offset)
		counts[i], before = upTo-before, upTo
	}
}
