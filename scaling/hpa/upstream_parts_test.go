package hpa

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
)

// upstreamGroups is a case of how pods count.
type upstreamGroups struct {
	ID       string
	Resource string
	Pods     []struct {
		Phase            string
		Started, Changed *float64
		Ready            *bool
		Deleting         bool
		Sample           *struct{ At, Window float64 }
	}
	Counted                   int
	Unready, Missing, Ignored []int
}

// testPods runs what becomes of single pods, their requests and samples.
func testPods(t *testing.T, list *caseList) {
	var cases struct {
		Groups   []upstreamGroups
		Requests []struct {
			ID         string
			Container  string
			Containers [][2]any
			Fails      bool
			Want       int64
		}
		Ratios []struct {
			ID              string
			Target, Average int64
			Count           int
			Requests, Use   []int64
			Fails           bool
			Ratio           float64
			Level, PerPod   int64
		}
		Quantities []struct {
			ID         string
			Resource   corev1.ResourceName
			Milli      int64
			Want, Form string
		}
	}
	loadUpstream(t, "pods.yaml", &cases)
	for _, c := range cases.Quantities {
		list.run(t, c.ID, func(t *testing.T) {
			shown := new(Status).usage(c.Resource, autoscalingv2.MetricTarget{}, messages.Reading{Milli: c.Milli}).AverageValue
			assert.Equal(t, []string{c.Want, c.Form}, []string{shown.String(), string(shown.Format)})
		})
	}
	for _, c := range cases.Groups {
		list.run(t, c.ID, func(t *testing.T) { c.test(t) })
	}
	for _, c := range cases.Requests {
		list.run(t, c.ID, func(t *testing.T) {
			pod := messages.Pod{Name: "web-0"}
			for _, container := range c.Containers {
				r := messages.ResourceRequest{Container: container[0].(string)}
				if milli, ok := container[1].(float64); ok {
					r.Resource, r.Milli = cpu, int64(milli)
				}
				pod.Requests = append(pod.Requests, r)
			}
			sum, problem := requestOf(&pod, cpu, c.Container)
			assert.Equal(t, c.Fails, problem != "", problem)
			assert.Equal(t, c.Want, sum)
		})
	}
	for _, c := range cases.Ratios {
		list.run(t, c.ID, func(t *testing.T) {
			s := source{query: messages.Query{Kind: messages.QueryResource, Name: cpu, Container: "container1"}, target: c.Target}
			if c.Average != 0 {
				s.kind, s.target = averageValue, c.Average
			}
			o := messages.Observation{Pods: (&upstreamPods{Count: c.Count, Requests: c.Requests}).list()}
			m := perPod(start, c.Use...)
			a := newAutoscaler(t, "maxReplicas: 1")
			g, problem := a.groupPods(view{now: start, seen: &o}, &s, &m)
			require.Equal(t, c.Fails, problem != "", problem)
			if c.Fails {
				return
			}
			level, ratio, ok := s.level(g.counted)
			assert.True(t, ok)
			assert.Equal(t, c.Ratio, ratio)
			assert.Equal(t, c.Level, level)
			if s.kind == utilization {
				assert.Equal(t, c.PerPod, g.counted.use/g.counted.pods)
			}
		})
	}
}

func (c *upstreamGroups) test(t *testing.T) {
	a, err := New(Spec{Manifest: manifest(t, "maxReplicas: 1"), Controller: upstreamFlags()})
	require.NoError(t, err)
	s := source{query: messages.Query{Kind: messages.QueryResource, Name: c.Resource}}
	found := map[group][]int{}
	for i, p := range c.Pods {
		pod := messages.Pod{Phase: messages.PodRunning, Deleting: p.Deleting}
		switch p.Phase {
		case "Pending":
			pod.Phase = messages.PodPending
		case "Failed":
			pod.Phase = messages.PodFailed
		}
		if p.Started != nil {
			pod.Started = after(*p.Started)
		}
		if p.Ready != nil {
			pod.HasCondition, pod.Ready, pod.ReadyChanged = true, *p.Ready, after(*p.Changed)
		}
		var sample *messages.PodMetric
		if p.Sample != nil {
			sample = &messages.PodMetric{At: after(p.Sample.At), Window: time.Duration(p.Sample.Window) * time.Second}
		}
		g := groupAtStart(a, &s, &pod, sample)
		found[g] = append(found[g], i)
	}
	assert.Len(t, found[counted], c.Counted)
	assert.Equal(t, c.Unready, found[unready])
	assert.Equal(t, c.Missing, found[missing])
	assert.Equal(t, c.Ignored, found[ignored])
}

