package cluster

import "time"

// none is the end of a list of requests or pods.
const none int32 = -1

// The places a request can be at.
const (
	free           uint8 = iota
	frontQueue           // waits for a slot of the front
	frontHeld            // holds a slot of the front and sleeps until its next look
	frontDialing         // holds a slot of the front and sleeps until its next dial
	podQueue             // waits in a pod's queue
	centralQueue         // waits in the queue that all pods share
	activatorQueue       // waits at an activator for a pod that can take it
	intercepted          // waits at the interceptor for a pod
	redialing            // was refused, and the interceptor connects again in a while
	inService
	invisible // a message that its pod has lost, not visible yet
	abandoned // its pod was killed; its departure is still to come
)

// request is one request in flight. It holds no pointers, so the collector
// never looks at the slab.
type request struct {
	index      uint64 // of arrival, from 0
	arrival    time.Duration
	start      time.Duration // start of service
	service    time.Duration // service demand
	queued     time.Duration // when it began to wait at its activator or in a pod, or was first refused to the interceptor
	next, prev int32         // neighbours in the queue it waits in
	pod        int32         // where it waits or is served
	slot       int32         // its index in pod.serving; Serverless: in instances.slab
	call       int32         // of which it is an attempt, where clients do more than ask once
	generation uint32        // counts the uses of this entry of the slab
	sequence   uint32        // order of the starts of service
	phase      uint16        // traffic phase of its arrival
	partition  uint16        // of a message
	deliveries uint16        // of a message so far
	place      uint8
	dials      uint8 // connections that failed in a row; with an interceptor 1 after the first
	activator  uint8 // whose way it came, counted from 1; 0: none's
	viaFront   bool  // holds a slot of the front, or one that its activator has in a pod, until it ends
	held       bool  // slept at the front, found no pod at its activator, or started its instance: a cold request
	gone       bool  // the client has given up; the pod works on
}

// asleep says whether the request holds a slot of the front and sleeps.
func (q *request) asleep() bool { return q.place == frontHeld || q.place == frontDialing }

// requests is a slab with a free list: memory grows with the most requests
// that were ever in flight together, not with their number.
type requests struct {
	slab []request
	free int32
}

func newRequests() requests { return requests{free: none} }

func (r *requests) take() int32 {
	if r.free == none {
		r.slab = append(r.slab, request{})
		return int32(len(r.slab) - 1)
	}
	i := r.free
	r.free = r.slab[i].next
	return i
}

func (r *requests) release(i int32) {
	q := &r.slab[i]
	q.generation++
	q.place = free
	q.next = r.free
	r.free = i
}

// queue is a list of waiting requests in arrival order, linked through the slab.
type queue struct {
	head, tail int32
	length     int32
}

func newQueue() queue { return queue{head: none, tail: none} }

func (q *queue) push(r *requests, i int32) {
	q.length++
	r.slab[i].next, r.slab[i].prev = none, q.tail
	if q.tail == none {
		q.head = i
	} else {
		r.slab[q.tail].next = i
	}
	q.tail = i
}

func (q *queue) pop(r *requests) int32 {
	i := q.head
	q.remove(r, i)
	return i
}

func (q *queue) remove(r *requests, i int32) {
	q.length--
	next, prev := r.slab[i].next, r.slab[i].prev
	if prev == none {
		q.head = next
	} else {
		r.slab[prev].next = next
	}
	if next == none {
		q.tail = prev
	} else {
		r.slab[next].prev = prev
	}
}
