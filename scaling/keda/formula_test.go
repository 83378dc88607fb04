package keda

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/scalelab/scalelab/messages"
)

func TestFormulas(t *testing.T) {
	for name, c := range map[string]struct {
		formula     string
		rate, list  messages.Metric
		active      bool
		milli       int64
		err, detail string
	}{
		"a sum":          {formula: "rate + list", rate: value(3), list: value(4), active: true, milli: 7000, detail: "the formula gives 7, above 2: active; the HPA holds it against 2 for each pod"},
		"a sum too low":  {formula: "rate + list", rate: value(1), list: value(1), milli: 2000, detail: "the formula gives 2, not above 2: not active; the HPA holds it against 2 for each pod"},
		"whole numbers":  {formula: "rate > 2 ? 5 : 1", rate: value(3), list: value(0), active: true, milli: 5000, detail: "the formula gives 5, above 2: active; the HPA holds it against 2 for each pod"},
		"cut, not round": {formula: "float(rate / list)", rate: value(8), list: value(3), active: true, milli: 2666, detail: "the formula gives 2.666, above 2: active; the HPA holds it against 2 for each pod"},
		"by zero":        {formula: "rate / list", rate: value(8), list: value(0), milli: -1 << 63, detail: "the formula gives -9223372036854776, not above 2: not active; the HPA holds it against 2 for each pod"},
		"a failure":      {formula: "rate + list", rate: broken("no"), list: value(4), err: "metric:composite-metric encountered error"},
		"no number":      {formula: "rate > 2 ? nil : rate", rate: value(3), list: value(4), detail: "no composite metric: the formula cannot be evaluated: invalid operation: float(<nil>) (1:1)"},
		"a yes":          {formula: "float(rate) > 3", rate: value(3), list: value(4), detail: "no composite metric: the formula gives a bool, expected a number"},
	} {
		t.Run(name, func(t *testing.T) {
			a := loop(t, `{advanced: {scalingModifiers: {formula: "`+c.formula+`", target: "2", activationTarget: "2"}}, triggers: [`+rateTrigger+`, `+listTrigger+`, `+cpuTrigger+`]}`)
			d := poll(t, a, 0.5, 1, c.rate, c.list)
			assert.Equal(t, c.active, d.Signal("active") == 1)
			if c.detail != "" {
				assert.Equal(t, c.detail, details(d)[3])
			}
			h := horizontal(t, a)
			ask(t, h, 15, 1, c.rate, c.list, messages.Metric{Err: "no CPU yet"})
			answer := h.Seen()[1]
			assert.Equal(t, c.milli, answer.Milli)
			switch {
			case c.err != "":
				assert.ErrorContains(t, errorOf(answer), c.err)
			case c.milli == 0:
				assert.Equal(t, "no metrics returned from external metrics API", answer.Err)
			}
		})
	}
}

type text string

func (s text) Error() string { return string(s) }

func errorOf(m messages.Metric) error { return text(m.Err) }

// TestFallbackOfAFormula: the fallback comes before the formula, and its target has
// to be a whole number.
func TestFallbackOfAFormula(t *testing.T) {
	const spec = `{fallback: {failureThreshold: 0, replicas: 6}, advanced: {scalingModifiers: {formula: rate + list, target: "`
	a := loop(t, spec+`3"}}, triggers: [`+rateTrigger+`, `+listTrigger+`]}`)
	h := horizontal(t, a)
	ask(t, h, 15, 1, broken("no"), value(100))
	assert.Equal(t, int64(18_000), h.Seen()[0].Milli)
	d := poll(t, a, 30.5, 1, broken("no"), value(100))
	assert.Equal(t, float64(1), d.Signal("active"))
	assert.Equal(t, float64(1), d.Signal("fallback"))
	assert.Equal(t, "the fallback, which comes before the formula, gives 18, above 0: active; the HPA holds it against 3 for each pod", details(d)[2])

	a = loop(t, spec+`2.5"}}, triggers: [`+rateTrigger+`, `+listTrigger+`]}`)
	poll(t, a, 0.5, 1, broken("no"), value(100))
	assert.Zero(t, a.Failures()[a.triggers[0].metric])

	a = loop(t, `{fallback: {failureThreshold: 0, replicas: 6}, advanced: {scalingModifiers: {formula: rate, target: "3", metricType: Value}}, triggers: [`+rateTrigger+`]}`)
	h = horizontal(t, a)
	ask(t, h, 15, 4, broken("no"))
	assert.Equal(t, int64(4500), h.Seen()[0].Milli)
	d = poll(t, a, 30.5, 4, value(1))
	assert.Equal(t, "the formula gives 1, above 0: active; the HPA holds it against 3 for all pods together", details(d)[1])
}

