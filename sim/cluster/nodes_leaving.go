package cluster

import (
	"slices"
	"time"

	"github.com/scalelab/scalelab/sim/event"
	"github.com/scalelab/scalelab/sim/random"
)

// liveNode carries out a step in a node's life that has become due.
func (c *Cluster) liveNode(l life) {
	switch l.step {
	case toJoin:
		c.joinNode(l.pod)
	case toNotice:
		c.noticeLoss(l.pod)
	case toForget:
		c.forgetNode(l.pod)
	case toTakeNode:
		c.takeNode(l.pod)
	case toEvict:
		c.evict(l.pod)
	}
}

// drainNode lets a node take no pods any more, and evicts those that it has.
func (c *Cluster) drainNode(at int) {
	one := &c.nodes.list[at]
	one.state = nodeLeaving
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
	if c.nodes.list[at].state != nodeLeaving {
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
	one.state, one.to = nodeGone, c.now
}

// LoseNodes kills n of the Ready nodes, or all if there are fewer, and says how many.
// What their pods hold is lost. The API finds out after NotReadyAfter, and asks for
// another node then; the pods are replaced EvictAfter later.
func (c *Cluster) LoseNodes(n int, draw *random.Stream) int {
	chosen := c.someNodes(n, draw)
	for _, at := range chosen {
		c.nodes.list[at].state = nodeLost
		c.dropPlaceholders(&c.nodes.list[at])
		for _, id := range slices.Clone(c.present) {
			if p := &c.pods[id]; p.Node == at {
				c.die(p)
			}
		}
		c.lives.Push(c.now+*c.nodes.spec.NotReadyAfter, event.Pods, life{pod: at, step: toNotice})
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
		one.state = nodeLeaving
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
	if c.nodes.list[at].state == nodeGone {
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
		if c.nodes.list[at].state == nodeReady {
			ready = append(ready, int32(at))
		}
	}
	return drawn(ready, n, draw)
}
