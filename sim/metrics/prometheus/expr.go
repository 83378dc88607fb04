package prometheus

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

// metricName is the label that holds a series' name.
const metricName = "__name__"

var promqlParser = parser.NewParser(parser.Options{})

var errFixedInstant = errors.New("found @ with a fixed instant, expected none: it would need every sample since then")

// Scalar tells whether an expression gives a scalar and no instant vector. The error
// says why it cannot be answered here: it does not parse, it gives neither, or it is
// tied to a fixed instant. What it selects may still be unknown; see Selectors.
func Scalar(expr string) (bool, error) {
	parsed, err := parse(expr)
	return err == nil && parsed.Type() == parser.ValueTypeScalar, err
}

func parse(expr string) (parser.Expr, error) {
	parsed, err := promqlParser.ParseExpr(expr)
	if err != nil {
		return nil, fmt.Errorf("query %q: %w", expr, err)
	}
	if t := parsed.Type(); t != parser.ValueTypeVector && t != parser.ValueTypeScalar {
		return nil, fmt.Errorf("query %q: found a %s, expected an instant vector", expr, parser.DocumentedType(t))
	}
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		var fixed *int64
		switch n := node.(type) {
		case *parser.VectorSelector:
			fixed = n.Timestamp
		case *parser.SubqueryExpr:
			fixed = n.Timestamp
		}
		if fixed != nil {
			err = fmt.Errorf("query %q: %w", expr, errFixedInstant)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return parsed, nil
}

func selectors(expr parser.Expr) [][]*labels.Matcher {
	var found [][]*labels.Matcher
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			found = append(found, selector.LabelMatchers)
		}
		return nil
	})
	return found
}

// reach is how far before its evaluation an expression looks: ranges, offsets,
// subqueries and the lookback, as the engine itself adds them up.
func reach(expr parser.Expr) (time.Duration, error) {
	now := time.Unix(1<<32, 0) // any instant will do
	expr, err := promql.PreprocessExpr(expr, now, now, 0)
	if err != nil {
		return 0, fmt.Errorf("query %q: %w", expr, err)
	}
	from, _ := promql.FindMinMaxTime(&parser.EvalStmt{Expr: expr, Start: now, End: now, LookbackDelta: lookback})
	if from == 0 { // no selector at all
		return 0, nil
	}
	return max(0, time.Duration(now.UnixMilli()-from)*time.Millisecond), nil
}

// Selector is one selector of an expression.
type Selector struct {
	text     string
	matchers []*labels.Matcher
}

// String is the selector as PromQL writes it, without range and offset.
func (s *Selector) String() string { return s.text }

// Name is the name that the selector gives with =; "" where it gives none.
func (s *Selector) Name() string {
	for _, m := range s.matchers {
		if m.Name == metricName && m.Type == labels.MatchEqual {
			return m.Value
		}
	}
	return ""
}

// Takes tells whether the selector can select a series of that name.
func (s *Selector) Takes(name string) bool {
	return namedBy(labels.FromStrings(metricName, name), s.matchers)
}

// Refused are the matchers, other than those of the name, that do not accept a
// series with these labels; value gives "" for a label that is not there.
func (s *Selector) Refused(value func(label string) string) (refused []Matcher) {
	for _, m := range s.matchers {
		if m.Name != metricName && !m.Matches(value(m.Name)) {
			refused = append(refused, Matcher{Label: m.Name, Value: m.Value, Equal: m.Type == labels.MatchEqual, Text: m.String()})
		}
	}
	return refused
}

// Matcher is one condition of a Selector.
type Matcher struct {
	Label, Value string
	Equal        bool   // label="value", and no other operator
	Text         string // as PromQL writes it
}

// Selectors are those of an expression, in the order in which they are written.
func Selectors(expr string) ([]Selector, error) {
	parsed, err := parse(expr)
	if err != nil {
		return nil, err
	}
	var list []Selector
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		if n, ok := node.(*parser.VectorSelector); ok {
			plain := parser.VectorSelector{Name: n.Name, LabelMatchers: n.LabelMatchers}
			list = append(list, Selector{text: plain.String(), matchers: n.LabelMatchers})
		}
		return nil
	})
	return list, nil
}
