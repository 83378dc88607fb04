package cluster

import (
	"cmp"
	"math/bits"
	"time"
)

// CPU time is counted as effort, and only made CPU time of where it is looked at:
// the time given for each request or, without that, the service time, of which a
// pod's CPU request says how much CPU it takes.

// effort is what a request of the given service time takes in all.
func (c *Cluster) effort(service time.Duration) time.Duration {
	if each := c.spec.PerPod.CPUPerRequest; each != nil {
		return *each
	}
	return service
}

// effortOf is the part of the effort for a request that has received done of its
// service time.
func (c *Cluster) effortOf(service, done time.Duration) time.Duration {
	if each := c.spec.PerPod.CPUPerRequest; each != nil && service > 0 {
		return scaled(*each, int64(done), int64(service))
	}
	return done
}

// cpuTime is the CPU time of an effort. Under processor sharing the service time
// is CPU time; else a pod with all slots busy uses exactly its CPU request, or one
// core without one.
func (c *Cluster) cpuTime(effort time.Duration) time.Duration {
	if c.spec.PerPod.CPUPerRequest != nil || c.sharing.cpu > 0 {
		return effort
	}
	milli := cmp.Or(c.spec.CPURequestMilli, 1000)
	return scaled(effort, milli, 1000*int64(c.spec.PerPod.Concurrency))
}

// scaled is d * numerator / denominator, truncated, without overflow.
func scaled(d time.Duration, numerator, denominator int64) time.Duration {
	high, low := bits.Mul64(uint64(d), uint64(numerator))
	quotient, _ := bits.Div64(high, low, uint64(denominator))
	return time.Duration(quotient)
}
