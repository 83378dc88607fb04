package sim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	autoscalingv2 "k8s.io/api/autoscaling/v2"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/keda"
	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/random"
	"github.com/scalelab/scalelab/sim/traffic"
)

func TestValidateFaults(t *testing.T) {
	minute := pointer(time.Minute)
	for name, c := range map[string]struct {
		faults []Fault
		nodes  bool
		want   string
	}{
		"nothing":          {[]Fault{{At: 1}}, false, "[0]: found nothing that happens, expected exactly one of rollout, podCrash, nodeLoss, nodeDrain, spotInterruption, unready, slowStart, slowDown, surge, metricsOutage, metricsFreeze, autoscalerDown, apiErrors, apiLatency, clockSkew"},
		"two things":       {[]Fault{{Rollout: &Rollout{}, PodCrash: &Count{1}}}, false, "[0]: found rollout and podCrash, expected exactly one of rollout, podCrash, nodeLoss, nodeDrain, spotInterruption, unready, slowStart, slowDown, surge, metricsOutage, metricsFreeze, autoscalerDown, apiErrors, apiLatency, clockSkew"},
		"a past":           {[]Fault{{At: -1, Rollout: &Rollout{}}}, false, "[0].at: found -1ns, expected 0s or more"},
		"no end":           {[]Fault{{Surge: pointer(2.0)}}, false, "[0].for: found nothing, expected how long surge lasts"},
		"a zero length":    {[]Fault{{Surge: pointer(2.0), For: pointer(time.Duration(0))}}, false, "[0].for: found 0s, expected more than 0s"},
		"a long event":     {[]Fault{{PodCrash: &Count{1}, For: minute}}, false, "[0].for: found 1m0s, expected none: podCrash happens at once"},
		"no nodes":         {[]Fault{{NodeLoss: &Count{1}}}, false, "[0].nodeLoss: found it without nodes, expected the section nodes"},
		"nodes":            {[]Fault{{NodeLoss: &Count{1}}}, true, ""},
		"a fine factor":    {[]Fault{{SlowDown: pointer(1.0001), For: minute}}, false, "[0].slowDown: found 1.0001, expected at most three decimals"},
		"both ways":        {[]Fault{{ClockSkew: &Skew{Of: "hpa", Fast: 1, Slow: 1}, For: minute}}, false, "[0].clockSkew: found fast 1ns and slow 1ns, expected one of them, up to 24h0m0s"},
		"no way":           {[]Fault{{ClockSkew: &Skew{Of: "hpa"}, For: minute}}, false, "[0].clockSkew: found fast 0s and slow 0s, expected one of them, up to 24h0m0s"},
		"no latency":       {[]Fault{{APILatency: pointer(time.Duration(0)), For: minute}}, false, "[0].apiLatency: found 0s, expected more than 0s, up to 24h0m0s"},
		"an early notice":  {[]Fault{{SpotInterruption: &Interruption{Count: 1, Notice: pointer(25 * time.Hour)}}}, true, "[0].spotInterruption.notice: found 25h0m0s, expected 0s to 24h0m0s"},
		"an overlap":       {[]Fault{{Surge: pointer(2.0), For: minute}, {At: 59 * time.Second, Surge: pointer(2.0), For: minute}}, false, "[1].at: found surge from 59s, within faults[0] from 0s to 1m0s, expected them apart"},
		"neighbours":       {[]Fault{{Surge: pointer(2.0), For: minute}, {At: time.Minute, Surge: pointer(2.0), For: minute}}, false, ""},
		"different clocks": {[]Fault{{ClockSkew: &Skew{Of: "hpa", Fast: 1}, For: minute}, {ClockSkew: &Skew{Of: "keda", Fast: 1}, For: minute}}, false, ""},
		"one clock":        {[]Fault{{ClockSkew: &Skew{Of: "hpa", Fast: 1}, For: minute}, {ClockSkew: &Skew{Of: "hpa", Slow: 1}, For: minute}}, false, "[1].at: found clockSkew from 0s, within faults[0] from 0s to 1m0s, expected them apart"},
		"outage and freeze of one source": {[]Fault{{MetricsOutage: "prometheus", For: minute}, {MetricsFreeze: "prometheus", For: minute}}, false,
			"[1].at: found metricsFreeze from 0s, within faults[0] from 0s to 1m0s, expected them apart"},
		"outages of two sources": {[]Fault{{MetricsOutage: "prometheus", For: minute}, {MetricsOutage: "kubelet", For: minute}}, false, ""},
		"unready twice":          {[]Fault{{Unready: &Count{1}, For: minute}, {Unready: &Count{1}, For: minute}}, false, ""},
		"too many":               {make([]Fault, 1001), false, "found 1001 faults, expected at most 1000"},
	} {
		err := ValidateFaults(c.faults, c.nodes)
		if c.want == "" {
			assert.NoError(t, err, name)
			continue
		}
		assert.EqualError(t, err, c.want, name)
	}
}

