package cluster

import (
	"time"

	"github.com/scalelab/scalelab/messages"
)

// Interceptor is the proxy of KEDA's HTTP add-on. Every request comes through it,
// also when pods are there, and waits while none can get requests. There is no limit
// to how many wait, and all go on, in the order of arrival, as soon as one can. The
// source is interceptor of kedacore/http-add-on v0.14.
type Interceptor struct {
	// Readiness is how long a request waits for a pod; 0: as long as its client.
	Readiness time.Duration
	// ResponseHeader is how long a pod that a request was sent to may take to answer,
	// which it does with its last byte; 0: for ever.
	ResponseHeader time.Duration
	// DialEvery is the time from a refused connection to the next one, to any pod.
	// After DialFor the request fails; 0: it goes on as long as the client waits.
	DialEvery, DialFor time.Duration
}

// Validate reports settings that no interceptor could have.
func (s Interceptor) Validate() error {
	var problems messages.Problems
	problems.Add(checkDelay("readiness", s.Readiness))
	problems.Add(checkDelay("responseHeader", s.ResponseHeader))
	problems.Add(checkDelay("dialFor", s.DialFor))
	if s.DialEvery <= 0 || s.DialEvery > maxDelay {
		problems.Addf("dialEvery", "found %s, expected more than 0s, up to %s", s.DialEvery, maxDelay)
	}
	return problems.Err()
}

// interceptor is the state of all of them: requests wait at any.
type interceptor struct {
	waiting   queue // for a pod, in order of arrival
	deadlines ring  // of their waits
	dialing   int   // requests that were refused and dial again
	dials     ring
	answers   ring // when pods should have answered
}

func newInterceptor() interceptor { return interceptor{waiting: newQueue()} }

func (n *interceptor) next() time.Duration {
	return min(n.deadlines.next(), n.answers.next(), n.dials.next())
}

func (n *interceptor) held() int { return int(n.waiting.length) + n.dialing }

// intercept takes a request in.
func (c *Cluster) intercept(i int32) {
	if len(c.routable) > 0 {
		c.forward(i)
		return
	}
	q := &c.requests.slab[i]
	q.place, q.held = intercepted, true
	c.interceptor.waiting.push(&c.requests, i)
	if wait := c.spec.Interceptor.Readiness; wait > 0 {
		c.interceptor.deadlines.push(due{at: c.now + wait, request: i, generation: q.generation})
	}
}

// sendHeld sends all that wait to the pods.
func (c *Cluster) sendHeld() {
	for waiting := &c.interceptor.waiting; waiting.length > 0; {
		c.forward(waiting.pop(&c.requests))
	}
}

// forward connects a request to a pod. The time to answer begins once it is sent; it
// does not matter where the client gives up before.
func (c *Cluster) forward(i int32) {
	if len(c.routable) == 0 {
		c.redial(i)
		return
	}
	generation, limit := c.requests.slab[i].generation, c.spec.Interceptor.ResponseHeader
	c.route(i)
	if q := &c.requests.slab[i]; limit > 0 && q.generation == generation && q.place != redialing &&
		(c.spec.RequestTimeout == 0 || limit < c.spec.RequestTimeout) {
		c.interceptor.answers.push(due{at: c.now + limit, request: i, generation: generation})
	}
}

// redial has a request that was refused connect again.
func (c *Cluster) redial(i int32) {
	q, s := &c.requests.slab[i], c.spec.Interceptor
	if q.dials == 0 {
		q.dials, q.queued = 1, c.now
	}
	if s.DialFor > 0 && c.now-q.queued >= s.DialFor {
		c.end(i, failed)
		return
	}
	q.place, q.held = redialing, true
	c.interceptor.dialing++
	c.interceptor.dials.push(due{at: c.now + s.DialEvery, request: i, generation: q.generation})
}

// interceptorEvent handles what is due: waits that are over, answers that have not
// come, connections.
func (c *Cluster) interceptorEvent() {
	n := &c.interceptor
	switch c.now {
	case n.deadlines.next():
		if d := n.deadlines.pop(); c.stillAt(d, intercepted) {
			c.timeOut(d)
		}
	case n.answers.next():
		c.timeOut(n.answers.pop())
	default:
		if d := n.dials.pop(); c.stillAt(d, redialing) {
			n.dialing--
			c.forward(d.request)
		}
	}
}

// stillAt says whether a request has not moved on from a place.
func (c *Cluster) stillAt(d due, place uint8) bool {
	q := &c.requests.slab[d.request]
	return q.generation == d.generation && q.place == place
}

// Pending is how many requests clients wait for, in and before pods: those that an
// interceptor has not answered.
func (c *Cluster) Pending() int64 {
	n := int64(c.Held())
	for _, id := range c.present {
		n += int64(c.pods[id].queue.length)
		for _, i := range c.pods[id].serving {
			if !c.requests.slab[i].gone {
				n++
			}
		}
	}
	return n
}
