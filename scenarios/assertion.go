package scenarios

import (
	"errors"
	"slices"

	"github.com/scalelab/scalelab/scenarios/assertions"
	"github.com/scalelab/scalelab/scenarios/strict"
	"github.com/scalelab/scalelab/sim"
	"github.com/scalelab/scalelab/sim/cluster"
)

// Assertion is what a scenario expects of its results.
type Assertion struct {
	Check    string   `yaml:"check" doc:"an expression that must be true, such as latency.p99{phase=spike} < 2s"`
	Severity string   `yaml:"severity,omitempty" enum:"error|warn" doc:"what it means when it is not: error, the default, fails the test; warn is only said"`
	For      []string `yaml:"for,omitempty" doc:"names of the autoscalers that it is for; default: all that are listed, except the oracle"`
}

// UnmarshalText reads the short form: the expression alone.
func (a *Assertion) UnmarshalText(text []byte) error {
	*a = Assertion{Check: string(text)}
	return nil
}

// Expectation is an assertion that was read and found valid.
type Expectation struct {
	Assertion
	Position   strict.Position // of the expression
	expression *assertions.Expression
}

// Concerns says whether the assertion is for an autoscaler.
func (e Expectation) Concerns(autoscaler string) bool {
	return slices.Contains(e.For, autoscaler)
}

// Judge holds a result against the assertion. of gives the results of other
// autoscalers on the same traffic; Needs lists which.
func (e Expectation) Judge(r *sim.Result, of func(autoscaler string) *sim.Result) sim.Assertion {
	verdict := e.expression.Judge(r, of)
	verdict.Expression, verdict.Severity = e.Check, e.Severity
	return verdict
}

// Expectations are the scenario's assertions in file order.
func (s *Scenario) Expectations() []Expectation { return s.expectations }

// Needs lists the autoscalers whose results it takes to judge those of one:
// that one first, then whom its assertions mention.
func (s *Scenario) Needs(autoscaler string) []string {
	names := []string{autoscaler}
	for _, e := range s.expectations {
		if !e.Concerns(autoscaler) {
			continue
		}
		for _, name := range e.expression.Mentions() {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// maxAssertions bounds the assertions of one scenario.
const maxAssertions = 1000

// readAssertions compiles every assertion. What they speak of must have been
// read without problems.
func (l *loader) readAssertions() {
	section := l.root.Get("assertions")
	if section == nil || l.plan == nil || l.problems.Below("assertions") || l.problems.Below("autoscalers") {
		return
	}
	if n := len(section.Items); n > maxAssertions {
		l.problems.Addf(section, "found %d assertions, expected at most %d", n, maxAssertions)
		return
	}
	names := assertions.Names{Priced: l.doc.Cost != nil || l.doc.Nodes != nil && slices.ContainsFunc(l.doc.Nodes.Pools, func(p cluster.Pool) bool { return p.HourPrice != nil })}
	for _, w := range l.plan.Windows() {
		names.Phases = append(names.Phases, w.Name)
	}
	for _, st := range l.strategies {
		names.Autoscalers = append(names.Autoscalers, st.name)
	}
	if !slices.Contains(names.Autoscalers, oracle) {
		names.Autoscalers = append(names.Autoscalers, oracle)
	}
	for i := range l.doc.Assertions {
		l.assertion(&l.doc.Assertions[i], section.Items[i], names)
	}
}

// assertion fills the defaults of an assertion in and compiles it.
func (l *loader) assertion(a *Assertion, at *strict.Node, names assertions.Names) {
	if a.Severity == "" {
		a.Severity = sim.SeverityError
	}
	l.checkFor(a.For, at.Get("for"), names.Autoscalers)
	if at.Get("for") == nil {
		for _, st := range l.strategies {
			if !st.oracle {
				a.For = append(a.For, st.name)
			}
		}
		if len(a.For) == 0 {
			l.problems.Addf(at, "found an assertion for nobody, expected autoscalers, or for: [oracle]")
		}
	}
	written := at
	if check := at.Get("check"); check != nil {
		written = check
	}
	expression, err := assertions.Compile(a.Check, names)
	if problem := (*assertions.Problem)(nil); errors.As(err, &problem) {
		l.problems = append(l.problems, Problem{Position: l.inside(written, problem.Offset), Path: written.Path(), Text: problem.Text})
		return
	}
	l.expectations = append(l.expectations, Expectation{Assertion: *a, Position: l.inside(written, 0), expression: expression})
}

// checkFor checks the names of the autoscalers that an assertion is for.
func (l *loader) checkFor(given []string, at *strict.Node, known []string) {
	if at != nil && len(given) == 0 {
		l.problems.Addf(at, "found an empty list, expected names of autoscalers, or no for")
	}
	for i, name := range given {
		switch {
		case !slices.Contains(known, name):
			l.problems.Addf(at.Items[i], "found %s, expected the name of an autoscaler%s", strict.Shown(name), strict.DidYouMean(name, known))
		case slices.Contains(given[:i], name):
			l.problems.Addf(at.Items[i], "found %s twice, expected it once", strict.Shown(name))
		}
	}
}

// inside is where a byte of a text was written. Values that were set on the
// command line are one line, as they are.
func (l *loader) inside(n *strict.Node, offset int) strict.Position {
	if n.File != l.name {
		at := n.Position
		at.Column += len([]rune(n.Text[:offset]))
		return at
	}
	return strict.Inside(l.src, n, offset)
}
