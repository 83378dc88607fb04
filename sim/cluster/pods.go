package cluster

import (
	"fmt"
	"time"

	"github.com/scalelab/scalelab/sim/event"
)

// pod is one pod, from its creation on; ended pods keep their entry.
type pod struct {
	station                 // with foresight, instead of queue, serving and idleSince
	flows     [2]flow       // through the pod's own proxy: direct ones, and those that an activator sent
	idle      time.Duration // Ready with nothing in service, summed up
	listensAt time.Duration // when it accepts connections
	warmAt    time.Duration // when it is as fast as it gets for good
	agesFrom  time.Duration // from when its warm-up counts
	stopsAt   time.Duration // deleted: when its preStop hook is over
	probesAt  time.Duration // of the container that runs: when its readiness and liveness probes begin
	cameUp    time.Duration // how long its containers have taken until they were Ready, summed up
	failsFrom time.Duration // what lets its readiness fail
	failsTo   time.Duration
	backAt    time.Duration // it is not Ready again before
	epoch     uint32        // counts its containers
	probed    uint32        // the epoch, plus 1, of the container whose queued probes go on
	readiness streak
	liveness  streak
	backOff   backOff
	changes   uint32 // of its readiness, of which those who send requests hear
	heard     uint32 // the youngest one of which they have
	first     struct{ ready, routable time.Duration }
	PodStatus
	position  int32 // index in Cluster.routable, or none
	queue     queue
	serving   []int32 // requests in service
	idleSince time.Duration
	uid       uint64 // random, as the API's: the tie-break of scale-down
	share     share
}

// Scale sets the number of pods wanted. Missing pods are created at once;
// surplus pods are deleted in the ReplicaSet controller's order.
func (c *Cluster) Scale(desired int32) {
	if c.spec.Fixed && desired != c.desired {
		panic(fmt.Sprintf("cluster: scaled from %d to %d pods, which are fixed", c.desired, desired))
	}
	if c.desired == desired {
		return
	}
	c.desired = desired
	c.resizeSets()
}

func (c *Cluster) newPod(template uint16) *pod {
	id := int32(len(c.pods))
	uid := c.lifecycle.uids.At(uint64(id))
	c.pods = append(c.pods, pod{
		PodStatus: PodStatus{
			ID: id, Template: template, CreatedAt: c.now,
			ScheduledAt: NotYet, StartedAt: NotYet, RunningSince: NotYet, ReadyAt: NotYet, UnreadyAt: NotYet,
			RoutableAt: NotYet, DeletedAt: NotYet, Node: none,
		},
		position:  none,
		queue:     newQueue(),
		uid:       uid.Uint64(),
		listensAt: event.Never,
	})
	p := &c.pods[id]
	p.first.ready, p.first.routable = NotYet, NotYet
	if c.foresight {
		p.slots = newTournament(c.spec.PerPod.Concurrency)
	}
	c.present = append(c.present, id)
	c.created++
	return p
}

// create starts the life of a pod.
func (c *Cluster) create(template uint16) {
	p := c.newPod(template)
	c.become(p, Pending)
	c.later(p, toScheduled, c.lifecycle.schedule.of(p))
}

// createReady makes a pod that is Ready and gets requests at once.
func (c *Cluster) createReady() {
	p := c.newPod(0)
	p.ScheduledAt, p.StartedAt, p.RunningSince, p.listensAt = c.now, c.now, c.now, 0
	if c.nodes.on {
		c.settleOnNode(p)
	}
	c.becomeReady(p)
	p.warmAt, p.agesFrom = c.spec.slowEnd(), -c.lifecycle.warmUp.length
	p.changes, p.heard = 1, 1
	c.becomeRoutable(p)
	c.probeQueued(p)
	if c.activators.on {
		c.activators.unfound = append(c.activators.unfound, p.ID)
		c.probe()
	}
}

func (c *Cluster) later(p *pod, s step, delay time.Duration) {
	c.lives.Push(c.now+delay, event.Pods, life{pod: p.ID, step: s, epoch: p.epoch})
}

func (c *Cluster) become(p *pod, s State) {
	c.transitions = append(c.transitions, Transition{At: c.now, Pod: p.ID, From: p.State, To: s})
	p.State = s
}

// live carries out a step that has become due.
func (c *Cluster) live(l life) {
	switch l.step {
	case handedOver:
		c.direct = len(c.routable) > 0 && c.now >= c.directAt
		return
	case emptied:
		c.removeEmptied()
		return
	case toProxied, toDirect:
		c.turnTo(l.pod, l.step == toProxied)
		return
	case toProbe:
		c.probe()
		return
	case rebalanced:
		c.handOut(l.pod)
		return
	case available:
		c.roll()
		return
	case toScan:
		c.scan()
		return
	case toJoin, toNotice, toForget, toTakeNode, toEvict:
		c.liveNode(l)
		return
	case visibleAgain:
		c.reappear(l.pod)
		return
	}
	p := &c.pods[l.pod]
	switch l.step {
	case endOfGrace:
		c.kill(p)
	case toStopped:
		c.stopServing(p)
	case toRoutable:
		if p.hears(l.epoch) {
			c.becomeRoutable(p)
			c.probe()
		}
	case toUnrouted:
		if p.hears(l.epoch) {
			c.unroute(p)
		}
	case toListening:
		if l.epoch == p.epoch {
			c.hearken(p)
		}
	case toScheduled:
		if p.State == Pending {
			c.schedule(p)
		}
	case toStarting:
		if p.State == Scheduled && l.epoch == p.epoch {
			p.StartedAt = c.now
			c.become(p, Starting)
			c.probe()
			c.runContainer(p)
		}
	default:
		if p.State < Draining && l.epoch == p.epoch {
			c.liveContainer(p, l.step)
		}
	}
}

func (c *Cluster) becomeReady(p *pod) {
	p.ReadyAt, p.idleSince = c.now, c.now
	if p.first.ready == NotYet {
		p.first.ready = c.now
	}
	c.ready++
	c.changed = true
	c.become(p, Ready)
	c.awaitAvailable(p)
}

// ceaseReady is its opposite.
func (c *Cluster) ceaseReady(p *pod) {
	c.ready--
	c.changed = true
	p.idle += c.idleFor(p)
	p.idleSince = event.Never
}

func (c *Cluster) becomeRoutable(p *pod) {
	p.RoutableAt = c.now
	if p.first.routable == NotYet {
		p.first.routable = c.now
	}
	if p.position != none { // its going had not got about
		return
	}
	if c.foresight && p.State == Gone { // what comes late: it answers nobody
		p.slots = newTournament(c.spec.PerPod.Concurrency)
	}
	if len(c.routable) == 0 {
		c.handOver()
	}
	p.position = int32(len(c.routable))
	c.routable = append(c.routable, p.ID)
	c.router.rebuild(c)
	if c.spec.Consumes != nil {
		c.rebalance()
		c.takeAll(p)
		return
	}
	c.fill(p)
	if c.spec.Interceptor != nil {
		c.sendHeld()
	}
}

// idleFor is how long a Ready pod has had nothing in service.
func (c *Cluster) idleFor(p *pod) time.Duration {
	switch {
	case c.foresight:
		return max(0, c.now-max(p.last, p.idleSince))
	case len(p.serving) == 0:
		return c.now - p.idleSince
	}
	return 0
}
