package fakecluster

import (
	"maps"
	"time"
)

// Tally sums up the calls to a cluster that has Faults or a log.
type Tally struct {
	Calls    int
	Writes   int            // that took effect
	Injected map[string]int // failures by Faults, by reason
	Refused  map[string]int // failures by the server itself, by reason
	Lost     int            // of Injected, the writes that took effect all the same
	// Latency is what Faults added in all, LatencyMax to a single call.
	Latency, LatencyMax time.Duration
}

// Tally is the sum so far.
func (c *Cluster) Tally() Tally {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	t := c.server.tally
	t.Injected, t.Refused = maps.Clone(t.Injected), maps.Clone(t.Refused)
	return t
}

func (t *Tally) add(r Record) {
	t.Calls++
	t.Latency += r.Latency
	t.LatencyMax = max(t.LatencyMax, r.Latency)
	if r.Applied {
		t.Writes++
	}
	switch {
	case r.Injected:
		count(&t.Injected, r.Outcome)
		if r.Applied {
			t.Lost++
		}
	case r.Outcome != "ok":
		count(&t.Refused, r.Outcome)
	}
}

func count(by *map[string]int, reason string) {
	if *by == nil {
		*by = map[string]int{}
	}
	(*by)[reason]++
}
