package hpa

import (
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

var (
	seedFlag    = flag.Uint64("seed", 0, "the first world's seed; 0: the day's date")
	syncsFlag   = flag.Int("syncs", 10_000, "stop after so many syncs")
	scriptsFlag = flag.String("scripts", "../../scaling/hpa/testdata/scripts", "the folder that gets a script of every mismatch")
)

// TestConformance plays random worlds to both sides.
func TestConformance(t *testing.T) {
	seed := *seedFlag
	if seed == 0 {
		y, m, d := time.Now().Date()
		seed = uint64(y*10_000+int(m)*100+d) * 1_000_000
	}
	t.Logf("worlds from seed %d on", seed)
	begun := time.Now()
	counts := newTally()
	syncs, worlds, wrong := 0, 0, 0
	for ; syncs < *syncsFlag && wrong < 3; seed++ {
		var n int
		var err error
		synctest.Test(t, func(*testing.T) { n, err = newWorld(seed).run(counts) })
		if err != nil {
			wrong++
			t.Error(err)
			save(t, err)
		}
		worlds++
		syncs += n
	}
	t.Log(counts)
	t.Logf("%d worlds, %d syncs compared, %d mismatches, %.1f s", worlds, syncs, wrong, time.Since(begun).Seconds())
	if *syncsFlag >= 100_000 && wrong == 0 {
		assert.Empty(t, counts.unmet(), "none of what a world can have is left out")
	}
}

// save keeps a mismatch for the tests of scaling/hpa.
func save(t *testing.T, err error) {
	var m *mismatch
	if !errors.As(err, &m) {
		return
	}
	file := filepath.Join(*scriptsFlag, fmt.Sprintf("seed-%d.yaml", m.world.seed))
	if err := m.script.Save(file); err != nil {
		t.Error(err)
		return
	}
	t.Logf("saved as %s", file)
}
