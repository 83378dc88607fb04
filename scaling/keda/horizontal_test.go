package keda

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/hpa"
)

func TestTheHPAScalesBetweenOneAndTheMost(t *testing.T) {
	a := loop(t, `{maxReplicaCount: 4, triggers: [`+rateTrigger+`, `+listTrigger+`]}`)
	h := horizontal(t, a)
	assert.Equal(t, hpa.DefaultController().SyncPeriod, h.Period())
	assert.Zero(t, h.First())
	assert.Equal(t, []int{0, 1}, h.Asked())
	require.Len(t, h.Gauges(), 2)
	assert.Equal(t, "external metric s0-prometheus", h.Gauges()[0].Name)
	assert.Equal(t, 10.0, *h.Gauges()[0].Target)

	d := ask(t, h, 15, 1, value(25.5), value(2))
	assert.Equal(t, int32(3), d.Desired)
	assert.Equal(t, []messages.Metric{{At: at(15), Milli: 25500}, {At: at(15), Milli: 2000}}, h.Seen())
	d = ask(t, h, 30, 3, value(99), value(0))
	assert.Equal(t, int32(4), d.Desired, "maxReplicaCount")
	h.Quietly()
	assert.Equal(t, "-", ask(t, h, 45, 4, value(99), value(0)).Message)
}

func TestTheHPAIsOffAtZero(t *testing.T) {
	a := loop(t, `{minReplicaCount: 2, maxReplicaCount: 4, fallback: {failureThreshold: 9, replicas: 3}, triggers: [`+rateTrigger+`]}`)
	h := horizontal(t, a)
	for _, c := range []struct{ replicas, want int32 }{{0, 0}, {1, 2}, {5, 4}} {
		assert.Equal(t, c.want, ask(t, h, 15, c.replicas, broken("no")).Desired)
		assert.Zero(t, a.Failures()[a.triggers[0].metric], "at %d the metrics are not asked for", c.replicas)
	}
	ask(t, h, 15, 2, broken("no"))
	assert.Equal(t, int32(1), a.Failures()[a.triggers[0].metric])
}

func TestAPausedScaledObjectHasNoHPA(t *testing.T) {
	h, err := loop(t, `{triggers: [`+rateTrigger+`]}`, pausedAnnotation, "").Horizontal()
	require.NoError(t, err)
	assert.Nil(t, h)
}

func TestAnHPAThatTheAPIRefuses(t *testing.T) {
	_, err := loop(t, `{advanced: {horizontalPodAutoscalerConfig: {behavior: {scaleUp: {stabilizationWindowSeconds: -1}}}}, triggers: [`+rateTrigger+`]}`).Horizontal()
	assert.ErrorContains(t, err, "spec.behavior.scaleUp.stabilizationWindowSeconds")
}

// TestFailuresAreCountedTogether by polls and by the HPA's questions: the third in
// a row is one too many, whoever asks.
func TestFailuresAreCountedTogether(t *testing.T) {
	a := loop(t, `{fallback: {failureThreshold: 2, replicas: 6}, triggers: [`+rateTrigger+`]}`)
	h := horizontal(t, a)
	down := broken("no")
	poll(t, a, 0.5, 2, down)
	d := ask(t, h, 15, 2, down)
	assert.Equal(t, messages.ReasonMetricFailed, d.Reason)
	assert.Equal(t, "rpc error: code = Unknown desc = error when getting metric values metric:s0-prometheus encountered error", h.Seen()[0].Err)
	d = poll(t, a, 30.5, 2, down)
	assert.Equal(t, []string{"trigger 0 (prometheus, rate): no, failure 3 in a row: the fallback's value of 60 instead"}, details(d))
	assert.Equal(t, int32(4), ask(t, h, 45, 2, down).Desired, "6 in the end; no more than 4 at once")
	assert.Equal(t, int64(60_000), h.Seen()[0].Milli)
	poll(t, a, 60.5, 6, value(1))
	assert.Zero(t, a.Failures()[a.triggers[0].metric], "one success is enough")
}

