package cluster

import (
	"time"

	"github.com/scalelab/scalelab/sim/event"
)

// fate is how a request ended.
type fate uint8

const (
	completed fate = iota
	timedOut
	rejected
	failed
)

// PhaseTally is what became of the requests that arrived in one traffic phase.
type PhaseTally struct {
	Counters
	Latency *Histogram // arrival to last byte, completed requests
	Wait    *Histogram // arrival to start of service, completed requests
}

// Tally counts requests and their latencies, by the phase of their arrival.
type Tally struct {
	starts      []time.Duration // of the phases
	measureFrom time.Duration
	current     int // phase of the next arrival
	phases      []PhaseTally
	interval    *Histogram
	buffered    *Histogram
	lateAfter   time.Duration
	late        uint64
	observe     func(q *request, now time.Duration, f fate) // for tests; nil otherwise
}

// NewTally divides requests by phases that begin at the given rising instants,
// the first at 0. Requests that arrive before measureFrom are counted, but
// their latencies and waits are not.
func NewTally(starts []time.Duration, measureFrom time.Duration) *Tally {
	t := &Tally{starts: starts, measureFrom: measureFrom, interval: NewHistogram(), buffered: NewHistogram(), lateAfter: event.Never}
	for range starts {
		t.phases = append(t.phases, PhaseTally{Latency: NewHistogram(), Wait: NewHistogram()})
	}
	return t
}

// CountLate counts the completed requests with a latency above a limit, whenever
// they arrived; see Late.
func (t *Tally) CountLate(limit time.Duration) { t.lateAfter = limit }

// Late is how many requests were completed after the limit of CountLate.
func (t *Tally) Late() uint64 { return t.late }

// phase is the phase of a request that arrives at now, and its last instant. Calls
// are in rising order of now.
func (t *Tally) phase(now time.Duration) (phase uint16, last time.Duration) {
	for t.current+1 < len(t.starts) && now >= t.starts[t.current+1] {
		t.current++
	}
	if t.current+1 == len(t.starts) {
		return uint16(t.current), event.Never
	}
	return uint16(t.current), t.starts[t.current+1] - 1
}

// arrived counts n requests in.
func (t *Tally) arrived(phase uint16, n int) {
	p := &t.phases[phase]
	p.Arrived += uint64(n)
	p.InFlight += uint64(n)
}

func (t *Tally) arrive(now time.Duration) uint16 {
	phase, _ := t.phase(now)
	t.arrived(phase, 1)
	return phase
}

// buffer counts a request that has waited at an activator until it was sent to a
// pod, or was over.
func (t *Tally) buffer(arrival, waited time.Duration) {
	if arrival >= t.measureFrom {
		t.buffered.Record(waited)
	}
}

// Buffered are the waits at the activators of the requests that had to.
func (t *Tally) Buffered() *Histogram { return t.buffered }

// retry counts an additional attempt of a request of the given phase.
func (t *Tally) retry(phase uint16) { t.phases[phase].Retried++ }

func (t *Tally) end(q *request, now time.Duration, f fate) {
	p := &t.phases[q.phase]
	if t.observe != nil {
		t.observe(q, now, f)
	}
	if f != completed {
		p.lose(f)
		return
	}
	if q.held {
		p.Cold++
	}
	t.serve(p, q.arrival, q.start, now)
}

// serve counts a request of the phase that was served in time.
func (t *Tally) serve(p *PhaseTally, arrival, start, end time.Duration) {
	p.InFlight--
	p.Completed++
	latency := end - arrival
	if latency > t.lateAfter {
		t.late++
	}
	bucket := bucketOf(uint64(latency))
	t.interval.record(latency, bucket)
	if arrival >= t.measureFrom {
		p.Latency.record(latency, bucket)
		p.Wait.Record(start - arrival)
	}
}

// lose counts a request of the phase that was not.
func (p *PhaseTally) lose(f fate) {
	p.InFlight--
	switch f {
	case timedOut:
		p.TimedOut++
	case rejected:
		p.Rejected++
	case failed:
		p.Failed++
	}
}

// lose counts a stay that is not served in time.
func (t *Tally) lose(s *stay, now time.Duration, f fate) {
	t.phases[s.phase].lose(f)
	if t.observe != nil {
		t.observe(s.request(), now, f)
	}
}

// request is the stay as the slab would have it.
func (s *stay) request() *request {
	return &request{index: s.index, arrival: s.arrival, start: s.start, pod: s.pod}
}

// Phases are the tallies of the phases, in order.
func (t *Tally) Phases() []PhaseTally { return t.phases }

// Total adds the counters of all phases up.
func (t *Tally) Total() Counters {
	var c Counters
	for i := range t.phases {
		c = c.plus(t.phases[i].Counters)
	}
	return c
}

// Interval holds the latencies of the requests completed since it was last
// reset, whenever they arrived.
func (t *Tally) Interval() *Histogram { return t.interval }
