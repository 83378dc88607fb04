package bench_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"
	"github.com/scalelab/scalelab/sim/clientset"
)

func smallFleet(t testing.TB) *scenarios.Scenario {
	s, err := scenarios.Embedded("fleet", "fleet.services=12", "duration=30m")
	require.NoError(t, err)
	return s
}

// A matrix of fleets gives the same bytes with any number of workers, through
// both actuators.
func TestMatrixOfFleets(t *testing.T) {
	defer goleak.VerifyNone(t)
	s := smallFleet(t)
	through := func(autoscaler string, spec sim.Spec) (sim.Actuator, error) {
		objects, err := s.Objects(autoscaler)
		if err != nil {
			return nil, err
		}
		return clientset.New(objects, spec.Start)
	}
	replay := func(m bench.Matrix) string {
		m.Scenario, m.Autoscalers, m.Seeds = s, strategies(s), bench.Seeds(1, 2)
		results, err := m.Replay(context.Background())
		require.NoError(t, err)
		for _, r := range results {
			conserved(t, r)
			r.Actuator = ""
		}
		outcome, err := bench.NewOutcome(results, "")
		require.NoError(t, err)
		text, err := json.Marshal(outcome)
		require.NoError(t, err)
		return string(text)
	}
	var shares []float64
	first := replay(bench.Matrix{Workers: 1, Progress: func(share float64) { shares = append(shares, share) }})
	assert.Len(t, shares, 4*2*12, "one report for every service")
	assert.IsNonDecreasing(t, shares)
	assert.InDelta(t, 1, shares[len(shares)-1], 1e-12)
	for _, workers := range []int{2, 3, 7, 16, 0} {
		require.Equal(t, first, replay(bench.Matrix{Workers: workers}), "%d workers", workers)
	}
	assert.Equal(t, first, replay(bench.Matrix{Workers: 3, Actuator: through}))
}

func TestMatrixOfFleetsNamesWhatFailed(t *testing.T) {
	defer goleak.VerifyNone(t)
	s := smallFleet(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := bench.Matrix{Scenario: s, Autoscalers: []string{"hpa-70"}, Seeds: bench.Seeds(5, 1), Workers: 3}.Replay(ctx)
	assert.EqualError(t, err, "hpa-70, seed 5: svc-0: stopped at 0s of simulated time: context canceled")
}
