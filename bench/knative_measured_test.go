package bench_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"

	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"
)

// measuredPods are the mean numbers of ready pods of a real Knative 0.19 in an hour
// each, as github.com/pacslab/conc-value-perf-modelling publishes them: Poisson
// arrivals, every request sleeps 1.0 to 1.2 s, window 60 s, utilization 70 %,
// panic off.
var measuredPods = []struct {
	rps, target    int
	response, pods float64
}{
	{1, 1, 1.239461, 2.132222},
	{5, 1, 1.227566, 9.059286},
	{20, 1, 1.180644, 32.819175},
	{20, 3, 1.389314, 13.337379},
}

// TestKnativeMeasured holds the pods of simulated hours against the measured ones.
// A request stays as long as was measured on average, with the spread of the sleep.
func TestKnativeMeasured(t *testing.T) {
	const within, seeds = 0.06, 20
	t.Logf("%4s %6s %9s %8s %9s %7s", "rps", "target", "measured", "ours", "± 2 s.e.", "error")
	for _, row := range measuredPods {
		s, err := scenarios.Load("testdata/knative-measured.yaml",
			fmt.Sprintf("traffic[0].rps=%d", row.rps),
			fmt.Sprintf(`autoscalers.kpa.annotations["autoscaling.knative.dev/target"]="%d"`, row.target),
			fmt.Sprintf("workload.perPod.serviceTime={dist: uniform, min: %s, max: %s}", spread(row.response-0.1), spread(row.response+0.1)))
		require.NoError(t, err)
		pods := make([]float64, seeds)
		for seed := range pods {
			spec, err := s.Spec("kpa", uint64(seed+1))
			require.NoError(t, err)
			r, err := sim.Run(context.Background(), spec)
			require.NoError(t, err)
			conserved(t, r)
			assert.Zero(t, r.Requests.Lost())
			pods[seed] = r.Replicas.MeanReady
		}
		mean, deviation := stat.MeanStdDev(pods, nil)
		off := mean/row.pods - 1
		t.Logf("%4d %6d %9.2f %8.2f %9.2f %+6.1f%%", row.rps, row.target, row.pods, mean, 2*deviation/math.Sqrt(seeds), 100*off)
		assert.InDelta(t, 0, off, within)
	}
}

func spread(s float64) string { return time.Duration(s * 1e9).Round(time.Microsecond).String() }
