// Package knative is the autoscaler of Knative Serving, the KPA, as a pure
// decision: reports of proxies and counts of pods in, a desired replica count
// and the way of the requests out.
//
// Modelled are config-autoscaler and all annotations of a revision; the
// collection of reports with its sampling; linear and weighted windows; the
// decision every 2 s with panic mode, rates, activation scale, scale-down delay
// and excess burst capacity; and the reconciler of the PodAutoscaler with its
// way to zero, probes of the activator included. What else Knative has in the
// way of a request, activator and queue-proxy, is not here.
//
// Not modelled: a revision that becomes unreachable, or whose annotations or
// configuration change, while it runs; scraping by way of a service mesh; API
// calls that fail; the informers' resync every ten hours.
//
// Source: knative.dev/serving v0.51.0, pkg/autoscaler, pkg/reconciler/autoscaling
// and pkg/apis/autoscaling.
package knative

import (
	"math"
	"time"

	"github.com/scalelab/scalelab/messages"
)

// Spec is a revision of the class kpa.autoscaling.knative.dev, and the
// configuration of the autoscaler that runs it.
type Spec struct {
	Revision Revision
	Config   Config
	// New says that the revision is created with the autoscaler: its initial
	// scale applies. Otherwise it has been there before, and the autoscaler
	// starts again: the PodAutoscaler is initialised, and is active since then
	// if it has ready pods.
	New bool
	// Unreachable says that no route leads to the revision: min-scale does not
	// hold, and nothing limits the rate of scaling down.
	Unreachable bool
	// Draw gives a number from 0 to n-1, each equally likely; it is what a stream
	// of random numbers calls IntN. Of more than four pods a sample is drawn.
	Draw func(n int) int
}

// Validate reports everything that makes the revision or the configuration
// unusable, as messages.Problems.
func (s Spec) Validate() error {
	var problems messages.Problems
	if s.Revision.Name == "" {
		problems.Addf("revision.name", "found none, expected the name of the revision or its Service")
	}
	problems.Add(messages.Under("revision.annotations", ValidateRevision(s.Revision.Annotations, s.Config)))
	if class := s.Revision.Class(s.Config); class != ClassKPA {
		problems.Addf("revision.annotations["+classAnnotation[0]+"]", "found %q, expected %s", class, ClassKPA)
	}
	if n := s.Revision.ContainerConcurrency; n < 0 || n > mostConcurrency {
		problems.Addf("revision.containerConcurrency", "found %d, expected 0 to %d", n, mostConcurrency)
	}
	if d := s.Revision.ProgressDeadline; d < 0 {
		problems.Addf("revision.progressDeadline", "found %v, expected at least 0s", d)
	}
	problems.Add(messages.Under("config", s.Config.Validate()))
	if s.Draw == nil {
		problems.Addf("draw", "found none, expected a source of numbers")
	}
	return problems.Err()
}

// InitialScale is the count that the Deployment of a new revision is created with.
func (s Spec) InitialScale() int32 { return newSettings(s).initial }

// MaxScale is the most pods that are ever wanted; 0: there is no limit.
func (s Spec) MaxScale() int32 { return newSettings(s).high }

// leastActivators are in the way of a revision's requests even if one could take
// them all.
const leastActivators = 2

// Activators is over how many activators the requests are spread while they come
// by them: with a capacity of 100 and a target burst of 211, 3 of them for one
// pod that could take 70.
func (s Spec) Activators(ready int32) int32 {
	n := newSettings(s)
	if n.burst == 0 {
		return leastActivators
	}
	load := float64(float64(ready) * n.total)
	if n.burst > 0 {
		load += n.burst
	}
	return toInt32(math.Max(leastActivators, math.Ceil(load/s.Config.ActivatorCapacity)))
}

// settings are what annotations and configuration come to.
type settings struct {
	metric    string
	weighted  bool
	target    float64 // per pod
	total     float64 // what a pod could take
	burst     float64 // target burst capacity
	threshold float64 // of the panic mode, as a multiple of what ready pods can take

	stable, panic time.Duration // windows
	delay         time.Duration // of scaling down

	up, down                       float64 // rates
	low, high, initial, activation int32
	reachable                      bool

	toZero    bool
	grace     time.Duration
	retention time.Duration // of the last pod
	activates time.Duration // longest time of an activation
}

const (
	bucketSize = time.Second
	// activationBuffer lets Kubernetes tell of a deadline before it takes effect here.
	activationBuffer = 30 * time.Second
)

// newSettings lays the annotations over the configuration.
func newSettings(s Spec) settings {
	c, a := s.Config, s.Revision.Annotations
	_, algorithm, _ := algorithmAnnotation.in(a)
	n := settings{
		weighted:  algorithm == weightedExponential || algorithm == oldWeighted,
		burst:     c.TargetBurstCapacity,
		threshold: c.PanicThresholdPercentage,
		stable:    c.StableWindow,
		delay:     c.ScaleDownDelay,
		up:        c.MaxScaleUpRate,
		down:      c.MaxScaleDownRate,
		low:       c.MinScale,
		high:      c.MaxScale,
		initial:   c.InitialScale,
		reachable: !s.Unreachable,
		toZero:    c.EnableScaleToZero,
		grace:     c.ScaleToZeroGracePeriod,
		retention: c.ScaleToZeroPodRetentionPeriod,
		activates: s.Revision.ProgressDeadline + activationBuffer,
	}
	n.metric, n.target, n.total = resolveTarget(s)
	burstAnnotation.number(a, &n.burst)
	panicThresholdAnnotation.number(a, &n.threshold)
	n.threshold /= 100
	windowAnnotation.duration(a, &n.stable)
	percentage := c.PanicWindowPercentage
	panicWindowAnnotation.number(a, &percentage)
	n.panic = max(time.Duration(float64(n.stable)*percentage/100).Round(bucketSize), bucketSize)
	delayAnnotation.duration(a, &n.delay)
	minScaleAnnotation.count(a, &n.low)
	maxScaleAnnotation.count(a, &n.high)
	activationScaleAnnotation.count(a, &n.activation)
	initialScaleAnnotation.count(a, &n.initial)
	retentionAnnotation.duration(a, &n.retention)
	if s.Unreachable {
		n.low, n.retention = 0, 0
	}
	return n
}

// resolveTarget is what a pod should have of the metric, and what it could
// take: with containerConcurrency 10, 7 of 10.
func resolveTarget(s Spec) (metric string, target, total float64) {
	c, a := s.Config, s.Revision.Annotations
	limit := float64(s.Revision.ContainerConcurrency)
	metric, total = concurrency, limit
	fraction := c.ConcurrencyTargetFraction
	if limit == 0 {
		total = c.ConcurrencyTargetDefault
	}
	if _, named, found := metricAnnotation.in(a); found {
		metric = named
	}
	if metric == rps {
		total, fraction = c.RPSTargetDefault, rpsTargetFraction
	}
	if targetAnnotation.number(a, &total) && metric == concurrency && limit != 0 {
		total = math.Min(total, limit)
	}
	if utilizationAnnotation.number(a, &fraction) {
		fraction /= 100
	}
	return metric, math.Max(leastTarget, float64(total*fraction)), total
}
