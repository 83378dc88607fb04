package config

import (
	"fmt"
	"strings"
)

// Reference is the table of the operator's settings in Markdown, made from the
// tags that Load reads.
func Reference() string { return table(fieldsOf(new(Config))) }

// ResolverReference is the table of the resolver's settings in Markdown, made
// from the tags that LoadResolver reads.
func ResolverReference() string { return table(fieldsOf(new(ResolverConfig))) }

func table(fields []field) string {
	var b strings.Builder
	b.WriteString("| Variable | In the file | Default | What it is | Accepts |\n|---|---|---|---|---|\n")
	for _, f := range fields {
		fallback := "none"
		switch {
		case f.required:
			fallback = "must be set"
		case f.fallback != "":
			fallback = "`" + f.fallback + "`"
		}
		accepts := f.kind.expect
		if f.warns {
			accepts += "; anything else is a warning"
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s | %s |\n", f.variable, f.key, fallback, f.doc, accepts)
	}
	return b.String()
}
