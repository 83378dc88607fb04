package knative

import (
	"flag"
	"testing"
	"testing/synctest"
	"time"
)

var minutesFlag = flag.Float64("minutes", 60, "stop the reconciler's worlds after so many simulated minutes")

// TestReconciler plays random worlds to the real controller and ours.
func TestReconciler(t *testing.T) {
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
}
