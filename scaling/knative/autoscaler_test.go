package knative

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"
)

func newAutoscaler(t testing.TB, spec Spec) *Autoscaler {
	a, err := New(spec, start)
	require.NoError(t, err)
	return a
}

// seen are so many pods wanted, existing and ready.
func seen(desired, created, ready int32) messages.Observation {
	return messages.Observation{Replicas: messages.Replicas{Desired: desired, Created: created, Ready: ready}, Path: direct}
}

func wakeUp(service string) messages.RequestCount {
	return messages.RequestCount{Count: 1, Svc: service, Namespace: "default"}
}

func TestPeriods(t *testing.T) {
	a := newAutoscaler(t, newSpec())
	assert.Equal(t, 2*time.Second, a.Period())
	assert.Equal(t, time.Second, a.CollectEvery())
	assert.Equal(t, start, a.Next(), "it begins at once")
}

func TestGauge(t *testing.T) {
	a := newAutoscaler(t, newSpec())
	assert.False(t, a.CountsRequests())
	assert.Equal(t, messages.Gauge{Name: "concurrency, stable average over all pods"}, a.Gauge())
}

// A decision in all its parts: 150 concurrent requests at the only pod.
func TestDecision(t *testing.T) {
	a := newAutoscaler(t, newSpec())
	d, err := a.Reconcile(start, seen(1, 1, 1))
	require.NoError(t, err)
	assert.Equal(t, "hold 1: no reports to judge by", d.Message)
	assert.Equal(t, messages.ReasonMetricFailed, d.Reason)
	assert.Equal(t, []messages.Signal{{Name: "panic", Value: 0, Flag: true}, {Name: "excess_burst_capacity", Value: -111}, {Name: "desired_pods", Value: -1},
		{Name: "desired_scale", Value: -1}, {Name: "proxy_mode", Value: 1}}, d.Signals)
	assert.True(t, a.Next().IsZero())

	a.Collect(after(1), messages.Stats{Pods: podStats(150)})
	d, err = a.Decide(after(2), seen(1, 1, 1))
	require.NoError(t, err)
	assert.Equal(t, messages.Decision{
		Desired: 3,
		Reason:  messages.ReasonScaleUp,
		Message: "scale up from 1 to 3: the stable window asks for it",
		Steps: []messages.Step{
			{Stage: messages.StageMetric, Replicas: 3, Detail: "concurrency: 150 over 1m0s, 150 over 6s, target 70 per pod: 3 and 3 pods"},
			{Stage: messages.StagePanic, Replicas: 3, Detail: "asked for 3 times the ready pods, threshold 2: panic, at least 3"},
		},
		Conditions: []messages.Condition{{Type: "Active", Status: "True"}, {Type: "Ready", Status: "True"},
			{Type: "SKSReady", Status: "True"}, {Type: "ScaleTargetInitialized", Status: "True"}},
		Path: proxy,
		Signals: []messages.Signal{{Name: "panic", Value: 1, Flag: true}, {Name: "excess_burst_capacity", Value: -261}, {Name: "desired_pods", Value: 3},
			{Name: "stable_average", Value: 150}, {Name: "panic_average", Value: 150}, {Name: "desired_scale", Value: 3}, {Name: "proxy_mode", Value: 1}},
	}, d)

	d, err = a.Decide(after(4), seen(3, 3, 3))
	require.NoError(t, err)
	assert.Equal(t, "hold 3: the stable window asks for it", d.Message)
	assert.Equal(t, messages.ReasonSteady, d.Reason)
}

