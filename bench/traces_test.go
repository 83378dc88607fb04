package bench_test

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"
)

// traces is where real recorded traffic lies beside a checkout, if it does.
const traces = "../../shared/traces"

// TestRealTraces replays real traffic: exactly the requests that were recorded
// arrive, with every strategy.
func TestRealTraces(t *testing.T) {
	if _, err := os.Stat(traces); err != nil {
		t.Skipf("no real traces beside the checkout: %v", err)
	}
	for name, c := range map[string]struct {
		trace    string
		requests uint64
	}{
		"two weeks of a load balancer, counts per five minutes": {
			"{file: nab/elb_request_count_8c0756.csv, time: timestamp, count: value, gaps: zero}", 249_327,
		},
		"an hour of LLM inference, exact timestamps": {
			"{file: azure-llm-2023/AzureLLMInferenceTrace_code.csv, timestamps: TIMESTAMP}", 8_819,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := scenarios.Parse("trace.yaml", []byte(`apiVersion: scalelab/v1alpha1
kind: Scenario
metadata: {name: trace}
traffic: [{name: trace, trace: `+c.trace+`}]
autoscalers: {fixed-2: {replicas: 2}}
`), scenarios.Files(traces))
			require.NoError(t, err)
			total, exact := s.Traffic().Total()
			assert.True(t, exact)
			assert.Equal(t, c.requests, total)
			for _, autoscaler := range strategies(s) {
				spec, err := s.Spec(autoscaler, 1)
				require.NoError(t, err)
				r, err := sim.Run(context.Background(), spec)
				require.NoError(t, err)
				conserved(t, r)
				assert.Equal(t, c.requests, r.Requests.Arrived)
			}
		})
	}
}
