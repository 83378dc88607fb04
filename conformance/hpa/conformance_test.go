package hpa

import (
	"flag"
	"testing"
	"testing/synctest"
	"time"
)

var (
	seedFlag  = flag.Uint64("seed", 0, "the first world's seed; 0: the day's date")
	syncsFlag = flag.Int("syncs", 10_000, "stop after so many syncs")
)

func TestOneWorld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1)
		n, err := w.run()
		t.Log(n, err)
	})
}

func TestConformance(t *testing.T) {
	seed := *seedFlag
	if seed == 0 {
		y, m, d := time.Now().Date()
		seed = uint64(y*10_000+int(m)*100+d) * 1_000_000
	}
	begun := time.Now()
	syncs, worlds, wrong := 0, 0, 0
	for ; syncs < *syncsFlag && wrong < 3; seed++ {
		synctest.Test(t, func(t *testing.T) {
			n, err := newWorld(seed).run()
			syncs += n
			if err != nil {
				wrong++
				t.Error(err)
			}
		})
		worlds++
	}
	t.Logf("%d worlds, %d syncs compared, %d mismatches, %.1f s", worlds, syncs, wrong, time.Since(begun).Seconds())
}
