package cluster

import (
	"math/bits"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/random"
)

// Probe is one of a container's probes. The kubelet probes when it begins to, and then
// every Period; it leaves out what comes before the container is InitialDelay old.
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
// It ignores the second or so that the kubelet takes to look at a container again, and
// that startup and liveness probes keep the ticks that they have had since the kubelet
// got to know of the pod. Source: pkg/kubelet/prober in Kubernetes 1.37, where only the
// readiness probe is run, and its ticks begin anew, when a container has started.
type Probes struct {
	Startup, Readiness, Liveness *Probe
	// Queued lets the probes of a pod that has become Ready wait for their turn in it, as
	// requests do: a probe is over when its timeout ends, and fails if a request that came
	// before it still waits then. Otherwise a pod that can serve answers at once, however
	// busy it is.
	Queued bool
}

// ticks are the instants at which a container is probed: from the beginning on, but not
// before the container is old enough.
type ticks struct{ begin, started time.Duration }

// next is the first tick that is not before an instant.
func (p *Probe) next(t ticks, at time.Duration) time.Duration {
	return t.begin + ceilTo(max(at, t.started+p.InitialDelay)-t.begin, p.Period)
}

// succeeds is when the probe has succeeded of a container that can serve from an
// instant on.
func (p *Probe) succeeds(t ticks, up time.Duration) time.Duration {
	return p.next(t, up) + time.Duration(p.Successes-1)*p.Period
}

// fails is when the probe has failed of a container that cannot serve from an instant
// on.
func (p *Probe) fails(t ticks, since time.Duration) time.Duration {
	return p.next(t, since) + time.Duration(p.Failures-1)*p.Period
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
	for _, one := range []struct {
		field string
		probe *Probe
	}{{"startupProbe", p.Startup}, {"livenessProbe", p.Liveness}} {
		if one.probe != nil && one.probe.Successes > 1 {
			problems.Addf(one.field+".successThreshold", "found %d, expected 1: only a readiness probe can have more", one.probe.Successes)
		}
	}
	return problems.Err()
}

// Slow is a stretch in which requests take longer, as when a service that they
// depend on does: those whose service begins in it take Factor times as long as
// otherwise, warm-up included, rounded down to the nanosecond.
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

// lingers says whether pods can get requests after they have been deleted. Activators
// know at once.
func (s *Spec) lingers() bool {
	dist, err := random.New(s.Lifecycle.leaving())
	return err == nil && dist.Mean() > 0 && s.Activators == nil
}

// steady says that a pod that is Ready stays so, with what it holds, until it is
// deleted.
func (s *Spec) steady() bool { return !s.Unsteady && !s.Probes.Queued }

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
