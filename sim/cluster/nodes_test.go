package cluster

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/sim/random"
)

// housed is stormy on nodes of one pool with room for two pods each: one node at time 0,
// up to four.
func housed() Spec {
	spec := stormy()
	spec.CPURequestMilli, spec.MemoryRequestBytes = 500, 1000
	spec.Nodes = &Nodes{Pools: []Pool{{Name: "pool", CPU: 1.2, Memory: 5000, Count: 1, Max: new(4)}}}
	return spec
}

// lived is a pod's instants.
type lived struct{ scheduled, started, ready time.Duration }

func livesOf(c *Cluster) (list []lived) {
	c.Lives(func(p PodStatus) { list = append(list, lived{p.ScheduledAt, p.StartedAt, p.ReadyAt}) })
	return list
}

func TestTheFirstPodOnANodePullsTheImage(t *testing.T) {
	spec := housed()
	spec.Fresh, spec.Lifecycle.ImagePull = true, random.Constant(20*time.Second)
	spec.Nodes.Pools[0].CPU = 10
	c := newCluster(t, spec, &instantsOf{})
	c.Advance(5 * time.Second)
	c.Scale(2)
	c.Advance(30 * time.Second)
	c.Scale(3)
	c.Advance(40 * time.Second)
	c.Rollout() // which has an image of its own
	c.Advance(50 * time.Second)
	const s = time.Second
	assert.Equal(t, []lived{{0, 20 * s, 24 * s}, {5 * s, 20 * s, 24 * s}, {30 * s, 30 * s, 34 * s}, {40 * s, NotYet, NotYet}}, livesOf(c)[:4])
	c.Advance(70 * time.Second)
	assert.Equal(t, lived{40 * s, 60 * s, 64 * s}, livesOf(c)[3])

	spec.Fresh, spec.Replicas = false, 1
	c = newCluster(t, spec, &instantsOf{})
	c.Advance(s)
	c.Scale(2)
	c.Advance(10 * s)
	assert.Equal(t, lived{s, s, 5 * s}, livesOf(c)[1], "the nodes of the pods of time 0 have theirs")
}

func TestPacking(t *testing.T) {
	for packing, want := range map[string][]int32{"": {0, 1, 2, 0, 1, 2}, "spread": {0, 1, 2, 0, 1, 2}, "pack": {0, 0, 1, 1, 2, 2}} {
		spec := housed()
		spec.Replicas, spec.Nodes.Packing = 6, packing
		spec.Nodes.Pools[0].Count = 3
		var on []int32
		for _, p := range newCluster(t, spec, &instantsOf{}).Pods(nil) {
			on = append(on, p.Node)
		}
		assert.Equal(t, want, on, packing)
	}
}

func TestNodesAreAddedForPodsThatWait(t *testing.T) {
	spec := housed()
	spec.Replicas = 2
	c := newCluster(t, spec, &instantsOf{})
	require.True(t, c.HasNodes())
	c.Advance(13 * time.Second)
	c.Scale(5)
	c.Advance(19 * time.Second)
	assert.Equal(t, NodeCounts{Ready: 1, Pending: 3}, c.NodeCounts())
	c.Advance(20 * time.Second) // the scan
	assert.Equal(t, NodeCounts{Ready: 1, Requested: 2, Pending: 3}, c.NodeCounts())
	c.Advance(25 * time.Second)
	c.Scale(4)
	c.Advance(140*time.Second - 1)
	assert.Equal(t, NodeCounts{Ready: 1, Requested: 2, Pending: 2}, c.NodeCounts())
	c.Advance(150 * time.Second)
	assert.Equal(t, NodeCounts{Ready: 3}, c.NodeCounts())
	const s = time.Second
	for _, p := range c.Pods(nil)[2:] { // the first of the two nodes takes both
		assert.Equal(t, []time.Duration{140 * s, 140 * s, 144 * s}, []time.Duration{p.ScheduledAt, p.StartedAt, p.ReadyAt})
		assert.Equal(t, int32(1), p.Node)
	}
	existed, requested := c.NodeTime()
	assert.Equal(t, []time.Duration{(150 + 2*130) * s}, existed)
	assert.Equal(t, 2, requested)
}

