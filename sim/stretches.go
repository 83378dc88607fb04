package sim

import (
	"cmp"
	"slices"
)

// stretches looks for stretches of a Timeline.
type stretches struct{ *Timeline }

// worst is the interval with the highest p99 latency; -1: none was measured.
func (t stretches) worst(from float64) int {
	worst := -1
	for i, p99 := range t.LatencyP99S {
		if p99 != nil && t.TS[i] > from && (worst < 0 || *p99 > *t.LatencyP99S[worst]) {
			worst = i
		}
	}
	return worst
}

// begin is when an interval began.
func (t stretches) begin(i int) float64 {
	if i == 0 {
		return 0
	}
	return t.TS[i-1]
}

// lacking is how many pods were missing when an interval began; what was there at
// time 0 is not in the Timeline.
func (t stretches) lacking(i int) int {
	if i == 0 {
		return 0
	}
	return int(t.Ideal[i]) - int(t.Ready[i-1])
}

// short says whether more arrived in an interval than the pods could serve at its
// begin or its end.
func (t stretches) short(i int) bool { return t.lacking(i) > 0 || t.Ideal[i] > t.Ready[i] }

// strained says whether at the end of an interval the pods were too few for it, or
// more than one request waited for every pod.
func (t stretches) strained(i int) bool {
	return t.Ideal[i] > t.Ready[i] || t.Queue[i] > int64(t.Ready[i])
}

// around is the stretch in which the slow requests of an interval may have arrived,
// the last of several: from the first interval that is short of pods or strained to the first one at the end
// of which nothing is, or the Timeline's last one.
func (t stretches) around(worst int) (first, last int, ok bool) {
	arrived := t.begin(worst) - *t.LatencyP99S[worst]
	for i := 0; i <= worst; i++ {
		if !t.short(i) && !t.strained(i) {
			continue
		}
		from := i
		for i < len(t.TS)-1 && t.strained(i) {
			i++
		}
		if arrived <= t.TS[i] {
			first, last, ok = from, i, true
		}
	}
	return first, last, ok
}

// relief finds the pod that made the pods enough for good, if it was a pod: the
// last one that was missing, or the first one to come where only requests queued.
func (t stretches) relief(first, last int, starts *PodStarts) (*PodStart, Relief) {
	if t.strained(last) {
		return nil, ReliefNone
	}
	enough, missing, short := last, 0, false
	for i := first; i <= last; i++ {
		if short = short || t.short(i); t.lacking(i) > 0 {
			enough, missing = i, t.lacking(i)
		}
	}
	from := t.begin(enough)
	if !short {
		from, missing = t.begin(first), 1
	}
	came := starts.readyIn(from, t.TS[enough])
	if missing == 0 || len(came) < missing {
		return nil, ReliefLoad
	}
	return came[missing-1], ReliefPods
}

// readyIn are the pods that became ready in a stretch of time, its begin excluded,
// and take requests, in order.
func (s *PodStarts) readyIn(from, to float64) []*PodStart {
	var came []*PodStart
	if s == nil {
		return nil
	}
	for i := range s.Pods {
		p := &s.Pods[i]
		if p.ReadyS != nil && p.RoutableS != nil && *p.ReadyS > from && *p.ReadyS <= to {
			came = append(came, p)
		}
	}
	slices.SortStableFunc(came, func(a, b *PodStart) int { return cmp.Compare(*a.ReadyS, *b.ReadyS) })
	return came
}

// end is when a stretch was over: once the pod took requests and nothing was
// strained any more.
func (t stretches) end(first, last int, relief Relief, pod *PodStart) float64 {
	switch {
	case relief == ReliefNone:
		return t.TS[last]
	case pod != nil:
		return max(t.begin(last), *pod.RoutableS)
	}
	return t.TS[max(first, last-1)]
}
