package knative

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/scalelab/scalelab/sim/random"

	"knative.dev/serving/pkg/apis/autoscaling"
	"knative.dev/serving/pkg/autoscaler/config"
)

// dice draw a world.
type dice struct{ random.Stream }

func newDice(name string, seed uint64) dice {
	return dice{random.Seed(seed).Key("conformance/knative/"+name, 0).Stream()}
}

func (d *dice) chance(p float64) bool  { return d.Float64() < p }
func (d *dice) between(lo, hi int) int { return lo + d.IntN(hi-lo+1) }

func pick[T any](d *dice, list ...T) T { return list[d.IntN(len(list))] }

// knownAnnotations are upstream's, in all their spellings.
var knownAnnotations = slices.Concat(
	autoscaling.ClassAnnotation, autoscaling.InitialScaleAnnotation, autoscaling.MaxScaleAnnotation, autoscaling.MetricAnnotation,
	autoscaling.MetricAggregationAlgorithmAnnotation, autoscaling.ActivationScale, autoscaling.MinScaleAnnotation,
	autoscaling.PanicThresholdPercentageAnnotation, autoscaling.PanicWindowPercentageAnnotation, autoscaling.ScaleDownDelayAnnotation,
	autoscaling.ScaleToZeroPodRetentionPeriodAnnotation, autoscaling.TargetAnnotation, autoscaling.TargetBurstCapacityAnnotation,
	autoscaling.TargetUtilizationPercentageAnnotation, autoscaling.WindowAnnotation)

// manifests are a configuration and a revision as a person writes them.
type manifests struct {
	data        map[string]string // of config-autoscaler
	annotations map[string]string
	concurrency int64 // of the container
	unreachable bool
}

// drawManifests draws what Knative accepts.
func drawManifests(d *dice) manifests {
	for {
		m := manifests{data: map[string]string{}, annotations: map[string]string{}}
		m.concurrency = pick[int64](d, 0, 0, 0, 1, 2, 5, 10, 100, 1000)
		m.unreachable = d.chance(0.05)
		m.drawData(d)
		m.drawWindows(d)
		m.drawTargets(d)
		m.drawScales(d)
		if c, err := config.NewConfigFromMap(m.data); err == nil && autoscaling.ValidateAnnotations(context.Background(), c, m.annotations) == nil {
			return m
		}
	}
}

// set gives the configuration a key with a probability.
func (m *manifests) set(d *dice, p float64, key string, values ...string) {
	if value := pick(d, values...); d.chance(p) {
		m.data[key] = value
	}
}

// annotate gives the revision an annotation with a probability, sometimes in its
// older spelling.
func (m *manifests) annotate(d *dice, p float64, name, old string, values ...string) {
	value, older := pick(d, values...), d.chance(0.1)
	if !d.chance(p) {
		return
	}
	if older && old != "" {
		name = old
	}
	m.annotations[autoscaling.GroupName+"/"+name] = value
}

func (m *manifests) drawData(d *dice) {
	m.set(d, 0.1, "max-scale-up-rate", "1.001", "1.1", "1.5", "2", "10", "1e9")
	m.set(d, 0.1, "max-scale-down-rate", "1.01", "1.5", "3", "10", "1e9")
	m.set(d, 0.1, "container-concurrency-target-percentage", "100", "50", "0.33", "71.5", "1")
	m.set(d, 0.1, "container-concurrency-target-default", "10", "1", "0.5", "250")
	m.set(d, 0.1, "requests-per-second-target-default", "50", "1", "1000")
	m.set(d, 0.2, "target-burst-capacity", "0", "-1", "10", "0.5", "1000", "70")
	m.set(d, 0.1, "panic-window-percentage", "1", "5", "20", "33.3", "100")
	m.set(d, 0.1, "panic-threshold-percentage", "110", "150", "300", "1000", "0")
	m.set(d, 0.1, "stable-window", "6s", "10s", "15s", "30s", "2m", "5m")
	m.set(d, 0.1, "scale-down-delay", "1s", "3s", "20s", "1m", "7m")
	m.set(d, 0.2, "scale-to-zero-grace-period", "1ms", "1s", "7500ms", "20s", "2m")
	m.set(d, 0.1, "scale-to-zero-pod-retention-period", "1s", "12500ms", "40s", "3m")
	m.set(d, 0.05, "enable-scale-to-zero", "false")
	m.set(d, 0.1, "activator-capacity", "1", "10", "1000")
	if d.chance(0.1) {
		m.data["allow-zero-initial-scale"] = "true"
		m.set(d, 0.5, "initial-scale", "0", "1", "2")
	} else {
		m.set(d, 0.1, "initial-scale", "1", "2", "3", "5")
	}
	m.set(d, 0.05, "max-scale", "0", "5", "20")
	m.set(d, 0.02, "max-scale-limit", "0", "20", "50")
	m.set(d, 0.05, "min-scale", "0", "1", "2")
}

