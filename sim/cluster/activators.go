package cluster

import (
	"slices"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/event"
	"github.com/scalelab/scalelab/sim/random"
)

// Activators are Knative's proxies before all pods. While the path of requests
// leads by way of them, they hold requests until a pod can take them, and choose
// the pod. The source is pkg/activator/net of knative.dev/serving v0.51.
type Activators struct {
	// Count is how many activators the service has. Requests reach them in turn.
	Count int
	// ContainerConcurrency is how many requests a pod gets at the same time; 0:
	// as many as come.
	ContainerConcurrency int
	// ProbeEvery is how often an activator looks for pods that can take requests,
	// whether or not Kubernetes knows yet that they are ready. It also looks
	// whenever it sees that a pod has got an address, is ready, or goes.
	ProbeEvery time.Duration
	// Report is the period of the reports on requests. After one in which there
	// was none, an activator forgets the service.
	Report time.Duration
	// Proxied says that the path leads by way of the activators at time 0.
	Proxied bool
}

// Validate reports settings that no activator could have.
func (a Activators) Validate() error {
	var problems messages.Problems
	if a.Count < 1 || a.Count > maxActivators {
		problems.Addf("count", "found %d, expected 1 to %d", a.Count, maxActivators)
	}
	if a.ContainerConcurrency < 0 || a.ContainerConcurrency > maxConcurrency {
		problems.Addf("containerConcurrency", "found %d, expected 0 to %d", a.ContainerConcurrency, maxConcurrency)
	}
	for _, d := range []struct {
		field string
		value time.Duration
	}{{"probeEvery", a.ProbeEvery}, {"report", a.Report}} {
		if d.value <= 0 || d.value > maxDelay {
			problems.Addf(d.field, "found %s, expected more than 0s, up to %s", d.value, maxDelay)
		}
	}
	return problems.Err()
}

// activators is the state of all of them.
type activators struct {
	on      bool
	list    []activator
	turn    int     // the next one to get a request
	reached []int32 // pods that can take requests, in order of creation
	unfound []int32 // pods that could, which no probe has found
	proxied bool    // the path
	changes uint64  // of the path that were asked for
	path    stage   // from such a change to the first request that takes the new path
	filling bool

	// With foresight.
	waiting  []waiter // requests that wait for the first pod
	counts   bool     // it is cheaper to look at a pod's slots than to follow what comes back
	returns  wheel    // when requests come back from the pods
	returned []int32
}

// activator is one of them.
type activator struct {
	flow     flow
	queue    queue    // requests that wait for a pod
	sent     int      // requests in the pods
	assigned []int32  // pods it sends requests to
	open     []uint64 // with a limit: the positions in assigned that have room
	seen     []seen   // by pod
	turn     int      // position in assigned, where the next pod is taken in turn
	stream   random.Stream

	introduced uint64        // how often it got to know the service
	quietSince time.Duration // when its last request ended; NotYet before
}

// seen is what an activator knows of a pod.
type seen struct {
	load int32 // requests it has sent there that have not come back
	at   int32 // position in assigned, or none
}

func newActivators(spec Spec, l lifecycle, seed random.Seed) activators {
	s := spec.Activators
	if s == nil {
		return activators{}
	}
	a := activators{on: true, proxied: s.Proxied, path: l.path, counts: spec.PerPod.Concurrency <= maxCounted, returns: newWheel()}
	for n := range s.Count {
		a.list = append(a.list, activator{queue: newQueue(), quietSince: NotYet, stream: seed.Key("activator", uint64(n)).Stream()})
	}
	return a
}

// SetPath asks for another path of the requests. They take it once the ingress
// knows of it, which at time 0 it does.
func (c *Cluster) SetPath(path messages.Path) {
	a := &c.activators
	if a.changes++; c.now == 0 {
		c.takePath(path == messages.PathProxy)
		return
	}
	to := toDirect
	if path == messages.PathProxy {
		to = toProxied
	}
	c.lives.Push(c.now+a.path.draw(a.changes), event.Pods, life{pod: int32(a.changes), step: to})
}

// Path is the way that requests take now.
func (c *Cluster) Path() messages.Path {
	switch {
	case !c.activators.on:
		return ""
	case c.activators.proxied:
		return messages.PathProxy
	}
	return messages.PathDirect
}

