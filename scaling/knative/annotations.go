package knative

import (
	"slices"
	"strconv"
	"time"
)

const (
	group  = "autoscaling.knative.dev"
	domain = group + "/"

	// ClassKPA is the class of the Knative Pod Autoscaler, ClassHPA that of
	// Kubernetes' HorizontalPodAutoscaler.
	ClassKPA = "kpa.autoscaling.knative.dev"
	ClassHPA = "hpa.autoscaling.knative.dev"
)

// annotation is a key, and its older spelling where it has one. The first that
// is there counts.
type annotation []string

var (
	classAnnotation             = annotation{domain + "class"}
	metricAnnotation            = annotation{domain + "metric"}
	targetAnnotation            = annotation{domain + "target"}
	utilizationAnnotation       = annotation{domain + "target-utilization-percentage", domain + "targetUtilizationPercentage"}
	burstAnnotation             = annotation{domain + "target-burst-capacity", domain + "targetBurstCapacity"}
	minScaleAnnotation          = annotation{domain + "min-scale", domain + "minScale"}
	maxScaleAnnotation          = annotation{domain + "max-scale", domain + "maxScale"}
	initialScaleAnnotation      = annotation{domain + "initial-scale", domain + "initialScale"}
	activationScaleAnnotation   = annotation{domain + "activation-scale"}
	windowAnnotation            = annotation{domain + "window"}
	panicWindowAnnotation       = annotation{domain + "panic-window-percentage", domain + "panicWindowPercentage"}
	panicThresholdAnnotation    = annotation{domain + "panic-threshold-percentage", domain + "panicThresholdPercentage"}
	algorithmAnnotation         = annotation{domain + "metric-aggregation-algorithm", domain + "metricAggregationAlgorithm"}
	delayAnnotation             = annotation{domain + "scale-down-delay", domain + "scaleDownDelay"}
	retentionAnnotation         = annotation{domain + "scale-to-zero-pod-retention-period", domain + "scaleToZeroPodRetentionPeriod"}
	progressDeadlineAnnotation  = annotation{"serving.knative.dev/progress-deadline"}
	annotationsOfTheAutoscalers = []annotation{
		classAnnotation, metricAnnotation, targetAnnotation, utilizationAnnotation, burstAnnotation,
		minScaleAnnotation, maxScaleAnnotation, initialScaleAnnotation, activationScaleAnnotation,
		windowAnnotation, panicWindowAnnotation, panicThresholdAnnotation, algorithmAnnotation,
		delayAnnotation, retentionAnnotation,
	}
)

// Annotations are the keys below autoscaling.knative.dev that the autoscalers
// know, sorted, without older spellings.
func Annotations() []string {
	keys := make([]string, len(annotationsOfTheAutoscalers))
	for i, a := range annotationsOfTheAutoscalers {
		keys[i] = a[0]
	}
	slices.Sort(keys)
	return keys
}

// in looks the annotation up. Where it is absent, key is how it should be spelled.
func (a annotation) in(all map[string]string) (key, value string, found bool) {
	for _, key := range a {
		if value, found := all[key]; found {
			return key, value, true
		}
	}
	return a[0], "", false
}

// knownAnnotation says whether an autoscaler knows a key.
func knownAnnotation(key string) bool {
	return slices.ContainsFunc(annotationsOfTheAutoscalers, func(a annotation) bool { return slices.Contains(a, key) })
}

// The readers leave what stands in into where the annotation is absent, or says
// nothing that can be read.

func (a annotation) number(all map[string]string, into *float64) (found bool) {
	_, text, _ := a.in(all)
	n, err := strconv.ParseFloat(text, 64)
	if err == nil {
		*into = n
	}
	return err == nil
}

func (a annotation) count(all map[string]string, into *int32) {
	_, text, _ := a.in(all)
	if n, err := strconv.ParseInt(text, 10, 32); err == nil {
		*into = int32(n)
	}
}

func (a annotation) duration(all map[string]string, into *time.Duration) (found bool) {
	_, text, _ := a.in(all)
	d, err := time.ParseDuration(text)
	if err == nil {
		*into = d
	}
	return err == nil
}
