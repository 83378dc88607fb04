package traffic

import (
	"math"
	"time"
)

// segment is a stretch of a phase whose rate is linear or a sine, or a bin in
// which an exact number of requests arrives.
type segment struct {
	start, end   time.Duration // after the start of the phase
	rate, toRate float64       // requests per second at start and end
	wave         *wave         // instead of the line
	count        float64       // exact number; only in phases of counts
}

func (s segment) seconds() float64 { return float64(s.end-s.start) / 1e9 }

// mass is the integral of the rate: the expected number of requests.
func (s segment) mass() float64 {
	if s.wave != nil {
		return s.wave.integral(float64(s.end-s.start) / 1e9)
	}
	return (s.rate + s.toRate) / 2 * s.seconds()
}

// at is the rate at an instant after the start of the phase.
func (s segment) at(t time.Duration) float64 {
	into := float64(t-s.start) / 1e9
	if s.wave != nil {
		return s.wave.rate(into)
	}
	return s.rate + float64((s.toRate-s.rate)*into)/s.seconds()
}

// segments cuts the closed shapes of a phase, which is valid, into segments.
func (p Phase) segments() []segment {
	end := *p.For
	line := func(start, end time.Duration, rate, toRate float64) segment {
		return segment{start: start, end: end, rate: rate, toRate: toRate}
	}
	var all []segment
	switch {
	case p.RPS != nil:
		all = []segment{line(0, end, *p.RPS, *p.RPS)}
	case p.Ramp != nil:
		all = []segment{line(0, end, p.Ramp.From, p.Ramp.To)}
	case p.Sine != nil:
		all = []segment{{end: end, wave: newWave(*p.Sine)}}
	case p.Step != nil:
		s := p.Step
		all = []segment{line(0, s.At, s.From, s.From), line(s.At, end, s.To, s.To)}
	case p.Spike != nil:
		s := p.Spike
		top := s.At + s.Rise
		fall := top + s.Hold
		base := fall + s.Fall
		all = []segment{
			line(0, s.At, s.Base, s.Base),
			line(s.At, top, s.Base, s.Peak),
			line(top, fall, s.Peak, s.Peak),
			line(fall, base, s.Peak, s.Base),
			line(base, end, s.Base, s.Base),
		}
	}
	kept := all[:0]
	for _, s := range all {
		if s.end > s.start {
			kept = append(kept, s)
		}
	}
	return kept
}

// ramp inverts the integral of a line: r t + a t^2/2 = u for t, in the form that
// does not cancel, 2u / (r + sqrt(r^2 + 2 a u)).
func ramp(rate, slope, u float64) (seconds float64) {
	if u <= 0 {
		return 0
	}
	square := float64(rate*rate) + float64(2*slope*u)
	return 2 * u / (rate + math.Sqrt(max(0, square)))
}

// wave is a sine rate in seconds after its segment's start.
type wave struct {
	mean, amplitude float64
	period          float64 // seconds
	phase           float64 // turns at the start, in [0, 1)
	perTurn         float64 // expected requests in one period
	swing           float64 // amplitude * period / 2 pi
	bend            float64 // half the largest slope of the rate
	cosStart        float64
}

func newWave(s Sine) *wave {
	w := &wave{
		mean:      s.Mean,
		amplitude: s.Amplitude,
		period:    float64(s.Period) / 1e9,
		phase:     float64(s.Offset%s.Period) / float64(s.Period),
	}
	w.perTurn = w.mean * w.period
	w.swing = w.amplitude * w.period / (2 * math.Pi)
	w.bend = w.amplitude * math.Pi / w.period
	w.cosStart = cosTurns(w.phase)
	return w
}

func (w *wave) rate(t float64) float64 {
	return w.mean + float64(w.amplitude*cosTurns(w.phase+t/w.period+0.75))
}

// integral is mean t + (amplitude period / 2 pi) (cos(start) - cos(now)).
func (w *wave) integral(t float64) float64 {
	return float64(w.mean*t) + float64(w.swing*(w.cosStart-cosTurns(w.phase+t/w.period)))
}

// invert solves integral(t) = u to a quarter of a nanosecond: whole periods
// first, then Newton's method, held in a bracket by bisection where the rate is
// close to zero. A step ends it when the curve bends too little for another one.
// The search starts at a time close to the answer, such as the arrival before.
func (w *wave) invert(u, near float64) (seconds float64) {
	turns := math.Floor(u / w.perTurn)
	u -= float64(turns * w.perTurn)
	low, high := 0.0, w.period
	t := min(max(0, near-float64(turns*w.period)), high)
	const enough = 0.25e-9
	for high-low > enough {
		excess := w.integral(t) - u
		if excess > 0 {
			high = t
		} else {
			low = t
		}
		rate := w.rate(t)
		step := excess / rate
		next := t - step
		if next > low && next < high {
			t = next
			if math.Abs(step) < enough || step*step*w.bend < enough*rate {
				break
			}
			continue
		}
		next = (low + high) / 2
		if next == t {
			break // the bracket is one step of a float64
		}
		t = next
	}
	return float64(turns*w.period) + t
}

// cosTurns is cos(2 pi x) for x >= 0, within a few 1e-16, from plain IEEE
// operations: the same on every architecture. Octants are folded exactly.
func cosTurns(x float64) float64 {
	x -= math.Floor(x)
	sign := 1.0
	if x > 0.5 {
		x = 1 - x
	}
	if x > 0.25 {
		x, sign = 0.5-x, -1
	}
	if x > 0.125 {
		return sign * taylorSin(2*math.Pi*(0.25-x))
	}
	return sign * taylorCos(2*math.Pi*x)
}

// taylorSin and taylorCos are for |x| <= pi/4: the first term left out is below
// 1e-17.
func taylorSin(x float64) float64 { return x * alternating(x*x, &sinSteps) }
func taylorCos(x float64) float64 { return alternating(x*x, &cosSteps) }

// The quotients of successive terms of the two series, from the last one on.
var (
	sinSteps = [8]float64{1.0 / 272, 1.0 / 210, 1.0 / 156, 1.0 / 110, 1.0 / 72, 1.0 / 42, 1.0 / 20, 1.0 / 6}
	cosSteps = [8]float64{1.0 / 240, 1.0 / 182, 1.0 / 132, 1.0 / 90, 1.0 / 56, 1.0 / 30, 1.0 / 12, 1.0 / 2}
)

func alternating(z float64, steps *[8]float64) float64 {
	sum := 1.0
	for _, step := range steps {
		sum = 1 - float64(sum*z*step)
	}
	return sum
}
