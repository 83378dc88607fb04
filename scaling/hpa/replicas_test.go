package hpa

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"
)

// The tables below ask one metric about pods that request 200m each and have
// run for ten minutes, unless a case says otherwise. Without a behavior a count
// may double in one step.

type podCase struct {
	name    string
	pods    int
	change  func(pods []messages.Pod)
	milli   []int64 // a sample per pod, from the first
	want    int32
	problem string
}

func (c podCase) run(t *testing.T, a *Autoscaler) {
	pods := readyPods(c.pods)
	if c.change != nil {
		c.change(pods)
	}
	o := seen(pods, perPod(after(0), c.milli...))
	p := a.proposeOne(view{now: start, cur: o.Replicas.Desired, seen: &o}, &a.sources[0], &o.Metrics[0])
	require.Equal(t, c.problem, p.problem)
	if c.problem == "" {
		assert.Equal(t, c.want, p.replicas)
	}
}

func TestCPUUtilization(t *testing.T) {
	a := newAutoscaler(t, "maxReplicas: 100\n"+cpuAt50)
	pending := func(pods []messages.Pod) { pods[2].Phase = messages.PodPending }
	for _, c := range []podCase{
		{name: "62 % asks for ceil(1.24 x 3)", pods: 3, milli: []int64{124, 124, 124}, want: 4},
		{name: "55.5 % is truncated to 55 %: within tolerance", pods: 3, milli: []int64{111, 111, 111}, want: 3},
		{name: "56 % is outside", pods: 3, milli: []int64{112, 112, 112}, want: 4},
		{name: "45 % is within", pods: 3, milli: []int64{90, 90, 90}, want: 3},
		{name: "44 % is outside: ceil(0.88 x 10)", pods: 10, milli: []int64{88, 88, 88, 88, 88, 88, 88, 88, 88, 88}, want: 9},
		{name: "deleting and failed pods are ignored", pods: 4, change: func(pods []messages.Pod) {
			pods[2].Deleting, pods[3].Phase = true, messages.PodFailed
		}, milli: []int64{200, 200, 900, 900}, want: 4},
		{name: "a pending pod counts as idle on the way up: 400/600 = 66 %", pods: 3, change: pending, milli: []int64{200, 200}, want: 4},
		{name: "a pending pod is left out on the way down: ceil(0.2 x 2)", pods: 3, change: pending, milli: []int64{20, 20}, want: 1},
		{name: "a pending pod turns a rise round: 120/600 = 20 %", pods: 3, change: func(pods []messages.Pod) {
			pods[1].Phase, pods[2].Phase = messages.PodPending, messages.PodPending
		}, milli: []int64{120}, want: 3},
		{name: "a missing pod counts as idle on the way up: 600/600", pods: 3, milli: []int64{300, 300}, want: 6},
		{name: "a missing pod has its full request on the way down: 240/600 = 40 %", pods: 3, milli: []int64{20, 20}, want: 3},
		{name: "one missing pod of ten: (9 x 20 + 200)/2000 = 19 %", pods: 10, milli: []int64{20, 20, 20, 20, 20, 20, 20, 20, 20}, want: 4},
		{name: "missing pods at exactly the target change nothing", pods: 3, milli: []int64{100, 100}, want: 3},
		{name: "missing pods may not turn a fall round: (20 + 400)/600 = 70 %", pods: 3, milli: []int64{20}, want: 3},
		{name: "no pods", problem: "no pods returned by selector while calculating replica count"},
		{name: "no samples", pods: 2, problem: "did not receive metrics for targeted pods (pods might be unready)"},
		{name: "samples are looked at before requests", pods: 1, change: func(pods []messages.Pod) { pods[0].Requests = nil },
			problem: "did not receive metrics for targeted pods (pods might be unready)"},
		{name: "no request", pods: 1, change: func(pods []messages.Pod) { pods[0].Requests = nil },
			milli: []int64{1}, problem: "missing request for cpu in Pod web-0"},
		{name: "one container has no request for cpu", pods: 1, change: func(pods []messages.Pod) {
			pods[0].Requests = []messages.ResourceRequest{{Container: "web", Resource: "cpu", Milli: 200}, {Container: "log", Resource: "memory", Milli: 1}}
		}, milli: []int64{1}, problem: "missing request for cpu in container log of Pod web-0"},
		{name: "a container requests nothing", pods: 1, change: func(pods []messages.Pod) {
			pods[0].Requests = []messages.ResourceRequest{{Container: "web", Resource: "cpu", Milli: 200}, {Container: "log"}}
		}, milli: []int64{1}, problem: "missing request for cpu in container log of Pod web-0"},
		{name: "the whole pod's request stands in for its containers: 300/100", pods: 1, change: func(pods []messages.Pod) {
			pods[0].Requests = []messages.ResourceRequest{{Resource: "memory", Milli: 1}, {Resource: "cpu", Milli: 100}, {Container: "web", Resource: "cpu", Milli: 900}}
		}, milli: []int64{150}, want: 3},
		{name: "the whole pod has no request for cpu", pods: 1, change: func(pods []messages.Pod) {
			pods[0].Requests = []messages.ResourceRequest{{Resource: "memory", Milli: 1}, {Container: "web", Resource: "cpu", Milli: 200}}
		}, milli: []int64{1}, problem: "missing pod-level request for cpu in Pod web-0"},
		{name: "two containers add up: 300/(100 + 100) is three times the target", pods: 1, change: func(pods []messages.Pod) {
			pods[0].Requests = []messages.ResourceRequest{{Container: "web", Resource: "cpu", Milli: 100},
				{Container: "log", Resource: "memory", Milli: 1}, {Container: "log", Resource: "cpu", Milli: 100}}
		}, milli: []int64{300}, want: 3},
		{name: "requests of nothing", pods: 1, change: func(pods []messages.Pod) {
			pods[0].Requests = []messages.ResourceRequest{{Container: "web", Resource: "cpu"}}
		}, milli: []int64{300}, problem: "no metrics returned matched known pods"},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, a) })
	}
}

