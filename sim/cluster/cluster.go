// Package cluster is the truth of a simulated cluster: the pods of one
// workload and their lives, the queues in front of them, the service of every
// request and the routing between. Time moves in jumps: Advance carries the
// data plane from one control event to the next, arrival by arrival and
// departure by departure, without allocating.
//
// It models a request as one demand of service time on one slot of one pod,
// whose slots do not disturb each other (fifo) or share its CPU (ps). Pods can crash,
// fail their probes, be rolled out, and run on nodes. It ignores the network (no
// transfer times, no connections).
//
// Sources: the queueing vocabulary is Kleinrock's (Queueing Systems, vol. 1);
// the lifecycle of pods, rollouts and the order of scale-down are those of the kubelet
// and of the Deployment and ReplicaSet controllers of Kubernetes 1.37.
package cluster

import (
	"fmt"
	"time"

	"github.com/scalelab/scalelab/sim/event"
	"github.com/scalelab/scalelab/sim/random"
)

// Cluster is a workload in a simulated cluster at one instant.
type Cluster struct {
	spec   Spec
	now    time.Duration
	demand Demand

	arrivals    Arrivals
	upcoming    upcoming
	nextArrival time.Duration
	arrived     uint64 // index of the next request
	foresight   bool   // see foresight.go
	foreseenTo  time.Duration
	stepwise    bool           // with foresight: nothing is settled beyond the next step in a pod's life
	shared      *commonStation // with foresight and a central queue
	patience    time.Duration
	crowded     bool  // with foresight and least-request: loads have to be known
	leavings    wheel // when they fall
	left        []int32

	requests   requests
	departures departures
	started    uint32 // services, counted up
	sharing    sharing
	timeouts   ring          // when clients give up
	deadline   time.Duration // when one gives up whatever it tries; Never where clients try once
	lives      event.Queue[life]

	pods        []pod // by ordinal, ended ones included
	present     []int32
	routable    []int32 // pods that can get requests, in the order of becoming so
	desired     int32
	sets        []replicaSet // by age; the last one is that of the pod template
	rolling     bool         // a rollout takes its steps
	created     int32        // present and not terminating
	ready       int32
	direct      bool          // requests go to the pods, not to the front
	directAt    time.Duration // when that began or begins
	lifecycle   lifecycle
	router      router
	central     queue // waiting requests, when all pods share one queue
	front       front
	activators  activators
	backlog     backlog
	asked       bool // a message to the autoscaler is due
	changed     bool // the ready pods have changed, or the path of requests
	transitions []Transition
	candidates  []int32 // scratch of deleteSurplus and choose
	startFactor float64 // of containers that start now; 0: as the lifecycle says
	ended       struct{ existed, idle time.Duration }
	resizedAt   time.Duration // Elastic, Serverless: up to when ended is summed up
	nodes       nodes
	instances   instances // Serverless

	tally       *Tally
	clients     clients
	interceptor interceptor
}

// New gives the cluster at time 0 with its initial pods Ready.
func New(spec Spec, seed random.Seed, arrivals Arrivals, tally *Tally) (*Cluster, error) {
	if err := spec.Validate(); err != nil {
		return nil, fmt.Errorf("workload: %w", err)
	}
	demand, err := NewDemand(spec, seed)
	if err != nil {
		return nil, err
	}
	lifecycle, err := newLifecycle(spec.Lifecycle, seed)
	if err != nil {
		return nil, err
	}
	clients, err := newClients(spec, demand, seed)
	if err != nil {
		return nil, err
	}
	c := &Cluster{
		spec:        spec,
		demand:      demand,
		arrivals:    arrivals,
		requests:    newRequests(),
		sharing:     newSharing(spec),
		desired:     spec.Replicas,
		sets:        []replicaSet{{replicas: spec.Replicas}},
		stepwise:    spec.Watched || spec.Activators != nil || !spec.steady() || spec.Nodes != nil || spec.lingers(),
		lifecycle:   lifecycle,
		router:      newRouter(spec, seed),
		central:     newQueue(),
		front:       newFront(),
		activators:  newActivators(spec, lifecycle, seed),
		interceptor: newInterceptor(),
		backlog:     newBacklog(spec, seed),
		clients:     clients,
		deadline:    event.Never,
		tally:       tally,
	}
	if c.foresight = spec.foresees(); c.foresight && c.router.policy == leastRequest {
		c.crowded, c.leavings = true, newWheel()
	}
	if c.patience = spec.RequestTimeout; c.patience == 0 {
		c.patience = taken
	}
	if err := c.openNodes(seed); err != nil {
		return nil, err
	}
	switch {
	case spec.Elastic:
		c.openPool()
	case spec.Serverless != nil:
		if err := c.openInstances(seed); err != nil {
			return nil, err
		}
	default:
		for range spec.Replicas {
			if spec.Fresh {
				c.create(0)
			} else {
				c.createReady()
			}
		}
	}
	if c.nodes.on {
		c.place()
		c.wakeScaler()
	}
	if c.foresight && c.router.policy == sharedQueue {
		c.openShared()
	}
	c.pass(0)
	c.beginClients()
	return c, nil
}

