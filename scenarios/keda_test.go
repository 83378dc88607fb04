package scenarios_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const scaledObject = `
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: web}
spec:
  scaleTargetRef: {name: web}
  maxReplicaCount: 20
  triggers:
    - type: prometheus
      metadata: {serverAddress: "http://prometheus:9090", query: "sum(rate(http_requests_total[1m]))", threshold: "40"}
`

const kedaWorkload = head + "workload: {manifests: [d.yaml]}\n" + traffic

func TestAScaledObjectIsAStrategy(t *testing.T) {
	s := parse(t, kedaWorkload+`autoscalers:
  keda: {manifests: [so.yaml]}
  late: {extends: keda, patch: {spec: {cooldownPeriod: 900}}}
  paused: {extends: keda, patch: {metadata: {annotations: {autoscaling.keda.sh/paused: "true"}}}}
`, files{"d.yaml": deployment, "so.yaml": scaledObject})
	spec, err := s.Spec("late", 1)
	require.NoError(t, err)
	assert.Equal(t, int32(900), *spec.Strategy.Keda.Manifest.Spec.CooldownPeriod)
	assert.Nil(t, spec.Strategy.HPA)
	o, err := s.Objects("keda")
	require.NoError(t, err)
	assert.Equal(t, "web", o.Keda.Name)
	assert.Equal(t, "default", o.Keda.Namespace)

	text, err := s.Resolved()
	require.NoError(t, err)
	again := parse(t, string(text), files{})
	spec, err = again.Spec("late", 1)
	require.NoError(t, err)
	assert.Equal(t, int32(900), *spec.Strategy.Keda.Manifest.Spec.CooldownPeriod)
}

func TestScaledObjectsThatDoNotFit(t *testing.T) {
	trigger := func(text string) string {
		before, _, _ := strings.Cut(scaledObject, "    - type")
		return before + "    - " + text + "\n"
	}
	for name, c := range map[string]struct {
		object string
		beside string
		want   string
	}{
		"another workload": {strings.Replace(scaledObject, "{name: web}\n  max", "{name: api}\n  max", 1), "", "so.yaml:6:26: spec.scaleTargetRef.name: found api, expected web: the workload is Deployment web"},
		"a trigger mistyped": {strings.Replace(scaledObject, "type: prometheus", "type: promethus", 1), "",
			`so.yaml:9:13: spec.triggers[0].type: found "promethus", expected one of aws-sqs-queue, cpu, cron, external-push, kafka, memory, prometheus, rabbitmq, redis; did you mean "prometheus"?`},
		"a number without quotes": {strings.Replace(scaledObject, `"40"`, "40", 1), "", `so.yaml:10:115: spec.triggers[0].metadata.threshold: found 40, expected a string such as "40"`},
		"a query that does not parse": {strings.Replace(scaledObject, "sum(rate", "sum(rat", 1), "",
			`so.yaml:10:66: spec.triggers[0].metadata.query: query "sum(rat(http_requests_total[1m]))": 1:5: parse error: unknown function with name "rat"`},
		"memory": {trigger(`{type: memory, metricType: Utilization, metadata: {value: "70"}}`) + "  minReplicaCount: 1\n", "",
			`so.yaml:9:14: spec.triggers[0].type: found resource "memory", expected cpu: memory is simulated with workload.perPod.memory`},
		"CPU of a container that is not there": {trigger(`{type: cpu, metricType: Utilization, metadata: {value: "70", containerName: app}}`) + "  minReplicaCount: 1\n", "",
			"so.yaml:9:83: spec.triggers[0].metadata.containerName: found app, expected a container of Deployment web"},
		"a behavior that the API refuses": {scaledObject + "  advanced: {horizontalPodAutoscalerConfig: {behavior: {scaleUp: {stabilizationWindowSeconds: -1}}}}\n", "",
			"so.yaml:11:95: spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleUp.stabilizationWindowSeconds: found -1, expected between 0 and 3600"},
		"a name that the API refuses": {scaledObject + "  advanced: {horizontalPodAutoscalerConfig: {name: my_hpa}}\n", "",
			"so.yaml:11:52: spec.advanced.horizontalPodAutoscalerConfig.name: found my_hpa"},
		"a lag by partition": {trigger(`{type: kafka, metadata: {bootstrapServers: b, consumerGroup: g, topic: t, excludePersistentLag: "true"}}`), "",
			"so.yaml:9:103: spec.triggers[0].metadata.excludePersistentLag: found it for a queue without partitions, expected workload.consumes.partitions beside it"},
		"beside an HPA": {scaledObject, hpaManifest, "so.yaml:3:7: kind: found a ScaledObject beside HorizontalPodAutoscaler web, expected it alone: the workload would have two HPAs or two ways to zero"},
	} {
		t.Run(name, func(t *testing.T) {
			manifests := "[so.yaml]"
			all := files{"d.yaml": deployment, "so.yaml": c.object}
			if c.beside != "" {
				manifests, all["other.yaml"] = "[so.yaml, other.yaml]", c.beside
			}
			problems := messagesOf(t, kedaWorkload+"autoscalers: {keda: {manifests: "+manifests+"}}\n", all)
			require.Len(t, problems, 1, strings.Join(problems, "\n"))
			assert.True(t, strings.HasPrefix(problems[0], c.want), "%s\nexpected\n%s", problems[0], c.want)
		})
	}
}