func TestPoolsDoNotGrowBeyondTheirMost(t *testing.T) {
	spec := housed()
	c := newCluster(t, spec, &instantsOf{})
	c.Scale(20)
	c.Advance(time.Hour)
	assert.Equal(t, NodeCounts{Ready: 4, Pending: 12}, c.NodeCounts())
	assert.Equal(t, int32(8), c.Replicas().Ready)
	spec.Nodes.Pools[0].Max = nil
	c = newCluster(t, spec, &instantsOf{})
	c.Scale(3)
	c.Advance(time.Hour)
	assert.Equal(t, NodeCounts{Ready: 1, Pending: 1}, c.NodeCounts(), "and a pool of a fixed size not at all")
	assert.Equal(t, int64(2), spec.Room())
}

func TestUnneededNodesAreRemoved(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Nodes)
		gone   time.Duration
	}{
		// Looked at every 10 s from 2000 s on; unneeded from 2010 s on.
		{"after ten minutes", func(*Nodes) {}, 2610 * time.Second},
		{"after a minute", func(n *Nodes) { n.Scaler.Unneeded = new(time.Minute) }, 2070 * time.Second},
		{"at once", func(n *Nodes) { n.Scaler.Unneeded = new(time.Duration) }, 2010 * time.Second},
		// Asked for at 10 s.
		{"not before an hour after the last was added", func(n *Nodes) { n.Scaler.AfterAdd = new(time.Hour) }, 3610 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec := housed()
			spec.Replicas = 2
			test.change(spec.Nodes)
			c := newCluster(t, spec, &instantsOf{})
			c.Scale(4)
			c.Advance(2000 * time.Second)
			require.Equal(t, NodeCounts{Ready: 2}, c.NodeCounts())
			c.Scale(1)
			c.Advance(test.gone - 1)
			require.Equal(t, NodeCounts{Ready: 2}, c.NodeCounts())
			c.Advance(test.gone)
			assert.Equal(t, NodeCounts{Ready: 1}, c.NodeCounts())
			existed, _ := c.NodeTime()
			assert.Equal(t, []time.Duration{2*test.gone - 10*time.Second}, existed)
			c.Advance(3 * time.Hour)
			assert.Equal(t, NodeCounts{Ready: 1}, c.NodeCounts(), "the least number stays")
		})
	}
}

func TestANodeThatIsLittleUsedIsDrained(t *testing.T) {
	spec := housed()
	spec.Replicas = 2
	spec.Nodes.Pools[0].Count, spec.Nodes.Pools[0].Min = 2, new(1)
	c := newCluster(t, spec, &instantsOf{})
	c.Advance(time.Hour)
	// One pod on each: 5/12 of the CPU is below a half. Both fit on either; the first one
	// is removed.
	assert.Equal(t, []int32{1, 1}, nodesOf(c))
	assert.Equal(t, seconds64(610), changes(c, 0, Draining))
	spec.Nodes.Scaler.Utilization = new(0.4)
	c = newCluster(t, spec, &instantsOf{})
	c.Advance(time.Hour)
	assert.Equal(t, []int32{0, 1}, nodesOf(c), "not if that counts as much")
}

func nodesOf(c *Cluster) (on []int32) {
	for _, p := range c.Pods(nil) {
		on = append(on, p.Node)
	}
	return on
}

func TestPlaceholders(t *testing.T) {
	spec := housed()
	spec.Nodes.Headroom = 3
	c := newCluster(t, spec, &instantsOf{})
	c.Advance(200 * time.Second) // nodes for the two that found no room
	assert.Equal(t, NodeCounts{Ready: 2}, c.NodeCounts())
	c.Scale(4)
	assert.Equal(t, NodeCounts{Ready: 2}, c.NodeCounts())
	c.Advance(205 * time.Second)
	assert.Equal(t, int32(4), c.Replicas().Ready, "in the room of placeholders")
	c.Advance(400 * time.Second)
	assert.Equal(t, NodeCounts{Ready: 4}, c.NodeCounts(), "which look for room again")
	assert.Equal(t, int64(3), c.nodes.standing)
}