// A target above 100 % replaces the request as what missing pods use:
// 3 x 20 + 1 x 400 = 460 of 800 is 57 %, and ceil(57/200 x 4) = 2.
func TestMissingPodsUseTheTargetWhereItExceedsTheRequest(t *testing.T) {
	a := newAutoscaler(t, "maxReplicas: 100\n"+
		"metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 200}}}]")
	podCase{pods: 4, milli: []int64{20, 20, 20}, want: 2}.run(t, a)
}

func TestAverageValues(t *testing.T) {
	a := newAutoscaler(t, "maxReplicas: 100\n"+
		"metrics: [{type: Pods, pods: {metric: {name: rps}, target: {type: AverageValue, averageValue: 100m}}}]")
	starting := func(pods []messages.Pod) { pods[2].Ready, pods[2].Started = false, after(-1) }
	for _, c := range []podCase{
		{name: "ceil(1.5 x 2)", pods: 2, milli: []int64{150, 150}, want: 3},
		{name: "the average is truncated: 331/3 = 110, within tolerance", pods: 3, milli: []int64{111, 110, 110}, want: 3},
		{name: "readiness does not matter, the sample counts", pods: 3, change: starting, milli: []int64{200, 200, 200}, want: 6},
		{name: "a missing pod counts as the target on the way down: (20 + 100)/2 = 60", pods: 2, milli: []int64{20}, want: 2},
		{name: "of ten, two missing: (8 x 20 + 200)/10 = 36", pods: 10, milli: []int64{20, 20, 20, 20, 20, 20, 20, 20}, want: 4},
		{name: "a missing pod counts as idle on the way up: 450/3 = 150", pods: 3, milli: []int64{225, 225}, want: 5},
		{name: "a missing pod at exactly the target changes nothing", pods: 3, milli: []int64{100, 100}, want: 3},
		{name: "pending pods count as idle on the way up: 900/3 = 300", pods: 3, change: func(pods []messages.Pod) {
			pods[2].Phase = messages.PodPending
		}, milli: []int64{450, 450}, want: 9},
		{name: "no samples", pods: 2, problem: "did not receive metrics for targeted pods (pods might be unready)"},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, a) })
	}
}

// Samples of pods that are not listed count in averages, and in how many pods
// the corrected count is for; nobody knows what those pods request.
func TestSamplesOfUnlistedPods(t *testing.T) {
	average := newAutoscaler(t, "maxReplicas: 100\n"+
		"metrics: [{type: Pods, pods: {metric: {name: rps}, target: {type: AverageValue, averageValue: 100m}}}]")
	percent := newAutoscaler(t, "maxReplicas: 100\n"+cpuAt50)
	for name, c := range map[string]struct {
		a       *Autoscaler
		pods    int
		milli   []int64
		gone    int64
		want    int32
		problem string
	}{
		"in an average, not in the count: (300 + 100)/2 = 200, ceil(2 x 1)": {a: average, pods: 1, milli: []int64{300}, gone: 100, want: 2},
		"with a pod missing on the way up: 600/3 = 200, ceil(2 x 3)":        {a: average, pods: 2, milli: []int64{300}, gone: 300, want: 6},
		"alone, for no pod at all: (0 + 100 + 100)/... is 1 at the target":  {a: average, pods: 1, gone: 100, want: 1},
		"not in a utilization: 300/200 is 150 %, ceil(3 x 1)":               {a: percent, pods: 1, milli: []int64{300}, gone: 900, want: 3},
		"but in its corrected count: (500 + 0)/400 = 125 %, ceil(2.5 x 3)":  {a: percent, pods: 2, milli: []int64{500}, gone: 900, want: 8},
		"a utilization of nobody":                                           {a: percent, pods: 1, gone: 900, problem: "no metrics returned matched known pods"},
	} {
		t.Run(name, func(t *testing.T) {
			m := perPod(after(0), c.milli...)
			m.Pods = append(m.Pods, messages.PodMetric{Pod: messages.Unlisted, Milli: c.gone, At: after(0), Window: m.Window})
			o := seen(readyPods(c.pods), m)
			p := c.a.proposeOne(view{now: start, cur: o.Replicas.Desired, seen: &o}, &c.a.sources[0], &o.Metrics[0])
			require.Equal(t, c.problem, p.problem)
			if c.problem == "" {
				assert.Equal(t, c.want, p.replicas)
			}
		})
	}
}

