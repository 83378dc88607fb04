package bench_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"
)

// TestMain asks for 1,000 random scenarios, in short 200, unless the command line says
// how many.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	switch {
	case given:
	case testing.Short():
		flag.Set("rapid.checks", "200")
	default:
		flag.Set("rapid.checks", "1000")
	}
	os.Exit(m.Run())
}

// TestRandomScenarios replays random small scenarios: no request is lost or
// made up, replicas stay within their bounds, and both actuators go the same way.
func TestRandomScenarios(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := randomScenario(t)
		s, err := scenarios.Parse("random.yaml", []byte(text), scenarios.Files("."))
		require.NoError(t, err, text)
		autoscaler := rapid.SampledFrom(strategies(s)).Draw(t, "autoscaler")
		spec, err := s.Spec(autoscaler, s.Document.Seed)
		require.NoError(t, err)
		r, err := sim.Run(context.Background(), spec)
		require.NoError(t, err, text)
		conserved(t, r)
		within(t, r, autoscaler, len(spec.Faults) == 0)
		if rapid.IntRange(0, 3).Draw(t, "through the clientset") == 0 {
			through, err := sim.Run(context.Background(), spec, throughClientset(t, s, autoscaler))
			require.NoError(t, err, text)
			require.Equal(t, r.Fingerprint, through.Fingerprint, text)
		}
	})
}

// within checks the counts of a run of randomScenario.
func within(t require.TestingT, r *sim.Result, autoscaler string, calm bool) {
	for i := range r.Timeline.TS {
		require.LessOrEqual(t, r.Timeline.Ready[i], r.Timeline.Created[i])
		if calm {
			require.Equal(t, r.Timeline.Desired[i], r.Timeline.Created[i])
		}
		require.GreaterOrEqual(t, r.Timeline.Ready[i], int32(0))
		require.GreaterOrEqual(t, r.Timeline.Queue[i], int64(0))
	}
	if autoscaler == "hpa" || autoscaler == "both" || autoscaler == "keda" || autoscaler == "http" || autoscaler == "knative" {
		require.LessOrEqual(t, r.Replicas.MaxDesired, int32(8))
	}
	require.LessOrEqual(t, r.IdlePodSeconds, r.PodSeconds)
	if r.LatencyS != nil {
		require.LessOrEqual(t, r.WaitS.Max, r.LatencyS.Max)
		require.LessOrEqual(t, r.LatencyS.P50, r.LatencyS.P99)
	}
}

// randomScenario writes a scenario of a few minutes with all kinds of autoscaler.
func randomScenario(t *rapid.T) string {
	pick := func(name string, values ...string) string { return rapid.SampledFrom(values).Draw(t, name) }
	number := func(name string, from, to int) int { return rapid.IntRange(from, to).Draw(t, name) }
	duration := func(name string, from, to int) string { return fmt.Sprintf("%dms", number(name, from, to)) }
	service := pick("service",
		"{dist: exponential, mean: "+duration("mean", 1, 2000)+"}",
		"{dist: gamma, mean: "+duration("mean", 1, 2000)+", cv: 1.5}",
		"{dist: uniform, min: 10ms, max: "+duration("max", 10, 2000)+"}",
		duration("constant", 0, 2000))
	arrivals := pick("arrivals", "poisson", "uniform", "{process: gamma, cv: 2}", "{process: bursts, on: 5s, off: 20s}")
	policy := pick("policy", "random", "round-robin", "least-request", "p2c", "central-queue")
	var b strings.Builder
	fmt.Fprintf(&b, `apiVersion: scalelab/v1alpha1
kind: Scenario
metadata: {name: random}
seed: %d
workload:
  replicas: %d
  perPod: {concurrency: %d, queue: %d, serviceTime: %s%s}
  routing: {policy: %s}
  requestTimeout: %s
  gracePeriod: %s
lifecycle:
  schedule: %s
  start: %s
  endpointPropagation: %s%s
pipeline: {kubelet: 5s, metricsServer: 10s, prometheusScrape: 10s}
`, number("seed", 0, 1<<30), number("replicas", 0, 4), number("concurrency", 1, 6), number("queue", 0, 20), service, pick("discipline", "", ", discipline: ps", ", discipline: ps, cores: 2.5"),
		policy,
		duration("timeout", 0, 9000), duration("grace", 0, 9000),
		duration("schedule", 0, 2000), duration("start", 0, 9000), duration("propagation", 0, 2000),
		pick("warm-up", "", "\n  warmUp: {for: 30s, slowdown: 3}"))
	fmt.Fprintf(&b, `traffic:
  - {name: a, for: 2m, rps: %d, arrivals: %s}
  - {name: b, for: 1m, ramp: {from: %d, to: %d}, arrivals: %s}
  - {name: c, for: 3m, rps: 0}
  - {name: d, for: 1m, sine: {mean: 3, amplitude: 3, period: 20s}}
`, number("rps", 0, 20), arrivals, number("from", 0, 20), number("to", 0, 20), arrivals)
	target := "{apiVersion: apps/v1, kind: Deployment, name: random}"
	hpa := func(minimum int) string {
		return fmt.Sprintf(`{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: h}, spec: {scaleTargetRef: %s, minReplicas: %d, maxReplicas: 8, metrics: [{type: Pods, pods: {metric: {name: concurrency}, target: {type: AverageValue, averageValue: %d}}}]}}`,
			target, minimum, number("target", 1, 8))
	}
	elasti := fmt.Sprintf(`{apiVersion: elasti.truefoundry.com/v1alpha1, kind: ElastiService, metadata: {name: e}, spec: {scaleTargetRef: %s, service: random, minTargetReplicas: %d, cooldownPeriod: %d, triggers: [{type: prometheus, metadata: {serverAddress: "http://p", query: "sum(rate(http_requests_total[1m])) or vector(0)", threshold: "0.5"}}]}}`,
		target, number("minimum", 1, 3), number("cooldown", 1, 90))
	b.WriteString(weather(t))
	fmt.Fprintf(&b, "autoscalers:\n  hpa: {manifests: [%s]}\n  elasti: {manifests: [%s]}\n  both: {manifests: [%s, %s]}\n  keda: {manifests: [%s]}\n  http: {manifests: [%s]}\n  fixed: {replicas: %d}\n  lambda: {serverless: {keepAlive: %s, coldServiceTime: %s, maxInstances: %d}}\n",
		hpa(1), elasti, hpa(1), elasti, scaledObject(t), httpScaledObject(t), number("fixed", 0, 5), duration("keep-alive", 0, 90000), duration("cold", 0, 9000), number("most", 1, 50))
	if policy == "central-queue" { // which no ingress of Knative has
		return b.String()
	}
	fmt.Fprintf(&b, "  knative: {containerConcurrency: %d, annotations: {%s}}\nknative: {activators: %d, new: %t}\n",
		number("container-concurrency", 0, 6), annotations(t), number("activators", 1, 3), rapid.Bool().Draw(t, "new"))
	return b.String()
}

