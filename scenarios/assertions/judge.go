package assertions

import (
	"math"

	"github.com/expr-lang/expr"
)

// truth is what a condition comes to: unknown where a figure is absent.
type truth uint8

const (
	unknown truth = iota
	no
	yes
)

// evidence is the comparison that decided, and its two sides.
type evidence struct {
	comparison  *comparison
	left, right *float64
	why         string // one of them is absent
}

// judge evaluates the condition. The evidence is the first comparison that
// makes it what it is; there is none for a constant.
func (c *condition) judge(values []value) (truth, *evidence) {
	switch c.join {
	case compares:
		return c.comparison.judge(values)
	case always:
		return yes, nil
	case never:
		return no, nil
	case negated:
		inner, by := c.parts[0].judge(values)
		return []truth{unknown: unknown, no: yes, yes: no}[inner], by
	case both:
		return c.decided(values, no, yes)
	}
	return c.decided(values, yes, no)
}

// decided is one verdict if a part says so, the other if all parts do, else
// unknown.
func (c *condition) decided(values []value, one, all truth) (truth, *evidence) {
	verdict, by := all, (*evidence)(nil)
	for i := range c.parts {
		part, evidence := c.parts[i].judge(values)
		switch {
		case part == one:
			return one, evidence
		case part == unknown && verdict != unknown:
			verdict, by = unknown, evidence
		case by == nil:
			by = evidence
		}
	}
	return verdict, by
}

func (c *comparison) judge(values []value) (truth, *evidence) {
	by := &evidence{comparison: c}
	var why string
	by.left, by.why = c.left.number(values)
	if by.right, why = c.right.number(values); by.why == "" {
		by.why = why
	}
	if by.why != "" {
		return unknown, by
	}
	if compare(*by.left, c.operator, *by.right) {
		return yes, by
	}
	return no, by
}

func compare(left float64, operator string, right float64) bool {
	switch operator {
	case "<":
		return left < right
	case "<=":
		return left <= right
	case ">":
		return left > right
	case ">=":
		return left >= right
	case "==":
		return left == right
	}
	return left != right
}

// number calculates; without a number, why says why.
func (c calculation) number(values []value) (number *float64, why string) {
	env := make(map[string]float64, len(c.terms))
	for _, i := range c.terms {
		if values[i].number == nil {
			return nil, values[i].why
		}
		env[variable(i)] = *values[i].number
	}
	result, err := expr.Run(c.program, env)
	if err != nil {
		return nil, "it cannot be calculated"
	}
	f, ok := result.(float64)
	if !ok || math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, "it is divided by zero"
	}
	return &f, ""
}
