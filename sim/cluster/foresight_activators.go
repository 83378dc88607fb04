package cluster

import (
	"slices"
	"time"
)

// With activators and without a limit on the requests of a pod, a stay is settled
// when a pod gets the request, which is at its arrival while an activator knows of
// a pod, and else when the first one is found.

// waiter is a request on its way to a pod.
type waiter struct {
	stay
	service time.Duration
}

// settleActivated settles the request that arrives now.
func (c *Cluster) settleActivated(phase uint16, index uint64, service, until time.Duration) {
	if c.activators.proxied {
		c.settleProxied(phase, index, service, until)
	} else if p := c.foreseenPod(); p != nil {
		p.flows[directFlow].entered++
		c.settleAt(p, phase, index, service, until)
	} else {
		s := c.stayOf(phase, index)
		c.tally.lose(&s, c.now, failed)
	}
}

// settleProxied settles the request that arrives now by way of the activator.
func (c *Cluster) settleProxied(phase uint16, index uint64, service, until time.Duration) {
	a := &c.activators
	one := &a.list[0]
	one.flow.entered++
	if one.quietSince <= c.now {
		c.expireWaiting(c.now)
		if len(a.waiting) == 0 && c.forgotten(one.quietSince) {
			c.introduce(one)
			until = c.now - 1 // here the caller may change what comes
		}
	}
	if len(one.assigned) == 0 {
		w := waiter{stay: c.stayOf(phase, index), service: service}
		w.held = true
		a.waiting = append(a.waiting, w)
		return
	}
	p := c.foreseenTarget(one, c.now)
	p.flows[proxiedFlow].entered++
	c.sentTo(p, c.settleAt(p, phase, index, service, until), c.now)
}

// sentTo has the activator know of a request that it sends to a pod now.
func (c *Cluster) sentTo(p *pod, end, by time.Duration) {
	a := &c.activators
	one := &a.list[0]
	one.quietSince = max(one.quietSince, end)
	p.proxiedTo = max(p.proxiedTo, end)
	if !a.counts {
		one.seen[p.ID].load++
		a.returns.add(by, end, p.ID)
	}
}

// foreseenTarget is the pod that the activator chooses now, where it knows what
// has come back by an instant.
func (c *Cluster) foreseenTarget(one *activator, by time.Duration) *pod {
	a := &c.activators
	if a.counts {
		x, y, coin := one.stream.Two(len(one.assigned))
		return &c.pods[one.assigned[lighter(x, y, c.foreseenSent(one, x, by), c.foreseenSent(one, y, by), coin)]]
	}
	a.returned = a.returns.passed(by, a.returned[:0])
	for _, id := range a.returned {
		one.seen[id].load--
	}
	return &c.pods[one.assigned[c.choose(one)]]
}

// foreseenSent is how many requests of the activator will still be with a pod
// after an instant: all but those that came past it.
func (c *Cluster) foreseenSent(one *activator, position int, by time.Duration) int32 {
	p := &c.pods[one.assigned[position]]
	sent := p.slots.later(by, c.spec.PerPod.Concurrency) + int32(p.waiting.after(by))
	if len(p.past) > 0 {
		p.past = slices.DeleteFunc(p.past, func(end time.Duration) bool { return end <= by })
		sent -= int32(len(p.past))
	}
	return sent
}

// recallPast has every pod know which of its requests came past the activators,
// when the path begins to lead by way of them.
func (c *Cluster) recallPast() {
	for _, id := range c.present {
		p := &c.pods[id]
		p.past = p.past[:0]
		for i := range p.stays {
			if s := &p.stays[i]; !s.proxied {
				p.past = append(p.past, s.end)
			}
		}
	}
}

