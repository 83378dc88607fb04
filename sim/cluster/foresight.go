package cluster

import (
	"time"

	"github.com/scalelab/scalelab/sim/event"
)

// Foresight is the fast path of the data plane. Where nothing that happens later
// can change how long a request has to wait, its whole stay is settled when it
// arrives: it takes the slot that becomes free first, and the slot is then taken
// until it leaves. There are no departures to schedule and no queue to walk, only
// the instants at which slots become free. Both ways give the same instants to
// the nanosecond; the tests play every world to both.
//
// It needs queues that only end by service or by the client's patience: requests
// that stay with the pod they were sent to, first come first served, and clients
// and fronts that do not answer to what becomes of them.

// foresees says whether the workload's requests can be settled at arrival.
func (s *Spec) foresees() bool {
	if s.eventByEvent || s.Elastic || s.Serverless != nil || s.Front != nil || s.Interceptor != nil || s.PerPod.Discipline != "fifo" {
		return false
	}
	if s.Consumes != nil { // whose backlogs are long: stays that have not ended are looked through
		return false
	}
	if s.activeClients() || s.OnTimeout == cancelService {
		return false
	}
	if a := s.Activators; a != nil && (a.ContainerConcurrency > 0 || a.Count > 1) {
		return false
	}
	if !s.steady() && s.Activators != nil {
		return false
	}
	if (!s.steady() || s.lingers()) && policies[s.Routing.Policy] == leastRequest { // a load would outlive its pod
		return false
	}
	if s.PerPod.Memory != nil { // which is looked at with every request
		return false
	}
	slots := s.PerPod.Concurrency
	switch policies[s.Routing.Policy] {
	case sharedQueue:
		return s.Fixed && !s.Fresh && s.steady() && s.Nodes == nil && s.Replicas > 0 && slots <= maxShared/int(s.Replicas)
	case powerOfTwo:
		return slots <= maxCounted
	}
	return slots <= maxSlots
}

const (
	// maxCounted is up to how many slots it is cheaper to look at each, for the
	// loads of two pods, than to follow every departure.
	maxCounted = 32
	// maxSlots and maxShared bound the memory of tournaments: 128 KB for a pod, up
	// to 16 MB for the queue that all pods share.
	maxSlots  = 1 << 12
	maxShared = 1 << 17
)

// station is what a pod with foresight knows about the future.
type station struct {
	slots   tournament
	waiting instants      // when those that wait leave the queue
	last    time.Duration // when the last request is served
	stays   []stay        // those that end after the instant the cluster stands at
	load    int32         // least-request: those that have not ended

	// With activators.
	proxiedTo time.Duration   // when the last one is served that came by way of one
	past      []time.Duration // when those end that were here when the path turned to them, and had come past them
}

// stay is a request that is settled and has not ended.
type stay struct {
	index   uint64 // of arrival
	arrival time.Duration
	start   time.Duration // of its service; NotYet when it leaves the queue unserved
	end     time.Duration // of its service, or when it leaves the queue
	pod     int32         // that serves it, or none
	phase   uint16
	told    bool // the client has given up

	received bool // shared queue: the pod has it

	// With activators.
	entered time.Duration // the pod
	proxied bool          // it came by way of an activator
	held    bool          // which knew of no pod when it came
}

// foresee settles every request that arrives up to the instant to, and tallies
// what happens to them until the later one.
func (c *Cluster) foresee(to, until time.Duration) {
	for c.nextArrival <= to {
		phase, last := c.tally.phase(c.nextArrival)
		arrivals, demands := c.upcoming.block()
		n := 0
		for n < len(arrivals) && arrivals[n] <= min(to, last) {
			c.now = arrivals[n]
			switch {
			case c.shared != nil:
				c.settleShared(phase, c.arrived+uint64(n), demands[n], until)
			case c.activators.on:
				c.settleActivated(phase, c.arrived+uint64(n), demands[n], until)
			default:
				c.settleInPod(phase, c.arrived+uint64(n), demands[n], until)
			}
			n++
			if c.asked {
				break
			}
		}
		c.tally.arrived(phase, n)
		c.arrived += uint64(n)
		c.pass(n)
		if c.asked {
			return
		}
	}
}

// settleInPod settles the request that arrives now and stays with its pod.
func (c *Cluster) settleInPod(phase uint16, index uint64, service, until time.Duration) {
	if p := c.foreseenPod(); p != nil {
		c.settleAt(p, phase, index, service, until)
		return
	}
	c.tally.lose(&stay{index: index, arrival: c.now, start: NotYet, phase: phase, pod: none}, c.now, failed)
}

// foreseenPod is the pod that gets a request of now; nil where none would take it.
func (c *Cluster) foreseenPod() *pod {
	if !c.direct {
		return nil
	}
	if p := &c.pods[c.routable[c.foreseenChoice()]]; c.now >= p.listensAt {
		return p
	}
	return nil
}

