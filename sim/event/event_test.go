package event

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestQueueOrdersByTimePhaseAndInsertion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q Queue[int]
		type entry struct {
			at    time.Duration
			phase Phase
			n     int
		}
		var want []entry
		pushes := rapid.SliceOf(rapid.Custom(func(t *rapid.T) entry {
			return entry{
				at:    time.Duration(rapid.IntRange(0, 5).Draw(t, "at")),
				phase: Phase(rapid.IntRange(int(Faults), int(Samples)).Draw(t, "phase")),
			}
		})).Draw(t, "events")
		for n, e := range pushes {
			e.n = n
			want = append(want, e)
			q.Push(e.at, e.phase, n)
		}
		slices.SortStableFunc(want, func(a, b entry) int {
			if a.at != b.at {
				return int(a.at - b.at)
			}
			return int(a.phase) - int(b.phase)
		})
		for _, e := range want {
			require.Equal(t, e.at, q.Next())
			got := q.Pop()
			require.Equal(t, e, entry{got.At, got.Phase, got.Payload})
		}
		require.Equal(t, Never, q.Next())
		require.Zero(t, q.Len())
	})
}

func TestClock(t *testing.T) {
	start := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	c := NewClock(start)
	c.Set(90 * time.Second)
	assert.Equal(t, start.Add(90*time.Second), c.Now())
	assert.Equal(t, time.Minute, c.Since(start.Add(30*time.Second)))
	assert.Equal(t, 90*time.Second, c.Elapsed())
	assert.PanicsWithValue(t, "event: clock set back from 1m30s to 1m0s", func() { c.Set(time.Minute) })
}
