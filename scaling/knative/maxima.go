package knative

import (
	"math"
	"slices"
	"time"
)

// maxima gives the largest count of the last steps of time.
type maxima struct {
	// peaks are the counts that can still become the largest: each is smaller
	// and newer than the one before.
	peaks  []peak
	step   time.Duration
	window int64 // in steps
}

type peak struct {
	count int32
	step  int64
}

// newMaxima cover a window of at least one step.
func newMaxima(window, step time.Duration) *maxima {
	return &maxima{step: step, window: int64(math.Ceil(float64(window) / float64(step)))}
}

// record takes a count at an instant not before the last one, and gives the
// largest of the window.
func (m *maxima) record(now time.Time, count int32) int32 {
	step := now.Unix() / int64(m.step/time.Second)
	kept := len(m.peaks)
	for kept > 0 && m.peaks[kept-1].count <= count {
		kept--
	}
	outdated := 0
	for outdated < kept && step-m.peaks[outdated].step >= m.window {
		outdated++
	}
	m.peaks = slices.Delete(m.peaks[:kept], 0, outdated)
	// A step counts once, with the larger of what was recorded in it.
	if last := len(m.peaks) - 1; last < 0 || m.peaks[last].step != step {
		m.peaks = append(m.peaks, peak{count, step})
	}
	return m.peaks[0].count
}
