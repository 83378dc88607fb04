package hpa

import (
	"math"
	"strconv"
	"time"

	"github.com/scalelab/scalelab/messages"
	ours "github.com/scalelab/scalelab/scaling/hpa"
	"github.com/scalelab/scalelab/sim/random"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// dice draw a world.
type dice struct{ random.Stream }

func (d *dice) chance(p float64) bool  { return d.Float64() < p }
func (d *dice) between(lo, hi int) int { return lo + d.IntN(hi-lo+1) }
func (d *dice) seconds(list ...float64) time.Duration {
	return time.Duration(pick(d, list...) * float64(time.Second))
}

func pick[T any](d *dice, list ...T) T { return list[d.IntN(len(list))] }

// world is a manifest, flags, and everything that happens to them.
type world struct {
	dice     dice
	seed     uint64
	manifest *autoscalingv2.HorizontalPodAutoscaler
	flags    ours.Controller
	syncs    int
	phase    time.Duration // of the syncs within a second

	containers []string
	templates  [][]messages.ResourceRequest
	queries    []messages.Query
	up, down   float64 // tolerances

	// How rough the world is.
	calm, missing, flapping, failing, byHand, lagging, odd float64
	startup, retire                                        int // seconds at most

	life
}

// newWorld draws the world of a seed. Every manifest is one that an API server
// accepts.
func newWorld(seed uint64) *world {
	w := &world{seed: seed, dice: dice{random.Seed(seed).Key("conformance/hpa", 0).Stream()}}
	d := &w.dice
	w.syncs = pick(d, 40, 80, 120, 200)
	w.phase = time.Duration(pick(d, 0, 0, 0, 400)) * time.Millisecond
	w.flags = ours.Controller{
		SyncPeriod:              d.seconds(15, 15, 15, 5, 7, 10, 30),
		Tolerance:               pick(d, 0.1, 0.1, 0.1, 0, 0.05, 0.2, 0.33),
		DownscaleStabilization:  d.seconds(300, 300, 300, 0, 15, 45, 60, 90.5),
		CPUInitializationPeriod: d.seconds(300, 300, 0, 60, 120),
		InitialReadinessDelay:   d.seconds(30, 30, 0, 10, 60),
	}
	w.calm = pick(d, 0.3, 0.7, 0.95)
	w.missing = pick(d, 0, 0, 0.03, 0.2)
	w.flapping = pick(d, 0, 0, 0.01, 0.05)
	w.failing = pick(d, 0, 0.01, 0.05)
	w.byHand = pick(d, 0, 0.01, 0.03)
	w.lagging = pick(d, 0, 0.1)
	w.odd = pick(d, 0, 0.05)
	w.startup = pick(d, 0, 30, 90, 400)
	w.retire = pick(d, 0, 30, 90)
	w.drawTemplates()
	w.drawManifest()
	w.life = newLife(w)
	return w
}

// drawTemplates draws what the pods and their containers request: rarely a
// container lacks one of the resources or all, and sometimes a rollout changes
// the requests.
func (w *world) drawTemplates() {
	d := &w.dice
	w.containers = []string{name}
	if d.chance(0.4) {
		w.containers = append(w.containers, "sidecar")
	}
	lacks, bare, whole := d.chance(0.05), d.chance(0.03), d.chance(0.1)
	for range pick(d, 1, 1, 1, 2) {
		var requests []messages.ResourceRequest
		add := func(container, resource string, milli int) {
			requests = append(requests, messages.ResourceRequest{Container: container, Resource: resource, Milli: int64(milli)})
		}
		memory := !whole || d.chance(0.8)
		if whole {
			add("", "cpu", pick(d, 300, 500, 2000))
			if memory {
				add("", "memory", pick(d, 100, 600)<<20*1000)
			}
		}
		for _, c := range w.containers {
			if bare && c != name {
				add(c, "", 0)
				continue
			}
			if !lacks || c == name {
				add(c, "cpu", pick(d, 100, 200, 250, 500, 1000, 333))
			}
			if memory {
				add(c, "memory", pick(d, 64, 100, 128, 512)<<20*1000)
			}
		}
		w.templates = append(w.templates, requests)
	}
}

func (w *world) drawManifest() {
	d := &w.dice
	m := &autoscalingv2.HorizontalPodAutoscaler{}
	m.Name = name
	m.Spec.ScaleTargetRef = autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: name}
	for range pick(d, 0, 1, 1, 1, 1, 2, 2, 3, 4) {
		m.Spec.Metrics = append(m.Spec.Metrics, w.drawMetric(len(m.Spec.Metrics)))
	}
	wakes := false
	for _, metric := range m.Spec.Metrics {
		wakes = wakes || metric.Object != nil || metric.External != nil
	}
	m.Spec.MaxReplicas = int32(pick(d, 3, 5, 10, 10, 20, 40))
	switch {
	case wakes && d.chance(0.4):
		m.Spec.MinReplicas = ptr.To[int32](0)
	case d.chance(0.7):
		m.Spec.MinReplicas = ptr.To(int32(d.between(1, min(5, int(m.Spec.MaxReplicas)))))
	}
	if d.chance(0.6) {
		m.Spec.Behavior = &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleUp: w.drawRules(), ScaleDown: w.drawRules()}
	}
	w.manifest = m
	w.up, w.down = w.flags.Tolerance, w.flags.Tolerance
	if b := m.Spec.Behavior; b != nil {
		if b.ScaleUp != nil && b.ScaleUp.Tolerance != nil {
			w.up = b.ScaleUp.Tolerance.AsApproximateFloat64()
		}
		if b.ScaleDown != nil && b.ScaleDown.Tolerance != nil {
			w.down = b.ScaleDown.Tolerance.AsApproximateFloat64()
		}
	}
}