func TestLabels(t *testing.T) {
	for want, f := range map[string]Fault{
		"rollout":                  {Rollout: &Rollout{}},
		"podCrash 2":               {PodCrash: &Count{2}},
		"nodeLoss 1":               {NodeLoss: &Count{1}},
		"nodeDrain 1":              {NodeDrain: &Count{1}},
		"spotInterruption 3":       {SpotInterruption: &Interruption{Count: 3}},
		"unready 2":                {Unready: &Count{2}},
		"slowStart x2":             {SlowStart: pointer(2.0)},
		"slowDown x2.5":            {SlowDown: pointer(2.5)},
		"surge x3":                 {Surge: pointer(3.0)},
		"metricsOutage kubelet":    {MetricsOutage: "kubelet"},
		"metricsFreeze prometheus": {MetricsFreeze: "prometheus"},
		"autoscalerDown all":       {AutoscalerDown: "all"},
		"apiErrors 50%":            {APIErrors: pointer(0.5)},
		"apiLatency 2s":            {APILatency: pointer(2 * time.Second)},
		"clockSkew hpa -30s":       {ClockSkew: &Skew{Of: "hpa", Slow: 30 * time.Second}},
	} {
		assert.Equal(t, want, f.label())
	}
	assert.True(t, Lasts("surge"))
	assert.False(t, Lasts("rollout"))
	assert.False(t, Lasts("weather"))
}

func calmHPA(t *testing.T) Spec {
	spec := baseSpec(t)
	spec.Traffic = evenly(t, 1, 2*time.Minute)
	spec.Strategy = Strategy{Name: "hpa", HPA: cpuHPA(85)}
	return spec
}

func TestAPILatencyDelaysTheSyncsThatComeMeanwhile(t *testing.T) {
	spec := calmHPA(t)
	spec.Faults = []Fault{{At: 25 * time.Second, For: pointer(30 * time.Second), APILatency: pointer(7 * time.Second)}}
	var at []float64
	for _, d := range play(t, spec).Decisions {
		at = append(at, d.TS)
	}
	// 15 s is before; 30 s comes at 37 s, and the next at 52 s is late, too, by 7 s.
	assert.Equal(t, []float64{0, 15, 37, 59, 74, 89, 104, 119}, at)
}

func TestAPIErrorsFailSyncs(t *testing.T) {
	spec := calmHPA(t)
	spec.Faults = []Fault{{At: 20 * time.Second, For: pointer(30 * time.Second), APIErrors: pointer(1.0)}}
	r := play(t, spec)
	var failed []float64
	for _, d := range r.Decisions {
		if d.Reason == messages.ReasonAPIFailed {
			failed = append(failed, d.TS)
			assert.Equal(t, d.Current, d.Desired)
			assert.Equal(t, "hold: the API server fails the sync", d.Message)
			assert.Equal(t, 45.0, d.UntilS, "the one after it says the same")
		}
	}
	assert.Equal(t, []float64{30}, failed)
	assert.Equal(t, []Band{{Name: "apiErrors 100%", FromS: 20, ToS: 50}}, r.Bands)
}

// A burst has the HPA want three pods; the lower recommendations after it are held up
// by its window of 5 minutes, unless it forgets.
func TestARestartForgetsTheStabilizationWindow(t *testing.T) {
	spec := stepSpec(t, 4, 30*time.Second, func(s *autoscalingv2.HorizontalPodAutoscalerSpec) { s.MaxReplicas = 3 })
	down := func(r *Result) (at float64) {
		for _, d := range r.Decisions {
			if d.Desired < d.Current {
				return d.TS
			}
		}
		return 0
	}
	calm := down(play(t, spec))
	spec.Faults = []Fault{{At: 400 * time.Second, For: pointer(20 * time.Second), AutoscalerDown: "hpa"}}
	r := play(t, spec)
	// It begins at 420 s with the count of now, which leaves the window at 720 s, and
	// that instant is excluded.
	assert.Greater(t, calm, 0.0)
	assert.NotEqual(t, calm, down(r))
	for _, d := range r.Decisions {
		assert.False(t, d.TS >= 400 && d.TS < 420, "%+v", d)
	}
}

