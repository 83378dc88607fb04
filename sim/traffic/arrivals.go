package traffic

import (
	"fmt"
	"io"
	"math"
	"time"

	"github.com/scalelab/scalelab/sim/random"
)

// Arrivals gives the requests of one replay, one by one, in order of arrival.
// It belongs to one goroutine; Close it when it is not read to its end.
type Arrivals struct {
	phases []phase
	seed   random.Seed

	index  int    // of the current phase
	phase  *phase // nil after the last one
	key    random.Key
	stream random.Stream
	next   int // of the segment after the current one

	// The current segment. point is the next arrival in integrated rate since
	// the segment's start; the segment ends where point reaches mass.
	start, last time.Duration // of the segment, and its last nanosecond
	point, mass float64
	perUnit     float64 // nanoseconds per unit of integrated rate; 0: rate not constant
	rate, slope float64
	wave        *wave
	left        uint64 // arrivals to come in a bin with a count
	burstsFrom  time.Duration
	previous    time.Duration // latest arrival, since the phase's start
	replay      *replay       // of timestamps
	gaps        [64]float64   // of emitPlain
	err         error
}

// Next is the instant of the next request, or false when there is none, or
// when the trace could not be read on: then Err says why.
func (a *Arrivals) Next() (at time.Duration, ok bool) {
	for {
		if a.point < a.mass {
			return a.emit(), true
		}
		if a.replay != nil {
			if at, ok := a.nextStamp(); ok {
				return at, true
			}
		}
		if a.phase == nil || a.err != nil {
			return 0, false
		}
		if !a.nextSegment() {
			a.enter(a.index + 1)
		}
	}
}

// Fill is Next for as many requests as dst has room for. It says how many there
// were; fewer than that means that there are no more.
func (a *Arrivals) Fill(dst []time.Duration) int {
	n := 0
	for n < len(dst) {
		if a.point < a.mass && a.plain() {
			n += a.emitPlain(dst[n:])
			continue
		}
		at, ok := a.Next()
		if !ok {
			break
		}
		dst[n] = at
		n++
	}
	return n
}

// plain says whether the segment is Poisson at a constant rate.
func (a *Arrivals) plain() bool {
	s := &a.phase.scatter
	return a.perUnit > 0 && s.gaps == poissonGaps && s.cycle == 0 && a.left == 0
}

// emitPlain is emit for a plain segment, up to its end or that of dst.
func (a *Arrivals) emitPlain(dst []time.Duration) (n int) {
	dst = dst[:min(len(dst), len(a.gaps))]
	before := a.stream
	a.stream.Exps(a.gaps[:len(dst)])
	point, previous, from := a.point, a.previous, a.phase.window.From
	for n < len(dst) && point < a.mass {
		previous = max(min(a.start+time.Duration(point*a.perUnit), a.last), previous)
		dst[n] = from + previous
		point += a.gaps[n]
		n++
	}
	a.point, a.previous = point, previous
	if n < len(dst) { // the segment has ended: take back what was drawn too much
		a.stream = before
		a.stream.Exps(a.gaps[:n])
	}
	return n
}

// emit places the point in time and draws the one after it.
func (a *Arrivals) emit() time.Duration {
	ns := a.point * a.perUnit
	if a.perUnit == 0 {
		if a.wave != nil {
			ns = a.wave.invert(a.point, float64(a.previous)/1e9) * 1e9
		} else {
			ns = ramp(a.rate, a.slope, a.point) * 1e9
		}
	}
	at := min(a.start+time.Duration(ns), a.last)
	scatter := &a.phase.scatter
	if scatter.cycle > 0 {
		at = a.burstsFrom + scatter.squeeze(at-a.burstsFrom)
	}
	// Rounding in an inverse can put neighbours in the wrong order by 1 ns.
	at = max(at, a.previous)
	a.previous = at
	a.point += scatter.gap(&a.stream)
	if a.left > 0 {
		if a.left--; a.left == 0 {
			a.mass = 0
		}
	}
	return a.phase.window.From + at
}

// enter starts the i-th phase.
func (a *Arrivals) enter(i int) {
	a.index, a.next = i, 0
	a.point, a.mass, a.previous, a.burstsFrom = 0, 0, 0, 0
	a.phase = nil
	if i >= len(a.phases) {
		return
	}
	a.phase = &a.phases[i]
	// The index is the position in the plan: other phases may change at will.
	a.key = a.seed.Key("traffic", uint64(i))
	if a.phase.stamps != nil {
		a.replay, a.err = a.phase.stamps.replay()
		a.fail(a.err)
		return
	}
	a.stream = a.key.Stream()
	if !a.counts() {
		a.point, _ = a.phase.scatter.edges(&a.stream)
	}
}

func (a *Arrivals) counts() bool { return a.phase.bins != nil && a.phase.bins.counts }

// nextSegment moves to the phase's next segment; false: there is none.
func (a *Arrivals) nextSegment() bool {
	s, ok := a.phase.segment(a.next)
	if !ok {
		return false
	}
	a.next++
	a.start, a.last = s.start, s.end-1
	a.wave, a.perUnit = s.wave, 0
	if a.counts() {
		a.enterBin(s)
		return true
	}
	a.point -= a.mass
	a.mass = s.mass()
	a.rate, a.slope = s.rate, (s.toRate-s.rate)/s.seconds()
	if s.wave == nil && a.slope == 0 && s.rate > 0 {
		a.perUnit = 1e9 / s.rate
	}
	return true
}

// enterBin lays out exactly the bin's count: gaps and edges are drawn once for
// their sum and once more, from the same stream, as they are emitted. Each bin
// has a stream of its own.
func (a *Arrivals) enterBin(s segment) {
	a.point, a.mass, a.left = 0, 0, uint64(s.count)
	a.burstsFrom = s.start
	if a.left == 0 {
		return
	}
	a.stream = a.key.At(uint64(a.phase.bins.first + a.next - 1))
	a.perUnit = float64(s.end-s.start) / a.phase.scatter.span(a.stream, s.count)
	a.point, _ = a.phase.scatter.edges(&a.stream)
	a.mass = math.Inf(1)
}

// nextStamp reads the next timestamp of the phase; false ends the phase.
func (a *Arrivals) nextStamp() (time.Duration, bool) {
	at, err := a.replay.next()
	if err == nil {
		return a.phase.window.From + at, true
	}
	if err != io.EOF {
		a.fail(err)
	}
	_ = a.closeTrace()
	return 0, false
}

func (a *Arrivals) fail(err error) {
	if err != nil {
		a.err = fmt.Errorf("traffic phase %q: %w", a.phase.window.Name, err)
	}
}

// Err is what ended the replay early, or nil.
func (a *Arrivals) Err() error { return a.err }

// Close ends the replay and releases the trace file that is open, if any.
func (a *Arrivals) Close() error {
	a.phase, a.mass = nil, 0
	return a.closeTrace()
}

func (a *Arrivals) closeTrace() error {
	if a.replay == nil {
		return nil
	}
	err := a.replay.reader.table.closer.Close()
	a.replay = nil
	return err
}
