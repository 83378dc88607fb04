package cluster

import (
	"math"
	"slices"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/event"
	"github.com/scalelab/scalelab/sim/random"
)

// Under processor sharing the n requests in service in a pod with c cores each
// run at the speed min(1, c/n). A request departs at the first whole nanosecond
// at which no more than 2^-20 ns of its work is left.
//
// The algorithm is that of virtual time (Parekh and Gallager 1993): V is the
// work that a request has received which is in service all the time, so it
// grows at the speed of the moment, and a request that begins at V is done when
// V has grown by its work, however often the speed changes meanwhile. Only the
// pod's next departure has to be known.

// share is how a pod's CPU is shared.
type share struct {
	v     virtual
	at    time.Duration // the instant of v
	marks []mark        // by slot: pod.serving is a four-way heap by finish
}

// mark is when a request in service will be done.
type mark struct {
	finish virtual // in V
	order  uint64  // of the starts of service
}

// sharing is the processor sharing of all pods.
type sharing struct {
	cpu     processor // of each pod; 0 without processor sharing
	starts  uint64
	turns   turns
	touched int32    // pod whose turn is to be set anew, or none
	due     []marked // scratch of departShared
}

type marked struct {
	order   uint64
	request int32
	slot    int32
}

// processor is the CPU of a pod.
func (p PerPod) processor() processor {
	if p.Cores == nil {
		return 1000
	}
	return processor(thousandths(*p.Cores))
}

// room is how many requests a pod serves undisturbed, in thousandths.
func (p PerPod) room() int {
	if p.Discipline == "ps" {
		return min(int(p.processor()), 1000*p.Concurrency)
	}
	return 1000 * p.Concurrency
}

// Throughput is how many requests per second a pod that is warm serves
// undisturbed; 0 where its service time is not valid or takes no time.
func (p PerPod) Throughput() float64 {
	service, err := random.New(p.ServiceTime)
	if err != nil || service.Mean() <= 0 {
		return 0
	}
	return float64(p.room()) / 1000 / service.Mean().Seconds()
}

// thousandths makes a decimal number whole.
func thousandths(x float64) uint64 { return uint64(math.Round(x * 1000)) }

// InThousandths says whether nothing is lost by it.
func InThousandths(x float64) bool { return float64(thousandths(x))/1000 == x }

func newSharing(spec Spec) sharing {
	s := sharing{touched: none}
	if spec.PerPod.Discipline == "ps" && !spec.Elastic && spec.Serverless == nil {
		s.cpu = spec.PerPod.processor()
	}
	return s
}

// nextShared is the instant of the next departure under processor sharing.
func (c *Cluster) nextShared() time.Duration {
	if c.sharing.touched != none {
		c.setTurn(&c.pods[c.sharing.touched])
	}
	return c.sharing.turns.next()
}

// accrue carries V on to now, before the number in service changes. The pod's
// turn is set once everything of the moment has happened.
func (c *Cluster) accrue(p *pod) {
	s := &p.share
	switch {
	case len(p.serving) == 0:
		s.v = virtual{}
	case c.now > s.at:
		s.v = c.received(p)
	}
	s.at = c.now
	if c.sharing.touched != p.ID {
		if c.sharing.touched != none {
			c.setTurn(&c.pods[c.sharing.touched])
		}
		c.sharing.touched = p.ID
	}
}

// received is V now.
func (c *Cluster) received(p *pod) virtual {
	return p.share.v.plus(c.sharing.cpu.work(uint64(c.now-p.share.at), len(p.serving)))
}

// setTurn foresees the pod's next departure.
func (c *Cluster) setTurn(p *pod) {
	c.sharing.touched = none
	n, at := len(p.serving), event.Never
	if n > 0 {
		left := p.share.marks[0].finish.minus(p.share.v).minus(tolerance)
		if ns := c.sharing.cpu.time(left, n); ns < uint64(event.Never-p.share.at) {
			at = p.share.at + time.Duration(ns)
		}
	}
	c.sharing.turns.set(p.ID, at)
}

