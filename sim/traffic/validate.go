package traffic

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/scalelab/scalelab/messages"
)

// Limits that keep every instant within a time.Duration and every count exact.
const (
	maxRate   = 1e9 // requests per second
	maxFactor = 1e6 // of scale and compress; compress may also be its inverse
	maxLength = 10 * 365 * 24 * time.Hour
	minCV     = 0.001
	maxCV     = 100
)

// Validate reports everything that can be seen without opening a trace, as
// messages.Problems of *messages.Invalid with fields such as "[2].ramp.from".
func (s Spec) Validate() error {
	var problems messages.Problems
	if len(s) == 0 {
		problems.Addf("", "found no phase, expected at least one")
	}
	var total time.Duration
	users := 0
	filled := s.WithDefaults()
	for i, phase := range filled {
		at := fmt.Sprintf("[%d]", i)
		problems.Add(messages.Under(at, s[i].validate()))
		first := slices.IndexFunc(filled[:i], func(p Phase) bool { return p.Name == phase.Name })
		if first >= 0 {
			problems.Addf(at+".name", "found %q, which is the name of [%d] already, expected a name of its own", phase.Name, first)
		}
		if phase.Users != nil {
			users += max(phase.Users.Count, 0)
			if users > maxUsers && phase.Users.Count <= maxUsers {
				problems.Addf(at+".users.count", "found %d users in all, expected at most %d", users, maxUsers)
				break
			}
		}
		if phase.For != nil && *phase.For > 0 && *phase.For <= maxLength {
			total += *phase.For
		}
		if total > maxLength {
			problems.Addf(at+".for", "found phases of %s in all, expected at most 10 years", total)
			break
		}
	}
	return problems.Err()
}

func (p Phase) validate() error {
	var problems messages.Problems
	problems.Add(p.validateFor())
	problems.Add(p.validateShape())
	problems.Add(messages.Under("arrivals", p.Arrivals.validate()))
	if p.Trace != nil && p.Trace.Timestamps != "" && p.Arrivals.Process != "" {
		problems.Addf("arrivals", "found %s, expected none: timestamps are exact instants", p.Arrivals.Process)
	}
	if p.Users != nil && p.Arrivals.Process != "" {
		problems.Addf("arrivals", "found %s, expected none: users send when they have thought", p.Arrivals.Process)
	}
	return problems.Err()
}

func (p Phase) validateFor() error {
	switch {
	case p.For == nil && p.Trace == nil:
		return messages.Invalidf("for", "found none, expected how long the phase lasts")
	case p.For == nil:
		return nil
	case *p.For <= 0:
		return messages.Invalidf("for", "found %s, expected more than 0s", *p.For)
	case *p.For > maxLength:
		return messages.Invalidf("for", "found %s, expected at most 10 years", *p.For)
	}
	return nil
}

func (p Phase) validateShape() error {
	given := p.shapes()
	if len(given) == 0 {
		return messages.Invalidf("", "found no shape, expected one of rps, ramp, sine, step, spike, trace, users")
	}
	if len(given) > 1 {
		return messages.Invalidf(given[1], "found %s together, expected one of them", strings.Join(given, " and "))
	}
	var problems messages.Problems
	length := maxLength
	if p.For != nil {
		length = *p.For
	}
	switch {
	case p.RPS != nil:
		problems.Add(checkRate("rps", *p.RPS))
	case p.Ramp != nil:
		problems.Add(checkRate("ramp.from", p.Ramp.From))
		problems.Add(checkRate("ramp.to", p.Ramp.To))
	case p.Sine != nil:
		problems.Add(messages.Under("sine", p.Sine.validate()))
	case p.Step != nil:
		problems.Add(messages.Under("step", p.Step.validate(length)))
	case p.Spike != nil:
		problems.Add(messages.Under("spike", p.Spike.validate(length)))
	case p.Trace != nil:
		problems.Add(messages.Under("trace", p.Trace.validate()))
	case p.Users != nil:
		problems.Add(messages.Under("users", p.Users.validate()))
	}
	return problems.Err()
}

// shapes names the shapes that are given.
func (p Phase) shapes() []string {
	var given []string
	for _, shape := range []struct {
		name  string
		given bool
	}{
		{"rps", p.RPS != nil},
		{"ramp", p.Ramp != nil},
		{"sine", p.Sine != nil},
		{"step", p.Step != nil},
		{"spike", p.Spike != nil},
		{"trace", p.Trace != nil},
		{"users", p.Users != nil},
	} {
		if shape.given {
			given = append(given, shape.name)
		}
	}
	return given
}

// checkRate refuses NaN too, for which both comparisons are false.
func checkRate(field string, rate float64) error {
	if !(rate >= 0 && rate <= maxRate) {
		return messages.Invalidf(field, "found %v, expected 0 to %g requests per second", rate, float64(maxRate))
	}
	return nil
}

func checkSpan(field string, d, limit time.Duration) error {
	if d < 0 || d > limit {
		return messages.Invalidf(field, "found %s, expected 0s to %s", d, limit)
	}
	return nil
}

func (s Sine) validate() error {
	var problems messages.Problems
	problems.Add(checkRate("mean", s.Mean))
	if !(s.Amplitude >= 0 && s.Amplitude <= s.Mean) {
		problems.Addf("amplitude", "found %v, expected 0 to the mean (%v)", s.Amplitude, s.Mean)
	}
	if s.Period <= 0 || s.Period > maxLength {
		problems.Addf("period", "found %s, expected more than 0s and at most 10 years", s.Period)
	}
	problems.Add(checkSpan("offset", s.Offset, maxLength))
	return problems.Err()
}

