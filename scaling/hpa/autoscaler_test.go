package hpa

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/scalelab/scalelab/messages"
)

const fromZero = "minReplicas: 0\nmaxReplicas: 20\n" + onePerPod + "behavior: {scaleDown: {stabilizationWindowSeconds: 0}}"

func TestZeroIsLeftOnlyByTheHPAThatWentThere(t *testing.T) {
	a := newAutoscaler(t, fromZero)
	sync := func(at float64, cur, want int32) messages.Decision {
		d, err := a.Decide(after(at), wants(cur, want))
		require.NoError(t, err)
		return d
	}
	d := sync(0, 0, 5)
	assert.Equal(t, messages.Decision{Reason: messages.ReasonDisabled, Steps: []messages.Step{},
		Message: "hold 0: scaling is disabled, because somebody else set the count to zero"}, reasoned(d))

	d = sync(15, 3, 0) // somebody scaled to 3
	assert.EqualValues(t, 0, d.Desired)
	assert.Equal(t, messages.ReasonScaleToZero, d.Reason)
	assert.Equal(t, "scale to zero from 3: all metrics below target", d.Message)
	assert.True(t, a.scaledToZero)

	d = sync(30, 0, 0)
	assert.Equal(t, messages.ReasonSteady, d.Reason)
	assert.Equal(t, "hold 0: external metric load asks for the current count", d.Message)

	d = sync(45, 0, 2)
	assert.EqualValues(t, 2, d.Desired)
	assert.Equal(t, messages.ReasonScaleFromZero, d.Reason)
	assert.Equal(t, "scale from zero to 2: external metric load above target", d.Message)
	assert.False(t, a.scaledToZero)

	assert.Equal(t, messages.ReasonDisabled, sync(60, 0, 2).Reason) // somebody scaled to 0
}

func TestOutsideTheLimitsNoMetricIsAsked(t *testing.T) {
	a := newAutoscaler(t, "minReplicas: 2\nmaxReplicas: 20\nbehavior: {}\n"+onePerPod)
	d, err := a.Decide(after(0), wants(30, 25))
	require.NoError(t, err)
	assert.Equal(t, messages.Decision{Desired: 20, Reason: messages.ReasonScaleDown,
		Message: "scale down from 30 to 20: above maxReplicas 20",
		Steps:   []messages.Step{{Stage: messages.StageClamp, Replicas: 20, Detail: "30 is above maxReplicas 20"}}}, reasoned(d))

	d, err = a.Decide(after(15), wants(1, 25))
	require.NoError(t, err)
	assert.EqualValues(t, 2, d.Desired)
	assert.Equal(t, "scale up from 1 to 2: below minReplicas 2", d.Message)

	// Both count as rescales for the policies.
	assert.Equal(t, rescales{ups: []rescale{{1, after(15)}}, downs: []rescale{{10, after(0)}}}, a.rescales)
	assert.Equal(t, recommendations{{30, after(0)}}, a.recommendations)
}

