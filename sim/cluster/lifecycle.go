package cluster

import (
	"fmt"
	"time"

	"github.com/scalelab/scalelab/sim/random"
)

// life is a step in a pod's life that is due later.
type life struct {
	pod  int32
	step step
	// epoch is the pod's at the time the step was scheduled: what a container was to
	// do does not come about once it has ended.
	epoch uint32
}

type step uint8

const (
	toScheduled step = iota
	toStarting
	toReady
	toRoutable
	toListening
	toCrash    // its startup or liveness probe fails, or there is none left to restart it
	toRestart  // its container is started again
	toUnready  // its readiness probe fails
	toUnrouted // requests do not go to it any more
	toStopped  // deleted, its container gets SIGTERM
	toAnswer   // a readiness probe that waits for its turn is over
	toBeat     // and one for liveness
	available  // no one pod's step: one has been Ready for long enough for a rollout to go on
	endOfGrace
	emptied // no one pod's step: with foresight, a draining pod's last request leaves
	toScan  // no pod's step: the node autoscaler looks
	toJoin  // a node's steps, and life.pod is the node
	toNotice
	toForget   // the pods of a lost node are deleted
	toTakeNode // an interrupted node goes
	toEvict    // a node that is drained gets rid of more pods
	handedOver // no pod's step: requests go to the pods instead of the front
	toProxied  // no pod's step: the path leads by way of the activators
	toDirect   // no pod's step: it does not any more
	toProbe    // no pod's step: activators look for pods
	rebalanced // no pod's step, and life.pod is the change: partitions are handed out
	// no pod's step, and life.pod is the message: it can be taken again.
	visibleAgain
)

// lifecycle holds the drawn durations of the stages of a pod's start.
type lifecycle struct {
	schedule, pull, start, listen, propagation stage
	deregister                                 stage // as propagation, of pods that are not to get requests
	path                                       stage // as propagation, of a change of the requests' path
	uids                                       random.Key
	warmUp                                     warmUp
}

// stage is one drawn duration of every pod.
type stage struct {
	dist random.Dist
	key  random.Key
}

// of is the pod's duration; each of its containers has one of its own.
func (s *stage) of(p *pod) time.Duration {
	return s.draw(uint64(p.ID) | uint64(p.Restarts)<<32)
}

// draw is the duration of the n-th occasion.
func (s *stage) draw(n uint64) time.Duration {
	stream := s.key.At(n)
	return s.dist.Draw(&stream)
}

func newLifecycle(spec Lifecycle, seed random.Seed) (lifecycle, error) {
	l := lifecycle{uids: seed.Key("uid", 0), warmUp: newWarmUp(spec.WarmUp)}
	for _, part := range []struct {
		name  string
		spec  random.Spec
		stage *stage
	}{
		{"schedule", spec.Schedule, &l.schedule},
		{"imagePull", spec.ImagePull, &l.pull},
		{"start", spec.Start, &l.start},
		{"listen", spec.Listen, &l.listen},
		{"endpointPropagation", spec.EndpointPropagation, &l.propagation},
		{"deregister", spec.leaving(), &l.deregister},
	} {
		dist, err := random.New(part.spec)
		if err != nil {
			return l, fmt.Errorf("lifecycle %s: %w", part.name, err)
		}
		*part.stage = stage{dist: dist, key: seed.Key("lifecycle."+part.name, 0)}
	}
	l.path = stage{dist: l.propagation.dist, key: seed.Key("lifecycle.path", 0)}
	return l, nil
}
