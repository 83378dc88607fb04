package assertions

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/sim"
)

// Every part of the bill can be asserted; one without a price is unknown.
func TestPartsOfTheBill(t *testing.T) {
	run := &sim.Result{Autoscaler: "a", Cost: &sim.Cost{Total: 10, Pods: new(7.0), Lost: new(3.0)}, IdleShare: new(0.25), CPUCoreHours: new(4.0)}
	read := map[string]*float64{"cost": new(10.0), "cost.total": new(10.0), "cost.pods": new(7.0), "cost.lost": new(3.0), "cost.vcpu": nil,
		"cost.memory": nil, "cost.requests": nil, "cost.late": nil, "idle_share": new(0.25), "cpu_core_hours": new(4.0), "memory_gib_hours": nil}
	for name, want := range read {
		f, ok := figureOf(name)
		require.True(t, ok, name)
		assert.Equal(t, want, f.read(source{run: run}), name)
		if f.priced {
			assert.Nil(t, f.read(source{run: &sim.Result{}}), name)
		}
	}
}
