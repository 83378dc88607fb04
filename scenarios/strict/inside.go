package strict

import (
	"bytes"
	"regexp"
	"unicode"
	"unicode/utf8"
)

// Inside is where a byte of a scalar's text stands in the file that the scalar
// was read from: behind quotes, escapes and line breaks. White space in the text
// can be written in many ways and is passed over.
func Inside(src []byte, n *Node, offset int) Position {
	w := walker{rest: src, at: Position{File: n.File, Line: 1, Column: 1}}
	for len(w.rest) > 0 && (w.at.Line < n.Line || w.at.Line == n.Line && w.at.Column < n.Column) {
		w.skip(1)
	}
	gap := w.enter()
	for at, r := range n.Text {
		if unicode.IsSpace(r) {
			continue
		}
		w.skip(len(gap.Find(w.rest)))
		if at >= offset {
			return w.at
		}
		w.skip(max(1, len(w.character.Find(w.rest))))
	}
	return w.at
}

// walker goes through a file.
type walker struct {
	rest      []byte
	at        Position
	character *regexp.Regexp // what stands for one character of the text
}

// skip goes on by at least n bytes, in whole characters.
func (w *walker) skip(n int) {
	for n > 0 && len(w.rest) > 0 {
		r, size := utf8.DecodeRune(w.rest)
		w.rest, n = w.rest[size:], n-size
		w.at.Column++
		if breaks(r) || r == '\r' && !bytes.HasPrefix(w.rest, []byte("\n")) {
			w.at.Line, w.at.Column = w.at.Line+1, 1
		}
	}
}

// breaks says whether a character ends a line in YAML.
func breaks(r rune) bool {
	return r == '\n' || r == '\u0085' || r == '\u2028' || r == '\u2029'
}

var (
	property    = regexp.MustCompile(`^[&!]\S*\s+`)
	blockHeader = regexp.MustCompile(`^[|>][-+0-9]*[ \t]*(#[^\n]*)?\r?\n`)

	plainCharacter = regexp.MustCompile(`^(?s:.)`)
	plainGap       = regexp.MustCompile(`^[\s\pZ]*`)
	singleQuoted   = regexp.MustCompile(`^(''|(?s:.))`)
	doubleQuoted   = regexp.MustCompile(`^(\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}|\\.|(?s:.))`)
	doubleGap      = regexp.MustCompile(`^([\s\pZ]|\\\r?\n|\\[\ttnrvfNLP_ ])*`)
)

// enter skips anchors, tags, and what opens the scalar. It returns what can
// stand between two characters of the text that are no white space.
func (w *walker) enter() (gap *regexp.Regexp) {
	for property.Match(w.rest) {
		w.skip(len(property.Find(w.rest)))
	}
	w.character = plainCharacter
	switch {
	case len(w.rest) == 0:
	case w.rest[0] == '"':
		w.skip(1)
		w.character = doubleQuoted
		return doubleGap
	case w.rest[0] == '\'':
		w.skip(1)
		w.character = singleQuoted
	default:
		w.skip(len(blockHeader.Find(w.rest)))
	}
	return plainGap
}
