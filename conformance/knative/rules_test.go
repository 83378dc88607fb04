package knative

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"
	ours "github.com/scalelab/scalelab/scaling/knative"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"knative.dev/pkg/apis"
	"knative.dev/serving/pkg/apis/autoscaling"
	"knative.dev/serving/pkg/autoscaler/config"
	"knative.dev/serving/pkg/autoscaler/config/autoscalerconfig"
	hparesources "knative.dev/serving/pkg/reconciler/autoscaling/hpa/resources"
)

var rulesFlag = flag.Int("rules", 50_000, "stop after so many sets of annotations, and of keys")

// valueFor is a text that an annotation or a key could have, mostly one of the
// kind that it asks for.
func valueFor(d *dice, key string) string {
	if d.chance(0.2) {
		return anyValue(d)
	}
	switch {
	case strings.HasSuffix(key, "class"):
		return class(d)
	case strings.HasSuffix(key, "ercentage"), strings.HasSuffix(key, "rate"), strings.HasSuffix(key, "apacity"), strings.Contains(key, "target"):
		return number(d)
	case strings.HasSuffix(key, "window"), strings.HasSuffix(key, "elay"), strings.HasSuffix(key, "eriod"):
		return duration(d)
	case strings.HasSuffix(strings.ToLower(key), "scale"), strings.HasSuffix(key, "limit"):
		return count(d)
	}
	return word(d)
}

func anyValue(d *dice) string {
	odd := func(d *dice) string {
		return pick(d, "", " ", "abc", "-", "1,5", "0x10", "1_000", " 7", "7 ", "+3", "-0", "١")
	}
	return pick(d, odd, class, number, duration, count, word)(d)
}

func count(d *dice) string {
	return pick(d, "0", "-1", "1", "2", "2147483647", "2147483648", "-2147483649", "99999999999", "9999999999999999999999",
		strconv.Itoa(d.between(0, 12)), strconv.Itoa(d.between(-3, 1100)))
}

func number(d *dice) string {
	return pick(d, "NaN", "Inf", "-Inf", "1e400", "1e-400", "1e9", "0", "-1", "0.01", "0.009", "0.0099999", "1.0", "1.0000001",
		"100.0", "100.01", "110", "109.99", "1000.5", "0.7", "70", "200",
		strconv.FormatFloat(d.Float64()*pick(d, 1.0, 2, 100, 100, 1000, 2000), 'f', d.between(0, 4), 64))
}

func duration(d *dice) string {
	return pick(d, "6s", "5.999s", "1h", "1h0m1s", "3600s", "1h1ns", "0", "0s", "-1s", "1.5s", "1500ms", "30s", "2m",
		"2562047h47m16.854775807s", "9999999h", "1d", fmt.Sprintf("%d%s", d.between(-5, 3700), pick(d, "s", "s", "ms", "m", "h", "us")))
}

func class(d *dice) string {
	return pick(d, autoscaling.KPA, autoscaling.KPA, autoscaling.HPA, "foo."+autoscaling.KPA, "some.knative.dev", "some.class", "knative.dev")
}

func word(d *dice) string {
	return pick(d, "true", "false", "TRUE", "t", "F", "yes", "linear", "weighted-exponential", "weightedExponential", "concurrency", "rps", "cpu", "memory")
}

// drawAnnotations draws few or many, mostly of few kinds of values.
func drawAnnotations(d *dice) map[string]string {
	annotations := map[string]string{}
	for range pick(d, 1, 1, 2, 3, 6, 12) {
		key := pick(d, knownAnnotations...)
		annotations[key] = valueFor(d, key)
	}
	if d.chance(0.3) {
		annotations[autoscaling.ClassAnnotationKey] = pick(d, autoscaling.KPA, autoscaling.KPA, autoscaling.HPA)
	}
	if d.chance(0.2) {
		maps.Copy(annotations, drawManifests(d).annotations)
	}
	return annotations
}

// drawData draws a config-autoscaler that may be invalid.
func drawData(d *dice) map[string]string {
	data := map[string]string{}
	keys := ours.ConfigKeys()
	for range pick(d, 1, 1, 2, 3, 6) {
		key := pick(d, keys...)
		data[key] = valueFor(d, key)
	}
	if d.chance(0.3) {
		maps.Copy(data, drawManifests(d).data)
	}
	return data
}

// fields are the fields of messages.Invalid in an error.
func fields(err error) []string {
	set := map[string]bool{}
	var collect func(error)
	collect = func(err error) {
		switch e := err.(type) {
		case *messages.Invalid:
			set[e.Field] = true
		case interface{ Unwrap() []error }:
			for _, inner := range e.Unwrap() {
				collect(inner)
			}
		}
	}
	collect(err)
	return slices.Sorted(maps.Keys(set))
}

