package scenarios_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/scaling/hpa"
	"github.com/scalelab/scalelab/sim"
)

// withHPA is a scenario of one HPA with the given spec and more sections.
func withHPA(sections, spec string) string {
	return head + sections + "\nautoscalers:\n  hpa: {manifests: [{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: bad},\n" +
		"    spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: bad}, " + spec + "}}]}\n" + tail
}

const byRate = "maxReplicas: 9, metrics: [{type: External, external: {metric: {name: http_requests_per_second}, target: {type: AverageValue, averageValue: 5}}}]"

func TestEveryFlagOfTheControllerReachesTheHPA(t *testing.T) {
	for flag, set := range map[string]func(*hpa.Controller){
		"syncPeriod: 20s":              func(c *hpa.Controller) { c.SyncPeriod = 20 * time.Second },
		"tolerance: 0.3":               func(c *hpa.Controller) { c.Tolerance = 0.3 },
		"downscaleStabilization: 1m":   func(c *hpa.Controller) { c.DownscaleStabilization = time.Minute },
		"cpuInitializationPeriod: 10m": func(c *hpa.Controller) { c.CPUInitializationPeriod = 10 * time.Minute },
		"initialReadinessDelay: 0s":    func(c *hpa.Controller) { c.InitialReadinessDelay = 0 },
	} {
		want := hpa.DefaultController()
		set(&want)
		spec, err := parse(t, withHPA("controllers: {hpa: {"+flag+"}}", byRate), nil).Spec("hpa", 1)
		require.NoError(t, err)
		assert.Equal(t, want, spec.Strategy.HPA.Controller)
	}
	for flag, want := range map[string]string{
		"syncPeriod: 0s":               "syncPeriod: found 0s, expected more than 0s",
		"tolerance: -0.1":              "tolerance: found -0.1, expected a number of at least 0",
		"downscaleStabilization: -1m":  "downscaleStabilization: found -1m, expected a duration such as 30s",
		"cpuInitializationPeriod: -1s": "cpuInitializationPeriod: found -1s, expected a duration such as 30s",
		"initialReadinessDelay: -1s":   "initialReadinessDelay: found -1s, expected a duration such as 30s",
	} {
		lines := messagesOf(t, withHPA("controllers: {hpa: {"+flag+"}}", byRate), nil)
		require.Len(t, lines, 1, lines)
		assert.Contains(t, lines[0], "s.yaml:4:")
		assert.Contains(t, lines[0], ": controllers.hpa."+want)
	}
}

func TestVersionsOfKubernetesDiffer(t *testing.T) {
	const zero = "minReplicas: 0, "
	const tolerant = "behavior: {scaleUp: {tolerance: 500m}}, "
	for _, version := range []string{"1.33", "1.34", "1.35", "1.36", "1.37"} {
		t.Run(version, func(t *testing.T) {
			section := `kubernetesVersion: "` + version + `"`
			s := parse(t, withHPA(section, tolerant+byRate), nil)
			spec, err := s.Spec("hpa", 1)
			require.NoError(t, err)
			assert.Equal(t, version >= "1.35", spec.Strategy.HPA.Manifest.Spec.Behavior.ScaleUp.Tolerance != nil, "a tolerance for scaling up")
			objects, err := s.Objects("hpa")
			require.NoError(t, err)
			assert.Equal(t, hpa.Version(version), objects.KubernetesVersion)

			result, err := sim.Run(context.Background(), spec)
			require.NoError(t, err)
			first := 15.0
			if version == "1.37" {
				first = 0
			}
			assert.Equal(t, first, result.Decisions[0].TS, "the first sync")

			if version == "1.37" {
				parse(t, withHPA(section, zero+byRate), nil)
				return
			}
			assert.Equal(t, []string{"s.yaml:7:93: autoscalers.hpa.manifests[0].spec.minReplicas: found 0, expected 1 or more: 1.37 scales to zero, " + version + " does not"},
				messagesOf(t, withHPA(section, zero+byRate), nil))
		})
	}
	src := strings.Replace(withHPA("", byRate), "apiVersion: apps/v1, ", "", 1)
	assert.Equal(t, []string{"s.yaml:7:28: autoscalers.hpa.manifests[0].spec.scaleTargetRef.apiVersion: found nothing, expected an API group, such as apps/v1"}, messagesOf(t, src, nil))
	parse(t, strings.Replace(src, "autoscalers:", "kubernetesVersion: \"1.33\"\nautoscalers:", 1), nil)
}
