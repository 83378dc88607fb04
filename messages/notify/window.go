package notify

import (
	"container/list"
	"time"
)

// service names what is announced. KubeElasti's window knows only the name.
type service struct{ namespace, name string }

// windows remembers which services were announced less than a window ago. Their
// instants rise, so that the oldest is always in front.
type windows struct {
	length time.Duration
	max    int
	order  *list.List // of announced
	of     map[service]*list.Element
}

type announced struct {
	service service
	at      time.Time
}

func newWindows(length time.Duration, most int) *windows {
	return &windows{length: length, max: most, order: list.New(), of: map[service]*list.Element{}}
}

// open says whether a window of s is open at now.
func (w *windows) open(s service, now time.Time) bool {
	w.forget(now)
	_, known := w.of[s]
	return known
}

// start opens a window of s at now.
func (w *windows) start(s service, now time.Time) {
	w.forget(now)
	if element, known := w.of[s]; known {
		w.remove(element)
	}
	if w.order.Len() >= w.max {
		w.remove(w.order.Front())
	}
	w.of[s] = w.order.PushBack(announced{s, now})
}

// forget drops the windows that are over. A clock that was set back ends a
// window too: better a notification too many than a service that sleeps on.
func (w *windows) forget(now time.Time) {
	for front := w.order.Front(); front != nil; front = w.order.Front() {
		if age := now.Sub(front.Value.(announced).at); age >= 0 && age < w.length {
			return
		}
		w.remove(front)
	}
}

func (w *windows) remove(element *list.Element) {
	delete(w.of, element.Value.(announced).service)
	w.order.Remove(element)
}
