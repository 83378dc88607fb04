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
	warmAt    time.Duration // when it is as fast as it gets
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
	c.desired = desired
	for c.created < desired {
		c.create()
	}
	if c.created > desired {
		c.deleteSurplus(int(c.created - desired))
	}
}

func (c *Cluster) newPod() *pod {
	id := int32(len(c.pods))
	uid := c.lifecycle.uids.At(uint64(id))
	c.pods = append(c.pods, pod{
		PodStatus: PodStatus{
			ID: id, CreatedAt: c.now,
			ScheduledAt: NotYet, StartedAt: NotYet, ReadyAt: NotYet, RoutableAt: NotYet, DeletedAt: NotYet,
		},
		position: none,
		queue:    newQueue(),
		uid:      uid.Uint64(),
	})
	if c.foresight {
		c.pods[id].slots = newTournament(c.spec.PerPod.Concurrency)
	}
	c.present = append(c.present, id)
	c.created++
	return &c.pods[id]
}

// create starts the life of a pod.
func (c *Cluster) create() {
	p := c.newPod()
	c.become(p, Pending)
	c.later(p, toScheduled, c.lifecycle.schedule.of(p))
}

// createReady makes a pod that is Ready and gets requests at once.
func (c *Cluster) createReady() {
	p := c.newPod()
	p.ScheduledAt, p.StartedAt = c.now, c.now
	c.becomeReady(p)
	c.becomeRoutable(p)
	if c.activators.on {
		c.activators.unfound = append(c.activators.unfound, p.ID)
		c.probe()
	}
}

func (c *Cluster) later(p *pod, s step, delay time.Duration) {
	c.lives.Push(c.now+delay, event.Pods, life{pod: p.ID, step: s})
}

func (c *Cluster) become(p *pod, s State) {
	p.State = s
	c.transitions = append(c.transitions, Transition{At: c.now, Pod: p.ID, To: s})
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
		c.handOut()
		return
	case visibleAgain:
		c.reappear(l.pod)
		return
	}
	p := &c.pods[l.pod]
	if l.step == endOfGrace {
		c.kill(p)
		return
	}
	if p.State >= Draining {
		return
	}
	switch l.step {
	case toScheduled:
		p.ScheduledAt = c.now
		c.become(p, Scheduled)
		c.later(p, toStarting, c.lifecycle.pull.of(p))
	case toStarting:
		p.StartedAt = c.now
		c.become(p, Starting)
		c.probe()
		c.later(p, toReady, c.lifecycle.start.of(p))
	case toReady:
		c.becomeReady(p)
		p.listensAt = c.now + c.lifecycle.listen.of(p)
		c.later(p, toRoutable, c.lifecycle.propagation.of(p))
		if p.listensAt > c.now {
			c.later(p, toListening, p.listensAt-c.now)
		} else if c.activators.on {
			c.listens(p)
		}
	case toRoutable:
		c.becomeRoutable(p)
		c.probe()
	case toListening:
		if c.activators.on {
			c.listens(p)
		}
		c.fill(p)
	}
}

func (c *Cluster) becomeReady(p *pod) {
	p.ReadyAt, p.idleSince = c.now, c.now
	p.warmAt = c.lifecycle.warmUp.end(c.now)
	c.ready++
	c.changed = true
	c.become(p, Ready)
}

func (c *Cluster) becomeRoutable(p *pod) {
	if len(c.routable) == 0 {
		c.handOver()
	}
	p.position, p.RoutableAt = int32(len(c.routable)), c.now
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

// delete takes a pod out of routing at once. A pod that was never Ready is
// gone; a Ready one finishes what it holds within its grace period.
func (c *Cluster) delete(p *pod) {
	p.DeletedAt = c.now
	c.created--
	if p.State != Ready {
		c.remove(p)
		return
	}
	c.ready--
	c.changed = true
	p.idle += c.idleFor(p)
	c.becomeUnroutable(p)
	if c.activators.on {
		c.lose(p)
	}
	c.become(p, Draining)
	c.later(p, endOfGrace, c.spec.GracePeriod)
	if c.foresight {
		c.drainAhead(p)
	}
	c.finishDraining(p)
}

func (c *Cluster) becomeUnroutable(p *pod) {
	if p.position == none {
		return
	}
	at := p.position
	p.position = none
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
	if p.State == Draining && len(p.serving) == 0 && p.queue.length == 0 && p.last <= c.foreseenTo {
		c.remove(p)
	}
}

// idleFor is how long a Ready pod has had nothing in service.
func (c *Cluster) idleFor(p *pod) time.Duration {
	switch {
	case c.foresight:
		return max(0, c.now-max(p.last, p.ReadyAt))
	case len(p.serving) == 0:
		return c.now - p.idleSince
	}
	return 0
}

func (c *Cluster) remove(p *pod) {
	p.serving, p.share, p.station = nil, share{}, station{load: p.load}
	c.become(p, Gone)
	at := slices.Index(c.present, p.ID)
	c.present = slices.Delete(c.present, at, at+1)
	c.ended.existed += c.now - p.CreatedAt
	c.ended.idle += p.idle
}

// kill ends a pod with everything it still holds.
func (c *Cluster) kill(p *pod) {
	if p.State != Draining {
		return
	}
	if c.foresight {
		c.killAhead(p)
	}
	for p.queue.length > 0 {
		i := p.queue.pop(&c.requests)
		c.end(i, failed)
	}
	if c.spec.Consumes != nil {
		c.loseMessages(p)
	}
	c.byArrival(p.serving)
	if c.sharing.cpu > 0 {
		c.abandonShare(p)
	}
	for _, i := range p.serving {
		c.abandon(i, failed)
	}
	p.serving = p.serving[:0]
	c.remove(p)
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
