package traffic

import (
	"fmt"
	"io"
	"math"
	"time"

	"github.com/scalelab/scalelab/messages"
)

// stamps is a trace of exact instants, read from its file anew at every replay:
// its memory does not grow with the requests.
type stamps struct {
	trace  Trace // with defaults
	open   Opener
	rows   uint64
	total  uint64 // of the phase
	length time.Duration
	rates  histogram // over recorded time
}

// stampReader reads the column of instants in order.
type stampReader struct {
	table *table
	form  timeForm
	rows  uint64
	// zero is the instant of the trace's start: the first row, or 0 where the
	// file counts from the start.
	zero, previous int64
}

func openStamps(trace Trace, open Opener) (*stampReader, error) {
	t, err := openTable(open, trace.File, []column{{"timestamps", trace.Timestamps}})
	if err != nil {
		return nil, err
	}
	return &stampReader{table: t}, nil
}

// next is the next instant in recorded time since the trace's start, io.EOF
// after the last one, or what is wrong with the row.
func (r *stampReader) next(unit *time.Duration) (time.Duration, error) {
	row, err := r.table.next()
	if err != nil {
		return 0, err
	}
	text := r.table.cell(row, 0)
	var problem string
	if r.rows == 0 {
		if r.form, problem = detectTime(text, unit); problem != "" {
			return 0, r.table.problem(0, problem)
		}
	}
	ns, problem := r.form.parse(text)
	if problem != "" {
		return 0, r.table.problem(0, problem)
	}
	if r.rows == 0 {
		r.previous = ns
		if r.form.absolute {
			r.zero = ns
		}
	}
	if ns < r.previous {
		return 0, r.table.problem(0, fmt.Sprintf("found %s after %s, expected no earlier time than in the row before", r.form.show(ns), r.form.show(r.previous)))
	}
	r.rows++
	r.previous = ns
	return time.Duration(ns - r.zero), nil
}

// newStamps checks the whole file and counts what falls into the phase, whose
// length is nil for the whole trace: up to the full second after its last row.
func newStamps(trace Trace, open Opener, length *time.Duration) (*stamps, error) {
	s := &stamps{trace: trace, open: open, length: math.MaxInt64}
	if length != nil {
		s.length = *length
	}
	r, err := openStamps(trace, open)
	if err != nil {
		return nil, err
	}
	defer r.table.close()
	var last time.Duration
	for {
		at, err := r.next(trace.Unit)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		s.rates.add(at)
		last = at
		if replayed, ok := s.replayed(at); ok {
			s.total++
			if length == nil && replayed >= maxLength {
				return nil, r.table.problem(0, fmt.Sprintf("found %s, %s after the start of the replay, expected at most 10 years", r.form.show(r.previous), replayed))
			}
		}
	}
	if s.rows = r.rows; s.rows == 0 {
		return nil, &dataError{trace.File, 1, 1, "found a header only, expected rows"}
	}
	if trace.Offset > last {
		return nil, messages.Invalidf("offset", "found %s, expected at most the trace's %s", trace.Offset, last)
	}
	if length == nil {
		replayed, _ := s.replayed(last)
		s.length = replayed.Truncate(time.Second) + time.Second
	}
	return s, nil
}

// replayed is when in the phase a recorded instant comes; false: it does not.
func (s *stamps) replayed(recorded time.Duration) (time.Duration, bool) {
	at := recorded - s.trace.Offset
	if *s.trace.Compress != 1 {
		at = time.Duration(min(float64(at) / *s.trace.Compress, float64(2*maxLength)))
	}
	return at, recorded >= s.trace.Offset && at < s.length
}

// replay is one reading of a phase's stamps.
type replay struct {
	stamps *stamps
	reader *stampReader
}

func (s *stamps) replay() (*replay, error) {
	r, err := openStamps(s.trace, s.open)
	if err != nil {
		return nil, err
	}
	return &replay{s, r}, nil
}

// next is the next instant of the phase; io.EOF ends it.
func (r *replay) next() (time.Duration, error) {
	for {
		recorded, err := r.reader.next(r.stamps.trace.Unit)
		if err == io.EOF && r.reader.rows != r.stamps.rows {
			return 0, fmt.Errorf("%s has changed: found %d rows, expected %d as when it was checked", r.stamps.trace.File, r.reader.rows, r.stamps.rows)
		}
		if err != nil {
			return 0, err
		}
		at, ok := r.stamps.replayed(recorded)
		switch {
		case ok:
			return at, nil
		case at >= r.stamps.length:
			return 0, io.EOF
		}
	}
}

// histogram counts instants in equal cells whose width doubles when they run
// out, so that it stays small whatever the length of the trace.
type histogram struct {
	counts [1024]uint64
	width  time.Duration
}

func (h *histogram) add(t time.Duration) {
	if h.width == 0 {
		h.width = time.Second
	}
	for t/h.width >= time.Duration(len(h.counts)) {
		h.width *= 2
		for i := range h.counts {
			h.counts[i] = h.pair(i)
		}
	}
	h.counts[t/h.width]++
}

// pair is the sum of cells 2i and 2i+1, 0 beyond the end.
func (h *histogram) pair(i int) uint64 {
	if 2*i+1 >= len(h.counts) {
		return 0
	}
	return h.counts[2*i] + h.counts[2*i+1]
}

// rate is the mean rate per second of the cell that t falls into.
func (h *histogram) rate(t time.Duration) float64 {
	if t < 0 || h.width == 0 || t/h.width >= time.Duration(len(h.counts)) {
		return 0
	}
	return float64(h.counts[t/h.width]) / h.width.Seconds()
}
