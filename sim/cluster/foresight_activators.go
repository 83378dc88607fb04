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
	a := &c.activators
	w := waiter{service: service,
		stay: stay{index: index, arrival: c.now, entered: c.now, start: NotYet, phase: phase, pod: none, proxied: a.proxied}}
	if a.proxied {
		c.settleProxied(&w, until)
		return
	}
	var p *pod
	if c.direct {
		p = &c.pods[c.routable[c.foreseenChoice()]]
	}
	if p == nil || c.now < p.listensAt {
		c.tally.lose(&w.stay, c.now, failed)
		return
	}
	c.settleIn(p, &w, c.now, until)
}

// settleProxied settles the request that arrives now by way of the activator.
func (c *Cluster) settleProxied(w *waiter, until time.Duration) {
	a := &c.activators
	one := &a.list[0]
	one.flow.entered++
	c.expireWaiting(c.now)
	if len(a.waiting) == 0 && one.quietSince <= c.now && c.forgotten(one.quietSince) {
		c.introduce(one)
		until = c.now - 1 // here the caller may change what comes
	}
	if len(one.assigned) == 0 {
		w.held = true
		a.waiting = append(a.waiting, *w)
		return
	}
	c.settleIn(c.foreseenTarget(one, c.now), w, c.now, until)
}

// foreseenTarget is the pod that the activator chooses now, where it knows what
// has come back by an instant.
func (c *Cluster) foreseenTarget(one *activator, by time.Duration) *pod {
	a := &c.activators
	a.returned = a.returns.passed(by, a.returned[:0])
	for _, id := range a.returned {
		one.seen[id].load--
	}
	return &c.pods[one.assigned[c.choose(one)]]
}

// settleIn settles a request that a pod gets now; of this instant, what happens by
// an instant has happened already.
func (c *Cluster) settleIn(p *pod, w *waiter, by, until time.Duration) {
	p.Received++
	s := &w.stay
	p.flows[s.way()].entered++
	seat := p.slots.first()
	waits, start, limit := seat.free > by, max(c.now, seat.free), s.arrival+c.patience
	switch {
	case waits && p.waiting.after(by) >= c.spec.PerPod.Queue:
		c.tally.lose(s, c.now, rejected)
		s.end = c.now
		c.countStay(p, s)
		c.busyTo(p, s)
		return
	case start > limit:
		s.end = limit
		p.waiting.insert(limit)
	default:
		if waits {
			p.waiting.insert(start)
		}
		if start < p.warmAt {
			w.service = c.lifecycle.warmUp.stretched(w.service, start-p.ReadyAt)
		}
		s.start, s.end, s.pod = start, start+w.service, p.ID
		p.idle += max(0, start-max(p.last, p.ReadyAt))
		p.last = max(p.last, s.end)
		p.slots.set(seat.slot, s.end)
	}
	if c.crowded {
		c.enter(p, s.end)
	}
	if s.proxied {
		c.activators.list[0].seen[p.ID].load++
		c.activators.returns.add(by, s.end, p.ID)
	}
	c.busyTo(p, s)
	c.keep(p, *s, until)
}

// busyTo has the activator know the service for as long as a stay in a pod lasts.
func (c *Cluster) busyTo(p *pod, s *stay) {
	if one := &c.activators.list[0]; s.proxied {
		one.quietSince = max(one.quietSince, s.end)
		p.proxiedTo = max(p.proxiedTo, s.end)
	}
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

// countStay counts a stay in a pod, and at the activator, that has ended.
func (c *Cluster) countStay(p *pod, s *stay) {
	p.flows[s.way()].ends += s.end - s.entered
	if s.proxied {
		c.activators.list[0].flow.ends += s.end - s.arrival
	}
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
		w := &a.waiting[i]
		w.entered = c.now
		c.settleIn(c.foreseenTarget(one, c.now-1), w, c.now-1, c.now-1)
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
