package httpaddon

import (
	"math"
	"slices"
	"time"
)

// Count is what one interceptor has counted of a route.
type Count struct {
	Interceptor string
	Pending     int64 // requests that have not been answered
	Requests    int64 // that have come since it started
}

// Scaler is the add-on's external scaler over one route. It answers from its last
// poll. It is not safe for concurrent use.
type Scaler struct {
	route   Route
	pending int64
	rate    *Rate // nil: it is not asked for
	mean    float64
	before  []Count // of the last poll
}

// NewScaler has not polled yet.
func NewScaler(route Route) *Scaler {
	s := &Scaler{route: route}
	if route.Rate {
		s.rate = NewRate(route.Window, route.Granularity)
	}
	return s
}

// Poll takes the counts of all interceptors. An interceptor that was not there at the
// last poll adds its pending requests only, and one that counts from the beginning
// again has been restarted. Where one cannot be reached there is no poll: the scaler
// goes on with what it has.
func (s *Scaler) Poll(now time.Time, counts ...Count) {
	s.pending = 0
	came := int64(0)
	for _, c := range counts {
		s.pending += c.Pending
		i := slices.IndexFunc(s.before, func(b Count) bool { return b.Interceptor == c.Interceptor })
		switch {
		case i < 0:
		case c.Requests < s.before[i].Requests:
			came += c.Requests
		default:
			came += c.Requests - s.before[i].Requests
		}
	}
	s.before = append(s.before[:0], counts...)
	if s.rate != nil {
		s.rate.Record(now, came)
		s.mean = s.rate.Average(now)
	}
}

// Value is the metric: pending requests, or requests per second. That of an
// HTTPScaledObject is rounded up to a whole number.
func (s *Scaler) Value() float64 {
	switch {
	case s.rate == nil:
		return float64(s.pending)
	case s.route.whole:
		return math.Ceil(s.mean)
	}
	return s.mean
}

// Active says whether there is work.
func (s *Scaler) Active() bool { return s.Value() > 0 }
