package sim

import (
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/knative"
	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/random"
)

// Knative makes the workload a revision of Knative Serving.
type Knative struct {
	Revision knative.Revision
	Config   knative.Config
	World    KnativeWorld
}

// KnativeWorld is the part of Knative Serving around the autoscaler.
type KnativeWorld struct {
	Activators  int           `yaml:"activators" min:"1" max:"100" doc:"activators that the revision's requests are spread over; default 1, as Knative is installed"`
	ProbePeriod time.Duration `yaml:"probePeriod" doc:"how often an activator looks for pods that can take requests; default 200ms"`
	New         bool          `yaml:"new" doc:"the revision is created at time 0, with pods as its initial scale says; default: it has been there"`
}

// DefaultKnativeWorld is Knative as its release manifests install it.
func DefaultKnativeWorld() KnativeWorld {
	return KnativeWorld{Activators: 1, ProbePeriod: 200 * time.Millisecond}
}

// Validate reports settings that cannot be used.
func (w KnativeWorld) Validate() error {
	var problems messages.Problems
	if w.Activators < 1 || w.Activators > maxActivators {
		problems.Addf("activators", "found %d, expected 1 to %d", w.Activators, maxActivators)
	}
	if w.ProbePeriod <= 0 || w.ProbePeriod > time.Hour {
		problems.Addf("probePeriod", "found %s, expected more than 0s, up to 1h", w.ProbePeriod)
	}
	return problems.Err()
}

const maxActivators = 100

// statsPeriod is that of the reports of activators and queue-proxies.
const statsPeriod = time.Second

func (w KnativeWorld) activators(limit int) cluster.Activators {
	return cluster.Activators{
		Count: w.Activators, ContainerConcurrency: limit, ProbeEvery: w.ProbePeriod, Report: statsPeriod, Proxied: true,
	}
}

// autoscaled says that the KPA scales the revision, and not an HPA.
func (k *Knative) autoscaled() bool { return k.Revision.Class(k.Config) == knative.ClassKPA }

// spec is what the KPA is made of. Its samples of pods are drawn from a stream of
// their own.
func (k *Knative) spec(name string, seed random.Seed) knative.Spec {
	stream := seed.Key("knative.sample", 0).Stream()
	s := knative.Spec{Revision: k.Revision, Config: k.Config, New: k.World.New, Draw: stream.IntN}
	s.Revision.Name = name
	return s
}

// queueDepth is how many requests a queue-proxy holds for each that the container
// may have.
const queueDepth = 10

// Place puts activators and queue-proxies on the way of the requests. A queue-proxy
// lets containerConcurrency requests into the container and has ten times as many
// wait. What the container itself takes at a time, and lets wait, it takes out of
// those let in; where it takes fewer, it refuses the rest.
func (k *Knative) Place(c cluster.Spec) cluster.Spec {
	if k.autoscaled() {
		a := k.World.activators(int(k.Revision.ContainerConcurrency))
		c.Activators = &a
		c.Fresh = k.World.New
	}
	if limit := k.Revision.Timeout; limit > 0 && (c.RequestTimeout == 0 || limit < c.RequestTimeout) {
		c.RequestTimeout = limit
	}
	limit := int(k.Revision.ContainerConcurrency)
	if container := c.PerPod.Concurrency + c.PerPod.Queue; limit > 0 && limit <= container {
		c.PerPod.Concurrency = min(c.PerPod.Concurrency, limit)
		c.PerPod.Queue = (1+queueDepth)*limit - c.PerPod.Concurrency
	}
	return c
}
