package sim

import (
	"cmp"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/elasti"
	"github.com/scalelab/scalelab/scaling/hpa"
	"github.com/scalelab/scalelab/scaling/keda"
	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/metrics"
	"github.com/scalelab/scalelab/sim/metrics/adapter"
	"github.com/scalelab/scalelab/sim/traffic"
)

// Spec is one run: a workload, its traffic, and one strategy of scaling it.
type Spec struct {
	Scenario    string
	Description string // of the scenario, in a sentence
	Workload    string // name of the workload; pods are named after it
	Service     string // name of its Service; "": as the workload
	// Namespace is where both live; "": default.
	Namespace string
	Seed      uint64
	Start     time.Time     // the instant of time 0
	Duration  time.Duration // 0: as long as the traffic
	// MeasureFrom leaves a warm-up out of latency, wait and replica statistics.
	MeasureFrom time.Duration
	// SampleEvery is the interval of the timeline; 0 picks one that gives at
	// most about 500 samples.
	SampleEvery time.Duration
	Cluster     cluster.Spec
	Traffic     *traffic.Plan
	Pipeline    metrics.Pipeline
	Sources     map[string]metrics.Source
	// Adapter are the rules of a prometheus-adapter; nil: none, and Sources is asked.
	Adapter *adapter.Config
	// Series are what Prometheus finds beyond those of usual exporters.
	Series []metrics.Series
	// Requests are the resource requests of the pod template's containers.
	Requests []messages.ResourceRequest
	Strategy Strategy
	// Faults are what befalls the run.
	Faults []Fault
	// Gaps are the stretches in which metrics are not collected; those of the Faults
	// are added.
	Gaps []metrics.Gap
	// Prices are what the run is billed at; nil: no cost is given.
	Prices *Prices
	// Fleet makes this the run of many services; nil: of one.
	Fleet *Fleet
}

// Strategy is one way of scaling the workload. The zero value holds the
// workload's own replica count. HPA and Elasti may be given together.
type Strategy struct {
	Name     string
	Manifest string // what scales, in YAML, for people
	// Replicas fixes the count.
	Replicas *int32
	HPA      *hpa.Spec
	Elasti   *elasti.Spec
	// Keda makes an HPA of its own, so that it is alone.
	Keda *keda.Spec
	// Knative makes the workload a revision. HPA is then the one that Knative makes
	// for a revision of that class, and nil for one of its own autoscaler.
	Knative *Knative
	// Oracle scales perfectly and without delay: at every instant it has just
	// the pods that the requests in service fill. It is the lower bound that
	// every other strategy is held against.
	Oracle bool
	// Serverless runs the workload's code on a platform that starts an instance
	// for a request that finds none idle. It needs no control loop.
	Serverless *cluster.Serverless
}

// Limits are the least and the most replicas that the strategy's autoscaler may
// want, and whether it has any.
func (s *Strategy) Limits() (least, most int32, ok bool) {
	switch {
	case s.Elasti != nil && s.HPA == nil, s.Oracle, s.Serverless != nil:
		return 0, 0, false
	case s.HPA != nil:
		if s.HPA.Manifest.Spec.MinReplicas != nil {
			least = *s.HPA.Manifest.Spec.MinReplicas
		}
		if s.Elasti != nil {
			least = 0
		}
		return least, s.HPA.Manifest.Spec.MaxReplicas, true
	case s.Keda != nil:
		least, most = s.Keda.Manifest.Limits()
		return least, most, true
	case s.Replicas != nil:
		return *s.Replicas, *s.Replicas, true
	case s.Knative != nil:
		most = s.Knative.spec("", 0).MaxScale()
		return 0, most, most > 0
	}
	return 0, 0, false
}

// InitialReplicas is the number of pods at time 0, which are Ready, except for
// those of a Knative revision that is created then.
func (s Spec) InitialReplicas() int32 {
	switch {
	case s.Strategy.Oracle, s.Strategy.Serverless != nil:
		return 0 // they have pods for requests only
	case s.Strategy.Knative != nil && s.Strategy.Knative.World.New:
		return s.Strategy.Knative.spec(s.Service, 0).InitialScale()
	case s.Strategy.Replicas != nil:
		return *s.Strategy.Replicas
	}
	return s.Cluster.Replicas
}

// named fills in the names that may be left out.
func (s Spec) named() Spec {
	s.Service = cmp.Or(s.Service, s.Workload)
	s.Namespace = cmp.Or(s.Namespace, "default")
	return s
}

// End is how long the run lasts.
func (s Spec) End() time.Duration {
	if s.Duration > 0 {
		return s.Duration
	}
	return s.Traffic.Duration()
}
