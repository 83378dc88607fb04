package cluster

import (
	"time"

	"github.com/scalelab/scalelab/sim/event"
)

// due is a request that something happens to at a later instant, if it is
// still the same request then: the slab reuses indices.
type due struct {
	at         time.Duration
	request    int32
	generation uint32
}

// ring holds dues in rising order of time. Delays that are the same for every
// request (a timeout, a retry interval) come out in the order they go in, so
// no heap is needed. Entries of requests that have ended stay until their time
// comes, which bounds the ring by rate times delay.
type ring struct {
	entries []due // length is a power of two
	head    int
	count   int
}

func (r *ring) next() time.Duration {
	if r.count == 0 {
		return event.Never
	}
	return r.entries[r.head].at
}

func (r *ring) push(d due) {
	if r.count == len(r.entries) {
		r.grow()
	}
	r.entries[(r.head+r.count)&(len(r.entries)-1)] = d
	r.count++
}

func (r *ring) pop() due {
	d := r.entries[r.head]
	r.head = (r.head + 1) & (len(r.entries) - 1)
	r.count--
	return d
}

func (r *ring) grow() {
	bigger := make([]due, max(64, 2*len(r.entries)))
	n := copy(bigger, r.entries[r.head:])
	copy(bigger[n:], r.entries[:r.head])
	r.entries, r.head = bigger, 0
}
