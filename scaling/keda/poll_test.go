package keda

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"
)

// step is one poll, and what must come of it.
type step struct {
	at       float64
	replicas int32
	metrics  []messages.Metric
	desired  int32
	reason   messages.Reason
	message  string
}

func metrics(m ...messages.Metric) []messages.Metric { return m }

func TestPolls(t *testing.T) {
	idle, busy, down := metrics(value(0)), metrics(value(5)), metrics(broken("connection refused"))
	for _, c := range []struct {
		name        string
		spec        string
		annotations []string
		steps       []step
	}{
		{"from zero, and back once the cooldown is over", `{cooldownPeriod: 60, triggers: [` + rateTrigger + `]}`, nil, []step{
			{0.5, 0, idle, 0, messages.ReasonSteady, "hold 0: no trigger is active"},
			{30.5, 0, busy, 1, messages.ReasonScaleFromZero, "scale from zero to 1: trigger 0 (prometheus, rate) is active"},
			{60.5, 3, busy, 3, messages.ReasonActive, "hold 3: trigger 0 (prometheus, rate) is active"},
			{90.5, 3, idle, 3, messages.ReasonCooldown, "hold 3: no trigger is active, but the cooldown is not over"},
			{120.0, 3, idle, 3, messages.ReasonCooldown, "hold 3: no trigger is active, but the cooldown is not over"},
			{120.5, 3, idle, 0, messages.ReasonScaleToZero, "scale to zero from 3: no trigger is active, and the cooldown is over"},
		}},
		{"a workload that was never active has no cooldown", `{triggers: [` + rateTrigger + `]}`, nil, []step{
			{0, 2, idle, 2, messages.ReasonCooldown, "hold 2: no trigger is active, but the initial cooldown is not over"},
			{0.1, 2, idle, 0, messages.ReasonScaleToZero, "scale to zero from 2: no trigger is active, and the initial cooldown is over"},
		}},
		{"but the initial one", `{initialCooldownPeriod: 40, triggers: [` + rateTrigger + `]}`, nil, []step{
			{30.5, 2, idle, 2, messages.ReasonCooldown, "hold 2: no trigger is active, but the initial cooldown is not over"},
			{60.5, 2, idle, 0, messages.ReasonScaleToZero, "scale to zero from 2: no trigger is active, and the initial cooldown is over"},
		}},
		{"to the minimum from zero, and never below", `{minReplicaCount: 2, triggers: [` + rateTrigger + `]}`, nil, []step{
			{0.5, 0, busy, 2, messages.ReasonScaleFromZero, "scale from zero to 2: trigger 0 (prometheus, rate) is active"},
			{30.5, 1, busy, 1, messages.ReasonActive, "hold 1: trigger 0 (prometheus, rate) is active"},
			{60.5, 1, idle, 2, messages.ReasonScaleUp, "scale up from 1 to 2: below minReplicaCount"},
			{999.5, 5, idle, 5, messages.ReasonSteady, "hold 5: no trigger is active; down to minReplicaCount the HPA scales, and the cooldown has no part in it"},
		}},
		{"an idle count", `{idleReplicaCount: 1, minReplicaCount: 3, cooldownPeriod: 0, triggers: [` + rateTrigger + `]}`, nil, []step{
			{0.5, 1, idle, 1, messages.ReasonSteady, "hold 1: no trigger is active"},
			{30.5, 1, busy, 3, messages.ReasonScaleUp, "scale up from 1 to 3: trigger 0 (prometheus, rate) is active"},
			{60.5, 4, idle, 1, messages.ReasonScaleDown, "scale down from 4 to 1: no trigger is active, and the cooldown is over"},
			{90.5, 0, idle, 0, messages.ReasonSteady, "hold 0: no trigger is active"},
		}},
		{"an error holds everything", `{triggers: [` + rateTrigger + `]}`, nil, []step{
			{30.5, 2, down, 2, messages.ReasonMetricFailed, "hold 2: trigger 0 (prometheus, rate): connection refused"},
			{60.5, 0, down, 0, messages.ReasonMetricFailed, "hold 0: trigger 0 (prometheus, rate): connection refused"},
		}},
		{"an error of one trigger, another is active", `{cooldownPeriod: 0, triggers: [` + rateTrigger + `, ` + listTrigger + `]}`, nil, []step{
			{0.5, 1, metrics(broken("no"), value(3)), 1, messages.ReasonActive, "hold 1: trigger 1 (redis, list) is active; trigger 0 (prometheus, rate): no"},
			{30.5, 1, metrics(value(0), value(0)), 0, messages.ReasonScaleToZero, "scale to zero from 1: no trigger is active, and the initial cooldown is over"},
			{60.5, 0, metrics(broken("no"), value(3)), 1, messages.ReasonScaleFromZero, "scale from zero to 1: trigger 1 (redis, list) is active"},
		}},
		{"a fallback is waited for", `{fallback: {failureThreshold: 1, replicas: 4}, triggers: [` + rateTrigger + `]}`, nil, []step{
			{0.5, 2, down, 2, messages.ReasonMetricFailed, "hold 2: trigger 0 (prometheus, rate): connection refused; waiting for the fallback"},
			{30.5, 2, down, 2, messages.ReasonActive, "hold 2: the fallback of trigger 0 (prometheus, rate) is active"},
			{60.5, 0, down, 1, messages.ReasonScaleFromZero, "scale from zero to 1: the fallback of trigger 0 (prometheus, rate) is active"},
			{90.5, 1, idle, 1, messages.ReasonCooldown, "hold 1: no trigger is active, but the cooldown is not over"},
			{120.5, 1, down, 1, messages.ReasonMetricFailed, "hold 1: trigger 0 (prometheus, rate): connection refused; waiting for the fallback"},
		}},
		{"a fallback to 0 does not keep an error from scaling down", `{fallback: {failureThreshold: 9, replicas: 0}, triggers: [` + rateTrigger + `]}`, nil, []step{
			{30.5, 2, down, 0, messages.ReasonScaleToZero, "scale to zero from 2: no trigger is active, and the initial cooldown is over"},
		}},
		{"paused", `{triggers: [` + rateTrigger + `]}`, []string{pausedAnnotation, "true"}, []step{
			{0.5, 2, idle, 2, messages.ReasonDisabled, "hold 2: the ScaledObject is paused"},
		}},
		{"paused in words that are no yes or no", `{triggers: [` + rateTrigger + `]}`, []string{pausedAnnotation, "please"}, []step{
			{0.5, 2, idle, 2, messages.ReasonDisabled, "hold 2: the ScaledObject is paused"},
		}},
		{"not paused", `{triggers: [` + rateTrigger + `]}`, []string{pausedAnnotation, "false"}, []step{
			{0.5, 2, idle, 0, messages.ReasonScaleToZero, "scale to zero from 2: no trigger is active, and the initial cooldown is over"},
		}},
		{"paused at a count", `{triggers: [` + rateTrigger + `]}`, []string{pausedReplicasAnnotation, "5"}, []step{
			{0.5, 2, idle, 5, messages.ReasonScaleUp, "scale up from 2 to 5: the ScaledObject is paused at that count"},
			{30.5, 5, idle, 5, messages.ReasonDisabled, "hold 5: the ScaledObject is paused"},
		}},
		{"no scaling in", `{triggers: [` + rateTrigger + `]}`, []string{pausedInAnnotation, "true"}, []step{
			{0.5, 2, idle, 2, messages.ReasonDisabled, "hold 2: scaling in is paused"},
		}},
		{"no scaling out, which is no activity", `{initialCooldownPeriod: 40, triggers: [` + rateTrigger + `]}`, []string{pausedOutAnnotation, "true"}, []step{
			{0.5, 0, busy, 0, messages.ReasonDisabled, "hold 0: scaling out is paused"},
			{60.5, 1, idle, 0, messages.ReasonScaleToZero, "scale to zero from 1: no trigger is active, and the initial cooldown is over"},
		}},
		{"forced", `{triggers: [` + rateTrigger + `]}`, []string{forcedAnnotation, "true"}, []step{
			{0.5, 0, idle, 1, messages.ReasonScaleFromZero, "scale from zero to 1: the annotation force-activation is active"},
			{30.5, 1, down, 1, messages.ReasonActive, "hold 1: the annotation force-activation is active; trigger 0 (prometheus, rate): connection refused"},
		}},
		{"CPU alone is always active", `{minReplicaCount: 1, triggers: [` + cpuTrigger + `]}`, nil, []step{
			{0.5, 0, nil, 1, messages.ReasonScaleFromZero, "scale from zero to 1: a ScaledObject of cpu and memory alone is active"},
			{30.5, 3, nil, 3, messages.ReasonActive, "hold 3: a ScaledObject of cpu and memory alone is active"},
		}},
		{"CPU beside another has no say", `{triggers: [` + cpuTrigger + `, ` + rateTrigger + `]}`, nil, []step{
			{0.5, 3, idle, 0, messages.ReasonScaleToZero, "scale to zero from 3: no trigger is active, and the initial cooldown is over"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := loop(t, c.spec, c.annotations...)
			for _, s := range c.steps {
				d := poll(t, a, s.at, s.replicas, s.metrics...)
				assert.Equal(t, s.message, d.Message, "at %g s", s.at)
				assert.Equal(t, s.desired, d.Desired, "at %g s", s.at)
				assert.Equal(t, s.reason, d.Reason, "at %g s", s.at)
			}
		})
	}
}

func TestStepsSayHowAPollCameAbout(t *testing.T) {
	a := loop(t, `{cooldownPeriod: 60, triggers: [`+rateTrigger+`, `+listTrigger+`]}`)
	d := poll(t, a, 0.5, 1, value(0.1234), value(0))
	assert.Equal(t, []string{"trigger 0 (prometheus, rate): 123m, active", "trigger 1 (redis, list): 0, not active"}, details(d))
	assert.Equal(t, at(0), a.LastActive())
	d = poll(t, a, 30.5, 1, value(0), broken("no"))
	assert.Equal(t, []string{"trigger 0 (prometheus, rate): 0, not active", "trigger 1 (redis, list): no"}, details(d))
	d = poll(t, a, 45.5, 1, value(0), value(0))
	assert.Equal(t, "the cooldown of 1m0s since the last activity at 00:00:00 lasts until 00:01:00 UTC", details(d)[2])
	d = poll(t, a, 60.5, 1, value(0), value(0))
	assert.Equal(t, messages.Step{Stage: messages.StageCooldown, Replicas: 0, Detail: "the cooldown of 1m0s since the last activity at 00:00:00 is over"}, d.Steps[2])

	d = poll(t, loop(t, `{triggers: [`+rateTrigger+`]}`), 0.5, 2, value(0))
	assert.Equal(t, "the initial cooldown of 0s since the creation at 00:00:00 is over, for all pods at once: the HPA's behavior has no part in it", details(d)[1])
	d = poll(t, a, 90.5, 1, broken("no"), value(1))
	assert.Equal(t, []string{"trigger 0 (prometheus, rate): no", "trigger 1 (redis, list): 1, active", "a trigger failed, so that this is not taken down as activity"}, details(d))
	assert.Equal(t, at(0), a.LastActive())

	beside := loop(t, `{initialCooldownPeriod: 9, triggers: [`+cpuTrigger+`, {type: cron, metadata: {start: 0 8 * * *, end: 0 18 * * *, timezone: Asia/Makassar, desiredReplicas: "3"}}]}`)
	d = poll(t, beside, 0.5, 1)
	assert.Equal(t, []string{
		"trigger 0 (cpu): for the HPA alone, which does not scale from or to zero",
		"trigger 1 (cron): 3, active: inside of 0 8 * * * to 0 18 * * * in Asia/Makassar",
	}, details(d), "it is 8 o'clock there")
	d = poll(t, loop(t, `{initialCooldownPeriod: 9, triggers: [`+rateTrigger+`]}`), 0.5, 1, value(0))
	assert.Equal(t, "the initial cooldown of 9s since the creation at 00:00:00 lasts until 00:00:09 UTC", details(d)[1])

	quiet := loop(t, `{triggers: [`+rateTrigger+`]}`)
	quiet.Quietly()
	d = poll(t, quiet, 0.5, 1, value(0))
	assert.Equal(t, "-", d.Message)
	assert.Empty(t, d.Steps)
	assert.Equal(t, int32(0), d.Desired)
}

func TestConditionsAndSignals(t *testing.T) {
	type is [3]string // the reasons of Ready, Active and Fallback
	a := loop(t, `{fallback: {failureThreshold: 0, replicas: 3}, triggers: [`+rateTrigger+`, `+listTrigger+`]}`)
	for _, c := range []struct {
		of   *Autoscaler
		on   []messages.Metric
		want is
	}{
		{a, metrics(value(1), value(0)), is{"ScaledObjectReady", "ScalerActive", "NoFallbackFound"}},
		{a, metrics(value(0), value(0)), is{"ScaledObjectReady", "ScalerCooldown", "NoFallbackFound"}},
		{a, metrics(broken("no"), value(0)), is{"ScaledObjectReady", "ScalerActive", "FallbackExists"}},
		{loop(t, `{triggers: [`+rateTrigger+`]}`), metrics(broken("no")), is{"TriggerError", "ScalerNotActive", "NoFallbackFound"}},
		{loop(t, `{triggers: [`+rateTrigger+`, `+listTrigger+`]}`), metrics(broken("no"), value(9)), is{"PartialTriggerError", "ScalerActive", "NoFallbackFound"}},
	} {
		d := poll(t, c.of, 1, 1, c.on...)
		require.Len(t, d.Conditions, 3)
		assert.Equal(t, c.want, is{d.Conditions[0].Reason, d.Conditions[1].Reason, d.Conditions[2].Reason})
		assert.Equal(t, d.Conditions[1].Status == "True", d.Signal("active") == 1)
		assert.Equal(t, d.Conditions[2].Status == "True", d.Signal("fallback") == 1)
	}
}

func TestALoopNeedsItsAnswers(t *testing.T) {
	_, err := New(Spec{}, created)
	assert.EqualError(t, err, "keda: found no manifest, expected a ScaledObject")
	_, err = New(Spec{Manifest: &ScaledObject{}}, created)
	assert.ErrorContains(t, err, "spec.triggers: found none, expected at least one")
	a := loop(t, `{pollingInterval: 7, triggers: [`+rateTrigger+`]}`)
	assert.Equal(t, 7*time.Second, a.Period())
	_, err = a.Decide(created, seen(1))
	assert.EqualError(t, err, "keda: found 0 metrics, expected 1")
	_, err = horizontal(t, a).Decide(created, seen(1))
	assert.EqualError(t, err, "keda: found 0 metrics, expected 1")
}
