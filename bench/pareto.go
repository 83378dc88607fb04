package bench

import "slices"

// frontMetrics are what strategies are weighed by: the 99th percentile of
// latency, the share of requests lost, and the cost, which is pod-seconds where
// not everything has a price.
func (t contest) frontMetrics() []string {
	if t.all(CostTotal) {
		return []string{LatencyP99, LostShare, CostTotal}
	}
	return []string{LatencyP99, LostShare, PodSeconds}
}

// front are the names of the Pareto front in the order of the contest: those
// that nobody beats. A beats B when A is better by at least one metric and
// worse by none; a difference that cannot be told from chance (see tied) is
// neither. "Cannot be told apart" does not carry over from A-B and B-C to A-C,
// so three strategies may beat each other in a circle; none of the circle is
// then put above the others. The front is never empty.
func (t contest) front(metrics []string) []string {
	n := len(t.names)
	above := make([][]bool, n) // above[a][b]: a beats b, or beats one that is above b
	for a := range above {
		above[a] = make([]bool, n)
		for b := range above[a] {
			above[a][b] = a != b && t.beats(t.names[a], t.names[b], metrics)
		}
	}
	for via := range n {
		for a := range n {
			for b := range n {
				above[a][b] = above[a][b] || above[a][via] && above[via][b]
			}
		}
	}
	front := []string{}
	for b, name := range t.names {
		beaten := false
		for a := range n {
			beaten = beaten || above[a][b] && !above[b][a]
		}
		if !beaten {
			front = append(front, name)
		}
	}
	return front
}

func (t contest) beats(a, b string, metrics []string) bool {
	better := false
	for _, metric := range metrics {
		switch t.order(metric, a, b) {
		case +1:
			return false
		case -1:
			better = true
		}
	}
	return better
}

// order is -1 where a is lower than b by a metric, +1 where it is higher, 0
// where they tie. Whoever lacks the metric (completed no request, so has no
// latency) is higher than everybody who has it.
func (t contest) order(metric, a, b string) int {
	low, high := t.c.Of(a, metric).Median, t.c.Of(b, metric).Median
	switch {
	case low == nil && high == nil:
		return 0
	case low == nil:
		return +1
	case high == nil:
		return -1
	}
	d := t.difference(metric, a, b)
	switch {
	case d.ties() || d.N == 0 || *d.Median == 0:
		return 0
	case *d.Median < 0:
		return -1
	}
	return +1
}

// OnFront says whether an autoscaler is on the Pareto front.
func (c *Comparison) OnFront(autoscaler string) bool { return slices.Contains(c.Pareto, autoscaler) }
