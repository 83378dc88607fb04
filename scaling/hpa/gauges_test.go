package hpa

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"
)

func TestGaugesAreTheManifestsTargets(t *testing.T) {
	a, err := New(Spec{Controller: DefaultController(), Manifest: manifest(t, `maxReplicas: 100
metrics:
- {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}
- {type: Pods, pods: {metric: {name: rps}, target: {type: AverageValue, averageValue: 1500m}}}
- {type: External, external: {metric: {name: depth}, target: {type: Value, value: "30"}}}
`)})
	require.NoError(t, err)
	assert.Equal(t, []messages.Gauge{
		{Name: "cpu utilization", Unit: "%", Target: new(50.0), Per: messages.PerRequest},
		{Name: "pods metric rps", Target: new(1.5), Per: messages.PerPod},
		{Name: "external metric depth", Target: new(30.0), Per: messages.InAll},
	}, a.Gauges())
	assert.Len(t, a.Queries(), 3)
}
