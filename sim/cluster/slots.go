package cluster

// start begins the service of a request in a pod with a free slot.
func (c *Cluster) start(p *pod, i int32) {
	q := &c.requests.slab[i]
	q.start, q.place, q.pod, q.slot = c.now, inService, p.ID, int32(len(p.serving))
	if len(p.serving) == 0 && p.State == Ready {
		p.idle += c.now - p.idleSince
	}
	if c.now < p.warmAt {
		q.service = c.slowed(p, q.service, c.now)
	}
	if c.sharing.cpu > 0 {
		c.joinShare(p, i)
	} else {
		p.serving = append(p.serving, i)
		c.departAfter(i)
	}
	c.router.changed(p, +1, len(p.serving) < c.spec.PerPod.Concurrency)
	c.checkMemory(p)
}

// departAfter schedules the end of a service that begins now.
func (c *Cluster) departAfter(i int32) {
	q := &c.requests.slab[i]
	q.sequence = c.started
	c.started++
	c.departures.push(departure{at: c.now + q.service, pod: q.pod, request: i}, c.requests.slab)
}

// leaveSlot takes a request out of service.
func (c *Cluster) leaveSlot(p *pod, i int32) {
	c.countOut(p, i)
	last := len(p.serving) - 1
	moved, slot := p.serving[last], c.requests.slab[i].slot
	if c.sharing.cpu > 0 {
		c.leaveShare(p, int(slot))
	} else {
		p.serving[slot] = moved
		c.requests.slab[moved].slot = slot
		p.serving = p.serving[:last]
	}
	if last == 0 && p.State == Ready {
		p.idleSince = c.now
	}
	c.router.changed(p, -1, true)
}

// enqueue puts a request into the pod's queue.
func (c *Cluster) enqueue(p *pod, i int32) {
	q := &c.requests.slab[i]
	q.place, q.pod, q.queued = podQueue, p.ID, c.now
	p.queue.push(&c.requests, i)
	c.router.changed(p, +1, false)
	c.checkMemory(p)
}

func (c *Cluster) leaveQueue(p *pod, i int32) {
	c.countOut(p, i)
	p.queue.remove(&c.requests, i)
	c.router.changed(p, -1, false)
	c.finishDraining(p)
}

// fill gives the free slots of a pod that has just become able to take requests
// to those that wait in the central queue.
func (c *Cluster) fill(p *pod) {
	for c.central.length > 0 && p.position != none && c.now >= p.listensAt && len(p.serving) < c.spec.PerPod.Concurrency {
		c.refill(p)
	}
}

// refill gives a free slot of the pod to the request that waits longest for it.
func (c *Cluster) refill(p *pod) {
	switch {
	case p.queue.length > 0:
		i := p.queue.pop(&c.requests)
		c.router.changed(p, -1, true)
		c.start(p, i)
	case c.central.length > 0 && p.position != none && c.now >= p.listensAt:
		p.Received++
		c.start(p, c.central.pop(&c.requests))
	case c.spec.Consumes != nil && c.takeNext(p):
	default:
		c.finishDraining(p)
	}
}
