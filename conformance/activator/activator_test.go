package activator

import (
	"flag"
	"testing"
	"testing/synctest"
	"time"
)

var (
	seedFlag     = flag.Uint64("seed", 0, "the first world's seed; 0: the day's date")
	requestsFlag = flag.Int("requests", 8_000, "stop after so many requests")
)

// TestConformanceActivator plays random worlds to the real proxies and ours.
func TestConformanceActivator(t *testing.T) {
	seed, begun := *seedFlag, time.Now()
	if seed == 0 {
		y, m, d := begun.Date()
		seed = uint64(y*10_000+int(m)*100+d) * 1_000_000
	}
	t.Logf("worlds from seed %d on", seed)
	counts := counts{}
	requests, worlds, wrong := 0, 0, 0
	for ; requests < *requestsFlag && wrong < 3; seed++ {
		var n int
		var err error
		synctest.Test(t, func(*testing.T) { n, err = newWorld(seed).run(counts) })
		if err != nil {
			wrong++
			t.Error(err)
		}
		worlds++
		requests += n
	}
	t.Log(counts)
	t.Logf("%d worlds, %d requests compared, %d mismatches, %.1f s", worlds, requests, wrong, time.Since(begun).Seconds())
}
