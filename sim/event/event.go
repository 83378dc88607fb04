// Package event is the skeleton of simulated time: the future event list, the
// order of simultaneous events, and a clock that Kubernetes code can read.
//
// Simulated time is a time.Duration since the scenario's start.
package event

import "time"

// Never is later than every event.
const Never = time.Duration(1<<63 - 1)

// Phase orders events of one instant. This table is the only place where that
// order is decided:
//
//	faults        the world changes under everything else
//	pods          lifecycle transitions; a pod that becomes ready now serves now
//	departures    a slot freed now can be taken by an arrival now
//	arrivals      a request that arrives now is in the metrics of now
//	scrapes       metrics collected now are seen by a sync of now
//	syncs         autoscalers decide
//	samples       the recorder sees the state after the decisions
type Phase uint8

// The phases of one instant, in order.
const (
	Faults Phase = iota
	Pods
	Departures
	Arrivals
	Scrapes
	Syncs
	Samples
)

// Event is an entry of a Queue: what is due and when. Payload is for the
// owner; Queue does not look at it.
type Event[T any] struct {
	At      time.Duration
	Phase   Phase
	Payload T

	sequence uint64
}

func (e Event[T]) before(o Event[T]) bool {
	if e.At != o.At {
		return e.At < o.At
	}
	if e.Phase != o.Phase {
		return e.Phase < o.Phase
	}
	return e.sequence < o.sequence
}

// Queue is a future event list ordered by (time, phase, sequence of insertion):
// events of one instant and phase leave in the order in which they came. The
// zero value is empty and ready.
type Queue[T any] struct {
	heap     []Event[T]
	sequence uint64
}

// Len is the number of events waiting.
func (q *Queue[T]) Len() int { return len(q.heap) }

// Next is the instant of the earliest event, or Never.
func (q *Queue[T]) Next() time.Duration {
	if len(q.heap) == 0 {
		return Never
	}
	return q.heap[0].At
}

// Peek is the earliest event, which stays. It panics on an empty queue.
func (q *Queue[T]) Peek() Event[T] { return q.heap[0] }

// Push adds an event.
func (q *Queue[T]) Push(at time.Duration, phase Phase, payload T) {
	e := Event[T]{At: at, Phase: phase, Payload: payload, sequence: q.sequence}
	q.sequence++
	q.heap = append(q.heap, e)
	i := len(q.heap) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !e.before(q.heap[parent]) {
			break
		}
		q.heap[i] = q.heap[parent]
		i = parent
	}
	q.heap[i] = e
}

// Pop removes the earliest event. It panics on an empty queue.
func (q *Queue[T]) Pop() Event[T] {
	top := q.heap[0]
	last := len(q.heap) - 1
	e := q.heap[last]
	q.heap = q.heap[:last]
	if last > 0 {
		q.sink(e)
	}
	return top
}

func (q *Queue[T]) sink(e Event[T]) {
	i, n := 0, len(q.heap)
	for {
		child := 2*i + 1
		if child >= n {
			break
		}
		if right := child + 1; right < n && q.heap[right].before(q.heap[child]) {
			child = right
		}
		if !q.heap[child].before(e) {
			break
		}
		q.heap[i] = q.heap[child]
		i = child
	}
	q.heap[i] = e
}
