package knative

import "time"

// Where a manifest leaves something out.
const (
	defaultTimeout          = 300 * time.Second // revision-timeout-seconds of config-defaults
	defaultProgressDeadline = 600 * time.Second // progress-deadline of config-deployment
)

// rpsTargetFraction is how much of its target a pod is filled with by requests
// per second; no key sets it.
const rpsTargetFraction = 0.7

// DefaultConfig is an empty ConfigMap.
func DefaultConfig() Config {
	return Config{
		Class:                     ClassKPA,
		EnableScaleToZero:         true,
		MaxScaleUpRate:            1000,
		MaxScaleDownRate:          2,
		ConcurrencyTargetFraction: 0.7,
		ConcurrencyTargetDefault:  100,
		RPSTargetDefault:          200,
		TargetBurstCapacity:       211,
		PanicWindowPercentage:     10,
		PanicThresholdPercentage:  200,
		ActivatorCapacity:         100,
		InitialScale:              1,
		StableWindow:              60 * time.Second,
		ScaleToZeroGracePeriod:    30 * time.Second,
	}
}
