package cluster

import (
	"time"

	"github.com/scalelab/scalelab/messages"
)

// Pods appends the status of every pod that is not Gone to dst, in order of
// creation, and returns it.
func (c *Cluster) Pods(dst []PodStatus) []PodStatus {
	if c.spec.Serverless != nil {
		return c.instances.status(c, dst)
	}
	for _, id := range c.present {
		p := &c.pods[id]
		s := p.PodStatus
		s.InService, s.Queued = int32(len(p.serving)), p.queue.length
		s.Memory = c.memory(p)
		if c.activators.on {
			s.Direct, s.Proxied = p.flows[directFlow].status(c.now), p.flows[proxiedFlow].status(c.now)
		}
		c.foreseen(p, &s)
		for _, i := range p.serving {
			s.CPU += c.effortOf(c.requests.slab[i].service, c.workDone(p, i))
		}
		s.CPU = c.cpuTime(s.CPU) + c.startCPU(p)
		dst = append(dst, s)
	}
	return dst
}

// Lives shows every pod there has been, in order of creation. Only what does not
// change any more at the end of its life holds: the instants, of which those of its
// becoming Ready and getting requests are the first ones.
func (c *Cluster) Lives(show func(PodStatus)) {
	for i := range c.pods {
		s := c.pods[i].PodStatus
		s.ReadyAt, s.RoutableAt = c.pods[i].first.ready, c.pods[i].first.routable
		show(s)
	}
}

// workDone is how much of its service time a request in service has received.
func (c *Cluster) workDone(p *pod, i int32) time.Duration {
	q := &c.requests.slab[i]
	if c.sharing.cpu > 0 {
		return c.workOf(p, int(q.slot))
	}
	return c.now - q.start
}

// Replicas are the counts that the API reports.
func (c *Cluster) Replicas() messages.Replicas {
	return messages.Replicas{Desired: c.desired, Created: c.created, Ready: c.ready}
}

// Counters are the totals of all requests since time 0.
func (c *Cluster) Counters() Counters { return c.tally.Total() }

// Held is the number of requests that wait outside of pods: in the central
// queue, at a proxy before them, or as messages that can be taken.
func (c *Cluster) Held() int {
	n := int(c.central.length+c.front.queue.length) + c.front.sleepers + c.activators.held() + c.interceptor.held() + c.backlog.waiting()
	if c.shared != nil {
		for i := range c.pods {
			n += int(c.pods[i].unstarted(c.foreseenTo))
		}
	}
	return n
}

// Waiting is the number of requests whose service has not begun, or not begun
// again, wherever they wait.
func (c *Cluster) Waiting() int64 {
	n := int64(c.Held() + c.Hidden())
	for _, id := range c.present {
		n += int64(c.pods[id].queue.length)
		if c.shared == nil {
			n += c.pods[id].unstarted(c.foreseenTo)
		}
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
	if c.spec.Elastic || c.spec.Serverless != nil {
		since := c.now - c.resizedAt
		return existed + time.Duration(c.created)*since, idle + time.Duration(c.instances.idling())*since
	}
	for _, id := range c.present {
		p := &c.pods[id]
		existed += c.now - p.CreatedAt
		idle += p.idle
		if p.State == Ready {
			idle += c.idleFor(p)
		}
	}
	return existed, idle
}
