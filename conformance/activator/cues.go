package activator

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"time"

	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/random"
)

// What happens at one instant, in ours' order.
const (
	podsFirst = iota
	thenServed
	thenGivenUp
	thenArrivals
)

// cue is something that the conductor makes happen.
type cue struct {
	at         time.Duration
	rank       int
	pod, order int
	happens    func() error
}

type cues []cue

func (e cues) Len() int      { return len(e) }
func (e cues) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *cues) Push(x any)   { *e = append(*e, x.(cue)) }
func (e *cues) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}
func (e cues) Less(i, j int) bool {
	a, b := &e[i], &e[j]
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.rank, b.rank), cmp.Compare(a.pod, b.pod), cmp.Compare(a.order, b.order)) < 0
}

// schedule plans what does not depend on the requests.
func (c *conductor) schedule() error {
	for _, at := range changes(c.lives, c.end) {
		c.add(cue{at: at, rank: podsFirst, happens: c.podsChange})
	}
	for at := tick; at <= c.end; at += tick {
		c.add(cue{at: at, rank: podsFirst, happens: func() error { return nil }})
	}
	for _, s := range c.scales {
		c.add(cue{at: s.at, rank: podsFirst, happens: func() error {
			reach(c.ours, s.at)
			c.ours.Scale(int32(s.pods))
			return nil
		}})
	}
	demand, err := cluster.NewDemand(c.spec, random.Seed(c.seed))
	for i, at := range c.arrivals {
		c.add(cue{at: at, rank: thenArrivals, happens: func() error { return c.arrives(i, at, demand.At(uint64(i))) }})
	}
	return err
}

func (c *conductor) add(e cue) { heap.Push(&c.plan, e) }

// instant carries both sides to the next instant.
func (c *conductor) instant(at time.Duration) error {
	if at > c.now {
		advance(c.ours, at-1)
		if err := c.compare(at - 1); err != nil {
			return err
		}
	}
	c.now = at
	time.Sleep(time.Until(c.begun.Add(at)))
	if err := c.settle(); err != nil {
		return err
	}
	for c.plan.Len() > 0 && c.plan[0].at == at {
		e := heap.Pop(&c.plan).(cue)
		if err := e.happens(); err != nil {
			return err
		}
		if err := c.settle(); err != nil {
			return err
		}
	}
	advance(c.ours, at)
	c.before = c.theirs()
	if c.trace != nil {
		fmt.Fprintln(c.trace, at, c.before)
	}
	return c.compare(at)
}

// podsChange shows the activators the pods, one activator after the other.
func (c *conductor) podsChange() error {
	now := subsets(c.lives, c.now)
	for _, p := range c.proxies {
		if err := p.follow(now); err != nil {
			return err
		}
		if err := c.settle(); err != nil {
			return err
		}
	}
	return nil
}

func (c *conductor) arrives(index int, at, service time.Duration) error {
	q := &request{pod: nowhere, index: index, arrival: at, service: service, goes: make(chan struct{})}
	if n := len(c.proxies); n > 0 {
		q.activator = index % n
	}
	q.ctx, q.cancel = context.WithCancel(context.Background())
	if c.spec.RequestTimeout > 0 {
		q.ctx, q.cancel = context.WithDeadline(context.Background(), c.begun.Add(at+c.spec.RequestTimeout))
		c.add(cue{at: at + c.spec.RequestTimeout, rank: thenGivenUp, order: index, happens: func() error { return nil }})
	}
	c.requests = append(c.requests, q)
	go c.send(q)
	return nil
}
