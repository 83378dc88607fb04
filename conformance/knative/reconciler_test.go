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

// TestConformanceReconciler plays random worlds to the real controller and ours.
func TestConformanceReconciler(t *testing.T) {
	seed, begun := firstSeed(t), time.Now()
	counts := newTally()
	compared, worlds, wrong, minutes := 0, 0, 0, 0.0
	for ; minutes < *minutesFlag && wrong < 3; seed++ {
		var n int
		var err error
		w := newWorld(seed)
		synctest.Test(t, func(*testing.T) { n, err = w.run(counts) })
		if err != nil {
			wrong++
			t.Error(err)
		}
		worlds++
		compared += n
		minutes += float64(w.seconds) / 60
	}
	t.Log(counts)
	t.Logf("%d worlds, %.0f minutes, %d comparisons, %d mismatches, %.1f s", worlds, minutes, compared, wrong, time.Since(begun).Seconds())
	if *minutesFlag >= 5000 && wrong == 0 {
		assert.Empty(t, counts.unmet(expectedOfReconciler), "none of what a world can have is left out")
	}
}
