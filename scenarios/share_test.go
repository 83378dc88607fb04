package scenarios_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/sim/cluster"
)

func TestDefaultsUnderProcessorSharing(t *testing.T) {
	limits := func(resources string) string {
		return strings.Replace(deployment, "resources: {requests: {cpu: 500m, memory: 256Mi}}", resources, 1)
	}
	sidecar := limits("resources: {limits: {cpu: 1500m}}") + `        - {name: helper, resources: {requests: {cpu: 250m}}}
      initContainers:
        - {name: migrate, resources: {limits: {cpu: 4}}}
        - {name: mesh, restartPolicy: Always, resources: {limits: {cpu: 100m}, requests: {cpu: 10m}}}
`
	for name, c := range map[string]struct {
		pod, perPod string
		cores       float64
		concurrency int
	}{
		"the limit":                {limits("resources: {limits: {cpu: 2}, requests: {cpu: 500m}}"), "discipline: ps", 2, 200},
		"the request":              {deployment, "discipline: ps", 0.5, 200},
		"neither":                  {limits("image: web"), "discipline: ps", 1, 200},
		"limits of all containers": {sidecar, "discipline: ps", 1.85, 200},
		"given":                    {deployment, "discipline: ps, cores: 1.25, concurrency: 10", 1.25, 10},
	} {
		t.Run(name, func(t *testing.T) {
			s := parse(t, head+"workload: {manifests: [d.yaml], perPod: {"+c.perPod+"}}\n"+tail, files{"d.yaml": c.pod})
			spec, err := s.Spec("oracle", 1)
			require.NoError(t, err)
			assert.Equal(t, c.cores, *spec.Cluster.PerPod.Cores)
			assert.Equal(t, c.concurrency, spec.Cluster.PerPod.Concurrency)
			resolved, err := s.Resolved()
			require.NoError(t, err)
			again, err := parse(t, string(resolved), nil).Spec("oracle", 1)
			require.NoError(t, err)
			assert.Equal(t, spec.Cluster, again.Cluster)
		})
	}
	spec, err := parse(t, head+tail, nil, "workload.perPod.discipline=ps").Spec("oracle", 1)
	require.NoError(t, err)
	assert.Equal(t, cluster.SharedConcurrency, spec.Cluster.PerPod.Concurrency, "through an override too")
	spec, err = parse(t, head+"workload: {manifests: [k8s/deployment.yaml]}\n"+tail, shop()).Spec("oracle", 1)
	require.NoError(t, err)
	assert.Nil(t, spec.Cluster.PerPod.Cores, "nothing is shared with fifo")
}

func TestWarmUpIsRead(t *testing.T) {
	s := parse(t, head+"lifecycle: {warmUp: {for: 30s, slowdown: 2.5}}\n"+tail, nil)
	spec, err := s.Spec("oracle", 1)
	require.NoError(t, err)
	assert.Equal(t, &cluster.WarmUp{For: 30 * time.Second, Slowdown: 2.5}, spec.Cluster.Lifecycle.WarmUp)
	resolved, err := s.Resolved()
	require.NoError(t, err)
	assert.Contains(t, string(resolved), "warmUp: {for: 30s, slowdown: 2.5}")
}
