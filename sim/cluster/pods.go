package cluster

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
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

func (c *Cluster) newPod(generation uint16) *pod {
	id := int32(len(c.pods))
	uid := c.lifecycle.uids.At(uint64(id))
	c.pods = append(c.pods, pod{
		PodStatus: PodStatus{
			ID: id, Template: generation, CreatedAt: c.now,
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
func (c *Cluster) create(generation uint16) {
	p := c.newPod(generation)
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
	case nodeReady:
		c.joinNode(l.pod)
		return
	case nodeNotReady:
		c.noticeLoss(l.pod)
		return
	case toForget:
		c.forgetNode(l.pod)
		return
	case toTakeNode:
		c.takeNode(l.pod)
		return
	case toEvict:
		c.evict(l.pod)
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

// delete takes a pod out of routing, once that has got about. A pod that is not Ready
// and holds nothing is gone; another one goes on while its preStop hook runs, and then
// finishes what it holds within its grace period.
func (c *Cluster) delete(p *pod) {
	p.DeletedAt = c.now
	c.created--
	if p.State != Ready && !c.holds(p) {
		if c.activators.on {
			c.lose(p)
		}
		c.remove(p)
		return
	}
	wasReady := p.State == Ready
	if wasReady {
		c.ceaseReady(p)
	}
	c.become(p, Draining)
	p.stopsAt = c.now
	if p.RunningSince != NotYet {
		p.stopsAt += min(c.spec.PreStop, c.spec.GracePeriod)
	}
	if wasReady && (c.spec.Consumes == nil || p.stopsAt == c.now) { // who consumes does not know before its SIGTERM
		c.withdraw(p)
	}
	c.later(p, endOfGrace, c.spec.GracePeriod)
	if p.stopsAt > c.now {
		c.later(p, toStopped, p.stopsAt-c.now)
		return
	}
	c.stopServing(p)
}

// withdraw has requests go to the pod no longer, once that has got about. Knative's
// activators know at once, and its queue-proxies see to what comes past them.
func (c *Cluster) withdraw(p *pod) {
	p.changes++
	if !c.activators.on {
		if delay := c.lifecycle.deregister.draw(uint64(p.ID) | uint64(p.changes)<<32); delay > 0 {
			c.lives.Push(c.now+delay, event.Pods, life{pod: p.ID, step: toUnrouted, epoch: p.changes})
			return
		}
	}
	p.heard = p.changes
	c.unroute(p)
}

// hears says whether a change of the pod's readiness is news to those who send
// requests: what comes late does not undo what has overtaken it.
func (p *pod) hears(change uint32) bool {
	if change <= p.heard {
		return false
	}
	p.heard = change
	return true
}

// unroute has requests go to the pod no longer.
func (c *Cluster) unroute(p *pod) {
	c.becomeUnroutable(p)
	if c.activators.on {
		c.lose(p)
	}
}

// stopServing is a deleted pod's SIGTERM: it takes no requests any more, and ends as
// soon as it holds none.
func (c *Cluster) stopServing(p *pod) {
	if p.State != Draining {
		return
	}
	p.listensAt = event.Never
	if c.spec.Consumes != nil {
		c.unroute(p)
	}
	if c.foresight {
		c.settleAll(p, c.foreseenTo)
		c.drainAhead(p)
	}
	c.finishDraining(p)
}

// holds says whether requests wait or are served in a pod.
func (c *Cluster) holds(p *pod) bool {
	return len(p.serving) > 0 || p.queue.length > 0 || p.last > c.foreseenTo
}

func (c *Cluster) becomeUnroutable(p *pod) {
	if p.position == none {
		return
	}
	at := p.position
	p.position = none
	if p.State == Gone {
		p.station = station{load: p.load}
	}
	copy(c.routable[at:], c.routable[at+1:])
	c.routable = c.routable[:len(c.routable)-1]
	c.direct = c.direct && len(c.routable) > 0
	for i := at; i < int32(len(c.routable)); i++ {
		c.pods[c.routable[i]].position = i
	}
	c.router.rebuild(c)
	if c.spec.Consumes != nil {
		c.rebalance()
	}
}

// finishDraining removes a draining pod that holds nothing any more.
func (c *Cluster) finishDraining(p *pod) {
	if p.State == Draining && c.now >= p.stopsAt && !c.holds(p) {
		c.remove(p)
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

func (c *Cluster) remove(p *pod) {
	p.serving, p.share, p.listensAt = nil, share{}, event.Never
	if p.position == none {
		p.station = station{load: p.load}
	}
	c.become(p, Gone)
	at := slices.Index(c.present, p.ID)
	c.present = slices.Delete(c.present, at, at+1)
	c.ended.existed += c.now - p.CreatedAt
	c.ended.idle += p.idle
	c.leaveNode(p)
	c.roll()
}

// kill ends a pod with everything it still holds.
func (c *Cluster) kill(p *pod) {
	if p.State != Draining {
		return
	}
	if c.spec.Consumes != nil {
		c.unroute(p)
	}
	c.drop(p)
	c.remove(p)
}

// drop ends the container of a pod: everything that it holds fails.
func (c *Cluster) drop(p *pod) {
	p.listensAt = event.Never
	if c.foresight {
		c.killAhead(p)
		return
	}
	if c.spec.Consumes != nil {
		c.loseMessages(p)
	}
	var held []int32 // what waits, then what is served by arrival
	for p.queue.length > 0 {
		held = append(held, p.queue.pop(&c.requests))
	}
	waiting := len(held)
	held = append(held, p.serving...)
	c.byArrival(held[waiting:])
	if c.sharing.cpu > 0 {
		c.accrue(p)
		p.share.marks = nil
	}
	p.serving = p.serving[:0]
	if p.position != none {
		c.router.rebuild(c)
	}
	for n, i := range held { // which may send others on, elsewhere
		c.countOut(p, i)
		if n < waiting || c.sharing.cpu > 0 {
			c.end(i, failed)
		} else {
			c.abandon(i, failed)
		}
	}
}

// abandon ends a request in service that has lost its slot. Its departure stays
// in the heap and forgets it when it comes.
func (c *Cluster) abandon(i int32, f fate) {
	q := &c.requests.slab[i]
	if !q.gone {
		c.tell(q, f)
	}
	q.gone, q.place = true, abandoned
	lost := *q
	q.viaFront, q.activator = false, 0
	c.leaveProxies(&lost)
}

// CPU time is counted as effort, and only made CPU time of where it is looked at:
// the time given for each request or, without that, the service time, of which a
// pod's CPU request says how much CPU it takes.

// effort is what a request of the given service time takes in all.
func (c *Cluster) effort(service time.Duration) time.Duration {
	if each := c.spec.PerPod.CPUPerRequest; each != nil {
		return *each
	}
	return service
}

// effortOf is the part of the effort for a request that has received done of its
// service time.
func (c *Cluster) effortOf(service, done time.Duration) time.Duration {
	if each := c.spec.PerPod.CPUPerRequest; each != nil && service > 0 {
		return scaled(*each, int64(done), int64(service))
	}
	return done
}

// cpuTime is the CPU time of an effort. Under processor sharing the service time
// is CPU time; else a pod with all slots busy uses exactly its CPU request, or one
// core without one.
func (c *Cluster) cpuTime(effort time.Duration) time.Duration {
	if c.spec.PerPod.CPUPerRequest != nil || c.sharing.cpu > 0 {
		return effort
	}
	milli := cmp.Or(c.spec.CPURequestMilli, 1000)
	return scaled(effort, milli, 1000*int64(c.spec.PerPod.Concurrency))
}

// scaled is d * numerator / denominator, truncated, without overflow.
func scaled(d time.Duration, numerator, denominator int64) time.Duration {
	high, low := bits.Mul64(uint64(d), uint64(numerator))
	quotient, _ := bits.Div64(high, low, uint64(denominator))
	return time.Duration(quotient)
}