// Demand gives the service time of every request: a function of the seed and
// of the request's index only, so that every strategy serves the same work.
type Demand struct {
	key  random.Key
	dist random.Dist
}

// NewDemand gives the demand of a workload's requests.
func NewDemand(spec Spec, seed random.Seed) (Demand, error) {
	dist, err := random.New(spec.PerPod.ServiceTime)
	if err != nil {
		return Demand{}, fmt.Errorf("service time: %w", err)
	}
	return Demand{key: seed.Key("service", 0), dist: dist}, nil
}

// At is the service time of the request with the given index of arrival.
func (d *Demand) At(index uint64) time.Duration {
	s := d.key.At(index)
	return d.dist.Draw(&s)
}

// from fills dst with the service times of the requests from the first on.
func (d *Demand) from(first uint64, dst []time.Duration) { d.dist.DrawItems(d.key, first, dst) }

// Now is the instant the cluster stands at.
func (c *Cluster) Now() time.Duration { return c.now }

// Stop is why Advance has stopped before its instant.
type Stop uint8

// The reasons.
const (
	NoStop  Stop = iota // it has not
	Asked               // a request found nobody home: a message to the autoscaler is due
	Changed             // with Spec.Watched: the ready pods have changed, or the path of requests
)

// stop is whether to stop now, and why. Every reason is given once.
func (c *Cluster) stop() Stop {
	switch {
	case c.asked:
		c.asked = false
		return Asked
	case c.changed:
		c.changed = false
		if c.spec.Watched {
			return Changed
		}
	}
	return NoStop
}

// Advance carries the data plane to the instant to, with everything due then
// included. It stops earlier, and says why, when there is something for the
// caller to do: the caller does it at Now and calls again.
//
// Of one instant, the pods' lives come first, among them the reclaiming of
// serverless instances, the ends of rebalances, and messages that can be taken
// again, then departures in the order of the pods, and in a pod in
// that of the starts of service, clients that give up (a request for good, then
// attempts), what is due at the front or the interceptor, retries, users and
// arrivals.
func (c *Cluster) Advance(to time.Duration) Stop {
	if c.foresight {
		return c.foreseeAll(to)
	}
	for {
		if why := c.stop(); why != NoStop {
			return why
		}
		departure, life := c.departures.next(), c.lives.Next()
		timeout, look, reclaim := min(c.timeouts.next(), c.deadline), c.front.next(), c.instances.nextReclaim()
		if c.sharing.cpu > 0 {
			departure = c.nextShared()
		}
		if c.spec.Interceptor != nil {
			look = c.interceptor.next()
		}
		at := min(c.nextArrival, departure, life, timeout, look, reclaim)
		if at > to {
			c.now = to
			return NoStop
		}
		c.now = at
		switch at {
		case reclaim:
			c.reclaim()
		case life:
			c.live(c.lives.Pop().Payload)
		case departure:
			if c.sharing.cpu > 0 {
				c.departShared()
			} else {
				c.depart(c.departures.pop(c.requests.slab).request)
			}
		case timeout:
			if at == c.deadline {
				c.giveUp()
			} else {
				c.timeOut(c.timeouts.pop())
			}
		case look:
			c.frontEvent()
		default:
			c.arrive()
		}
	}
}

// Reach is Advance to the instant at, of which nothing has happened yet: there
// the caller changes the world under the requests.
func (c *Cluster) Reach(at time.Duration) Stop {
	if at > c.now {
		if why := c.Advance(at - 1); why != NoStop {
			return why
		}
	}
	c.now = at
	return NoStop
}