// weather draws nodes and faults, or none.
func weather(t *rapid.T) string {
	number := func(name string, from, to int) int { return rapid.IntRange(from, to).Draw(t, name) }
	var b strings.Builder
	nodes := rapid.Bool().Draw(t, "nodes")
	if nodes {
		fmt.Fprintf(&b, "nodes: {pools: [{name: a, cpu: 1, memory: 1Gi, pods: %d, count: 5, min: %d, max: %d, provision: %ds}], headroom: %d, autoscaler: {unneeded: 30s, afterAdd: 20s}}\n",
			number("room", 1, 3), number("fewest", 0, 5), number("most nodes", 5, 9), number("provision", 0, 60), number("headroom", 0, 2))
	}
	if rapid.Bool().Draw(t, "calm") {
		return b.String()
	}
	b.WriteString("faults:\n")
	kinds := []string{"rollout: {}", "podCrash: {count: 2}", "unready: {count: 2}, for: 40s", "slowStart: 3, for: 1m", "slowDown: 2.5, for: 1m", "surge: 2, for: 1m",
		"metricsOutage: prometheus, for: 1m", "metricsFreeze: kubelet, for: 1m", "autoscalerDown: all, for: 1m", "apiErrors: 0.5, for: 1m", "apiLatency: 3s, for: 1m",
		"clockSkew: {of: hpa, slow: 50s}, for: 1m", "clockSkew: {of: knative, fast: 10s}, for: 1m"}
	if nodes {
		kinds = append(kinds, "nodeLoss: {count: 1}", "nodeDrain: {count: 1}", "spotInterruption: {count: 1, notice: 5s}")
	}
	for _, kind := range rapid.SliceOfNDistinct(rapid.SampledFrom(kinds), 1, 6, rapid.ID[string]).Draw(t, "faults") {
		fmt.Fprintf(&b, "  - {at: %dms, %s}\n", number("at", 0, 6*60*1000), kind)
	}
	return b.String()
}

