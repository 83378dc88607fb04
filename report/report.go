// Package report renders results: tables and charts for a terminal, JSON, YAML,
// CSV, Markdown for pull requests, lines for benchstat, and pictures. It is pure:
// it writes to an io.Writer and knows no files, no clock and no terminal; width
// and colour are arguments.
//
// Text that users wrote (names, messages) is data and never reaches a terminal
// or a page as control sequences or markup.
package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/sim"
)

// Options are what the terminal can show. The zero value is 80 columns without
// colour.
type Options struct {
	Width int  // columns; 0: 80. Less than 60 is treated as 60
	Color bool // ANSI colours
	// Command repeats what was done, and Version is the one of scalelab that did it;
	// for pages. Without a Command they name the run.
	Command, Version string
}

const (
	defaultWidth = 80
	minWidth     = 60
)

func (o Options) width() int {
	if o.Width == 0 {
		return defaultWidth
	}
	return max(minWidth, o.Width)
}

// The formats of Run and Compare.
const (
	Table    = "table"    // fits the width
	Wide     = "wide"     // all columns and all decisions, as wide as they are
	JSON     = "json"     // indented by two
	JSONL    = "jsonl"    // one result per line, without the comparison
	YAML     = "yaml"     // the same fields in the same order
	CSV      = "csv"      // a run's timeline; a comparison's summaries
	Markdown = "markdown" // for pull requests on GitHub
	HTML     = "html"     // one page that needs nothing else
	Bench    = "bench"    // Go benchmark lines, for benchstat
	PNG      = "png"      // a picture, 1600 pixels wide
	SVG      = "svg"      // the same picture, scalable
)

// Formats are the formats that Run and Compare know.
func Formats() []string {
	return []string{Table, Wide, JSON, JSONL, YAML, CSV, Markdown, HTML, Bench, PNG, SVG}
}

// Run writes one result in a format. It is an error when the format is unknown,
// the timeline is inconsistent, or w cannot be written.
func Run(w io.Writer, r *sim.Result, format string, o Options) error {
	if err := check(r); err != nil {
		return err
	}
	switch format {
	case Table, Wide:
		return writePage(w, runPage(r, format == Wide, o), o)
	case JSON:
		return writeJSON(w, r)
	case JSONL:
		return writeJSONLines(w, []*sim.Result{r})
	case YAML:
		return writeYAML(w, r)
	case CSV:
		return writeCSV(w, timelineRows(r))
	case Markdown:
		return writeMarkdown(w, runBlocks(r))
	case HTML:
		return writeRunHTML(w, r, o)
	case Bench:
		return writeBenchmark(w, []*sim.Result{r})
	case PNG, SVG:
		return drawFigure(w, runFigure(r), format)
	}
	return unknownFormat(format, Formats())
}

// Compare writes a comparison and the results it was made from in a format. It
// is an error when the format is unknown or w cannot be written.
func Compare(w io.Writer, c *bench.Outcome, format string, o Options) error {
	for _, r := range c.Results {
		if err := check(r); err != nil {
			return err
		}
	}
	switch format {
	case Table, Wide:
		return writePage(w, comparePage(c, format == Wide, o), o)
	case JSON:
		return writeJSON(w, c)
	case JSONL:
		return writeJSONLines(w, c.Results)
	case YAML:
		return writeYAML(w, c)
	case CSV:
		return writeCSV(w, summaryRows(c.Results))
	case Markdown:
		return writeMarkdown(w, compareBlocks(c))
	case HTML:
		return writeCompareHTML(w, c, o)
	case Bench:
		return writeBenchmark(w, c.Results)
	case PNG, SVG:
		return drawFigure(w, compareFigure(c), format)
	}
	return unknownFormat(format, Formats())
}

func unknownFormat(format string, known []string) error {
	return fmt.Errorf("format: found %q, expected one of %s", format, strings.Join(known, ", "))
}
