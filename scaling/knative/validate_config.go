package knative

import (
	"time"

	"github.com/scalelab/scalelab/messages"
)

// Limits that config-autoscaler and annotations share.
const (
	leastTarget       = 0.01
	leastWindow       = 6 * time.Second
	longestWindow     = time.Hour
	leastPanicWindow  = 1.0 // percent of the stable window
	widestPanicWindow = 100.0
)

// Validate reports what Knative's webhook refuses, under the keys of the
// ConfigMap. As upstream, it lets NaN pass wherever a number is compared.
func (c Config) Validate() error {
	var problems messages.Problems
	c.validateTargets(&problems)
	c.validateRates(&problems)
	c.validateTimes(&problems)
	c.validateScales(&problems)
	return problems.Err()
}

func (c Config) validateTargets(problems *messages.Problems) {
	const percentage = "container-concurrency-target-percentage"
	fraction := c.ConcurrencyTargetFraction
	switch target := float64(fraction * c.ConcurrencyTargetDefault); {
	case fraction <= 0 || fraction > 1:
		problems.Addf(percentage, "found %v after percentages were divided by 100, expected more than 0 and at most 1", fraction)
	case target < leastTarget:
		problems.Addf("container-concurrency-target-default", "found %v, expected a target of at least %v after %s, which leaves %.3g",
			c.ConcurrencyTargetDefault, leastTarget, percentage, target)
	}
	if c.RPSTargetDefault < leastTarget {
		problems.Addf("requests-per-second-target-default", "found %v, expected at least %v", c.RPSTargetDefault, leastTarget)
	}
	if c.TargetBurstCapacity < 0 && c.TargetBurstCapacity != -1 {
		problems.Addf("target-burst-capacity", "found %v, expected at least 0, or -1 for no limit", c.TargetBurstCapacity)
	}
	if c.ActivatorCapacity < 1 {
		problems.Addf("activator-capacity", "found %v, expected at least 1", c.ActivatorCapacity)
	}
}

func (c Config) validateRates(problems *messages.Problems) {
	if c.MaxScaleUpRate <= 1 {
		problems.Addf("max-scale-up-rate", "found %v, expected more than 1", c.MaxScaleUpRate)
	}
	if c.MaxScaleDownRate <= 1 {
		problems.Addf("max-scale-down-rate", "found %v, expected more than 1", c.MaxScaleDownRate)
	}
	if p := c.PanicWindowPercentage; p < leastPanicWindow || p > widestPanicWindow {
		problems.Addf("panic-window-percentage", "found %v, expected %v to %v", p, leastPanicWindow, widestPanicWindow)
	}
}

func (c Config) validateTimes(problems *messages.Problems) {
	if c.ScaleToZeroGracePeriod <= 0 {
		problems.Addf("scale-to-zero-grace-period", "found %v, expected more than 0s", c.ScaleToZeroGracePeriod)
	}
	if c.ScaleToZeroPodRetentionPeriod < 0 {
		problems.Addf("scale-to-zero-pod-retention-period", "found %v, expected at least 0s", c.ScaleToZeroPodRetentionPeriod)
	}
	if d := c.ScaleDownDelay; d < 0 || !wholeSeconds(d) {
		problems.Addf("scale-down-delay", "found %v, expected whole seconds, at least 0s", d)
	}
	if d := c.StableWindow; d < leastWindow || d > longestWindow || !wholeSeconds(d) {
		problems.Addf("stable-window", "found %v, expected whole seconds, %v to %v", d, leastWindow, longestWindow)
	}
}

func (c Config) validateScales(problems *messages.Problems) {
	switch {
	case c.InitialScale < 0:
		problems.Addf("initial-scale", "found %d, expected at least 0", c.InitialScale)
	case c.InitialScale == 0 && !c.AllowZeroInitialScale:
		problems.Addf("initial-scale", "found 0, expected at least 1, since allow-zero-initial-scale is false")
	}
	if c.MinScale < 0 {
		problems.Addf("min-scale", "found %d, expected at least 0", c.MinScale)
	}
	switch {
	case c.MaxScaleLimit > 0 && (c.MaxScale < 1 || c.MaxScale > c.MaxScaleLimit):
		problems.Addf("max-scale", "found %d, expected 1 to %d, the max-scale-limit", c.MaxScale, c.MaxScaleLimit)
	case c.MaxScale < 0:
		problems.Addf("max-scale", "found %d, expected at least 0", c.MaxScale)
	case c.MaxScale > 0 && c.MinScale > c.MaxScale:
		problems.Addf("min-scale", "found %d, expected at most %d, the max-scale", c.MinScale, c.MaxScale)
	}
	if c.MaxScaleLimit < 0 {
		problems.Addf("max-scale-limit", "found %d, expected at least 0", c.MaxScaleLimit)
	}
}

func wholeSeconds(d time.Duration) bool { return d.Round(time.Second) == d }