// settleAt settles the request that arrives now in its pod, and says when it leaves.
func (c *Cluster) settleAt(p *pod, phase uint16, index uint64, service, until time.Duration) time.Duration {
	p.Received++
	seat := p.slots.first()
	if seat.free > c.now {
		if left := c.wait(&p.waiting, c.spec.PerPod.Queue, p, seat.free, phase, index, until); left != NotYet {
			return left
		}
	}
	end := c.seat(p, max(c.now, seat.free), phase, index, service, until)
	p.slots.set(seat.slot, end)
	return end
}

// wait puts the request that arrives now into a queue until the instant at which
// a slot becomes free. It says when the request leaves without a slot, or NotYet
// if it gets the slot.
func (c *Cluster) wait(queue *instants, capacity int, p *pod, free time.Duration, phase uint16, index uint64, until time.Duration) time.Duration {
	s := c.stayOf(phase, index)
	if queue.after(c.now) >= capacity {
		c.tally.lose(&s, c.now, rejected)
		return c.now
	}
	if s.end = c.now + c.patience; free > s.end {
		queue.insert(s.end)
		if c.crowded {
			c.enter(p, s.end)
		}
		c.keep(p, &s, until)
		return s.end
	}
	queue.insert(free)
	return NotYet
}

// stayOf is the stay of the request that arrives now.
func (c *Cluster) stayOf(phase uint16, index uint64) stay {
	return stay{index: index, arrival: c.now, entered: c.now, start: NotYet, phase: phase, pod: none, proxied: c.activators.proxied}
}

// seat gives the request that arrives now a slot of the pod from an instant on,
// and says when the slot is free again.
func (c *Cluster) seat(p *pod, start time.Duration, phase uint16, index uint64, service, until time.Duration) time.Duration {
	if start < p.warmAt {
		service = c.slowed(p, service, start)
	}
	end := start + service
	p.idle += max(0, start-max(p.last, p.idleSince))
	p.last = max(p.last, end)
	if c.crowded {
		c.enter(p, end)
	}
	if end > until || end-c.now > c.patience {
		s := c.stayOf(phase, index)
		s.start, s.end, s.pod = start, end, p.ID
		c.keep(p, &s, until)
		return end
	}
	if c.activators.on {
		c.countStay(p, c.activators.proxied, end-c.now, end-c.now)
	}
	if c.shared != nil {
		p.Received++
	}
	p.Completed++
	p.CPU += c.effort(service)
	c.tally.serve(&c.tally.phases[phase], c.now, start, end)
	if c.tally.observe != nil {
		c.tally.observe(&request{index: index, arrival: c.now, start: start, pod: p.ID}, end, completed)
	}
	return end
}

// foreseenChoice is the position of the pod for a request of now.
func (c *Cluster) foreseenChoice() int {
	r := &c.router
	switch r.policy {
	case leastRequest:
		c.leave()
		return r.pick()
	case powerOfTwo:
	default:
		return r.pick()
	}
	a, b := r.two()
	if c.foreseenLoad(b) < c.foreseenLoad(a) {
		return b
	}
	return a
}

// leave takes the requests that have ended by now off the loads of their pods.
func (c *Cluster) leave() {
	c.left = c.leavings.passed(c.now, c.left[:0])
	for _, id := range c.left {
		p := &c.pods[id]
		p.load--
		if p.position != none {
			c.router.load(p.position, -1)
		}
	}
}

// enter puts a request that ends at the given instant on the load of its pod.
func (c *Cluster) enter(p *pod, end time.Duration) {
	p.load++
	if p.position != none {
		c.router.load(p.position, +1)
	}
	c.leavings.add(c.now, end, p.ID)
}

func (c *Cluster) foreseenLoad(position int) int32 {
	p := &c.pods[c.routable[position]]
	return p.slots.later(c.now, c.spec.PerPod.Concurrency) + int32(p.waiting.after(c.now))
}

// keep tallies what happens to a stay up to the instant until, and remembers the
// stay if that is not all.
func (c *Cluster) keep(p *pod, s *stay, until time.Duration) {
	if !c.settle(p, s, until) {
		p.stays = append(p.stays, *s)
	}
}

// settle tallies what happens to a stay up to the instant to. It says whether
// that is all.
func (c *Cluster) settle(p *pod, s *stay, to time.Duration) bool {
	if limit := s.arrival + c.patience; !s.told && limit <= to && (limit < s.end || s.start == NotYet) {
		s.told = true
		c.tally.lose(s, limit, timedOut)
	}
	if c.shared != nil && !s.received && s.started(to) {
		s.received = true
		p.Received++
	}
	if s.end > to {
		return false
	}
	if c.activators.on {
		c.countStay(p, s.proxied, s.end-s.entered, s.end-s.arrival)
	}
	if s.start != NotYet {
		p.Completed++
		p.CPU += c.effort(s.end - s.start)
		if !s.told {
			if s.held {
				c.tally.phases[s.phase].Cold++
			}
			c.tally.serve(&c.tally.phases[s.phase], s.arrival, s.start, s.end)
			if c.tally.observe != nil {
				c.tally.observe(s.request(), s.end, completed)
			}
		}
	}
	return true
}

