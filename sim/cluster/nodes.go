package cluster

import (
	"fmt"
	"slices"
	"time"

	"github.com/scalelab/scalelab/sim/event"
	"github.com/scalelab/scalelab/sim/random"
)

// NodeState is where a node is in its life.
type NodeState uint8

// The states of nodes, in order.
const (
	NodeRequested NodeState = iota
	NodeReady
	NodeLeaving // it takes no pods any more, and goes when it has none
	NodeLost    // it is dead, whether the API knows it or not
	NodeGone
)

// node is one node, from its request on; those that are gone keep their entry.
type node struct {
	pool          int
	ordinal       int // among the nodes of its pool
	state         NodeState
	from, to      time.Duration // requested, and gone
	free          size
	placeholders  int64
	images        []image       // that it has, or pulls
	unneededSince time.Duration // NotYet: it is needed
}

// image is that of a pod template.
type image struct {
	generation uint16
	at         time.Duration // it is there from then on
}

// nodes is the state of all nodes; without Spec.Nodes there are none.
type nodes struct {
	on        bool
	spec      Nodes
	pod       size
	list      []node
	made      []int   // nodes ever made, by pool
	provision []stage // by pool
	pending   []int32 // pods that found no room, in the order of their asking
	standing  int64   // placeholders that have room
	addedAt   time.Duration
	scanAt    time.Duration // of the next scan; Never: there is nothing to look for
	requested int           // over the whole run
}

func (c *Cluster) openNodes(seed random.Seed) error {
	n := &c.nodes
	n.scanAt = event.Never
	if c.spec.Nodes == nil || c.spec.Elastic || c.spec.Serverless != nil {
		return nil
	}
	n.on, n.spec, n.pod, n.addedAt = true, c.spec.Nodes.WithDefaults(), c.spec.podSize(), NotYet
	n.made = make([]int, len(n.spec.Pools))
	for i := range n.spec.Pools {
		p := &n.spec.Pools[i]
		dist, err := random.New(p.Provision)
		if err != nil {
			return fmt.Errorf("provisioning of pool %s: %w", p.Name, err)
		}
		n.provision = append(n.provision, stage{dist: dist, key: seed.Key("node.provision", uint64(i))})
	}
	for i := range n.spec.Pools {
		for range n.spec.Pools[i].Count {
			n.list = append(n.list, n.newNode(i, NodeReady, 0))
		}
	}
	return nil
}

func (n *nodes) newNode(pool int, state NodeState, now time.Duration) node {
	n.made[pool]++
	return node{pool: pool, ordinal: n.made[pool] - 1, state: state, from: now, to: NotYet,
		free: n.spec.Pools[pool].size(), unneededSince: NotYet}
}

// schedule binds a pod to a node with room for it, or has it wait for one.
func (c *Cluster) schedule(p *pod) {
	delay := time.Duration(0)
	if c.nodes.on {
		at := c.nodes.find()
		if at < 0 {
			c.nodes.pending = append(c.nodes.pending, p.ID)
			c.wakeScaler()
			return
		}
		c.nodes.occupy(at)
		p.Node = int32(at)
		delay = c.pull(p, &c.nodes.list[at])
		if c.nodes.standing < int64(c.nodes.spec.Headroom) {
			c.wakeScaler()
		}
	} else {
		delay = c.lifecycle.pull.of(p)
	}
	p.ScheduledAt = c.now
	c.become(p, Scheduled)
	c.later(p, toStarting, delay)
}

// settleOnNode puts a pod of time 0 on a node, which has its image.
func (c *Cluster) settleOnNode(p *pod) {
	at := c.nodes.find()
	c.nodes.occupy(at)
	p.Node = int32(at)
	c.pull(p, &c.nodes.list[at])
	c.nodes.list[at].images[0].at = 0
}

// pull is how long it takes until the pod's image is on its node: for the first pod
// there the whole pull, for others what is left of it.
func (c *Cluster) pull(p *pod, on *node) time.Duration {
	for _, i := range on.images {
		if i.generation == p.Template {
			return max(0, i.at-c.now)
		}
	}
	delay := c.lifecycle.pull.of(p)
	on.images = append(on.images, image{generation: p.Template, at: c.now + delay})
	return delay
}

