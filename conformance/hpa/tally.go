package hpa

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/scalelab/scalelab/messages"
	ours "github.com/scalelab/scalelab/scaling/hpa"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
)

// tally counts what the worlds exercise: the fields of their manifests in
// worlds, what happens and what is decided in syncs.
type tally struct {
	counts map[string]int
	world  *world // whose manifest is counted
	before int32  // the count at its last sync
}

// usualFlags are those that most worlds have.
var usualFlags = ours.DefaultController()

// expected are the names that no long run may leave at zero.
var expected = strings.Fields(`
metrics:0 metrics:1 metrics:2 metrics:3 metrics:4
metric:Resource/Utilization metric:Resource/AverageValue
metric:ContainerResource/Utilization metric:ContainerResource/AverageValue metric:Pods/AverageValue
metric:Object/Value metric:Object/AverageValue metric:External/Value metric:External/AverageValue metric:selector
min:absent min:0 min:1 min:more
behavior:absent behavior:empty
scaleUp:absent scaleUp:window scaleUp:Max scaleUp:Min scaleUp:Disabled scaleUp:tolerance scaleUp:Pods scaleUp:Percent
scaleDown:absent scaleDown:window scaleDown:Max scaleDown:Min scaleDown:Disabled scaleDown:tolerance scaleDown:Pods scaleDown:Percent
flag:syncPeriod flag:tolerance flag:downscaleStabilization flag:cpuInitializationPeriod flag:initialReadinessDelay
requests:containers requests:whole requests:lacking
pod:Pending pod:Running pod:Failed pod:deleting pod:unready pod:flapped pod:conditionless pod:startless
sample:missing sample:unlisted sample:none
answer:refused answer:empty answer:negative
scale:up scale:down scale:toZero scale:fromZero scale:hold scale:byHand
reason:ScaleUp reason:ScaleDown reason:WithinTolerance reason:Stabilized reason:LimitedByPolicy reason:AtLimit
reason:Steady reason:Disabled reason:MetricFailed
step:metric step:tolerance step:readiness step:window step:policy step:clamp
condition:ReadyForNewScale condition:ScaleUpStabilized condition:ScaleDownStabilized condition:SucceededRescale
condition:SucceededGetScale condition:ValidMetricFound condition:ScalingDisabled condition:DesiredWithinRange
condition:TooFewReplicas condition:TooManyReplicas condition:ScaleUpLimit condition:ScaleDownLimit
condition:ScaledToZero condition:NotScaledToZero
condition:FailedGetResourceMetric condition:FailedGetContainerResourceMetric condition:FailedGetPodsMetric
condition:FailedGetObjectMetric condition:FailedGetExternalMetric
event:SuccessfulRescale event:FailedComputeMetricsReplicas
`)

func newTally() *tally { return &tally{counts: map[string]int{}} }

func (t *tally) add(names ...string) {
	for _, name := range names {
		t.counts[name]++
	}
}

func (t *tally) when(happens bool, name string) {
	if happens {
		t.counts[name]++
	}
}

func (t *tally) saw(w *world, s *scene, theirs answer, d messages.Decision) {
	cur := s.seen.Replicas.Desired
	if w != t.world {
		t.world = w
		t.manifest(w)
	} else {
		t.when(cur != t.before, "scale:byHand")
	}
	t.before = theirs.Desired
	t.pods(s)
	t.answers(s)
	t.change(cur, theirs.Desired)
	t.add("reason:" + string(d.Reason))
	for stage := range stages(d) {
		t.add("step:" + string(stage))
	}
	for _, c := range theirs.Conditions {
		t.add("condition:" + c.Reason)
	}
	for _, e := range theirs.Events {
		t.add("event:" + e.Reason)
	}
}

// stages are those that a decision passed.
func stages(d messages.Decision) map[messages.Stage]bool {
	set := map[messages.Stage]bool{}
	for _, step := range d.Steps {
		set[step.Stage] = true
	}
	return set
}

func (t *tally) change(from, to int32) {
	switch {
	case from == to:
		t.add("scale:hold")
	case to == 0:
		t.add("scale:down", "scale:toZero")
	case from == 0:
		t.add("scale:up", "scale:fromZero")
	case to > from:
		t.add("scale:up")
	default:
		t.add("scale:down")
	}
}

