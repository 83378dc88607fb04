package sim

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"pgregory.net/rapid"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/random"
	"github.com/scalelab/scalelab/sim/traffic"
)

// stepSpec goes from 1 request a second to rps at 300 s, and back at the end of the
// burst. A pod serves 2.5 of them and is then at 200 % of its CPU request, of which
// the HPA wants 100 %.
func stepSpec(t *testing.T, rps float64, burst time.Duration, change func(*autoscalingv2.HorizontalPodAutoscalerSpec)) Spec {
	t.Helper()
	spec := baseSpec(t)
	var phases traffic.Spec
	for _, p := range []struct {
		rps    float64
		length time.Duration
	}{{1, 5 * time.Minute}, {rps, burst}, {1, 10*time.Minute - burst}} {
		if p.length > 0 {
			phases = append(phases, traffic.Phase{For: &p.length, RPS: &p.rps, Arrivals: traffic.Process{Process: "uniform"}})
		}
	}
	plan, err := traffic.New(phases, nil)
	require.NoError(t, err)
	spec.Traffic = plan
	spec.SampleEvery = time.Second
	spec.Cluster.PerPod.Queue = 1000
	spec.Cluster.RequestTimeout = time.Hour
	spec.Cluster.Lifecycle.ImagePull = random.Constant(2 * time.Second)
	spec.Strategy = Strategy{Name: "hpa", HPA: cpuHPA(100)}
	change(&spec.Strategy.HPA.Manifest.Spec)
	return spec
}

// requireWhole checks that stages follow one another from one end to the other.
func requireWhole(t require.TestingT, o *Overload) {
	at := nanos(o.FromS)
	for _, d := range o.Stages {
		require.GreaterOrEqual(t, d.Seconds, 0.0, d.Stage)
		at += nanos(d.Seconds)
		require.Equal(t, at, nanos(d.UntilS), d.Stage)
	}
	require.Equal(t, nanos(o.ToS), at)
}

func told(o *Overload) (told []string) {
	for _, d := range o.Stages {
		told = append(told, fmt.Sprintf("%s %g", d.Stage, d.Seconds))
	}
	return told
}

func TestWhatAnOverloadIsSpentOnInClosedForm(t *testing.T) {
	most := func(replicas int32) func(*autoscalingv2.HorizontalPodAutoscalerSpec) {
		return func(s *autoscalingv2.HorizontalPodAutoscalerSpec) { s.MaxReplicas = replicas }
	}
	scaleUp := func(rules autoscalingv2.HPAScalingRules) func(*autoscalingv2.HorizontalPodAutoscalerSpec) {
		return func(s *autoscalingv2.HorizontalPodAutoscalerSpec) {
			s.MaxReplicas = 3
			s.Behavior = &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleUp: &rules}
		}
	}
	onePod := []autoscalingv2.HPAScalingPolicy{{Type: autoscalingv2.PodsScalingPolicy, Value: 1, PeriodSeconds: 60}}
	for _, c := range []struct {
		name   string
		spec   Spec
		relief Relief
		want   []string
	}{
		// metrics-server has the sample of 310 s at 315 s, when the HPA looks: 200 %
		// of one pod asks for two. The pod needs 1 + 2 + 3 + 1 s. By 322 s 4 x 22 have
		// come and 2.5 x 22 were served: 32 wait and one is being served. The first pod
		// gets every other of 4 a second and serves 2.5: after 60 s 2 of them wait.
		{"a step that a second pod meets", stepSpec(t, 4, 10*time.Minute, most(2)), ReliefPods,
			[]string{"metric 15", "sync 0", "steps 0", "create 0", "node 1", "image 2", "start 3", "route 1", "queue 60"}},
		// 6 requests a second need three pods, of which a policy allows one a minute.
		{"a policy", stepSpec(t, 6, 10*time.Minute, scaleUp(autoscalingv2.HPAScalingRules{Policies: onePod})), ReliefPods,
			[]string{"metric 15", "sync 0", "policy 60", "create 0", "node 1", "image 2", "start 3", "route 1"}},
		// The lowest recommendation of the last minute is 1 until the one of 300 s
		// leaves the window at 360 s; the end of a window is excluded.
		{"a stabilization window", stepSpec(t, 4, 10*time.Minute, scaleUp(autoscalingv2.HPAScalingRules{StabilizationWindowSeconds: pointer(int32(60))})), ReliefPods,
			[]string{"metric 15", "sync 0", "window 45", "create 0", "node 1", "image 2", "start 3", "route 1"}},
		{"the limit", stepSpec(t, 4, 10*time.Minute, most(1)), ReliefNone, []string{"metric 15", "sync 0", "limit 585"}},
		// 40 s of 4 a second leave 59 waiting, 1.5 fewer every second: at 378 s, for the
		// last time, more than one.
		{"a burst at the limit", stepSpec(t, 4, 40*time.Second, most(1)), ReliefLoad, []string{"metric 15", "sync 0", "limit 63"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := play(t, c.spec).Overload
			require.NotNil(t, o)
			assert.Equal(t, 300.0, o.FromS)
			assert.Equal(t, c.relief, o.Relief)
			requireWhole(t, o)
			got := told(o)
			if len(c.want) < len(got) {
				got = got[:len(c.want)]
			}
			assert.Equal(t, c.want, got)
		})
	}
}

