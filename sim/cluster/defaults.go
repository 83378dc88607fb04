package cluster

import (
	"time"

	"github.com/scalelab/scalelab/sim/random"
)

// SharedConcurrency is PerPod.Concurrency under processor sharing when the
// scenario does not say: the threads of Tomcat and Jetty.
const SharedConcurrency = 200

// Defaults is the one home of what a workload is when its scenario does not
// say: a small web service behind kube-proxy.
func Defaults() Spec {
	mean := 100 * time.Millisecond
	return Spec{
		Replicas: 1,
		PerPod: PerPod{
			Concurrency: 10,
			Queue:       100,
			Discipline:  "fifo",
			ServiceTime: random.Spec{Dist: "exponential", Mean: &mean},
		},
		Routing:        Routing{Policy: "random"}, // what kube-proxy does
		RequestTimeout: 30 * time.Second,
		OnTimeout:      leaveService,
		Retries:        defaultRetries(),
		GracePeriod:    30 * time.Second, // terminationGracePeriodSeconds
		Update:         Update{MaxSurge: Share{Number: 25, Percent: true}, MaxUnavailable: Share{Number: 25, Percent: true}},
		Lifecycle: Lifecycle{
			Schedule:            random.Constant(500 * time.Millisecond),
			ImagePull:           random.Constant(0),
			Start:               random.Constant(5 * time.Second),
			Listen:              random.Constant(0),
			EndpointPropagation: random.Constant(1 * time.Second),
			Deregister:          random.Constant(0),
		},
	}
}
