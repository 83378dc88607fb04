// Package hold has the rules by which KubeElasti's resolver holds requests for a
// service that is asleep: who is let in, when it looks for a ready pod again,
// when the operator is told, and when the resolver stops taking traffic. The
// rules are pure: now is an argument, and the queues, sockets and clocks belong
// to the caller. The simulator's front and the HTTP resolver are two callers.
//
// Instants are durations since an origin of the caller's choice.
//
// Source: KubeElasti v0.1.30, resolver/internal (throttler, handler, operator),
// and the issues named at Faults.
package hold

import (
	"time"

	"github.com/scalelab/scalelab/messages"
)

// Settings are a resolver's parameters and faults.
type Settings struct {
	// Retry is how long a held request sleeps between two looks for a ready pod.
	Retry time.Duration
	// Slots is how many requests look or are being proxied at the same time.
	Slots int
	// Capacity is how many requests are inside in all; more are refused.
	Capacity int
	// Timeout is how long a request may stay; 0: for ever.
	Timeout time.Duration
	// NotifyEvery is the shortest time between two messages to the operator
	// about one service.
	NotifyEvery time.Duration
	Faults      Faults
}

// Validate reports everything that cannot be used.
func (s Settings) Validate() error {
	var problems messages.Problems
	if s.Retry <= 0 {
		problems.Addf("retry", "found %s, expected a duration above 0", s.Retry)
	}
	if s.Slots < 1 {
		problems.Addf("slots", "found %d, expected at least 1", s.Slots)
	}
	if s.Capacity < 1 {
		problems.Addf("capacity", "found %d, expected at least 1", s.Capacity)
	}
	if s.Faults.Dials < 0 {
		problems.Addf("faults.dials", "found %d, expected 0 or more", s.Faults.Dials)
	}
	for _, d := range []struct {
		field string
		value time.Duration
	}{
		{"timeout", s.Timeout}, {"notifyEvery", s.NotifyEvery}, {"faults.readyCache", s.Faults.ReadyCache},
		{"faults.closeAfter", s.Faults.CloseAfter}, {"faults.closed", s.Faults.Closed},
	} {
		if d.value < 0 {
			problems.Addf(d.field, "found %s, expected 0s or more", d.value)
		}
	}
	return problems.Err()
}

// Faults are known faults of KubeElasti that can be switched on. The zero value
// has none: then a request that cannot reach a pod looks again after Retry.
type Faults struct {
	// ReadyCache: once a pod was seen ready, one is believed to be for this
	// long, although it may have gone (#350).
	ReadyCache time.Duration
	// Dials is how often a connection is tried, with growing pauses, before the
	// request is given up with 502 (#350). 0: it looks again instead.
	Dials int
	// RefusedIsFinal: a refused connection is not tried again (before #286).
	RefusedIsFinal bool
	// Closed: after its first answer the resolver goes on for CloseAfter and then
	// refuses requests for Closed, in the belief that they come directly to the
	// pods now (#280 with 408, #268 with 403). 0: it never does.
	Closed, CloseAfter time.Duration
	// GhostsStay: a request whose client has left keeps its slot.
	GhostsStay bool
	// FailedNotifyCounts: a message that did not arrive suppresses the next all
	// the same.
	FailedNotifyCounts bool
	// NotifyOnArrival: only a request that arrives sends a message; those that
	// wait do not repeat one that was of no use.
	NotifyOnArrival bool
	// NotifyByName: messages are suppressed by the service's name alone, also
	// those of a service of the same name in another namespace.
	NotifyByName bool
}

// The pauses between dials: 50 ms, growing by 1.4.
const (
	firstPause  = 50 * time.Millisecond
	pauseGrowth = 1.4
)

// Pause is how long to wait after the given number of dials has failed, and
// whether to dial again at all. refused says that the last one was refused
// rather than lost.
func (f Faults) Pause(failed int, refused bool) (pause time.Duration, again bool) {
	if failed >= f.Dials || refused && f.RefusedIsFinal {
		return 0, false
	}
	p := float64(firstPause)
	for range failed - 1 {
		p *= pauseGrowth
	}
	return time.Duration(p), true
}

// Verdict is what becomes of a request that comes to the resolver.
type Verdict uint8

// The verdicts.
const (
	Refuse Verdict = iota // too many are inside
	Wait                  // it waits for a slot, in the order of arrival
	Look                  // it takes a slot and looks for a ready pod
)

// Admit says what becomes of a request that finds so many slots taken and so
// many others waiting for one.
func (s Settings) Admit(taken, waiting int) Verdict {
	switch {
	case taken+waiting >= s.Capacity:
		return Refuse
	case taken >= s.Slots:
		return Wait
	}
	return Look
}

// Service is what the resolver remembers of one service. The zero value knows
// nothing. It is not safe for concurrent use.
type Service struct {
	notified stamp // the last message to the operator
	ready    stamp // the last time a ready pod was seen
	answered stamp // the first answer since the resolver last reopened
}

// stamp is an instant that may not have come.
type stamp struct {
	at  time.Duration
	set bool
}

// Notify says whether a message is due, because a request came and none was
// sent for a while. The caller sends it and reports with Notified.
func (v *Service) Notify(s Settings, now time.Duration) bool {
	return !v.notified.set || now >= v.notified.at+s.NotifyEvery
}

// Notified is how the message went.
func (v *Service) Notified(s Settings, now time.Duration, arrived bool) {
	if arrived || s.Faults.FailedNotifyCounts {
		v.notified = stamp{now, true}
	}
}

// Overheard is a message about a service of the same name in another namespace.
func (v *Service) Overheard(s Settings, now time.Duration) {
	if s.Faults.NotifyByName && v.Notify(s, now) {
		v.notified = stamp{now, true}
	}
}

// Ready says whether a request that looks may be forwarded, given whether a
// ready pod is there now.
func (v *Service) Ready(s Settings, now time.Duration, there bool) bool {
	if v.ready.set && now < v.ready.at+s.Faults.ReadyCache {
		return true
	}
	v.ready = stamp{now, there}
	return there
}

// Answered is that a response has gone through the resolver.
func (v *Service) Answered(s Settings, now time.Duration) {
	if s.Faults.Closed > 0 && !v.answered.set {
		v.answered = stamp{now, true}
	}
}

// Open says whether the resolver takes a request of this service at all.
func (v *Service) Open(s Settings, now time.Duration) bool {
	if !v.answered.set {
		return true
	}
	since := now - v.answered.at
	if since >= s.Faults.CloseAfter+s.Faults.Closed {
		v.answered = stamp{}
	}
	return !v.answered.set || since < s.Faults.CloseAfter
}