// find is the node for another pod, or -1: the least or the most allocated one, the
// older of equals; only where there is none, one with a placeholder.
func (n *nodes) find() int {
	best, score := -1, int64(0)
	for i := range n.list {
		if one := &n.list[i]; one.state == NodeReady && one.free.fits(n.pod) > 0 {
			if s := n.score(one); best < 0 || s > score {
				best, score = i, s
			}
		}
	}
	if best >= 0 {
		return best
	}
	return slices.IndexFunc(n.list, func(one node) bool { return one.state == NodeReady && one.placeholders > 0 })
}

// score is the scheduler's: the mean, of CPU and memory, of the percentage that
// stays free with the pod on the node, or that is allocated.
func (n *nodes) score(one *node) int64 {
	all, free := n.spec.Pools[one.pool].size(), one.free.minus(n.pod)
	s := (free.milli*100/all.milli + free.bytes*100/all.bytes) / 2
	if n.spec.Packing == packPods {
		return 100 - s
	}
	return s
}

// occupy gives room on a node to a pod, in the place of a placeholder if need be.
func (n *nodes) occupy(at int) {
	one := &n.list[at]
	if one.free.fits(n.pod) == 0 {
		one.placeholders--
		n.standing--
		one.free = one.free.plus(n.pod)
	}
	one.free = one.free.minus(n.pod)
}

// leaveNode gives a pod's room on its node back.
func (c *Cluster) leaveNode(p *pod) {
	n := &c.nodes
	if !n.on {
		return
	}
	if p.Node == none {
		n.pending = slices.DeleteFunc(n.pending, func(id int32) bool { return id == p.ID })
		return
	}
	one := &n.list[p.Node]
	one.free = one.free.plus(n.pod)
	if one.state == NodeLeaving && c.podsOn(p.Node) == 0 {
		c.removeNode(int(p.Node))
	}
	c.resettle()
}

// podsOn counts the pods on a node, those that terminate included.
func (c *Cluster) podsOn(at int32) (n int) {
	for _, id := range c.present {
		if c.pods[id].Node == at {
			n++
		}
	}
	return n
}

// place binds pods that wait for room, in the order of their asking, then
// placeholders.
func (c *Cluster) place() {
	n := &c.nodes
	for len(n.pending) > 0 && n.find() >= 0 {
		id := n.pending[0]
		n.pending = n.pending[1:]
		c.schedule(&c.pods[id])
	}
	for len(n.pending) == 0 && n.standing < int64(n.spec.Headroom) {
		at := slices.IndexFunc(n.list, func(one node) bool { return one.state == NodeReady && one.free.fits(n.pod) > 0 })
		if at < 0 {
			return
		}
		n.list[at].free = n.list[at].free.minus(n.pod)
		n.list[at].placeholders++
		n.standing++
	}
}

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
		if one := &n.list[i]; one.state == NodeRequested {
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
		if n.list[i].pool == pool && n.list[i].state <= NodeReady {
			size++
		}
	}
	return size
}

// requestNode asks the cloud for a node of a pool.
func (c *Cluster) requestNode(pool int) {
	n := &c.nodes
	n.list = append(n.list, n.newNode(pool, NodeRequested, c.now))
	n.requested++
	n.addedAt = c.now
	at := len(n.list) - 1
	delay := n.provision[pool].draw(uint64(n.list[at].ordinal))
	c.lives.Push(c.now+delay, event.Pods, life{pod: int32(at), step: nodeReady})
}

