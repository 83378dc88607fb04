package cluster

import (
	"time"

	"github.com/scalelab/scalelab/messages"
)

// Pods appends the status of every pod that is not Gone to dst, in order of
// creation, and returns it.
func (c *Cluster) Pods(dst []PodStatus) []PodStatus {
	for _, id := range c.present {
		p := &c.pods[id]
		s := p.PodStatus
		s.InService, s.Queued = int32(len(p.serving)), p.queue.length
		for slot, i := range p.serving {
			q := &c.requests.slab[i]
			done := c.now - q.start
			if c.sharing.cpu > 0 {
				done = c.workOf(p, slot)
			}
			if q.service > 0 {
				s.CPU += scaled(c.cpuOf(q.service), int64(done), int64(q.service))
			}
		}
		dst = append(dst, s)
	}
	return dst
}

// Replicas are the counts that the API reports.
func (c *Cluster) Replicas() messages.Replicas {
	return messages.Replicas{Desired: c.desired, Created: c.created, Ready: c.ready}
}

// Counters are the totals of all requests since time 0.
func (c *Cluster) Counters() Counters { return c.tally.Total() }

// Held is the number of requests that wait outside of pods: in the central
// queue or at the front.
func (c *Cluster) Held() int {
	return int(c.central.length+c.front.queue.length) + c.front.sleepers
}

// Waiting is the number of requests whose service has not begun, wherever they
// wait.
func (c *Cluster) Waiting() int64 {
	n := int64(c.Held())
	for _, id := range c.present {
		n += int64(c.pods[id].queue.length)
	}
	return n
}

// Transitions appends the changes of pods since the last call to dst, in order.
func (c *Cluster) Transitions(dst []Transition) []Transition {
	dst = append(dst, c.transitions...)
	c.transitions = c.transitions[:0]
	return dst
}

// PodTime is the pods' time from creation to gone, and the part of it that they
// were Ready with nothing in service, summed up to now.
func (c *Cluster) PodTime() (existed, idle time.Duration) {
	existed, idle = c.ended.existed, c.ended.idle
	if c.spec.Elastic {
		return existed + time.Duration(c.created)*(c.now-c.resizedAt), 0
	}
	for _, id := range c.present {
		p := &c.pods[id]
		existed += c.now - p.CreatedAt
		idle += p.idle
		if p.State == Ready && len(p.serving) == 0 {
			idle += c.now - p.idleSince
		}
	}
	return existed, idle
}
