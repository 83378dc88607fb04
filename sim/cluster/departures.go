package cluster

import (
	"time"

	"github.com/scalelab/scalelab/sim/event"
)

// departure is the end of one request's service. Those of one instant come in the
// order of their pods, and in a pod in that of their start.
type departure struct {
	at      time.Duration
	pod     int32
	request int32
}

func (d departure) before(o departure, slab []request) bool {
	if d.at != o.at {
		return d.at < o.at
	}
	if d.pod != o.pod {
		return d.pod < o.pod
	}
	// The difference is right across a wrap-around while fewer than 2^31 are in
	// service at once.
	return int32(slab[d.request].sequence-slab[o.request].sequence) < 0
}

// departures is a four-way heap: half the depth of a binary one, and the four
// children of a node share a cache line.
type departures struct {
	heap []departure
}

func (h *departures) next() time.Duration {
	if len(h.heap) == 0 {
		return event.Never
	}
	return h.heap[0].at
}

func (h *departures) push(d departure, slab []request) {
	h.heap = append(h.heap, d)
	i := len(h.heap) - 1
	for i > 0 {
		parent := (i - 1) / 4
		if !d.before(h.heap[parent], slab) {
			break
		}
		h.heap[i] = h.heap[parent]
		i = parent
	}
	h.heap[i] = d
}

func (h *departures) pop(slab []request) departure {
	top := h.heap[0]
	last := len(h.heap) - 1
	d := h.heap[last]
	h.heap = h.heap[:last]
	if last > 0 {
		h.sink(d, slab)
	}
	return top
}

func (h *departures) sink(d departure, slab []request) {
	heap, i := h.heap, 0
	for {
		first := 4*i + 1
		if first >= len(heap) {
			break
		}
		least := first
		for child := first + 1; child < min(first+4, len(heap)); child++ {
			if heap[child].before(heap[least], slab) {
				least = child
			}
		}
		if !heap[least].before(d, slab) {
			break
		}
		heap[i] = heap[least]
		i = least
	}
	heap[i] = d
}
