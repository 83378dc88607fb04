package cluster

import "time"

// commonStation is the one queue of all pods with foresight. Those who wait are
// promised the slots that become free first, so the pods have to stay what they
// are: see Spec.Fixed.
type commonStation struct {
	slots   tournament // of all pods, each a subtree
	each    int        // slots of a subtree, a power of two; those beyond a pod's are taken
	pods    int        // subtrees, a power of two, and the index of the first one's root
	waiting instants   // when those who wait leave the queue
}

func (c *Cluster) openShared() {
	h := &commonStation{each: powerOfTwoFrom(c.spec.PerPod.Concurrency), pods: powerOfTwoFrom(len(c.pods))}
	h.slots = newTournament(h.each * h.pods)
	for slot := range h.each * h.pods {
		if slot/h.each >= len(c.pods) || slot%h.each >= c.spec.PerPod.Concurrency {
			h.slots.set(int32(slot), taken)
		}
	}
	c.shared = h
}

// settleShared settles the request that arrives now and takes its turn in the
// queue of all pods.
func (c *Cluster) settleShared(phase uint16, index uint64, service, until time.Duration) {
	h := c.shared
	pod, seat := 0, h.slots.first()
	if len(c.pods) > 1 {
		pod, seat = h.nextSeat(c, seat)
	}
	p := &c.pods[pod]
	if seat.free > c.now && c.wait(&h.waiting, c.spec.PerPod.Queue*len(c.pods), p, seat.free, phase, index, until) != NotYet {
		return
	}
	h.slots.set(seat.slot, c.seat(p, max(c.now, seat.free), phase, index, service, until))
}

// nextSeat is the slot for a request of now. Pods with idle slots take turns;
// when there is none, the slot that becomes free first is it.
func (h *commonStation) nextSeat(c *Cluster, first seat) (pod int, s seat) {
	if first.free > c.now {
		return int(first.slot) / h.each, first
	}
	pod = h.idleFrom(c.router.turn, c.now)
	if pod < 0 {
		pod = h.idleFrom(0, c.now)
	}
	c.router.turn = c.router.after(pod)
	return pod, h.slots.seats[h.pods+pod]
}

// idleFrom is the first pod from one on that has an idle slot, or -1.
func (h *commonStation) idleFrom(pod int, now time.Duration) int {
	seats := h.slots.seats
	i := h.pods + pod
	for seats[i].free > now {
		for i&1 == 1 { // up, out of the right end of a subtree
			if i >>= 1; i <= 1 {
				return -1
			}
		}
		i++
	}
	for i < h.pods {
		if i *= 2; seats[i].free > now {
			i++
		}
	}
	return i - h.pods
}
