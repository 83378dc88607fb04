package scenarios_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim/cluster"
)

func TestWarnsOfReplicasThatNoNodeHasRoomFor(t *testing.T) {
	src := `apiVersion: scalelab/v1alpha1
kind: Scenario
metadata: {name: shop}
traffic: [{for: 1m, rps: 1}]
nodes: {pools: [{name: a, cpu: 1, memory: 1Gi, pods: 3, count: 1, max: 2}]}
autoscalers:
  fits: {replicas: 3}
  hpa:
    manifests:
      apiVersion: autoscaling/v2
      kind: HorizontalPodAutoscaler
      metadata: {name: shop}
      spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: shop}, maxReplicas: 7, metrics: [{type: Pods, pods: {metric: {name: rps}, target: {type: AverageValue, averageValue: "1"}}}]}
  keda:
    manifests:
      apiVersion: keda.sh/v1alpha1
      kind: ScaledObject
      metadata: {name: shop}
      spec: {scaleTargetRef: {name: shop}, maxReplicaCount: 6, triggers: [{type: cron, metadata: {timezone: UTC, start: "0 1 * * *", end: "0 2 * * *", desiredReplicas: "2"}}]}
`
	s, err := scenarios.Parse("s.yaml", []byte(src), scenarios.Files("."))
	require.NoError(t, err)
	var said []string
	for _, w := range s.Warnings() {
		said = append(said, w.Warning())
	}
	assert.Equal(t, []string{"s.yaml:9:5: warning: autoscalers.hpa: found maxReplicas of 7 for hpa, expected at most 6: the nodes have no room for more, at their largest number"}, said)
}

func TestWhatAPodSaysOfItself(t *testing.T) {
	pod := func(container, deployment, rest string) string {
		return `apiVersion: scalelab/v1alpha1
kind: Scenario
metadata: {name: shop}
traffic: [{for: 1m, rps: 1}]
workload:
  manifests:
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: shop}
    spec: {selector: {matchLabels: {app: shop}}, ` + deployment + `template: {metadata: {labels: {app: shop}}, spec: {containers: [{name: app, image: a, ` + container + `}]}}}
` + rest
	}
	for name, c := range map[string]struct {
		src  string
		want cluster.Spec
	}{
		"probes": {pod(`readinessProbe: {httpGet: {port: 80}, initialDelaySeconds: 3, periodSeconds: 5, timeoutSeconds: 2, failureThreshold: 4, successThreshold: 2}, livenessProbe: {tcpSocket: {port: 80}}`, "", "  probes: queued\n"),
			cluster.Spec{Probes: cluster.Probes{
				Readiness: &cluster.Probe{InitialDelay: 3 * time.Second, Period: 5 * time.Second, Timeout: 2 * time.Second, Failures: 4, Successes: 2},
				Liveness:  &cluster.Probe{Period: 10 * time.Second, Timeout: time.Second, Failures: 3, Successes: 1},
				Queued:    true,
			}}},
		"a sleep":        {pod(`lifecycle: {preStop: {sleep: {seconds: 7}}}`, "", ""), cluster.Spec{PreStop: 7 * time.Second}},
		"a command":      {pod(`lifecycle: {preStop: {exec: {command: [sleep, "5"]}}}`, "", ""), cluster.Spec{PreStop: 5 * time.Second}},
		"a shell":        {pod(`lifecycle: {preStop: {exec: {command: [/bin/sh, -c, "sleep 12s"]}}}`, "", ""), cluster.Spec{PreStop: 12 * time.Second}},
		"one of its own": {pod(`lifecycle: {preStop: {httpGet: {port: 80}}}`, "", "  preStop: 9s\n"), cluster.Spec{PreStop: 9 * time.Second}},
		"a rolling update": {pod("", "minReadySeconds: 4, strategy: {rollingUpdate: {maxSurge: 3, maxUnavailable: 10%}}, ", ""),
			cluster.Spec{Update: cluster.Update{MaxSurge: cluster.Share{Number: 3}, MaxUnavailable: cluster.Share{Number: 10, Percent: true}, MinReady: 4 * time.Second}}},
		"a recreation": {pod("", "strategy: {type: Recreate}, ", ""), cluster.Spec{Update: cluster.Update{Recreate: true,
			MaxSurge: cluster.Share{Number: 25, Percent: true}, MaxUnavailable: cluster.Share{Number: 25, Percent: true}}}},
	} {
		s, err := scenarios.Parse("s.yaml", []byte(c.src), scenarios.Files("."))
		require.NoError(t, err, name)
		spec, err := s.Spec("oracle", 1)
		require.NoError(t, err, name)
		if c.want.Update == (cluster.Update{}) {
			c.want.Update = cluster.Defaults().Update
		}
		assert.Equal(t, c.want.Probes, spec.Cluster.Probes, name)
		assert.Equal(t, c.want.PreStop, spec.Cluster.PreStop, name)
		assert.Equal(t, c.want.Update, spec.Cluster.Update, name)
	}
	for src, want := range map[string]string{
		pod(`lifecycle: {preStop: {httpGet: {port: 80}}}`, "", ""):   "s.yaml:10:157: workload.manifests.spec.template.spec.containers[0].lifecycle.preStop: found a hook of which nobody knows how long it takes, expected a sleep, or workload.preStop in the scenario",
		pod("", "strategy: {rollingUpdate: {maxSurge: many}}, ", ""): "spec.strategy.rollingUpdate.maxSurge: found many, expected a number of pods or a percentage such as 25%",
		pod("livenessProbe: {periodSeconds: -1}", "", ""):            "livenessProbe.periodSeconds: found -1s, expected more than 0s, up to 720h0m0s",
	} {
		_, err := scenarios.Parse("s.yaml", []byte(src), scenarios.Files("."))
		assert.ErrorContains(t, err, want)
	}
}