// settleAll brings a pod's tallies up to the instant to.
func (c *Cluster) settleAll(p *pod, to time.Duration) {
	kept := 0
	for i := range p.stays {
		s := &p.stays[i]
		if c.settle(p, s, to) {
			continue
		}
		if kept < i {
			p.stays[kept] = *s
		}
		kept++
	}
	p.stays = p.stays[:kept]
}

// foreseeAll is Advance with foresight. Where what happens in a step of a pod's life
// can end what others hold, nothing is settled beyond the next one.
func (c *Cluster) foreseeAll(to time.Duration) Stop {
	for {
		if why := c.stop(); why != NoStop {
			return why
		}
		life := c.lives.Next()
		before, until := min(to, life-1), to
		if c.stepwise {
			until = before
		}
		c.foresee(before, until)
		if c.asked {
			continue
		}
		if c.activators.on {
			c.expireWaiting(before)
		}
		if life > to {
			break
		}
		if c.now, c.foreseenTo = life, max(c.foreseenTo, life-1); c.stepwise {
			c.settlePresent(life - 1)
		}
		c.live(c.lives.Pop().Payload)
	}
	if c.now = to; to != c.foreseenTo || c.activators.on { // whose stops leave stays for later
		c.foreseenTo = to
		c.settlePresent(to)
	}
	return NoStop
}

// settlePresent brings the tallies of all pods up to the instant to.
func (c *Cluster) settlePresent(to time.Duration) {
	for _, id := range c.present {
		c.settleAll(&c.pods[id], to)
	}
}

// drainAhead sees the end of a pod that is deleted now.
func (c *Cluster) drainAhead(p *pod) {
	if p.last > c.foreseenTo && p.last < p.DeletedAt+c.spec.GracePeriod {
		c.lives.Push(p.last, event.Departures, life{step: emptied})
	}
}

// removeEmptied removes the first of the draining pods whose last request leaves now.
// Each of them has an event of its own, so that what the end of one brings about comes
// before the end of the next.
func (c *Cluster) removeEmptied() {
	for _, id := range c.present {
		if p := &c.pods[id]; p.State == Draining && p.last <= c.now && c.now >= p.stopsAt {
			c.settleAll(p, c.now)
			c.remove(p)
			return
		}
	}
}

// killAhead ends a pod with everything it holds.
func (c *Cluster) killAhead(p *pod) {
	c.settleAll(p, c.foreseenTo)
	for i := range p.stays {
		s := &p.stays[i]
		if !s.started(c.foreseenTo) {
			s.start = NotYet // the slot it waits for becomes free too late
		}
		if !s.told {
			c.tally.lose(s, c.now, failed)
		}
		if c.activators.on {
			c.countStay(p, s.proxied, c.now-s.entered, c.now-s.arrival)
		}
	}
	p.stays = nil
	if c.activators.on {
		c.busyWithout(p)
	}
	p.station = station{slots: newTournament(c.spec.PerPod.Concurrency), load: p.load}
}

// foreseen adds what the stays of a pod come to now to its status.
func (c *Cluster) foreseen(p *pod, status *PodStatus) {
	if c.activators.on {
		c.foreseenFlows(p, status)
	}
	for i := range p.stays {
		s := &p.stays[i]
		if !s.started(c.foreseenTo) {
			if c.shared == nil {
				status.Queued++
			}
			continue
		}
		status.InService++
		status.CPU += c.effortOf(s.end-s.start, c.now-s.start)
	}
}

// started says whether the service of a stay that has not ended has begun.
func (s *stay) started(now time.Duration) bool { return s.start != NotYet && s.start <= now }

// unstarted is how many of the pod's requests wait.
func (s *station) unstarted(now time.Duration) (n int64) {
	for i := range s.stays {
		if !s.stays[i].started(now) {
			n++
		}
	}
	return n
}

// instants is a queue of instants in rising order.
type instants struct {
	ring        []time.Duration // length is a power of two
	head, count int
}

// after forgets the instants up to now and counts the others.
func (q *instants) after(now time.Duration) int {
	for q.count > 0 && q.ring[q.head] <= now {
		q.head = (q.head + 1) & (len(q.ring) - 1)
		q.count--
	}
	return q.count
}

func (q *instants) push(at time.Duration) {
	if q.count == len(q.ring) {
		bigger := make([]time.Duration, max(8, 2*len(q.ring)))
		n := copy(bigger, q.ring[q.head:])
		copy(bigger[n:], q.ring[:q.head])
		q.ring, q.head = bigger, 0
	}
	q.ring[(q.head+q.count)&(len(q.ring)-1)] = at
	q.count++
}
