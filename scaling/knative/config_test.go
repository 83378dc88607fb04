package knative

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"
)

func TestEveryKeyOfTheConfigurationIsRead(t *testing.T) {
	got, err := ParseConfig(map[string]string{
		"_example":                                "a page about the keys",
		"pod-autoscaler-class":                    " hpa.autoscaling.knative.dev ",
		"enable-scale-to-zero":                    "false",
		"allow-zero-initial-scale":                "true",
		"max-scale-up-rate":                       "11",
		"max-scale-down-rate":                     "1.5",
		"container-concurrency-target-percentage": "85",
		"container-concurrency-target-default":    "50",
		"requests-per-second-target-default":      "99.5",
		"target-burst-capacity":                   "-1",
		"panic-window-percentage":                 "20",
		"panic-threshold-percentage":              "150",
		"activator-capacity":                      "10",
		"initial-scale":                           "0",
		"min-scale":                               "1",
		"max-scale":                               "7",
		"max-scale-limit":                         "9",
		"stable-window":                           "90s",
		"scale-down-delay":                        "15m",
		"scale-to-zero-grace-period":              "40s",
		"scale-to-zero-pod-retention-period":      "1m5s",
	})
	require.NoError(t, err)
	assert.Equal(t, Config{
		Class:                         ClassHPA,
		AllowZeroInitialScale:         true,
		MaxScaleUpRate:                11,
		MaxScaleDownRate:              1.5,
		ConcurrencyTargetFraction:     0.85,
		ConcurrencyTargetDefault:      50,
		RPSTargetDefault:              99.5,
		TargetBurstCapacity:           -1,
		PanicWindowPercentage:         20,
		PanicThresholdPercentage:      150,
		ActivatorCapacity:             10,
		MinScale:                      1,
		MaxScale:                      7,
		MaxScaleLimit:                 9,
		StableWindow:                  90 * time.Second,
		ScaleDownDelay:                15 * time.Minute,
		ScaleToZeroGracePeriod:        40 * time.Second,
		ScaleToZeroPodRetentionPeriod: 65 * time.Second,
	}, got)
	assert.Len(t, ConfigKeys(), 20)
}

func TestBadConfigurationsAreRefused(t *testing.T) {
	for _, c := range []struct {
		data map[string]string
		want string
	}{
		{map[string]string{"stable-windows": "60s"}, "data.stable-windows: found a key that Knative does not know, expected one of activator-capacity, allow-zero-initial-scale, container-concurrency-target-default, container-concurrency-target-percentage, enable-scale-to-zero, initial-scale, max-scale, max-scale-down-rate, max-scale-limit, max-scale-up-rate, min-scale, panic-threshold-percentage, panic-window-percentage, pod-autoscaler-class, requests-per-second-target-default, scale-down-delay, scale-to-zero-grace-period, scale-to-zero-pod-retention-period, stable-window, target-burst-capacity"},
		{map[string]string{"enable-scale-to-zero": "yes", "stable-window": "60"}, "data.enable-scale-to-zero: found \"yes\", expected true or false\ndata.stable-window: found \"60\", expected a duration such as 30s"},
		{map[string]string{"min-scale": "2147483648"}, `data.min-scale: found "2147483648", expected a whole number of at most 2147483647`},
		{map[string]string{"target-burst-capacity": "many"}, `data.target-burst-capacity: found "many", expected a number`},
		{map[string]string{"target-burst-capacity": "-2"}, "data.target-burst-capacity: found -2, expected at least 0, or -1 for no limit"},
		{map[string]string{"container-concurrency-target-percentage": "150"}, "data.container-concurrency-target-percentage: found 1.5 after percentages were divided by 100, expected more than 0 and at most 1"},
		{map[string]string{"container-concurrency-target-percentage": "0"}, "data.container-concurrency-target-percentage: found 0 after percentages were divided by 100, expected more than 0 and at most 1"},
		{map[string]string{"container-concurrency-target-default": "0.01"}, "data.container-concurrency-target-default: found 0.01, expected a target of at least 0.01 after container-concurrency-target-percentage, which leaves 0.007"},
		{map[string]string{"requests-per-second-target-default": "0"}, "data.requests-per-second-target-default: found 0, expected at least 0.01"},
		{map[string]string{"activator-capacity": "0.9"}, "data.activator-capacity: found 0.9, expected at least 1"},
		{map[string]string{"max-scale-up-rate": "1", "max-scale-down-rate": "1"}, "data.max-scale-up-rate: found 1, expected more than 1\ndata.max-scale-down-rate: found 1, expected more than 1"},
		{map[string]string{"panic-window-percentage": "101"}, "data.panic-window-percentage: found 101, expected 1 to 100"},
		{map[string]string{"scale-to-zero-grace-period": "0s"}, "data.scale-to-zero-grace-period: found 0s, expected more than 0s"},
		{map[string]string{"scale-to-zero-pod-retention-period": "-1s"}, "data.scale-to-zero-pod-retention-period: found -1s, expected at least 0s"},
		{map[string]string{"scale-down-delay": "1500ms"}, "data.scale-down-delay: found 1.5s, expected whole seconds, at least 0s"},
		{map[string]string{"stable-window": "5s"}, "data.stable-window: found 5s, expected whole seconds, 6s to 1h0m0s"},
		{map[string]string{"initial-scale": "-1"}, "data.initial-scale: found -1, expected at least 0"},
		{map[string]string{"initial-scale": "0"}, "data.initial-scale: found 0, expected at least 1, since allow-zero-initial-scale is false"},
		{map[string]string{"min-scale": "-1"}, "data.min-scale: found -1, expected at least 0"},
		{map[string]string{"max-scale-limit": "5"}, "data.max-scale: found 0, expected 1 to 5, the max-scale-limit"},
		{map[string]string{"max-scale-limit": "-5"}, "data.max-scale-limit: found -5, expected at least 0"},
		{map[string]string{"max-scale": "-5"}, "data.max-scale: found -5, expected at least 0"},
		{map[string]string{"min-scale": "3", "max-scale": "2"}, "data.min-scale: found 3, expected at most 2, the max-scale"},
		{map[string]string{"a.b": ""}, "data[a.b]"},
	} {
		_, err := ParseConfig(c.data)
		if c.want == "data[a.b]" {
			var invalid *messages.Invalid
			require.True(t, errors.As(err, &invalid))
			assert.Equal(t, c.want, invalid.Field)
			continue
		}
		assert.EqualError(t, err, c.want)
	}
}

// As upstream, which compares and finds nothing wrong.
func TestNaNPasses(t *testing.T) {
	c, err := ParseConfig(map[string]string{"max-scale-up-rate": "NaN"})
	require.NoError(t, err)
	assert.True(t, math.IsNaN(c.MaxScaleUpRate))
	assert.NoError(t, ValidateAnnotations(map[string]string{targetAnnotation[0]: "NaN"}, DefaultConfig()))
}
