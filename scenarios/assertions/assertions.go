// Package assertions compiles the expectations of a scenario, such as
//
//	latency.p99{phase=spike} < 2s and requests.lost_share < 0.5%
//	cost.total < 1.2 * oracle.cost
//	replicas.max_desired <= of("hpa-50").replicas.max_desired
//
// and holds them against results. An expression is plain arithmetic, comparison
// and logic over figures of a result: min, max and abs are its only functions,
// it has no loops, variables or text, and its cost is bounded by its length.
//
// Names, literals and phases are resolved here, with their positions; what is
// left is parsed and evaluated by github.com/expr-lang/expr.
//
// A figure can be absent: no latency without a completed request. What depends
// on it is then neither true nor false, as NULL in SQL, and an assertion that
// comes to that has failed. `requests.completed == 0 or latency.p99 < 2s` holds
// when nothing completed.
package assertions

import (
	"fmt"
	"slices"

	"github.com/scalelab/scalelab/sim"
)

// MaxLength is how many bytes an expression can have.
const MaxLength = 4096

// Names is what the expressions of a scenario can speak of.
type Names struct {
	Phases      []string
	Autoscalers []string // with the oracle
	Priced      bool     // there are prices, so there is a cost
}

// Problem is what is wrong with an expression.
type Problem struct {
	Offset int    // in bytes, where it is
	Text   string // what was found and what was expected
}

func (p *Problem) Error() string { return p.Text }

func problemf(offset int, format string, args ...any) *Problem {
	return &Problem{offset, fmt.Sprintf(format, args...)}
}

// Expression is a compiled expression. It does not change and can be shared.
type Expression struct {
	terms []term
	root  condition
	parts int // comparisons in it
}

// Compile reads an expression that is true or false. Every error is a *Problem.
func Compile(source string, names Names) (*Expression, error) {
	if len(source) > MaxLength {
		return nil, problemf(0, "found %d bytes, expected at most %d", len(source), MaxLength)
	}
	s := scanner{source: source, names: names}
	if problem := s.scan(); problem != nil {
		return nil, problem
	}
	return build(&s)
}

// Mentions are the autoscalers that the expression names, in order.
func (e *Expression) Mentions() []string {
	var names []string
	for _, t := range e.terms {
		if t.autoscaler != "" && !slices.Contains(names, t.autoscaler) {
			names = append(names, t.autoscaler)
		}
	}
	return names
}

// Judge holds a result against the expression. of gives the results of the
// autoscalers that it mentions, on the same traffic. Expression and severity
// are left to the caller.
func (e *Expression) Judge(r *sim.Result, of func(autoscaler string) *sim.Result) sim.Assertion {
	values := make([]value, len(e.terms))
	for i, t := range e.terms {
		from := r
		if t.autoscaler != "" {
			from = of(t.autoscaler)
		}
		values[i] = t.of(from)
	}
	truth, by := e.root.judge(values)
	verdict := sim.Assertion{Passed: truth == yes}
	if by == nil {
		return verdict
	}
	verdict.Observed, verdict.Limit, verdict.Message = by.left, by.right, by.why
	verdict.Unit = string(by.comparison.unit)
	if e.parts > 1 {
		verdict.Part = by.comparison.text
	}
	return verdict
}