// turnTo makes requests take a path, unless another was asked for meanwhile.
func (c *Cluster) turnTo(change int32, proxied bool) {
	if uint64(change) == c.activators.changes {
		c.takePath(proxied)
		c.changed = true
	}
}

func (c *Cluster) takePath(proxied bool) {
	c.activators.proxied = proxied
	if c.foresight && proxied {
		c.recallPast()
	}
}

// listens is a pod that takes requests from now on. The activators find it at
// their next probe.
func (c *Cluster) listens(p *pod) {
	a, every := &c.activators, c.spec.Activators.ProbeEvery
	if _, found := slices.BinarySearch(a.reached, p.ID); found || slices.Contains(a.unfound, p.ID) {
		return
	}
	a.unfound = append(a.unfound, p.ID)
	c.probeAt((c.now + every - 1) / every * every)
}

func (c *Cluster) probeAt(at time.Duration) { c.lives.Push(at, event.Pods, life{step: toProbe}) }

// probe has the activators find all pods that take requests by now. They probe
// at every ProbeEvery, and when what they see of the pods changes: one gets an
// address, is ready, or goes.
func (c *Cluster) probe() {
	a := &c.activators
	if len(a.unfound) == 0 {
		return
	}
	a.reached = append(a.reached, a.unfound...)
	slices.Sort(a.reached)
	a.unfound = a.unfound[:0]
	c.assign()
}

// lose makes the activators forget a pod that is deleted.
func (c *Cluster) lose(p *pod) {
	a := &c.activators
	gone := func(id int32) bool { return id == p.ID }
	a.unfound = slices.DeleteFunc(a.unfound, gone)
	if at, found := slices.BinarySearch(a.reached, p.ID); found {
		a.reached = slices.Delete(a.reached, at, at+1)
		c.assign()
	}
}

// assign divides the pods among the activators anew, and lets those go on that
// wait.
func (c *Cluster) assign() {
	a, limit := &c.activators, c.spec.Activators.ContainerConcurrency
	for n := range a.list {
		one := &a.list[n]
		for _, id := range one.assigned {
			one.seen[id].at = none
		}
		one.assigned = append(one.assigned[:0], a.reached...)
		if limit > 0 {
			one.assigned = assigned(one.assigned, n, len(a.list))
		}
		one.open = append(one.open[:0], make([]uint64, (len(one.assigned)+63)/64)...)
		for at, id := range one.assigned {
			for len(one.seen) <= int(id) {
				one.seen = append(one.seen, seen{at: none})
			}
			one.seen[id].at = int32(at)
			if int(one.seen[id].load) < limit {
				one.open[at/64] |= 1 << (at % 64)
			}
		}
	}
	if c.foresight {
		c.releaseWaiting()
		return
	}
	for n := range a.list {
		c.passOn(n)
	}
}

// assigned are the pods of one of several activators: an equal slice, and one
// of those left over. Where there are fewer pods than activators, each has one.
func assigned(pods []int32, n, activators int) []int32 {
	if activators == 1 || len(pods) <= 1 {
		return pods
	}
	if activators > len(pods) {
		return pods[n%len(pods):][:1]
	}
	size, left := len(pods)/activators, len(pods)%activators
	own := slices.Clone(pods[n*size:][:size])
	if n < left {
		own = append(own, pods[len(pods)-left+n])
	}
	return own
}

// room says whether the activator can send a request to a pod.
func (c *Cluster) room(one *activator) bool {
	limit := c.spec.Activators.ContainerConcurrency
	return len(one.assigned) > 0 && (limit == 0 || one.sent < limit*len(one.assigned))
}

// activate takes a request in by way of the next activator.
func (c *Cluster) activate(i int32) {
	a := &c.activators
	n := a.turn
	if a.turn++; a.turn == len(a.list) {
		a.turn = 0
	}
	one, q := &a.list[n], &c.requests.slab[i]
	if one.flow.inside == 0 && c.forgotten(one.quietSince) {
		c.introduce(one)
	}
	one.flow.enter(c.now)
	q.activator = uint8(n + 1)
	if one.queue.length == 0 && c.room(one) {
		c.send(n, i)
		return
	}
	q.held = len(a.reached) == 0
	q.place, q.queued = activatorQueue, c.now
	one.queue.push(&c.requests, i)
}

