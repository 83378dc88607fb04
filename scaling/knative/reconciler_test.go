package knative

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/scalelab/scalelab/messages"
)

// What becomes of the condition Active, by what is wanted, how many of the pods
// that are needed are ready, and what it was.
func TestJudge(t *testing.T) {
	const none, need = 0, 2
	for _, c := range []struct {
		want, ready, need int32
		was, becomes      activity
	}{
		{0, none, need, activating, timedOut},
		{0, need, need, activating, timedOut},
		{0, need, need, active, inactive},
		{0, none, need, inactive, inactive},
		{0, none, need, timedOut, inactive},
		{3, 1, need, active, activating},
		{3, 1, need, inactive, activating},
		{3, need, need, activating, active},
		{3, need, need, inactive, active},
		{unknown, 1, need, inactive, inactive},
		{unknown, 1, need, timedOut, inactive},
		{unknown, 1, need, activating, activating},
		{unknown, 1, need, active, activating},
		{unknown, need, need, inactive, inactive},
		{unknown, need, need, timedOut, timedOut},
		{unknown, need, need, activating, active},
		{unknown, need, need, active, active},
		{unknown, none, 0, activating, inactive}, // an initial scale of 0
		{unknown, none, 0, active, inactive},
	} {
		r := reconciler{settings: &settings{low: c.need}}
		r.active = c.was
		r.judge(&view{now: after(0.7), ready: c.ready}, c.want)
		assert.Equal(t, c.becomes, r.active, c)
		assert.Equal(t, c.ready >= c.need, r.initialized)
		if c.becomes != c.was {
			assert.Equal(t, start, r.since, "whole seconds")
		}
	}
}

func TestTheEarliestOfWhatIsEnqueuedCounts(t *testing.T) {
	var r reconciler
	for _, seconds := range []float64{7, 9, 5, 6} {
		r.enqueue(after(seconds))
	}
	assert.Equal(t, after(5), r.due)
}

// A probe every second, until one comes to the activator or for 45 s.
func TestProber(t *testing.T) {
	var p prober
	assert.False(t, p.probe(start, proxy), "it does not probe")
	p.offer(start)
	p.offer(after(0.5))
	assert.Equal(t, after(1), p.next, "it is under way")
	assert.False(t, p.probe(after(0.9), proxy), "not yet")
	assert.False(t, p.probe(after(3.2), direct))
	assert.Equal(t, after(4), p.next, "missed probes are not made up for")
	assert.True(t, p.probe(after(4), proxy))
	assert.Equal(t, prober{}, p)

	p.offer(start)
	for s := 1; s < 45; s++ {
		assert.False(t, p.probe(after(float64(s)), direct), s)
	}
	assert.True(t, p.probe(after(45), direct))
}

// Who stands in for the revision, and since when: the activator where it is asked
// for, and where no pod is ready.
func TestFollow(t *testing.T) {
	s := status{mode: direct}
	s.follow(after(1.5), 1)
	assert.Equal(t, time.Duration(0), s.proxiedFor(after(9)))
	s.follow(after(2.5), 0)
	assert.Equal(t, 7*time.Second, s.proxiedFor(after(9)))
	s.mode = proxy
	s.follow(after(3.5), 1)
	assert.Equal(t, 7*time.Second, s.proxiedFor(after(9)), "as before")
	s.mode = direct
	s.follow(after(4.5), 1)
	assert.Equal(t, time.Duration(0), s.proxiedFor(after(9)))
}

func TestConditions(t *testing.T) {
	ready := messages.Condition{Type: "SKSReady", Status: "True"}
	notReady := messages.Condition{Type: "SKSReady", Status: "Unknown", Reason: "NotReady", Message: "K8s Service is not ready"}
	for _, c := range []struct {
		status    status
		active    messages.Condition // of Active, and of Ready
		endpoints messages.Condition
		initial   string
	}{
		{status{active: activating}, messages.Condition{Status: "Unknown", Reason: "Queued",
			Message: "Requests to the target are being buffered as resources are provisioned."}, notReady, "Unknown"},
		{status{active: active, endpoints: true, initialized: true}, messages.Condition{Status: "True"}, ready, "True"},
		{status{active: inactive, endpoints: true, initialized: true}, messages.Condition{Status: "False", Reason: "NoTraffic",
			Message: "The target is not receiving traffic."}, ready, "True"},
		{status{active: timedOut}, messages.Condition{Status: "False", Reason: "TimedOut", Message: "The target could not be activated."}, notReady, "Unknown"},
	} {
		about, whole := c.active, c.active
		about.Type, whole.Type = "Active", "Ready"
		assert.Equal(t, []messages.Condition{about, whole, c.endpoints, {Type: "ScaleTargetInitialized", Status: c.initial}}, c.status.report(nil, false))
		for _, said := range c.status.report(nil, true) {
			assert.Empty(t, said.Message)
		}
	}
}

// The revision that is there again, or new, begins with what it has.
func TestBeginnings(t *testing.T) {
	for _, c := range []struct {
		isNew    bool
		ready    int32
		low      int32
		initial  int32
		want     activity
		finished bool
	}{
		{true, 0, 0, 1, activating, false},
		{true, 0, 2, 0, activating, false},
		{true, 0, 0, 0, inactive, false},
		{false, 0, 0, 1, inactive, true},
		{false, 3, 0, 1, active, true},
	} {
		r := newReconciler(&settings{low: c.low, initial: c.initial}, after(0.3), c.ready, c.isNew)
		want := status{active: c.want, since: start, initialized: c.finished, endpoints: c.ready > 0, mode: proxy, proxied: start}
		assert.Equal(t, want, r.status, fmt.Sprint(c))
	}
}
