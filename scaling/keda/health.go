package keda

import "slices"

// health is status.health: how often each trigger has failed in a row, and whether
// any of them has failed too often.
//
// The operator keeps several copies of it. A poll reads the object anew; the scalers'
// cache has the object of when it was built, which is the poll's own if a poll built
// it, and goes by that until an error that no fallback hides throws it away. A copy
// writes only what it has changed itself, and only then sees what others have written.
// So while a fallback is in use, failures can be counted twice, or forgotten.
type health struct {
	failures []int32 // unheard for a trigger that nobody has told of
	failing  []bool  // the other half of an entry: Failing, or else Happy
	falls    bool    // the condition Fallback
}

const unheard = -1

func newHealth(triggers int) *health {
	h := &health{failures: make([]int32, triggers), failing: make([]bool, triggers)}
	for i := range h.failures {
		h.failures[i] = unheard
	}
	return h
}

func (h *health) copy() *health {
	return &health{failures: slices.Clone(h.failures), failing: slices.Clone(h.failing), falls: h.falls}
}

// becomes makes it equal to another.
func (h *health) becomes(o *health) {
	copy(h.failures, o.failures)
	copy(h.failing, o.failing)
	h.falls = o.falls
}

// note takes down in a copy that a trigger has failed so often in a row, and writes
// what that changes.
func (a *Autoscaler) note(h *health, i int, failures int32) {
	count, failing, falls := h.failures[i], h.failing[i], h.falls
	h.failures[i], h.failing[i], h.falls = failures, failures > 0, false
	for k, n := range h.failures {
		h.falls = h.falls || h.failing[k] && n > a.spec.Fallback.FailureThreshold
	}
	if count == unheard { // both halves are new
		failing = !h.failing[i]
	}
	changed := write(&a.written.failures[i], count, h.failures[i])
	changed = write(&a.written.failing[i], failing, h.failing[i]) || changed
	changed = write(&a.written.falls, falls, h.falls) || changed
	if changed {
		h.becomes(a.written)
	}
}

// write is one field of a merge patch: it is written if it has changed.
func write[T comparable](to *T, before, now T) (changed bool) {
	if before != now {
		*to, changed = now, true
	}
	return changed
}

// reread is the copy of a poll that begins, which fills an empty cache as well.
func (a *Autoscaler) reread() *health {
	a.polled.becomes(a.written)
	if a.cached == nil {
		a.cached = a.polled
	}
	return a.polled
}

// cachedHealth is the copy that the HPA's questions are answered with.
func (a *Autoscaler) cachedHealth() *health {
	if a.cached == nil {
		a.cached = a.written.copy()
	}
	return a.cached
}

// forget throws the cache away, with the scalers in it.
func (a *Autoscaler) forget() {
	a.cached = nil
	for i := range a.triggers {
		if renew := a.triggers[i].renew; renew != nil {
			renew()
		}
	}
}
