package cluster

import (
	"slices"
	"time"

	"github.com/scalelab/scalelab/sim/event"
	"github.com/scalelab/scalelab/sim/random"
)

// backOff is how long the kubelet waits before it starts a container again. The
// first time it does not; from then on it waits 10 seconds after the container's
// end, and twice as long each time, up to 5 minutes. A container that ends more than
// 10 minutes after the last start of one begins anew.
//
// Source: doBackOff in pkg/kubelet/kuberuntime of Kubernetes 1.37, flowcontrol.Backoff
// in client-go.
type backOff struct {
	pause time.Duration // 0: none yet
	since time.Duration // when it was last made longer
}

const (
	firstPause   = 10 * time.Second
	longestPause = 5 * time.Minute
)

// wait is the pause after a container's end at now.
func (b *backOff) wait(now time.Duration) time.Duration {
	if b.pause > 0 && now-b.since > 2*longestPause {
		*b = backOff{}
	}
	pause := b.pause
	b.since = now + pause
	b.pause = min(max(firstPause, 2*pause), longestPause)
	return pause
}

// runContainer starts the container of a pod, whose image is there.
func (c *Cluster) runContainer(p *pod) {
	p.RunningSince = c.now
	took := c.lifecycle.start.of(p)
	if c.startFactor > 0 {
		took = multiplied(took, c.startFactor)
	}
	up, probes := c.now+took, &c.spec.Probes
	p.probesAt = c.now
	if s := probes.Startup; s != nil {
		if end := s.fails(p.ticks(), c.now); end < up {
			c.later(p, toCrash, end-c.now)
			return
		}
		p.probesAt = s.succeeds(p.ticks(), up)
	}
	if l := probes.Liveness; l != nil {
		if end := l.fails(p.ticks(), p.probesAt); end < up {
			c.later(p, toCrash, end-c.now)
			return
		}
	}
	ready := max(up, p.probesAt)
	if r := probes.Readiness; r != nil {
		ready = r.succeeds(p.ticks(), up)
	}
	c.later(p, toReady, ready-c.now)
}

// ticks are those of the readiness and the liveness probe of the container that runs.
func (p *pod) ticks() ticks { return ticks{begin: p.probesAt, started: p.RunningSince} }

// comesUp says whether a container runs that has not been Ready yet.
func (p *pod) comesUp() bool {
	return p.State == Starting && p.RunningSince != NotYet && p.listensAt == event.Never
}

// startCPU is what the containers of a pod have used until they were Ready.
func (c *Cluster) startCPU(p *pod) time.Duration {
	spent := p.cameUp
	if p.comesUp() {
		spent += c.now - p.RunningSince
	}
	return scaled(spent, int64(thousandths(c.spec.Lifecycle.StartCPU)), 1000)
}

// liveContainer carries out a step in the life of the container that runs.
func (c *Cluster) liveContainer(p *pod, s step) {
	switch s {
	case toReady:
		c.getReady(p)
	case toUnready:
		c.loseReadiness(p)
	case toCrash:
		c.crash(p)
	case toRestart:
		c.runContainer(p)
	case toAnswer:
		c.answered(p)
	case toBeat:
		c.beaten(p)
	}
}

// getReady makes a pod Ready, and later get requests.
func (c *Cluster) getReady(p *pod) {
	if p.State == Ready || c.now < p.backAt {
		return
	}
	first := p.comesUp()
	if first {
		p.cameUp += c.now - p.RunningSince
		p.agesFrom = c.now
		p.warmAt = max(c.lifecycle.warmUp.end(c.now), c.spec.slowEnd())
		if c.now == 0 {
			p.agesFrom = -c.lifecycle.warmUp.length
		}
	}
	p.failsTo = 0
	c.becomeReady(p)
	if first {
		p.listensAt = c.now + c.lifecycle.listen.of(p)
	}
	p.changes++
	c.lives.Push(c.now+c.lifecycle.propagation.of(p), event.Pods, life{pod: p.ID, step: toRoutable, epoch: p.changes})
	if p.listensAt > c.now {
		c.later(p, toListening, p.listensAt-c.now)
	} else {
		c.hearken(p)
	}
	c.probeQueued(p)
}

// hearken has a pod take requests that accepts connections from now on.
func (c *Cluster) hearken(p *pod) {
	if c.activators.on && p.State == Ready {
		c.listens(p)
	}
	c.fill(p)
}

// loseReadiness makes a Ready pod one that is not. It serves what still comes.
func (c *Cluster) loseReadiness(p *pod) {
	if p.State != Ready {
		return
	}
	c.ceaseReady(p)
	p.UnreadyAt, p.ReadyAt = c.now, NotYet
	c.become(p, Starting)
	c.withdraw(p)
	c.roll()
}

// crash ends the container of a pod, with everything that it holds. The kubelet
// starts another one, after its back-off.
func (c *Cluster) crash(p *pod) {
	c.endContainer(p)
	p.Restarts++
	p.Former = p.Completed
	c.later(p, toRestart, p.backOff.wait(c.now))
	c.loseReadiness(p)
}

// endContainer ends the container of a pod with everything that it holds.
func (c *Cluster) endContainer(p *pod) {
	if p.comesUp() {
		p.cameUp += c.now - p.RunningSince
	}
	if p.State == Ready {
		p.idle += c.idleFor(p)
		p.idleSince = c.now
	}
	p.epoch++
	p.RunningSince, p.backAt, p.failsTo = NotYet, 0, 0
	if c.activators.on {
		c.lose(p)
	}
	c.drop(p)
}