func (w *world) drawRules() *autoscalingv2.HPAScalingRules {
	d := &w.dice
	if d.chance(0.25) {
		return nil
	}
	r := &autoscalingv2.HPAScalingRules{}
	if d.chance(0.6) {
		r.StabilizationWindowSeconds = ptr.To(int32(pick(d, 0, 15, 30, 45, 60, 120, 300, d.between(0, 100))))
	}
	if d.chance(0.5) {
		r.SelectPolicy = ptr.To(pick(d, autoscalingv2.MaxChangePolicySelect, autoscalingv2.MaxChangePolicySelect,
			autoscalingv2.MinChangePolicySelect, autoscalingv2.MinChangePolicySelect, autoscalingv2.DisabledPolicySelect))
	}
	if d.chance(0.4) {
		r.Tolerance = ptr.To(resource.MustParse(pick(d, "0", "0.05", "0.1", "0.2", "150m", "0.5", "1")))
	}
	if d.chance(0.6) {
		for range d.between(1, 3) {
			p := autoscalingv2.HPAScalingPolicy{Type: autoscalingv2.PodsScalingPolicy, Value: int32(d.between(1, 6)),
				PeriodSeconds: int32(pick(d, 15, 30, 45, 60, 120, 300, d.between(1, 200)))}
			if d.chance(0.5) {
				p.Type, p.Value = autoscalingv2.PercentScalingPolicy, int32(pick(d, 10, 25, 33, 50, 100, 150, d.between(1, 200)))
			}
			if d.chance(0.05) {
				p.Value = pick[int32](d, math.MaxInt32, math.MaxInt32/3)
			}
			r.Policies = append(r.Policies, p)
		}
	}
	return r
}