// TestFormulaThatKnowsOfFailures: with the behavior scalingModifiers a trigger that
// fails too often is nil, and one that nobody replaces is the fallback.
func TestFormulaThatKnowsOfFailures(t *testing.T) {
	const fallback = `{fallback: {failureThreshold: 1, replicas: 6, behavior: scalingModifiers}, advanced: {scalingModifiers: {target: "3", formula: `
	a := loop(t, fallback+`"rate ?? list"}}, triggers: [`+rateTrigger+`, `+listTrigger+`]}`)
	d := poll(t, a, 0.5, 1, broken("no"), value(8))
	assert.Equal(t, messages.ReasonMetricFailed, d.Reason)
	d = poll(t, a, 30.5, 1, broken("no"), value(8))
	assert.Equal(t, []string{"trigger 0 (prometheus, rate): no, failure 2 in a row: nil in the formula", "trigger 1 (redis, list): 8, active", "the formula gives 8, above 0: active; the HPA holds it against 3 for each pod"}, details(d))
	h := horizontal(t, a)
	ask(t, h, 45, 1, broken("no"), broken("no"))
	assert.NotEmpty(t, h.Seen()[0].Err, "the other has failed once")
	ask(t, h, 60, 1, broken("no"), broken("no"))
	assert.Equal(t, int64(18_000), h.Seen()[0].Milli, "neither is known: 6 replicas at 3")

	a = loop(t, `{advanced: {scalingModifiers: {target: "3", formula: "rate > 5 ? nil : rate ?? 1"}}, triggers: [`+rateTrigger+`]}`)
	d = poll(t, a, 0.5, 1, value(8))
	assert.Equal(t, "no composite metric: the formula gives nil, and there is no fallback", details(d)[1])
}

func TestAFormulaOverNothing(t *testing.T) {
	a := loop(t, `{minReplicaCount: 1, advanced: {scalingModifiers: {target: "3", formula: "7"}}, triggers: [`+cpuTrigger+`]}`)
	d := poll(t, a, 0.5, 1)
	assert.Equal(t, messages.ReasonActive, d.Reason)
	h := horizontal(t, a)
	ask(t, h, 15, 1, messages.Metric{Err: "no CPU yet"})
	assert.ErrorContains(t, errorOf(h.Seen()[1]), "no matching metrics found for composite-metric")
}

// TestACachedFallbackOfAFormula: the value is called composite-metric, and the formula
// looks for the trigger's in vain.
func TestACachedFallbackOfAFormula(t *testing.T) {
	a := loop(t, `{fallback: {failureThreshold: 0, replicas: 6}, advanced: {scalingModifiers: {formula: rate + 1, target: "3"}}, triggers: [
		{type: prometheus, name: rate, useCachedMetrics: true, metadata: {serverAddress: p, query: q, threshold: "10"}}]}`)
	poll(t, a, 0.5, 1, broken("no"))
	h := horizontal(t, a)
	ask(t, h, 15, 1, broken("no"))
	assert.Equal(t, "no metrics returned from external metrics API", h.Seen()[0].Err)
}
