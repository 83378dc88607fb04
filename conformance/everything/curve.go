package everything

import (
	"slices"
	"time"

	"github.com/scalelab/scalelab/messages"
)

// counts are replica counts from an instant on.
type counts struct {
	at time.Duration
	messages.Replicas
}

// decision is what one sync of the HPA left as spec.replicas.
type decision struct {
	at      time.Duration
	desired int32
}

// side is what became of a scenario.
type side struct {
	syncs []decision
	curve []counts // from time 0 on, whenever a count changes
	cost  cost
}

// add appends counts. Of one instant only the last ones hold.
func add(curve []counts, c counts) []counts {
	if n := len(curve); n > 0 && curve[n-1].at == c.at {
		curve = curve[:n-1]
	}
	if n := len(curve); n > 0 && curve[n-1].Replicas == c.Replicas {
		return curve
	}
	return append(curve, c)
}

// at are the counts that hold at an instant.
func at(curve []counts, instant time.Duration) messages.Replicas {
	i, found := slices.BinarySearchFunc(curve, instant, func(c counts, t time.Duration) int { return int(c.at - t) })
	if found {
		i++
	}
	return curve[max(0, i-1)].Replicas
}

// column is one of the counts.
type column struct {
	name string
	of   func(messages.Replicas) int32
}

var columns = []column{
	{"desired", func(r messages.Replicas) int32 { return r.Desired }},
	{"created", func(r messages.Replicas) int32 { return r.Created }},
	{"ready", func(r messages.Replicas) int32 { return r.Ready }},
}

// difference is a stretch in which the two sides count differently. Real and
// ours are the counts at its beginning.
type difference struct {
	from, to   time.Duration
	real, ours int32
}

// differences are the stretches up to an instant in which a count differs.
func (c column) differences(real, ours []counts, end time.Duration) (list []difference) {
	var instants []time.Duration
	for _, curve := range [][]counts{real, ours} {
		for _, p := range curve {
			if p.at < end {
				instants = append(instants, p.at)
			}
		}
	}
	slices.Sort(instants)
	instants = append(slices.Compact(instants), end)
	open := false
	for i, t := range instants[:len(instants)-1] {
		r, o := c.of(at(real, t)), c.of(at(ours, t))
		switch {
		case r == o:
			open = false
		case open:
			list[len(list)-1].to = instants[i+1]
		default:
			list, open = append(list, difference{t, instants[i+1], r, o}), true
		}
	}
	return list
}

// changes is how often a count changes up to an instant.
func (c column) changes(curve []counts, end time.Duration) (n int) {
	for i := 1; i < len(curve) && curve[i].at < end; i++ {
		if c.of(curve[i].Replicas) != c.of(curve[i-1].Replicas) {
			n++
		}
	}
	return n
}

// most is the largest of a count.
func (c column) most(curve []counts) (most int32) {
	for _, p := range curve {
		most = max(most, c.of(p.Replicas))
	}
	return most
}

// cost is what it took to play a scenario.
type cost struct{ wall, cpu time.Duration }
