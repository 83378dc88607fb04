package random

import (
	"math"
	"slices"
)

// Zipf gives the weights of n ranks by Zipf's law, proportional to
// rank^-exponent, with a mean of 1: the largest first.
func Zipf(n int, exponent float64) []float64 {
	weights := make([]float64, n)
	for i := range weights {
		weights[i] = exp(-float64(exponent * log(float64(i+1))))
	}
	return toMeanOne(weights)
}

// Lognormal draws n weights whose law has the given coefficient of variation,
// and scales them to a mean of 1: the largest first.
func (k Key) Lognormal(n int, cv float64) []float64 {
	sigma := math.Sqrt(log(1 + float64(cv*cv)))
	weights := make([]float64, n)
	for i := range weights {
		s := k.At(uint64(i))
		weights[i] = exp(float64(sigma * s.Norm()))
	}
	slices.SortFunc(weights, func(a, b float64) int {
		switch {
		case a > b:
			return -1
		case a < b:
			return 1
		}
		return 0
	})
	return toMeanOne(weights)
}

func toMeanOne(weights []float64) []float64 {
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	mean := sum / float64(len(weights))
	for i := range weights {
		weights[i] /= mean
	}
	return weights
}
