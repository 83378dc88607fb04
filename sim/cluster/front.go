package cluster

import (
	"time"

	"github.com/scalelab/scalelab/scaling/elasti/hold"
	"github.com/scalelab/scalelab/sim/event"
)

// front is the state of the proxy that holds requests while no pod is
// reachable, under the rules of package hold. A request takes a slot, looks for
// a ready pod, and sleeps until its next look while there is none, so the time
// it is held is a multiple of the retry interval. It keeps the slot until its
// response has passed.
type front struct {
	service     hold.Service
	queue       queue // requests that wait for a slot
	used        int   // slots taken
	sleepers    int   // of these: requests that sleep between two looks or dials
	looks       ring
	dials       event.Queue[due]
	deadlines   ring // where the front's own timeout matters
	filling     bool
	unreachable bool // requests cannot get to the front
}

func newFront() front { return front{queue: newQueue()} }

func (f *front) next() time.Duration {
	return min(f.looks.next(), f.dials.Next(), f.deadlines.next())
}

// handOver lets requests go to the pods directly once clients know of them.
func (c *Cluster) handOver() {
	c.directAt = c.now
	if c.spec.Front == nil || c.spec.Handover == 0 || c.now == 0 {
		c.direct = true
		return
	}
	c.directAt += c.spec.Handover
	c.lives.Push(c.directAt, event.Pods, life{step: handedOver})
}

// frontEvent handles what is due at the front, or the interceptor in its place:
// deadlines, dials, looks.
func (c *Cluster) frontEvent() {
	if c.spec.Interceptor != nil {
		c.interceptorEvent()
		return
	}
	f := &c.front
	switch c.now {
	case f.deadlines.next():
		c.expire(f.deadlines.pop())
	case f.dials.Next():
		c.resume(f.dials.Pop().Payload, frontDialing, c.dial)
	default:
		c.resume(f.looks.pop(), frontHeld, c.look)
	}
}

// expire ends a request's stay at the front, also if its client has left.
func (c *Cluster) expire(d due) {
	q := &c.requests.slab[d.request]
	if q.generation == d.generation && q.asleep() {
		c.front.sleepers--
		c.end(d.request, timedOut)
		return
	}
	c.timeOut(d)
}

// resume goes on with a request that has slept, if it still does.
func (c *Cluster) resume(d due, place uint8, action func(int32)) {
	q := &c.requests.slab[d.request]
	if q.generation == d.generation && q.place == place {
		c.front.sleepers--
		action(d.request)
	}
}

// admit takes a request in that cannot go to a pod directly.
func (c *Cluster) admit(i int32) {
	f, s := &c.front, c.spec.Front
	if !f.service.Open(*s, c.now) {
		c.end(i, rejected)
		return
	}
	if len(c.routable) == 0 {
		c.ask()
	}
	verdict := s.Admit(f.used, int(f.queue.length))
	if verdict == hold.Refuse {
		c.end(i, rejected)
		return
	}
	q := &c.requests.slab[i]
	if s.Timeout > 0 && (c.spec.RequestTimeout == 0 || s.Timeout < c.spec.RequestTimeout || s.Faults.GhostsStay) {
		f.deadlines.push(due{at: c.now + s.Timeout, request: i, generation: q.generation})
	}
	if verdict == hold.Wait {
		q.place = frontQueue
		f.queue.push(&c.requests, i)
		return
	}
	f.used++
	q.viaFront = true
	c.look(i)
}

// ask wants the operator woken up, if a message is due.
func (c *Cluster) ask() {
	c.asked = c.asked || c.front.service.Notify(*c.spec.Front, c.now)
}

// Notified says whether the message that Advance stopped for has reached the
// operator.
func (c *Cluster) Notified(arrived bool) {
	c.front.service.Notified(*c.spec.Front, c.now, arrived)
}

// Overheard is a wake-up message about a service of the same name in another
// namespace.
func (c *Cluster) Overheard() { c.front.service.Overheard(*c.spec.Front, c.now) }

// look forwards a request that holds a slot, or puts it to sleep. A front that
// dials once and for all believes the API's word that a pod is ready; one that
// can look again waits until a pod is reachable.
func (c *Cluster) look(i int32) {
	there := len(c.routable) > 0
	if c.spec.Front.Faults.Dials > 0 {
		there = c.ready > 0
	}
	if c.front.service.Ready(*c.spec.Front, c.now, there) {
		c.dial(i)
		return
	}
	if !c.spec.Front.Faults.NotifyOnArrival {
		c.ask()
	}
	c.sleep(i)
}

// sleep waits for the next look.
func (c *Cluster) sleep(i int32) {
	q := &c.requests.slab[i]
	q.place, q.held, q.dials = frontHeld, true, 0
	c.front.sleepers++
	c.front.looks.push(due{at: c.now + c.spec.Front.Retry, request: i, generation: q.generation})
}

// dial connects a request that holds a slot to a pod.
func (c *Cluster) dial(i int32) {
	if len(c.routable) > 0 {
		c.route(i)
		return
	}
	c.undialed(i, c.ready > 0)
}

// refused is a request sent to a pod that does not accept connections yet.
func (c *Cluster) refused(i int32) {
	switch {
	case c.spec.Interceptor != nil:
		c.redial(i)
	case c.requests.slab[i].viaFront:
		c.undialed(i, true)
	default:
		c.end(i, failed)
	}
}

// undialed goes on after a failed connection: another dial, another look, or
// the end.
func (c *Cluster) undialed(i int32, refused bool) {
	faults, q := &c.spec.Front.Faults, &c.requests.slab[i]
	if faults.Dials == 0 {
		c.sleep(i)
		return
	}
	q.dials++
	pause, again := faults.Pause(int(q.dials), refused)
	if !again {
		c.end(i, failed)
		return
	}
	q.place, q.held = frontDialing, true
	c.front.sleepers++
	c.front.dials.Push(c.now+pause, event.Arrivals, due{request: i, generation: q.generation})
}

// leaveFront frees a slot and gives it to the request that waits longest. A
// request that is refused on the way frees its slot again: the loop takes care
// of that, so that refusals do not nest.
func (c *Cluster) leaveFront() {
	f := &c.front
	f.used--
	if f.filling {
		return
	}
	f.filling = true
	for f.queue.length > 0 && f.used < c.spec.Front.Slots {
		i := f.queue.pop(&c.requests)
		f.used++
		c.requests.slab[i].viaFront = true
		c.look(i)
	}
	f.filling = false
}

// ReachFront says whether requests can get to the front from now on.
func (c *Cluster) ReachFront(reachable bool) { c.front.unreachable = !reachable }

// LoseFront fails everything that the front holds or passes on: its process has
// ended.
func (c *Cluster) LoseFront() {
	for c.front.queue.length > 0 {
		c.end(c.front.queue.pop(&c.requests), failed)
	}
	c.candidates = c.candidates[:0]
	for n := range c.requests.slab {
		if q := &c.requests.slab[n]; q.place != free && q.viaFront {
			c.candidates = append(c.candidates, int32(n))
		}
	}
	c.byArrival(c.candidates)
	for _, i := range c.candidates {
		q := &c.requests.slab[i]
		switch q.place {
		case inService: // the pod works on for nobody
			if !q.gone {
				c.tell(q, failed)
			}
			q.gone, q.viaFront = true, false
			c.leaveFront()
			continue
		case podQueue:
			c.leaveQueue(&c.pods[q.pod], i)
		case centralQueue:
			c.central.remove(&c.requests, i)
		default:
			c.front.sleepers--
		}
		c.end(i, failed)
	}
	c.front.service = hold.Service{}
}
