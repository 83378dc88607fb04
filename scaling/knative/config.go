package knative

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scalelab/scalelab/messages"
)

// Config is the ConfigMap config-autoscaler of the namespace knative-serving.
// DefaultConfig has what holds where a key is left out.
type Config struct {
	Class string // pod-autoscaler-class

	EnableScaleToZero     bool
	AllowZeroInitialScale bool

	MaxScaleUpRate            float64
	MaxScaleDownRate          float64
	ConcurrencyTargetFraction float64 // container-concurrency-target-percentage, as a fraction
	ConcurrencyTargetDefault  float64
	RPSTargetDefault          float64
	TargetBurstCapacity       float64
	PanicWindowPercentage     float64
	PanicThresholdPercentage  float64
	ActivatorCapacity         float64

	InitialScale  int32
	MinScale      int32
	MaxScale      int32
	MaxScaleLimit int32

	StableWindow                  time.Duration
	ScaleDownDelay                time.Duration
	ScaleToZeroGracePeriod        time.Duration
	ScaleToZeroPodRetentionPeriod time.Duration
}

// ConfigName is the name of the ConfigMap.
const ConfigName = "config-autoscaler"

// example is the key under which a ConfigMap of Knative's release documents itself.
const example = "_example"

// ParseConfig reads the data of the ConfigMap. The errors are messages.Problems
// with fields such as "data.stable-window". Upstream ignores keys that it does
// not know, and reports one problem at a time.
func ParseConfig(data map[string]string) (Config, error) {
	c := DefaultConfig()
	var problems messages.Problems
	fields, readable := c.fields(), true
	for _, key := range sortedKeys(data) {
		field, known := fields[key]
		switch {
		case known:
			if expected := read(field, data[key]); expected != "" {
				problems.Addf(dataField(key), "found %q, expected %s", data[key], expected)
				readable = false
			}
		case key != example:
			problems.Addf(dataField(key), "found a key that Knative does not know, expected one of %s", strings.Join(ConfigKeys(), ", "))
		}
	}
	if c.ConcurrencyTargetFraction > 1 {
		c.ConcurrencyTargetFraction /= 100
	}
	if readable {
		problems.Add(messages.Under("data", c.Validate()))
	}
	return c, problems.Err()
}

// ConfigKeys are the keys that the ConfigMap can have, sorted.
func ConfigKeys() []string { return sortedKeys(new(Config).fields()) }

// fields are the targets of the keys.
func (c *Config) fields() map[string]any {
	return map[string]any{
		"pod-autoscaler-class":                    &c.Class,
		"enable-scale-to-zero":                    &c.EnableScaleToZero,
		"allow-zero-initial-scale":                &c.AllowZeroInitialScale,
		"max-scale-up-rate":                       &c.MaxScaleUpRate,
		"max-scale-down-rate":                     &c.MaxScaleDownRate,
		"container-concurrency-target-percentage": &c.ConcurrencyTargetFraction,
		"container-concurrency-target-default":    &c.ConcurrencyTargetDefault,
		"requests-per-second-target-default":      &c.RPSTargetDefault,
		"target-burst-capacity":                   &c.TargetBurstCapacity,
		"panic-window-percentage":                 &c.PanicWindowPercentage,
		"panic-threshold-percentage":              &c.PanicThresholdPercentage,
		"activator-capacity":                      &c.ActivatorCapacity,
		"initial-scale":                           &c.InitialScale,
		"min-scale":                               &c.MinScale,
		"max-scale":                               &c.MaxScale,
		"max-scale-limit":                         &c.MaxScaleLimit,
		"stable-window":                           &c.StableWindow,
		"scale-down-delay":                        &c.ScaleDownDelay,
		"scale-to-zero-grace-period":              &c.ScaleToZeroGracePeriod,
		"scale-to-zero-pod-retention-period":      &c.ScaleToZeroPodRetentionPeriod,
	}
}

// read fills a field; where the text does not fit, it says what would.
func read(field any, text string) (expected string) {
	var err error
	switch field := field.(type) {
	case *string:
		*field = strings.TrimSpace(text)
	case *bool:
		*field, err = strconv.ParseBool(text)
		expected = "true or false"
	case *float64:
		*field, err = strconv.ParseFloat(text, 64)
		expected = "a number"
	case *int32:
		var n int64
		n, err = strconv.ParseInt(text, 10, 32)
		*field = int32(n)
		expected = "a whole number of at most 2147483647"
	case *time.Duration:
		*field, err = time.ParseDuration(text)
		expected = "a duration such as 30s"
	}
	if err == nil {
		return ""
	}
	return expected
}

func dataField(key string) string {
	if strings.ContainsAny(key, ".[]") {
		return "data[" + key + "]"
	}
	return "data." + key
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