func (m *manifests) drawWindows(d *dice) {
	m.annotate(d, 0.3, "window", "", "6s", "7s", "10s", "20s", "45s", "1m", "90s", "10m")
	m.annotate(d, 0.2, "panic-window-percentage", "panicWindowPercentage", "1", "7.5", "10", "25", "60", "100")
	m.annotate(d, 0.2, "panic-threshold-percentage", "panicThresholdPercentage", "110", "133.3", "200", "400", "1000")
	m.annotate(d, 0.2, "metric-aggregation-algorithm", "metricAggregationAlgorithm", "linear", "weighted-exponential", "weightedExponential", "")
	m.annotate(d, 0.2, "scale-down-delay", "scaleDownDelay", "0s", "1s", "2s", "5s", "30s", "1m", "5m")
	m.annotate(d, 0.2, "scale-to-zero-pod-retention-period", "scaleToZeroPodRetentionPeriod", "0s", "500ms", "10s", "42s", "5m")
	if d.chance(0.1) {
		m.annotations["serving.knative.dev/progress-deadline"] = pick(d, "1s", "10s", "1m", "5m")
	}
}

func (m *manifests) drawTargets(d *dice) {
	m.annotate(d, 0.3, "metric", "", autoscaling.Concurrency, autoscaling.RPS, autoscaling.RPS)
	m.annotate(d, 0.4, "target", "", "1", "10", "0.01", "70", "3.3", "200", "5000")
	m.annotate(d, 0.2, "target-utilization-percentage", "targetUtilizationPercentage", "1", "50", "70", "85.5", "100")
	m.annotate(d, 0.3, "target-burst-capacity", "targetBurstCapacity", "0", "-1", "1", "10.5", "211", "20000")
}

func (m *manifests) drawScales(d *dice) {
	low, high := d.between(0, 4), 0
	if d.chance(0.3) {
		high = d.between(max(low, 1), 12)
		m.annotate(d, 1, "max-scale", "maxScale", strconv.Itoa(high))
	} else {
		// The configuration's max-scale is no bound for the annotation's min-scale.
		m.annotate(d, 0.1, "max-scale", "maxScale", "0")
	}
	m.annotate(d, 0.3, "min-scale", "minScale", strconv.Itoa(low))
	if floor := max(low, 2); high == 0 || high >= floor {
		scale := floor + d.between(0, 3)
		if high > 0 {
			scale = min(scale, high)
		}
		m.annotate(d, 0.15, "activation-scale", "", strconv.Itoa(scale))
	}
	m.annotate(d, 0.25, "initial-scale", "initialScale", "0", "1", "2", "3", "6", "99999999999")
}

// String is the manifests in a line.
func (m manifests) String() string {
	all := maps.Clone(m.data)
	for key, value := range m.annotations {
		all["@"+key] = value
	}
	return fmt.Sprintf("containerConcurrency %d, unreachable %v, %v", m.concurrency, m.unreachable, all)
}