// What stands in the words of a tick, one setting after the other.
func TestWordsOfTicks(t *testing.T) {
	for name, c := range map[string]struct {
		spec    Spec
		ready   int32
		load    float64
		message string
		last    messages.Step
	}{
		"rates": {newSpec(), 4, 0, "scale down from 4 to 2: the stable window asks for it; requests go to the pods from now on: excess burst capacity 189",
			messages.Step{Stage: messages.StagePolicy, Replicas: 2, Detail: "rates allow 2 to 4000 pods beside 4 ready"}},
		"activation scale": {newSpec("activation-scale", "3", "panic-threshold-percentage", "1000"), 1, 7, "scale up from 1 to 3: the stable window asks for it",
			messages.Step{Stage: messages.StageClamp, Replicas: 3, Detail: "activation-scale is 3"}},
		"max-scale": {newSpec("max-scale", "2", "panic-threshold-percentage", "1000"), 1, 500, "scale up from 1 to 2: max-scale",
			messages.Step{Stage: messages.StageClamp, Replicas: 2, Detail: "max-scale is 2"}},
		"min-scale": {newSpec("min-scale", "5"), 1, 7, "scale up from 1 to 5: min-scale",
			messages.Step{Stage: messages.StageClamp, Replicas: 5, Detail: "min-scale is 5"}},
		"no burst to be ready for": {newSpec("target-burst-capacity", "0"), 1, 7, "hold 1: the stable window asks for it; requests go to the pods from now on: excess burst capacity 0",
			messages.Step{Stage: messages.StageMetric, Replicas: 1, Detail: "concurrency: 7 over 1m0s, 7 over 6s, target 70 per pod: 1 and 1 pods"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAutoscaler(t, c.spec)
			_, err := a.Reconcile(start, seen(c.ready, c.ready, 0)) // no panic at the start
			require.NoError(t, err)
			a.reconciler.active = active
			_, err = a.Reconcile(after(0.5), seen(c.ready, c.ready, c.ready))
			require.NoError(t, err)
			a.Collect(after(1), messages.Stats{Pods: podStats(c.load)})
			d, err := a.Decide(after(2), seen(c.ready, c.ready, c.ready))
			require.NoError(t, err)
			assert.Equal(t, c.message, d.Message)
			assert.Equal(t, c.last, d.Steps[len(d.Steps)-1])
		})
	}
}

// words are those about the count.
func words(d messages.Decision) string {
	about, _, _ := strings.Cut(d.Message, ";")
	return about
}

// The windows ask for 10 pods and for 1, in turn.
func TestDelayAndPanicKeepTheCount(t *testing.T) {
	a := newAutoscaler(t, newSpec("scale-down-delay", "1m", "window", "6s"))
	act := func(second float64, ready int32, load float64) messages.Decision {
		a.Collect(after(second), messages.Stats{Pods: podStats(load)})
		d, err := a.Decide(after(second), seen(ready, ready, ready))
		require.NoError(t, err)
		return d
	}
	assert.Equal(t, "scale up from 1 to 10: the stable window asks for it", words(act(2, 1, 700)))
	d := act(4, 10, 70)
	assert.Equal(t, "hold 10: no scale-down in panic", words(d))
	assert.Equal(t, messages.ReasonPanic, d.Reason)
	assert.Equal(t, messages.Step{Stage: messages.StagePanic, Replicas: 10, Detail: "in panic, last surge 2s ago, at least 10"}, d.Steps[len(d.Steps)-1])
	d = act(20, 10, 70)
	assert.Equal(t, "hold 10: scale-down-delay keeps the count", words(d))
	assert.Equal(t, messages.ReasonStabilized, d.Reason)
	assert.Equal(t, []messages.Step{
		{Stage: messages.StageMetric, Replicas: 1, Detail: "concurrency: 70 over 6s, 70 over 1s, target 70 per pod: 1 and 1 pods"},
		{Stage: messages.StagePolicy, Replicas: 5, Detail: "rates allow 5 to 10000 pods beside 10 ready"},
		{Stage: messages.StagePanic, Replicas: 5, Detail: "no surge for more than 6s: the panic is over"},
		{Stage: messages.StageWindow, Replicas: 10, Detail: "scale-down-delay: largest count of the last 1m0s is 10"},
	}, d.Steps)
	d = act(22, 10, 3000)
	assert.Equal(t, messages.ReasonScaleUp, d.Reason)
	assert.Equal(t, "scale up from 10 to 43: the panic window asks for it", words(d))
}

