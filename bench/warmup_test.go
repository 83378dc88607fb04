package bench_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/scenarios"
)

// TestSlowCPUNeedsBoth takes the story of slow-cpu apart: with pods that are
// fast at once the same HPA loses nothing, and with slots that do not share the
// CPU it sees no reason to scale.
func TestSlowCPUNeedsBoth(t *testing.T) {
	fast, err := scenarios.Load("slow-cpu", "lifecycle.warmUp.slowdown=1")
	require.NoError(t, err)
	r := run(t, fast, "hpa-60", "direct")
	assert.Zero(t, r.Requests.Lost())
	assert.LessOrEqual(t, r.Replicas.MaxDesired, int32(10))

	slots, err := scenarios.Load("slow-cpu", "workload.perPod.discipline=fifo")
	require.NoError(t, err)
	r = run(t, slots, "hpa-60", "direct")
	assert.Zero(t, r.Requests.Lost())
	assert.Equal(t, int32(6), r.Replicas.MaxDesired)
}
