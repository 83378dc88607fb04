package report

import (
	"io"
	"strings"
)

// style is how a line looks on a terminal that has colours. Without colours a
// page says the same.
type style uint8

const (
	plain  style = iota
	strong       // titles and heads of tables
	faint        // what comes second
	good
	bad
	warn
)

var escapes = [...]string{plain: "", strong: "\x1b[1m", faint: "\x1b[2m", good: "\x1b[32m", bad: "\x1b[31m", warn: "\x1b[33m"}

const reset = "\x1b[0m"

type line struct {
	text  string
	style style
}

// page is what a terminal shows, line by line.
type page []line

func (p *page) add(s style, text string) { *p = append(*p, line{text, s}) }

func (p *page) blank() { p.add(plain, "") }

// prose adds text broken into lines of at most width columns, with the given
// prefix before the first and blanks before the others.
func (p *page) prose(s style, prefix, text string, width int) {
	for i, part := range wrap(text, width-columns(prefix)) {
		if i > 0 {
			prefix = strings.Repeat(" ", columns(prefix))
		}
		p.add(s, prefix+part)
	}
}

// writePage writes lines without blanks at their ends.
func writePage(w io.Writer, p page, o Options) error {
	var text strings.Builder
	for _, l := range p {
		content := strings.TrimRight(l.text, " ")
		if o.Color && l.style != plain && content != "" {
			content = escapes[l.style] + content + reset
		}
		text.WriteString(content + "\n")
	}
	_, err := io.WriteString(w, text.String())
	return err
}