// paths are those of upstream's errors: the annotations that they point at. One
// that compares two annotations is counted for the first, max-scale; and a path
// can go on with words. Older spellings are those that are written.
func paths(err *apis.FieldError, annotations map[string]string) []string {
	set := map[string]bool{}
	for _, e := range err.WrappedErrors() {
		for _, path := range e.Paths {
			path, _, _ = strings.Cut(path, " ")
			path, _, _ = strings.Cut(path, "=")
			if path == autoscaling.MinScaleAnnotationKey && strings.Contains(e.Message, "is less than min-scale") {
				continue
			}
			if path == autoscaling.MaxScaleAnnotationKey {
				path, _, _ = autoscaling.MaxScaleAnnotation.Get(annotations)
			}
			set["["+path+"]"] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// TestConformanceAnnotations holds what we refuse of annotations against the webhook.
func TestConformanceAnnotations(t *testing.T) {
	d := newDice("annotations", firstSeed(t))
	refused := 0
	for i := range *rulesFlag {
		data := map[string]string{}
		if d.chance(0.2) {
			data = map[string]string{"allow-zero-initial-scale": "true", "pod-autoscaler-class": pick(&d, autoscaling.HPA, autoscaling.KPA, "other")}
		} else if d.chance(0.2) {
			data = map[string]string{"max-scale-limit": "10", "max-scale": "5"}
		}
		theirConfig, err := config.NewConfigFromMap(data)
		require.NoError(t, err)
		ourConfig, err := ours.ParseConfig(data)
		require.NoError(t, err)
		annotations := drawAnnotations(&d)
		theirs := autoscaling.ValidateAnnotations(context.Background(), theirConfig, annotations)
		own := ours.ValidateAnnotations(annotations, ourConfig)
		if diff := cmp.Diff(paths(theirs, annotations), fields(own)); diff != "" {
			t.Fatalf("case %d: %v with %v: upstream (-) and ours (+) differ\n%supstream: %v\nours: %v", i, annotations, data, diff, theirs, own)
		}
		if own != nil {
			refused++
		}
	}
	t.Logf("%d cases, %d of them refused, 0 mismatches", *rulesFlag, refused)
}

// TestConformanceConfig holds what we make of config-autoscaler against upstream.
func TestConformanceConfig(t *testing.T) {
	d := newDice("config", firstSeed(t))
	refused := 0
	for i := range *rulesFlag {
		data := drawData(&d)
		theirs, err := config.NewConfigFromMap(data)
		own, problem := ours.ParseConfig(data)
		if (err == nil) != (problem == nil) {
			t.Fatalf("case %d: %v\nupstream: %v\nours: %v", i, data, err, problem)
		}
		if err != nil {
			refused++
			// Upstream stops at the first problem.
			assert.True(t, slices.ContainsFunc(fields(problem), func(field string) bool {
				return strings.Contains(err.Error(), strings.TrimPrefix(field, "data."))
			}), "case %d: %v\nupstream: %v\nours: %v", i, data, err, problem)
			continue
		}
		if diff := cmp.Diff(asOurs(theirs), own, cmp.Comparer(sameFloat)); diff != "" {
			t.Fatalf("case %d: %v: upstream (-) and ours (+) differ\n%s", i, data, diff)
		}
	}
	t.Logf("%d cases, %d of them refused, 0 mismatches", *rulesFlag, refused)
}

// asOurs is upstream's configuration in our words. What a fraction of the
// requests per second is the target of cannot be configured.
func asOurs(c *autoscalerconfig.Config) ours.Config {
	return ours.Config{
		Class: c.PodAutoscalerClass, EnableScaleToZero: c.EnableScaleToZero, AllowZeroInitialScale: c.AllowZeroInitialScale,
		MaxScaleUpRate: c.MaxScaleUpRate, MaxScaleDownRate: c.MaxScaleDownRate,
		ConcurrencyTargetFraction: c.ContainerConcurrencyTargetFraction, ConcurrencyTargetDefault: c.ContainerConcurrencyTargetDefault,
		RPSTargetDefault: c.RPSTargetDefault, TargetBurstCapacity: c.TargetBurstCapacity,
		PanicWindowPercentage: c.PanicWindowPercentage, PanicThresholdPercentage: c.PanicThresholdPercentage, ActivatorCapacity: c.ActivatorCapacity,
		InitialScale: c.InitialScale, MinScale: c.MinScale, MaxScale: c.MaxScale, MaxScaleLimit: c.MaxScaleLimit,
		StableWindow: c.StableWindow, ScaleDownDelay: c.ScaleDownDelay,
		ScaleToZeroGracePeriod: c.ScaleToZeroGracePeriod, ScaleToZeroPodRetentionPeriod: c.ScaleToZeroPodRetentionPeriod,
	}
}

// sameFloat compares bits.
func sameFloat(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }

// TestConformanceHPA holds the HorizontalPodAutoscaler of the class hpa against
// the one that upstream makes.
func TestConformanceHPA(t *testing.T) {
	d, cases := newDice("hpa", firstSeed(t)), 0
	for cases < *rulesFlag/10 {
		m := manifests{data: map[string]string{}, annotations: drawAnnotations(&d)}
		m.annotations[autoscaling.ClassAnnotationKey] = autoscaling.HPA
		if d.chance(0.8) {
			m.annotations[autoscaling.MetricAnnotationKey] = pick(&d, "cpu", "memory", "queue-length")
		}
		m.set(&d, 0.2, "min-scale", "1", "2")
		m.set(&d, 0.2, "max-scale", "3", "20")
		theirConfig, err := config.NewConfigFromMap(m.data)
		require.NoError(t, err)
		ourConfig, err := ours.ParseConfig(m.data)
		require.NoError(t, err)
		if autoscaling.ValidateAnnotations(context.Background(), theirConfig, m.annotations) != nil {
			continue
		}
		cases++
		pa := m.podAutoscaler()
		if _, named := m.annotations[autoscaling.MetricAnnotationKey]; !named {
			pa.Annotations[autoscaling.MetricAnnotationKey] = autoscaling.CPU // as the webhook fills it in
		}
		theirs := hparesources.MakeHPA(pa, theirConfig)
		revision := ours.RevisionManifest{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace, Annotations: m.annotations}}
		own := ours.HPA(revision.Revision(), ourConfig, name+"-deployment")
		assert.Equal(t, []string{theirs.Namespace, theirs.Name}, []string{own.Namespace, own.Name})
		if diff := cmp.Diff(theirs.Spec, own.Spec); diff != "" {
			t.Fatalf("%v: upstream (-) and ours (+) differ\n%s", m, diff)
		}
	}
	t.Logf("%d cases, 0 mismatches", cases)
}
