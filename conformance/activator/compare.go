package activator

import (
	"fmt"
	"reflect"
	"time"

	"github.com/google/go-cmp/cmp"
)

// nowhere is the pod of a request that was not sent to any.
const nowhere = -1

// state is where all requests are.
type state struct {
	Activators []int // requests that each has taken in and not got back, waiting ones among them
	Waiting    int   // at all activators
	Pods       map[int32]podState
	Completed  uint64
	TimedOut   uint64
	Rejected   uint64
}

// podState is what a pod has got, and what it has now.
type podState struct{ Received, InService, Queued, Completed int }

// theirs is upstream's state.
func (c *conductor) theirs() state {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := state{Activators: make([]int, len(c.proxies)), Pods: map[int32]podState{}, Completed: c.done, TimedOut: c.timedOut, Rejected: c.rejected}
	for _, q := range c.requests {
		if q.place != over && !c.direct {
			s.Activators[q.activator]++
		}
		if q.place == atActivator {
			s.Waiting++
		}
	}
	for id, p := range c.pods {
		s.Pods[int32(id)] = podState{p.received, p.serving, p.waiting, p.completed}
	}
	return s
}

// own is ours.
func (c *conductor) own() state {
	total := c.tally.Total()
	s := state{Activators: make([]int, len(c.proxies)), Waiting: c.ours.Held(), Pods: map[int32]podState{},
		Completed: total.Completed, TimedOut: total.TimedOut, Rejected: total.Rejected}
	if !c.direct {
		for n, a := range c.ours.Activators(nil) {
			s.Activators[n] = int(a.Inside)
		}
	}
	for _, p := range c.ours.Pods(nil) {
		s.Pods[p.ID] = podState{int(p.Received), int(p.InService), int(p.Queued), int(p.Completed)}
	}
	return s
}

// compare holds the two against one another.
func (c *conductor) compare(at time.Duration) error {
	theirs, own := c.before, c.own()
	theirs.Pods = map[int32]podState{}
	var sum, ownSum podState
	for id, p := range c.before.Pods {
		sum.add(p)
		if _, present := own.Pods[id]; present {
			theirs.Pods[id] = p
		}
	}
	if c.limit == 0 { // the choice of a pod is chance
		for _, p := range own.Pods {
			ownSum.add(p)
		}
		sum.Received, sum.Completed, ownSum.Received, ownSum.Completed = 0, 0, 0, 0
		theirs.Pods, own.Pods = map[int32]podState{0: sum}, map[int32]podState{0: ownSum}
	}
	c.compared++
	if !reflect.DeepEqual(theirs, own) {
		return fmt.Errorf("at %v upstream (-) and ours (+) differ\n%s", at, cmp.Diff(theirs, own))
	}
	return nil
}

func (p *podState) add(o podState) {
	p.Received += o.Received
	p.InService += o.InService
	p.Queued += o.Queued
	p.Completed += o.Completed
}

// compareWaits compares how long requests waited at the activators, one by one
// where upstream determines that.
func (c *conductor) compareWaits() error {
	if c.races {
		return nil
	}
	if own := c.tally.Buffered(); !reflect.DeepEqual(own, c.waits) {
		return fmt.Errorf("waits at the activators: upstream %d, at most %v, ours %d, at most %v", c.waits.Count(), c.waits.Max(), own.Count(), own.Max())
	}
	return nil
}

// seeCapacities notices when an activator has got room and has woken up more of
// its waiting requests than it has room for: which of them go, and in what order
// the others wait from then on, is upstream's own race.
func (c *conductor) seeCapacities() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for n, p := range c.proxies {
		was := c.capacity[n]
		c.capacity[n] = p.breaker.Capacity()
		woken := c.capacity[n] - was
		c.counts.when(woken > 0 && c.now%tick == 0, "found:by_the_clock")
		c.counts.when(woken > 0 && c.now%tick != 0, "found:by_a_change")
		c.counts.when(woken < 0, "found:fewer")
		if c.limit == 0 || woken <= 0 {
			continue
		}
		going, waiting := 0, 0
		for _, q := range c.admitted {
			if q.activator == n {
				going++
			}
		}
		for _, q := range c.requests {
			if q.activator == n && q.place == atActivator {
				waiting++
			}
		}
		if waiting+going > 1 && min(waiting+going, woken) > going {
			c.races = true
			c.counts.when(true, "upstream:races")
			if !c.alike {
				return errRace
			}
		}
	}
	return nil
}
