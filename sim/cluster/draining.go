package cluster

import (
	"slices"

	"github.com/scalelab/scalelab/sim/event"
)

// delete takes a pod out of routing, once that has got about. A pod that is not Ready
// and holds nothing is gone; another one goes on while its preStop hook runs, and then
// finishes what it holds within its grace period.
func (c *Cluster) delete(p *pod) {
	p.DeletedAt = c.now
	c.created--
	if p.State != Ready && !c.holds(p) {
		if c.activators.on {
			c.lose(p)
		}
		c.remove(p)
		return
	}
	wasReady := p.State == Ready
	if wasReady {
		c.ceaseReady(p)
	}
	c.become(p, Draining)
	p.stopsAt = c.now
	if p.RunningSince != NotYet {
		p.stopsAt += min(c.spec.PreStop, c.spec.GracePeriod)
	}
	if wasReady && (c.spec.Consumes == nil || p.stopsAt == c.now) { // who consumes does not know before its SIGTERM
		c.withdraw(p)
	}
	c.later(p, endOfGrace, c.spec.GracePeriod)
	if p.stopsAt > c.now {
		c.later(p, toStopped, p.stopsAt-c.now)
		return
	}
	c.stopServing(p)
}

// withdraw has requests go to the pod no longer, once that has got about. Knative's
// activators know at once, and its queue-proxies see to what comes past them.
func (c *Cluster) withdraw(p *pod) {
	p.changes++
	if !c.activators.on {
		if delay := c.lifecycle.deregister.draw(uint64(p.ID) | uint64(p.changes)<<32); delay > 0 {
			c.lives.Push(c.now+delay, event.Pods, life{pod: p.ID, step: toUnrouted, epoch: p.changes})
			return
		}
	}
	p.heard = p.changes
	c.unroute(p)
}

// hears says whether a change of the pod's readiness is news to those who send
// requests: what comes late does not undo what has overtaken it.
func (p *pod) hears(change uint32) bool {
	if change <= p.heard {
		return false
	}
	p.heard = change
	return true
}

// unroute has requests go to the pod no longer.
func (c *Cluster) unroute(p *pod) {
	c.becomeUnroutable(p)
	if c.activators.on {
		c.lose(p)
	}
}

// stopServing is a deleted pod's SIGTERM: it takes no requests any more, and ends as
// soon as it holds none.
func (c *Cluster) stopServing(p *pod) {
	if p.State != Draining {
		return
	}
	p.listensAt = event.Never
	if c.spec.Consumes != nil {
		c.unroute(p)
	}
	if c.foresight {
		c.settleAll(p, c.foreseenTo)
		c.drainAhead(p)
	}
	c.finishDraining(p)
}

// holds says whether requests wait or are served in a pod.
func (c *Cluster) holds(p *pod) bool {
	return len(p.serving) > 0 || p.queue.length > 0 || p.last > c.foreseenTo
}

func (c *Cluster) becomeUnroutable(p *pod) {
	if p.position == none {
		return
	}
	at := p.position
	p.position = none
	if p.State == Gone {
		p.station = station{load: p.load}
	}
	copy(c.routable[at:], c.routable[at+1:])
	c.routable = c.routable[:len(c.routable)-1]
	c.direct = c.direct && len(c.routable) > 0
	for i := at; i < int32(len(c.routable)); i++ {
		c.pods[c.routable[i]].position = i
	}
	c.router.rebuild(c)
	if c.spec.Consumes != nil {
		c.rebalance()
	}
}

// finishDraining removes a draining pod that holds nothing any more.
func (c *Cluster) finishDraining(p *pod) {
	if p.State == Draining && c.now >= p.stopsAt && !c.holds(p) {
		c.remove(p)
	}
}

func (c *Cluster) remove(p *pod) {
	p.serving, p.share, p.listensAt = nil, share{}, event.Never
	if p.position == none {
		p.station = station{load: p.load}
	}
	c.become(p, Gone)
	at := slices.Index(c.present, p.ID)
	c.present = slices.Delete(c.present, at, at+1)
	c.ended.existed += c.now - p.CreatedAt
	c.ended.idle += p.idle
	c.leaveNode(p)
	c.roll()
}

// kill ends a pod with everything it still holds.
func (c *Cluster) kill(p *pod) {
	if p.State != Draining {
		return
	}
	if c.spec.Consumes != nil {
		c.unroute(p)
	}
	c.drop(p)
	c.remove(p)
}

// drop ends the container of a pod: everything that it holds fails.
func (c *Cluster) drop(p *pod) {
	p.listensAt = event.Never
	if c.foresight {
		c.killAhead(p)
		return
	}
	if c.spec.Consumes != nil {
		c.loseMessages(p)
	}
	var held []int32 // what waits, then what is served by arrival
	for p.queue.length > 0 {
		held = append(held, p.queue.pop(&c.requests))
	}
	waiting := len(held)
	held = append(held, p.serving...)
	c.byArrival(held[waiting:])
	if c.sharing.cpu > 0 {
		c.accrue(p)
		p.share.marks = nil
	}
	p.serving = p.serving[:0]
	if p.position != none {
		c.router.rebuild(c)
	}
	for n, i := range held { // which may send others on, elsewhere
		c.countOut(p, i)
		if n < waiting || c.sharing.cpu > 0 {
			c.end(i, failed)
		} else {
			c.abandon(i, failed)
		}
	}
}

// abandon ends a request in service that has lost its slot. Its departure stays
// in the heap and forgets it when it comes.
func (c *Cluster) abandon(i int32, f fate) {
	q := &c.requests.slab[i]
	if !q.gone {
		c.tell(q, f)
	}
	q.gone, q.place = true, abandoned
	lost := *q
	q.viaFront, q.activator = false, 0
	c.leaveProxies(&lost)
}
