package knative

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scalelab/scalelab/messages"
)

// The metrics and algorithms of the KPA.
const (
	concurrency = "concurrency"
	rps         = "rps"

	linear              = "linear"
	weightedExponential = "weighted-exponential"
	oldWeighted         = "weightedExponential"
)

// Percentages of the panic mode's threshold.
const (
	leastPanicThreshold   = 110.0
	highestPanicThreshold = 1000.0
)

// ValidateAnnotations reports what Knative's webhook refuses in the annotations
// of a revision, as messages.Problems with fields such as
// "[autoscaling.knative.dev/min-scale]". Like the webhook, it takes no notice of
// keys that it does not know.
func ValidateAnnotations(annotations map[string]string, config Config) error {
	v := annotationsValidator{annotations: annotations, config: config}
	v.class()
	v.scales()
	v.numbers()
	v.durations()
	v.metric()
	v.algorithm()
	v.initialScale()
	return v.problems.Err()
}

type annotationsValidator struct {
	annotations map[string]string
	config      Config
	problems    messages.Problems
}

func (v *annotationsValidator) addf(key, format string, args ...any) {
	v.problems.Addf("["+key+"]", format, args...)
}

func (v *annotationsValidator) class() {
	key, class, found := classAnnotation.in(v.annotations)
	if found && strings.HasSuffix(class, ".knative.dev") && class != ClassKPA && class != ClassHPA {
		v.addf(key, "found %q, expected %s or %s", class, ClassKPA, ClassHPA)
	}
}

// scale reads a count that must not be negative; where it is absent or cannot
// be read, it is 0.
func (v *annotationsValidator) scale(a annotation) (n int32, read bool) {
	key, text, found := a.in(v.annotations)
	if !found {
		return 0, false
	}
	parsed, err := strconv.ParseInt(text, 10, 32)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange):
		v.addf(key, "found %q, expected a whole number", text)
		return 0, false
	case err != nil || parsed < 0:
		v.addf(key, "found %s, expected 0 to %d", text, math.MaxInt32)
		return 0, false
	}
	return int32(parsed), true
}

func (v *annotationsValidator) scales() {
	low, _ := v.scale(minScaleAnnotation)
	high, read := v.scale(maxScaleAnnotation)
	highKey, _, _ := maxScaleAnnotation.in(v.annotations)
	if high != 0 && high < low {
		v.addf(highKey, "found %d, expected at least %d, the min-scale", high, low)
	}
	if limit := v.config.MaxScaleLimit; read && limit != 0 && (high == 0 || high > limit) {
		v.addf(highKey, "found %d, expected 1 to %d, the max-scale-limit of config-autoscaler", high, limit)
	}
	key, text, found := activationScaleAnnotation.in(v.annotations)
	if !found {
		return
	}
	switch n, err := strconv.ParseInt(text, 10, 32); {
	case err != nil:
		v.addf(key, "found %q, expected a whole number of at most %d", text, math.MaxInt32)
	case low > int32(n):
		v.addf(key, "found %d, expected at least %d, the min-scale", n, low)
	case high != 0 && high < int32(n):
		v.addf(key, "found %d, expected at most %d, the max-scale", n, high)
	case n < 2:
		v.addf(key, "found %d, expected at least 2", n)
	}
}

func (v *annotationsValidator) numbers() {
	for _, rule := range []struct {
		annotation annotation
		refuses    func(float64) bool
		expected   string
	}{
		{panicWindowAnnotation, outside(leastPanicWindow, widestPanicWindow), "1 to 100"},
		{panicThresholdAnnotation, outside(leastPanicThreshold, highestPanicThreshold), "110 to 1000"},
		{targetAnnotation, outside(leastTarget, math.Inf(1)), "at least 0.01"},
		{utilizationAnnotation, outside(1, 100), "1 to 100"},
		{burstAnnotation, func(n float64) bool { return n < 0 && n != -1 }, "at least 0, or -1 for no limit"},
	} {
		key, text, found := rule.annotation.in(v.annotations)
		if !found {
			continue
		}
		switch n, err := strconv.ParseFloat(text, 64); {
		case err != nil:
			v.addf(key, "found %q, expected a number", text)
		case rule.refuses(n):
			v.addf(key, "found %s, expected %s", text, rule.expected)
		}
	}
}

