package cluster

import "time"

// seat is a slot and the instant at which it becomes free.
type seat struct {
	free time.Duration
	slot int32
}

// tournament finds the slot that becomes free first: a complete binary tree in
// which every match goes to the earlier seat, and to the lower slot of two equal
// ones. A change replays the matches from its leaf to the root; the opponents
// are known beforehand, so that there is nothing to wait for but the comparisons.
type tournament struct {
	seats []seat // the root at 1, the children of i at 2i and 2i+1, the slots from the middle on
}

// taken is the instant of a slot that is not to be found.
const taken = time.Duration(1<<62 - 1)

// newTournament has n slots, free from time 0 on.
func newTournament(n int) tournament {
	size := powerOfTwoFrom(n)
	t := tournament{seats: make([]seat, 2*size)}
	for slot := range size {
		t.seats[size+slot] = seat{free: taken, slot: int32(slot)}
		if slot < n {
			t.seats[size+slot].free = 0
		}
	}
	for i := size - 1; i > 0; i-- {
		t.seats[i] = t.seats[2*i]
		if t.seats[2*i+1].free < t.seats[i].free {
			t.seats[i] = t.seats[2*i+1]
		}
	}
	return t
}

// powerOfTwoFrom is the least power of two that is not below n.
func powerOfTwoFrom(n int) int {
	size := 1
	for size < n {
		size *= 2
	}
	return size
}

// first is the slot that becomes free first.
func (t *tournament) first() seat { return t.seats[1] }

// set makes a slot free at the given instant.
func (t *tournament) set(slot int32, free time.Duration) {
	seats := t.seats
	i := len(seats)/2 + int(slot)
	seats[i] = seat{free: free, slot: slot}
	for i > 1 {
		rival := seats[i^1]
		// The left one of a pair, whose index is even, wins a draw. Two selections
		// instead of a branch: nobody can foretell who wins.
		if rival.free < free+time.Duration(i&1) {
			slot = rival.slot
		}
		free = min(free, rival.free)
		i >>= 1
		seats[i] = seat{free: free, slot: slot}
	}
}

// later counts the slots that become free after now.
func (t *tournament) later(now time.Duration, slots int) (n int32) {
	size := len(t.seats) / 2
	for _, s := range t.seats[size : size+slots] {
		n += int32(uint64(now-s.free) >> 63) // one where free is later, without a branch
	}
	return n
}
