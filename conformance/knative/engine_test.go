package knative

import (
	"flag"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

var (
	seedFlag  = flag.Uint64("seed", 0, "the first world's seed; 0: the day's date")
	ticksFlag = flag.Int("ticks", 20_000, "stop the engine's worlds after so many ticks")
)

// firstSeed is that of the flag, or of the day.
func firstSeed(t *testing.T) uint64 {
	seed := *seedFlag
	if seed == 0 {
		y, m, d := time.Now().Date()
		seed = uint64(y*10_000+int(m)*100+d) * 1_000_000
	}
	t.Logf("worlds from seed %d on", seed)
	return seed
}

// expectedOfEngine are what no long run may leave at zero.
var expectedOfEngine = `
tick:invalid tick:poked panic:begins panic:ends excess:negative excess:zero excess:positive desired:0 desired:hundreds
scrape:sampled scrape:failing step:metric step:policy step:clamp step:panic step:window
revision:unreachable revision:containerConcurrency
` + expectedManifests

// TestConformanceEngine plays random worlds to the real engine and ours.
func TestConformanceEngine(t *testing.T) {
	seed, begun := firstSeed(t), time.Now()
	counts := newTally()
	ticks, worlds, wrong := 0, 0, 0
	for ; ticks < *ticksFlag && wrong < 3; seed++ {
		var n int
		var err error
		synctest.Test(t, func(*testing.T) { n, err = newEngineWorld(seed).run(counts) })
		if err != nil {
			wrong++
			t.Error(err)
		}
		worlds++
		ticks += n
	}
	t.Log(counts)
	t.Logf("%d worlds, %d ticks compared, %d mismatches, %.1f s", worlds, ticks, wrong, time.Since(begun).Seconds())
	if *ticksFlag >= 100_000 && wrong == 0 {
		assert.Empty(t, counts.unmet(expectedOfEngine), "none of what a world can have is left out")
	}
}