func TestALostNode(t *testing.T) {
	spec := housed()
	spec.Replicas, spec.PerPod.Concurrency, spec.PerPod.ServiceTime = 2, 10, random.Constant(30*time.Millisecond)
	spec.Nodes.Pools[0].Count, spec.Nodes.Pools[0].Max = 2, nil
	var l instantsOf
	for at := 50 * time.Millisecond; at < 100*time.Second; at += 100 * time.Millisecond {
		l = append(l, at)
	}
	c := newCluster(t, spec, &l)
	c.Reach(10 * time.Second)
	assert.Equal(t, 1, c.LoseNodes(1, draw()))
	assert.Equal(t, 1, c.Unready(5, c.Now(), draw()), "who is dead fails no probe")
	c.Advance(60*time.Second - 1)
	assert.Equal(t, int32(2), c.Replicas().Ready, "the API does not know")
	assert.Equal(t, Counters{Arrived: 600, Completed: 350, Failed: 250}, c.Counters(), "every second one of 50 s")
	c.Advance(100 * time.Second)
	assert.Equal(t, Counters{Arrived: 1000, Completed: 750, Failed: 250}, c.Counters())
	assert.Equal(t, NodeCounts{Ready: 1, Lost: 1, Requested: 1}, c.NodeCounts())
	c.Advance(360*time.Second - 1)
	assert.Equal(t, NodeCounts{Ready: 2, Lost: 1}, c.NodeCounts())
	assert.Len(t, c.pods, 2)
	c.Advance(400 * time.Second)
	assert.Equal(t, lived{360 * time.Second, 360 * time.Second, 364 * time.Second}, livesOf(c)[2], "evicted after five minutes")
	assert.Equal(t, NodeCounts{Ready: 2}, c.NodeCounts())
	existed, requested := c.NodeTime()
	assert.Equal(t, []time.Duration{(400 + 360 + 340) * time.Second}, existed)
	assert.Equal(t, 1, requested)
}

func TestWhatTerminatesOnALostNodeIsGone(t *testing.T) {
	spec := housed()
	spec.PerPod.ServiceTime = random.Constant(time.Minute)
	c := newCluster(t, spec, arrivals(1, time.Second))
	c.Advance(2 * time.Second)
	c.Scale(0)
	require.Len(t, c.Pods(nil), 1)
	c.LoseNodes(1, draw())
	assert.Empty(t, c.Pods(nil))
	assert.Equal(t, Counters{Arrived: 1, Failed: 1}, c.Counters())
}

func TestAnInterruptedNode(t *testing.T) {
	spec := housed()
	spec.GracePeriod, spec.PerPod.ServiceTime = 5*time.Minute, random.Constant(200*time.Second)
	spec.Nodes.MinAvailable = new(int32(1))
	c := newCluster(t, spec, arrivals(1, 5*time.Second))
	c.Reach(10 * time.Second)
	assert.Equal(t, 1, c.InterruptNodes(3, 2*time.Minute, draw()))
	c.Advance(10 * time.Second)
	// The budget does not count. The other pod waits for the other node, which comes
	// when this one goes, with what it has not finished.
	assert.Equal(t, NodeCounts{Requested: 1, Leaving: 1, Pending: 1}, c.NodeCounts())
	c.Advance(130*time.Second - 1)
	assert.Equal(t, Counters{Arrived: 1, InFlight: 1}, c.Counters())
	c.Advance(140 * time.Second)
	assert.Equal(t, Counters{Arrived: 1, Failed: 1}, c.Counters())
	assert.Equal(t, NodeCounts{Ready: 1}, c.NodeCounts())
	assert.Equal(t, lived{130 * time.Second, 130 * time.Second, 134 * time.Second}, livesOf(c)[1])

	spec.Replicas = 0
	c = newCluster(t, spec, &instantsOf{})
	c.InterruptNodes(1, 2*time.Minute, draw())
	assert.Equal(t, NodeCounts{Requested: 1}, c.NodeCounts(), "an empty node goes at once")
	c.Advance(time.Hour)
	assert.Equal(t, NodeCounts{Ready: 1}, c.NodeCounts())
}

