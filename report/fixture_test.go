package report

import (
	"math"
	"strings"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim"
)

// strategy describes a made-up outcome of the flash-crowd fixture.
type strategy struct {
	name     string
	lag      float64 // seconds by which replicas follow the traffic
	headroom float64 // replicas per 40 requests per second
	p99      float64
	lost     uint64
}

var strategies = []strategy{
	{"hpa-70", 90, 1.4, 2.1, 1690},
	{"hpa-fast", 25, 1.5, 0.812, 0},
	{"elasti", 140, 1.1, 4.73, 5120},
	{"fixed", -1, 0, 0.203, 0},
	{"oracle", 0, 1, 0.171, 0},
}

const fixtureDuration = 7200.0

// flashCrowd is the rate of the fixture: 80 per second, a spike to 900, quiet.
func flashCrowd(t float64) float64 {
	switch {
	case t < 1800:
		return 80
	case t < 2100:
		return 80 + (t-1800)/300*820
	case t < 3600:
		return 900 - 200*math.Sin((t-2100)/1500*math.Pi)
	}
	return 0
}

func (s strategy) replicas(t float64) int32 {
	if s.lag < 0 {
		return 26
	}
	return max(1, int32(math.Ceil(flashCrowd(max(0, t-s.lag))/40*s.headroom)))
}

func (s strategy) timeline() sim.Timeline {
	line := sim.Timeline{IntervalS: 15}
	for t := 15.0; t <= fixtureDuration; t += 15 {
		rate, desired, ready := flashCrowd(t), s.replicas(t), s.replicas(max(0, t-30))
		line.TS = append(line.TS, t)
		line.Desired = append(line.Desired, desired)
		line.Created = append(line.Created, max(desired, ready))
		line.Ready = append(line.Ready, ready)
		line.ArrivedRPS = append(line.ArrivedRPS, rate)
		line.CompletedRPS = append(line.CompletedRPS, min(rate, 40*float64(ready)))
		line.Queue = append(line.Queue, int64(max(0, rate-40*float64(ready))))
		var p99 *float64
		if rate > 0 {
			p99 = new(s.p99 / 2)
		}
		line.LatencyP99S = append(line.LatencyP99S, p99)
	}
	return line
}

func spread(p99 float64) *sim.Distribution {
	return &sim.Distribution{Mean: 0.0483, P50: 0.0412, P90: 0.0967, P95: 0.131, P99: p99, P999: p99 * 2.2, Max: p99 * 3.1}
}

func (s strategy) result(seed uint64) *sim.Result {
	line := s.timeline()
	podSeconds, highest, lowest := 0.0, int32(0), int32(math.MaxInt32)
	for i := range line.Ready {
		podSeconds += float64(line.Created[i]) * 15
		highest, lowest = max(highest, line.Desired[i]), min(lowest, line.Ready[i])
	}
	jitter := 1 + float64(seed%7)/200
	podSeconds *= jitter
	arrived := uint64(1412300) + seed
	return &sim.Result{
		Schema: sim.Schema, Scenario: "flash-crowd", Autoscaler: s.name, Seed: seed, Actuator: "clientset",
		Fingerprint: strings.Repeat("9f3a71c0", 8), Start: "2026-01-05T00:00:00Z", DurationS: fixtureDuration,
		Requests: sim.Requests{Arrived: arrived, Completed: arrived - s.lost, TimedOut: s.lost * 3 / 4,
			Rejected: s.lost - s.lost*3/4, Retried: 7, Cold: s.lost / 10},
		LatencyS: spread(s.p99 * jitter), WaitS: &sim.Distribution{Mean: 0.0061, P99: s.p99 * 0.8, P999: s.p99, Max: s.p99 * 2},
		Replicas: sim.ReplicaSummary{MeanReady: podSeconds / fixtureDuration, MeanDesired: podSeconds/fixtureDuration + 0.2,
			MaxDesired: highest, MinReady: lowest, ScaleUps: 9, ScaleDowns: 6, Flaps: 3},
		PodSeconds: podSeconds, IdlePodSeconds: podSeconds * 0.31,
		IdleShare: new(0.31), CPUCoreHours: new(podSeconds / 3600 * 0.5), MemoryGiBHours: new(podSeconds / 3600 * 0.25),
		Cost:     &sim.Cost{Total: podSeconds / 3600 * 0.04, Pods: new(podSeconds / 3600 * 0.04)},
		Phases:   s.phases(),
		Timeline: line,
		Decisions: []sim.Decision{
			{TS: 15, Autoscaler: "hpa", Current: 3, Desired: 3, Reason: messages.ReasonWithinTolerance,
				Message: "cpu at 68 % of request is within 10 % of the target of 70 %", Steps: []messages.Step{}},
			{TS: 1845, Autoscaler: "hpa", Current: 3, Desired: 6, Reason: messages.ReasonScaleUp,
				Message: "cpu at 184 % of request against a target of 70 % proposes 8; the policy of 100 % in 15 s allows 6",
				Steps:   []messages.Step{{Stage: messages.StageMetric, Replicas: 8, Detail: "ceil(3 x 184/70) = 8"}}},
			{TS: 1860, Autoscaler: "hpa", Current: 6, Desired: 12, Reason: messages.ReasonScaleUp,
				Message: "cpu at 171 % of request against a target of 70 % proposes 15; the policy of 100 % in 15 s allows 12", Steps: []messages.Step{}},
			{TS: 4215.5, Autoscaler: "elasti", Current: 12, Desired: 0, Reason: messages.ReasonScaleToZero,
				Message: "no requests for 15m", Steps: []messages.Step{}},
		},
		Assertions: []sim.Assertion{
			{Expression: "requests.failed == 0", Severity: "error", Passed: true, Observed: new(0.0), Limit: new(0.0)},
			{Expression: "latency.p99{phase=spike} < 200ms", Severity: "warn", Passed: s.p99 < 0.2, Observed: new(s.p99), Limit: new(0.2), Unit: "s"},
		},
	}
}