// outside lets NaN pass, as upstream does.
func outside(low, high float64) func(float64) bool {
	return func(n float64) bool { return n < low || n > high }
}

func (v *annotationsValidator) durations() {
	for _, rule := range []struct {
		annotation annotation
		least      time.Duration
		whole      bool
	}{
		{windowAnnotation, leastWindow, true},
		{retentionAnnotation, 0, false},
		{delayAnnotation, 0, true},
	} {
		key, text, found := rule.annotation.in(v.annotations)
		if !found {
			continue
		}
		switch d, err := time.ParseDuration(text); {
		case err != nil:
			v.addf(key, "found %q, expected a duration such as 1m30s", text)
		case d < rule.least || d > longestWindow:
			v.addf(key, "found %s, expected %v to %v", text, rule.least, longestWindow)
		case rule.whole && !wholeSeconds(d):
			v.addf(key, "found %s, expected whole seconds", text)
		}
	}
}

// metric leaves other classes alone; a HorizontalPodAutoscaler can be asked for
// any metric that has a name.
func (v *annotationsValidator) metric() {
	key, metric, found := metricAnnotation.in(v.annotations)
	if !found {
		return
	}
	switch class := v.classOr(v.config.Class); {
	case class == ClassKPA && metric != concurrency && metric != rps:
		v.addf(key, "found %q, expected %s or %s", metric, concurrency, rps)
	case class == ClassHPA && metric == "":
		v.addf(key, "found an empty text, expected the name of a metric, such as cpu")
	}
}

func (v *annotationsValidator) classOr(absent string) string {
	if _, class, found := classAnnotation.in(v.annotations); found {
		return class
	}
	return absent
}

// algorithm is looked at only where the class is spelled out.
func (v *annotationsValidator) algorithm() {
	key, algorithm, _ := algorithmAnnotation.in(v.annotations)
	known := []string{"", linear, weightedExponential, oldWeighted}
	if v.classOr("") == ClassKPA && !slices.Contains(known, algorithm) {
		v.addf(key, "found %q, expected %s or %s", algorithm, linear, weightedExponential)
	}
}

func (v *annotationsValidator) initialScale() {
	key, text, found := initialScaleAnnotation.in(v.annotations)
	if !found {
		return
	}
	switch n, err := strconv.Atoi(text); {
	case err != nil:
		v.addf(key, "found %q, expected a whole number", text)
	case n < 0:
		v.addf(key, "found %d, expected at least 0", n)
	case n == 0 && !v.config.AllowZeroInitialScale:
		v.addf(key, "found 0, expected at least 1, since allow-zero-initial-scale is false in config-autoscaler")
	}
}

// unknownAnnotations reports keys of the autoscalers' domain that none of them
// reads. Upstream ignores them.
func unknownAnnotations(annotations map[string]string) error {
	var problems messages.Problems
	for _, key := range sortedKeys(annotations) {
		if strings.HasPrefix(key, domain) && !knownAnnotation(key) {
			names := make([]string, 0, len(annotationsOfTheAutoscalers))
			for _, name := range Annotations() {
				names = append(names, strings.TrimPrefix(name, domain))
			}
			problems.Addf("["+key+"]", "found a name that Knative does not know below %s, expected one of %s", domain, strings.Join(names, ", "))
		}
	}
	return problems.Err()
}

// progressDeadline reports what Knative's webhook refuses of the deadline.
func progressDeadline(annotations map[string]string) error {
	key, text, _ := progressDeadlineAnnotation.in(annotations)
	if text == "" {
		return nil
	}
	if d, err := time.ParseDuration(text); err != nil || d < 0 || !wholeSeconds(d) {
		return messages.Invalidf("["+key+"]", "found %q, expected whole seconds such as 10m, at least 0s", text)
	}
	return nil
}