// upstreamBehavior has the parts of a behavior's arithmetic.
type upstreamBehavior struct {
	Windows []struct {
		ID              string
		Flag, Up, Down  int32
		Recommendations [][2]int32
		Current, Asked  int32
		Want            int32
		Entries         int
		After           []int32
	}
	Rates []struct {
		ID             string
		Limits         [2]int32
		Behavior       *autoscalingv2.HorizontalPodAutoscalerBehavior
		Ups, Downs     [][2]int32
		Current, Asked int32
		Want           int32
		Reason         string
	}
	Reaches []struct {
		ID       string
		Behavior autoscalingv2.HorizontalPodAutoscalerBehavior
		Current  int32
		Want     int32
	}
	Records []upstreamRecord
}

// testBehavior runs windows, policies and the memory of rescales.
func testBehavior(t *testing.T, list *caseList) {
	var cases upstreamBehavior
	loadUpstream(t, "behavior.yaml", &cases)
	for _, c := range cases.Windows {
		list.run(t, c.ID, func(t *testing.T) {
			up, down := c.Up, c.Down
			b := &autoscalingv2.HorizontalPodAutoscalerBehavior{
				ScaleUp: &autoscalingv2.HPAScalingRules{StabilizationWindowSeconds: &up}, ScaleDown: &autoscalingv2.HPAScalingRules{StabilizationWindowSeconds: &down}}
			if c.Flag != 0 {
				b = nil
			}
			a := behaving(t, b)
			a.controller.DownscaleStabilization = time.Duration(c.Flag) * time.Second
			a.recommendations = remembered(c.Recommendations)
			assert.Equal(t, c.Want, a.stabilize(view{now: start, cur: c.Current}, c.Asked))
			if c.Flag != 0 {
				assert.Len(t, a.recommendations, c.Entries)
				return
			}
			var after []int32
			for _, r := range a.recommendations {
				after = append(after, r.replicas)
			}
			if c.After != nil {
				assert.Equal(t, c.After, after)
			}
		})
	}
	for _, c := range cases.Rates {
		list.run(t, c.ID, func(t *testing.T) {
			a := behaving(t, c.Behavior)
			a.min, a.max = c.Limits[0], c.Limits[1]
			a.rescales = rescales{ups: rescaled(c.Ups), downs: rescaled(c.Downs)}
			count := a.clamp(a.limitRate(view{now: start, cur: c.Current}, c.Asked))
			assert.Equal(t, c.Want, count)
			a.report.limited(c.Asked, count, a.min, a.max)
			assert.Equal(t, c.Reason, a.report.conditions[0].Reason)
		})
	}
	for _, c := range cases.Reaches {
		list.run(t, c.ID, func(t *testing.T) {
			b, d := behaving(t, &c.Behavior).behavior, up
			if c.Behavior.ScaleDown != nil {
				d = down
			}
			assert.Equal(t, c.Want, b.of(d).reach(d, c.Current, &rescales{}, start))
		})
	}
	for _, c := range cases.Records {
		list.run(t, c.ID, func(t *testing.T) { c.test(t) })
	}
}

// behaving has a behavior, with the API server's defaults, or none.
func behaving(t *testing.T, b *autoscalingv2.HorizontalPodAutoscalerBehavior) *Autoscaler {
	m := manifest(t, "maxReplicas: 1000")
	m.Spec.Behavior = b
	a, err := New(Spec{Manifest: m, Controller: upstreamFlags()})
	require.NoError(t, err)
	return a
}

// rescaled makes rescales of [pods, seconds].
func rescaled(list [][2]int32) (r []rescale) {
	for _, entry := range list {
		r = append(r, rescale{pods: entry[0], at: after(float64(entry[1]))})
	}
	return r
}

// upstreamRecord is a rescale that is remembered.
type upstreamRecord struct {
	ID          string
	Rules       *autoscalingv2.HPAScalingRules
	Past        [][2]int32
	Change, Sum int32
	After       []int32
	Outdated    []int
}

func (c *upstreamRecord) test(t *testing.T) {
	var b *autoscalingv2.HorizontalPodAutoscalerBehavior
	if c.Rules != nil {
		b = &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleUp: c.Rules, ScaleDown: c.Rules}
	}
	for _, d := range []direction{up, down} {
		a := behaving(t, b)
		past := rescaled(c.Past)
		assert.EqualValues(t, c.Sum, sumAfter(past, after(-60)))
		a.rescales = rescales{ups: past}
		if d == down {
			a.rescales = rescales{downs: past}
		}
		a.rescale(view{now: start, cur: 10}, 10+int32(d)*c.Change, "")
		list, pods, outdated := a.rescales.ups, []int32{}, []int(nil)
		if d == down {
			list = a.rescales.downs
		}
		for i, e := range list {
			pods = append(pods, e.pods)
			if a.behavior != nil && e.at.Before(start.Add(-a.behavior.of(d).longest)) {
				outdated = append(outdated, i)
			}
		}
		assert.Equal(t, c.After, pods, d)
		assert.Equal(t, c.Outdated, outdated, d)
	}
}
