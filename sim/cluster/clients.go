package cluster

import (
	"cmp"
	"slices"
	"time"

	"github.com/scalelab/scalelab/sim/event"
	"github.com/scalelab/scalelab/sim/random"
)

// clients are who sends the requests, where they do more than ask once: they
// try again, and users wait for their answers. What the rest of the cluster
// calls a request is then one attempt; a call is the request that clients see.
type clients struct {
	on         bool
	calls      []call // a slab, as requests is
	free       int32
	open       time.Duration // the next arrival
	deadlines  ring          // of calls
	retries    event.Queue[due]
	users      users
	attempts   int32
	perAttempt time.Duration
	demands    []Demand // by attempt
	again      [failed + 1]bool
	pauses     pauses
	budget     bucket
	hasBudget  bool
	unsent     request // stands for the attempt of a call in back-off
}

// call is a request from its arrival to its last byte, over all attempts.
type call struct {
	index      uint64 // of arrival
	arrival    time.Duration
	attempt    int32 // number of the one under way or, in back-off, of the next; from 0
	request    int32 // the attempt under way, or none in back-off
	user       int32 // who waits for it, or none
	next       int32 // of the free list
	generation uint32
	phase      uint16
	held       bool // an attempt slept at the front
	over       bool // its deadline has come
}

func newClients(spec Spec, demand Demand, seed random.Seed) (clients, error) {
	retries := Retries{Attempts: 1}
	if spec.Retries != nil {
		retries = *spec.Retries
	}
	k := clients{
		on:         spec.activeClients(),
		free:       none,
		attempts:   int32(retries.Attempts),
		perAttempt: retries.PerAttemptTimeout,
		demands:    []Demand{demand},
		pauses:     newPauses(retries, seed),
	}
	for attempt := 1; attempt < retries.Attempts; attempt++ {
		k.demands = append(k.demands, Demand{key: seed.Key("service", uint64(attempt)), dist: demand.dist})
	}
	for _, name := range retries.On {
		k.again[fatesByName[name]] = true
	}
	if k.hasBudget = retries.Budget != nil; k.hasBudget {
		k.budget = newBucket(*retries.Budget)
	}
	var err error
	k.users, err = newUsers(spec.Users, seed)
	return k, err
}

// activeClients says whether clients do more than ask once.
func (s *Spec) activeClients() bool {
	r := s.Retries
	return len(s.Users) > 0 || r != nil && (r.Attempts > 1 || r.PerAttemptTimeout > 0)
}

// next is when clients send something.
func (k *clients) next() time.Duration {
	return min(k.open, k.retries.Next(), k.users.thinking.Next())
}

// beginClients has clients send where the first arrival is known.
func (c *Cluster) beginClients() {
	if c.clients.on {
		c.clients.open = c.nextArrival
		c.nextArrival = c.clients.next()
	}
}

// act makes what clients send now, if it is not a retry that has come too late.
func (c *Cluster) act() (attempt int32) {
	k := &c.clients
	switch c.now {
	case k.retries.Next():
		attempt = c.retry(k.retries.Pop().Payload)
	case k.users.thinking.Next():
		attempt = c.call(k.users.thinking.Pop().Payload)
	default:
		c.pass(1)
		k.open = c.nextArrival
		attempt = c.call(none)
	}
	c.nextArrival = k.next()
	return attempt
}

// call takes the next request in, which a user may wait for.
func (c *Cluster) call(user int32) (attempt int32) {
	k := &c.clients
	n := k.free
	if n == none {
		n = int32(len(k.calls))
		k.calls = append(k.calls, call{})
	} else {
		k.free = k.calls[n].next
	}
	generation := k.calls[n].generation
	k.calls[n] = call{
		index: c.arrived, arrival: c.now, request: none, user: user, generation: generation,
		phase: c.tally.arrive(c.now),
	}
	c.arrived++
	if c.spec.RequestTimeout > 0 {
		k.deadlines.push(due{at: c.now + c.spec.RequestTimeout, request: n, generation: generation})
		c.deadline = k.deadlines.next()
	}
	return c.attempt(n)
}

