package keda

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/scalelab/scalelab/messages"
)

// formula is scalingModifiers, ready to be evaluated.
type formula struct {
	program    *vm.Program
	target     float64
	total      bool    // the target is one of all pods together
	activation float64 // above it the workload is active
	// otherwise is the value of a formula that gives nil; nil: that is an error.
	otherwise *float64
	whole     bool // the target is a whole number above 0, as a fallback wants it
}

// newFormula reads scalingModifiers and tries the formula out with -1 for every
// trigger.
func newFormula(s *ScaledObjectSpec, problems *messages.Problems) *formula {
	m, at := s.modifiers(), field.NewPath("spec", "advanced", "scalingModifiers")
	f := &formula{total: m.MetricType == autoscalingv2.ValueMetricType}
	var err error
	if m.Formula == "" {
		problems.Addf(at.Child("formula").String(), "found none, expected an expression over the names of triggers")
	} else if f.program, err = compile(m.Formula, s.Triggers); err != nil {
		problems.Addf(at.Child("formula").String(), "%s", firstLine(err))
	}
	if f.target, err = strconv.ParseFloat(m.Target, 64); err != nil || !(f.target > 0) {
		problems.Addf(at.Child("target").String(), "found %.70q, expected a number above 0 in quotes", m.Target)
	}
	whole, err := strconv.ParseInt(m.Target, 10, 64)
	f.whole = err == nil && whole > 0
	if m.ActivationTarget != "" {
		if f.activation, err = strconv.ParseFloat(m.ActivationTarget, 64); err != nil {
			problems.Addf(at.Child("activationTarget").String(), "found %.70q, expected a number in quotes", m.ActivationTarget)
		}
	}
	if m.MetricType != "" && m.MetricType != autoscalingv2.AverageValueMetricType && !f.total {
		problems.Addf(at.Child("metricType").String(), "found %.70q, expected AverageValue or Value", string(m.MetricType))
	}
	if s.Fallback != nil {
		f.otherwise = new(float64(s.Fallback.Replicas) * f.target)
	}
	return f
}

// compile makes a program of which the result is a number, or nil where the
// formula says what to do without a value. The time of day is none of its inputs.
func compile(text string, triggers []Trigger) (*vm.Program, error) {
	if strings.Contains(text, "??") {
		text = "let composite = (" + text + "); composite == nil ? nil : float(composite)"
	} else if !strings.HasPrefix(text, "float(") {
		text = "float(" + text + ")"
	}
	names := map[string]float64{}
	for _, t := range triggers {
		if t.Name != "" && t.Type != "cpu" && t.Type != "memory" {
			names[t.Name] = -1
		}
	}
	program, err := expr.Compile(text, expr.Env(names), expr.DisableBuiltin("now"))
	if err != nil {
		return nil, err
	}
	_, err = expr.Run(program, names)
	return program, err
}

// firstLine leaves out the lines that show where in the expression the fault is.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// evaluate gives the composite metric; a trigger without a value is nil.
func (f *formula) evaluate(values map[string]any) (resource.Quantity, error) {
	out, err := expr.Run(f.program, values)
	if err != nil {
		return resource.Quantity{}, errors.New("the formula cannot be evaluated: " + firstLine(err))
	}
	if out == nil {
		if f.otherwise == nil {
			return resource.Quantity{}, errors.New("the formula gives nil, and there is no fallback")
		}
		out = *f.otherwise
	}
	number, ok := out.(float64)
	if !ok {
		return resource.Quantity{}, fmt.Errorf("the formula gives a %T, expected a number", out)
	}
	return *resource.NewMilliQuantity(toInt64(number*1000), resource.DecimalSI), nil
}

// toInt64 cuts a number as amd64 does: what does not fit is the lowest of all.
func toInt64(x float64) int64 {
	if x >= math.MinInt64 && x < math.MaxInt64 {
		return int64(x)
	}
	return math.MinInt64
}
