package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/scalelab/scalelab/bench"
)

// Scenario is an entry of a list of scenarios.
type Scenario struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	DurationS   float64  `json:"duration_s"`
	Autoscalers []string `json:"autoscalers"`
}

// ListFormats are the formats that Scenarios and Trace know.
func ListFormats() []string { return []string{Table, JSON, YAML} }

// Scenarios writes a list of scenarios. It is an error when the format is
// unknown or w cannot be written.
func Scenarios(w io.Writer, list []Scenario, format string, o Options) error {
	if format != Table {
		if list == nil {
			list = []Scenario{}
		}
		return encode(w, list, format)
	}
	var p page
	for i, s := range list {
		if i > 0 {
			p.blank()
		}
		p.add(strong, fit(fmt.Sprintf("%s  %s", clean(s.Name), clock(s.DurationS)), o.width()))
		p.prose(plain, "  ", clean(s.Description), o.width())
		p.prose(faint, "  ", cleanList(s.Autoscalers), o.width())
	}
	return writePage(w, p, o)
}

func cleanList(names []string) string {
	cleaned := make([]string, len(names))
	for i, name := range names {
		cleaned[i] = clean(name)
	}
	return strings.Join(cleaned, ", ")
}

// Valid writes that a scenario can be run, and what is in it.
func Valid(w io.Writer, s Scenario, o Options) error {
	var p page
	p.prose(good, "", fmt.Sprintf("%s is valid: %s, %s (%s)", clean(s.Name), clock(s.DurationS),
		plural(len(s.Autoscalers), "autoscaler", "autoscalers"), cleanList(s.Autoscalers)), o.width())
	return writePage(w, p, o)
}

// Recording is what a trace file holds. Absent is null.
type Recording struct {
	File       string      `json:"file"`
	Kind       string      `json:"kind"` // counts, rates or timestamps
	Rows       int         `json:"rows"`
	First      string      `json:"first"`
	Last       string      `json:"last"`
	LengthS    float64     `json:"length_s"`
	BinS       *float64    `json:"bin_s"` // null for timestamps
	Holes      []TraceHole `json:"holes"`
	Requests   float64     `json:"requests"`
	MeanRPS    float64     `json:"mean_rps"`
	PeakRPS    float64     `json:"peak_rps"`
	PeakToMean *float64    `json:"peak_to_mean"`
	GapCV      *float64    `json:"gap_cv"`     // of the gaps between timestamps; 1: Poisson
	Dispersion *float64    `json:"dispersion"` // variance of the counts over their mean; 1: Poisson
}

// TraceHole is a stretch of missing bins before a line of the file.
type TraceHole struct {
	Line        int    `json:"line"`
	After       string `json:"after"`
	Before      string `json:"before"`
	MissingBins int    `json:"missing_bins"`
}

// Trace writes what a trace holds. It is an error when the format is unknown or
// w cannot be written.
func Trace(w io.Writer, t Recording, format string, o Options) error {
	if format != Table {
		if t.Holes == nil {
			t.Holes = []TraceHole{}
		}
		return encode(w, t, format)
	}
	var p page
	width := o.width()
	p.add(strong, fit(clean(t.File), width))
	p.blank()
	kind := fmt.Sprintf("%s in %s", clean(t.Kind), plural(t.Rows, "row", "rows"))
	if t.BinS != nil {
		kind += fmt.Sprintf(", bins of %s", clock(*t.BinS))
	}
	p.label("Holds", kind, width)
	p.label("Spans", fmt.Sprintf("%s, from %s to %s", clock(t.LengthS), clean(t.First), clean(t.Last)), width)
	p.label("Requests", amount(t.Requests), width)
	rate := fmt.Sprintf("mean %s per second, peak %s", bench.Digits(t.MeanRPS), bench.Digits(t.PeakRPS))
	if t.PeakToMean != nil {
		rate += fmt.Sprintf(" (%s the mean)", ratio(*t.PeakToMean))
	}
	p.label("Rate", rate, width)
	if t.GapCV != nil {
		p.label("Gaps", fmt.Sprintf("coefficient of variation %s (Poisson: 1)", bench.Digits(*t.GapCV)), width)
	}
	if t.Dispersion != nil {
		p.label("Bursts", fmt.Sprintf("variance of the bins over their mean %s (Poisson of constant rate: 1)",
			bench.Digits(*t.Dispersion)), width)
	}
	p.holes(t.Holes, width)
	return writePage(w, p, o)
}

// holes lists the first holes of a trace.
func (p *page) holes(holes []TraceHole, width int) {
	const most = 10
	for i, h := range holes {
		if i == most {
			p.prose(warn, "! ", fmt.Sprintf("and %s (-o json lists all)", plural(len(holes)-most, "more hole", "more holes")), width)
			break
		}
		p.prose(warn, "! ", fmt.Sprintf("line %s: %s missing between %s and %s", strconv.Itoa(h.Line),
			plural(h.MissingBins, "bin", "bins"), clean(h.After), clean(h.Before)), width)
	}
}

// encode writes a value in one of the machine formats of a list.
func encode(w io.Writer, v any, format string) error {
	switch format {
	case JSON:
		return writeJSON(w, v)
	case YAML:
		return writeYAML(w, v)
	}
	return unknownFormat(format, ListFormats())
}
