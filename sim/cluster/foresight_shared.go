package cluster

import "time"

// commonStation is the one queue of all pods with foresight. Those who wait are promised
// the slots that become free first, so the pods have to stay what they are: see
// Spec.Fixed.
type commonStation struct {
	slots   tournament // of all pods, one pod after the other; the idle ones are taken out
	waiting instants   // when those who wait leave the queue
	idle    [][]int32  // the idle slots of each pod; a single pod's are left in
}

func (c *Cluster) openShared() {
	slots := c.spec.PerPod.Concurrency
	c.shared = &commonStation{slots: newTournament(len(c.pods) * slots), idle: make([][]int32, len(c.pods))}
	for pod := range c.shared.idle {
		c.shared.idle[pod] = make([]int32, 0, slots)
	}
	clear(c.router.open)
}

// settleShared settles the request that arrives now and takes its turn in the
// queue of all pods.
func (c *Cluster) settleShared(phase uint16, index uint64, service, until time.Duration) {
	h := c.shared
	pod, seat := h.nextSeat(c)
	p := &c.pods[pod]
	if seat.free > c.now && !c.wait(&h.waiting, c.spec.PerPod.Queue*len(c.pods), p, seat.free, phase, index, until) {
		return
	}
	h.slots.set(seat.slot, c.seat(p, max(c.now, seat.free), phase, index, service, until))
}

// nextSeat is the slot for a request of now. Pods with idle slots take turns;
// when there is none, the slot that becomes free first is it.
func (h *commonStation) nextSeat(c *Cluster) (pod int, s seat) {
	first := h.slots.first()
	if len(h.idle) == 1 {
		return 0, first
	}
	slots := c.spec.PerPod.Concurrency
	for first.free <= c.now {
		pod := int(first.slot) / slots
		h.idle[pod] = append(h.idle[pod], first.slot)
		c.router.open[pod/64] |= 1 << (pod % 64)
		h.slots.set(first.slot, taken)
		first = h.slots.first()
	}
	if pod = c.router.firstOpen(); pod < 0 {
		return int(first.slot) / slots, first
	}
	last := len(h.idle[pod]) - 1
	s.slot = h.idle[pod][last]
	if h.idle[pod] = h.idle[pod][:last]; last == 0 {
		c.router.open[pod/64] &^= 1 << (pod % 64)
	}
	return pod, s
}