// An idle revision, from its last request to zero, and back.
func TestWordsOnTheWayToZero(t *testing.T) {
	a := newAutoscaler(t, newSpec("window", "10s", "target-burst-capacity", "0", "scale-to-zero-pod-retention-period", "20s"))
	var messagesInOrder []string
	path := proxy
	replicas := messages.Replicas{Desired: 1, Created: 1, Ready: 1}
	carryOut := func(at float64, d messages.Decision, err error) {
		require.NoError(t, err)
		replicas.Desired = d.Desired
		if n := len(messagesInOrder); n == 0 || messagesInOrder[n-1] != d.Message {
			messagesInOrder = append(messagesInOrder, d.Message)
		}
	}
	for half := range 140 {
		at := float64(half) / 2
		switch {
		case at == 3:
			path = direct
		case at == 14:
			path = proxy
		}
		if half%2 == 0 && half > 0 {
			a.Collect(after(at), messages.Stats{Pods: podStats(0)[:replicas.Desired]})
		}
		if next := a.Next(); !next.IsZero() && !next.After(after(at)) {
			d, err := a.Reconcile(after(at), messages.Observation{Replicas: replicas, Path: path})
			carryOut(at, d, err)
		}
		if half%4 == 0 && half > 0 {
			d, err := a.Decide(after(at), messages.Observation{Replicas: replicas, Path: path})
			carryOut(at, d, err)
		}
		replicas.Created, replicas.Ready = replicas.Desired, replicas.Desired
	}
	assert.Equal(t, []string{
		"hold 1: no reports to judge by",
		"hold 1: idle, but active for less than the stable window; requests go to the pods from now on: excess burst capacity 0",
		"hold 1: idle, but active for less than the stable window",
		"hold 1: idle, but the activator is not yet in the way of requests; requests go by the activator from now on: excess burst capacity 0",
		"hold 1: idle, but the activator is not yet in the way of requests",
		"hold 1: idle, but the last pod is retained",
		"hold 1: idle, but by the activator for less than the grace period",
		"scale to zero from 1: idle, and the activator stands in",
		"hold 0: idle, and the activator stands in",
	}, messagesInOrder)

	d, err := a.Wake(after(71), wakeUp("web"), messages.Replicas{})
	require.NoError(t, err)
	assert.Equal(t, "scale from zero to 1: the stable window asks for it", d.Message)
	assert.Equal(t, messages.ReasonScaleFromZero, d.Reason)
	assert.Equal(t, proxy, d.Path, "no pod is ready")
	assert.Zero(t, d.Signal("proxy_mode"), "but it is not asked for")
	d, err = a.Reconcile(after(75), seen(1, 1, 1))
	require.NoError(t, err)
	assert.Equal(t, "hold 1: the stable window asks for it; requests go to the pods from now on: excess burst capacity 0", d.Message)
	d, err = a.Reconcile(after(80), seen(1, 1, 0))
	require.NoError(t, err)
	assert.Equal(t, "hold 1: the stable window asks for it; requests go by the activator until a pod is ready", d.Message)
}

// A revision that gets no pod ready is given up; zero is applied in the second
// look at the same instant.
func TestARevisionThatDoesNotStartIsGivenUp(t *testing.T) {
	spec := newSpec("initial-scale", "2")
	spec.New, spec.Revision.ProgressDeadline = true, 10*time.Second
	a := newAutoscaler(t, spec)
	d, err := a.Reconcile(after(0.2), seen(2, 0, 0))
	require.NoError(t, err)
	assert.Equal(t, "hold 2: initial-scale", d.Message)
	assert.Equal(t, messages.ReasonAtLimit, d.Reason)

	spec.Revision.Annotations = map[string]string{}
	a = newAutoscaler(t, spec)
	d, err = a.Reconcile(after(0.2), seen(1, 0, 0))
	require.NoError(t, err)
	assert.Equal(t, "hold 1: idle, but the first pods are on their way", d.Message)
	assert.Equal(t, messages.ReasonCooldown, d.Reason)
	assert.Equal(t, after(40.2), a.Next())
	d, err = a.Reconcile(after(40.2), seen(1, 1, 0))
	require.NoError(t, err)
	assert.Equal(t, "scale to zero from 1: the pods did not become ready in time", d.Message)
	assert.Equal(t, messages.ReasonScaleToZero, d.Reason)
	assert.Equal(t, "NoTraffic", d.Conditions[0].Reason)
}

func TestZeroCanBeSwitchedOff(t *testing.T) {
	spec := newSpec()
	spec.Config.EnableScaleToZero = false
	a := newAutoscaler(t, spec)
	a.Collect(after(1), messages.Stats{Pods: podStats(0)})
	d, err := a.Decide(after(2), seen(4, 4, 1))
	require.NoError(t, err)
	assert.Equal(t, "scale down from 4 to 1: enable-scale-to-zero is false", d.Message)
}

