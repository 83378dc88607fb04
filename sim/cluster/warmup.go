package cluster

import (
	"math/bits"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/random"
)

// WarmUp is how much slower a pod is after it has become Ready: caches are
// cold, code is not compiled yet. A request whose service begins at the age a
// of the pod takes
//
//	1 + (slowdown - 1) (1 - a / for)
//
// times its service time, rounded down to the nanosecond, and from the age
// `for` on its service time. Pods that are Ready at time 0 are warm.
type WarmUp struct {
	For      time.Duration `yaml:"for" doc:"Ready to warm"`
	Slowdown float64       `yaml:"slowdown" min:"1" max:"100" doc:"how many times longer a request takes when it begins just as the pod has become Ready; falls linearly to 1"`
}

// Validate reports everything in the section `warmUp` that cannot be used.
func (w WarmUp) Validate() error {
	var problems messages.Problems
	if w.For < 0 || w.For > 24*time.Hour {
		problems.Addf("for", "found %s, expected 0s to 24h", w.For)
	}
	switch {
	case !(w.Slowdown >= 1 && w.Slowdown <= 100):
		problems.Addf("slowdown", "found %g, expected 1 to 100", w.Slowdown)
	case !InThousandths(w.Slowdown):
		problems.Addf("slowdown", "found %g, expected at most three decimals", w.Slowdown)
	}
	return problems.Err()
}

// warmUp is a WarmUp in whole numbers; the zero value is none.
type warmUp struct {
	length time.Duration
	extra  uint64 // thousandths by which service is longer at first
}

func newWarmUp(w *WarmUp) warmUp {
	if w == nil {
		return warmUp{}
	}
	return warmUp{length: w.For, extra: thousandths(w.Slowdown) - 1000}
}

// end is when a pod is warm that becomes Ready now.
func (w warmUp) end(now time.Duration) time.Duration {
	if now == 0 {
		return 0
	}
	return now + w.length
}

// stretched is the service time of a request that begins at an age of its pod.
func (w warmUp) stretched(service, age time.Duration) time.Duration {
	if age >= w.length {
		return service
	}
	// At most 24h * 99,000 in nanoseconds, which fits in 63 bits.
	high, low := bits.Mul64(uint64(service), uint64(w.length-age)*w.extra)
	all := 1000 * uint64(w.length)
	if high >= all {
		return random.MaxDraw
	}
	more, _ := bits.Div64(high, low, all)
	return service + time.Duration(min(more, uint64(random.MaxDraw-service)))
}
