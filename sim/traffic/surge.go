package traffic

import (
	"math"
	"time"

	"github.com/scalelab/scalelab/sim/random"
)

// Surge is a stretch in which Factor times as many requests arrive: to the plan's
// own come those of the plan scaled by Factor - 1, drawn for themselves. The sum of
// two Poisson processes is one of the sum of their rates.
type Surge struct {
	From, To time.Duration
	Factor   float64
}

// Surged are the arrivals of a plan with surges, which are in order and apart. The
// plan has to be scalable.
func (p *Plan) Surged(seed random.Seed, surges []Surge) *Surged {
	s := &Surged{plan: p.Arrivals(seed), surges: surges}
	for i, surge := range surges {
		extra := random.Seed(seed.Key("surge", uint64(i)))
		s.extras = append(s.extras, p.Scaled(surge.Factor-1, extra).Arrivals(extra))
	}
	s.mine = s.nextOfPlan()
	s.extra = s.nextExtra()
	return s
}

// Surged merges arrivals. It belongs to one goroutine.
type Surged struct {
	plan   *Arrivals
	surges []Surge // that are not over
	extras []*Arrivals
	mine   time.Duration // the next arrival of the plan
	extra  time.Duration // the next one beyond it
}

const never = time.Duration(math.MaxInt64)

func (s *Surged) nextOfPlan() time.Duration {
	if at, ok := s.plan.Next(); ok {
		return at
	}
	return never
}

// nextExtra passes over what falls outside of the surge.
func (s *Surged) nextExtra() time.Duration {
	for len(s.surges) > 0 {
		at, ok := s.extras[0].Next()
		if ok && at < s.surges[0].From {
			continue
		}
		if ok && at < s.surges[0].To {
			return at
		}
		_ = s.extras[0].Close() // it holds no file: the plan can be scaled
		s.surges, s.extras = s.surges[1:], s.extras[1:]
	}
	return never
}

// Fill gives the next requests; fewer than dst has room for means that there are no
// more.
func (s *Surged) Fill(dst []time.Duration) int {
	for n := range dst {
		switch {
		case s.mine == never && s.extra == never:
			return n
		case s.extra < s.mine:
			dst[n], s.extra = s.extra, s.nextExtra()
		default:
			dst[n], s.mine = s.mine, s.nextOfPlan()
		}
	}
	return len(dst)
}

// Err is what ended the arrivals early, or nil.
func (s *Surged) Err() error { return s.plan.Err() }

// Close ends the arrivals.
func (s *Surged) Close() error { return s.plan.Close() }
