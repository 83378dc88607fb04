package knative

import (
	"flag"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

var minutesFlag = flag.Float64("minutes", 600, "stop the reconciler's worlds after so many simulated minutes")

// expectedOfReconciler are what no long run may leave at zero.
var expectedOfReconciler = `
active:True active:FalseNoTraffic active:UnknownQueued write:0 write:more path:direct path:proxy
because:asleep_at_the_last_tick because:enable-scale-to-zero_is_false because:idle,_and_the_activator_stands_in
because:idle,_but_active_for_less_than_the_stable_window because:idle,_but_by_the_activator_for_less_than_the_grace_period
because:idle,_but_the_activator_is_not_yet_in_the_way_of_requests because:idle,_but_the_first_pods_are_on_their_way
because:idle,_but_the_last_pod_is_retained because:initial-scale because:max-scale because:min-scale because:no_reports_to_judge_by
because:no_scale-down_in_panic because:scale-down-delay_keeps_the_count because:the_panic_window_asks_for_it
because:the_pods_did_not_become_ready_in_time because:the_stable_window_asks_for_it
world:new world:restarted pod:never pod:flapping ingress:late
revision:unreachable revision:containerConcurrency annotation:progress-deadline
` + expectedManifests

// reconcileWorld plays one world. Where a tick and a reconciliation fall on the same
// nanosecond, which of them comes first is the real code's own race; ours ticks first.
func reconcileWorld(t *testing.T, seed uint64, counts *tally) (compared int, minutes float64, err error) {
	w := newWorld(seed)
	synctest.Test(t, func(*testing.T) { compared, err = w.run(counts) })
	return compared, float64(w.seconds) / 60, err
}

// TestConformanceReconciler plays random worlds to the real controller and ours. A
// difference that is gone when the same world is played again is upstream's race.
func TestConformanceReconciler(t *testing.T) {
	seed, begun := firstSeed(t), time.Now()
	counts := newTally()
	compared, worlds, wrong, minutes := 0, 0, 0, 0.0
	for ; minutes < *minutesFlag && wrong < 3; seed++ {
		n, lasts, err := reconcileWorld(t, seed, counts)
		for again := 0; err != nil && again < 4; again++ {
			if _, _, other := reconcileWorld(t, seed, newTally()); other == nil {
				counts.when(true, "world:upstream_races")
				t.Logf("upstream does something else when the world is played again:\n%v", err)
				err = nil
			}
		}
		if err != nil {
			wrong++
			t.Error(err)
		}
		worlds++
		compared += n
		minutes += lasts
	}
	t.Log(counts)
	t.Logf("%d worlds, %.0f minutes, %d comparisons, %d mismatches, %.1f s", worlds, minutes, compared, wrong, time.Since(begun).Seconds())
	if *minutesFlag >= 5000 && wrong == 0 {
		assert.Empty(t, counts.unmet(expectedOfReconciler), "none of what a world can have is left out")
	}
}