func TestNoOverload(t *testing.T) {
	spec := baseSpec(t)
	spec.Strategy = Strategy{Name: "hpa", HPA: cpuHPA(85)}
	assert.Nil(t, play(t, spec).Overload, "one pod is enough")

	spec = stepSpec(t, 4, 10*time.Minute, func(*autoscalingv2.HorizontalPodAutoscalerSpec) {})
	spec.Strategy = Strategy{Name: "fixed"}
	assert.Nil(t, play(t, spec).Overload, "nothing scales")
	spec.Strategy = Strategy{Name: "oracle", Oracle: true}
	assert.Nil(t, play(t, spec).Overload)
}

// What is worst in the warm-up is left out like its latencies.
func TestAnOverloadOfTheWarmUp(t *testing.T) {
	spec := stepSpec(t, 4, 40*time.Second, func(s *autoscalingv2.HorizontalPodAutoscalerSpec) { s.MaxReplicas = 1 })
	require.NotNil(t, play(t, spec).Overload)
	spec.MeasureFrom = 10 * time.Minute
	assert.Nil(t, play(t, spec).Overload)
}

// A request that finds no pod begins the overload, not the interval it comes in.
func TestAnOverloadFromZero(t *testing.T) {
	r := &Result{
		Timeline: Timeline{IntervalS: 60, TS: []float64{60, 120, 180}, Ideal: []int32{0, 1, 1}, Ready: []int32{0, 1, 1},
			Queue: []int64{0, 0, 0}, LatencyP99S: []*float64{nil, pointer(11.5), pointer(0.4)}},
		Decisions: []Decision{
			{TS: 30, Current: 0, Desired: 0},
			{TS: 70.25, Current: 0, Desired: 1, collected: 70250 * time.Millisecond, woken: true},
		},
		PodStarts: &PodStarts{Count: 1, Pods: []PodStart{{CreatedS: 70.25, ScheduledS: pointer(71.25), StartedS: pointer(75.0), ReadyS: pointer(80.5), RoutableS: pointer(81.5)}}},
	}
	o := overloadOf(r, 0)
	require.NotNil(t, o)
	assert.Equal(t, []float64{70.25, 81.5, 120, 11.5}, []float64{o.FromS, o.ToS, o.WorstS, o.LatencyP99S})
	assert.Equal(t, []string{"metric 0", "sync 0", "steps 0", "create 0", "node 1", "image 3.75", "start 5.5", "route 1", "queue 0"}, told(o))
	requireWhole(t, o)
}

// A decision that goes on to ask for more had asked before the overload began.
func TestAnOverloadAtALimitReachedBefore(t *testing.T) {
	r := &Result{
		Timeline: Timeline{IntervalS: 10, TS: []float64{10, 20, 30}, Ideal: []int32{1, 3, 3}, Ready: []int32{2, 2, 2},
			Queue: []int64{0, 0, 0}, LatencyP99S: []*float64{pointer(1.0), pointer(2.0), pointer(3.0)}},
		Decisions: []Decision{{TS: 5, UntilS: 25, Again: 4, Current: 2, Desired: 2, Steps: []messages.Step{
			{Stage: messages.StageMetric, Replicas: 4}, {Stage: messages.StageClamp, Replicas: 2}}}},
	}
	o := overloadOf(r, 0)
	assert.Equal(t, []string{"metric 0", "sync 0", "limit 20"}, told(o))
	r.Decisions[0].Steps[0].Replicas = 2
	assert.Equal(t, []string{"waiting 20"}, told(overloadOf(r, 0)), "nobody asks for more")
}

