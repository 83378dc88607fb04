package cluster

// Lost counts the requests that got no answer in time.
func (c Counters) Lost() uint64 { return c.TimedOut + c.Rejected + c.Failed }

// plus is the sum of two counts.
func (c Counters) plus(o Counters) Counters {
	c.Arrived += o.Arrived
	c.Completed += o.Completed
	c.TimedOut += o.TimedOut
	c.Rejected += o.Rejected
	c.Failed += o.Failed
	c.Retried += o.Retried
	c.Cold += o.Cold
	c.InFlight += o.InFlight
	return c
}

// Merge adds another tally of the same phases, but for the interval's
// histogram. Everything is whole numbers, so the order of merging does not
// matter.
func (t *Tally) Merge(o *Tally) {
	for i := range t.phases {
		p, q := &t.phases[i], &o.phases[i]
		p.Counters = p.Counters.plus(q.Counters)
		p.Latency.Merge(q.Latency)
		p.Wait.Merge(q.Wait)
	}
	t.buffered.Merge(o.buffered)
	t.late += o.late
}

// Reset empties the tally for another run.
func (t *Tally) Reset() {
	t.current, t.late = 0, 0
	t.interval.Reset()
	t.buffered.Reset()
	for i := range t.phases {
		p := &t.phases[i]
		p.Counters = Counters{}
		p.Latency.Reset()
		p.Wait.Reset()
	}
}
