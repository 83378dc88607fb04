package cluster

import "math/bits"

// levels are sets of positions, one for every load, so that the least loaded are
// found without looking at the others.
type levels struct {
	words  int // of one set
	sets   [][]uint64
	counts []int32 // of the sets
	lowest int     // no set below has a member
}

// clear empties the sets and makes them fit for n positions.
func (l *levels) clear(n int) {
	if words := (n + 63) / 64; words != l.words {
		*l = levels{words: words}
	}
	for load := range l.sets {
		clear(l.sets[load])
		l.counts[load] = 0
	}
}

func (l *levels) add(at int, load int32) {
	for len(l.sets) <= int(load) {
		l.sets = append(l.sets, make([]uint64, l.words))
		l.counts = append(l.counts, 0)
	}
	l.sets[load][at/64] |= 1 << (at % 64)
	l.counts[load]++
	l.lowest = min(l.lowest, int(load))
}

func (l *levels) move(at int, from, to int32) {
	l.sets[from][at/64] &^= 1 << (at % 64)
	l.counts[from]--
	l.add(at, to)
}

// least is the set of the least loaded. There must be one.
func (l *levels) least() []uint64 {
	for l.counts[l.lowest] == 0 {
		l.lowest++
	}
	return l.sets[l.lowest]
}

// next is the first member of a set from a position on, round its end, or -1.
func next(set []uint64, from int) int {
	for word := from / 64; word < len(set); word++ {
		members := set[word]
		if word == from/64 {
			members &= ^uint64(0) << (from % 64)
		}
		if members != 0 {
			return word*64 + bits.TrailingZeros64(members)
		}
	}
	for word := 0; word <= from/64 && word < len(set); word++ {
		if members := set[word]; members != 0 {
			return word*64 + bits.TrailingZeros64(members)
		}
	}
	return -1
}
