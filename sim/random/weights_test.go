package random

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"gonum.org/v1/gonum/stat"
)

func TestZipfWeights(t *testing.T) {
	// 1 + 1/2 + 1/3 + 1/4 = 25/12: the first of four has 48 % of everything.
	assert.InDeltaSlice(t, []float64{1.92, 0.96, 0.64, 0.48}, Zipf(4, 1), 1e-14)
	assert.Equal(t, []float64{1, 1, 1}, Zipf(3, 0))
	assert.InDeltaSlice(t, []float64{1.6, 0.4}, Zipf(2, 2), 1e-14)
	assert.InDelta(t, 1, stat.Mean(Zipf(10_000, 1.3), nil), 1e-12)
}

func TestLognormalWeights(t *testing.T) {
	key := Seed(7).Key("popularity", 0)
	weights := key.Lognormal(100_000, 0.5)
	mean, deviation := stat.MeanStdDev(weights, nil)
	assert.InDelta(t, 1, mean, 1e-12)
	assert.InDelta(t, 0.5, deviation, 0.01)
	assert.True(t, slices.IsSortedFunc(weights, func(a, b float64) int { return int(b*1e9) - int(a*1e9) }))
	assert.Equal(t, weights, key.Lognormal(100_000, 0.5))
	assert.NotEqual(t, weights, Seed(8).Key("popularity", 0).Lognormal(100_000, 0.5))
}
