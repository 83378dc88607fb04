package cluster

import (
	"math/bits"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/random"
)

// Probe is one of a container's probes. The kubelet probes when it starts to, and
// then every Period; it leaves out what comes before InitialDelay.
type Probe struct {
	InitialDelay time.Duration
	Period       time.Duration
	Timeout      time.Duration
	Failures     int // in a row, after which it has failed
	Successes    int // in a row, after which it has succeeded; only of readiness more than one
}

// Probes are those of a pod's container. Without one for readiness a pod is Ready
// as soon as it can serve.
//
// The startup probe begins with the container, the others when it has succeeded. All
// fail until the application can serve, which Lifecycle.Start says. A container
// whose startup or liveness probe fails is killed, and started again; what it holds
// is lost at once.
//
// It ignores the second or so that the kubelet takes to look at a container again.
// Source: pkg/kubelet/prober in Kubernetes 1.37.
type Probes struct {
	Startup, Readiness, Liveness *Probe
	// Queued lets probes wait for their turn in the pod, as requests do: a probe fails
	// if a request that came before it still waits when the probe's timeout ends.
	// Otherwise a pod that can serve answers at once, however busy it is.
	Queued bool
}

// first is the first tick of the grid from an instant on at which the probe counts.
func (p *Probe) first(from time.Duration) time.Duration {
	return from + ceilTo(p.InitialDelay, p.Period)
}

// next is the first tick of the grid from an instant on that is not before another
// instant.
func (p *Probe) next(from, at time.Duration) time.Duration {
	return max(p.first(from), from+ceilTo(at-from, p.Period))
}

// succeeds is when the probe has succeeded that began at an instant, of a container
// that can serve from another one on.
func (p *Probe) succeeds(from, up time.Duration) time.Duration {
	return p.next(from, up) + time.Duration(p.Successes-1)*p.Period
}

// fails is when the probe has failed that began at an instant, of a container that
// cannot serve from the instant since on.
func (p *Probe) fails(from, since time.Duration) time.Duration {
	return p.next(from, since) + time.Duration(p.Failures-1)*p.Period
}

// ceilTo is d rounded up to a multiple; of what is past, 0.
func ceilTo(d, multiple time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return (d + multiple - 1) / multiple * multiple
}

func (p *Probe) validate() error {
	if p == nil {
		return nil
	}
	var problems messages.Problems
	problems.Add(checkDelay("initialDelaySeconds", p.InitialDelay))
	for _, d := range []struct {
		field string
		value time.Duration
	}{{"periodSeconds", p.Period}, {"timeoutSeconds", p.Timeout}} {
		if d.value <= 0 || d.value > maxDelay {
			problems.Addf(d.field, "found %s, expected more than 0s, up to %s", d.value, maxDelay)
		}
	}
	for _, n := range []struct {
		field string
		value int
	}{{"failureThreshold", p.Failures}, {"successThreshold", p.Successes}} {
		if n.value < 1 || n.value > maxThreshold {
			problems.Addf(n.field, "found %d, expected 1 to %d", n.value, maxThreshold)
		}
	}
	return problems.Err()
}

// maxThreshold keeps instants from overflowing: thresholds times periods.
const maxThreshold = 1000

func (p Probes) validate() error {
	var problems messages.Problems
	problems.Add(messages.Under("startupProbe", p.Startup.validate()))
	problems.Add(messages.Under("readinessProbe", p.Readiness.validate()))
	problems.Add(messages.Under("livenessProbe", p.Liveness.validate()))
	return problems.Err()
}

// Slow is a stretch in which requests take longer, as when a service that they
// depend on does: those whose service begins in it take Factor times their service
// time, rounded down to the nanosecond.
type Slow struct {
	From, To time.Duration
	Factor   float64
}

// slowEnd is when the last of the slow stretches ends.
func (s *Spec) slowEnd() time.Duration {
	if len(s.Slow) == 0 {
		return 0
	}
	return s.Slow[len(s.Slow)-1].To
}

// leaving is Deregister with its default.
func (l Lifecycle) leaving() random.Spec {
	if l.Deregister.Dist == "" {
		return random.Constant(0)
	}
	return l.Deregister
}

// lingers says whether pods can get requests after they have been deleted.
func (s *Spec) lingers() bool {
	dist, err := random.New(s.Lifecycle.leaving())
	return err == nil && dist.Mean() > 0
}

// slowed is the service time of a request whose service begins at an instant before
// the pod's warmAt.
func (c *Cluster) slowed(p *pod, service, start time.Duration) time.Duration {
	return c.spec.slowedAt(c.lifecycle.warmUp.stretched(service, start-p.agesFrom), start)
}

func (s *Spec) slowedAt(service, start time.Duration) time.Duration {
	for i := range s.Slow {
		if slow := &s.Slow[i]; slow.From <= start && start < slow.To {
			return multiplied(service, slow.Factor)
		}
	}
	return service
}

// multiplied is a duration times a factor in thousandths, at most random.MaxDraw.
func multiplied(d time.Duration, factor float64) time.Duration {
	high, low := bits.Mul64(uint64(d), thousandths(factor))
	if high >= 1000 {
		return random.MaxDraw
	}
	product, _ := bits.Div64(high, low, 1000)
	return time.Duration(min(product, uint64(random.MaxDraw)))
}

func (s *Spec) validateSlow() error {
	var problems messages.Problems
	last := time.Duration(0)
	for _, slow := range s.Slow {
		if slow.From < last || slow.To < slow.From {
			problems.Addf("slow", "found a stretch from %s to %s, expected them in order and apart", slow.From, slow.To)
		}
		if !(slow.Factor >= 1 && slow.Factor <= maxFactor && InThousandths(slow.Factor)) {
			problems.Addf("slow", "found a factor of %g, expected 1 to %d with at most three decimals", slow.Factor, maxFactor)
		}
		last = slow.To
	}
	return problems.Err()
}

const maxFactor = 1000
