package strict

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// duration reads 30s, 1h30m or 2.5ms. There is no unit-less zero: 0s.
func (d *decoder) duration(n *Node, v reflect.Value) {
	if n.Kind != String || !durationText.MatchString(n.Text) {
		d.wrong(n, durationType)
		return
	}
	value, err := time.ParseDuration(n.Text)
	if err != nil || value > MaxDuration {
		d.problems.Addf(n, "found %s, expected at most %s", n.Found(), FormatDuration(MaxDuration))
		return
	}
	v.SetInt(int64(value))
}

// FormatDuration is the shortest way to write a duration: 1h30m for 1h30m0s.
func FormatDuration(value time.Duration) string {
	text := value.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func (d *decoder) instant(n *Node, v reflect.Value) {
	value, err := time.Parse(time.RFC3339, n.Text)
	if n.Kind != String || err != nil {
		d.wrong(n, timeType)
		return
	}
	v.Set(reflect.ValueOf(value.UTC()))
}

func (d *decoder) scalar(n *Node, v reflect.Value, f fieldInfo) {
	switch v.Kind() {
	case reflect.String:
		d.str(n, v, f)
	case reflect.Bool:
		if n.Kind != Bool {
			d.wrong(n, v.Type())
			return
		}
		v.SetBool(strings.EqualFold(n.Text, "true"))
	case reflect.Float32, reflect.Float64:
		d.float(n, v, f)
	default:
		d.integer(n, v, f)
	}
}

func (d *decoder) str(n *Node, v reflect.Value, f fieldInfo) {
	switch {
	case n.Kind == Int || n.Kind == Float || n.Kind == Bool:
		d.problems.Addf(n, "found %s, expected a string such as %q", n.Found(), n.Text)
	case n.Kind != String:
		d.problems.Addf(n, "found %s, expected %s", n.Found(), d.fieldExpectation(f.typed(v.Type())))
	case f.enum != nil && !slices.Contains(f.enum, n.Text):
		d.problems.Addf(n, "found %s, expected %s%s", n.Found(), oneOf(f.enum), DidYouMean(n.Text, f.enum))
	case f.pattern != nil && !f.pattern.MatchString(n.Text):
		d.problems.Addf(n, "found %s, expected text that matches %s", n.Found(), f.pattern)
	default:
		v.SetString(n.Text)
	}
}

func (f fieldInfo) typed(t reflect.Type) fieldInfo {
	f.typ = t
	return f
}

func (d *decoder) float(n *Node, v reflect.Value, f fieldInfo) {
	value, err := strconv.ParseFloat(n.Text, 64)
	huge := errors.Is(err, strconv.ErrRange) // which YAML takes for text
	if n.Kind != Float && n.Kind != Int && !(n.Kind == String && huge) {
		d.wrong(n, v.Type())
		return
	}
	switch {
	case huge || math.Abs(value) > MaxNumber && !math.IsInf(value, 0):
		d.problems.Addf(n, "found %s, expected a number of at most 1e15", n.Found())
	case err != nil || math.IsNaN(value) || math.IsInf(value, 0):
		// .nan and .inf end here, as do hexadecimal and underscored numbers.
		d.problems.Addf(n, "found %s, expected a finite decimal number", n.Found())
	case d.within(n, value, f):
		v.SetFloat(value)
	}
}

func (d *decoder) integer(n *Node, v reflect.Value, f fieldInfo) {
	if n.Kind != Int && n.Kind != Float {
		d.wrong(n, v.Type())
		return
	}
	low, high := limits(v.Type())
	text := n.Text
	if d.Style == JSON && n.Kind == Int {
		text = kubernetesInt(n)
	}
	approximate, err := strconv.ParseFloat(text, 64)
	switch {
	case err == nil && approximate != math.Trunc(approximate), math.IsNaN(approximate), n.Kind == Float && err != nil:
		d.wrong(n, v.Type())
		return
	case len(text) > 1 && text[0] == '0' && n.Kind == Int:
		// 010 is eight to some YAML readers and ten to others.
		d.problems.Addf(n, "found %s, expected a whole number in plain decimal digits", n.Found())
		return
	}
	if !setInteger(text, approximate, v) {
		d.problems.Addf(n, "found %s, expected a whole number from %s to %s", n.Found(), low, high)
		return
	}
	d.within(n, approximate, f)
}

// kubernetesInt is a number as kubectl reads it: `defaultMode: 0644` is octal.
func kubernetesInt(n *Node) string {
	value, err := n.number()
	if err != nil {
		return n.Text
	}
	return fmt.Sprint(value)
}

// setInteger reads 12, and also 1.2e1: JSON has one type of number.
func setInteger(text string, approximate float64, v reflect.Value) bool {
	const exact = 1 << 53
	if strings.ContainsAny(text, ".eE") && math.Abs(approximate) <= exact {
		text = strconv.FormatInt(int64(approximate), 10)
	}
	if v.CanInt() {
		value, err := strconv.ParseInt(text, 10, v.Type().Bits())
		v.SetInt(value)
		return err == nil
	}
	value, err := strconv.ParseUint(text, 10, v.Type().Bits())
	v.SetUint(value)
	return err == nil
}

// limits are the smallest and largest value of an integer type.
func limits(t reflect.Type) (low, high string) {
	bits := t.Bits()
	if t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uintptr {
		return "0", strconv.FormatUint(math.MaxUint64>>(64-bits), 10)
	}
	return strconv.FormatInt(math.MinInt64>>(64-bits), 10), strconv.FormatInt(math.MaxInt64>>(64-bits), 10)
}

func (d *decoder) within(n *Node, value float64, f fieldInfo) bool {
	switch {
	case f.min != nil && value < *f.min:
		d.problems.Addf(n, "found %s, expected at least %s", n.Found(), number(*f.min))
	case f.max != nil && value > *f.max:
		d.problems.Addf(n, "found %s, expected at most %s", n.Found(), number(*f.max))
	default:
		return true
	}
	return false
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
