package random

import (
	"math"
	"time"
)

type family uint8

const (
	constant family = iota
	exponential
	uniform
	lognormal
	gammaFamily
	weibull
	empirical
)

// Dist is a distribution of durations that can be drawn from. The zero value
// always draws 0.
type Dist struct {
	family family
	// a and b are, in nanoseconds where they are times: exponential: mean;
	// uniform: min, width; lognormal: mean and standard deviation of the
	// logarithm; gamma: scale; weibull: scale, 1/shape. A constant is its mean.
	a, b   float64
	gamma  Gamma
	values []time.Duration
	mean   time.Duration
	spec   Spec
}

// New makes the distribution that a Spec describes, or says what is wrong with
// it (see Spec.Validate).
func New(spec Spec) (Dist, error) {
	if err := spec.Validate(); err != nil {
		return Dist{}, err
	}
	d := Dist{spec: spec}
	mean := 0.0
	if spec.Mean != nil {
		mean = float64(*spec.Mean)
	}
	switch spec.Dist {
	case "constant":
		return Dist{family: constant, mean: *spec.Value, spec: spec}, nil
	case "exponential":
		d.family, d.a = exponential, mean
	case "uniform":
		d.family, d.a, d.b = uniform, float64(*spec.Min), float64(*spec.Max-*spec.Min)
		mean = d.a + float64(d.b/2)
	case "lognormal":
		d.family = lognormal
		if spec.Mean != nil {
			d.a, d.b = lognormalByMoments(mean, *spec.CV)
		} else {
			d.a, d.b = lognormalByQuantiles(spec)
			mean = exp(d.a + float64(d.b*d.b/2))
		}
	case "gamma":
		d.family, d.gamma = gammaFamily, NewGamma(1/float64(*spec.CV**spec.CV))
		d.a = mean / d.gamma.Shape()
	case "weibull":
		shape := weibullShape(*spec.CV)
		d.family, d.a, d.b = weibull, mean/exp(logGamma(1+1/shape)), 1/shape
	case "empirical":
		d.family, d.values = empirical, append([]time.Duration(nil), spec.Values...)
		d.spec.Values = d.values
		for _, v := range d.values {
			mean += float64(v) / float64(len(d.values))
		}
	}
	d.mean = toDuration(mean)
	return d, nil
}

// Draw takes one duration from the stream: never negative, rounded to the
// nanosecond, at most MaxDraw.
func (d *Dist) Draw(s *Stream) time.Duration {
	switch d.family {
	case exponential:
		return toDuration(d.a * s.Exp())
	case uniform:
		return toDuration(d.a + float64(d.b*s.Float64()))
	case lognormal:
		return toDuration(exp(d.a + float64(d.b*s.Norm())))
	case gammaFamily:
		return toDuration(d.a * d.gamma.Draw(s))
	case weibull:
		return toDuration(d.a * exp(log(s.Exp())*d.b))
	case empirical:
		return d.values[s.IntN(len(d.values))]
	}
	return d.mean
}

// DrawItems draws for the items from first on, one duration of dst for each: what
// Draw gives for the streams that key.At gives, at less cost.
func (d *Dist) DrawItems(key Key, first uint64, dst []time.Duration) {
	switch d.family {
	case exponential:
		for i := range dst {
			s := key.At(first + uint64(i))
			u := s.Uint64()
			x, inside := expInside(u)
			if !inside {
				x = s.expBeside(u)
			}
			dst[i] = toDuration(d.a * x)
		}
	case lognormal:
		for i := range dst {
			s := key.At(first + uint64(i))
			u := s.Uint64()
			x, inside := normInside(u)
			if !inside {
				x = s.normBeside(u)
			}
			dst[i] = toDuration(exp(d.a + float64(d.b*x)))
		}
	default:
		for i := range dst {
			s := key.At(first + uint64(i))
			dst[i] = d.Draw(&s)
		}
	}
}

// Mean is the mean of the distribution, rounded to the nanosecond. Draws are cut
// at MaxDraw, which the mean leaves out of account.
func (d *Dist) Mean() time.Duration { return d.mean }

// String is the distribution as it is written in a scenario.
func (d *Dist) String() string {
	if d.spec.Dist == "" {
		return time.Duration(0).String()
	}
	return d.spec.String()
}

func toDuration(ns float64) time.Duration {
	if !(ns < float64(MaxDraw)) {
		return MaxDraw
	}
	// The conversion rounds a product that is inlined here before the sum.
	return time.Duration(float64(ns) + 0.5)
}

// Gamma is the gamma distribution with scale 1: mean and variance are the shape.
type Gamma struct {
	shape float64
	// d and c are Marsaglia and Tsang's constants, for shape+1 where shape < 1.
	d, c float64
}

// NewGamma panics when the shape is not a positive number.
func NewGamma(shape float64) Gamma {
	if !(shape > 0) || math.IsInf(shape, 1) {
		panic("random: the shape of a gamma distribution is not positive")
	}
	boosted := shape
	if shape < 1 {
		boosted++
	}
	d := boosted - 1.0/3
	return Gamma{shape: shape, d: d, c: 1 / math.Sqrt(9*d)}
}

// Shape is the shape parameter.
func (g *Gamma) Shape() float64 { return g.shape }

// Draw is exact: Marsaglia and Tsang (2000), "A simple method for generating
// gamma variables"; below shape 1 a draw for shape+1 times U^(1/shape).
func (g *Gamma) Draw(s *Stream) float64 {
	x := g.drawBoosted(s)
	if g.shape < 1 {
		return x * exp(-s.Exp()/g.shape)
	}
	return x
}

func (g *Gamma) drawBoosted(s *Stream) float64 {
	for {
		x := s.Norm()
		v := 1 + float64(g.c*x)
		if v <= 0 {
			continue
		}
		v = float64(v * v * v)
		u, x2 := s.Float64(), x*x
		// Marsaglia and Tsang's squeeze spares most draws the logarithms.
		if u < 1-float64(0.0331*float64(x2*x2)) ||
			log(u) < float64(0.5*x2)+float64(g.d*(1-v+log(v))) {
			return g.d * v
		}
	}
}

// weibullShape solves cv^2 = G(1+2/k) / G(1+1/k)^2 - 1 for the shape k by
// bisection of its logarithm: cv falls as k rises.
func weibullShape(cv float64) float64 {
	target := log(1 + float64(cv*cv))
	low, high := log(0.05), log(3000)
	for range 200 {
		middle := (low + high) / 2
		if middle <= low || middle >= high {
			break
		}
		k := exp(middle)
		if logGamma(1+2/k)-2*logGamma(1+1/k) > target {
			low = middle
		} else {
			high = middle
		}
	}
	return exp((low + high) / 2)
}