func TestKedaWithoutItsOperator(t *testing.T) {
	spec := scaledSpec(t, nil)
	spec.Cluster.Replicas = 2
	spec.Traffic = evenly(t, 2, 4*time.Minute)
	spec.Faults = []Fault{{At: 60 * time.Second, For: pointer(time.Minute), AutoscalerDown: "keda"}}
	r := play(t, spec)
	failed := 0
	for _, d := range r.Decisions {
		during := d.TS >= 60 && d.TS < 120
		if d.Autoscaler == "keda" {
			assert.False(t, during && d.UntilS == 0, "%+v", d)
		}
		if d.Autoscaler == "hpa" && during {
			failed++
			assert.Equal(t, messages.ReasonMetricFailed, d.Reason, "%+v", d)
		}
	}
	assert.Positive(t, failed)
}

// The operator's clock decides when a schedule begins.
func TestClockSkew(t *testing.T) {
	scheduled := func() Spec {
		spec := scaledSpec(t, func(o *keda.ScaledObject) {
			o.Spec.Triggers = []keda.Trigger{{Type: "cron", Metadata: map[string]string{
				"timezone": "UTC", "start": "5 0 * * *", "end": "50 0 * * *", "desiredReplicas": "3"}}}
		})
		spec.Cluster.Replicas = 0
		spec.Traffic = evenly(t, 1.0/3600, 10*time.Minute)
		return spec
	}
	first := func(r *Result) float64 {
		for _, d := range r.Decisions {
			if d.Desired > d.Current {
				return d.TS
			}
		}
		return 0
	}
	assert.Equal(t, 300.1, first(play(t, scheduled())))
	fast := scheduled()
	fast.Faults = []Fault{{For: pointer(10 * time.Minute), ClockSkew: &Skew{Of: "keda", Fast: time.Minute}}}
	assert.Equal(t, 240.1, first(play(t, fast)))
}

func TestSurge(t *testing.T) {
	spec := baseSpec(t)
	spec.Traffic = evenly(t, 1, 10*time.Minute)
	calm := play(t, spec)
	spec.Faults = []Fault{{At: time.Minute, For: pointer(2 * time.Minute), Surge: pointer(3.0)}}
	r := play(t, spec)
	assert.Equal(t, calm.Requests.Arrived+2*120, r.Requests.Arrived)

	spec.Traffic = plan(t, traffic.Spec{{For: pointer(time.Minute), Users: &traffic.Users{Count: 1, ThinkTime: random.Constant(time.Second)}}})
	_, err := newRun(spec, nil)
	require.ErrorContains(t, err, "faults[0].surge: found a surge of traffic that cannot be scaled")
}

func TestSlowDown(t *testing.T) {
	spec := baseSpec(t)
	spec.Cluster.Replicas = 2
	spec.Traffic = evenly(t, 1, time.Minute)
	spec.Faults = []Fault{{At: 20 * time.Second, For: pointer(10 * time.Second), SlowDown: pointer(2.5)}}
	r := play(t, spec)
	assert.InDelta(t, 1.0, r.LatencyS.Max, 1e-9, "0.4 s, 2.5 times")
	assert.InDelta(t, (50*0.4+10*1.0)/60, r.LatencyS.Mean, 1e-9)
}

func TestSlowStartOfThoseThatStartMeanwhile(t *testing.T) {
	spec := stepSpec(t, 4, 10*time.Minute, func(s *autoscalingv2.HorizontalPodAutoscalerSpec) { s.MaxReplicas = 2 })
	spec.Faults = []Fault{{At: 300 * time.Second, For: pointer(time.Minute), SlowStart: pointer(4.0)}}
	pod := play(t, spec).PodStarts.Pods[0]
	assert.Equal(t, 318.0, *pod.StartedS)
	assert.Equal(t, 318.0+12, *pod.ReadyS, "3 s, four times")
}

