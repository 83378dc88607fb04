package bench_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/sim"
)

// kafkaBacklog holds the scenario against the arithmetic of a fluid: 12 partitions
// with a pod each process mu = 12 / 50 ms = 240 messages per second. 480 per second for
// T = 600 s leave a backlog of
//
//	B = (480 - mu) T = 144,000
//
// which, with 60 per second coming in, takes B / (mu - 60) = 800 s to drain. The last
// of the flood waits longest, B / mu = 600 s.
func kafkaBacklog(t *testing.T, r map[string]*sim.Result) {
	const floodEnds, capacity, after, most = 900, 240, 60, 144_000
	for _, name := range []string{"fixed-12", "fixed-20"} {
		line := r[name].Timeline
		assert.InDelta(t, most, line.Queue[at(t, line, floodEnds)], 12, "%s: as many wait as the pods did not get to, but for those in service", name)
		assert.InDelta(t, most/capacity, r[name].LatencyS.Max, 0.1, name)
		assert.InDelta(t, floodEnds+most/(capacity-after), drainedAt(t, line, floodEnds), line.IntervalS, name)
	}
	assert.Equal(t, r["fixed-12"].Latencies, r["fixed-20"].Latencies, "eight pods have no partition")
	assert.Equal(t, r["fixed-12"].Timeline.CompletedRPS, r["fixed-20"].Timeline.CompletedRPS)
	assert.InDelta(t, r["fixed-12"].IdlePodSeconds+8*2700, r["fixed-20"].IdlePodSeconds, 1e-6)
	for _, name := range []string{"hpa-20", "hpa-12"} {
		line := r[name].Timeline
		backlog := float64(line.Queue[at(t, line, floodEnds)])
		assert.Greater(t, backlog, 1.05*most, "%s: pods take a while, and rebalances", name)
		assert.InDelta(t, floodEnds+backlog/(capacity-after), drainedAt(t, line, floodEnds), line.IntervalS, name)
		for i, rps := range line.CompletedRPS {
			assert.LessOrEqual(t, rps, float64(capacity)+1.2, "%s at %g s: no pods help beyond the partitions", name, line.TS[i])
		}
	}
	assert.Equal(t, int32(20), r["hpa-20"].Replicas.MaxDesired)
	assert.Less(t, r["hpa-12"].PodSeconds, 0.8*r["hpa-20"].PodSeconds)
	assert.LessOrEqual(t, r["hpa-12"].LatencyS.Max, r["hpa-20"].LatencyS.Max, "fewer pods, fewer rebalances")
	lagIsTheTruth(t, r["hpa-20"])
}

// lagIsTheTruth holds the metric against the timeline: by pod, what waits and the
// at most twelve messages in service.
func lagIsTheTruth(t *testing.T, r *sim.Result) {
	require.Len(t, r.Metrics, 1)
	seen := 0
	for i, truth := range r.Metrics[0].Truth {
		lag := *truth * float64(r.Timeline.Ready[i])
		inService := lag - float64(r.Timeline.Queue[i])
		assert.True(t, inService > -1e-6 && inService < 12+1e-6, "at %g s: %g in service", r.Timeline.TS[i], inService)
		if inService > 0.5 {
			seen++
		}
	}
	assert.Greater(t, seen, len(r.Timeline.TS)/2)
}

// at is the index of an instant in a timeline.
func at(t *testing.T, line sim.Timeline, seconds float64) int {
	for i, s := range line.TS {
		if s == seconds {
			return i
		}
	}
	require.Failf(t, "no sample", "at %g s", seconds)
	return -1
}

// drainedAt is the first sample after an instant at which nothing waits.
func drainedAt(t *testing.T, line sim.Timeline, after float64) float64 {
	for i, s := range line.TS {
		if s > after && line.Queue[i] < 12 {
			return s
		}
	}
	require.Fail(t, "the backlog stays")
	return 0
}