func TestWake(t *testing.T) {
	spec := newSpec()
	spec.Config.AllowZeroInitialScale, spec.Config.InitialScale = true, 0
	spec.New = true
	a := newAutoscaler(t, spec)
	_, err := a.Wake(start, messages.RequestCount{Svc: "web", Namespace: "default"}, messages.Replicas{})
	assert.EqualError(t, err, "knative: wake-up: count: found 0, expected at least 1")
	_, err = a.Wake(start, wakeUp("other"), messages.Replicas{})
	assert.EqualError(t, err, `knative: wake-up: found service "other", expected "web"`)

	// Nothing is known yet, so the engine is not woken up but at its next tick.
	d, err := a.Wake(after(1), wakeUp("web"), messages.Replicas{})
	require.NoError(t, err)
	assert.Equal(t, "hold 0: asleep at the last tick", d.Message)
	d, err = a.Decide(after(2), seen(0, 0, 0))
	require.NoError(t, err)
	assert.Equal(t, "scale from zero to 1: the stable window asks for it", d.Message)
}

// A report of an activator wakes the engine up as well, where nothing is wanted.
func TestAReportWakesTheEngineUp(t *testing.T) {
	asleep := messages.Observation{Path: proxy}
	a := newAutoscaler(t, newSpec())
	_, err := a.Reconcile(start, asleep)
	require.NoError(t, err)
	a.Collect(after(1), messages.Stats{Proxies: []messages.ProxyStats{{}}})
	_, err = a.Decide(after(2), asleep)
	require.NoError(t, err)
	assert.EqualValues(t, 0, a.engine.desired)
	a.Collect(after(3), messages.Stats{Proxies: []messages.ProxyStats{{Requests: 1}}})
	assert.Equal(t, after(30), a.Next(), "no request was there for any time: the end of the grace period")
	a.Collect(after(4), messages.Stats{Proxies: []messages.ProxyStats{{Concurrency: 0.1}}})
	assert.Equal(t, after(4), a.Next())
	d, err := a.Reconcile(after(4), asleep)
	require.NoError(t, err)
	assert.EqualValues(t, 1, d.Desired)
	assert.Equal(t, after(30), a.Next())
}

// Another way of requests is no event for the reconciler, nor is another wish.
func TestWhatTheReconcilerDoesNotHear(t *testing.T) {
	a := newAutoscaler(t, newSpec())
	for range 2 {
		d, err := a.Reconcile(start, seen(1, 1, 1))
		require.NoError(t, err)
		assert.EqualValues(t, 1, d.Desired)
	}
	a.engine.desired = 5
	d, err := a.Reconcile(after(1), messages.Observation{Replicas: messages.Replicas{Desired: 7, Created: 1, Ready: 1}, Path: proxy})
	require.NoError(t, err)
	assert.EqualValues(t, 7, d.Desired)
	d, err = a.Reconcile(after(1), seen(7, 2, 1))
	require.NoError(t, err)
	assert.EqualValues(t, 5, d.Desired)
}

func TestCountsThatDoNotFit(t *testing.T) {
	assert.EqualValues(t, -2147483648, toInt32(3e9))
	assert.EqualValues(t, 2147483647, toInt32(2147483647.5))
	spec := newSpec("target", "0.01", "panic-threshold-percentage", "1000")
	spec.Config.MaxScaleUpRate = 1e12
	a := newAutoscaler(t, spec)
	a.Collect(after(1), messages.Stats{Pods: podStats(1e9)})
	d, err := a.Decide(after(2), seen(1, 1, 1))
	require.NoError(t, err)
	assert.EqualValues(t, 1, d.Desired, "less than nothing is nothing known")
}

func TestQuietly(t *testing.T) {
	loud, quiet := newAutoscaler(t, newSpec()), newAutoscaler(t, newSpec())
	quiet.Quietly()
	for second := 1; second < 100; second++ {
		stats := messages.Stats{Pods: podStats(float64(second%7) * 30)}
		loud.Collect(after(float64(second)), stats)
		quiet.Collect(after(float64(second)), stats)
		if second%2 == 0 {
			l, err := loud.Decide(after(float64(second)), seen(2, 2, 2))
			require.NoError(t, err)
			q, err := quiet.Decide(after(float64(second)), seen(2, 2, 2))
			require.NoError(t, err)
			assert.Equal(t, "-", q.Message)
			assert.Empty(t, q.Steps)
			assert.Equal(t, l.Signals, q.Signals)
			assert.Equal(t, []any{l.Desired, l.Reason, l.Path}, []any{q.Desired, q.Reason, q.Path})
		}
	}
}
