package resolver

import (
	"container/list"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/elasti/hold"
)

// idleServicesMax bounds the memory that made-up host names can take.
const idleServicesMax = 4096

// service is what is known of one service. The Resolver's mutex guards it.
type service struct {
	name    ServiceName
	rules   hold.Service
	counts  Counts
	users   int           // requests inside, and a message under way
	sending bool          // a message is under way
	told    time.Duration // when the last message was sent that counts
	toldYet bool
	place   *list.Element // among the idle ones
	idle    time.Duration // since when
}

// services are those in use, and those idle for less than memory.
type services struct {
	settings hold.Settings
	memory   time.Duration
	all      map[ServiceName]*service
	idle     list.List // of *service, longest idle first
}

// newServices computes how long an idle service is remembered: until every
// rule would treat it like one never seen.
func newServices(s hold.Settings) services {
	return services{
		settings: s,
		memory:   max(s.NotifyEvery, s.Faults.ReadyCache, s.Faults.CloseAfter+s.Faults.Closed),
		all:      map[ServiceName]*service{},
	}
}

// take returns a service for use, until released.
func (s *services) take(name ServiceName, now time.Duration) *service {
	s.forget(now)
	v := s.all[name]
	if v == nil {
		v = &service{name: name}
		s.all[name] = v
		s.overhear(v)
	}
	if v.place != nil {
		s.idle.Remove(v.place)
		v.place = nil
	}
	v.users++
	return v
}

func (s *services) release(v *service, now time.Duration) {
	v.users--
	if v.users == 0 {
		v.idle = now
		v.place = s.idle.PushBack(v)
		s.forget(now)
	}
}

// forget drops services that have been idle for long, and the longest idle ones
// of too many: those may be announced to the operator once too often.
func (s *services) forget(now time.Duration) {
	for first := s.idle.Front(); first != nil; first = s.idle.Front() {
		v := first.Value.(*service)
		if now < v.idle+s.memory && s.idle.Len() <= idleServicesMax {
			return
		}
		s.idle.Remove(first)
		delete(s.all, v.name)
	}
}

// namesakes are the services of the same name in other namespaces, if that
// matters.
func (s *services) namesakes(v *service) []*service {
	if !s.settings.Faults.NotifyByName {
		return nil
	}
	var found []*service
	for name, other := range s.all {
		if name.Name == v.name.Name && other != v {
			found = append(found, other)
		}
	}
	return found
}

// overhear lets a new service know of the last message about a namesake.
func (s *services) overhear(v *service) {
	var last *service
	for _, other := range s.namesakes(v) {
		if other.toldYet && (last == nil || other.told > last.told) {
			last = other
		}
	}
	if last != nil {
		v.rules.Overheard(s.settings, last.told)
	}
}

// tell sends a message to the operator if one is due, without waiting for it.
// The caller holds mu.
func (r *Resolver) tell(v *service, now time.Duration) {
	if v.sending || !v.rules.Notify(r.settings, now) {
		return
	}
	v.sending = true
	v.users++
	r.inside++
	go r.send(v, now, messages.RequestCount{
		Count: max(1, v.counts.Waiting+v.counts.Held), Svc: v.name.Name, Namespace: v.name.Namespace,
	})
}

// send tells the operator, and records how that went.
func (r *Resolver) send(v *service, now time.Duration, m messages.RequestCount) {
	arrived := false
	defer func() {
		if cause := recover(); cause != nil {
			r.logger.Error("telling the operator panicked", "service", v.name.String(), "cause", cause)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		v.rules.Notified(r.settings, now, arrived)
		if arrived || r.settings.Faults.FailedNotifyCounts {
			v.told, v.toldYet = now, true
			for _, other := range r.services.namesakes(v) {
				other.rules.Overheard(r.settings, now)
			}
		}
		r.tally(v, func(c *Counts) {
			if arrived {
				c.Notified++
			} else {
				c.Unnotified++
			}
		})
		v.sending = false
		r.services.release(v, r.now())
		r.inside--
		r.settle()
	}()
	err := r.notify(r.ending, m)
	arrived = err == nil
	if err != nil {
		r.logger.Warn("the operator was not told", "service", v.name.String(), "error", err)
	}
}

// tally changes the counts of a service and of all. The caller holds mu.
func (r *Resolver) tally(v *service, change func(*Counts)) {
	change(&v.counts)
	change(&r.total)
}
