package assertions

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"

	"github.com/scalelab/scalelab/scenarios/strict"
)

// condition is a comparison, a constant, or several conditions together.
type condition struct {
	join       join
	parts      []condition // of and, or, not
	comparison *comparison
}

type join uint8

const (
	compares join = iota
	always
	never
	both
	either
	negated
)

// comparison is one comparison of two numbers.
type comparison struct {
	text        string // as it is written, with single blanks
	operator    string
	left, right calculation
	unit        Unit
}

// calculation is a number that is made of terms.
type calculation struct {
	program *vm.Program
	terms   []int
}

// builder makes conditions of what the parser reads.
type builder struct {
	*scanner
	read  string // the tokens as the parser reads them
	parts int
}

// build parses the tokens of a scanned expression.
func build(s *scanner) (*Expression, error) {
	b := builder{scanner: s}
	var text strings.Builder
	for i := range s.tokens {
		s.tokens[i].at = text.Len()
		text.WriteString(s.tokens[i].text + " ")
	}
	b.read = text.String()
	config := conf.CreateNew()
	config.MaxNodes = MaxLength
	tree, err := parser.ParseWithConfig(b.read, config)
	if err != nil {
		return nil, b.misplaced(err)
	}
	root, problem := b.condition(tree.Node)
	if problem != nil {
		return nil, problem
	}
	return &Expression{terms: s.terms, root: root, parts: b.parts}, nil
}

// misplaced words an error of the parser: some token is not where it can be.
func (b *builder) misplaced(err error) *Problem {
	at := len(b.read)
	if e := (*file.Error)(nil); errors.As(err, &e) {
		at = e.From
	}
	i := b.token(at)
	found, offset := "the end", len(strings.TrimRight(b.source, " \t\r\n"))
	if i < len(b.tokens) {
		found, offset = strict.Shown(b.source[b.tokens[i].from:b.tokens[i].to]), b.tokens[i].from
	}
	if i > 0 {
		switch before := b.tokens[i-1]; {
		case before.kind == function:
			return problemf(offset, "found %s, expected ( after %s", found, before.text)
		case before.kind == operand || before.kind == closed:
			more := "the end"
			if b.unclosed(i) {
				more = ")"
			}
			return problemf(offset, "found %s, expected an operator such as < or and, or %s", found, more)
		}
	}
	return problemf(offset, "found %s, expected a figure such as latency.p99, a number or (", found)
}

// token is the index of the token at a byte of what the parser reads.
func (b *builder) token(at int) int {
	if at >= len(b.read)-1 {
		return len(b.tokens)
	}
	i, exact := slices.BinarySearchFunc(b.tokens, at, func(t token, at int) int { return t.at - at })
	if !exact {
		i--
	}
	return i
}

// unclosed says whether a bracket is open before the i-th token.
func (b *builder) unclosed(i int) bool {
	depth := 0
	for _, t := range b.tokens[:i] {
		switch t.kind {
		case open:
			depth++
		case closed:
			depth--
		}
	}
	return depth > 0
}

// offset is the byte of the source where a node is: its operator or its term.
func (b *builder) offset(n ast.Node) int {
	if i := b.token(n.Location().From); i < len(b.tokens) {
		return b.tokens[i].from
	}
	return len(b.source)
}

var comparing = []string{"<", "<=", ">", ">=", "==", "!="}

// condition takes a node that must be true or false.
func (b *builder) condition(n ast.Node) (condition, *Problem) {
	switch n := n.(type) {
	case *ast.BoolNode:
		if n.Value {
			return condition{join: always}, nil
		}
		return condition{join: never}, nil
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			return b.joined(negated, n.Node)
		}
	case *ast.BinaryNode:
		switch {
		case n.Operator == "and" || n.Operator == "&&":
			return b.joined(both, n.Left, n.Right)
		case n.Operator == "or" || n.Operator == "||":
			return b.joined(either, n.Left, n.Right)
		case slices.Contains(comparing, n.Operator):
			return b.comparison(n)
		}
	}
	return condition{}, problemf(b.offset(n), "found %s, which is a number, expected true or false: a comparison such as latency.p99 < 2s", strict.Shown(b.written(n)))
}

func (b *builder) joined(j join, nodes ...ast.Node) (condition, *Problem) {
	c := condition{join: j}
	for _, n := range nodes {
		part, problem := b.condition(n)
		if problem != nil {
			return condition{}, problem
		}
		c.parts = append(c.parts, part)
	}
	return c, nil
}

func (b *builder) comparison(n *ast.BinaryNode) (condition, *Problem) {
	c := &comparison{text: b.written(n), operator: n.Operator}
	left, problem := b.unit(n.Left)
	if problem == nil {
		c.left, problem = b.calculation(n.Left)
	}
	if problem != nil {
		return condition{}, problem
	}
	right, problem := b.unit(n.Right)
	if problem == nil {
		c.right, problem = b.calculation(n.Right)
	}
	if problem != nil {
		return condition{}, problem
	}
	c.unit = common(left, right)
	b.parts++
	return condition{comparison: c}, nil
}

// calculation compiles a node whose parts are known to be numbers.
func (b *builder) calculation(n ast.Node) (calculation, *Problem) {
	text := n.String()
	c := calculation{}
	env := map[string]float64{}
	for _, name := range variables.FindAllString(text, -1) {
		env[name] = 0
		c.terms = append(c.terms, index(name))
	}
	program, err := expr.Compile(text, expr.Env(env), expr.AsFloat64(), expr.MaxNodes(MaxLength),
		expr.DisableAllBuiltins(), expr.EnableBuiltin("min"), expr.EnableBuiltin("max"), expr.EnableBuiltin("abs"))
	if err != nil {
		return c, problemf(b.offset(n), "found %s, expected a number", strict.Shown(b.written(n)))
	}
	c.program = program
	return c, nil
}

var variables = regexp.MustCompile(`\bx[0-9]+\b`)

// index is the number of the term that a variable stands for, or -1.
func index(variable string) int {
	if variable[0] != 'x' {
		return -1
	}
	i, err := strconv.Atoi(variable[1:])
	if err != nil {
		return -1
	}
	return i
}

// written is a node in the words of the source.
func (b *builder) written(n ast.Node) string {
	return variables.ReplaceAllStringFunc(n.String(), func(name string) string { return b.terms[index(name)].text })
}