// joinShare gives a slot to a request.
func (c *Cluster) joinShare(p *pod, i int32) {
	c.accrue(p)
	finish := p.share.v.plus(virtual{whole: uint64(c.requests.slab[i].service)})
	p.serving, p.share.marks = append(p.serving, i), append(p.share.marks, mark{})
	c.rise(p, len(p.serving)-1, i, mark{finish: finish, order: c.sharing.starts})
	c.sharing.starts++
}

// leaveShare frees the slot of a request, served or not.
func (c *Cluster) leaveShare(p *pod, slot int) {
	c.accrue(p)
	last := len(p.serving) - 1
	i, m := p.serving[last], p.share.marks[last]
	p.serving, p.share.marks = p.serving[:last], p.share.marks[:last]
	switch {
	case slot == last:
	case slot > 0 && m.finish.before(p.share.marks[(slot-1)/4].finish):
		c.rise(p, slot, i, m)
	default:
		c.sink(p, slot, i, m)
	}
}

// rise puts a request into a slot or one nearer to the root.
func (c *Cluster) rise(p *pod, slot int, i int32, m mark) {
	for slot > 0 {
		parent := (slot - 1) / 4
		if !m.finish.before(p.share.marks[parent].finish) {
			break
		}
		c.put(p, slot, p.serving[parent], p.share.marks[parent])
		slot = parent
	}
	c.put(p, slot, i, m)
}

// sink puts a request into a slot or one farther from the root.
func (c *Cluster) sink(p *pod, slot int, i int32, m mark) {
	marks := p.share.marks
	for {
		first := 4*slot + 1
		if first >= len(marks) {
			break
		}
		least := first
		for child := first + 1; child < min(first+4, len(marks)); child++ {
			if marks[child].finish.before(marks[least].finish) {
				least = child
			}
		}
		if !marks[least].finish.before(m.finish) {
			break
		}
		c.put(p, slot, p.serving[least], marks[least])
		slot = least
	}
	c.put(p, slot, i, m)
}

func (c *Cluster) put(p *pod, slot int, i int32, m mark) {
	p.serving[slot], p.share.marks[slot] = i, m
	c.requests.slab[i].slot = int32(slot)
}

// departShared ends what is due in the pod whose turn is next: of several
// requests, first the one whose service began first.
func (c *Cluster) departShared() {
	p := &c.pods[c.sharing.turns.heap[0].pod]
	c.accrue(p)
	for _, m := range c.collectDue(p) {
		c.depart(m.request)
	}
}

// collectDue lists what is due in the order of the starts. In the heap it is
// everything from the root down to what is not due.
func (c *Cluster) collectDue(p *pod) []marked {
	due, marks, done := c.sharing.due[:0], p.share.marks, p.share.v.plus(tolerance)
	add := func(from, to int) {
		for slot := from; slot < min(to, len(marks)); slot++ {
			if !done.before(marks[slot].finish) {
				due = append(due, marked{order: marks[slot].order, request: p.serving[slot], slot: int32(slot)})
			}
		}
	}
	add(0, 1)
	for next := 0; next < len(due); next++ {
		first := 4*int(due[next].slot) + 1
		add(first, first+4)
	}
	if len(due) > 1 {
		slices.SortFunc(due, func(a, b marked) int { return int(int64(a.order - b.order)) })
	}
	c.sharing.due = due
	return due
}

// workOf is the work that a request in service has received, of its service
// time, in whole nanoseconds.
func (c *Cluster) workOf(p *pod, slot int) time.Duration {
	left := p.share.marks[slot].finish.minus(c.received(p)).minus(tolerance)
	service := c.requests.slab[p.serving[slot]].service
	return service - min(service, time.Duration(left.ceil()))
}

// validateCores reports cores that cannot be used.
func (p PerPod) validateCores() error {
	switch {
	case p.Cores == nil:
		return nil
	case p.Discipline != "ps":
		return messages.Invalidf("cores", "found %g with the discipline %s, expected it with ps only", *p.Cores, p.Discipline)
	case !(*p.Cores >= 0.001 && *p.Cores <= 1000):
		return messages.Invalidf("cores", "found %g, expected 0.001 to 1000", *p.Cores)
	case !InThousandths(*p.Cores):
		return messages.Invalidf("cores", "found %g, expected at most three decimals", *p.Cores)
	}
	return nil
}
