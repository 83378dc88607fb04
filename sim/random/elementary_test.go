package random

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

// ulps is the distance in units of the last place of want.
func ulps(got, want float64) float64 {
	if got == want {
		return 0
	}
	return math.Abs(got-want) / (math.Nextafter(math.Abs(want), math.Inf(1)) - math.Abs(want))
}

func TestLogIsWithinTwoUlps(t *testing.T) {
	s := Seed(1).Key("log", 0).Stream()
	worst := 0.0
	for range 300_000 {
		for _, x := range []float64{
			s.Float64(),
			1 + (s.Float64()-0.5)/8,
			math.Ldexp(1+s.Float64(), s.IntN(2040)-1020),
		} {
			worst = max(worst, ulps(log(x), math.Log(x)))
		}
	}
	assert.LessOrEqual(t, worst, 2.0)
}

func TestExpIsWithinTwoUlps(t *testing.T) {
	s := Seed(1).Key("exp", 0).Stream()
	worst, subnormal := 0.0, 0.0
	for range 300_000 {
		for _, x := range []float64{(s.Float64() - 0.5) * 2, (s.Float64() - 0.5) * 80, (s.Float64() - 0.5) * 1400} {
			worst = max(worst, ulps(exp(x), math.Exp(x)))
		}
		x := -708 - 37*s.Float64()
		subnormal = max(subnormal, ulps(exp(x), math.Exp(x)))
	}
	assert.LessOrEqual(t, worst, 2.0)
	assert.LessOrEqual(t, subnormal, 4.0)
}

func TestElementaryAtTheEdges(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	assert.Equal(t, 0.0, log(1))
	assert.Equal(t, -inf, log(0))
	assert.Equal(t, inf, log(inf))
	assert.True(t, math.IsNaN(log(-1)))
	assert.True(t, math.IsNaN(log(nan)))
	assert.LessOrEqual(t, ulps(log(math.MaxFloat64), math.Log(math.MaxFloat64)), 1.0)
	// Package math is wrong here on amd64; these are the correctly rounded values.
	assert.Equal(t, -744.4400719213812, log(math.SmallestNonzeroFloat64))
	assert.Equal(t, -713.8013788281542, log(1e-310))

	assert.Equal(t, 1.0, exp(0))
	assert.Equal(t, inf, exp(inf))
	assert.Equal(t, 0.0, exp(-inf))
	assert.Equal(t, inf, exp(710))
	assert.Equal(t, 0.0, exp(-746))
	assert.True(t, math.IsNaN(exp(nan)))
	assert.Equal(t, 1.7928227943945155e308, exp(709.78))
}

func TestLogGamma(t *testing.T) {
	for x := 0.01; x < 100; x *= 1.01 {
		want, _ := math.Lgamma(x)
		assert.InDelta(t, want, logGamma(x), 2e-14*max(1, math.Abs(want)), "x = %v", x)
	}
	assert.InDelta(t, math.Log(24), logGamma(5), 1e-15*4)
}