// Crash ends the containers of n of the pods that have one, or of all if there are
// fewer, and says of how many. Which ones is drawn.
func (c *Cluster) Crash(n int, draw *random.Stream) int {
	chosen := c.some(n, draw, func(p *pod) bool { return p.State < Draining && p.RunningSince != NotYet })
	for _, id := range chosen {
		c.crash(&c.pods[id])
	}
	return len(chosen)
}

// Unready lets the readiness of n Ready pods, or of all if there are fewer, fail from
// now until an instant, and says of how many. With a readiness probe that takes as
// many failures as its threshold says, and it comes back with as many successes from
// the instant on. A container that is started again meanwhile is well. Which ones is
// drawn.
func (c *Cluster) Unready(n int, until time.Duration, draw *random.Stream) int {
	chosen := c.some(n, draw, func(p *pod) bool { return p.State == Ready && p.RunningSince != NotYet })
	for _, id := range chosen {
		if p := &c.pods[id]; c.now < until {
			c.failReadiness(p, until)
		}
	}
	return len(chosen)
}

// failReadiness has the readiness of a Ready pod fail until an instant. Probes that wait
// for their turn find out themselves.
func (c *Cluster) failReadiness(p *pod, until time.Duration) {
	if c.now > p.failsTo {
		p.failsFrom = c.now
	}
	p.failsTo = max(p.failsTo, until)
	r := c.spec.Probes.Readiness
	if r != nil && c.spec.Probes.Queued {
		return
	}
	gone, back := c.now, p.failsTo
	if r != nil {
		gone, back = r.fails(p.ticks(), p.failsFrom), r.succeeds(p.ticks(), p.failsTo)
	}
	if gone < p.failsTo {
		p.backAt = back
		c.later(p, toUnready, gone-c.now)
		c.later(p, toReady, back-c.now)
	}
}

// some draws n of the pods that will do, in order of creation.
func (c *Cluster) some(n int, draw *random.Stream, will func(*pod) bool) []int32 {
	c.candidates = c.candidates[:0]
	for _, id := range c.present {
		if will(&c.pods[id]) {
			c.candidates = append(c.candidates, id)
		}
	}
	return drawn(slices.Clone(c.candidates), n, draw)
}

// drawn keeps n of a list, drawn, in their order.
func drawn(list []int32, n int, draw *random.Stream) []int32 {
	kept := list[:0]
	for i, item := range list {
		if draw.IntN(len(list)-i) < n-len(kept) {
			kept = append(kept, item)
		}
	}
	return kept
}

// memory is what a pod uses.
func (c *Cluster) memory(p *pod) int64 {
	m := c.spec.PerPod.Memory
	if m == nil || p.RunningSince == NotYet {
		return 0
	}
	return int64(m.Base) + int64(m.PerRequest)*int64(len(p.serving)+int(p.queue.length))
}

// checkMemory has the kernel kill the container of a pod that uses more memory than
// its limit, once everything that the request under way entails has happened. Of a pod
// that is being deleted nobody would start another one.
func (c *Cluster) checkMemory(p *pod) {
	if c.spec.PerPod.Memory != nil && c.spec.MemoryLimitBytes > 0 && p.State < Draining && c.memory(p) > c.spec.MemoryLimitBytes {
		c.later(p, toCrash, 0)
	}
}

// SlowStart makes containers that start from now on take factor times as long to
// come up; 1 is as the lifecycle says.
func (c *Cluster) SlowStart(factor float64) { c.startFactor = factor }

// probeQueued begins to probe a pod whose probes wait for their turn.
func (c *Cluster) probeQueued(p *pod) {
	if !c.spec.Probes.Queued || p.probed == p.epoch+1 {
		return
	}
	p.probed = p.epoch + 1
	p.readiness, p.liveness = streak{}, streak{}
	for _, k := range []struct {
		probe *Probe
		step  step
	}{{c.spec.Probes.Readiness, toAnswer}, {c.spec.Probes.Liveness, toBeat}} {
		if k.probe != nil {
			sent := k.probe.next(p.ticks(), c.now+1)
			c.later(p, k.step, sent+k.probe.Timeout-c.now)
		}
	}
}

// streak counts answers in a row.
type streak struct{ good, bad int }

func (s *streak) add(good bool) {
	if good {
		s.good, s.bad = s.good+1, 0
	} else {
		s.good, s.bad = 0, s.bad+1
	}
}

// answered is the end of a readiness probe's timeout. One that was sent before the end
// of what lets readiness fail has failed.
func (c *Cluster) answered(p *pod) {
	r := c.spec.Probes.Readiness
	c.later(p, toAnswer, r.Period)
	sent := c.now - r.Timeout
	p.readiness.add(sent >= p.failsTo && !c.waitsSince(p, sent))
	switch {
	case p.State == Ready && p.readiness.bad >= r.Failures:
		c.loseReadiness(p)
	case p.State == Starting && p.readiness.good >= r.Successes:
		c.getReady(p)
	}
}

// beaten is the end of a liveness probe's timeout.
func (c *Cluster) beaten(p *pod) {
	l := c.spec.Probes.Liveness
	c.later(p, toBeat, l.Period)
	if p.liveness.add(!c.waitsSince(p, c.now-l.Timeout)); p.liveness.bad >= l.Failures {
		c.crash(p)
	}
}

// waitsSince says whether a request waits in the pod that came by an instant.
func (c *Cluster) waitsSince(p *pod, since time.Duration) bool {
	for i := range p.stays {
		if s := &p.stays[i]; !s.started(c.now-1) && s.entered <= since {
			return true
		}
	}
	return p.queue.length > 0 && c.requests.slab[p.queue.head].queued <= since
}
