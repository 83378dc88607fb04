package elasti

import (
	"fmt"
	"slices"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/elasti/hold"
)

// World is which KubeElasti a scenario runs, and what befalls it. The zero
// value is DefaultWorld.
type World struct {
	Behaviour string        `yaml:"behaviour" enum:"fixed|v0.1.30|v0.1.21" doc:"fixed: without the known faults; or a released version with them"`
	Ingress   string        `yaml:"ingress" enum:"kube-proxy|traefik" doc:"who reads the EndpointSlices; Traefik ignores endpoints that are not marked ready, as those of the released versions"`
	Handover  time.Duration `yaml:"handover" doc:"how long requests still come to the resolver after a pod has become reachable"`
	StatusLag time.Duration `yaml:"statusLag" doc:"how far status.replicas is behind after the workload was scaled to zero; the released versions compare with it"`
	Incidents []Incident    `yaml:"incidents,omitempty" doc:"what happens to KubeElasti during the run"`
}

// Incident is something that happens to KubeElasti.
type Incident struct {
	At   time.Duration `yaml:"at" doc:"when"`
	What string        `yaml:"what" enum:"resolver-restart|resolver-deleted|operator-outage|service-deleted|neighbour-wake-up" doc:"what happens; service-deleted is the ElastiService, neighbour-wake-up a request for a service of the same name in another namespace"`
	For  time.Duration `yaml:"for,omitempty" doc:"how long a restart or an outage takes"`
}

// The behaviours.
const (
	Fixed   = "fixed"
	V0_1_30 = "v0.1.30"
	V0_1_21 = "v0.1.21"
)

// Traefik is the ingress that ignores endpoints that are not marked ready.
const Traefik = "traefik"

// The incidents.
const (
	ResolverRestart = "resolver-restart"
	ResolverDeleted = "resolver-deleted"
	OperatorOutage  = "operator-outage"
	ServiceDeleted  = "service-deleted"
	NeighbourWakeUp = "neighbour-wake-up"
)

// ResyncPeriod is the longest that a stale EndpointSlice of a released version
// stands: the operator looks at everything again.
const ResyncPeriod = 5 * time.Minute

// DefaultWorld is KubeElasti without its known faults, and nothing happens.
func DefaultWorld() World {
	return World{Behaviour: Fixed, Ingress: "kube-proxy", StatusLag: time.Second}
}

// Validate reports everything that cannot be used.
func (w World) Validate() error {
	var problems messages.Problems
	if !slices.Contains([]string{"", Fixed, V0_1_30, V0_1_21}, w.Behaviour) {
		problems.Addf("behaviour", "found %q, expected %s, %s or %s", w.Behaviour, Fixed, V0_1_30, V0_1_21)
	}
	for i, incident := range w.Incidents {
		timed := incident.What == ResolverRestart || incident.What == OperatorOutage
		if timed != (incident.For > 0) {
			expected := "no duration: the incident is an instant"
			if timed {
				expected = "a duration above 0"
			}
			problems.Add(messages.Invalidf(fmt.Sprintf("incidents[%d].for", i), "found %s, expected %s", incident.For, expected))
		}
	}
	return problems.Err()
}

// Released says whether the known faults are in.
func (w World) Released() bool { return w.Behaviour == V0_1_30 || w.Behaviour == V0_1_21 }

// Hold are the rules by which the resolver of this Spec holds requests.
func (s Spec) Hold() hold.Settings {
	c := s.Controller
	h := hold.Settings{
		Retry:       c.QueueRetry,
		Slots:       c.InitialCapacity,
		Capacity:    c.QueueSize + c.MaxConcurrency,
		Timeout:     c.RequestTimeout,
		NotifyEvery: c.OperatorRetry,
	}
	if s.World.Released() {
		h.Faults = hold.Faults{
			ReadyCache:         c.TrafficReEnable,
			Dials:              16,
			Closed:             c.TrafficReEnable,
			CloseAfter:         c.DisableGrace,
			GhostsStay:         true,
			FailedNotifyCounts: true,
			NotifyOnArrival:    true,
			NotifyByName:       true,
		}
	}
	if s.World.Behaviour == V0_1_21 {
		h.Faults.RefusedIsFinal, h.Faults.CloseAfter = true, 0
	}
	return h
}
