package report

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/scalelab/scalelab/sim"
)

func TestBill(t *testing.T) {
	r := &sim.Result{PodSeconds: 7200, IdlePodSeconds: 1800}
	assert.Equal(t, "2.00 pod-hours, 0.500 of them idle (25.0 %)", bill(r))
	r.CPUCoreHours = new(1.0)
	assert.Equal(t, "2.00 pod-hours, 0.500 of them idle (25.0 %); requested 1.00 core-hours", bill(r))
	r.MemoryGiBHours, r.Cost = new(0.5), &sim.Cost{Total: 0.1, Pods: new(0.1)}
	assert.Equal(t, "2.00 pod-hours, 0.500 of them idle (25.0 %); requested 1.00 core-hours and 0.500 GiB-hours; cost 0.100", bill(r))
	r.Cost = &sim.Cost{Total: 1.5, VCPU: new(0.1), Memory: new(0.2), Requests: new(0.3), Lost: new(0.4), Late: new(0.5), LateRequests: new(uint64(1234))}
	assert.Contains(t, bill(r), "; cost 1.50 (CPU 0.100, memory 0.200, requests 0.300, lost requests 0.400, 1,234 late 0.500)")
}
