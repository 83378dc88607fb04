package messages

import "fmt"

// Invalid is a setting that cannot be used. Field is its path below the value
// that was validated, such as "perPod.serviceTime.p99" or "[2].ramp.from", so
// that a loader can point at the line it was written on.
type Invalid struct {
	Field   string
	Problem string // what was found and what was expected
}

func (e *Invalid) Error() string {
	if e.Field == "" {
		return e.Problem
	}
	return e.Field + ": " + e.Problem
}

// Invalidf makes an Invalid from a format.
func Invalidf(field, format string, args ...any) *Invalid {
	return &Invalid{Field: field, Problem: fmt.Sprintf(format, args...)}
}

// Under returns err with every Invalid in it moved below a parent field; other
// errors, and nil, are returned as they are.
func Under(parent string, err error) error {
	switch e := err.(type) {
	case nil:
		return nil
	case *Invalid:
		return &Invalid{Field: join(parent, e.Field), Problem: e.Problem}
	case interface{ Unwrap() []error }:
		var moved Problems
		for _, child := range e.Unwrap() {
			moved = append(moved, Under(parent, child))
		}
		return moved
	}
	return err
}

func join(parent, child string) string {
	if parent == "" || child == "" || child[0] == '[' {
		return parent + child
	}
	return parent + "." + child
}

// Problems is several errors found at once.
type Problems []error

// Add appends err, or what it consists of if it is Problems itself, unless it
// is nil.
func (p *Problems) Add(err error) {
	switch e := err.(type) {
	case nil:
	case Problems:
		*p = append(*p, e...)
	default:
		*p = append(*p, err)
	}
}

// Addf appends an Invalid.
func (p *Problems) Addf(field, format string, args ...any) {
	*p = append(*p, Invalidf(field, format, args...))
}

// Err is nil when nothing was found.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

func (p Problems) Error() string {
	text := ""
	for i, err := range p {
		if i > 0 {
			text += "\n"
		}
		text += err.Error()
	}
	return text
}

// Unwrap gives the parts to errors.Is and errors.As.
func (p Problems) Unwrap() []error { return p }