func TestReasonsToHold(t *testing.T) {
	const limits = "minReplicas: 2\nmaxReplicas: 20\n" + onePerPod
	for _, c := range []struct {
		name      string
		spec      string
		cur, want int32
		reason    messages.Reason
		message   string
		steps     []messages.Step
	}{
		{"within tolerance", limits, 11, 12, messages.ReasonWithinTolerance, "hold 11: external metric load within tolerance of its target", []messages.Step{
			{Stage: messages.StageMetric, Replicas: 12, Detail: "external metric load: 12 for 11 pods / target 1 = 1.0909, value / target = 12"},
			{Stage: messages.StageTolerance, Replicas: 11, Detail: "ratio 1.0909 is within 0.9 to 1.1"},
		}},
		{"a window without a behavior", limits, 10, 5, messages.ReasonStabilized, "hold 10: the stabilization window keeps the count; the metrics ask for 5", []messages.Step{
			{Stage: messages.StageMetric, Replicas: 5, Detail: "external metric load: 5 for 10 pods / target 1 = 0.5, value / target = 5"},
			{Stage: messages.StageWindow, Replicas: 10, Detail: "highest recommendation of the last 5m0s is 10"},
		}},
		{"a window of scaleDown", limits + "behavior: {scaleDown: {stabilizationWindowSeconds: 60}}", 10, 5, messages.ReasonStabilized,
			"hold 10: the stabilization window keeps the count; the metrics ask for 5", []messages.Step{
				{Stage: messages.StageMetric, Replicas: 5, Detail: "external metric load: 5 for 10 pods / target 1 = 0.5, value / target = 5"},
				{Stage: messages.StageWindow, Replicas: 10, Detail: "scaleDown: highest recommendation of the last 1m0s is 10"},
			}},
		{"a window of scaleUp", limits + "behavior: {scaleUp: {stabilizationWindowSeconds: 60}}", 10, 15, messages.ReasonStabilized,
			"hold 10: the stabilization window keeps the count; the metrics ask for 15", []messages.Step{
				{Stage: messages.StageMetric, Replicas: 15, Detail: "external metric load: 15 for 10 pods / target 1 = 1.5, value / target = 15"},
				{Stage: messages.StageWindow, Replicas: 10, Detail: "scaleUp: lowest recommendation of the last 1m0s is 10"},
			}},
		{"scaling down switched off", limits + "behavior: {scaleDown: {selectPolicy: Disabled, stabilizationWindowSeconds: 0}}", 10, 5, messages.ReasonLimitedByPolicy,
			"hold 10: the scaling policies allow no change now; the metrics ask for 5", []messages.Step{
				{Stage: messages.StageMetric, Replicas: 5, Detail: "external metric load: 5 for 10 pods / target 1 = 0.5, value / target = 5"},
				{Stage: messages.StagePolicy, Replicas: 10, Detail: "scaleDown: Disabled of the policies allows 10"},
			}},
		{"the maximum", limits, 20, 30, messages.ReasonAtLimit, "hold 20: the limit of replicas is reached; the metrics ask for 30", []messages.Step{
			{Stage: messages.StageMetric, Replicas: 30, Detail: "external metric load: 30 for 20 pods / target 1 = 1.5, value / target = 30"},
			{Stage: messages.StageClamp, Replicas: 20, Detail: "maxReplicas is 20"},
		}},
		{"the minimum", limits + "behavior: {scaleDown: {stabilizationWindowSeconds: 0}}", 2, 1, messages.ReasonAtLimit,
			"hold 2: the limit of replicas is reached; the metrics ask for 1", []messages.Step{
				{Stage: messages.StageMetric, Replicas: 1, Detail: "external metric load: 1 for 2 pods / target 1 = 0.5, value / target = 1"},
				{Stage: messages.StageClamp, Replicas: 2, Detail: "minReplicas is 2"},
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := newAutoscaler(t, c.spec).Decide(start, wants(c.cur, c.want))
			require.NoError(t, err)
			assert.Equal(t, messages.Decision{Desired: c.cur, Reason: c.reason, Message: c.message, Steps: c.steps}, reasoned(d))
		})
	}
}

func TestStepsShowTheArithmetic(t *testing.T) {
	a := newAutoscaler(t, "maxReplicas: 7\n"+cpuAt50)
	pods := readyPods(4)
	pods[3].Phase = messages.PodPending
	d, err := a.Decide(start, seen(pods, perPod(after(-9.04), 400, 300)))
	require.NoError(t, err)
	assert.Equal(t, messages.Decision{
		Desired: 7, Reason: messages.ReasonScaleUp,
		Message: "scale up from 4 to 7: cpu utilization above target",
		Steps: []messages.Step{
			{Stage: messages.StageMetric, Replicas: 7, Detail: "cpu utilization: seen 9s ago, 175% of requests / target 50% = 3.5, x 2 pods = 7"},
			{Stage: messages.StageReadiness, Replicas: 7, Detail: "1 pod without a sample, 1 not ready, all taken as idle: 87% of requests / target 50% = 1.74, x 4 pods = 6.96"},
		},
	}, reasoned(d))

	d, err = newAutoscaler(t, two).Decide(start, messages.Observation{
		Replicas: messages.Replicas{Desired: 2, Created: 2}, Metrics: []messages.Metric{{Err: "HTTP 404"}, total(9_500)}})
	require.NoError(t, err)
	assert.Equal(t, messages.Decision{
		Desired: 4, Reason: messages.ReasonScaleUp,
		Message: "scale up from 2 to 4: external metric second above target; the metrics ask for 10",
		Steps: []messages.Step{
			{Stage: messages.StageMetric, Replicas: 2, Detail: "external metric first: HTTP 404"},
			{Stage: messages.StageMetric, Replicas: 10, Detail: "external metric second: 9500m for 2 pods / target 1 = 4.75, value / target = 9.5"},
			{Stage: messages.StageMetric, Replicas: 10, Detail: "largest proposal, by external metric second"},
			{Stage: messages.StagePolicy, Replicas: 4, Detail: "at most the larger of 4 and twice 2"},
		},
	}, reasoned(d))
}

