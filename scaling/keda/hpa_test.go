package keda

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// TestHPA shows the whole of what KEDA sends to the API server.
func TestHPA(t *testing.T) {
	o := object(t, `{
		minReplicaCount: 2, maxReplicaCount: 9,
		advanced: {horizontalPodAutoscalerConfig: {behavior: {scaleDown: {stabilizationWindowSeconds: 60}}}},
		triggers: [`+cpuTrigger+`, `+rateTrigger+`, {type: redis, metricType: Value, metadata: {listName: a/b, address: r}}]}`,
		pausedOutAnnotation, "true", excludedLabelsAnnotation, "team,other")
	o.Namespace, o.UID = "shop", "7"
	o.Labels = map[string]string{"team": "web", "app.kubernetes.io/part-of": "shop"}
	text, err := yaml.Marshal(o.HPA())
	require.NoError(t, err)
	written, _, _ := strings.Cut(string(text), "status:")
	assert.Equal(t, `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  annotations:
    autoscaling.keda.sh/paused-scale-out: "true"
    scaledobject.keda.sh/hpa-excluded-labels: team,other
  labels:
    app.kubernetes.io/managed-by: keda-operator
    app.kubernetes.io/name: keda-hpa-web
    app.kubernetes.io/part-of: shop
    app.kubernetes.io/version: 2.21.0
    scaledobject.keda.sh/name: web
  name: keda-hpa-web
  namespace: shop
  ownerReferences:
  - apiVersion: keda.sh/v1alpha1
    blockOwnerDeletion: true
    controller: true
    kind: ScaledObject
    name: web
    uid: "7"
spec:
  behavior:
    scaleDown:
      stabilizationWindowSeconds: 60
    scaleUp:
      selectPolicy: Disabled
  maxReplicas: 9
  metrics:
  - external:
      metric:
        name: s1-prometheus
        selector:
          matchLabels:
            scaledobject.keda.sh/name: web
      target:
        averageValue: "10"
        type: AverageValue
    type: External
  - external:
      metric:
        name: s2-redis-a-b
        selector:
          matchLabels:
            scaledobject.keda.sh/name: web
      target:
        type: Value
        value: "5"
    type: External
  - resource:
      name: cpu
      target:
        averageUtilization: 70
        type: Utilization
    type: Resource
  minReplicas: 2
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: web
`, written)
	assert.Nil(t, o.Spec.Advanced.HorizontalPodAutoscalerConfig.Behavior.ScaleUp, "the manifest is as it was")
}

func TestHPAOfLittle(t *testing.T) {
	h := object(t, `{scaleTargetRef: {name: db, apiVersion: apps/v1, kind: StatefulSet}, triggers: [`+rateTrigger+`]}`).HPA()
	assert.Equal(t, int32(1), *h.Spec.MinReplicas, "never 0")
	assert.Equal(t, int32(100), h.Spec.MaxReplicas)
	assert.Nil(t, h.Spec.Behavior)
	assert.Nil(t, h.OwnerReferences)
	assert.Equal(t, "StatefulSet", h.Spec.ScaleTargetRef.Kind)

	h = object(t, `{triggers: [`+rateTrigger+`]}`, pausedInAnnotation, "true").HPA()
	assert.Equal(t, "Disabled", string(*h.Spec.Behavior.ScaleDown.SelectPolicy))
	assert.Nil(t, h.Spec.Behavior.ScaleUp)
}

func TestLongNamesBecomeLabels(t *testing.T) {
	o := object(t, `{triggers: [`+rateTrigger+`]}`)
	o.Name = strings.Repeat("a", 53) + "-b"
	assert.Equal(t, "keda-hpa-"+strings.Repeat("a", 53), o.HPA().Labels["app.kubernetes.io/name"])
}

func TestCompositeMetric(t *testing.T) {
	const both = rateTrigger + `, ` + cpuTrigger + `, {type: cpu, metricType: Utilization, metadata: {value: "50", containerName: app}}`
	for _, c := range []struct{ modifiers, target string }{
		{`{formula: rate * 2, target: "2.5"}`, "AverageValue 2500m"},
		{`{formula: rate * 2, target: "2", metricType: Value}`, "Value 2"},
	} {
		h := object(t, `{advanced: {scalingModifiers: `+c.modifiers+`}, triggers: [`+both+`]}`).HPA()
		require.Len(t, h.Spec.Metrics, 2, "that of the container is lost")
		assert.Equal(t, "cpu", string(h.Spec.Metrics[0].Resource.Name))
		e := h.Spec.Metrics[1].External
		assert.Equal(t, "composite-metric", e.Metric.Name)
		assert.Equal(t, map[string]string{"scaledobject.keda.sh/name": "web"}, e.Metric.Selector.MatchLabels)
		target := e.Target.AverageValue
		if target == nil {
			target = e.Target.Value
		}
		assert.Equal(t, c.target, string(e.Target.Type)+" "+target.String())
	}
}
