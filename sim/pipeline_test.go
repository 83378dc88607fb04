package sim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/metrics"
)

// An HPA that cannot read its only metric holds, and says why in its condition.
func TestAnOutageOfMetricsServerAsTheHPATellsIt(t *testing.T) {
	spec := baseSpec(t)
	spec.Strategy = Strategy{Name: "hpa", HPA: cpuHPA(50)}
	spec.Gaps = []metrics.Gap{{Source: "metrics-server", From: 100 * time.Second, To: 200 * time.Second, Silent: true}}
	r := play(t, spec)
	// Decisions are listed when something about them is new. The API is down from 100
	// to 200 s, and unavailable until the second collection after.
	var failed, recovered []float64
	for i, d := range r.Decisions {
		if d.Reason == messages.ReasonMetricFailed && d.TS > 15 {
			failed, recovered = append(failed, d.TS), append(recovered, r.Decisions[i+1].TS)
			assert.Equal(t, d.Current, d.Desired)
			assert.Contains(t, d.Message, "the server is currently unable to handle the request (get pods.metrics.k8s.io)")
		}
	}
	assert.Equal(t, []float64{105}, failed)
	assert.Equal(t, []float64{225}, recovered)
}

// Every loop begins later by its phase, and keeps its period.
func TestPhasesOfControlLoops(t *testing.T) {
	spec := baseSpec(t)
	spec.Strategy = Strategy{Name: "both", HPA: cpuHPA(50), Elasti: elastiSpec()}
	spec.Pipeline.Phases = metrics.Phases{HPA: "7s", Elasti: "2500ms"}
	first := map[string][]float64{}
	for _, d := range play(t, spec).Decisions {
		first[d.Autoscaler] = append(first[d.Autoscaler], d.TS)
	}
	assert.Equal(t, []float64{7, 22, 37}, first["hpa"][:3])
	assert.Equal(t, []float64{32.5, 62.5, 92.5}, first["elasti"][:3])

	spec.Pipeline.Phases.Elasti = "30s"
	require.EqualError(t, spec.CheckPhases(), "pipeline.phases.elasti: found 30s, expected less than the 30s after which elasti comes round again")
}

// Phases are drawn from the seed alone: the same seed gives the same run.
func TestRandomPhasesAreOfTheSeed(t *testing.T) {
	spec := baseSpec(t)
	spec.Strategy = Strategy{Name: "hpa", HPA: cpuHPA(50)}
	spec.Pipeline.Phase = "random"
	once := play(t, spec)
	assert.Equal(t, once.Fingerprint, play(t, spec).Fingerprint)
	spec.Pipeline.Phase = "aligned"
	still := play(t, spec).Fingerprint
	assert.NotEqual(t, once.Fingerprint, still)
	spec.Pipeline.Phase = ""
	assert.Equal(t, still, play(t, spec).Fingerprint)
}
