package config

import (
	"fmt"
	"reflect"
	"strings"
)

// field is one setting: a leaf of Config or ResolverConfig with what its tags
// say. The tags are
//
//	env      the variable; on a struct, what its fields' variables begin with
//	yaml     the key in the file
//	is       the kind of value, a name in kinds
//	default  the text that holds if nothing is set; without the tag, it must be set
//	wrong    "warning" if a value that cannot be used is only warned about
//	doc      what it is
type field struct {
	variable string
	key      string // with dots: operator.port
	kind     kind
	fallback string
	required bool
	warns    bool
	doc      string
	value    reflect.Value
}

// fieldsOf lists the settings of a Config or ResolverConfig, in the order they
// are declared in.
func fieldsOf(config any) []field {
	return appendFields(nil, reflect.ValueOf(config).Elem(), "", "")
}

func appendFields(fields []field, v reflect.Value, variables, keys string) []field {
	for i := range v.NumField() {
		t := v.Type().Field(i)
		if t.Anonymous {
			fields = appendFields(fields, v.Field(i), variables, keys)
			continue
		}
		variable, tagged := t.Tag.Lookup("env")
		if !tagged {
			continue // Warnings
		}
		variable, key := variables+variable, keys+t.Tag.Get("yaml")
		is, leaf := t.Tag.Lookup("is")
		if !leaf {
			fields = appendFields(fields, v.Field(i), variable, key+".")
			continue
		}
		fallback, optional := t.Tag.Lookup("default")
		fields = append(fields, field{
			variable: variable,
			key:      key,
			kind:     kinds[is],
			fallback: fallback,
			required: !optional,
			warns:    t.Tag.Get("wrong") == "warning",
			doc:      t.Tag.Get("doc"),
			value:    v.Field(i),
		})
	}
	return fields
}

// set takes a text over if it is of the field's kind, and says whether it was.
func (f field) set(text string) bool {
	parsed, ok := f.kind.parse(text)
	if ok {
		f.value.Set(reflect.ValueOf(parsed).Convert(f.value.Type()))
	}
	return ok
}

// problem is what is wrong with a text that is not of the field's kind.
func (f field) problem(text string) *Problem {
	found := quoted(text)
	if text == "" {
		found = "nothing"
	} else if f.kind.hides(text) {
		found = "a value that is not shown"
	}
	return &Problem{Variable: f.variable, Key: f.key, Found: found, Expected: f.kind.expect}
}

// quoted shows at most 64 runes of a text, so that an error stays a line.
func quoted(text string) string {
	const most = 64
	if runes := []rune(text); len(runes) > most {
		return fmt.Sprintf("%q...", string(runes[:most]))
	}
	return fmt.Sprintf("%q", text)
}

// load fills the fields from the environment, else the file, else the default.
func load(from Sources, fields []field) (warnings []string, err error) {
	written, problems := from.File.read(fields)
	for _, f := range fields {
		if !f.required && f.fallback != "" {
			f.set(f.fallback)
		}
		var complaints Problems
		entry, inFile := written[f.key]
		if inFile && !f.set(entry.text) {
			complaints = append(complaints, from.File.at(entry.line, entry.column, f.problem(entry.text)))
		}
		text := from.variable(f.variable)
		if text != "" && !f.set(text) {
			complaints = append(complaints, f.problem(text))
		}
		switch {
		case f.warns:
			for _, p := range complaints {
				warnings = append(warnings, fmt.Sprintf("%s; using %s", p, render(f.value)))
			}
		case len(complaints) > 0:
			problems = append(problems, complaints...)
		case f.required && text == "" && !inFile && !problems.about(f.key):
			problems = append(problems, f.problem(""))
		}
	}
	return warnings, problems.err()
}

func validate(fields []field) error {
	var problems Problems
	for _, f := range fields {
		text := render(f.value)
		if text == "" && !f.required && f.fallback == "" {
			continue
		}
		if _, ok := f.kind.parse(text); !ok {
			problems = append(problems, f.problem(text))
		}
	}
	return problems.err()
}

func listing(fields []field) string {
	var b strings.Builder
	for _, f := range fields {
		shown := render(f.value)
		if s, ok := f.value.Interface().(fmt.Formatter); ok {
			shown = fmt.Sprint(s)
		}
		fmt.Fprintf(&b, "%s=%s\n", f.variable, shown)
	}
	return b.String()
}
