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

// pass goes over the next n arrivals of the block to the one after them, which is
// that of the request with index c.arrived.
func (c *Cluster) pass(n int) {
	u := &c.upcoming
	u.next += n
	if u.next == u.count && !u.ended {
		c.draw()
	}
	if u.next == u.count {
		c.nextArrival = event.Never
		return
	}
	c.nextArrival = u.arrivals[u.next]
}

// draw fills the block with what comes after it.
func (c *Cluster) draw() {
	u := &c.upcoming
	u.next, u.count = 0, c.arrivals.Fill(u.arrivals[:])
	u.ended = u.count < len(u.arrivals)
	if !c.clients.on { // whose attempts have demands of their own
		c.demand.from(c.arrived, u.demands[:u.count])
	}
}

// block is what is left of the block: the next arrival and those after it.
func (u *upcoming) block() (arrivals, demands []time.Duration) {
	return u.arrivals[u.next:u.count], u.demands[u.next:u.count]
}

// demand is the service time of the next arrival.
func (u *upcoming) demand() time.Duration { return u.demands[u.next] }