// joinNode makes a node Ready that was requested.
func (c *Cluster) joinNode(at int32) {
	if one := &c.nodes.list[at]; one.state == NodeRequested {
		one.state = NodeReady
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
		if one.state != NodeReady || n.sizeOf(one.pool) <= *n.spec.Pools[one.pool].Min || !c.unneeded(i) {
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
		if other := &n.list[i]; i != at && other.state == NodeReady {
			room += other.free.fits(n.pod)
		}
	}
	return room >= used.pods
}

// drainNode lets a node take no pods any more, and evicts those that it has.
func (c *Cluster) drainNode(at int) {
	one := &c.nodes.list[at]
	one.state = NodeLeaving
	c.dropPlaceholders(one)
	if c.podsOn(int32(at)) == 0 {
		c.removeNode(at)
	} else {
		c.evict(int32(at))
	}
	c.resettle()
}

// resettle finds other room for what a node has lost that takes no pods any more.
func (c *Cluster) resettle() {
	c.place()
	c.wakeScaler()
}

func (c *Cluster) dropPlaceholders(one *node) {
	one.free = one.free.plus(c.nodes.pod.times(one.placeholders))
	c.nodes.standing -= one.placeholders
	one.placeholders = 0
}

// retryEviction is how long a drain waits until it tries again to evict a pod that
// the budget keeps.
const retryEviction = 5 * time.Second

// evict deletes the pods of a node that is drained, as far as the disruption budget
// allows, and has others made in their place. What it does not allow is tried again.
func (c *Cluster) evict(at int32) {
	if c.nodes.list[at].state != NodeLeaving {
		return
	}
	kept := false
	for _, id := range slices.Clone(c.present) {
		p := &c.pods[id]
		if p.Node != at || p.State >= Draining {
			continue
		}
		if c.guarded(p) {
			kept = true
			continue
		}
		c.replace(p)
	}
	if kept {
		c.lives.Push(c.now+retryEviction, event.Pods, life{pod: at, step: toEvict})
	}
}

// guarded says whether the disruption budget keeps a pod: one that is Ready, where it
// is needed; one that only runs, where too few are Ready without it.
func (c *Cluster) guarded(p *pod) bool {
	least := c.nodes.spec.MinAvailable
	switch {
	case least == nil, p.State < Starting:
		return false
	case p.State == Ready:
		return c.ready <= *least
	}
	return c.ready < *least
}

// replace deletes a pod; its set makes another one.
func (c *Cluster) replace(p *pod) {
	c.rolling = true
	c.delete(p)
	c.replicate()
	c.rolling = false
	c.roll()
}

// removeNode ends a node without pods.
func (c *Cluster) removeNode(at int) {
	one := &c.nodes.list[at]
	one.state, one.to = NodeGone, c.now
}

// LoseNodes kills n of the Ready nodes, or all if there are fewer, and says how many.
// What their pods hold is lost. The API finds out after NotReadyAfter, and asks for
// another node then; the pods are replaced EvictAfter later.
func (c *Cluster) LoseNodes(n int, draw *random.Stream) int {
	chosen := c.someNodes(n, draw)
	for _, at := range chosen {
		c.nodes.list[at].state = NodeLost
		c.dropPlaceholders(&c.nodes.list[at])
		for _, id := range slices.Clone(c.present) {
			if p := &c.pods[id]; p.Node == at {
				c.die(p)
			}
		}
		c.lives.Push(c.now+*c.nodes.spec.NotReadyAfter, event.Pods, life{pod: at, step: nodeNotReady})
	}
	if len(chosen) > 0 {
		c.resettle()
	}
	return len(chosen)
}

// die ends a pod's container for good. The API goes on as if it ran, while those who
// consume have lost the member of their group at once.
func (c *Cluster) die(p *pod) {
	c.endContainer(p)
	if c.spec.Consumes != nil {
		c.unroute(p)
	}
	if p.State == Draining { // nobody is left to end it
		c.remove(p)
	}
}

// noticeLoss is the API's finding out that a node is lost.
func (c *Cluster) noticeLoss(at int32) {
	for _, id := range slices.Clone(c.present) {
		if p := &c.pods[id]; p.Node == at {
			c.loseReadiness(p)
		}
	}
	c.requestNode(c.nodes.list[at].pool)
	c.lives.Push(c.now+*c.nodes.spec.EvictAfter, event.Pods, life{pod: at, step: toForget})
}

// forgetNode deletes the pods of a lost node, and the node.
func (c *Cluster) forgetNode(at int32) {
	for _, id := range slices.Clone(c.present) {
		if p := &c.pods[id]; p.Node == at && p.State < Draining {
			c.replace(p)
		}
	}
	c.removeNode(int(at))
}

// InterruptNodes takes n of the Ready nodes away, or all if there are fewer, and says
// how many: their pods are evicted at once, whatever the budget, and what is left
// after the notice is lost. Other nodes are asked for at once.
func (c *Cluster) InterruptNodes(n int, notice time.Duration, draw *random.Stream) int {
	chosen := c.someNodes(n, draw)
	for _, at := range chosen {
		one := &c.nodes.list[at]
		one.state = NodeLeaving
		c.dropPlaceholders(one)
		c.requestNode(one.pool)
	}
	for _, at := range chosen {
		for _, id := range slices.Clone(c.present) {
			if p := &c.pods[id]; p.Node == at && p.State < Draining {
				c.replace(p)
			}
		}
		if c.podsOn(at) == 0 {
			c.removeNode(int(at))
			continue
		}
		c.lives.Push(c.now+notice, event.Pods, life{pod: at, step: toTakeNode})
	}
	if len(chosen) > 0 {
		c.resettle()
	}
	return len(chosen)
}

// takeNode ends a node with all that is left on it.
func (c *Cluster) takeNode(at int32) {
	if c.nodes.list[at].state == NodeGone {
		return
	}
	for _, id := range slices.Clone(c.present) {
		if p := &c.pods[id]; p.Node == at {
			c.die(p)
		}
	}
	c.removeNode(int(at))
}

// DrainNodes empties n of the Ready nodes, or all if there are fewer, within the
// disruption budget, and says how many. Other nodes are asked for at once.
func (c *Cluster) DrainNodes(n int, draw *random.Stream) int {
	chosen := c.someNodes(n, draw)
	for _, at := range chosen {
		c.requestNode(c.nodes.list[at].pool)
	}
	for _, at := range chosen {
		c.drainNode(int(at))
	}
	return len(chosen)
}

func (c *Cluster) someNodes(n int, draw *random.Stream) []int32 {
	var ready []int32
	for at := range c.nodes.list {
		if c.nodes.list[at].state == NodeReady {
			ready = append(ready, int32(at))
		}
	}
	return drawn(ready, n, draw)
}

// NodeCounts are the nodes at an instant, and the pods that wait for room on one.
type NodeCounts struct{ Requested, Ready, Leaving, Lost, Pending int }

// NodeCounts counts the nodes; without Spec.Nodes there are none.
func (c *Cluster) NodeCounts() (n NodeCounts) {
	for i := range c.nodes.list {
		switch c.nodes.list[i].state {
		case NodeRequested:
			n.Requested++
		case NodeReady:
			n.Ready++
		case NodeLeaving:
			n.Leaving++
		case NodeLost:
			n.Lost++
		}
	}
	n.Pending = len(c.nodes.pending)
	return n
}

// HasNodes says whether pods run on nodes.
func (c *Cluster) HasNodes() bool { return c.nodes.on }

// NodeTime is the nodes' time from their request until they are gone, by pool in the
// order of the Spec, summed up to now, and how many were requested after time 0.
func (c *Cluster) NodeTime() (existed []time.Duration, requested int) {
	if !c.nodes.on {
		return nil, 0
	}
	existed = make([]time.Duration, len(c.nodes.spec.Pools))
	for i := range c.nodes.list {
		one := &c.nodes.list[i]
		end := one.to
		if end == NotYet {
			end = c.now
		}
		existed[one.pool] += end - one.from
	}
	return existed, c.nodes.requested
}

// NodeName is the name of a node, by its index in PodStatus.Node.
func (c *Cluster) NodeName(at int32) string {
	one := &c.nodes.list[at]
	return fmt.Sprintf("%s-%03d", c.nodes.spec.Pools[one.pool].Name, one.ordinal)
}
