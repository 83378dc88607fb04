package random

import (
	"math"
	"testing"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

func TestValidateRefuses(t *testing.T) {
	long := MaxMean + 1
	for name, c := range map[string]struct {
		spec Spec
		want string
	}{
		"no family":              {Spec{}, `dist: found "", expected one of constant, exponential, uniform, lognormal, gamma, weibull, empirical`},
		"unknown family":         {Spec{Dist: "normal"}, `dist: found "normal", expected one of constant, exponential, uniform, lognormal, gamma, weibull, empirical`},
		"missing mean":           {Spec{Dist: "exponential"}, "mean: found none, expected it: exponential is given by mean"},
		"missing cv":             {Spec{Dist: "gamma", Mean: ptr(time.Second)}, "cv: found none, expected it: gamma is given by mean and cv"},
		"missing p99":            {Spec{Dist: "lognormal", P50: ptr(time.Second)}, "p99: found none, expected it: lognormal is given by mean and cv, or p50 and p99"},
		"nothing for lognormal":  {Spec{Dist: "lognormal"}, "mean: found none, expected it: lognormal is given by mean and cv, or p50 and p99\ncv: found none, expected it: lognormal is given by mean and cv, or p50 and p99"},
		"mixed lognormal":        {Spec{Dist: "lognormal", Mean: ptr(time.Second), CV: ptr(1.0), P99: ptr(time.Second)}, "p99: found a field that does not belong here, expected none: lognormal is given by mean and cv, or p50 and p99"},
		"field of another":       {Spec{Dist: "constant", Value: ptr(time.Second), CV: ptr(1.0)}, "cv: found a field that does not belong here, expected none: constant is given by value"},
		"negative constant":      {Constant(-1), "value: found -1ns, expected 0s or more"},
		"zero mean":              {Spec{Dist: "exponential", Mean: ptr(time.Duration(0))}, "mean: found 0s, expected more than 0s"},
		"negative mean":          {byMoments("weibull", -time.Second, 1), "mean: found -1s, expected more than 0s"},
		"mean above ten years":   {Spec{Dist: "exponential", Mean: &long}, "mean: found 87600h0m0.000000001s, expected at most 10 years (87600h0m0s)"},
		"cv of zero":             {byMoments("gamma", time.Second, 0), "cv: found 0, expected 0.001 to 100"},
		"negative cv":            {byMoments("gamma", time.Second, -1), "cv: found -1, expected 0.001 to 100"},
		"cv not a number":        {byMoments("lognormal", time.Second, math.NaN()), "cv: found NaN, expected 0.001 to 100"},
		"infinite cv":            {byMoments("lognormal", time.Second, math.Inf(1)), "cv: found +Inf, expected 0.001 to 100"},
		"p99 equal to p50":       {Spec{Dist: "lognormal", P50: ptr(time.Second), P99: ptr(time.Second)}, "p99: found 1s, expected more than p50 (1s)"},
		"quantiles far apart":    {Spec{Dist: "lognormal", P50: ptr(time.Nanosecond), P99: ptr(time.Hour)}, "p99: found 1h0m0s beside a p50 of 1ns, which makes the mean 1.1e+17 years, expected at most 10 years"},
		"max below min":          {Spec{Dist: "uniform", Min: ptr(2 * time.Second), Max: ptr(time.Second)}, "max: found 1s, expected at least min (2s)"},
		"no values":              {Spec{Dist: "empirical", Values: []time.Duration{}}, "values: found an empty list, expected at least one duration"},
		"values left out":        {Spec{Dist: "empirical"}, "values: found none, expected it: empirical is given by values"},
		"negative in the values": {Spec{Dist: "empirical", Values: []time.Duration{0, -5}}, "values[1]: found -5ns, expected 0s or more"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(c.spec)
			require.EqualError(t, err, c.want)
			var invalid *messages.Invalid
			assert.ErrorAs(t, err, &invalid)
		})
	}
}

func TestBareDurationIsAConstant(t *testing.T) {
	var s Spec
	require.NoError(t, s.UnmarshalText([]byte("250ms")))
	assert.Equal(t, Constant(250*ms), s)
	assert.EqualError(t, s.UnmarshalText([]byte("250")),
		`found "250", expected a duration with its unit, such as 250ms, or a distribution, such as {dist: exponential, mean: 250ms}`)
}

// What String writes, YAML reads back.
func TestStringRoundTrip(t *testing.T) {
	for text, spec := range map[string]Spec{
		"1m30s":                                     Constant(90 * time.Second),
		"{dist: exponential, mean: 1s}":             {Dist: "exponential", Mean: ptr(time.Second)},
		"{dist: uniform, min: 1s, max: 1.2s}":       {Dist: "uniform", Min: ptr(time.Second), Max: ptr(1200 * ms)},
		"{dist: lognormal, p50: 40ms, p99: 180ms}":  {Dist: "lognormal", P50: ptr(40 * ms), P99: ptr(180 * ms)},
		"{dist: lognormal, mean: 1s, cv: 0.5}":      byMoments("lognormal", time.Second, 0.5),
		"{dist: gamma, mean: 1s, cv: 0.5}":          byMoments("gamma", time.Second, 0.5),
		"{dist: weibull, mean: 1s, cv: 2.25}":       byMoments("weibull", time.Second, 2.25),
		"{dist: empirical, values: [0s, 0s, 9s]}":   {Dist: "empirical", Values: []time.Duration{0, 0, 9 * time.Second}},
		"{dist: constant}":                          {Dist: "constant"},
		"{dist: exponential, mean: 2562047h47m16s}": {Dist: "exponential", Mean: ptr(2562047*time.Hour + 47*time.Minute + 16*time.Second)},
	} {
		assert.Equal(t, text, spec.String())
		var back Spec
		require.NoError(t, yaml.Unmarshal([]byte(text), &back))
		assert.Equal(t, spec, back)
	}
}

func FuzzSpecText(f *testing.F) {
	for _, seed := range []string{"1s", "-1s", "", "abc", "1h30m", "9999999h", "1", "{dist: gamma}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var s Spec
		if s.UnmarshalText([]byte(text)) != nil {
			assert.Equal(t, Spec{}, s)
			return
		}
		var back Spec
		require.NoError(t, back.UnmarshalText([]byte(s.String())))
		assert.Equal(t, s, back)
	})
}