func (s strategy) phases() []sim.Phase {
	return []sim.Phase{
		{Name: "base", FromS: 0, ToS: 1800, Requests: sim.Requests{Arrived: 144012, Completed: 144012},
			LatencyS: spread(0.18), WaitS: spread(0.09)},
		{Name: "spike", FromS: 1800, ToS: 2100, Requests: sim.Requests{Arrived: 147033, Completed: 147033 - s.lost,
			TimedOut: s.lost * 3 / 4, Rejected: s.lost - s.lost*3/4, Cold: s.lost / 10}, LatencyS: spread(s.p99 * 1.4), WaitS: spread(s.p99)},
		{Name: "peak", FromS: 2100, ToS: 3600, Requests: sim.Requests{Arrived: 1121255, Completed: 1121255},
			LatencyS: spread(s.p99 / 3), WaitS: spread(s.p99 / 4)},
		{Name: "idle", FromS: 3600, ToS: 7200},
	}
}

// matrix is every strategy with the seeds 42, 43, ...
func matrix(seeds int) []*sim.Result {
	var results []*sim.Result
	for _, s := range strategies {
		for seed := range seeds {
			results = append(results, s.result(uint64(42+seed)))
		}
	}
	return results
}

func outcome(results []*sim.Result) *bench.Outcome {
	o, err := bench.NewOutcome(results, "hpa-70")
	if err != nil {
		panic(err)
	}
	return o
}

// nothing is a run without a single request, phase, decision or price.
func nothing() *sim.Result {
	return &sim.Result{Schema: sim.Schema, Scenario: "silence", Autoscaler: "fixed", Seed: 1, Actuator: "direct",
		Fingerprint: strings.Repeat("00", 32), Start: "2026-01-05T00:00:00Z", DurationS: 60,
		Replicas: sim.ReplicaSummary{MeanReady: 2, MeanDesired: 2, MaxDesired: 2, MinReady: 2}, PodSeconds: 120, IdlePodSeconds: 120}
}

// hostile has terminal escapes, markup, bidirectional marks and formulas where
// users write names.
func hostile() *sim.Result {
	r := strategies[0].result(1)
	r.Scenario = "=1+1\x1b[2J\x1b]0;owned\a \u202egnp.exe\u202c @octocat #1 <img src=x> | **bold**"
	r.Autoscaler = "-hpa\u009b31m`tick`\n| new row |" + strings.Repeat("x", 90)
	r.Phases[0].Name = "bäse 日本語の長い名前 with a name that is far too long for a table column"
	r.Decisions[1].Message = "see [this](javascript:alert(1)) \x1b[31mred " + strings.Repeat("longword", 20)
	r.Decisions[1].Autoscaler = "\xff\xfehpa"
	r.Assertions[0].Expression = "x|y\r\n\x00z"
	return r
}
