package cluster

import (
	"time"

	"github.com/scalelab/scalelab/sim/event"
)

// turn is a pod's next departure.
type turn struct {
	at  time.Duration
	pod int32
}

func (t turn) before(o turn) bool { return t.at < o.at || t.at == o.at && t.pod < o.pod }

// turns is a four-way heap of pods by their next departure, in which each can
// be found. Of one instant, the pod that was created first comes first.
type turns struct {
	heap     []turn
	position []int32 // by pod: its index in heap plus 1, or 0
}

func (h *turns) next() time.Duration {
	if len(h.heap) == 0 {
		return event.Never
	}
	return h.heap[0].at
}

// set changes a pod's turn; Never takes it out.
func (h *turns) set(pod int32, at time.Duration) {
	for int(pod) >= len(h.position) {
		h.position = append(h.position, 0)
	}
	t, i := turn{at: at, pod: pod}, int(h.position[pod])-1
	switch {
	case i < 0 && at == event.Never:
		return
	case i < 0:
		h.heap = append(h.heap, t)
		i = len(h.heap) - 1
	case at == event.Never:
		h.position[pod] = 0
		last := len(h.heap) - 1
		t = h.heap[last]
		h.heap = h.heap[:last]
		if i == last {
			return
		}
	}
	h.fix(i, t)
}

// fix puts a turn at an index, or where it belongs from there.
func (h *turns) fix(i int, t turn) {
	for i > 0 {
		parent := (i - 1) / 4
		if !t.before(h.heap[parent]) {
			break
		}
		h.seat(i, h.heap[parent])
		i = parent
	}
	for {
		first := 4*i + 1
		if first >= len(h.heap) {
			break
		}
		least := first
		for child := first + 1; child < min(first+4, len(h.heap)); child++ {
			if h.heap[child].before(h.heap[least]) {
				least = child
			}
		}
		if !h.heap[least].before(t) {
			break
		}
		h.seat(i, h.heap[least])
		i = least
	}
	h.seat(i, t)
}

func (h *turns) seat(i int, t turn) {
	h.heap[i] = t
	h.position[t.pod] = int32(i) + 1
}
