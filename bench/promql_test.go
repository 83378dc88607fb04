package bench_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"
)

// twoHours is an HPA that looks every 30 s at the rate of requests: one strategy by a
// gauge, one by PromQL, which the adapter asks for.
const twoHours = `
apiVersion: scalelab/v1alpha1
kind: Scenario
metadata: {name: two-hours}
workload: {routing: {policy: random}, perPod: {concurrency: 4, serviceTime: {dist: exponential, mean: 50ms}}, replicas: 4}
traffic: [{name: base, for: 2h, sine: {mean: 200, amplitude: 150, period: 40m}}]
controllers: {hpa: {syncPeriod: 30s}}
adapter:
  externalRules:
    - seriesQuery: http_requests_total
      resources: {overrides: {namespace: {resource: namespace}}}
      name: {as: answers_per_second}
      metricsQuery: sum(rate(<<.Series>>{<<.LabelMatchers>>,service="two-hours"}[2m]))
autoscalers:
  promql:
    manifests:
      apiVersion: autoscaling/v2
      kind: HorizontalPodAutoscaler
      metadata: {name: two-hours}
      spec:
        scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: two-hours}
        minReplicas: 2
        maxReplicas: 30
        metrics: [{type: External, external: {metric: {name: answers_per_second}, target: {type: AverageValue, averageValue: 30}}}]
`

// gauged is the metric without the adapter.
const gauged = `autoscalers.promql.manifests.spec.metrics=[{type: External, external: {metric: {name: rps}, target: {type: AverageValue, averageValue: 30}}}]`

// BenchmarkPromQL runs two hours of 1.4 million requests with a query every 30 s, and
// with none, by turns: the difference is what PromQL costs. See PERFORMANCE.md.
func BenchmarkPromQL(b *testing.B) {
	asking, silent := twoHoursSpec(b), twoHoursSpec(b, "adapter={}", gauged)
	var with, without time.Duration
	for b.Loop() {
		with += timeOf(b, asking)
		without += timeOf(b, silent)
	}
	milliseconds := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 / float64(b.N) }
	b.ReportMetric(milliseconds(with), "cpu-ms/with")
	b.ReportMetric(milliseconds(without), "cpu-ms/without")
	b.ReportMetric(100*float64(with-without)/float64(with), "%-of-the-run")
}

func twoHoursSpec(b *testing.B, set ...string) sim.Spec {
	s, err := scenarios.Parse("two-hours.yaml", []byte(twoHours), scenarios.Files("."), set...)
	require.NoError(b, err)
	require.Empty(b, s.Warnings())
	spec, err := s.Spec("promql", 1)
	require.NoError(b, err)
	return spec
}

// timeOf is the time of the processor that a run takes.
func timeOf(b *testing.B, spec sim.Spec) time.Duration {
	from := threadTime()
	_, err := sim.Run(context.Background(), spec)
	require.NoError(b, err)
	return threadTime() - from
}
