package knative

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// slowAverage looks at everything that was ever recorded.
type slowAverage struct {
	window, first, last int64
	sums                map[int64]float64
}

func (s *slowAverage) record(second int64, value float64) {
	if len(s.sums) > 0 && second <= s.last-s.window {
		return
	}
	if len(s.sums) == 0 || second >= s.last+s.window {
		s.sums, s.first, s.last = map[int64]float64{}, second, second
	}
	s.first, s.last = min(s.first, second), max(s.last, second)
	s.sums[second] += value
}

func (s *slowAverage) average(now int64) float64 {
	if len(s.sums) == 0 || now >= s.last+s.window {
		return 0
	}
	sum, seconds := 0.0, 0.0
	for second := max(s.first, s.last-s.window+1, now-s.window+1); second <= s.last; second++ {
		sum += s.sums[second]
		seconds++
	}
	return round6(sum / seconds)
}

// A window that is not full is not thinned by seconds before its first record.
func TestAveragesAgainstEverythingThatWasRecorded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		window := rapid.Int64Range(1, 12).Draw(t, "window")
		b := newBuckets(time.Duration(window)*time.Second, false)
		slow := slowAverage{window: window}
		now := rapid.SampledFrom([]int64{start.Unix(), -20}).Draw(t, "start")
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now += rapid.SampledFrom([]int64{0, 0, 1, 1, 1, 2, 5, 13}).Draw(t, "pass")
			if rapid.Bool().Draw(t, "record") {
				// Whole numbers, whose sums do not depend on their order.
				late := rapid.SampledFrom([]int64{0, 0, 0, 1, 3, 12}).Draw(t, "late")
				value := float64(rapid.IntRange(-3, 9).Draw(t, "value"))
				b.record(now-late, value)
				slow.record(now-late, value)
			}
			if got, want := b.average(now), slow.average(now); got != want {
				t.Fatalf("%v, expected %v", got, want)
			}
			if got, want := b.empty(now), len(slow.sums) == 0 || now > slow.last+window; got != want {
				t.Fatalf("empty: %v, expected %v", got, want)
			}
		}
	})
}

func TestWeightedAverageOfAGap(t *testing.T) {
	b := newBuckets(2*time.Second, true) // 1 - 0.0001^(1/2) = 0.99
	b.record(start.Unix(), 100)
	assert.InDelta(t, 99, b.average(start.Unix()), 1e-9)
	assert.InDelta(t, 0.99, b.average(start.Unix()+1), 1e-9)
	assert.Zero(t, b.average(start.Unix()+2), "no bucket is left")
	assert.Zero(t, b.average(start.Unix()+3), "no data")
}

func TestMaximaAgainstEverythingThatWasRecorded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steps := rapid.IntRange(1, 8).Draw(t, "steps in the window")
		m := newMaxima(time.Duration(steps)*period, period)
		type record struct {
			step  int64
			count int32
		}
		var all []record
		now := start
		for range rapid.IntRange(1, 60).Draw(t, "records") {
			now = now.Add(rapid.SampledFrom([]time.Duration{0, time.Second, period, period, 3 * period, 9 * period}).Draw(t, "pass"))
			count := rapid.Int32Range(0, 9).Draw(t, "count")
			all = append(all, record{now.Unix() / 2, count})
			want := count
			for _, r := range all {
				if r.step > now.Unix()/2-int64(steps) {
					want = max(want, r.count)
				}
			}
			if got := m.record(now, count); got != want {
				t.Fatalf("%d, expected %d", got, want)
			}
		}
		if len(m.peaks) > steps {
			t.Fatalf("%d counts are kept for %d steps", len(m.peaks), steps)
		}
	})
}

// A delay of 3 s is two ticks of 2 s.
func TestMaximaRoundUpToWholeSteps(t *testing.T) {
	m := newMaxima(3*time.Second, period)
	assert.EqualValues(t, 7, m.record(start, 7))
	assert.EqualValues(t, 7, m.record(after(2), 1))
	assert.EqualValues(t, 1, m.record(after(4), 1))
}
