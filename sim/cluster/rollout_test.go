package cluster

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/sim/random"
)

// rolling is stormy with so many pods that are replaced so.
func rolling(replicas int32, u Update) Spec {
	spec := stormy()
	spec.Replicas, spec.Update = replicas, u
	return spec
}

// sizes are the pods of every template that do not terminate, and how many are Ready.
func sizes(c *Cluster) (created, ready map[uint16]int) {
	created, ready = map[uint16]int{}, map[uint16]int{}
	for i := range c.pods {
		if p := &c.pods[i]; p.State < Draining {
			created[p.Template]++
			if p.State == Ready {
				ready[p.Template]++
			}
		}
	}
	return created, ready
}

func number(n int32) Share  { return Share{Number: n} }
func percent(n int32) Share { return Share{Number: n, Percent: true} }

func TestBoundsOfARollout(t *testing.T) {
	for _, test := range []struct {
		u                          Update
		desired, surge, unavailble int32
	}{
		{Update{MaxSurge: percent(25), MaxUnavailable: percent(25)}, 10, 3, 2},
		{Update{MaxSurge: percent(25), MaxUnavailable: percent(25)}, 1, 1, 0},
		{Update{MaxSurge: number(0), MaxUnavailable: percent(25)}, 3, 0, 1},
		{Update{MaxSurge: number(2), MaxUnavailable: number(5)}, 3, 2, 3},
		{Update{}, 10, 0, 1},
		{Update{}, 0, 0, 0},
	} {
		surge, unavailable := test.u.bounds(test.desired)
		assert.Equal(t, []int32{test.surge, test.unavailble}, []int32{surge, unavailable}, "%+v", test)
	}
}

func TestARolloutOneByOne(t *testing.T) {
	c := newCluster(t, rolling(3, Update{MaxSurge: number(1)}), &instantsOf{})
	c.Advance(10 * time.Second)
	c.Rollout()
	require.True(t, c.RollingOut())
	for n, at := range seconds64(10, 14, 18) { // a pod takes 4 s
		c.Advance(at)
		created, ready := sizes(c)
		assert.Equal(t, map[uint16]int{0: 3 - n, 1: n + 1}, created, "at %s", at)
		assert.Equal(t, 3, ready[0]+ready[1])
	}
	c.Advance(22 * time.Second)
	created, _ := sizes(c)
	assert.Equal(t, map[uint16]int{1: 3}, created)
	assert.False(t, c.RollingOut())
	assert.Equal(t, int32(3), c.Replicas().Created)
}

func TestARolloutByQuarters(t *testing.T) {
	c := newCluster(t, rolling(10, Update{MaxSurge: percent(25), MaxUnavailable: percent(25), MinReady: 6 * time.Second}), &instantsOf{})
	c.Rollout() // pods of time 0 are available after 6 s
	created, _ := sizes(c)
	assert.Equal(t, map[uint16]int{0: 8, 1: 5}, created, "3 more, 2 less, and 2 more in their place")
	for _, step := range []struct {
		at         time.Duration
		old, young int
	}{{6 * time.Second, 8, 5}, {10*time.Second - 1, 8, 5}, {10 * time.Second, 3, 10}, {20 * time.Second, 0, 10}} {
		c.Advance(step.at)
		created, _ := sizes(c)
		assert.Equal(t, []int{step.old, step.young}, []int{created[0], created[1]}, "at %s", step.at)
	}
}

func TestMinReadySeconds(t *testing.T) {
	c := newCluster(t, rolling(2, Update{MaxSurge: number(1), MinReady: 6 * time.Second}), &instantsOf{})
	c.Advance(20 * time.Second)
	c.Rollout()
	c.Advance(30*time.Second - 1)
	created, ready := sizes(c)
	assert.Equal(t, map[uint16]int{0: 2, 1: 1}, created)
	assert.Equal(t, map[uint16]int{0: 2, 1: 1}, ready, "Ready since 24 s, available at 30 s")
	c.Advance(30 * time.Second)
	created, _ = sizes(c)
	assert.Equal(t, map[uint16]int{0: 1, 1: 2}, created)

	c = newCluster(t, rolling(1, Update{MaxSurge: number(1), MaxUnavailable: number(0), MinReady: 6 * time.Second}), &instantsOf{})
	c.Advance(time.Second)
	c.Scale(2)
	c.Advance(7 * time.Second)
	c.Rollout() // when one is Ready for 2 s
	c.Advance(time.Minute)
	assert.False(t, c.RollingOut())
}

