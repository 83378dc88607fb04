// Package random gives named, seeded streams and distributions of durations.
//
// A stream is a function of (seed, name, index) alone, so that two strategies
// under one seed meet the same requests with the same service demands. The
// numbers come from SplitMix64 and from elementary functions made of plain IEEE
// operations: the same on every architecture. Not meant for cryptography.
package random

import (
	"fmt"
	"strings"
	"time"

	"github.com/scalelab/scalelab/messages"
)

// Spec describes a distribution of durations. A bare duration is a constant.
type Spec struct {
	Dist   string          `yaml:"dist" enum:"constant|exponential|uniform|lognormal|gamma|weibull|empirical" doc:"family of the distribution"`
	Value  *time.Duration  `yaml:"value,omitempty" doc:"constant: the duration"`
	Mean   *time.Duration  `yaml:"mean,omitempty" doc:"exponential, lognormal, gamma, weibull: the mean"`
	CV     *float64        `yaml:"cv,omitempty" doc:"lognormal, gamma, weibull: standard deviation divided by mean, from 0.001 to 100"`
	P50    *time.Duration  `yaml:"p50,omitempty" doc:"lognormal: the median, with p99"`
	P99    *time.Duration  `yaml:"p99,omitempty" doc:"lognormal: the 99th percentile, with p50"`
	Min    *time.Duration  `yaml:"min,omitempty" doc:"uniform: the smallest value"`
	Max    *time.Duration  `yaml:"max,omitempty" doc:"uniform: the largest value"`
	Values []time.Duration `yaml:"values,omitempty" doc:"empirical: the values, each drawn with equal probability"`
}

// Constant is the Spec of a fixed duration.
func Constant(d time.Duration) Spec { return Spec{Dist: "constant", Value: &d} }

// UnmarshalText reads the short form: a bare duration is a constant.
func (s *Spec) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil {
		return messages.Invalidf("", "found %q, expected a duration with its unit, such as 250ms, or a distribution, such as {dist: exponential, mean: 250ms}", text)
	}
	*s = Constant(d)
	return nil
}

// String is the Spec as it is written in a scenario, on one line: 250ms for a
// constant, {dist: gamma, mean: 1s, cv: 0.5} otherwise.
func (s Spec) String() string {
	if s.Dist == "constant" && s.Value != nil {
		return s.Value.String()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "{dist: %s", s.Dist)
	for _, f := range s.fields() {
		switch {
		case !f.given:
		case f.name == "cv":
			fmt.Fprintf(&b, ", cv: %v", *s.CV)
		case f.name == "values":
			fmt.Fprintf(&b, ", values: [%s]", joined(s.Values))
		default:
			fmt.Fprintf(&b, ", %s: %s", f.name, *f.duration)
		}
	}
	return b.String() + "}"
}

func joined(values []time.Duration) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = v.String()
	}
	return strings.Join(texts, ", ")
}

// field is one parameter of a Spec; duration is nil for cv and values.
type field struct {
	name     string
	given    bool
	duration *time.Duration
}

// fields lists the parameters in the order in which they are written.
func (s Spec) fields() []field {
	return []field{
		{"value", s.Value != nil, s.Value},
		{"mean", s.Mean != nil, s.Mean},
		{"cv", s.CV != nil, nil},
		{"p50", s.P50 != nil, s.P50},
		{"p99", s.P99 != nil, s.P99},
		{"min", s.Min != nil, s.Min},
		{"max", s.Max != nil, s.Max},
		{"values", s.Values != nil, nil},
	}
}
