package cluster

import (
	"math/bits"
	"time"
)

// leaving is a request that ends at an instant known beforehand.
type leaving struct {
	at   time.Duration
	pod  int32
	next int32 // in the list it is in
}

// wheel holds leavings in slots of equal width, one turn ahead; those that are
// later wait outside for the next turn. It does not sort: all that counts is which
// ones have come. A slot is about as wide as the time between two leavings, so
// that few of the slots passed are empty and few have more than one.
type wheel struct {
	width   int     // of a slot: 2^width ns
	slots   []int32 // the first of each list; as many as a power of two
	outside int32
	current int64 // the slot now, counted from time 0
	list    []leaving
	free    int32
	count   int

	tuned struct { // when the width was last chosen
		at    time.Duration
		added int // since then
		after int // additions it is chosen anew
	}
}

const fewestSlots = 64

func newWheel() wheel {
	w := wheel{width: 20, slots: make([]int32, fewestSlots), outside: none, free: none}
	for i := range w.slots {
		w.slots[i] = none
	}
	w.tuned.after = 8
	return w
}

// add is for a leaving after now, the latest instant that was looked at.
func (w *wheel) add(now, at time.Duration, pod int32) {
	if w.tuned.added++; w.tuned.added == w.tuned.after {
		w.tune(now)
	}
	i := w.free
	if i == none {
		w.list = append(w.list, leaving{})
		i = int32(len(w.list) - 1)
	} else {
		w.free = w.list[i].next
	}
	w.list[i].at, w.list[i].pod = at, pod
	w.count++
	w.put(i)
}

func (w *wheel) put(i int32) {
	l := &w.list[i]
	first := &w.outside
	if slot := max(int64(l.at>>w.width), w.current); slot-w.current < int64(len(w.slots)) {
		first = &w.slots[slot&int64(len(w.slots)-1)]
	}
	l.next = *first
	*first = i
}

// passed moves on to now. It appends the pods that requests have left by then to
// dst, in no particular order.
func (w *wheel) passed(now time.Duration, dst []int32) []int32 {
	last := int64(now >> w.width)
	if w.count == 0 {
		w.current = last
		return dst
	}
	if turns := int64(len(w.slots)); last-w.current > turns { // no need to go round more than once
		for slot := range w.slots {
			dst = w.leave(&w.slots[slot], now, dst)
		}
		w.current = last
		w.turn()
	}
	for {
		dst = w.leave(&w.slots[w.current&int64(len(w.slots)-1)], now, dst)
		if w.current == last {
			return dst
		}
		if w.current++; w.current&int64(len(w.slots)-1) == 0 {
			w.turn()
		}
	}
}

// leave takes those out of a list who have left by now.
func (w *wheel) leave(first *int32, now time.Duration, dst []int32) []int32 {
	for i := *first; i != none; {
		l := &w.list[i]
		following := l.next
		if l.at > now {
			first = &l.next
		} else {
			dst = append(dst, l.pod)
			*first = following
			l.next, w.free = w.free, i
			w.count--
		}
		i = following
	}
	return dst
}

// turn brings those in that waited outside, as far as their time has come.
func (w *wheel) turn() {
	i := w.outside
	w.outside = none
	for i != none {
		following := w.list[i].next
		w.put(i)
		i = following
	}
}

// tune fits the wheel to the leavings of the time since it was last tuned.
func (w *wheel) tune(now time.Duration) {
	gap := max(1, (now-w.tuned.at)/time.Duration(w.tuned.added))
	w.tuned.at, w.tuned.added = now, 0
	w.tuned.after = min(2*w.tuned.after, 64*len(w.slots))
	width, slots := bits.Len64(uint64(gap))-1, fewestSlots
	for slots < 4*w.count {
		slots *= 2
	}
	if slots = max(slots, len(w.slots)); width == w.width && slots == len(w.slots) {
		return
	}
	for slot, i := range w.slots {
		w.slots[slot] = none
		for i != none {
			following := w.list[i].next
			w.list[i].next, w.outside = w.outside, i
			i = following
		}
	}
	for len(w.slots) < slots {
		w.slots = append(w.slots, none)
	}
	w.width, w.current = width, int64(now>>width)
	w.turn()
}
