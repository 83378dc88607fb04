package elasti

import "time"

// Where a manifest leaves something out.
const (
	defaultCooldown     = 900 * time.Second // values.DefaultCooldownPeriod
	defaultUptimeFilter = `container="prometheus"`
	defaultSchedule     = "0 0 * * *"
	defaultDuration     = "24h"
)

// DefaultController are the settings of KubeElasti's Helm charts. The first
// look at the triggers is one polling interval after the operator's start.
func DefaultController() Controller {
	return Controller{
		PollingInterval: 30 * time.Second,
		QueueRetry:      3 * time.Second,
		QueueSize:       50_000,
		MaxConcurrency:  100,
		InitialCapacity: 500,
		RequestTimeout:  600 * time.Second,
		OperatorRetry:   10 * time.Second,
		TrafficReEnable: 5 * time.Second,
		DisableGrace:    15 * time.Second,
	}
}

// Cooldown is the time without traffic before zero; 0 and absent are 900 s.
func (s ElastiServiceSpec) Cooldown() time.Duration {
	if s.CooldownPeriod == 0 {
		return defaultCooldown
	}
	return time.Duration(s.CooldownPeriod) * time.Second
}

// minimum is the count that a wake-up scales to; absent is 1.
func (s ElastiServiceSpec) minimum() int32 { return max(1, s.MinTargetReplicas) }

func (m TriggerMetadata) uptimeFilter() string {
	if m.UptimeFilter == "" {
		return defaultUptimeFilter
	}
	return m.UptimeFilter
}

func (p EnabledPeriod) withDefaults() EnabledPeriod {
	if p.Schedule == "" {
		p.Schedule = defaultSchedule
	}
	if p.Duration == "" {
		p.Duration = defaultDuration
	}
	return p
}