// httpScaledObject draws one that does not grow beyond 8 pods.
func httpScaledObject(t *rapid.T) string {
	number := func(name string, from, to int) int { return rapid.IntRange(from, to).Draw(t, name) }
	metric := rapid.SampledFrom([]string{
		fmt.Sprintf("concurrency: {targetValue: %d}", number("pending", 1, 9)),
		fmt.Sprintf("requestRate: {targetValue: %d, window: %ds, granularity: %ds}", number("rate", 1, 9), number("window", 1, 90), number("granularity", 1, 5)),
	}).Draw(t, "metric")
	failover := rapid.SampledFrom([]string{"", ", coldStartTimeoutFailoverRef: {service: sorry, port: 80, timeoutSeconds: 5}"}).Draw(t, "failover")
	return fmt.Sprintf(`{apiVersion: http.keda.sh/v1alpha1, kind: HTTPScaledObject, metadata: {name: h}, spec: {scaleTargetRef: {name: random, service: random, port: 80}, `+
		`replicas: {min: %d, max: 8}, scaledownPeriod: %d, scalingMetric: {%s}, timeouts: {conditionWait: %dms, responseHeader: %dms}%s}}`,
		number("http minimum", 0, 3), number("scaledown", 0, 90), metric, number("condition wait", 0, 9000), number("response header", 0, 9000), failover)
}

// scaledObject draws one that does not grow beyond 8 pods.
func scaledObject(t *rapid.T) string {
	number := func(name string, from, to int) int { return rapid.IntRange(from, to).Draw(t, name) }
	optional := func(text string) string {
		if rapid.Bool().Draw(t, text) {
			return text
		}
		return ""
	}
	metricType := optional("metricType: Value, ")
	triggers := []string{
		fmt.Sprintf(`{type: prometheus, name: rate, %s%smetadata: {serverAddress: "http://p", query: "sum(rate(http_requests_total[1m]))", threshold: "%d"%s}}`,
			metricType, optional("useCachedMetrics: true, "), number("threshold", 1, 9), optional(`, ignoreNullValues: "false"`)),
		fmt.Sprintf(`{type: redis, name: backlog, %smetadata: {listName: jobs, address: "redis:6379", listLength: "%d", activationListLength: "%d"}}`,
			optional("useCachedMetrics: true, "), number("length", 1, 9), number("activation", 0, 3)),
		fmt.Sprintf(`{type: cron, name: hours, metadata: {timezone: UTC, start: "%d * * * *", end: "%d * * * *", desiredReplicas: "%d"}}`,
			number("cron start", 0, 3), number("cron end", 4, 6), number("cron replicas", 1, 9)),
	}
	given := triggers[:number("triggers", 1, 3)]
	lowest := number("keda minimum", 0, 3)
	spec := fmt.Sprintf("minReplicaCount: %d, maxReplicaCount: 8, pollingInterval: %d, cooldownPeriod: %d, initialCooldownPeriod: %d",
		lowest, number("polling", 1, 40), number("keda cooldown", 0, 90), number("initial", 0, 90))
	if lowest > 0 {
		spec += optional(", idleReplicaCount: 0")
	}
	spec += optional(fmt.Sprintf(", fallback: {failureThreshold: %d, replicas: %d, behavior: %s}", number("failures", 0, 3), number("fallback", 0, 5),
		rapid.SampledFrom([]string{"static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower"}).Draw(t, "fallback behavior")))
	if len(given) == 3 {
		spec += optional(`, advanced: {scalingModifiers: {formula: "max([rate, backlog, hours * 2])", target: "2", activationTarget: "1"}}`)
	}
	annotation := rapid.SampledFrom([]string{"other: x", "autoscaling.keda.sh/paused-replicas: \"2\"", "autoscaling.keda.sh/paused-scale-in: \"true\"",
		"autoscaling.keda.sh/paused-scale-out: \"true\"", "autoscaling.keda.sh/force-activation: \"true\""}).Draw(t, "annotation")
	return fmt.Sprintf("{apiVersion: keda.sh/v1alpha1, kind: ScaledObject, metadata: {name: k, annotations: {%s}}, spec: {scaleTargetRef: {name: random}, %s, triggers: [%s]}}",
		annotation, spec, strings.Join(given, ", "))
}

// annotations draws those of a revision that does not grow beyond 8 pods.
func annotations(t *rapid.T) string {
	all := []string{`autoscaling.knative.dev/max-scale: "8"`}
	for _, a := range []struct {
		name   string
		values []string
	}{
		{"metric", []string{"concurrency", "rps"}},
		{"target", []string{"1", "2.5", "10", "200"}},
		{"target-burst-capacity", []string{"-1", "0", "3", "20"}},
		{"window", []string{"6s", "20s", "60s"}},
		{"panic-threshold-percentage", []string{"110", "200", "1000"}},
		{"min-scale", []string{"0", "1", "3"}},
		{"initial-scale", []string{"1", "4"}},
		{"activation-scale", []string{"3", "4"}},
		{"scale-down-delay", []string{"10s", "1m"}},
		{"scale-to-zero-pod-retention-period", []string{"45s"}},
	} {
		if rapid.Bool().Draw(t, a.name) {
			all = append(all, fmt.Sprintf("autoscaling.knative.dev/%s: %q", a.name, rapid.SampledFrom(a.values).Draw(t, a.name+" value")))
		}
	}
	return strings.Join(all, ", ")
}
