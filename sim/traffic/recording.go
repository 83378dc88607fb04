package traffic

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/scalelab/scalelab/messages"
)

// Limits of a trace of bins: memory, and sums that a float64 holds exactly.
const (
	maxBins  = 10_000_000
	maxCount = 1e12
	maxTotal = 1 << 53
)

// recording is a trace of bins as it stands in the file, holes filled in.
type recording struct {
	counts bool
	bin    time.Duration
	values []float64 // requests, or requests per second
	form   timeForm
	times  []int64 // of the rows; nil without a time column
	rows   int
	holes  []Hole
	total  float64
}

// row is one line of the file.
type row struct {
	line  int
	value float64
}

// readBins reads a valid Trace of counts or values. Errors that are settings
// are *messages.Invalid with fields of the Trace; others are in the data.
func readBins(trace Trace, open Opener) (*recording, error) {
	columns := []column{{"count", trace.Count}}
	if trace.Count == "" {
		columns[0] = column{"value", trace.Value}
	}
	if trace.Time != "" {
		columns = append(columns, column{"time", trace.Time})
	}
	t, err := openTable(open, trace.File, columns)
	if err != nil {
		return nil, err
	}
	defer t.close()
	r := &recording{counts: trace.Count != ""}
	rows, err := r.readRows(t, trace)
	if err != nil {
		return nil, err
	}
	r.rows = len(rows)
	if err := r.measure(trace, t.file, rows); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *recording) readRows(t *table, trace Trace) ([]row, error) {
	var rows []row
	for {
		cells, err := t.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if len(rows) == maxBins {
			return nil, t.problem(0, fmt.Sprintf("found more than %d rows, expected fewer bins", maxBins))
		}
		value, problem := r.parseValue(t.cell(cells, 0))
		if problem != "" {
			return nil, t.problem(0, problem)
		}
		r.total += value
		if r.counts && r.total > maxTotal {
			return nil, t.problem(0, fmt.Sprintf("found %g requests up to here, expected at most 2^53", r.total))
		}
		if trace.Time != "" {
			if err := r.readTime(t, cells, trace.Unit); err != nil {
				return nil, err
			}
		}
		rows = append(rows, row{t.line(), value})
	}
	if len(rows) == 0 {
		return nil, &dataError{t.file, 1, 1, "found a header only, expected rows"}
	}
	return rows, nil
}

func (r *recording) parseValue(text string) (value float64, problem string) {
	value, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil && !math.IsInf(value, 0), math.IsNaN(value):
		return 0, fmt.Sprintf("found %q, expected a number", text)
	case value < 0:
		return 0, fmt.Sprintf("found %s, expected 0 or more", text)
	case r.counts && value > maxCount:
		return 0, fmt.Sprintf("found %s, expected at most %g requests in a bin", text, float64(maxCount))
	case r.counts && value != math.Trunc(value):
		return 0, fmt.Sprintf("found %s, expected a whole number of requests; a rate per second is given by value", text)
	case !r.counts && value > maxRate:
		return 0, fmt.Sprintf("found %s, expected at most %g requests per second", text, float64(maxRate))
	}
	return value, ""
}

func (r *recording) readTime(t *table, cells []string, unit *time.Duration) error {
	text := t.cell(cells, 1)
	var problem string
	if r.times == nil {
		if r.form, problem = detectTime(text, unit); problem != "" {
			return t.problem(1, problem)
		}
	}
	ns, problem := r.form.parse(text)
	if problem != "" {
		return t.problem(1, problem)
	}
	if n := len(r.times); n > 0 && ns <= r.times[n-1] {
		return t.problem(1, fmt.Sprintf("found %s after %s, expected a later time than in the row before", r.form.show(ns), r.form.show(r.times[n-1])))
	}
	r.times = append(r.times, ns)
	return nil
}

// measure finds the length of a bin and fills the holes.
func (r *recording) measure(trace Trace, file string, rows []row) error {
	switch {
	case trace.Bin != nil:
		r.bin = *trace.Bin
	case len(rows) == 1:
		return messages.Invalidf("bin", "found none, expected the length of a bin: a file of one row does not show it")
	default:
		r.bin = commonGap(r.times)
	}
	r.values = make([]float64, 0, len(rows))
	for i, row := range rows {
		if i > 0 && r.times != nil {
			if err := r.fill(i, trace, file, row.line); err != nil {
				return err
			}
		}
		r.values = append(r.values, row.value)
	}
	if length := float64(len(r.values)) * float64(r.bin); length > 10*float64(maxLength) {
		return messages.Invalidf("file", "found %d bins of %s, expected at most 100 years", len(r.values), r.bin)
	}
	return nil
}

// fill appends what is missing before the i-th row.
func (r *recording) fill(i int, trace Trace, file string, line int) error {
	gap := time.Duration(r.times[i] - r.times[i-1])
	from, to := r.form.show(r.times[i-1]), r.form.show(r.times[i])
	if gap%r.bin != 0 {
		hint := ""
		if trace.Bin != nil && gap < r.bin && !r.form.absolute {
			hint = fmt.Sprintf("; if the column counts bins, say unit: %s", r.bin)
		}
		return &dataError{file, line, 1, fmt.Sprintf("found %s, %s after %s, expected a multiple of the bin's %s%s", to, gap, from, r.bin, hint)}
	}
	missing := int64(gap/r.bin) - 1
	if missing == 0 {
		return nil
	}
	if trace.Gaps == "error" {
		return &dataError{file, line, 1, fmt.Sprintf("found a hole between %s and %s, %d missing bins of %s, expected none; gaps: zero fills it with silence, gaps: previous with the bin before", from, to, missing, r.bin)}
	}
	if missing > maxBins-int64(len(r.values)) {
		return &dataError{file, line, 1, fmt.Sprintf("found %s after %s, %d missing bins of %s, expected at most %d bins", to, from, missing, r.bin, maxBins)}
	}
	filler := 0.0
	if trace.Gaps == "previous" {
		filler = r.values[len(r.values)-1]
	}
	r.holes = append(r.holes, Hole{Line: line, After: from, Before: to, Missing: int(missing)})
	for range missing {
		r.values = append(r.values, filler)
		r.total += filler
	}
	return nil
}

// commonGap is the most frequent distance of neighbours; of equally frequent
// ones the smallest.
func commonGap(times []int64) time.Duration {
	gaps := make([]int64, len(times)-1)
	for i := range gaps {
		gaps[i] = times[i+1] - times[i]
	}
	slices.Sort(gaps)
	best, most, run := gaps[0], 0, 0
	for i, gap := range gaps {
		if i == 0 || gap != gaps[i-1] {
			run = 0
		}
		if run++; run > most {
			best, most = gap, run
		}
	}
	return time.Duration(best)
}
