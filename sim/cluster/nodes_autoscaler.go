package cluster

import (
	"slices"

	"github.com/scalelab/scalelab/sim/event"
)

// wakeScaler has the node autoscaler look at its next scan.
func (c *Cluster) wakeScaler() {
	if n := &c.nodes; n.scanAt == event.Never && n.spec.scales() {
		n.scanAt = c.now/n.spec.Scaler.Scan*n.spec.Scaler.Scan + n.spec.Scaler.Scan
		c.lives.Push(n.scanAt, event.Pods, life{step: toScan})
	}
}

// scales says whether any pool can change its size.
func (n *Nodes) scales() bool {
	return slices.ContainsFunc(n.Pools, func(p Pool) bool { return *p.Max > *p.Min })
}

// scan is the node autoscaler's look: it asks for nodes that pods wait for, and lets
// nodes go that have been unneeded for long enough.
func (c *Cluster) scan() {
	n := &c.nodes
	n.scanAt = event.Never
	again := c.growPools()
	if c.shrinkPools() || again {
		c.wakeScaler()
	}
}

// growPools asks for the nodes that the pods and placeholders need which wait, less
// those on their way. It says whether some go on waiting for a node.
func (c *Cluster) growPools() bool {
	n := &c.nodes
	missing := int64(len(n.pending)) + int64(n.spec.Headroom) - n.standing
	waits := missing > 0
	for i := range n.list {
		if one := &n.list[i]; one.state == nodeRequested {
			missing -= one.free.fits(n.pod)
		}
	}
	for pool := range n.spec.Pools {
		p := &n.spec.Pools[pool]
		for missing > 0 && n.sizeOf(pool) < *p.Max {
			c.requestNode(pool)
			missing -= p.size().fits(n.pod)
		}
	}
	return waits
}

// sizeOf is the number of nodes of a pool, those requested included, without those
// that leave.
func (n *nodes) sizeOf(pool int) (size int) {
	for i := range n.list {
		if n.list[i].pool == pool && n.list[i].state <= nodeReady {
			size++
		}
	}
	return size
}

// requestNode asks the cloud for a node of a pool.
func (c *Cluster) requestNode(pool int) {
	n := &c.nodes
	n.list = append(n.list, n.newNode(pool, nodeRequested, c.now))
	n.requested++
	n.addedAt = c.now
	at := len(n.list) - 1
	delay := n.provision[pool].draw(uint64(n.list[at].ordinal))
	c.lives.Push(c.now+delay, event.Pods, life{pod: int32(at), step: toJoin})
}

// joinNode makes a node Ready that was requested.
func (c *Cluster) joinNode(at int32) {
	if one := &c.nodes.list[at]; one.state == nodeRequested {
		one.state = nodeReady
		c.resettle()
	}
}

// shrinkPools lets nodes go that have been unneeded for long enough: all empty ones,
// or else one whose pods find room elsewhere. It says whether any node is on its way
// to that.
func (c *Cluster) shrinkPools() bool {
	n, waiting, drained := &c.nodes, false, false
	for i := range n.list {
		one := &n.list[i]
		if one.state != nodeReady || n.sizeOf(one.pool) <= *n.spec.Pools[one.pool].Min || !c.unneeded(i) {
			one.unneededSince = NotYet
			continue
		}
		if one.unneededSince == NotYet {
			one.unneededSince = c.now
		}
		waiting = true
		if c.now-one.unneededSince < *n.spec.Scaler.Unneeded || n.addedAt != NotYet && c.now-n.addedAt < *n.spec.Scaler.AfterAdd {
			continue
		}
		empty := c.podsOn(int32(i)) == 0
		if empty || !drained {
			drained = drained || !empty
			c.drainNode(i)
		}
	}
	return waiting
}

// unneeded says whether a node is used little, and everything on it fits elsewhere.
func (c *Cluster) unneeded(at int) bool {
	n := &c.nodes
	one := &n.list[at]
	all := n.spec.Pools[one.pool].size()
	used := all.minus(one.free)
	share := max(float64(used.milli)/float64(all.milli), float64(used.bytes)/float64(all.bytes))
	if share >= *n.spec.Scaler.Utilization {
		return false
	}
	room := int64(0)
	for i := range n.list {
		if other := &n.list[i]; i != at && other.state == nodeReady {
			room += other.free.fits(n.pod)
		}
	}
	return room >= used.pods
}
