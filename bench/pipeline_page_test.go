package bench_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"

	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"
)

const pipelinePage = "../docs/pipeline.md"

const pipelineHead = `# The way of a metric

Between a step of load and the first decision that knows of it lie several loops that come round at intervals of their own: the kubelet samples, metrics-server collects, Prometheus scrapes, the autoscaler syncs. Each lets the news wait until its next turn.

When nobody has set the loops against each other, as in a cluster, each wait is uniform between 0 and the loop's interval and independent of the others. So the mean time from the step to the decision is **half of every interval on the way, and all the delays**. The longest is the sum of the intervals and delays. With fixed phases there is nothing to average: the time is what the next turn of each loop, one after the other, makes of the instant of the step. With ` + "`phase: aligned`" + `, the default, all loops turn at time 0, and the time can be anything from no wait at all to the longest. [` + "`pipeline.phase: random`" + `](scenario.md#phases) has the seed draw every phase.

The table is written by a test (` + "`make golden`" + `). A workload idles until 1m1s, when 20 requests a second begin, 200 for Knative. *Fixed* has the phases ` + "`{kubelet: 3s, metricsServer: 11s, prometheus: 20s, hpa: 4s, keda: 9s, knative: 500ms}`" + `. *Measured* is the mean over %d seeds, with its 99.9 %% interval from the standard error. Targets are so small that the first sample with any of the load is enough; with real ones a window that holds old load as well, such as that of a rate, takes longer.

| the way | intervals | aligned | fixed | random: half of the intervals and the delays | random, measured |
|---|---|---:|---:|---:|---:|
`

const pipelineFoot = `
What is not in here: the time until a window is full, tolerance and stabilization, which are the autoscaler's, and the time that a pod takes to start, which is [` + "`lifecycle`" + `](scenario.md#lifecycle).
`

// turn is a loop on the way of a metric.
type turn struct {
	interval, delay time.Duration
	aligned, fixed  time.Duration // of its phases, the instant of one turn
}

// way is how the news of a step comes to a decision.
type way struct {
	name     string
	load     string // of its traffic
	pipeline string // besides the phases
	rest     string // of the scenario
	turns    []turn
}

const stepAt = 61 * time.Second

// shows is how long after the step every metric shows it; a turn before has to wait
// for the next one.
const shows = 100 * time.Millisecond

const stepHead = `apiVersion: scalelab/v1alpha1
kind: Scenario
metadata: {name: step}
traffic:
  - {name: idle, for: 61s, rps: 0}
  - {name: load, %s, arrivals: uniform}
`

func hpaOn(metric string) string {
	return `workload:
  perPod: {concurrency: 1000, cpuPerRequest: 100ms, serviceTime: 100ms}
autoscalers:
  it:
    manifests:
      - apiVersion: autoscaling/v2
        kind: HorizontalPodAutoscaler
        metadata: {name: step}
        spec:
          scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: step}
          maxReplicas: 10
          metrics: [` + metric + `]
`
}

const (
	onCPU         = `{type: Resource, resource: {name: cpu, target: {type: AverageValue, averageValue: 1m}}}`
	onConcurrency = `{type: External, external: {metric: {name: concurrency}, target: {type: AverageValue, averageValue: "1"}}}`

	onQueue = `workload: {replicas: 0, consumes: {}}
autoscalers:
  it:
    manifests:
      - apiVersion: keda.sh/v1alpha1
        kind: ScaledObject
        metadata: {name: step}
        spec:
          scaleTargetRef: {name: step}
          triggers:
            - type: kafka
              metadata: {bootstrapServers: "kafka:9092", consumerGroup: orders, topic: orders, lagThreshold: "10"}
`
	onReports = `workload: {perPod: {concurrency: 1000, serviceTime: 100ms}}
autoscalers:
  it:
    annotations: {autoscaling.knative.dev/target: "0.01", autoscaling.knative.dev/min-scale: "1", autoscaling.knative.dev/target-burst-capacity: "0", autoscaling.knative.dev/window: 6s, autoscaling.knative.dev/max-scale: "10"}
`
)

const s = time.Second

var (
	kubeletTurn    = turn{interval: 10 * s, fixed: 3 * s}
	collection     = turn{interval: 15 * s, fixed: 11 * s}
	scrapeTurn     = turn{interval: 30 * s, fixed: 20 * s}
	scrapeLate     = turn{interval: 30 * s, fixed: 20 * s, delay: 3 * s}
	hpaTurn        = turn{interval: 15 * s, fixed: 4 * s}
	kedaTurn       = turn{interval: 30 * s, aligned: s / 10, fixed: 9*s + s/10}
	knativeTick    = turn{interval: 2 * s, fixed: s / 2}
	slowCollection = turn{interval: 60 * s, fixed: 11 * s}
)

