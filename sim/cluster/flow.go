package cluster

import "time"

// flow counts the requests that pass through a place, and how long they stay.
type flow struct {
	entered uint64
	inside  int32
	ends    time.Duration // instants of leaving minus instants of entering, summed up
}

func (f *flow) enter(now time.Duration) {
	f.entered++
	f.inside++
	f.ends -= now
}

func (f *flow) leave(now time.Duration) {
	f.inside--
	f.ends += now
}

// past counts a request that has come and gone.
func (f *flow) past(stayed time.Duration) {
	f.entered++
	f.ends += stayed
}

// status is what can be seen of the flow at now.
func (f *flow) status(now time.Duration) Flow {
	return Flow{Entered: f.entered, Inside: f.inside, Stay: f.ends + time.Duration(f.inside)*now}
}

// flowOf is the flow of a request in a pod; nil where nobody looks at flows.
func (c *Cluster) flowOf(p *pod, i int32) *flow {
	switch {
	case !c.activators.on:
		return nil
	case c.requests.slab[i].activator > 0:
		return &p.flows[proxiedFlow]
	}
	return &p.flows[directFlow]
}

// The flows of a pod.
const (
	directFlow = iota
	proxiedFlow
)

// countIn counts a request that a pod takes.
func (c *Cluster) countIn(p *pod, i int32) {
	if f := c.flowOf(p, i); f != nil {
		f.enter(c.now)
	}
}

// countOut counts it out again.
func (c *Cluster) countOut(p *pod, i int32) {
	if f := c.flowOf(p, i); f != nil {
		f.leave(c.now)
	}
}

// countRefused counts a request that a pod does not take.
func (c *Cluster) countRefused(p *pod, i int32) {
	if f := c.flowOf(p, i); f != nil {
		f.past(0)
	}
}

// Flow is what has passed through a place since time 0.
type Flow struct {
	Entered uint64        // requests that came
	Inside  int32         // of these: those that are there now
	Stay    time.Duration // how long all of them have been there together
}

// plus adds requests that are inside and have been for a while.
func (f Flow) plus(n int, stay time.Duration) Flow {
	f.Inside += int32(n)
	f.Stay += stay
	return f
}
