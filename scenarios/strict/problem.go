// Package strict reads YAML so that nothing is ignored: unknown keys, wrong
// types, doubled keys, leftover documents and nonsensical numbers are all
// reported, each with file, line, column and path, and with what was expected.
//
// A file becomes a tree of Nodes (Parse), which can be changed (Set, Merge),
// asked where a path was written (Node.Locate), and decoded into Go values by
// reflection over struct tags (Decode). From the same tags come a JSON Schema
// (Schema) and the way back to YAML (Encode).
//
// Anchors, aliases and merge keys are followed, within a budget: the expanded
// tree has at most MaxNodes values. Custom tags are refused.
package strict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Position is where a value was written. Line and Column count from 1.
type Position struct {
	File   string
	Line   int
	Column int
}

func (p Position) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// Problem is one thing wrong with a file.
type Problem struct {
	Position
	Path string // such as traffic[0].rps; empty for the file as a whole
	Text string // what was found and what was expected
}

// Error is the whole problem in one line: file:line:column: path: text.
func (p Problem) Error() string { return p.line("") }

// Warning is Error with the word before the path.
func (p Problem) Warning() string { return p.line("warning: ") }

func (p Problem) line(kind string) string {
	text := p.Position.String() + ": " + kind
	if p.Path != "" {
		text += p.Path + ": "
	}
	return oneLine(text + p.Text)
}

// Problems is everything wrong with a file.
type Problems []Problem

// Addf notes a problem at a node.
func (p *Problems) Addf(at *Node, format string, args ...any) {
	*p = append(*p, Problem{Position: at.Position, Path: at.Path(), Text: fmt.Sprintf(format, args...)})
}

// Below says whether a problem lies at the path or below it.
func (p Problems) Below(path string) bool {
	return slices.ContainsFunc(p, func(q Problem) bool {
		rest, ok := strings.CutPrefix(q.Path, path)
		return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// Sorted gives the problems by file, line and column, each once. The file that
// is named first stays first.
func (p Problems) Sorted(first string) Problems {
	sorted := slices.Clone(p)
	slices.SortStableFunc(sorted, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(rank(a.File, first), rank(b.File, first)), cmp.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Path, b.Path))
	})
	return slices.Compact(sorted)
}

func rank(file, first string) int {
	if file == first {
		return 0
	}
	return 1
}

// Error is all problems, one per line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.Error()
	}
	return strings.Join(lines, "\n")
}

// oneLine keeps control characters out of messages: a value copied from a file
// must not be able to start a line of its own.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
}
