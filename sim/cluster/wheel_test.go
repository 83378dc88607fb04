package cluster

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A wheel says who has left by every instant, whatever the distances.
func TestWheel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWheel()
		now := time.Duration(0)
		pending := map[int32]time.Duration{}
		scale := rapid.IntRange(0, 40).Draw(t, "scale")
		for id := range int32(rapid.IntRange(0, 9000).Draw(t, "leavings")) {
			state := uint64(id)*0x9e3779b97f4a7c15 ^ uint64(scale)<<32
			state ^= state >> 29
			at := now + time.Duration(state%(1<<scale+1))
			w.add(now, at, id)
			pending[id] = at
			if id%7 == 0 {
				scale = int(state>>40) % 41
			}
			now += time.Duration(state >> 20 % (1 << (scale / 2)))
			var want []int32
			for id, at := range pending {
				if at <= now {
					want = append(want, id)
					delete(pending, id)
				}
			}
			got := w.passed(now, nil)
			slices.Sort(got)
			slices.Sort(want)
			require.Equal(t, want, got, "at %s", now)
			require.Equal(t, len(pending), w.count)
		}
	})
}
