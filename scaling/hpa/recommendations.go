package hpa

import (
	"time"

	"github.com/scalelab/scalelab/messages"
)

// recommendation is what the metrics asked for at one sync, before windows,
// policies and limits.
type recommendation struct {
	replicas int32
	at       time.Time
}

// recommendations is the controller's memory of what it wanted. It is no ring:
// a new entry overwrites the last of the outdated ones, so that the order is
// lost after a while, as it is upstream.
type recommendations []recommendation

// begin fills the memory with the current count at the first sync.
func (r *recommendations) begin(cur int32, now time.Time) {
	if *r == nil {
		*r = recommendations{{replicas: cur, at: now}}
	}
}

// record overwrites entry outdated, or appends when that is negative.
func (r *recommendations) record(outdated int, want int32, now time.Time) {
	entry := recommendation{replicas: want, at: now}
	if outdated < 0 {
		*r = append(*r, entry)
		return
	}
	(*r)[outdated] = entry
}

// highest is the largest of want and the recommendations of the window, its
// far end included: with 300 s and syncs every 15 s, the 20 syncs before this
// one count.
func (r *recommendations) highest(now time.Time, window time.Duration, want int32) int32 {
	cutoff := now.Add(-window)
	best, outdated := want, -1
	for i, past := range *r {
		if past.at.Before(cutoff) {
			outdated = i
		} else {
			best = max(best, past.replicas)
		}
	}
	r.record(outdated, want, now)
	return best
}

// bounds gives the smallest recommendation of the scale-up window and the
// largest of the scale-down window, want included in both. Here the far end of
// a window is excluded.
func (r *recommendations) bounds(now time.Time, up, down time.Duration, want int32) (lo, hi int32) {
	upCutoff, downCutoff := now.Add(-up), now.Add(-down)
	lo, hi = want, want
	outdated := -1
	for i, past := range *r {
		if past.at.After(upCutoff) {
			lo = min(lo, past.replicas)
		}
		if past.at.After(downCutoff) {
			hi = max(hi, past.replicas)
		}
		if past.at.Before(upCutoff) && past.at.Before(downCutoff) {
			outdated = i
		}
	}
	r.record(outdated, want, now)
	return lo, hi
}

// stabilize holds the wanted count against the recommendations of the windows
// and remembers it.
func (a *Autoscaler) stabilize(v view, want int32) int32 {
	if a.behavior == nil {
		window := a.controller.DownscaleStabilization
		stable := a.recommendations.highest(v.now, window, want)
		if stable != want {
			a.trail.Text("highest recommendation of the last ").Duration(window).Text(" is ").Count(stable).
				Step(messages.StageWindow, stable)
		}
		return stable
	}
	up, down := a.behavior.up.window, a.behavior.down.window
	lo, hi := a.recommendations.bounds(v.now, up, down, want)
	stable := min(max(v.cur, lo), hi)
	switch {
	case stable < want:
		a.trail.Text("scaleUp: lowest recommendation of the last ").Duration(up).Text(" is ").Count(lo).
			Step(messages.StageWindow, stable)
	case stable > want:
		a.trail.Text("scaleDown: highest recommendation of the last ").Duration(down).Text(" is ").Count(hi).
			Step(messages.StageWindow, stable)
	}
	return stable
}
