package cluster

// An elastic cluster is perfect scaling without lag. Every request is served
// on arrival, and at every instant there are exactly as many pods as the
// requests in service fill:
//
//	pods(t) = ceil(in service(t) / concurrency)
//
// Under processor sharing nobody shares: a request takes its service time, and
// fills one core, so that the number of cores stands for the concurrency where
// it is less. No strategy in which nobody waits or shares can do with fewer
// pod-seconds. One pod outside the API, the pool, holds all requests.

// openPool makes the pool.
func (c *Cluster) openPool() {
	c.pods = append(c.pods, pod{PodStatus: PodStatus{State: Ready}, position: none, queue: newQueue(),
		warmAt: c.spec.slowEnd(), agesFrom: -c.lifecycle.warmUp.length})
	c.desired = 0
}

// resize makes the number of pods follow the requests in service.
func (c *Cluster) resize() {
	room := c.spec.PerPod.room()
	want := int32((1000*len(c.pods[0].serving) + room - 1) / room)
	if want == c.created {
		return
	}
	c.ended.existed, _ = c.PodTime()
	c.resizedAt = c.now
	for id := c.created; id < want; id++ {
		c.transitions = append(c.transitions, Transition{At: c.now, Pod: id, To: Ready})
	}
	for id := c.created - 1; id >= want; id-- {
		c.transitions = append(c.transitions, Transition{At: c.now, Pod: id, From: Ready, To: Draining}, Transition{At: c.now, Pod: id, From: Draining, To: Gone})
	}
	c.created, c.ready, c.desired = want, want, want
}