func TestADrainAsksTheBudgetEveryFiveSeconds(t *testing.T) {
	spec := housed()
	spec.Replicas = 2
	spec.Nodes.Pools[0].Count = 2
	spec.Nodes.Packing = "pack"
	spec.Nodes.MinAvailable = new(int32(1))
	spec.Lifecycle.Start = random.Constant(7 * time.Second)
	c := newCluster(t, spec, &instantsOf{})
	c.Reach(10 * time.Second)
	require.Equal(t, []int32{0, 0}, nodesOf(c))
	assert.Equal(t, 2, c.DrainNodes(9, draw()), "both: the empty one is gone at once")
	c.Advance(10 * time.Second)
	assert.Equal(t, NodeCounts{Requested: 2, Leaving: 1, Pending: 1}, c.NodeCounts())
	c.Advance(time.Hour)
	// One is evicted at 10 s; its successor finds a node at 130 s and is Ready at 137 s.
	// The other one goes at the next try, at 140 s.
	assert.Equal(t, []lived{{130 * time.Second, 130 * time.Second, 137 * time.Second}, {140 * time.Second, 140 * time.Second, 147 * time.Second}}, livesOf(c)[2:])
	assert.Equal(t, 140*time.Second, c.pods[1].DeletedAt)
}

func TestTheBudgetAndPodsThatAreNotReady(t *testing.T) {
	spec := housed()
	spec.Replicas = 2
	spec.Nodes.MinAvailable = new(int32(2))
	c := newCluster(t, spec, &instantsOf{})
	c.Reach(10 * time.Second)
	c.Crash(1, draw())
	c.DrainNodes(1, draw())
	c.Advance(13 * time.Second)
	assert.Len(t, c.pods, 2, "one that only runs is kept while too few are Ready")
	*c.nodes.spec.MinAvailable = 1
	c.Advance(20 * time.Second)
	assert.Len(t, c.pods, 3, "at 15 s both are, of which one may go")
}

func TestScaleDownTakesTheFullerNodeFirst(t *testing.T) {
	spec := housed()
	spec.Replicas, spec.Nodes.Packing = 3, "pack"
	spec.Nodes.Pools[0].Count = 2
	c := newCluster(t, spec, &instantsOf{})
	require.Equal(t, []int32{0, 0, 1}, nodesOf(c))
	c.Advance(time.Minute)
	c.Scale(2)
	assert.Equal(t, []int32{0, 1}, nodesOf(c))
}

func TestScaleDownTakesWhatWasStartedMoreOftenFirst(t *testing.T) {
	spec := stormy()
	spec.Replicas = 2
	c := newCluster(t, spec, &instantsOf{})
	for _, at := range seconds64(1, 2) {
		c.Reach(at)
		c.crash(&c.pods[1])
		c.Advance(at)
	}
	c.crash(&c.pods[0])
	c.Scale(1)
	assert.Equal(t, Gone, c.pods[1].State, "neither is Ready, and it has ended twice")
}

func TestElasticAndServerlessRunOnNoNodes(t *testing.T) {
	spec := housed()
	spec.Elastic = true
	c := newCluster(t, spec, arrivals(1, time.Second))
	c.Advance(1500 * time.Millisecond)
	c.Rollout()
	assert.Zero(t, c.Crash(1, draw())+c.Unready(1, time.Hour, draw())+c.LoseNodes(1, draw())+c.InterruptNodes(1, 0, draw())+c.DrainNodes(1, draw()))
	assert.False(t, c.HasNodes())
	existed, requested := c.NodeTime()
	assert.Nil(t, existed)
	assert.Zero(t, requested)
	c.Advance(time.Hour)
	assert.Equal(t, Counters{Arrived: 1, Completed: 1}, c.Counters())
	assert.False(t, c.RollingOut())
}

func TestBytes(t *testing.T) {
	var b Bytes
	require.NoError(t, b.UnmarshalText([]byte("14Gi")))
	assert.Equal(t, Bytes(14<<30), b)
	assert.Equal(t, "14Gi", b.EncodeValue())
	for _, bad := range []string{"", "much", "0", "-1Gi"} {
		assert.EqualError(t, b.UnmarshalText([]byte(bad)), `found "`+bad+`", expected an amount of memory, such as 14Gi`)
	}
}

