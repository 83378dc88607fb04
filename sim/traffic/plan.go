// Package traffic makes arrivals: phases of a rate, by formula or recorded, and
// a point process around it. Arrivals are pulled one by one and never listed in
// advance, so memory does not grow with their number.
//
// A rate r(t) is integrated to L(t); the points of a process with mean gap 1 are
// put at L^-1. That is exact for inhomogeneous Poisson processes (Cinlar 1975)
// and costs nothing where the rate is low, unlike thinning at the peak rate.
// It leaves out what a request is and its retries. Arrivals are open-loop: load
// does not change them. Users, who wait for their answers, are only described
// here (see UserPhase).
package traffic

import (
	"errors"
	"fmt"
	"io"
	"math"
	"sort"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/random"
)

// Opener opens a trace file named in a Spec.
type Opener func(file string) (io.ReadCloser, error)

// Plan is validated traffic, with its traces read. It can be replayed any
// number of times, also concurrently.
type Plan struct {
	phases []phase
}

// phase is one phase ready for replay; exactly one of segments, bins, stamps and
// users holds its shape.
type phase struct {
	window   Window
	scatter  scatter
	segments []segment
	bins     *bins
	stamps   *stamps
	users    *Users
}

// New validates a Spec and reads its traces. Every problem is a
// *messages.Invalid; one in the data of a trace is at the trace's file and its
// text begins with file:line:column.
func New(spec Spec, open Opener) (*Plan, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	plan := &Plan{}
	var problems messages.Problems
	var from time.Duration
	for i, p := range spec.WithDefaults() {
		ready := phase{scatter: newScatter(p.Arrivals)}
		length, err := ready.shape(p, open)
		if err != nil {
			problems.Add(messages.Under(fmt.Sprintf("[%d]", i), err))
			continue
		}
		ready.window = Window{Name: p.Name, From: from, To: from + length}
		from += length
		plan.phases = append(plan.phases, ready)
		if from > maxLength {
			problems.Addf(fmt.Sprintf("[%d]", i), "found phases of %s in all, expected at most 10 years", from)
			break
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return plan, nil
}

// shape sets the shape of a valid phase and returns its length.
func (p *phase) shape(spec Phase, open Opener) (time.Duration, error) {
	var err error
	switch {
	case spec.Users != nil:
		p.users = spec.Users
		return *spec.For, nil
	case spec.Trace == nil:
		p.segments = spec.segments()
		return *spec.For, nil
	case spec.Trace.Timestamps != "":
		if p.stamps, err = newStamps(*spec.Trace, open, spec.For); err != nil {
			return 0, messages.Under("trace", asInvalid(err))
		}
		return p.stamps.length, nil
	}
	recorded, err := readBins(*spec.Trace, open)
	if err == nil {
		p.bins, err = newBins(recorded, *spec.Trace, spec.For)
	}
	if err != nil {
		return 0, messages.Under("trace", asInvalid(err))
	}
	// Squeezing beyond a bin would move counts from one bin to another.
	if bin := p.bins.replayed(p.bins.offset + p.bins.bin); p.bins.counts && p.scatter.cycle > bin {
		return 0, messages.Invalidf("arrivals", "found bursts with on + off = %s, expected at most the length of a bin (%s), which keeps its count", p.scatter.cycle, bin)
	}
	return p.bins.length, nil
}

// asInvalid puts an error that is in a file's data at the setting of the file.
func asInvalid(err error) error {
	var invalid *messages.Invalid
	if errors.As(err, &invalid) {
		return err
	}
	return messages.Invalidf("file", "%v", err)
}

// segment is the i-th stretch of the phase.
func (p *phase) segment(i int) (segment, bool) {
	switch {
	case p.bins != nil && i < len(p.bins.values):
		return p.bins.segment(i), true
	case p.bins == nil && i < len(p.segments):
		return p.segments[i], true
	}
	return segment{}, false
}

// Window is the stretch of one phase, from From to just before To.
type Window struct {
	Name     string
	From, To time.Duration
}

// Windows are the phases in order, without gaps between them.
func (p *Plan) Windows() []Window {
	windows := make([]Window, len(p.phases))
	for i := range p.phases {
		windows[i] = p.phases[i].window
	}
	return windows
}

// Duration is the sum of the phases.
func (p *Plan) Duration() time.Duration {
	if len(p.phases) == 0 {
		return 0
	}
	return p.phases[len(p.phases)-1].window.To
}

// Total is the number of requests: exact where every phase is silent or a trace
// of counts or timestamps, otherwise the expected number, rounded. For users it
// is the most to be expected, as if every answer came at once.
func (p *Plan) Total() (n uint64, exact bool) {
	exact = true
	known, expected := uint64(0), 0.0
	for i := range p.phases {
		ph := &p.phases[i]
		if ph.stamps != nil {
			known += ph.stamps.total
			continue
		}
		if ph.users != nil {
			expected += float64(ph.users.rate() * (ph.window.To - ph.window.From).Seconds())
			exact = false
		}
		for k := 0; ; k++ {
			s, ok := ph.segment(k)
			if !ok {
				break
			}
			if ph.bins != nil && ph.bins.counts {
				known += uint64(s.count)
				continue
			}
			mass := s.mass()
			expected += mass
			exact = exact && mass == 0
		}
	}
	return known + uint64(math.Round(expected)), exact
}

// Rate is the offered mean rate at an instant, in requests per second: the
// formula's or the bin's; for timestamps, the mean over about a thousandth of
// the trace; for users, what they would send if every answer came at once, which
// is the most they can. It is 0 outside the plan, and bursts are not seen in it.
func (p *Plan) Rate(t time.Duration) float64 {
	i := sort.Search(len(p.phases), func(i int) bool { return p.phases[i].window.To > t })
	if t < 0 || i == len(p.phases) {
		return 0
	}
	ph := &p.phases[i]
	t -= ph.window.From
	switch {
	case ph.users != nil:
		return ph.users.rate()
	case ph.stamps != nil:
		compress := *ph.stamps.trace.Compress
		recorded := ph.stamps.trace.Offset + time.Duration(float64(t)*compress)
		return ph.stamps.rates.rate(recorded) * compress
	case ph.bins != nil:
		k := sort.Search(len(ph.bins.values), func(k int) bool { return ph.bins.segment(k).end > t })
		if k == len(ph.bins.values) {
			return 0
		}
		return ph.bins.segment(k).rate
	}
	k := sort.Search(len(ph.segments), func(k int) bool { return ph.segments[k].end > t })
	return ph.segments[k].at(t)
}

// Arrivals starts a replay, of everything but users. The instants depend on the
// plan and the seed only, and those within a phase on that phase and its position
// only.
func (p *Plan) Arrivals(seed random.Seed) *Arrivals {
	a := &Arrivals{phases: p.phases, seed: seed}
	a.enter(0)
	return a
}