func (t *tally) manifest(w *world) {
	spec, f, usual := &w.manifest.Spec, w.flags, usualFlags
	t.add(fmt.Sprintf("metrics:%d", len(spec.Metrics)))
	for i := range spec.Metrics {
		t.metric(&spec.Metrics[i])
	}
	switch low := spec.MinReplicas; {
	case low == nil:
		t.add("min:absent")
	case *low < 2:
		t.add(fmt.Sprintf("min:%d", *low))
	default:
		t.add("min:more")
	}
	if b := spec.Behavior; b == nil {
		t.add("behavior:absent")
	} else {
		t.when(b.ScaleUp == nil && b.ScaleDown == nil, "behavior:empty")
		t.rules("scaleUp:", b.ScaleUp)
		t.rules("scaleDown:", b.ScaleDown)
	}
	t.when(f.SyncPeriod != usual.SyncPeriod, "flag:syncPeriod")
	t.when(f.Tolerance != usual.Tolerance, "flag:tolerance")
	t.when(f.DownscaleStabilization != usual.DownscaleStabilization, "flag:downscaleStabilization")
	t.when(f.CPUInitializationPeriod != usual.CPUInitializationPeriod, "flag:cpuInitializationPeriod")
	t.when(f.InitialReadinessDelay != usual.InitialReadinessDelay, "flag:initialReadinessDelay")
	whole := w.templates[0][0].Container == ""
	t.when(whole, "requests:whole")
	t.when(!whole && len(w.templates[0]) == 2*len(w.containers), "requests:containers")
	t.when(!whole && len(w.templates[0]) != 2*len(w.containers), "requests:lacking")
}

func (t *tally) metric(m *autoscalingv2.MetricSpec) {
	_, percent, perPod := target(m)
	kind := "Value"
	if percent {
		kind = "Utilization"
	} else if perPod {
		kind = "AverageValue"
	}
	t.add("metric:" + string(m.Type) + "/" + kind)
	t.when(m.Pods != nil && m.Pods.Metric.Selector != nil || m.Object != nil && m.Object.Metric.Selector != nil ||
		m.External != nil && m.External.Metric.Selector != nil, "metric:selector")
}

func (t *tally) rules(direction string, r *autoscalingv2.HPAScalingRules) {
	if r == nil {
		t.add(direction + "absent")
		return
	}
	t.when(r.StabilizationWindowSeconds != nil, direction+"window")
	t.when(r.Tolerance != nil, direction+"tolerance")
	if r.SelectPolicy != nil {
		t.add(direction + string(*r.SelectPolicy))
	}
	for _, p := range r.Policies {
		t.add(direction + string(p.Type))
	}
}

func (t *tally) pods(s *scene) {
	for i := range s.seen.Pods {
		p := &s.seen.Pods[i]
		t.add("pod:" + p.Phase.String())
		t.when(p.Deleting, "pod:deleting")
		t.when(!p.HasCondition, "pod:conditionless")
		t.when(p.HasCondition && !p.Ready, "pod:unready")
		t.when(p.HasCondition && !p.Ready && p.ReadyChanged.After(p.Started), "pod:flapped")
		t.when(p.Started.IsZero(), "pod:startless")
		t.when(p.Phase == messages.PodRunning && s.samples[i].at.IsZero(), "sample:missing")
	}
	t.when(len(s.samples) > len(s.seen.Pods), "sample:unlisted")
}

func (t *tally) answers(s *scene) {
	for i, m := range s.seen.Metrics {
		t.when(s.failures[i] == refuses, "answer:refused")
		t.when(s.failures[i] == empty, "answer:empty")
		t.when(m.Milli < 0, "answer:negative")
		t.when(m.Err == "" && len(m.Pods) == 0 && s.queries[i].Kind <= messages.QueryPods, "sample:none")
	}
}

// unmet are the expected names that never came.
func (t *tally) unmet() []string {
	return slices.DeleteFunc(slices.Clone(expected), func(name string) bool { return t.counts[name] > 0 })
}

// String is a line for every kind of name.
func (t *tally) String() string {
	var lines []string
	last := ""
	for _, name := range slices.Sorted(maps.Keys(t.counts)) {
		kind, value, _ := strings.Cut(name, ":")
		if kind != last {
			lines = append(lines, fmt.Sprintf("%-10s", kind))
			last = kind
		}
		lines[len(lines)-1] += fmt.Sprintf(" %s %d", value, t.counts[name])
	}
	return "exercised (fields in worlds, the rest in syncs)\n" + strings.Join(lines, "\n")
}
