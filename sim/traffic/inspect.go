package traffic

import (
	"io"
	"math"
	"time"
)

// Summary is what a trace file holds, as recorded: offset, scale, compress and
// gaps are left out of account. Absent figures are nil.
type Summary struct {
	Kind   string        // counts, rates or timestamps
	Rows   int           // rows of data
	First  string        // start of the first bin, or the first instant
	Last   string        // start of the last bin, or the last instant
	Length time.Duration // of all bins, holes included; or from the first instant to the last
	Bin    time.Duration // length of a bin; 0 for timestamps
	Holes  []Hole        // stretches of missing bins
	// Requests is the sum of the counts, the number of timestamps, or the
	// integral of the rates, holes being silent.
	Requests float64
	// MeanRate leaves holes out. PeakRate is that of the busiest bin; for
	// timestamps, of the busiest second counted from the first instant. Both are
	// in requests per second.
	MeanRate, PeakRate float64
	// PeakToMean is PeakRate / MeanRate; nil for an empty trace.
	PeakToMean *float64
	// GapCV is the standard deviation of the gaps between timestamps divided by
	// their mean: 1 for a Poisson process.
	GapCV *float64
	// Dispersion is the variance of the bins' counts divided by their mean: 1
	// for a Poisson process of constant rate.
	Dispersion *float64
}

// Hole is a stretch of missing bins before a line of the file.
type Hole struct {
	Line          int
	After, Before string // the rows around it
	Missing       int    // bins
}

// Inspect reads a whole trace in one pass and sums it up. Problems are
// *messages.Invalid as those of New are, with fields of the Trace.
func Inspect(trace Trace, open Opener) (Summary, error) {
	if err := trace.validate(); err != nil {
		return Summary{}, err
	}
	trace = trace.withDefaults()
	inspect := inspectBins
	if trace.Timestamps != "" {
		inspect = inspectStamps
	}
	s, err := inspect(trace, open)
	if err != nil {
		return Summary{}, asInvalid(err)
	}
	if s.MeanRate > 0 {
		ratio := s.PeakRate / s.MeanRate
		s.PeakToMean = &ratio
	}
	return s, nil
}

func inspectBins(trace Trace, open Opener) (Summary, error) {
	trace.Gaps = "zero"
	r, err := readBins(trace, open)
	if err != nil {
		return Summary{}, err
	}
	seconds := r.bin.Seconds()
	last := int64(r.bin) * int64(r.rows-1)
	first := int64(0)
	if r.times != nil {
		first, last = r.times[0], r.times[r.rows-1]
	}
	s := Summary{
		Kind: "rates", Rows: r.rows, Bin: r.bin, Holes: r.holes,
		First: r.form.show(first), Last: r.form.show(last),
		Length: r.bin * time.Duration(len(r.values)),
	}
	peak := 0.0
	for _, v := range r.values {
		peak = max(peak, v)
	}
	if !r.counts {
		s.Requests, s.MeanRate, s.PeakRate = r.total*seconds, r.total/float64(r.rows), peak
		return s, nil
	}
	s.Kind = "counts"
	s.Requests, s.PeakRate = r.total, peak/seconds
	s.MeanRate = r.total / float64(r.rows) / seconds
	s.Dispersion = dispersion(r)
	return s, nil
}

// dispersion is the unbiased variance of the counts that were recorded, divided
// by their mean; nil for fewer than two, or none above 0.
func dispersion(r *recording) *float64 {
	mean := r.total / float64(r.rows)
	if r.rows < 2 || mean == 0 {
		return nil
	}
	squares := 0.0
	for _, v := range r.values {
		squares += float64((v - mean) * (v - mean))
	}
	// A filled hole is 0 and has added mean^2.
	squares -= float64(float64(len(r.values)-r.rows) * mean * mean)
	ratio := squares / float64(r.rows-1) / mean
	return &ratio
}

func inspectStamps(trace Trace, open Opener) (Summary, error) {
	r, err := openStamps(trace, open)
	if err != nil {
		return Summary{}, err
	}
	defer r.table.close()
	var first, last, second time.Duration
	var inSecond, busiest int
	var gaps moments
	for {
		at, err := r.next(trace.Unit)
		if err == io.EOF {
			break
		}
		if err != nil {
			return Summary{}, err
		}
		if r.rows == 1 {
			first = at
		} else {
			gaps.add((at - last).Seconds())
		}
		if now := (at - first) / time.Second; now != second {
			second, inSecond = now, 0
		}
		inSecond++
		busiest = max(busiest, inSecond)
		last = at
	}
	if r.rows == 0 {
		return Summary{}, &dataError{trace.File, 1, 1, "found a header only, expected rows"}
	}
	s := Summary{
		Kind: "timestamps", Rows: int(r.rows), Requests: float64(r.rows), Length: last - first,
		First: r.form.show(r.zero + int64(first)), Last: r.form.show(r.previous),
		PeakRate: float64(busiest), GapCV: gaps.cv(),
	}
	if s.Length > 0 {
		s.MeanRate = s.Requests / s.Length.Seconds()
	}
	return s, nil
}

// moments are a running mean and sum of squared deviations (Welford 1962).
type moments struct{ n, mean, squares float64 }

func (m *moments) add(x float64) {
	m.n++
	from := x - m.mean
	m.mean += from / m.n
	m.squares += float64(from * (x - m.mean))
}

// cv is nil for fewer than two values, or when all are 0.
func (m *moments) cv() *float64 {
	if m.n < 2 || m.mean == 0 {
		return nil
	}
	cv := math.Sqrt(m.squares/(m.n-1)) / m.mean
	return &cv
}
