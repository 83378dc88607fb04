package cluster

import (
	"slices"
	"time"
)

// The reference's interceptor: requests wait for a pod, all of them for the first.

// intercept puts an interceptor before some of the workloads that have no other proxy.
func (d *die) intercept(s *Spec) {
	if s.Elastic || s.Consumes != nil || s.Activators != nil || s.Front != nil && !d.chance(30) || s.Front == nil && !d.chance(15) {
		return
	}
	s.Front, s.Handover = nil, 0
	s.Interceptor = &Interceptor{DialEvery: d.upTo(2) + d.tick}
	if d.tick%time.Millisecond != 0 {
		s.Interceptor.DialEvery = d.upTo(2) + 1
	}
	if d.chance(60) {
		s.Interceptor.Readiness = d.upTo(10)
	}
	if d.chance(60) {
		s.Interceptor.ResponseHeader = d.upTo(10)
	}
	if d.chance(60) {
		s.Interceptor.DialFor = d.upTo(6)
	}
}

func (w *reference) intercept(q *referenceRequest) {
	if len(w.routable) > 0 {
		w.connect(q)
		return
	}
	q.place, q.cold = intercepted, true
	w.intercepted = append(w.intercepted, q)
	if s := w.spec.Interceptor; s.Readiness > 0 {
		w.after(s.Readiness, rankDeadline, func() {
			if q.place == intercepted {
				w.giveUp(q)
			}
		})
	}
}

// connect sends a request to a pod, and waits for its answer.
func (w *reference) connect(q *referenceRequest) {
	if len(w.routable) == 0 {
		w.redial(q)
		return
	}
	q.place = none8
	w.route(q)
	limit := w.spec.Interceptor.ResponseHeader
	if q.place == free || q.place == redialing || limit == 0 {
		return
	}
	w.after(limit, rankAnswer, func() {
		if q.place != free {
			w.giveUp(q)
		}
	})
}

// none8 is no place.
const none8 = 255

func (w *reference) redial(q *referenceRequest) {
	s := w.spec.Interceptor
	if q.dials == 0 {
		q.refusedAt = w.now
	}
	q.dials++
	if s.DialFor > 0 && w.now-q.refusedAt >= s.DialFor {
		w.finish(q, failed)
		return
	}
	w.resume(q, redialing, s.DialEvery, rankDial, w.connect)
}

// connectHeld sends on what waits once a pod can get requests.
func (w *reference) connectHeld() {
	held := slices.Clone(w.intercepted)
	w.intercepted = nil
	for _, q := range held {
		w.connect(q)
	}
}

// pending are the requests that somebody waits for and that have been sent.
func (w *reference) pending() (n int64) {
	for _, q := range w.requests {
		if q.place != free && !q.told {
			n++
		}
	}
	return n
}