func TestFallbackBehaviors(t *testing.T) {
	const total = `{type: redis, metricType: Value, metadata: {listName: l, address: r, listLength: "8"}}`
	for name, c := range map[string]struct {
		behavior, trigger string
		replicas          int32
		want              int64 // thousandths
	}{
		"static":                  {"static", rateTrigger, 3, 40_000},
		"as many as there are":    {"currentReplicas", rateTrigger, 3, 30_000},
		"more than that":          {"currentReplicasIfHigher", rateTrigger, 3, 40_000},
		"more than the fallback":  {"currentReplicasIfHigher", rateTrigger, 7, 70_000},
		"fewer than the fallback": {"currentReplicasIfLower", rateTrigger, 3, 30_000},
		"no more than that":       {"currentReplicasIfLower", rateTrigger, 7, 40_000},
		"a total":                 {"static", total, 3, 10_666},
	} {
		t.Run(name, func(t *testing.T) {
			a := loop(t, `{fallback: {failureThreshold: 0, replicas: 4, behavior: `+c.behavior+`}, triggers: [`+c.trigger+`]}`)
			h := horizontal(t, a)
			ask(t, h, 15, c.replicas, broken("no"))
			assert.Equal(t, c.want, h.Seen()[0].Milli)
		})
	}
	a := loop(t, `{fallback: {failureThreshold: 0, replicas: 4}, triggers: [`+total+`]}`)
	d := poll(t, a, 0.5, 0, broken("no"))
	assert.Equal(t, []string{"trigger 0 (redis): error performing fallback"}, details(d), "nothing to divide by")
}

// TestCachedMetrics: the HPA is told what the last poll saw.
func TestCachedMetrics(t *testing.T) {
	const cached = `{type: prometheus, useCachedMetrics: true, metadata: {serverAddress: p, query: q, threshold: "10"}}`
	a := loop(t, `{fallback: {failureThreshold: 0, replicas: 6}, triggers: [`+cached+`]}`)
	h := horizontal(t, a)
	ask(t, h, 0, 1, value(7))
	assert.Equal(t, int64(7000), h.Seen()[0].Milli, "before the first poll it is asked")
	poll(t, a, 0.5, 1, value(25))
	ask(t, h, 15, 1, value(99))
	assert.Equal(t, int64(25_000), h.Seen()[0].Milli)
	poll(t, a, 30.5, 3, broken("no"))
	assert.Equal(t, int32(1), a.Failures()[a.triggers[0].metric])
	ask(t, h, 45, 3, value(99))
	assert.Equal(t, int64(60_000), h.Seen()[0].Milli)
	assert.Equal(t, int32(1), a.Failures()["s0-prometheus"], "the adapter's copy has never heard of a failure, and writes nothing")
}

// TestPollsThatReadTheHPA: with a minimum the HPA does all the scaling, and a poll
// takes its observation, as long as it makes any.
func TestPollsThatReadTheHPA(t *testing.T) {
	a := loop(t, `{minReplicaCount: 1, triggers: [`+strictTrigger+`]}`)
	h := horizontal(t, a)
	ask(t, h, 0, 1, value(3))
	d := poll(t, a, 0.5, 1, value(0))
	assert.Equal(t, []string{"trigger 0 (prometheus, rate): 3, active"}, details(d))
	ask(t, h, 15, 1, empty)
	d = poll(t, a, 30.5, 1, value(0))
	assert.Equal(t, []string{"trigger 0 (prometheus, rate): 0, not active"}, details(d), "the HPA has no metrics, so that the trigger is asked")

	for what, spec := range map[string]string{
		"to zero":      `{triggers: [` + rateTrigger + `]}`,
		"to idle":      `{minReplicaCount: 2, idleReplicaCount: 0, triggers: [` + rateTrigger + `]}`,
		"by a formula": `{minReplicaCount: 1, advanced: {scalingModifiers: {formula: rate, target: "1"}}, triggers: [` + rateTrigger + `]}`,
		"from a cache": `{minReplicaCount: 1, triggers: [{type: redis, useCachedMetrics: true, metadata: {listName: l, address: r}}]}`,
	} {
		assert.False(t, loop(t, spec).readsHPA, what)
	}
}

// TestCopiesOfTheFailures: while a fallback hides the errors, polls and adapter count
// on copies of their own, and the last to write wins.
func TestCopiesOfTheFailures(t *testing.T) {
	a := loop(t, `{fallback: {failureThreshold: 0, replicas: 6}, triggers: [`+rateTrigger+`]}`)
	h := horizontal(t, a)
	count := func() int32 { return a.Failures()["s0-prometheus"] }
	ask(t, h, 0, 1, broken("no"))
	poll(t, a, 0.5, 1, broken("no"))
	poll(t, a, 10.5, 1, broken("no"))
	assert.Equal(t, int32(3), count())
	ask(t, h, 15, 1, broken("no"))
	assert.Equal(t, int32(2), count(), "the adapter knew of one")
	poll(t, a, 20.5, 1, value(1))
	ask(t, h, 30, 1, value(1))
	assert.Zero(t, count())
}
