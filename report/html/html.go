// Package html writes one self-contained page about results: it opens from a disk
// without a network, runs only the scripts that were written into it, and shows
// what users wrote as text and nothing else.
//
// What a reader needs first (the verdict, tables, differences between manifests)
// is in the page itself. The curves are drawn by uPlot from Data, which lies in the
// page as base64 of gzip of JSON, so that a report with every decision of several
// autoscalers stays small enough for a mail.
package html

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"

	"github.com/tsenart/vegeta/v12/lib/plot"
)

// Page is what a page says.
type Page struct {
	Title       string
	Description string
	Subtitle    string
	Mood        string   // of the verdict: good, bad, or empty
	Verdict     []string // sentences
	Warnings    []string
	Checks      []Check // assertions
	Facts       []Fact
	Tables      []Table
	Differences []Difference
	Provenance  []Fact // how to get the same again
	Data        Data
}

// Fact is a label with its text.
type Fact struct{ Label, Text string }

// Check is an assertion and how it went.
type Check struct{ Mood, Mark, Text string }

// Table is a table; Rows are as wide as Head.
type Table struct {
	Title string
	Head  []Cell
	Rows  []Row
	Note  string
}

// Row is a row of a table. Class is one of the style sheet's: faint, strong, lead.
type Row struct {
	Class string
	Cells []Cell
}

// Cell is a cell, or a column's head. Text stands to the left, figures to the right.
type Cell struct {
	Name string
	Text bool
}

// Difference is what differs between two manifests.
type Difference struct {
	Title string
	Open  bool
	Lines []Line
}

// Line is a line of a Difference. Kind is added, removed, hunk, or empty.
type Line struct{ Kind, Text string }

// Data is what the curves are drawn from. All runs have the same length.
type Data struct {
	Runs     []Run   `json:"runs"`
	Shown    string  `json:"shown"`    // the run that is shown in detail first
	Points   []Point `json:"points"`   // of a comparison
	CostUnit string  `json:"costUnit"` // of Points
}

// Run is one run. The columns are as long as T; what is null is not drawn.
type Run struct {
	Name      string     `json:"name"`
	End       float64    `json:"end"` // seconds
	T         []float64  `json:"t"`
	Arrived   []float64  `json:"arrived"`
	Completed []float64  `json:"completed"`
	Lost      []float64  `json:"lost"`
	Desired   []int32    `json:"desired"`
	Created   []int32    `json:"created"`
	Ready     []int32    `json:"ready"`
	Ideal     []int32    `json:"ideal"`
	Queue     []int64    `json:"queue"`
	P50       []*float64 `json:"p50"`
	P90       []*float64 `json:"p90"`
	P99       []*float64 `json:"p99"`
	Metrics   []Metric   `json:"metrics"`
	Phases    []Stretch  `json:"phases"`
	Bands     []Stretch  `json:"bands"`
	Decisions []Decision `json:"decisions"`
	Omitted   int        `json:"omitted"` // decisions that are left out
	Starts    *Starts    `json:"starts"`
	Curve     *Curve     `json:"curve"`
}

// Metric is one metric as a loop saw it, beside the truth.
type Metric struct {
	Loop   string     `json:"loop"`
	Name   string     `json:"name"`
	Unit   string     `json:"unit"`
	Target *float64   `json:"target"`
	Seen   []*float64 `json:"seen"`
	Age    []*float64 `json:"age"`
	Truth  []*float64 `json:"truth"`
}

// Stretch is a stretch of time with a name, in seconds.
type Stretch struct {
	Name string  `json:"name"`
	From float64 `json:"from"`
	To   float64 `json:"to"`
}

// Decision is an entry of the log.
type Decision struct {
	T       float64 `json:"t"`
	From    int32   `json:"from"`
	To      int32   `json:"to"`
	Message string  `json:"message"`
	Steps   []Step  `json:"steps,omitempty"`
	Again   int     `json:"again,omitempty"`
	Until   float64 `json:"until,omitempty"`
}

// Step is one step of a Decision.
type Step struct {
	Stage    string `json:"stage"`
	Replicas int32  `json:"replicas"`
	Detail   string `json:"detail"`
}

// Starts are the lives of the first pods of Count.
type Starts struct {
	Count int     `json:"count"`
	Pods  []Start `json:"pods"`
}

// Start is one pod's, in seconds.
type Start struct {
	Pod       int32    `json:"pod"`
	Created   float64  `json:"created"`
	Scheduled *float64 `json:"scheduled"`
	Started   *float64 `json:"started"`
	Ready     *float64 `json:"ready"`
	Routable  *float64 `json:"routable"`
}

// Curve says which latency S a share Q of the requests did not exceed.
type Curve struct {
	Q []float64 `json:"q"`
	S []float64 `json:"s"`
}

// Point is one autoscaler in the plane of cost and latency; Front says that no
// other is better in cost, latency and losses at once.
type Point struct {
	Name  string   `json:"name"`
	Cost  *float64 `json:"cost"`
	P99   *float64 `json:"p99"`
	Lost  float64  `json:"lost"`
	Front bool     `json:"front"`
}

var (
	//go:embed page.html
	layout string
	//go:embed page.css
	style string
	//go:embed page.js
	program string

	page = template.Must(template.New("page").Parse(layout))
)

// Write writes the page. The same page gives the same bytes. The error is that of w.
func Write(w io.Writer, p *Page) error {
	library, err := asset("uPlot.min.js")
	if err != nil {
		return err
	}
	sheet, err := asset("uPlot.min.css")
	if err != nil {
		return err
	}
	data, err := pack(p.Data)
	if err != nil {
		return err
	}
	sheet += style
	return page.Execute(w, struct {
		*Page
		Policy           string
		Style            template.CSS
		Library, Program template.JS
		Data             string
	}{p, policy([]string{library, program}, sheet), template.CSS(sheet), template.JS(library), template.JS(program), data})
}

// asset is a file of uPlot's.
func asset(name string) (string, error) {
	f, err := plot.Assets.Open(name)
	if err != nil {
		return "", fmt.Errorf("uPlot: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		return "", fmt.Errorf("uPlot: %w", err)
	}
	return string(text), nil
}

// policy allows the page's own scripts and styles by their hashes, and nothing else.
func policy(scripts []string, style string) string {
	text := "default-src 'none'; base-uri 'none'; form-action 'none'; script-src"
	for _, s := range scripts {
		text += " " + hashed(s)
	}
	return text + "; style-src " + hashed(style)
}

func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// pack gives the data the form in which they lie in the page. The alphabet needs no
// escaping in HTML.
func pack(d Data) (string, error) {
	var packed bytes.Buffer
	text := base64.NewEncoder(base64.RawURLEncoding, &packed)
	z, err := gzip.NewWriterLevel(text, gzip.BestCompression)
	if err != nil {
		return "", err
	}
	if err := json.NewEncoder(z).Encode(d); err != nil {
		return "", fmt.Errorf("the curves' data: %w", err)
	}
	if err := z.Close(); err != nil {
		return "", err
	}
	if err := text.Close(); err != nil {
		return "", err
	}
	return packed.String(), nil
}