// A rate limit can leave the count below an earlier recommendation; without a
// behavior it goes on rising to that, whatever the metrics ask for now.
func TestAnEarlierRecommendationRaisesTheCount(t *testing.T) {
	a := newAutoscaler(t, "maxReplicas: 100\n"+onePerPod)
	follow(t, a, 2, 0, 20)
	d, err := a.Decide(after(15), wants(4, 3))
	require.NoError(t, err)
	assert.EqualValues(t, 8, d.Desired)
	assert.Equal(t, "scale up from 4 to 8: a recent recommendation was higher; the metrics ask for 3", d.Message)
}

func TestAnObservationMustAnswerTheQueries(t *testing.T) {
	_, err := newAutoscaler(t, two).Decide(start, wants(1, 1))
	assert.EqualError(t, err, "hpa: found 1 metrics, expected an answer to each of 2 queries")
}

// drawSpec makes a manifest with all kinds of metrics and random limits and rules.
func drawSpec(t *rapid.T) string {
	lowest := rapid.IntRange(0, 5).Draw(t, "min")
	highest := rapid.IntRange(max(1, lowest), 60).Draw(t, "max")
	spec := fmt.Sprintf("minReplicas: %d\nmaxReplicas: %d\n", lowest, highest)
	spec += "metrics:\n" +
		"- {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}\n" +
		"- {type: Resource, resource: {name: memory, target: {type: AverageValue, averageValue: 7m}}}\n" +
		"- {type: External, external: {metric: {name: e}, target: {type: Value, value: 900m}}}\n" +
		"- {type: Object, object: {describedObject: {kind: Service, name: s}, metric: {name: o}, target: {type: AverageValue, averageValue: 3}}}\n"
	if !rapid.Bool().Draw(t, "behavior") {
		return spec
	}
	rule := func(name string) string {
		return fmt.Sprintf("{selectPolicy: %s, stabilizationWindowSeconds: %d, tolerance: \"0.%d\", policies: [{type: Pods, value: %d, periodSeconds: %d}, {type: Percent, value: %d, periodSeconds: %d}]}",
			rapid.SampledFrom([]string{"Max", "Min", "Disabled"}).Draw(t, name+" choice"),
			rapid.SampledFrom([]int{0, 15, 60, 300}).Draw(t, name+" window"), rapid.IntRange(0, 9).Draw(t, name+" tolerance"),
			rapid.IntRange(1, 20).Draw(t, name+" pods"), rapid.SampledFrom([]int{1, 15, 60, 1800}).Draw(t, name+" pods period"),
			rapid.IntRange(1, 300).Draw(t, name+" percent"), rapid.SampledFrom([]int{1, 15, 60, 1800}).Draw(t, name+" percent period"))
	}
	return spec + "behavior: {scaleUp: " + rule("up") + ", scaleDown: " + rule("down") + "}\n"
}

// drawObservation is any observation at all, sensible or not.
func drawObservation(t *rapid.T, now time.Time, metrics int) messages.Observation {
	instant := rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.Bool().Draw(t, "zero") {
			return time.Time{}
		}
		return now.Add(time.Duration(rapid.IntRange(-700, 5).Draw(t, "age")) * time.Second)
	})
	value := rapid.OneOf(rapid.Int64Range(0, 2000), rapid.Int64())
	pods := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) messages.Pod {
		return messages.Pod{
			Phase: messages.PodPhase(rapid.IntRange(0, 2).Draw(t, "phase")), Ready: rapid.Bool().Draw(t, "ready"),
			HasCondition: rapid.Bool().Draw(t, "condition"), Deleting: rapid.Bool().Draw(t, "deleting"),
			Started: instant.Draw(t, "started"), ReadyChanged: instant.Draw(t, "changed"),
			Requests: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) messages.ResourceRequest {
				return messages.ResourceRequest{
					Container: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "container"),
					Resource:  rapid.SampledFrom([]string{"cpu", "memory"}).Draw(t, "resource"), Milli: value.Draw(t, "request"),
				}
			}), 0, 3).Draw(t, "requests"),
		}
	}), 0, 6).Draw(t, "pods")
	o := messages.Observation{Pods: pods, Replicas: messages.Replicas{
		Desired: rapid.OneOf(rapid.Int32Range(0, 60), rapid.Int32()).Draw(t, "desired"), Created: rapid.Int32Range(0, 60).Draw(t, "created")}}
	for range metrics {
		m := messages.Metric{Milli: value.Draw(t, "milli"), At: instant.Draw(t, "at")}
		if rapid.IntRange(0, 9).Draw(t, "fails") == 0 {
			m.Err = "HTTP 404"
		}
		m.Pods = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) messages.PodMetric {
			return messages.PodMetric{Pod: rapid.IntRange(-1, 7).Draw(t, "pod"), Milli: value.Draw(t, "use"), At: instant.Draw(t, "sampled"), Window: 30 * time.Second}
		}), 0, 8).Draw(t, "samples")
		o.Metrics = append(o.Metrics, m)
	}
	return o
}

