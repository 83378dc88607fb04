package knative

import (
	"time"

	"github.com/scalelab/scalelab/messages"

	corev1 "k8s.io/api/core/v1"
)

// activity is the condition Active of the PodAutoscaler.
type activity uint8

const (
	activating activity = iota // Unknown
	active                     // True
	inactive                   // False
	timedOut                   // False as well: it never became active
)

// isInactive says that the condition is False.
func (a activity) isInactive() bool { return a == inactive || a == timedOut }

// status is what the objects in the API say about the revision. Instants in it
// have the API's resolution of one second.
type status struct {
	active      activity
	since       time.Time // of active
	initialized bool      // it has had its initial scale once
	// endpoints says that the revision's own endpoints are ready.
	endpoints bool
	mode      messages.Path // of the ServerlessService
	// proxied is since when the activator backs the revision; zero: it does not.
	proxied time.Time
}

func (s *status) become(a activity, now time.Time) {
	if s.active != a {
		s.active, s.since = a, now.Truncate(time.Second)
	}
}

// follow is the ServerlessService's own reconciler: the activator stands in
// wherever it is asked for or nobody else is there.
func (s *status) follow(now time.Time, ready int32) {
	s.endpoints = ready > 0
	switch proxied := s.mode == messages.PathProxy || !s.endpoints; {
	case !proxied:
		s.proxied = time.Time{}
	case s.proxied.IsZero():
		s.proxied = now.Truncate(time.Second)
	}
}

// way is the one that requests are led.
func (s *status) way() messages.Path {
	if s.proxied.IsZero() {
		return messages.PathDirect
	}
	return messages.PathProxy
}

// proxiedFor is how long the activator has backed the revision.
func (s *status) proxiedFor(now time.Time) time.Duration {
	if s.proxied.IsZero() {
		return 0
	}
	return now.Sub(s.proxied)
}

const (
	yes   = string(corev1.ConditionTrue)
	no    = string(corev1.ConditionFalse)
	maybe = string(corev1.ConditionUnknown)
)

// report fills in the conditions of the PodAutoscaler, in its order.
func (s *status) report(conditions []messages.Condition, quiet bool) []messages.Condition {
	about := messages.Condition{Status: yes}
	switch s.active {
	case activating:
		about = messages.Condition{Status: maybe, Reason: "Queued", Message: "Requests to the target are being buffered as resources are provisioned."}
	case inactive:
		about = messages.Condition{Status: no, Reason: "NoTraffic", Message: "The target is not receiving traffic."}
	case timedOut:
		about = messages.Condition{Status: no, Reason: "TimedOut", Message: "The target could not be activated."}
	}
	endpoints := messages.Condition{Type: "SKSReady", Status: yes}
	if !s.endpoints {
		endpoints = messages.Condition{Type: "SKSReady", Status: maybe, Reason: "NotReady", Message: "K8s Service is not ready"}
	}
	initialized := messages.Condition{Type: "ScaleTargetInitialized", Status: yes}
	if !s.initialized {
		initialized.Status = maybe
	}
	// Ready says what Active says: nothing becomes active before the rest is ready.
	ready := about
	about.Type, ready.Type = "Active", "Ready"
	conditions = append(conditions[:0], about, ready, endpoints, initialized)
	if quiet {
		for i := range conditions {
			conditions[i].Message = ""
		}
	}
	return conditions
}