// usual load is long enough for every way.
const usual = "for: 1m30s, rps: 20"

var ways = []way{
	{"HPA on CPU: kubelet, metrics-server, sync", usual, "", hpaOn(onCPU), []turn{kubeletTurn, collection, hpaTurn}},
	{"the same with `metricsServer: 60s`", usual, "metricsServer: 60s", hpaOn(onCPU), []turn{kubeletTurn, slowCollection, hpaTurn}},
	{"HPA on an External metric: scrape, sync", usual, "", hpaOn(onConcurrency), []turn{scrapeTurn, hpaTurn}},
	{"the same with `delay: {prometheus: 3s}`", usual, "delay: {prometheus: 3s}", hpaOn(onConcurrency), []turn{scrapeLate, hpaTurn}},
	{"KEDA from zero, on the length of a queue: poll", usual, "", onQueue, []turn{kedaTurn}},
	{"Knative: tick", "for: 10s, rps: 200", "", onReports, []turn{knativeTick}},
}

// exact is the time from the step to the decision with given phases.
func (w *way) exact(phase func(turn) time.Duration) time.Duration {
	at := stepAt
	for _, t := range w.turns {
		late := (at - phase(t)) % t.interval
		if late > 0 {
			at += t.interval - late
		}
		at += t.delay
	}
	return at - stepAt
}

func (w *way) mean() (seconds float64) {
	for _, t := range w.turns {
		seconds += (t.interval/2 + t.delay).Seconds()
	}
	return seconds
}

func (w *way) longest() (longest time.Duration) {
	for _, t := range w.turns {
		longest += t.interval + t.delay
	}
	return longest
}

func (w *way) intervals() string {
	var all []string
	for _, t := range w.turns {
		all = append(all, fmt.Sprintf("%g", t.interval.Seconds()))
	}
	return strings.Join(all, " + ") + " s"
}

func (w *way) scenario(t *testing.T, phases string) *scenarios.Scenario {
	t.Helper()
	parts := phases
	if w.pipeline != "" {
		parts += ", " + w.pipeline
	}
	s, err := scenarios.Parse("step.yaml", []byte(fmt.Sprintf(stepHead, w.load)+"pipeline: {"+parts+"}\n"+w.rest), nil)
	require.NoError(t, err)
	return s
}

// firstUp is the time from the step to the first decision for more pods.
func firstUp(t *testing.T, s *scenarios.Scenario, seed uint64) time.Duration {
	t.Helper()
	spec, err := s.Spec("it", seed)
	require.NoError(t, err)
	r, err := sim.Run(context.Background(), spec)
	require.NoError(t, err)
	for i := range r.Decisions {
		if d := &r.Decisions[i]; d.Desired > d.Current {
			return time.Duration(math.Round(d.TS*1e9)) - stepAt
		}
	}
	require.Fail(t, "nothing was scaled up")
	return 0
}

// TestPipelinePage holds docs/pipeline.md, and with it the way of every metric,
// against theory: exactly where the phases are given, and within the error of the
// mean where they are drawn.
func TestPipelinePage(t *testing.T) {
	const seeds = 300
	var page strings.Builder
	fmt.Fprintf(&page, pipelineHead, seeds)
	for i := range ways {
		w := &ways[i]
		aligned := w.exact(func(t turn) time.Duration { return t.aligned })
		fixed := w.exact(func(t turn) time.Duration { return t.fixed })
		assert.Equal(t, aligned, firstUp(t, w.scenario(t, "phase: aligned"), 1), w.name)
		assert.Equal(t, fixed, firstUp(t, w.scenario(t, "phases: {kubelet: 3s, metricsServer: 11s, prometheus: 20s, hpa: 4s, keda: 9s, knative: 500ms}"), 1), w.name)

		random := w.scenario(t, "phase: random")
		var times []float64
		for seed := range uint64(seeds) {
			took := firstUp(t, random, seed)
			assert.True(t, took >= 0 && took <= w.longest()+shows, "%s: seed %d took %s, of at most %s", w.name, seed, took, w.longest())
			times = append(times, took.Seconds())
		}
		mean, deviation := stat.MeanStdDev(times, nil)
		half := 3.291 * deviation / math.Sqrt(seeds)
		assert.InDelta(t, w.mean(), mean, half, w.name)
		fmt.Fprintf(&page, "| %s | %s | %g s | %g s | %g s | %.2f ± %.2f s |\n", w.name, w.intervals(), aligned.Seconds(), fixed.Seconds(), w.mean(), mean, half)
	}
	page.WriteString(pipelineFoot)
	if *update {
		require.NoError(t, os.WriteFile(pipelinePage, []byte(page.String()), 0o644))
	}
	written, err := os.ReadFile(pipelinePage)
	require.NoError(t, err)
	assert.Equal(t, string(written), page.String())
}