// attempt makes an attempt of a call.
func (c *Cluster) attempt(n int32) int32 {
	k := &c.clients
	call := &k.calls[n]
	i := c.requests.take()
	call.request = i
	q := &c.requests.slab[i]
	*q = request{
		index: call.index, arrival: call.arrival, start: NotYet, service: k.demands[call.attempt].At(call.index),
		pod: none, call: n, generation: q.generation, phase: call.phase,
	}
	if k.perAttempt > 0 {
		c.timeouts.push(due{at: c.now + k.perAttempt, request: i, generation: q.generation})
	}
	return i
}

// retry makes the next attempt of a call, unless its deadline has come.
func (c *Cluster) retry(d due) (attempt int32) {
	call := &c.clients.calls[d.request]
	if call.generation != d.generation {
		return none
	}
	c.tally.retry(call.phase)
	return c.attempt(d.request)
}

// tell gives the client the fate of a request, or of an attempt.
func (c *Cluster) tell(q *request, f fate) {
	if !c.clients.on {
		c.tally.end(q, c.now, f)
		return
	}
	call := &c.clients.calls[q.call]
	call.held = call.held || q.held
	if !c.clients.triesAgain(call, f) {
		c.answer(q, f)
		return
	}
	call.attempt++
	call.request = none
	at := c.now + c.clients.pauses.of(call.index, call.attempt)
	c.clients.retries.Push(at, event.Arrivals, due{request: q.call, generation: call.generation})
	c.nextArrival = min(c.nextArrival, at)
}

// triesAgain says whether another attempt follows one with the given fate. As in
// gRPC, the budget counts every attempt, whether or not more are left.
func (k *clients) triesAgain(call *call, f fate) bool {
	if f == completed {
		if k.hasBudget {
			k.budget.success()
		}
		return false
	}
	if !k.again[f] || k.hasBudget && !k.budget.failure() {
		return false
	}
	return !call.over && call.attempt+1 < k.attempts
}

// answer ends a call with the fate of its last attempt.
func (c *Cluster) answer(q *request, f fate) {
	k := &c.clients
	call := &k.calls[q.call]
	q.held = call.held
	c.tally.end(q, c.now, f)
	if call.user != none {
		k.users.thinkFrom(c.now, call.user)
		c.nextArrival = min(c.nextArrival, k.users.thinking.Next())
	}
	call.generation++
	call.next = k.free
	k.free = q.call
}

// giveUp is the deadline of a call. One in back-off has no attempt under way.
func (c *Cluster) giveUp() {
	k := &c.clients
	d := k.deadlines.pop()
	c.deadline = k.deadlines.next()
	call := &k.calls[d.request]
	if call.generation != d.generation {
		return
	}
	if call.request == none {
		k.unsent = request{arrival: call.arrival, start: NotYet, pod: none, call: d.request, phase: call.phase}
		c.answer(&k.unsent, timedOut)
		return
	}
	call.over = true
	c.timeOut(due{request: call.request, generation: c.requests.slab[call.request].generation})
}

// cancel ends a service at once whose client has given up. The CPU time that it
// has used stays used.
func (c *Cluster) cancel(i int32) {
	q := &c.requests.slab[i]
	p := &c.pods[q.pod]
	p.CPU += c.effortOf(q.service, c.workDone(p, i))
	c.leaveSlot(p, i)
	if c.spec.Elastic {
		c.resize()
	}
	c.refill(p)
	if c.sharing.cpu > 0 {
		c.end(i, timedOut)
	} else {
		c.abandon(i, timedOut)
	}
}

// byArrival sorts requests that end together, so that what follows (the clients
// that try again, the activators that send the next) does not hang on slots.
func (c *Cluster) byArrival(list []int32) {
	if c.clients.on || c.activators.on {
		slices.SortFunc(list, func(a, b int32) int {
			return cmp.Compare(c.requests.slab[a].index, c.requests.slab[b].index)
		})
	}
}
