package elasti

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"
)

// created is a Monday at midnight in UTC.
var created = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// manifest has one trigger with the threshold 0.5 and a cooldown of 900 s.
func manifest() *ElastiService {
	e := &ElastiService{Spec: ElastiServiceSpec{
		ScaleTargetRef:    ScaleTargetRef{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"},
		Service:           "web",
		MinTargetReplicas: 2,
		CooldownPeriod:    900,
		Triggers: []Trigger{{Type: "prometheus", Metadata: TriggerMetadata{
			ServerAddress: "http://prometheus:9090",
			Query:         `sum(rate(http_requests_total[1m])) or vector(0)`,
			Threshold:     "0.5",
		}}},
	}}
	e.APIVersion, e.Kind = apiVersion, kind
	e.Name, e.Namespace = "web", "shop"
	return e
}

func autoscaler(t testing.TB, change func(*ElastiServiceSpec)) *Autoscaler {
	t.Helper()
	m := manifest()
	if change != nil {
		change(&m.Spec)
	}
	a, err := New(Spec{Manifest: m, Controller: DefaultController(), World: World{Behaviour: V0_1_30}}, created)
	require.NoError(t, err)
	return a
}

// seen is a workload with spec.replicas and status.replicas, and the answers to
// health and value query of every trigger, in order.
func seen(spec, status int32, answers ...float64) messages.Observation {
	o := messages.Observation{Replicas: messages.Replicas{Desired: spec, Created: status, Ready: status}}
	for _, v := range answers {
		o.Metrics = append(o.Metrics, messages.Metric{Value: v})
	}
	return o
}

func after(seconds float64) time.Time {
	return created.Add(time.Duration(seconds * float64(time.Second)))
}

func twoTriggers(s *ElastiServiceSpec) {
	second := s.Triggers[0]
	second.Metadata.Threshold = "10"
	s.Triggers = append(s.Triggers, second)
}

func failed(o messages.Observation, index int) messages.Observation {
	o.Metrics[index] = messages.Metric{Err: "the query's result is empty"}
	return o
}

func TestRules(t *testing.T) {
	night := &EnabledPeriod{Schedule: "0 22 * * *", Duration: "8h"}
	for _, test := range []struct {
		what   string
		change func(*ElastiServiceSpec)
		now    float64 // seconds after the creation
		seen   messages.Observation
		want   int32
		reason messages.Reason
		stamps bool // lastScaledUpTime is set to now
	}{
		// Rule 2: created + cooldown > now.
		{what: "a nanosecond before the end of the creation grace", now: 900 - 1e-9, seen: seen(3, 3, 1, 0), want: 3, reason: messages.ReasonCooldown},
		{what: "at the end of the creation grace", now: 900, seen: seen(3, 3, 1, 0), want: 0, reason: messages.ReasonScaleToZero},
		{what: "in the creation grace a busy trigger is not looked at", now: 30, seen: seen(0, 0, 1, 9), want: 0, reason: messages.ReasonCooldown},
		{what: "the grace comes before the enabled period", change: func(s *ElastiServiceSpec) { s.EnabledPeriod = night }, now: 899, seen: seen(0, 0, 1, 0), want: 0, reason: messages.ReasonCooldown},
		{what: "a cooldown of 0 is 900 s: before", change: func(s *ElastiServiceSpec) { s.CooldownPeriod = 0 }, now: 870, seen: seen(3, 3, 1, 0), want: 3, reason: messages.ReasonCooldown},
		{what: "a cooldown of 0 is 900 s: after", change: func(s *ElastiServiceSpec) { s.CooldownPeriod = 0 }, now: 900, seen: seen(3, 3, 1, 0), want: 0, reason: messages.ReasonScaleToZero},
		{what: "a short cooldown is a short grace", change: func(s *ElastiServiceSpec) { s.CooldownPeriod = 60 }, now: 60, seen: seen(3, 3, 1, 0), want: 0, reason: messages.ReasonScaleToZero},

		// Rule 2: the enabled period is 22:00 to 06:00.
		{what: "a second before the enabled period", change: func(s *ElastiServiceSpec) { s.EnabledPeriod = night }, now: 22*3600 - 1, seen: seen(0, 0, 1, 0), want: 2, reason: messages.ReasonScaleFromZero, stamps: true},
		{what: "at the start of the enabled period", change: func(s *ElastiServiceSpec) { s.EnabledPeriod = night }, now: 22 * 3600, seen: seen(2, 2, 1, 0), want: 0, reason: messages.ReasonScaleToZero},
		{what: "a second before its end, after midnight", change: func(s *ElastiServiceSpec) { s.EnabledPeriod = night }, now: 30*3600 - 1, seen: seen(2, 2, 1, 0), want: 0, reason: messages.ReasonScaleToZero},
		{what: "at the end of the enabled period", change: func(s *ElastiServiceSpec) { s.EnabledPeriod = night }, now: 30 * 3600, seen: seen(2, 2, 1, 0), want: 2, reason: messages.ReasonActive, stamps: true},
		{what: "outside of the period a sick Prometheus does not matter", change: func(s *ElastiServiceSpec) { s.EnabledPeriod = night }, now: 12 * 3600, seen: seen(0, 0, 0, 0), want: 2, reason: messages.ReasonScaleFromZero, stamps: true},
		{what: "an empty enabled period is all day", change: func(s *ElastiServiceSpec) { s.EnabledPeriod = &EnabledPeriod{} }, now: 12 * 3600, seen: seen(2, 2, 1, 0), want: 0, reason: messages.ReasonScaleToZero},

		// Rule 3: health and votes.
		{what: "Prometheus was down for a while", now: 900, seen: seen(3, 3, 0, 0), want: 3, reason: messages.ReasonMetricFailed},
		{what: "a health of 2 is not 1", now: 900, seen: seen(3, 3, 2, 0), want: 3, reason: messages.ReasonMetricFailed},
		{what: "the health is unknown", now: 900, seen: failed(seen(3, 3, 1, 0), 0), want: 3, reason: messages.ReasonMetricFailed},
		{what: "the value is empty", now: 900, seen: failed(seen(3, 3, 1, 0), 1), want: 3, reason: messages.ReasonMetricFailed},
		{what: "at zero an empty value wakes nobody", now: 900, seen: failed(seen(0, 0, 1, 0), 1), want: 0, reason: messages.ReasonMetricFailed},
		{what: "the value is infinite", now: 900, seen: seen(3, 3, 1, math.Inf(1)), want: 3, reason: messages.ReasonMetricFailed},
		{what: "the value is minus infinity", now: 900, seen: seen(3, 3, 1, math.Inf(-1)), want: 3, reason: messages.ReasonMetricFailed},
		{what: "just below the threshold", now: 900, seen: seen(3, 3, 1, 0.499), want: 0, reason: messages.ReasonScaleToZero},
		{what: "at the threshold", now: 900, seen: seen(0, 0, 1, 0.5), want: 2, reason: messages.ReasonScaleFromZero, stamps: true},
		{what: "above the threshold", now: 900, seen: seen(0, 0, 1, 7), want: 2, reason: messages.ReasonScaleFromZero, stamps: true},
		{what: "-1 is a vote for the workload", now: 900, seen: seen(0, 0, 1, -1), want: 2, reason: messages.ReasonScaleFromZero, stamps: true},
		{what: "-2 is below the threshold", now: 900, seen: seen(3, 3, 1, -2), want: 0, reason: messages.ReasonScaleToZero},
		{what: "NaN is a vote for the workload", now: 900, seen: seen(0, 0, 1, math.NaN()), want: 2, reason: messages.ReasonScaleFromZero, stamps: true},

		// Rule 3: several triggers, in order, the first that is not for zero decides.
		{what: "both triggers are for zero", change: twoTriggers, now: 900, seen: seen(3, 3, 1, 0, 1, 9), want: 0, reason: messages.ReasonScaleToZero},
		{what: "the second trigger is against zero", change: twoTriggers, now: 900, seen: seen(0, 0, 1, 0, 1, 10), want: 2, reason: messages.ReasonScaleFromZero, stamps: true},
		{what: "the first is against zero, the second is not asked", change: twoTriggers, now: 900, seen: failed(seen(0, 0, 1, 1, 1, 0), 2), want: 2, reason: messages.ReasonScaleFromZero, stamps: true},
		{what: "the first cannot say, the second is not asked", change: twoTriggers, now: 900, seen: failed(seen(0, 0, 1, 0, 1, 99), 1), want: 0, reason: messages.ReasonMetricFailed},

		// Rules 4 and 5: carrying it out, with a look at status.replicas.
		{what: "up at the minimum already", now: 900, seen: seen(2, 2, 1, 1), want: 2, reason: messages.ReasonActive, stamps: true},
		{what: "up beyond the minimum already", now: 900, seen: seen(7, 7, 1, 1), want: 7, reason: messages.ReasonActive, stamps: true},
		{what: "up from below the minimum", now: 900, seen: seen(1, 1, 1, 1), want: 2, reason: messages.ReasonScaleUp, stamps: true},
		{what: "an absent minimum is 1", change: func(s *ElastiServiceSpec) { s.MinTargetReplicas = 0 }, now: 900, seen: seen(0, 0, 1, 1), want: 1, reason: messages.ReasonScaleFromZero, stamps: true},
		{what: "the pods are not yet created: spec.replicas is written again", now: 900, seen: seen(2, 0, 1, 1), want: 2, reason: messages.ReasonActive, stamps: true},
		{what: "a larger spec is taken back while no pod is created", now: 900, seen: seen(5, 0, 1, 1), want: 2, reason: messages.ReasonScaleDown, stamps: true},
		{what: "spec is 0 but pods are left: the scale-up is lost", now: 900, seen: seen(0, 3, 1, 1), want: 0, reason: messages.ReasonActive, stamps: true},
		{what: "down at zero already", now: 900, seen: seen(0, 0, 1, 0), want: 0, reason: messages.ReasonSteady},
		{what: "down with status 0 leaves spec alone", now: 900, seen: seen(2, 0, 1, 0), want: 2, reason: messages.ReasonSteady},
		{what: "down with spec 0 and pods left", now: 900, seen: seen(0, 3, 1, 0), want: 0, reason: messages.ReasonSteady},
	} {
		t.Run(test.what, func(t *testing.T) {
			a := autoscaler(t, test.change)
			d, err := a.Decide(after(test.now), test.seen)
			require.NoError(t, err)
			assert.Equal(t, test.want, d.Desired)
			assert.Equal(t, test.reason, d.Reason)
			assert.NotEmpty(t, d.Message)
			stamp := time.Time{}
			if test.stamps {
				stamp = after(test.now)
			}
			assert.Equal(t, stamp, a.scaledUp)
		})
	}
}

// Every poll above the threshold starts the cooldown again.
func TestCooldownCountsFromTheLastPollAboveTheThreshold(t *testing.T) {
	a := autoscaler(t, nil)
	for _, poll := range []struct {
		now    float64
		value  float64
		want   int32
		reason messages.Reason
	}{
		{900, 5, 4, messages.ReasonActive},
		{930, 5, 4, messages.ReasonActive},
		{960, 0, 4, messages.ReasonCooldown},
		{1800, 0, 4, messages.ReasonCooldown},
		{1830 - 1e-9, 0, 4, messages.ReasonCooldown},
		{1830, 0, 0, messages.ReasonScaleToZero}, // 930 + 900
	} {
		d, err := a.Decide(after(poll.now), seen(4, 4, 1, poll.value))
		require.NoError(t, err)
		assert.Equal(t, poll.want, d.Desired, "at %v s", poll.now)
		assert.Equal(t, poll.reason, d.Reason, "at %v s", poll.now)
	}
}

func TestSkippedPollsDoNotStamp(t *testing.T) {
	a := autoscaler(t, nil)
	_, err := a.Decide(after(900), seen(4, 4, 1, 5))
	require.NoError(t, err)
	_, err = a.Decide(after(1790), seen(4, 4, 0, 5)) // above, but unhealthy
	require.NoError(t, err)
	d, err := a.Decide(after(1800), seen(4, 4, 1, 0))
	require.NoError(t, err)
	assert.Equal(t, int32(0), d.Desired)
}

func TestWake(t *testing.T) {
	message := messages.RequestCount{Count: 3, Svc: "web", Namespace: "shop"}
	for _, test := range []struct {
		what         string
		spec, status int32
		want         int32
		reason       messages.Reason
	}{
		{"from zero", 0, 0, 2, messages.ReasonScaleFromZero},
		{"the pods are starting", 2, 2, 2, messages.ReasonActive},
		{"more pods than the minimum", 5, 5, 5, messages.ReasonActive},
		{"lost while pods are left and spec is 0", 0, 2, 0, messages.ReasonActive},
	} {
		t.Run(test.what, func(t *testing.T) {
			a := autoscaler(t, nil)
			d, err := a.Wake(after(1.5), message, messages.Replicas{Desired: test.spec, Created: test.status})
			require.NoError(t, err)
			assert.Equal(t, test.want, d.Desired)
			assert.Equal(t, test.reason, d.Reason)
			assert.Equal(t, after(1.5), a.scaledUp, "stamped, whatever came of it")
		})
	}
}

func TestWakeStartsTheCooldown(t *testing.T) {
	a := autoscaler(t, nil)
	_, err := a.Wake(after(100.5), messages.RequestCount{Count: 1, Svc: "web", Namespace: "shop"}, messages.Replicas{})
	require.NoError(t, err)
	d, err := a.Decide(after(990), seen(2, 2, 1, 0))
	require.NoError(t, err)
	assert.Equal(t, messages.ReasonCooldown, d.Reason)
	assert.Equal(t, "idle, but wanted up 14m49.5s ago, cooldown 15m0s", d.Message)
	d, err = a.Decide(after(1020), seen(2, 2, 1, 0))
	require.NoError(t, err)
	assert.Equal(t, messages.ReasonScaleToZero, d.Reason)
}

func TestRefusedWakeUps(t *testing.T) {
	for _, test := range []struct {
		what    string
		message messages.RequestCount
		want    string
	}{
		{"no request", messages.RequestCount{Svc: "web", Namespace: "shop"}, "elasti: wake-up: count: found 0, expected at least 1"},
		{"another service", messages.RequestCount{Count: 1, Svc: "db", Namespace: "shop"}, `elasti: wake-up: found service "db", expected "web"`},
		{"another namespace", messages.RequestCount{Count: 1, Svc: "web", Namespace: "default"}, `elasti: wake-up: found namespace "default", expected "shop"`},
	} {
		t.Run(test.what, func(t *testing.T) {
			a := autoscaler(t, nil)
			_, err := a.Wake(after(0), test.message, messages.Replicas{})
			assert.EqualError(t, err, test.want)
			assert.Zero(t, a.scaledUp)
		})
	}
}

func TestTheCreationIsInWholeSeconds(t *testing.T) {
	m := manifest()
	a, err := New(Spec{Manifest: m, Controller: DefaultController()}, created.Add(999*time.Millisecond))
	require.NoError(t, err)
	d, err := a.Decide(after(900), seen(1, 1, 1, 0))
	require.NoError(t, err)
	assert.Equal(t, messages.ReasonScaleToZero, d.Reason)
}

func TestQueries(t *testing.T) {
	a := autoscaler(t, func(s *ElastiServiceSpec) {
		twoTriggers(s)
		s.CooldownPeriod = 60
		s.Triggers[1].Metadata.UptimeFilter = `job="prom"`
		s.Triggers[1].Metadata.Query = `vector(1)`
	})
	assert.Equal(t, []messages.Query{
		{Kind: messages.QueryPromQL, Name: `min_over_time((max(up{container="prometheus"}) or vector(0))[60s:])`, Field: "spec.triggers[0].metadata.uptimeFilter"},
		{Kind: messages.QueryPromQL, Name: `sum(rate(http_requests_total[1m])) or vector(0)`, Field: "spec.triggers[0].metadata.query"},
		{Kind: messages.QueryPromQL, Name: `min_over_time((max(up{job="prom"}) or vector(0))[60s:])`, Field: "spec.triggers[1].metadata.uptimeFilter"},
		{Kind: messages.QueryPromQL, Name: `vector(1)`, Field: "spec.triggers[1].metadata.query"},
	}, a.Queries())
	assert.Equal(t, 30*time.Second, a.Period())

	_, err := a.Decide(after(900), seen(1, 1, 1, 0))
	assert.EqualError(t, err, "elasti: found 2 metrics, expected 4")
}

func TestWordsOfADecision(t *testing.T) {
	a := autoscaler(t, twoTriggers)
	d, err := a.Decide(after(900), seen(3, 3, 1, 0.25, 1, 2))
	require.NoError(t, err)
	assert.Equal(t, messages.Decision{
		Desired: 0,
		Reason:  messages.ReasonScaleToZero,
		Message: "every trigger is below its threshold: from 3 to 0",
		Steps: []messages.Step{
			{Stage: messages.StageTrigger, Replicas: 0, Detail: "trigger 0: 0.25 is below the threshold 0.5"},
			{Stage: messages.StageTrigger, Replicas: 0, Detail: "trigger 1: 2 is below the threshold 10"},
			{Stage: messages.StageTrigger, Replicas: 0, Detail: "every trigger is below its threshold"},
		},
	}, d)
	d, err = a.Decide(after(930), seen(3, 3, 1, 4, 1, 2))
	require.NoError(t, err)
	assert.Equal(t, messages.Decision{
		Desired: 3,
		Reason:  messages.ReasonActive,
		Message: "trigger 0: 4 is not below the threshold 0.5; status.replicas is 3: nothing to do for 2",
		Steps: []messages.Step{
			{Stage: messages.StageTrigger, Replicas: 2, Detail: "trigger 0: 4 is not below the threshold 0.5"},
			{Stage: messages.StageClamp, Replicas: 3, Detail: "status.replicas is 3: nothing to do for 2"},
		},
	}, d)
	d, err = a.Decide(after(960), seen(3, 3, 1, -1, 1, 2))
	require.NoError(t, err)
	assert.Equal(t, "trigger 0: -1 stands for an unknown value; status.replicas is 3: nothing to do for 2", d.Message)
	d, err = a.Decide(after(990), failed(seen(3, 3, 1, 4, 1, 2), 0))
	require.NoError(t, err)
	assert.Equal(t, "trigger 0: health unknown: the query's result is empty", d.Message)
}
