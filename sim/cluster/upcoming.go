package cluster

import (
	"time"

	"github.com/scalelab/scalelab/sim/event"
)

// Arrivals gives the instants of requests in rising order.
type Arrivals interface {
	// Fill is for the next len(dst) requests. It says how many there are; fewer
	// than that means that there are no more.
	Fill(dst []time.Duration) (n int)
}

// upcoming are the next requests, drawn ahead many at a time: neither instants
// nor demands depend on anything that happens in the cluster.
type upcoming struct {
	arrivals, demands [256]time.Duration
	next, count       int
	ended             bool
}

// pull fetches the next arrival.
func (c *Cluster) pull() {
	u := &c.upcoming
	if u.next == u.count && !u.ended {
		u.next, u.count = 0, c.arrivals.Fill(u.arrivals[:])
		u.ended = u.count < len(u.arrivals)
		c.demand.from(c.arrived, u.demands[:u.count])
	}
	if u.next == u.count {
		c.nextArrival = event.Never
		return
	}
	c.nextArrival, c.nextDemand = u.arrivals[u.next], u.demands[u.next]
	u.next++
}
