package scenarios

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scenarios/strict"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// owner reports what the owner of a section says about it, unless the section
// could not be decoded.
func (l *loader) owner(path string, validate func() error) {
	if l.problems.Below(path) {
		return
	}
	l.invalid(validate(), func(field string) *strict.Node { return l.root.Locate(below(path, field)) })
}

// invalid reports every messages.Invalid in err where its field is written.
func (l *loader) invalid(err error, locate func(field string) *strict.Node) {
	switch e := err.(type) {
	case nil:
	case *messages.Invalid:
		l.problems.Addf(locate(e.Field), "%s", e.Problem)
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			l.invalid(inner, locate)
		}
	default:
		l.problems.Addf(locate(""), "%s", err)
	}
}

func below(path, field string) string {
	if field == "" || field[0] == '[' {
		return path + field
	}
	return path + "." + field
}

// fieldErrors reports what an API server would refuse, where it is written. It
// says whether there was nothing.
func (l *loader) fieldErrors(n *strict.Node, errs field.ErrorList) bool {
	for _, e := range errs {
		at := n.Locate(e.Field)
		l.problems.Addf(at, "found %s%s", foundFor(at, e), expected(e))
	}
	return len(errs) == 0
}

// foundFor is what is written in the file, or the default that stands in for it.
func foundFor(at *strict.Node, e *field.Error) string {
	value := reflect.ValueOf(e.BadValue)
	if at.Kind != strict.Null || !value.IsValid() || value.IsZero() {
		return at.Found()
	}
	return strict.Shown(fmt.Sprint(e.BadValue))
}

// expected words the detail of a Kubernetes validation error.
func expected(e *field.Error) string {
	if detail, ok := strings.CutPrefix(e.Detail, "must be "); ok {
		return ", expected " + detail
	}
	if detail, ok := strings.CutPrefix(e.Detail, "supported values: "); ok {
		return ", expected one of " + strings.ReplaceAll(detail, `"`, "")
	}
	if strings.HasPrefix(e.Detail, "expected ") {
		return ", " + e.Detail
	}
	if e.Detail == "" {
		return ", expected a value"
	}
	return ": " + e.Detail
}
