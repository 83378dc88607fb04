package cluster

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/sim/random"
)

// TestActivatorsFindPodsTogether has four requests wait for two pods, the second of
// which starts 90 ms after the first. Pods known together share them.
func TestActivatorsFindPodsTogether(t *testing.T) {
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		propagation time.Duration
		found       time.Duration
		received    []uint64
	}{
		"by the clock, every 200 ms": {propagation: time.Second, found: 1400 * ms, received: []uint64{2, 2}},
		"when the second is ready":   {propagation: 95 * ms, found: 1305 * ms, received: []uint64{2, 2}},
		"when the first is ready":    {propagation: 50 * ms, found: 1260 * ms, received: []uint64{4, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			spec := Defaults()
			spec.Replicas, spec.PerPod.ServiceTime = 0, random.Constant(10*time.Second)
			spec.Lifecycle = Lifecycle{
				Schedule: random.Constant(0), ImagePull: random.Constant(0), Start: random.Constant(1210 * ms),
				Listen: random.Constant(0), EndpointPropagation: random.Constant(c.propagation),
			}
			spec.Activators = &Activators{Count: 1, ContainerConcurrency: 10, ProbeEvery: 200 * ms, Report: time.Second, Proxied: true}
			arrivals := instantsOf{ms, ms, ms, ms}
			cluster, err := New(spec, 1, &arrivals, NewTally([]time.Duration{0}, 0))
			require.NoError(t, err)
			advance := func(to time.Duration) {
				for cluster.Advance(to) != NoStop {
				}
			}
			cluster.Scale(1)
			advance(90 * ms)
			cluster.Scale(2)
			advance(c.found - 1)
			assert.Equal(t, 4, cluster.Held())
			advance(c.found)
			assert.Zero(t, cluster.Held())
			var received []uint64
			for _, p := range cluster.Pods(nil) {
				received = append(received, p.Received)
			}
			assert.Equal(t, c.received, received)
		})
	}
}