func TestRecreate(t *testing.T) {
	spec := rolling(3, Update{Recreate: true})
	spec.PreStop = 2 * time.Second
	c := newCluster(t, spec, &instantsOf{})
	c.Advance(10 * time.Second)
	c.Rollout()
	created, _ := sizes(c)
	assert.Empty(t, created)
	c.Advance(11 * time.Second)
	c.Scale(5)
	created, _ = sizes(c)
	assert.Empty(t, created, "not before the old ones are gone")
	c.Advance(12 * time.Second)
	created, _ = sizes(c)
	assert.Equal(t, map[uint16]int{1: 5}, created)
	assert.False(t, c.RollingOut())
}

func TestScalingInTheMiddleOfARollout(t *testing.T) {
	for _, test := range []struct {
		to         int32
		old, young int
	}{
		// 8 old and 5 new ones, of 13. To 20: 25 in all; 12 more, 10 of which are new: 5 * 25/13 = 9.6.
		{20, 15, 10},
		{5, 4, 3},
		{0, 0, 0},
	} {
		c := newCluster(t, rolling(10, Update{MaxSurge: percent(25), MaxUnavailable: percent(25)}), &instantsOf{})
		c.Advance(10 * time.Second)
		c.Rollout()
		created, _ := sizes(c)
		require.Equal(t, map[uint16]int{0: 8, 1: 5}, created)
		c.Advance(11 * time.Second)
		c.Scale(test.to)
		want := map[uint16]int{}
		if test.old > 0 {
			want = map[uint16]int{0: test.old, 1: test.young}
		}
		created, _ = sizes(c)
		assert.Equal(t, want, created, "to %d", test.to)
		c.Advance(time.Minute)
		created, ready := sizes(c)
		assert.Equal(t, int(test.to), created[1])
		assert.Equal(t, created, ready)
		assert.False(t, c.RollingOut())
	}
}

func TestARolloutOvertakesAnother(t *testing.T) {
	c := newCluster(t, rolling(4, Update{MaxSurge: number(1)}), &instantsOf{})
	c.Advance(10 * time.Second)
	c.Rollout()
	c.Advance(15 * time.Second)
	c.Rollout()
	created, _ := sizes(c)
	// One pod of the first rollout is Ready and another one starts: that one goes at once.
	assert.Equal(t, map[uint16]int{0: 3, 1: 1, 2: 1}, created)
	c.Advance(time.Minute)
	created, _ = sizes(c)
	assert.Equal(t, map[uint16]int{2: 4}, created)
}

func TestPodsThatAreOfNoUseGoFirst(t *testing.T) {
	c := newCluster(t, rolling(4, Update{MaxUnavailable: number(1)}), &instantsOf{})
	c.Reach(10 * time.Second)
	c.Crash(1, draw())
	c.Rollout()
	created, ready := sizes(c)
	assert.Equal(t, map[uint16]int{0: 3, 1: 1}, created)
	assert.Equal(t, map[uint16]int{0: 3}, ready, "the one that is started again is deleted")
}

func TestScaleToNoneDuringARollout(t *testing.T) {
	spec := rolling(2, Update{MaxSurge: number(1)})
	spec.Lifecycle.Start = random.Constant(time.Hour)
	c := newCluster(t, spec, &instantsOf{})
	c.Advance(10 * time.Second)
	c.Rollout()
	c.Scale(0)
	assert.False(t, c.RollingOut())
	c.Scale(2)
	created, _ := sizes(c)
	assert.Equal(t, map[uint16]int{1: 2}, created)
}