func TestBadNodesAreRefused(t *testing.T) {
	for _, test := range []struct {
		change func(*Nodes)
		want   string
	}{
		{func(n *Nodes) { n.Pools = nil }, "nodes.pools: found 0 pools, expected 1 to 100"},
		{func(n *Nodes) { n.Pools = make([]Pool, 101) }, "nodes.pools: found 101 pools, expected 1 to 100"},
		{func(n *Nodes) { n.Packing = "tight" }, `nodes.packing: found "tight", expected spread or pack`},
		{func(n *Nodes) { n.Pools = append(n.Pools, n.Pools[0]) }, `nodes.pools[1].name: found a second pool "pool", expected different names`},
		{func(n *Nodes) { n.Pools[0].CPU = 0 }, "nodes.pools[0].cpu: found 0, expected 0.001 to 10000"},
		{func(n *Nodes) { n.Pools[0].CPU = 1.0001 }, "nodes.pools[0].cpu: found 1.0001, expected at most three decimals"},
		{func(n *Nodes) { n.Pools[0].Memory = 0 }, "nodes.pools[0].memory: found 0, expected more than nothing, up to 1Pi"},
		{func(n *Nodes) { n.Pools[0].Pods = -1 }, "nodes.pools[0].pods: found -1, expected 1 to 1000"},
		{func(n *Nodes) { n.Pools[0].Min = new(-1) }, "nodes.pools[0]: found -1 to 4 nodes, expected 0 to 10000"},
		{func(n *Nodes) { n.Pools[0].Max = new(10_001) }, "nodes.pools[0]: found 1 to 10001 nodes, expected 0 to 10000"},
		{func(n *Nodes) { n.Pools[0].HourPrice = new(-1.0) }, "nodes.pools[0].hourPrice: found -1, expected 0 or more"},
		{func(n *Nodes) { n.Pools[0].Count = 5 }, "nodes.pools[0].count: found 5, expected min to max, which are 4 and 4"},
		{func(n *Nodes) { n.Pools[0].Min = new(2) }, "nodes.pools[0].count: found 1, expected min to max, which are 2 and 4"},
		{func(n *Nodes) { n.Pools[0].Provision = random.Spec{Dist: "odd"} }, `nodes.pools[0].provision.dist: found "odd", expected`},
		{func(n *Nodes) { n.Scaler.Scan = time.Millisecond }, "nodes.autoscaler.scan: found 1ms, expected 1s to 720h0m0s"},
		{func(n *Nodes) { n.Scaler.Unneeded = new(time.Duration(-1)) }, "nodes.autoscaler.unneeded: found -1ns, expected 0s to 720h0m0s"},
		{func(n *Nodes) { n.Scaler.AfterAdd = new(time.Duration(-1)) }, "nodes.autoscaler.afterAdd: found -1ns, expected 0s to 720h0m0s"},
		{func(n *Nodes) { n.Scaler.Utilization = new(1.5) }, "nodes.autoscaler.utilization: found 1.5, expected 0 to 1"},
		{func(n *Nodes) { n.NotReadyAfter = new(time.Duration(-1)) }, "nodes.notReadyAfter: found -1ns, expected 0s to 720h0m0s"},
		{func(n *Nodes) { n.EvictAfter = new(721 * time.Hour) }, "nodes.evictAfter: found 721h0m0s, expected 0s to 720h0m0s"},
		{func(n *Nodes) { n.Headroom = -1 }, "nodes.headroom: found -1, expected 0 to 10000"},
		{func(n *Nodes) { n.MinAvailable = new(int32(-1)) }, "nodes.minAvailable: found -1, expected 0 to 100000"},
		{func(n *Nodes) { n.Pools[0].CPU = 0.4 }, "nodes.pools[0].cpu: found 0.4 cores and 5000, expected room for a pod, which requests 500m and 1k"},
		{func(n *Nodes) { n.Pools[0].Memory = 999 }, "nodes.pools[0].cpu: found 1.2 cores and 999, expected room for a pod, which requests 500m and 1k"},
		{func(n *Nodes) { n.Pools[0].Count, n.Pools[0].Min = 0, new(0) }, "nodes.pools: found room for 0 pods at time 0, expected it for 1, which are Ready then"},
	} {
		spec := housed()
		test.change(spec.Nodes)
		assert.ErrorContains(t, spec.Validate(), test.want)
	}
	spec := housed()
	spec.Nodes.Pools[0].CPU, spec.Elastic = 0.1, true
	assert.NoError(t, spec.Validate(), "an elastic cluster has no pods on nodes")
}