func TestAnyObservationKeepsTheLimitsAndTwinsAgree(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := manifest(t, drawSpec(rt))
		spec := Spec{Manifest: m, Controller: DefaultController()}
		a, err := New(spec)
		require.NoError(rt, err)
		twin, err := New(spec)
		require.NoError(rt, err)
		now := start
		for range rapid.IntRange(1, 8).Draw(rt, "syncs") {
			now = now.Add(time.Duration(rapid.IntRange(0, 400).Draw(rt, "pause")) * time.Second)
			o := drawObservation(rt, now, len(a.Queries()))
			d, err := a.Decide(now, o)
			require.NoError(rt, err)
			again, err := twin.Decide(now, o)
			require.NoError(rt, err)
			require.Equal(rt, d, again)
			if o.Replicas.Desired != 0 {
				require.GreaterOrEqual(rt, d.Desired, *m.Spec.MinReplicas)
				require.LessOrEqual(rt, d.Desired, m.Spec.MaxReplicas)
			}
			require.NotEmpty(rt, d.Reason)
			require.NotEmpty(rt, d.Message)
			checkReport(rt, a, o, d)
		}
	})
}

// checkReport holds what is told against what is decided.
func checkReport(t require.TestingT, a *Autoscaler, o messages.Observation, d messages.Decision) {
	said := map[string]messages.Condition{}
	for _, c := range d.Conditions {
		require.NotContains(t, said, c.Type)
		require.NotEmpty(t, c.Message)
		said[c.Type] = c
	}
	require.Equal(t, ableToScale, d.Conditions[0].Type)
	require.Equal(t, yes, said[ableToScale].Status)
	rescaled := len(d.Events) > 0 && d.Events[len(d.Events)-1].Reason == "SuccessfulRescale"
	require.Equal(t, d.Desired != o.Replicas.Desired, rescaled)
	require.Equal(t, rescaled, said[ableToScale].Reason == "SucceededRescale")
	require.Equal(t, a.scaledToZero, said[scaledToZero].Status == yes)
	asked := len(d.Readings) == len(a.Queries())
	require.True(t, asked || len(d.Readings) == 0)
	failed := 0
	for i, r := range d.Readings {
		if r.Failed {
			require.Equal(t, a.sources[i].says.reason, d.Events[failed].Reason)
			failed++
		}
	}
	if asked {
		require.Equal(t, d.Reason != messages.ReasonMetricFailed, said[scalingActive].Status == yes)
	}
}

// BenchmarkDecide is a sync with one CPU metric that holds still.
func BenchmarkDecide(b *testing.B) {
	for _, n := range []int{1, 10, 1000} {
		b.Run(fmt.Sprintf("pods=%d", n), func(b *testing.B) {
			a := newAutoscaler(b, "maxReplicas: 2000\n"+cpuAt50)
			o := seen(readyPods(n), uniform(start, n, 103))
			now := start
			b.ReportAllocs()
			for b.Loop() {
				now = now.Add(a.Period())
				if _, err := a.Decide(now, o); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkQuietly is a sync of a fleet's HPA: no words, and a rescale.
func BenchmarkQuietly(b *testing.B) {
	a := newAutoscaler(b, "maxReplicas: 2000\n"+cpuAt50)
	a.Quietly()
	o := seen(readyPods(10), uniform(start, 10, 123))
	now := start
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(a.Period())
		if _, err := a.Decide(now, o); err != nil {
			b.Fatal(err)
		}
	}
}
