package cluster

import (
	"time"
)

// front is the state of the proxy that holds requests while no pod is ready.
// A request takes a slot, looks for a ready pod, and sleeps until its next look
// while there is none, so the time it is held is a multiple of the retry
// interval. It keeps the slot until its response has passed.
type front struct {
	queue     queue // requests that wait for a slot
	used      int   // slots taken
	asleep    int   // of these: requests that sleep between two looks
	looks     ring
	deadlines ring // where the front's timeout is shorter than the client's
	notified  time.Duration
	wake      bool // a wake-up message is due
	filling   bool
}

func newFront() front { return front{queue: newQueue(), notified: NotYet} }

func (f *front) next() time.Duration { return min(f.looks.next(), f.deadlines.next()) }

// frontEvent handles what is due at the front: deadlines before looks.
func (c *Cluster) frontEvent() {
	if c.front.deadlines.next() == c.now {
		c.timeOut(c.front.deadlines.pop())
		return
	}
	d := c.front.looks.pop()
	q := &c.requests.slab[d.request]
	if q.generation != d.generation || q.place != frontHeld {
		return
	}
	c.front.asleep--
	c.look(d.request)
}

// admit takes a request in that found no ready pod, and asks for one.
func (c *Cluster) admit(i int32) {
	f, spec := &c.front, c.spec.Front
	if f.notified == NotYet || c.now >= f.notified+spec.NotifyEvery {
		f.notified, f.wake = c.now, true
	}
	if f.used+int(f.queue.length) >= spec.Capacity {
		c.end(i, rejected)
		return
	}
	q := &c.requests.slab[i]
	if spec.Timeout > 0 && (c.spec.RequestTimeout == 0 || spec.Timeout < c.spec.RequestTimeout) {
		f.deadlines.push(due{at: c.now + spec.Timeout, request: i, generation: q.generation})
	}
	if f.used >= spec.Slots {
		q.place = frontQueue
		f.queue.push(&c.requests, i)
		return
	}
	f.used++
	q.viaFront = true
	c.look(i)
}

// look forwards a request that holds a slot, or puts it to sleep.
func (c *Cluster) look(i int32) {
	if len(c.routable) > 0 {
		c.route(i)
		return
	}
	q := &c.requests.slab[i]
	q.place, q.held = frontHeld, true
	c.front.asleep++
	c.front.looks.push(due{at: c.now + c.spec.Front.Retry, request: i, generation: q.generation})
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
