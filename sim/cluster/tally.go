package cluster

import "time"

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
	observe     func(q *request, now time.Duration, f fate) // for tests; nil otherwise
}

// NewTally divides requests by phases that begin at the given rising instants,
// the first at 0. Requests that arrive before measureFrom are counted, but
// their latencies and waits are not.
func NewTally(starts []time.Duration, measureFrom time.Duration) *Tally {
	t := &Tally{starts: starts, measureFrom: measureFrom, interval: NewHistogram()}
	for range starts {
		t.phases = append(t.phases, PhaseTally{Latency: NewHistogram(), Wait: NewHistogram()})
	}
	return t
}

func (t *Tally) arrive(now time.Duration) uint16 {
	for t.current+1 < len(t.starts) && now >= t.starts[t.current+1] {
		t.current++
	}
	p := &t.phases[t.current]
	p.Arrived++
	p.InFlight++
	return uint16(t.current)
}

// retry counts an additional attempt of a request of the given phase.
func (t *Tally) retry(phase uint16) { t.phases[phase].Retried++ }

func (t *Tally) end(q *request, now time.Duration, f fate) {
	p := &t.phases[q.phase]
	p.InFlight--
	if t.observe != nil {
		t.observe(q, now, f)
	}
	switch f {
	case completed:
		p.Completed++
		if q.held {
			p.Cold++
		}
		latency := now - q.arrival
		t.interval.Record(latency)
		if q.arrival >= t.measureFrom {
			p.Latency.Record(latency)
			p.Wait.Record(q.start - q.arrival)
		}
	case timedOut:
		p.TimedOut++
	case rejected:
		p.Rejected++
	case failed:
		p.Failed++
	}
}

// Phases are the tallies of the phases, in order.
func (t *Tally) Phases() []PhaseTally { return t.phases }

// Total adds the counters of all phases up.
func (t *Tally) Total() Counters {
	var c Counters
	for i := range t.phases {
		p := &t.phases[i]
		c.Arrived += p.Arrived
		c.Completed += p.Completed
		c.TimedOut += p.TimedOut
		c.Rejected += p.Rejected
		c.Failed += p.Failed
		c.Retried += p.Retried
		c.Cold += p.Cold
		c.InFlight += p.InFlight
	}
	return c
}

// Interval holds the latencies of the requests completed since it was last
// reset, whenever they arrived.
func (t *Tally) Interval() *Histogram { return t.interval }