func TestContainerResourceLooksAtOneContainer(t *testing.T) {
	a := newAutoscaler(t, "maxReplicas: 100\n"+
		"metrics: [{type: ContainerResource, containerResource: {name: cpu, container: web, target: {type: Utilization, averageUtilization: 50}}}]")
	two := func(pods []messages.Pod) {
		pods[0].Requests = []messages.ResourceRequest{{Container: "log", Resource: "memory", Milli: 1}, {Container: "web", Resource: "cpu", Milli: 400}}
	}
	podCase{pods: 1, change: two, milli: []int64{600}, want: 3}.run(t, a) // 150 % of 400m
	podCase{pods: 1, change: func(pods []messages.Pod) { pods[0].Requests = pods[0].Requests[:0] }, milli: []int64{600},
		problem: "container web not found in Pod web-0"}.run(t, a)
	assert.Equal(t, "cpu of container web utilization", a.sources[0].label)
}

func TestReadinessOfCPUSamples(t *testing.T) {
	a := newAutoscaler(t, "maxReplicas: 100\n"+cpuAt50)
	for _, c := range []struct {
		name     string
		resource string
		change   func(p *messages.Pod)
		at       float64 // of the sample
		want     group
	}{
		{"long running and ready", "cpu", func(p *messages.Pod) {}, 0, counted},
		{"no Ready condition", "cpu", func(p *messages.Pod) { p.HasCondition = false }, 0, unready},
		{"no start time", "cpu", func(p *messages.Pod) { p.Started = time.Time{} }, 0, unready},
		{"initializing, not ready", "cpu", func(p *messages.Pod) { p.Started, p.Ready = after(-299), false }, 0, unready},
		{"initializing, window began before it was ready", "cpu", func(p *messages.Pod) { p.Started, p.ReadyChanged = after(-60), after(-29) }, 0, unready},
		{"initializing, a whole window since it was ready", "cpu", func(p *messages.Pod) { p.Started, p.ReadyChanged = after(-60), after(-30) }, 0, counted},
		{"initialized exactly now", "cpu", func(p *messages.Pod) { p.Started, p.ReadyChanged = after(-300), after(-1) }, 0, counted},
		{"initialized, never ready within 30 s", "cpu", func(p *messages.Pod) {
			p.Started, p.ReadyChanged, p.Ready = after(-400), after(-371), false
		}, 0, unready},
		{"initialized, was ready once and is not now", "cpu", func(p *messages.Pod) {
			p.Started, p.ReadyChanged, p.Ready = after(-400), after(-370), false
		}, 0, counted},
		{"memory does not care", "memory", func(p *messages.Pod) { p.HasCondition = false }, 0, counted},
		{"pending before anything else", "memory", func(p *messages.Pod) { p.Phase = messages.PodPending }, 0, unready},
		{"deleting before pending", "cpu", func(p *messages.Pod) { p.Phase, p.Deleting = messages.PodPending, true }, 0, ignored},
		{"failed", "cpu", func(p *messages.Pod) { p.Phase = messages.PodFailed }, 0, ignored},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := source{query: messages.Query{Kind: messages.QueryResource, Name: c.resource}}
			pod := readyPods(1)[0]
			c.change(&pod)
			sample := perPod(after(c.at), 0).Pods[0]
			assert.Equal(t, c.want, groupAtStart(a, &s, &pod, &sample))
		})
	}
	running := readyPods(1)[0]
	assert.Equal(t, missing, groupAtStart(a, &a.sources[0], &running, nil))
}

func groupAtStart(a *Autoscaler, s *source, pod *messages.Pod, sample *messages.PodMetric) group {
	rules := a.readiness(start, s)
	return rules.group(pod, sample)
}

// The flags move the borders of the cases above.
func TestReadinessFlags(t *testing.T) {
	c := DefaultController()
	c.CPUInitializationPeriod, c.InitialReadinessDelay = time.Minute, 10*time.Second
	a, err := New(Spec{Manifest: manifest(t, "maxReplicas: 100\n"+cpuAt50), Controller: c})
	require.NoError(t, err)
	for _, c := range []struct {
		name             string
		started, changed float64
		ready            bool
		want             group
	}{
		{"initializing", -59, -1, true, unready},
		{"initialized", -60, -1, true, counted},
		{"never ready within 10 s", -400, -391, false, unready},
		{"was ready once", -400, -390, false, counted},
	} {
		pod := readyPods(1)[0]
		pod.Started, pod.ReadyChanged, pod.Ready = after(c.started), after(c.changed), c.ready
		assert.Equal(t, c.want, groupAtStart(a, &a.sources[0], &pod, &perPod(start, 0).Pods[0]), c.name)
	}
}
