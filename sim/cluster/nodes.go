package cluster

import (
	"fmt"
	"slices"
	"time"

	"github.com/scalelab/scalelab/sim/event"
	"github.com/scalelab/scalelab/sim/random"
)

// nodeState is where a node is in its life.
type nodeState uint8

// The states of nodes, in order.
const (
	nodeRequested nodeState = iota
	nodeReady
	nodeLeaving // it takes no pods any more, and goes when it has none
	nodeLost    // it is dead, whether the API knows it or not
	nodeGone
)

// node is one node, from its request on; those that are gone keep their entry.
type node struct {
	pool          int
	ordinal       int // among the nodes of its pool
	state         nodeState
	from, to      time.Duration // requested, and gone
	free          size
	placeholders  int64
	images        []image       // that it has, or pulls
	unneededSince time.Duration // NotYet: it is needed
}

// image is that of a pod template.
type image struct {
	template uint16
	at       time.Duration // it is there from then on
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
			n.list = append(n.list, n.newNode(i, nodeReady, 0))
		}
	}
	return nil
}

func (n *nodes) newNode(pool int, state nodeState, now time.Duration) node {
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
		if i.template == p.Template {
			return max(0, i.at-c.now)
		}
	}
	delay := c.lifecycle.pull.of(p)
	on.images = append(on.images, image{template: p.Template, at: c.now + delay})
	return delay
}

// find is the node for another pod, or -1: the least or the most allocated one, the
// older of equals; only where there is none, one with a placeholder.
func (n *nodes) find() int {
	best, score := -1, int64(0)
	for i := range n.list {
		if one := &n.list[i]; one.state == nodeReady && one.free.fits(n.pod) > 0 {
			if s := n.score(one); best < 0 || s > score {
				best, score = i, s
			}
		}
	}
	if best >= 0 {
		return best
	}
	return slices.IndexFunc(n.list, func(one node) bool { return one.state == nodeReady && one.placeholders > 0 })
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
	if one.state == nodeLeaving && c.podsOn(p.Node) == 0 {
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
		at := slices.IndexFunc(n.list, func(one node) bool { return one.state == nodeReady && one.free.fits(n.pod) > 0 })
		if at < 0 {
			return
		}
		n.list[at].free = n.list[at].free.minus(n.pod)
		n.list[at].placeholders++
		n.standing++
	}
}

// NodeCounts are the nodes at an instant, and the pods that wait for room on one.
type NodeCounts struct{ Requested, Ready, Leaving, Lost, Pending int }

// NodeCounts counts the nodes; without Spec.Nodes there are none.
func (c *Cluster) NodeCounts() (n NodeCounts) {
	for i := range c.nodes.list {
		switch c.nodes.list[i].state {
		case nodeRequested:
			n.Requested++
		case nodeReady:
			n.Ready++
		case nodeLeaving:
			n.Leaving++
		case nodeLost:
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