// Whatever a run was like, the stages add up.
func TestAnyOverloadIsWhole(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(rt, "n")
		few := rapid.Int32Range(0, 3)
		var r Result
		line := &r.Timeline
		for i := range n {
			line.TS = append(line.TS, float64(i+1)*10)
			line.Ideal = append(line.Ideal, few.Draw(rt, "ideal"))
			line.Ready = append(line.Ready, few.Draw(rt, "ready"))
			line.Queue = append(line.Queue, int64(few.Draw(rt, "queue")))
			line.LatencyP99S = append(line.LatencyP99S, rapid.Ptr(rapid.Float64Range(0, 30), true).Draw(rt, "p99"))
		}
		instant := rapid.Float64Range(0, float64(n)*10)
		for at := 0.0; at < float64(n)*10; at += rapid.Float64Range(1, 20).Draw(rt, "gap") {
			r.Decisions = append(r.Decisions, Decision{TS: at, Current: few.Draw(rt, "current"), Desired: few.Draw(rt, "desired"),
				collected: nanos(at - rapid.Float64Range(0, 20).Draw(rt, "age")), woken: rapid.Bool().Draw(rt, "woken"),
				Steps: []messages.Step{{Stage: messages.StageMetric, Replicas: few.Draw(rt, "asked")}, {Stage: messages.StagePolicy}}})
		}
		r.PodStarts = &PodStarts{}
		for range rapid.IntRange(0, 5).Draw(rt, "pods") {
			r.PodStarts.Pods = append(r.PodStarts.Pods, PodStart{CreatedS: instant.Draw(rt, "created"), ScheduledS: rapid.Ptr(instant, true).Draw(rt, "scheduled"),
				StartedS: rapid.Ptr(instant, true).Draw(rt, "started"), ReadyS: rapid.Ptr(instant, true).Draw(rt, "ready"), RoutableS: rapid.Ptr(instant, true).Draw(rt, "routable")})
		}
		if o := overloadOf(&r, 0); o != nil {
			requireWhole(rt, o)
			require.LessOrEqual(rt, o.FromS, o.ToS)
			require.NotEmpty(rt, o.Stages)
		}
	})
}

// Where no pod brings relief, every stretch belongs to what kept its decision: of
// several stages the one that took something away last.
func TestAnOverloadGoesFromPolicyToLimit(t *testing.T) {
	kept := func(at float64, current, desired int32, steps ...messages.Step) Decision {
		return Decision{TS: at, Autoscaler: "hpa", Current: current, Desired: desired, Steps: append([]messages.Step{{Stage: messages.StageMetric, Replicas: 60}}, steps...)}
	}
	policy := func(n int32) messages.Step { return messages.Step{Stage: messages.StagePolicy, Replicas: n} }
	clamp := messages.Step{Stage: messages.StageClamp, Replicas: 20}
	decisions := []Decision{
		kept(330, 4, 8, policy(8)), kept(345, 8, 16, policy(16)),
		{TS: 350, Autoscaler: "another"},
		kept(360, 16, 20, policy(32), clamp), kept(375, 20, 20, policy(40), clamp),
		{TS: 900, Autoscaler: "hpa", Current: 20, Desired: 20, Steps: []messages.Step{{Stage: messages.StageMetric, Replicas: 20}}},
	}
	decisions[0].collected = 330 * time.Second
	assert.Equal(t, []Delay{
		{DelayMetric, 30, 330}, {DelaySync, 0, 330}, {DelayPolicy, 30, 360}, {DelayLimit, 540, 900}, {DelayWaiting, 100, 1000},
	}, stages(decisions, 0, nil, 300*time.Second, 1000*time.Second))
}