// settleReleased settles a request that has waited at the activator and gets into
// a pod now, before anything else of this instant.
func (c *Cluster) settleReleased(p *pod, w *waiter) {
	s, before := &w.stay, c.now-1
	s.entered = c.now
	c.tally.buffer(s.arrival, c.now-s.arrival)
	p.Received++
	p.flows[proxiedFlow].entered++
	seat := p.slots.first()
	waits, start, limit := seat.free > before, max(c.now, seat.free), s.arrival+c.patience
	switch {
	case waits && p.waiting.after(before) >= c.spec.PerPod.Queue:
		c.tally.lose(s, c.now, rejected)
		c.countStay(p, true, 0, c.now-s.arrival)
		c.sentTo(p, c.now, before)
		return
	case start > limit:
		s.end = limit
		p.waiting.insert(limit)
	default:
		if waits {
			p.waiting.insert(start)
		}
		if start < p.warmAt {
			w.service = c.slowed(p, w.service, start)
		}
		s.start, s.end, s.pod = start, start+w.service, p.ID
		p.idle += max(0, start-max(p.last, p.idleSince))
		p.last = max(p.last, s.end)
		p.slots.set(seat.slot, s.end)
	}
	if c.crowded {
		c.enter(p, s.end)
	}
	c.sentTo(p, s.end, before)
	c.keep(p, s, before)
}

// busyWithout finds out anew how long the activator knows the service, when all
// stays in a pod end now.
func (c *Cluster) busyWithout(p *pod) {
	if p.proxiedTo <= c.now {
		return
	}
	one := &c.activators.list[0]
	one.quietSince = c.now
	for _, id := range c.present {
		if id != p.ID {
			one.quietSince = max(one.quietSince, c.pods[id].proxiedTo)
		}
	}
}

// way is the index of the stay's flow in a pod.
func (s *stay) way() int {
	if s.proxied {
		return proxiedFlow
	}
	return directFlow
}

// countStay counts a stay in a pod that has ended, and one at the activator.
func (c *Cluster) countStay(p *pod, proxied bool, inPod, inAll time.Duration) {
	if !proxied {
		p.flows[directFlow].ends += inPod
		return
	}
	p.flows[proxiedFlow].ends += inPod
	c.activators.list[0].flow.ends += inAll
}

// foreseenFlows adds the stays that have not ended to a pod's flows.
func (c *Cluster) foreseenFlows(p *pod, status *PodStatus) {
	flows := [2]*Flow{&status.Direct, &status.Proxied}
	for i := range p.stays {
		s := &p.stays[i]
		f := flows[s.way()]
		*f = f.plus(1, c.now-s.entered)
	}
}

// foreseenAtFront is the activator's flow with the stays that have not ended.
func (c *Cluster) foreseenAtFront(f Flow) Flow {
	if !c.foresight {
		return f
	}
	for _, w := range c.activators.waiting {
		f = f.plus(1, c.now-w.arrival)
	}
	for _, id := range c.present {
		stays := c.pods[id].stays
		for i := range stays {
			if s := &stays[i]; s.proxied {
				f = f.plus(1, c.now-s.arrival)
			}
		}
	}
	return f
}

// releaseWaiting gives the requests that wait to the pods that the activator has
// found.
func (c *Cluster) releaseWaiting() {
	a := &c.activators
	one := &a.list[0]
	if len(a.waiting) == 0 || len(one.assigned) == 0 {
		return
	}
	c.expireWaiting(c.now - 1)
	for i := range a.waiting {
		c.settleReleased(c.foreseenTarget(one, c.now-1), &a.waiting[i])
	}
	a.waiting = a.waiting[:0]
}

// expireWaiting ends the requests whose clients have given up by the instant to.
func (c *Cluster) expireWaiting(to time.Duration) {
	a := &c.activators
	n := 0
	for n < len(a.waiting) && a.waiting[n].arrival+c.patience <= to {
		s := &a.waiting[n].stay
		s.end = s.arrival + c.patience
		c.tally.lose(s, s.end, timedOut)
		c.tally.buffer(s.arrival, c.patience)
		one := &a.list[0]
		one.flow.ends += c.patience
		one.quietSince = max(one.quietSince, s.end)
		n++
	}
	a.waiting = slices.Delete(a.waiting, 0, n)
}

// insert is push for an instant that may be earlier than some that are there:
// requests that have waited at the activator leave a pod's queue before later ones
// that came to it directly.
func (q *instants) insert(at time.Duration) {
	q.push(at)
	mask := len(q.ring) - 1
	for i := q.count - 1; i > 0; i-- {
		here, before := &q.ring[(q.head+i)&mask], &q.ring[(q.head+i-1)&mask]
		if *before <= *here {
			return
		}
		*here, *before = *before, *here
	}
}