// Of two faults that follow each other at once, the second is listed first.
func TestFaultsThatFollowEachOther(t *testing.T) {
	spec := calmHPA(t)
	spec.Faults = []Fault{
		{At: 40 * time.Second, For: pointer(20 * time.Second), APIErrors: pointer(1.0)},
		{At: 20 * time.Second, For: pointer(20 * time.Second), APIErrors: pointer(1.0)},
	}
	for _, d := range play(t, spec).Decisions {
		if d.Reason == messages.ReasonAPIFailed {
			assert.Equal(t, 30.0, d.TS)
			assert.Equal(t, 45.0, d.UntilS)
			return
		}
	}
	assert.Fail(t, "no sync has failed")
}

// Crashes take what the pods hold; the first restart comes at once.
func TestPodCrash(t *testing.T) {
	spec := baseSpec(t)
	spec.Cluster.Replicas = 1
	spec.Traffic = evenly(t, 2, time.Minute) // every half second, each served for 0.4 s
	spec.Faults = []Fault{{At: 20100 * time.Millisecond, PodCrash: &Count{1}}}
	r := play(t, spec)
	// One in service is lost. The container is up 3 s later, and routed to 1 s after
	// that; 20.5 to 24 s find nobody.
	assert.Equal(t, uint64(1+8), r.Requests.Failed)
	assert.Equal(t, int32(0), r.Replicas.MinReady)
}

func TestNodeFaults(t *testing.T) {
	spec := baseSpec(t)
	spec.Cluster.Replicas = 4
	spec.Cluster.CPURequestMilli, spec.Cluster.MemoryRequestBytes = 500, 1<<30
	spec.Cluster.Nodes = &cluster.Nodes{Pools: []cluster.Pool{{
		Name: "general", CPU: 1, Memory: 4 << 30, Count: 2, Max: pointer(4), Provision: random.Constant(time.Minute), HourPrice: pointer(3.6),
	}}}
	for name, f := range map[string]Fault{
		"loss":                               {NodeLoss: &Count{1}},
		"drain":                              {NodeDrain: &Count{1}},
		"interruption":                       {SpotInterruption: &Interruption{Count: 1, Notice: pointer(30 * time.Second)}},
		"interruption with the usual notice": {SpotInterruption: &Interruption{Count: 1}},
	} {
		f.At = time.Minute
		spec.Faults = []Fault{f}
		r := play(t, spec)
		n := len(r.Timeline.TS) - 1
		assert.Equal(t, int32(4), r.Timeline.Ready[n], name)
		assert.Equal(t, int32(2), r.Timeline.Nodes[n], name)
		assert.Equal(t, int32(0), r.Timeline.Pending[n], name)
		assert.Equal(t, 1, r.Nodes.Requested, name)
		assert.InDelta(t, r.Nodes.NodeSeconds*0.001, r.Cost.Total, 1e-9, name)
		assert.InDelta(t, r.Cost.Total, *r.Cost.Nodes, 1e-9, name)
	}
}

func TestMilder(t *testing.T) {
	f := Fault{At: 150 * time.Second, For: pointer(time.Minute), SlowDown: pointer(3.0)}
	assert.Equal(t, []Fault{
		{At: 150 * time.Second, For: pointer(30 * time.Second), SlowDown: pointer(3.0)},
		{At: 150 * time.Second, For: pointer(time.Minute), SlowDown: pointer(1.5)},
		{At: 75 * time.Second, For: pointer(time.Minute), SlowDown: pointer(3.0)},
		{At: 120 * time.Second, For: pointer(time.Minute), SlowDown: pointer(3.0)},
	}, f.Milder())
	crash := Fault{PodCrash: &Count{3}}
	assert.Equal(t, []Fault{{PodCrash: &Count{1}}, {PodCrash: &Count{2}}}, crash.Milder())
	spot := Fault{SpotInterruption: &Interruption{Count: 2}}
	assert.Equal(t, []Fault{{SpotInterruption: &Interruption{Count: 1}}}, spot.Milder())
}

func plan(t *testing.T, spec traffic.Spec) *traffic.Plan {
	t.Helper()
	plan, err := traffic.New(spec, nil)
	require.NoError(t, err)
	return plan
}
