package knative

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scalelab/scalelab/messages"
)

// sampled makes ours draw the pods that upstream has drawn.
type sampled struct{ draws []int }

// follow takes down the draws of a sample: ours goes through the pods, the old
// ones first, and takes one if its draw is below the number that is still wanted.
func (s *sampled) follow(pods []messages.PodStats, window time.Duration, taken func(i int) bool) {
	s.draws = s.draws[:0]
	old, wanted := 0, 0
	for i := range pods {
		if pods[i].Age >= window {
			old++
		}
		if taken(i) {
			wanted++
		}
	}
	groups := [][2]int{{0, old}, {old, len(pods)}}
	for _, g := range groups {
		want := wanted
		for i := g[0]; i < g[1] && want > 0; i++ {
			left := g[1] - i
			if want < left && !taken(i) {
				s.draws = append(s.draws, left-1)
				continue
			}
			if want < left {
				s.draws = append(s.draws, 0)
			}
			want--
		}
		wanted -= old
	}
}

func (s *sampled) draw(n int) int {
	if len(s.draws) == 0 {
		return n - 1 // ours draws where upstream does not: sums will differ
	}
	next := s.draws[0]
	s.draws = s.draws[1:]
	return next
}

// ourTick is what a decision says of the engine.
func ourTick(now time.Time, d messages.Decision) tick {
	t := tick{At: now}
	for _, s := range d.Signals {
		switch s.Name {
		case "panic":
			t.InPanic = s.Value == 1
		case "excess_burst_capacity":
			t.Excess = int32(s.Value)
		case "desired_pods":
			t.Desired = int32(s.Value)
		case "stable_average":
			t.Valid, t.Stable = true, s.Value
		case "panic_average":
			t.Panic = s.Value
		}
	}
	return t
}

// ticked says whether a decision comes from a tick of the engine.
func ticked(d messages.Decision) bool {
	return slices.ContainsFunc(d.Steps, func(s messages.Step) bool { return s.Stage == messages.StageMetric })
}

// compare holds the ticks that have happened at an instant against one another.
func (w *engineWorld) compare(now time.Time, d messages.Decision) error {
	theirs := w.them.take()
	if !ticked(d) {
		if len(theirs) > 0 {
			return fmt.Errorf("upstream ticks at %v, ours does not", theirs[0].At.Sub(w.created))
		}
		return nil
	}
	if len(theirs) != 1 {
		return fmt.Errorf("ours ticks at %v, upstream %d times", now.Sub(w.created), len(theirs))
	}
	w.ticks++
	own := ourTick(now, d)
	t := theirs[0]
	if !t.Valid {
		// An invalid result is dropped: what was before it stands.
		own.Desired, own.Excess = 0, 0
	}
	w.seen.saw(w, t, d)
	if !t.same(own) {
		return w.mismatch(t, own, d)
	}
	return nil
}

func (w *engineWorld) mismatch(theirs, own tick, d messages.Decision) error {
	return fmt.Errorf("at %v upstream (-) and ours (+) differ\n%s%s %v", own.At.Sub(w.created), cmp.Diff(theirs, own), d.Message, d.Steps)
}