// drawMetric draws an entry of spec.metrics, and the Query that stands for it.
func (w *world) drawMetric(i int) autoscalingv2.MetricSpec {
	d := &w.dice
	identifier := autoscalingv2.MetricIdentifier{Name: "metric-" + strconv.Itoa(i)}
	if d.chance(0.2) {
		identifier.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"queue": "q" + strconv.Itoa(i)}}
	}
	average := autoscalingv2.MetricTarget{Type: autoscalingv2.AverageValueMetricType, AverageValue: quantity(d)}
	value := autoscalingv2.MetricTarget{Type: autoscalingv2.ValueMetricType, Value: quantity(d)}
	resourceName := pick(d, corev1.ResourceCPU, corev1.ResourceCPU, corev1.ResourceMemory)
	level := autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType,
		AverageUtilization: ptr.To(int32(pick(d, 50, 80, 10, 20, 60, 100, 120, 200, d.between(1, 150))))}
	if d.chance(0.35) {
		level = autoscalingv2.MetricTarget{Type: autoscalingv2.AverageValueMetricType, AverageValue: quantity(d)}
		if resourceName == corev1.ResourceMemory {
			level.AverageValue = resource.NewQuantity(int64(pick(d, 50, 100, 300))<<20, resource.BinarySI)
		}
	}
	total := pick(d, average, value)
	switch pick(d, messages.QueryResource, messages.QueryResource, messages.QueryResource, messages.QueryPods, messages.QueryObject, messages.QueryExternal) {
	case messages.QueryPods:
		return autoscalingv2.MetricSpec{Type: autoscalingv2.PodsMetricSourceType,
			Pods: &autoscalingv2.PodsMetricSource{Metric: identifier, Target: average}}
	case messages.QueryObject:
		return autoscalingv2.MetricSpec{Type: autoscalingv2.ObjectMetricSourceType, Object: &autoscalingv2.ObjectMetricSource{
			DescribedObject: autoscalingv2.CrossVersionObjectReference{APIVersion: "v1", Kind: "Service", Name: name}, Metric: identifier, Target: total}}
	case messages.QueryExternal:
		return autoscalingv2.MetricSpec{Type: autoscalingv2.ExternalMetricSourceType,
			External: &autoscalingv2.ExternalMetricSource{Metric: identifier, Target: total}}
	}
	if d.chance(0.4) {
		return autoscalingv2.MetricSpec{Type: autoscalingv2.ContainerResourceMetricSourceType, ContainerResource: &autoscalingv2.ContainerResourceMetricSource{
			Name: resourceName, Container: w.drawContainer(), Target: level}}
	}
	return autoscalingv2.MetricSpec{Type: autoscalingv2.ResourceMetricSourceType,
		Resource: &autoscalingv2.ResourceMetricSource{Name: resourceName, Target: level}}
}

// drawContainer is rarely one that no pod has.
func (w *world) drawContainer() string {
	if w.dice.chance(0.03) {
		return "nobody"
	}
	return pick(&w.dice, w.containers...)
}

// quantity draws a target: whole, fractional, or one that no binary fraction holds.
func quantity(d *dice) *resource.Quantity {
	return milli(int64(pick(d, 1000, 1000, 10_000, 500, 100, 30, 333, 100_000, d.between(1, 5000))))
}

// target is an entry's target in its own unit: percent, or thousandths.
func target(m *autoscalingv2.MetricSpec) (value int64, percent, perPod bool) {
	var t autoscalingv2.MetricTarget
	switch {
	case m.Resource != nil:
		t = m.Resource.Target
	case m.ContainerResource != nil:
		t = m.ContainerResource.Target
	case m.Pods != nil:
		t = m.Pods.Target
	case m.Object != nil:
		t = m.Object.Target
	default:
		t = m.External.Target
	}
	switch {
	case t.AverageUtilization != nil:
		return int64(*t.AverageUtilization), true, true
	case t.AverageValue != nil:
		return t.AverageValue.MilliValue(), false, true
	}
	return t.Value.MilliValue(), false, false
}

// near rounds x down, to the nearest, or up, so that both sides of an edge are
// met. It is never negative.
func near(d *dice, x float64) int64 {
	return int64(max(0, pick(d, math.Floor(x), math.Round(x), math.Ceil(x), math.Round(x)+1, math.Round(x)-1)))
}