func (s Step) validate(length time.Duration) error {
	var problems messages.Problems
	problems.Add(checkRate("from", s.From))
	problems.Add(checkRate("to", s.To))
	problems.Add(checkSpan("at", s.At, length))
	return problems.Err()
}

func (s Spike) validate(length time.Duration) error {
	var problems messages.Problems
	problems.Add(checkRate("base", s.Base))
	problems.Add(checkRate("peak", s.Peak))
	if s.Peak < s.Base {
		problems.Addf("peak", "found %v, expected at least the base (%v)", s.Peak, s.Base)
	}
	problems.Add(checkSpan("at", s.At, length))
	problems.Add(checkSpan("rise", s.Rise, length))
	problems.Add(checkSpan("hold", s.Hold, length))
	problems.Add(checkSpan("fall", s.Fall, length))
	if end := s.At + s.Rise + s.Hold + s.Fall; len(problems) == 0 && end > length {
		problems.Addf("", "found at + rise + hold + fall = %s, expected at most the phase's %s", end, length)
	}
	return problems.Err()
}

func (p Process) validate() error {
	var problems messages.Problems
	if p.Process != "" && !slices.Contains(processes, p.Process) {
		problems.Addf("process", "found %q, expected one of %s", p.Process, strings.Join(processes, ", "))
	}
	isGamma, isBursts := p.Process == "gamma", p.Process == "bursts"
	problems.Add(checkGiven("cv", p.CV != nil, isGamma, "gamma"))
	problems.Add(checkGiven("on", p.On != nil, isBursts, "bursts"))
	problems.Add(checkGiven("off", p.Off != nil, isBursts, "bursts"))
	if len(problems) > 0 {
		return problems.Err()
	}
	if isGamma && !(*p.CV >= minCV && *p.CV <= maxCV) {
		problems.Addf("cv", "found %v, expected %v to %v", *p.CV, minCV, maxCV)
	}
	if isBursts {
		if *p.On <= 0 || *p.On > maxLength {
			problems.Addf("on", "found %s, expected more than 0s and at most 10 years", *p.On)
		}
		problems.Add(checkSpan("off", *p.Off, maxLength))
	}
	return problems.Err()
}

// checkGiven holds a field against the one process that it belongs to.
func checkGiven(field string, given, wanted bool, process string) error {
	switch {
	case wanted && !given:
		return messages.Invalidf(field, "found none, expected it: %s needs it", process)
	case given && !wanted:
		return messages.Invalidf(field, "found a field that does not belong here, expected none: only %s has it", process)
	}
	return nil
}

func (t Trace) validate() error {
	var problems messages.Problems
	if t.File == "" {
		problems.Addf("file", "found none, expected a CSV file")
	}
	problems.Add(t.validateColumns())
	problems.Add(checkSpan("offset", t.Offset, 10*maxLength))
	if t.Bin != nil && (*t.Bin < time.Microsecond || *t.Bin > maxLength) {
		problems.Addf("bin", "found %s, expected 1µs to 10 years", *t.Bin)
	}
	if t.Unit != nil && (*t.Unit <= 0 || *t.Unit > maxLength) {
		problems.Addf("unit", "found %s, expected more than 0s and at most 10 years", *t.Unit)
	}
	if s := t.Scale; s != nil && !(*s >= 0 && *s <= maxFactor) {
		problems.Addf("scale", "found %v, expected 0 to %g", *s, float64(maxFactor))
	}
	if c := t.Compress; c != nil && !(*c >= 1/maxFactor && *c <= maxFactor) {
		problems.Addf("compress", "found %v, expected %g to %g", *c, 1/maxFactor, float64(maxFactor))
	}
	if t.Gaps != "" && !slices.Contains(gapRules, t.Gaps) {
		problems.Addf("gaps", "found %q, expected one of %s", t.Gaps, strings.Join(gapRules, ", "))
	}
	return problems.Err()
}

// validateColumns holds the columns and what depends on their kind together.
func (t Trace) validateColumns() error {
	var given []string
	for _, column := range [][2]string{{"count", t.Count}, {"value", t.Value}, {"timestamps", t.Timestamps}} {
		if column[1] != "" {
			given = append(given, column[0])
		}
	}
	if len(given) == 0 {
		return messages.Invalidf("", "found no column, expected one of count, value, timestamps")
	}
	if len(given) > 1 {
		return messages.Invalidf(given[1], "found %s together, expected one of them", strings.Join(given, " and "))
	}
	var problems messages.Problems
	if t.Timestamps == "" {
		if t.Time == "" && t.Bin == nil {
			problems.Addf("time", "found none, expected the column with the start of each bin, or bin, the length of a bin")
		}
		if t.Time == "" && t.Unit != nil {
			problems.Addf("unit", "found %s, expected none without a time column", *t.Unit)
		}
		return problems.Err()
	}
	const exact = "expected none: timestamps are exact instants"
	if t.Time != "" {
		problems.Addf("time", "found %q, %s", t.Time, exact)
	}
	if t.Bin != nil {
		problems.Addf("bin", "found %s, %s", *t.Bin, exact)
	}
	if t.Gaps != "" {
		problems.Addf("gaps", "found %q, %s", t.Gaps, exact)
	}
	if t.Scale != nil && *t.Scale != 1 {
		problems.Addf("scale", "found %v, expected 1: timestamps are exact instants; use compress to make them denser", *t.Scale)
	}
	return problems.Err()
}
