package cluster

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/scalelab/scalelab/sim/random"
)

// TestInvariantsInAnyWeather lets faults befall random worlds. The counts hold against
// each other at any time, nodes are never too full, and in the end all is well again.
func TestInvariantsInAnyWeather(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := random.Seed(rapid.Uint64().Draw(t, "seed"))
		d := die{Stream: seed.Key("world", 0).Stream(), tick: 500*time.Millisecond + 12345, crowd: 1}
		spec := drawWorld(t)
		d.weather(&spec)
		spec.Unsteady = true
		// With these a pod need not ever be Ready, or stay so.
		spec.Probes.Startup, spec.Probes.Liveness, spec.Probes.Queued = nil, nil, false
		arrivals := &poisson{stream: seed.Key("test", 0).Stream(), rate: rapid.Float64Range(0.1, 20).Draw(t, "rps")}
		c, err := New(spec, seed, arrivals, NewTally([]time.Duration{0}, 0))
		require.NoError(t, err)
		for at := time.Second; at < 60*time.Second; at += time.Duration(rapid.IntRange(1, 8000).Draw(t, "step_ms")) * time.Millisecond {
			for c.Advance(at) != NoStop {
				c.Notified(true)
			}
			if rapid.Bool().Draw(t, "scale") {
				c.Scale(int32(rapid.IntRange(0, 6).Draw(t, "to")))
			}
			befall(t, c, seed)
			checkInWeather(t, c)
		}
		c.SlowStart(1)
		silence(c)
		for c.Advance(3*time.Hour) != NoStop {
			c.Notified(true)
		}
		checkInWeather(t, c)
		n := c.Replicas()
		require.False(t, c.RollingOut() && c.NodeCounts().Pending == 0, "a rollout ends where there is room")
		if c.NodeCounts().Pending == 0 {
			require.Equal(t, n.Desired, n.Created)
			require.Equal(t, n.Desired, n.Ready, "%+v", c.Pods(nil))
		}
		require.Zero(t, c.NodeCounts().Lost)
	})
}

// befall has one fault happen, or none.
func befall(t *rapid.T, c *Cluster, seed random.Seed) {
	n := rapid.IntRange(1, 3).Draw(t, "count")
	stream := seed.Key("fault", uint64(c.now)).Stream()
	switch rapid.IntRange(0, 9).Draw(t, "fault") {
	case 0:
		c.Crash(n, &stream)
	case 1:
		c.Unready(n, c.now+time.Duration(n)*7*time.Second, &stream)
	case 2:
		c.SlowStart(float64(n))
	case 3:
		c.Rollout()
	case 4:
		c.LoseNodes(n, &stream)
	case 5:
		c.InterruptNodes(n, time.Duration(n)*time.Second, &stream)
	case 6:
		c.DrainNodes(n, &stream)
	}
}

func checkInWeather(t require.TestingT, c *Cluster) {
	n := c.Counters()
	require.Equal(t, n.Arrived, n.Completed+n.TimedOut+n.Rejected+n.Failed+n.InFlight, "%+v", n)
	require.Equal(t, n.InFlight, inFlight(c))
	var created, ready int32
	on := make([]int64, len(c.nodes.list))
	for i := range c.pods {
		p := &c.pods[i]
		if p.State < Draining {
			created++
		}
		if p.State == Ready {
			ready++
		}
		if p.Node != none && p.State != Gone {
			on[p.Node]++
		}
		if p.RunningSince == NotYet || p.State == Gone {
			require.Empty(t, p.serving)
			require.Empty(t, p.stays)
			require.Zero(t, p.queue.length)
		}
		if p.position != none {
			require.Equal(t, p.ID, c.routable[p.position])
		}
	}
	require.Equal(t, created, c.created)
	require.Equal(t, ready, c.ready)
	if !c.RollingOut() {
		require.Equal(t, c.desired, created)
	}
	for at := range c.nodes.list {
		one := &c.nodes.list[at]
		taken := c.nodes.pod.times(on[at] + one.placeholders)
		require.Equal(t, c.nodes.spec.Pools[one.pool].size().minus(taken), one.free)
		require.False(t, one.free.milli < 0 || one.free.bytes < 0 || one.free.pods < 0, "%+v", one)
		require.False(t, on[at] > 0 && one.state == nodeGone)
	}
	existed, idle := c.PodTime()
	require.LessOrEqual(t, idle, existed)
}
