package prometheus

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

// metricName is the label that holds a series' name.
const metricName = "__name__"

var promqlParser = parser.NewParser(parser.Options{})

var errFixedInstant = errors.New("found @ with a fixed instant, expected none: it would need every sample since then")

// Check says why an expression cannot be answered here: it does not parse, it is
// neither an instant vector nor a scalar, or it is tied to a fixed instant. What
// it selects may still be unknown; see Names.
func Check(expr string) error {
	_, err := parse(expr)
	return err
}

// Names are the names of the series that an expression selects, sorted.
// Selectors that do not give a name with = are left out.
func Names(expr string) ([]string, error) {
	parsed, err := parse(expr)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, matchers := range selectors(parsed) {
		for _, m := range matchers {
			if m.Name == metricName && m.Type == labels.MatchEqual {
				names = append(names, m.Value)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
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
