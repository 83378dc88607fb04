package cluster

import (
	"github.com/scalelab/scalelab/sim/random"
)

type policy uint8

const (
	randomPod policy = iota
	roundRobin
	leastRequest
	powerOfTwo
	sharedQueue
)

var policies = map[string]policy{
	"random":        randomPod,
	"round-robin":   roundRobin,
	"least-request": leastRequest,
	"p2c":           powerOfTwo,
	"central-queue": sharedQueue,
}

// router picks the pod for a request. It keeps what it looks at in dense
// arrays by position in Cluster.routable.
type router struct {
	policy policy
	stream random.Stream
	turn   int     // round-robin: the next position
	loads  []int32 // requests in service and in the queue
	levels levels  // least-request: the positions by load
	// open has a bit for every position with a free slot (central queue).
	open []uint64
}

func newRouter(spec Spec, seed random.Seed) router {
	return router{policy: policies[spec.Routing.Policy], stream: seed.Key("routing", 0).Stream()}
}

// rebuild follows a change of Cluster.routable.
func (r *router) rebuild(c *Cluster) {
	r.loads = r.loads[:0]
	if r.policy == leastRequest {
		r.levels.clear(len(c.routable))
	}
	r.open = append(r.open[:0], make([]uint64, (len(c.routable)+63)/64)...)
	for at, id := range c.routable {
		p := &c.pods[id]
		r.loads = append(r.loads, int32(len(p.serving))+p.queue.length+p.load)
		if r.policy == leastRequest {
			r.levels.add(at, r.loads[at])
		}
		if len(p.serving) < c.spec.PerPod.Concurrency {
			r.open[at/64] |= 1 << (at % 64)
		}
	}
	if r.turn >= len(c.routable) {
		r.turn = 0
	}
}

// changed follows a change of a pod's load by delta; open says whether a slot
// is free afterwards.
func (r *router) changed(p *pod, delta int32, open bool) {
	at := p.position
	if at == none {
		return
	}
	r.load(at, delta)
	if open {
		r.open[at/64] |= 1 << (at % 64)
	} else {
		r.open[at/64] &^= 1 << (at % 64)
	}
}

// load follows a change of the load at a position.
func (r *router) load(at, delta int32) {
	if r.policy == leastRequest {
		r.levels.move(int(at), r.loads[at], r.loads[at]+delta)
	}
	r.loads[at] += delta
}

// route sends a request to a pod. At least one must be routable.
func (c *Cluster) route(i int32) {
	if c.router.policy == sharedQueue {
		c.routeCentrally(i)
		return
	}
	p := &c.pods[c.routable[c.router.pick()]]
	if c.now < p.listensAt {
		c.refused(i)
		return
	}
	c.deliver(p, i)
}

// deliver hands a request to a pod, which serves it, queues it, or refuses it.
func (c *Cluster) deliver(p *pod, i int32) {
	p.Received++
	switch {
	case len(p.serving) < c.spec.PerPod.Concurrency:
		c.countIn(p, i)
		c.start(p, i)
	case int(p.queue.length) < c.spec.PerPod.Queue:
		c.countIn(p, i)
		c.enqueue(p, i)
	default:
		c.countRefused(p, i)
		c.end(i, rejected)
	}
}

// routeCentrally gives a request to a pod with a free slot, or puts it into the
// queue that all pods share, which is as long as their queues together.
func (c *Cluster) routeCentrally(i int32) {
	if at := c.router.firstOpen(); at >= 0 {
		p := &c.pods[c.routable[at]]
		if c.now < p.listensAt {
			c.refused(i)
			return
		}
		p.Received++
		c.start(p, i)
		return
	}
	if int(c.central.length) >= c.spec.PerPod.Queue*len(c.routable) {
		c.end(i, rejected)
		return
	}
	c.requests.slab[i].place = centralQueue
	c.central.push(&c.requests, i)
}

// pick is the position of the pod that the policy chooses.
func (r *router) pick() int {
	n := len(r.loads)
	switch r.policy {
	case randomPod:
		return r.stream.IntN(n)
	case roundRobin:
		at := r.turn
		r.turn = r.after(at)
		return at
	case leastRequest:
		return r.leastLoaded()
	default:
		return r.lessLoadedOfTwo()
	}
}

func (r *router) after(at int) int {
	if at+1 == len(r.loads) {
		return 0
	}
	return at + 1
}

// leastLoaded takes equal loads in turn.
func (r *router) leastLoaded() int {
	at := next(r.levels.least(), r.turn)
	r.turn = r.after(at)
	return at
}

// lessLoadedOfTwo draws two different pods; the first wins a draw.
func (r *router) lessLoadedOfTwo() int {
	a, b := r.two()
	if r.loads[b] < r.loads[a] {
		return b
	}
	return a
}

// two draws two positions, different ones if there is more than one.
func (r *router) two() (a, b int) {
	n := len(r.loads)
	a = r.stream.IntN(n)
	if n == 1 {
		return a, a
	}
	b = r.stream.IntN(n - 1)
	if b >= a {
		b++
	}
	return a, b
}

// firstOpen is the next position with a free slot, or -1.
func (r *router) firstOpen() int {
	at := next(r.open, r.turn)
	if at >= 0 {
		r.turn = r.after(at)
	}
	return at
}
