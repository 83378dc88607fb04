package metrics

import (
	"time"

	"github.com/scalelab/scalelab/sim/cluster"
)

// grid is when a part of the pipeline does its work: at phase, phase + interval and
// so on, but not in its gaps.
type grid struct {
	interval, phase time.Duration
	gaps            []Gap // in the order in which they begin
}

// next is the first instant later than now.
func (g *grid) next(now time.Duration) time.Duration {
	at := g.phase
	if now >= g.phase {
		at += ((now-g.phase)/g.interval + 1) * g.interval
	}
	for i := range g.gaps {
		if gap := &g.gaps[i]; gap.holds(at) {
			at = g.phase + (gap.To-g.phase+g.interval-1)/g.interval*g.interval
		}
	}
	return at
}

// last is the newest instant that is not later than now, or cluster.NotYet.
func (g *grid) last(now time.Duration) time.Duration {
	if now < g.phase {
		return cluster.NotYet
	}
	at := g.phase + (now-g.phase)/g.interval*g.interval
	for i := len(g.gaps) - 1; i >= 0; i-- {
		if gap := &g.gaps[i]; gap.holds(at) {
			if gap.From <= g.phase {
				return cluster.NotYet
			}
			at = g.phase + (gap.From-1-g.phase)/g.interval*g.interval
		}
	}
	return at
}

// silent says whether the part answers nothing at now.
func (g *grid) silent(now time.Duration) bool {
	for i := range g.gaps {
		if g.gaps[i].Silent && g.gaps[i].holds(now) {
			return true
		}
	}
	return false
}

// stopped says whether the part was silent at some time after since and up to now.
func (g *grid) stopped(since, now time.Duration) bool {
	for i := range g.gaps {
		if gap := &g.gaps[i]; gap.Silent && gap.From <= now && gap.To > since {
			return true
		}
	}
	return false
}
