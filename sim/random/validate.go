package random

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/scalelab/scalelab/messages"
)

// MaxMean is the largest duration that a parameter or a mean may have.
const MaxMean = 10 * year

// MaxDraw is the largest duration that is drawn; the far tail of a heavy
// distribution is cut there, so that instants stay within a time.Duration.
const MaxDraw = 100 * year

const year = 365 * 24 * time.Hour

// The range of cv in which shapes are solved to about ten digits.
const (
	minCV = 0.001
	maxCV = 100
)

// families maps each family to the sets of fields it can be given by.
var families = []struct {
	name string
	by   [][]string
}{
	{"constant", [][]string{{"value"}}},
	{"exponential", [][]string{{"mean"}}},
	{"uniform", [][]string{{"min", "max"}}},
	{"lognormal", [][]string{{"mean", "cv"}, {"p50", "p99"}}},
	{"gamma", [][]string{{"mean", "cv"}}},
	{"weibull", [][]string{{"mean", "cv"}}},
	{"empirical", [][]string{{"values"}}},
}

// Validate reports fields that are missing, foreign to the family, or out of
// range, as messages.Problems of *messages.Invalid.
func (s Spec) Validate() error {
	var problems messages.Problems
	s.checkFields(&problems)
	if len(problems) == 0 {
		s.checkValues(&problems)
	}
	return problems.Err()
}

// checkFields holds the set of given fields against the family.
func (s Spec) checkFields(problems *messages.Problems) {
	by := s.alternatives()
	if by == nil {
		problems.Addf("dist", "found %q, expected one of %s", s.Dist, strings.Join(familyNames(), ", "))
		return
	}
	set := s.closest(by)
	for _, f := range s.fields() {
		wanted := slices.Contains(set, f.name)
		switch {
		case wanted && !f.given:
			problems.Addf(f.name, "found none, expected it: %s is given by %s", s.Dist, described(by))
		case !wanted && f.given:
			problems.Addf(f.name, "found a field that does not belong here, expected none: %s is given by %s", s.Dist, described(by))
		}
	}
}

func (s Spec) alternatives() [][]string {
	for _, family := range families {
		if family.name == s.Dist {
			return family.by
		}
	}
	return nil
}

// closest is the set of fields that the Spec seems to mean: the first one that
// shares a field with it.
func (s Spec) closest(by [][]string) []string {
	for _, set := range by {
		for _, f := range s.fields() {
			if f.given && slices.Contains(set, f.name) {
				return set
			}
		}
	}
	return by[0]
}

func familyNames() []string {
	names := make([]string, len(families))
	for i, family := range families {
		names[i] = family.name
	}
	return names
}

// described writes sets of fields as "mean and cv, or p50 and p99".
func described(by [][]string) string {
	sets := make([]string, len(by))
	for i, set := range by {
		sets[i] = strings.Join(set, " and ")
	}
	return strings.Join(sets, ", or ")
}

// checkValues looks at the values of a complete set of fields.
func (s Spec) checkValues(problems *messages.Problems) {
	mayBeZero := s.Dist == "constant" || s.Dist == "uniform"
	for _, f := range s.fields() {
		if f.duration != nil {
			problems.Add(checkDuration(f.name, *f.duration, mayBeZero))
		}
	}
	for i, v := range s.Values {
		problems.Add(checkDuration(fmt.Sprintf("values[%d]", i), v, true))
	}
	if cv := s.CV; cv != nil && !(*cv >= minCV && *cv <= maxCV) {
		problems.Addf("cv", "found %v, expected %v to %v", *cv, minCV, maxCV)
	}
	if len(*problems) == 0 {
		s.checkTogether(problems)
	}
}

func checkDuration(name string, d time.Duration, mayBeZero bool) error {
	switch {
	case d < 0 || d == 0 && !mayBeZero:
		expected := "more than 0s"
		if mayBeZero {
			expected = "0s or more"
		}
		return messages.Invalidf(name, "found %s, expected %s", d, expected)
	case d > MaxMean:
		return messages.Invalidf(name, "found %s, expected at most 10 years (%s)", d, MaxMean)
	}
	return nil
}

// checkTogether looks at fields that bound one another.
func (s Spec) checkTogether(problems *messages.Problems) {
	switch {
	case s.Dist == "uniform" && *s.Max < *s.Min:
		problems.Addf("max", "found %s, expected at least min (%s)", *s.Max, *s.Min)
	case s.Dist == "empirical" && len(s.Values) == 0:
		problems.Addf("values", "found an empty list, expected at least one duration")
	case s.P99 != nil && *s.P99 <= *s.P50:
		problems.Addf("p99", "found %s, expected more than p50 (%s)", *s.P99, *s.P50)
	case s.P99 != nil:
		mu, sigma := lognormalByQuantiles(s)
		if mean := exp(mu + float64(sigma*sigma/2)); !(mean <= float64(MaxMean)) {
			problems.Addf("p99", "found %s beside a p50 of %s, which makes the mean %.3g years, expected at most 10 years", *s.P99, *s.P50, mean/float64(year))
		}
	}
}

// normal99 is the 99th percentile of the standard normal distribution.
const normal99 = 2.32634787404084110089

// lognormalByQuantiles gives the mean and standard deviation of the logarithm,
// in nanoseconds, from the median and the 99th percentile.
func lognormalByQuantiles(s Spec) (mu, sigma float64) {
	mu = log(float64(*s.P50))
	return mu, (log(float64(*s.P99)) - mu) / normal99
}

// lognormalByMoments gives them from mean and cv.
func lognormalByMoments(mean, cv float64) (mu, sigma float64) {
	variance := log(1 + float64(cv*cv))
	return log(mean) - float64(variance/2), math.Sqrt(variance)
}
