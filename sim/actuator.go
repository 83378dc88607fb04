package sim

import (
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/cluster"
)

// Actuator stands between the control loops and the cluster: it carries
// decisions out and answers what the API says about the workload. The same
// decisions must come out of every implementation.
type Actuator interface {
	// Name is "direct" or "clientset", as results give it.
	Name() string
	// Mirror makes the API show the cluster as it is at now: the transitions
	// since the last call, in order, and the counts that result.
	Mirror(now time.Duration, changes []cluster.Transition, counts messages.Replicas) error
	// Replicas reads the workload's spec.replicas, status.replicas and
	// status.readyReplicas back.
	Replicas(now time.Duration) (messages.Replicas, error)
	// Carry carries the decision of the named loop out. It is called for every
	// decision, also for those that hold, and returns the spec.replicas that
	// stands afterwards.
	Carry(now time.Duration, loop string, d messages.Decision) (int32, error)
}

// direct keeps the replica count in memory: for sweeps.
type direct struct{ seen messages.Replicas }

// Direct is the Actuator without API objects. replicas is the count at time 0.
func Direct(replicas int32) Actuator {
	return &direct{seen: messages.Replicas{Desired: replicas, Created: replicas, Ready: replicas}}
}

func (a *direct) Name() string { return "direct" }

func (a *direct) Mirror(_ time.Duration, _ []cluster.Transition, counts messages.Replicas) error {
	a.seen.Created, a.seen.Ready = counts.Created, counts.Ready
	return nil
}

func (a *direct) Replicas(time.Duration) (messages.Replicas, error) { return a.seen, nil }

func (a *direct) Carry(_ time.Duration, _ string, d messages.Decision) (int32, error) {
	a.seen.Desired = d.Desired
	return d.Desired, nil
}
