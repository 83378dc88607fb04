package report

import (
	"strings"
	"unicode"

	"github.com/olekukonko/tablewriter/pkg/twwidth"
)

// clean makes text that a user wrote harmless in a terminal and one line long:
// control characters, escape sequences' introducers and invalid bytes become
// U+FFFD, line breaks and tabs become spaces, and marks that reorder or hide
// text (bidirectional controls, zero-width characters) are dropped.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t', r == '\u2028', r == '\u2029':
			return ' '
		case unicode.IsControl(r), r == 0xfffe, r == 0xffff: // the last two are not allowed in XML
			return unicode.ReplacementChar
		case unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}

// columns is the number of terminal cells of a text, without colours. It does
// not depend on the locale.
func columns(text string) int {
	return twwidth.WidthWithOptions(text, twwidth.Options{})
}

// fit cuts text to a number of columns; an ellipsis says that something is
// missing.
func fit(text string, width int) string {
	if columns(text) <= width {
		return text
	}
	kept := ""
	for _, r := range text {
		if columns(kept+string(r)) > width-1 {
			break
		}
		kept += string(r)
	}
	return strings.TrimRight(kept, " ") + "…"
}

// wrap breaks text between words into lines of at most width columns; a longer
// word is cut, and a unit stays with its figure.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range words(text) {
		word = fit(word, width)
		switch {
		case line == "":
			line = word
		case columns(line)+1+columns(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// words splits text at blanks, except between a figure and its unit.
func words(text string) []string {
	var list []string
	for word := range strings.FieldsSeq(text) {
		switch strings.Trim(word, ".,;:()") {
		case "%", "s", "ms", "µs":
			if len(list) > 0 {
				list[len(list)-1] += " " + word
				continue
			}
		}
		list = append(list, word)
	}
	return list
}

// code is text as a Markdown code span, inside which nothing is markup, no name
// is mentioned and no issue is linked.
func code(text string) string {
	text = strings.TrimSpace(clean(text))
	if text == "" {
		return ""
	}
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	if len(fence) > 1 {
		text = " " + text + " "
	}
	return fence + text + fence
}

// codeCell is code inside a table, where GitHub reads bars before code spans.
func codeCell(text string) string { return strings.ReplaceAll(code(text), "|", `\|`) }