// debuffer counts the wait of a request that waits at its activator no longer.
func (c *Cluster) debuffer(i int32) {
	q := &c.requests.slab[i]
	c.tally.buffer(q.arrival, c.now-q.queued)
}

// forgotten says whether an activator without requests since an instant has
// forgotten the service: at the end of the first whole period without one.
func (c *Cluster) forgotten(since time.Duration) bool {
	period := c.spec.Activators.Report
	return since == NotYet || c.now > ((since+period-1)/period+1)*period
}

// introduce has the activator tell the autoscaler at once of a request for a
// service that it did not know.
func (c *Cluster) introduce(one *activator) {
	one.introduced++
	c.asked = true
}

// send gives a request to the pod that the policy of the activator chooses.
func (c *Cluster) send(n int, i int32) {
	one, q := &c.activators.list[n], &c.requests.slab[i]
	at := c.choose(one)
	p := &c.pods[one.assigned[at]]
	one.sent++
	one.seen[p.ID].load++
	one.mark(at, int(one.seen[p.ID].load) < c.spec.Activators.ContainerConcurrency)
	q.viaFront, q.pod = true, p.ID
	c.deliver(p, i)
}

// choose is the position of a pod among those assigned: without a limit the less
// loaded of two; with a limit of 3 or less the first that has room, else the next
// one that has.
func (c *Cluster) choose(one *activator) int {
	switch limit := c.spec.Activators.ContainerConcurrency; {
	case limit == 0:
		a, b, coin := one.stream.Two(len(one.assigned))
		return lighter(a, b, one.seen[one.assigned[a]].load, one.seen[one.assigned[b]].load, coin)
	case limit <= 3:
		return next(one.open, 0)
	}
	if one.turn >= len(one.assigned) {
		one.turn = 0
	}
	at := next(one.open, one.turn)
	one.turn = at + 1
	return at
}

// lighter is the one of two pods with the lesser load; a coin decides between
// equal ones. Written as one comparison it needs no branch, which nobody could
// foretell.
func lighter(a, b int, loadA, loadB int32, coin int) int {
	if 2*int(loadA-loadB)+coin > 0 {
		a = b
	}
	return a
}

// mark says whether a pod has room, where that is limited.
func (one *activator) mark(at int, room bool) {
	if room {
		one.open[at/64] |= 1 << (at % 64)
	} else {
		one.open[at/64] &^= 1 << (at % 64)
	}
}

// leaveActivator is a request's end: it gives its place back, and the next one
// that waits gets it. sent says that it had been sent to the pod.
func (c *Cluster) leaveActivator(n int, sent bool, pod int32) {
	one := &c.activators.list[n]
	if one.flow.leave(c.now); one.flow.inside == 0 {
		one.quietSince = c.now
	}
	if !sent {
		return
	}
	one.sent--
	one.seen[pod].load--
	if at := one.seen[pod].at; at != none {
		one.mark(int(at), true)
	}
	c.passOn(n)
}

// passOn sends requests that wait, as long as there is room. A request that is
// refused on the way gives its place back: the loop takes care of that, so that
// refusals do not nest.
func (c *Cluster) passOn(n int) {
	a := &c.activators
	if a.filling {
		return
	}
	a.filling = true
	for one := &a.list[n]; one.queue.length > 0 && c.room(one); {
		i := one.queue.pop(&c.requests)
		c.debuffer(i)
		c.send(n, i)
	}
	a.filling = false
}

// held is how many requests wait at the activators.
func (a *activators) held() (n int) {
	for i := range a.list {
		n += int(a.list[i].queue.length)
	}
	return n + len(a.waiting)
}

// Activator is what can be seen of one activator.
type Activator struct {
	Flow
	Introduced uint64 // how often it told the autoscaler of a service it did not know
}

// Activators appends the status of every activator to dst and returns it.
func (c *Cluster) Activators(dst []Activator) []Activator {
	for n := range c.activators.list {
		one := &c.activators.list[n]
		dst = append(dst, Activator{Flow: c.foreseenAtFront(one.flow.status(c.now)), Introduced: one.introduced})
	}
	return dst
}