// arrive takes what comes in next.
func (c *Cluster) arrive() {
	var i int32
	if c.clients.on {
		if i = c.act(); i == none {
			return
		}
	} else {
		i = c.requests.take()
		q := &c.requests.slab[i]
		q.index, q.arrival, q.start, q.service = c.arrived, c.now, NotYet, c.upcoming.demand()
		q.phase = c.tally.arrive(c.now)
		q.activator, q.viaFront, q.held, q.gone, q.dials, q.pod = 0, false, false, false, 0, none
		if c.spec.RequestTimeout > 0 {
			c.timeouts.push(due{at: c.now + c.spec.RequestTimeout, request: i, generation: q.generation})
		}
		c.arrived++
		c.pass(1)
	}
	switch {
	case c.spec.Elastic:
		c.start(&c.pods[0], i)
		c.resize()
	case c.spec.Serverless != nil:
		c.invoke(i)
	case c.spec.Consumes != nil:
		c.publish(i)
	case c.activators.proxied:
		c.activate(i)
	case c.spec.Interceptor != nil:
		c.intercept(i)
	case c.direct:
		c.route(i)
	case c.spec.Front != nil && !c.front.unreachable:
		c.admit(i)
	default:
		c.end(i, failed)
	}
}

// depart ends a service. The slot goes to the request that waits longest.
func (c *Cluster) depart(i int32) {
	if c.spec.Serverless != nil {
		c.release(i)
		return
	}
	q := &c.requests.slab[i]
	if q.place == abandoned { // killed with its pod or cancelled, and its fate told then
		c.forget(i)
		return
	}
	p := &c.pods[q.pod]
	c.leaveSlot(p, i)
	p.Completed++
	p.CPU += c.effort(q.service)
	if c.spec.Elastic {
		c.resize()
	}
	c.refill(p) // before the front may send its next request here
	if q.viaFront && q.activator == 0 {
		c.front.service.Answered(*c.spec.Front, c.now)
	}
	c.end(i, completed)
}

// timeOut ends what the client saw of a request. A waiting request leaves its
// queue; a request in service occupies its slot until the pod is done with it,
// unless the pod cancels it.
func (c *Cluster) timeOut(d due) {
	q := &c.requests.slab[d.request]
	if q.generation != d.generation || q.gone {
		return
	}
	if q.asleep() && c.spec.Front.Faults.GhostsStay {
		q.gone = true
		c.tell(q, timedOut)
		return
	}
	switch q.place {
	case inService:
		if c.spec.OnTimeout == cancelService && c.spec.Serverless == nil {
			c.cancel(d.request)
			return
		}
		q.gone = true
		c.tell(q, timedOut)
		return
	case centralQueue:
		c.central.remove(&c.requests, d.request)
	case activatorQueue:
		c.activators.list[q.activator-1].queue.remove(&c.requests, d.request)
		c.debuffer(d.request)
	case podQueue:
		c.leaveQueue(&c.pods[q.pod], d.request)
	case frontQueue:
		c.front.queue.remove(&c.requests, d.request)
	case frontHeld, frontDialing:
		c.front.sleepers--
	case intercepted:
		c.interceptor.waiting.remove(&c.requests, d.request)
	case redialing:
		c.interceptor.dialing--
	}
	c.end(d.request, timedOut)
}

// end tells a request's fate, unless its client is gone, and forgets it.
func (c *Cluster) end(i int32, f fate) {
	switch q := &c.requests.slab[i]; {
	case q.gone:
	case c.clients.on:
		c.tell(q, f)
	default: // as tell does, without a call
		c.tally.end(q, c.now, f)
	}
	c.forget(i)
}

// forget gives the request's entry back, and its slot at the front to the next.
func (c *Cluster) forget(i int32) {
	q := c.requests.slab[i]
	c.requests.release(i)
	c.leaveProxies(&q)
}

// leaveProxies gives the slots of a request back that ends, or has lost its pod.
func (c *Cluster) leaveProxies(q *request) {
	switch {
	case q.activator > 0:
		c.leaveActivator(int(q.activator)-1, q.viaFront, q.pod)
	case q.viaFront:
		c.leaveFront()
	}
}
