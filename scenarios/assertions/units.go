package assertions

import (
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/scalelab/scalelab/scenarios/strict"
)

// common is the unit of what is added or compared: a bare number goes with
// each of them.
func common(a, b Unit) Unit {
	if a == None {
		return b
	}
	return a
}

// unit checks that a node is a number, and says what it counts.
func (b *builder) unit(n ast.Node) (Unit, *Problem) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		if i := index(n.Value); i >= 0 {
			return b.terms[i].unit, nil
		}
		return None, problemf(b.offset(n), "found %s without arguments, expected %s(...)", n.Value, n.Value)
	case *ast.UnaryNode:
		if n.Operator == "-" || n.Operator == "+" {
			return b.unit(n.Node)
		}
		return None, problemf(b.offset(n), "found %s before a number, expected it before brackets: not (latency.p99 < 2s)", n.Operator)
	case *ast.BuiltinNode:
		return b.applied(n)
	case *ast.BinaryNode:
		if !slices.Contains([]string{"+", "-", "*", "/"}, n.Operator) {
			break
		}
		left, problem := b.unit(n.Left)
		if problem != nil {
			return None, problem
		}
		right, problem := b.unit(n.Right)
		if problem != nil {
			return None, problem
		}
		switch {
		case n.Operator == "/" && right != None:
			return None, nil // a ratio
		case n.Operator == "*" && left == Share && !b.literal(n.Right):
			return right, nil // 5% of something
		case n.Operator == "*" && right == Share && !b.literal(n.Left):
			return left, nil
		}
		return common(left, right), nil
	}
	return None, problemf(b.offset(n), "found %s, which is true or false, expected a number", strict.Shown(b.written(n)))
}

func (b *builder) literal(n ast.Node) bool {
	name, ok := n.(*ast.IdentifierNode)
	return ok && b.terms[index(name.Value)].literal != nil
}

// applied checks a call of min, max or abs.
func (b *builder) applied(n *ast.BuiltinNode) (Unit, *Problem) {
	if n.Name == "abs" && len(n.Arguments) != 1 {
		return None, problemf(b.offset(n), "found abs with %d arguments, expected one", len(n.Arguments))
	}
	if n.Name != "abs" && len(n.Arguments) < 2 {
		return None, problemf(b.offset(n), "found %s with %d arguments, expected two or more", n.Name, len(n.Arguments))
	}
	unit := None
	for _, argument := range n.Arguments {
		u, problem := b.unit(argument)
		if problem != nil {
			return None, problem
		}
		unit = common(unit, u)
	}
	return unit, nil
}
