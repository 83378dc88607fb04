package cluster

import (
	"slices"
	"time"

	"github.com/scalelab/scalelab/scaling/elasti/hold"
)

// The reference's front: KubeElasti's resolver, in the words of package hold.

// inFront counts the slots taken.
func (w *reference) inFront() (n int) {
	for _, q := range w.requests {
		if q.viaFront {
			n++
		}
	}
	return n
}

func (w *reference) admit(q *referenceRequest) {
	s := *w.spec.Front
	if !w.service.Open(s, w.now) {
		w.finish(q, rejected)
		return
	}
	if len(w.routable) == 0 {
		w.ask()
	}
	verdict := s.Admit(w.inFront(), len(w.frontQueue))
	if verdict == hold.Refuse {
		w.finish(q, rejected)
		return
	}
	if s.Timeout > 0 {
		w.after(s.Timeout, rankDeadline, func() { w.expire(q) })
	}
	if verdict == hold.Wait {
		q.place = frontQueue
		w.frontQueue = append(w.frontQueue, q)
		return
	}
	q.viaFront = true
	w.look(q)
}

func (w *reference) ask() { w.wake = w.wake || w.service.Notify(*w.spec.Front, w.now) }

// expire is the end of the time that a request may stay at the front.
func (w *reference) expire(q *referenceRequest) {
	switch {
	case q.place == free:
	case q.place == inService:
		w.giveUp(q)
	case !q.asleep() && q.told: // a ghost that waits in a pod is served
	default:
		w.unwait(q)
		w.finish(q, timedOut)
	}
}

func (w *reference) look(q *referenceRequest) {
	there := len(w.routable) > 0
	if w.spec.Front.Faults.Dials > 0 { // believes the API
		there = w.ready() > 0
	}
	if w.service.Ready(*w.spec.Front, w.now, there) {
		w.dial(q)
		return
	}
	if !w.spec.Front.Faults.NotifyOnArrival {
		w.ask()
	}
	w.sleep(q)
}

func (w *reference) sleep(q *referenceRequest) {
	q.dials = 0
	w.resume(q, frontHeld, w.spec.Front.Retry, rankLook, w.look)
}

// resume goes on with a request after a pause, if it is still there.
func (w *reference) resume(q *referenceRequest, place uint8, pause time.Duration, rank int, do func(*referenceRequest)) {
	q.place, q.cold = place, true
	w.after(pause, rank, func() {
		if q.place == place {
			do(q)
		}
	})
}

func (w *reference) dial(q *referenceRequest) {
	if len(w.routable) > 0 {
		w.route(q)
		return
	}
	w.undialed(q, w.ready() > 0)
}

func (w *reference) refused(q *referenceRequest) {
	switch {
	case w.spec.Interceptor != nil:
		w.redial(q)
	case q.viaFront:
		w.undialed(q, true)
	default:
		w.finish(q, failed)
	}
}

func (w *reference) undialed(q *referenceRequest, refused bool) {
	if w.spec.Front.Faults.Dials == 0 {
		w.sleep(q)
		return
	}
	q.dials++
	pause, again := w.spec.Front.Faults.Pause(q.dials, refused)
	if !again {
		w.finish(q, failed)
		return
	}
	w.resume(q, frontDialing, pause, rankDial, w.dial)
}

func (w *reference) fillFront() {
	for len(w.frontQueue) > 0 && w.inFront() < w.spec.Front.Slots {
		q := w.frontQueue[0]
		w.frontQueue = w.frontQueue[1:]
		q.viaFront = true
		w.look(q)
	}
}

// loseFront fails everything the front holds or passes on; pods work on.
func (w *reference) loseFront() {
	waiting := w.frontQueue
	w.frontQueue = nil
	for _, q := range waiting {
		w.finish(q, failed)
	}
	inFront := slices.Clone(w.requests)
	slices.SortStableFunc(inFront, byCall)
	for _, q := range inFront {
		switch {
		case !q.viaFront:
		case q.place == inService:
			w.tell(q, failed)
			q.viaFront = false
		default:
			w.unwait(q)
			w.finish(q, failed)
		}
	}
	w.service = hold.Service{}
}

func (w *reference) held() (n int) {
	for _, q := range w.requests {
		if q.asleep() || q.place == frontQueue || q.place == centralQueue || q.place == activatorQueue ||
			q.place == intercepted || q.place == redialing {
			n++
		}
	}
	return n
}
