package elasti

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/robfig/cron/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/scalelab/scalelab/messages"
)

func TestInvalidManifests(t *testing.T) {
	for _, test := range []struct {
		what   string
		change func(*ElastiService)
		field  string
		want   string
	}{
		{"another API", func(e *ElastiService) { e.APIVersion = "v1" }, "apiVersion", `found "v1", expected elasti.truefoundry.com/v1alpha1`},
		{"another kind", func(e *ElastiService) { e.Kind = "Service" }, "kind", `found "Service", expected ElastiService`},
		{"a kind without a scale", func(e *ElastiService) { e.Spec.ScaleTargetRef.Kind = "DaemonSet" }, "spec.scaleTargetRef.kind", `found "DaemonSet", expected Deployment, StatefulSet or Rollout`},
		{"an API that lacks the kind", func(e *ElastiService) { e.Spec.ScaleTargetRef.Kind = "Rollout" }, "spec.scaleTargetRef.apiVersion", `found "apps/v1", expected argoproj.io/v1alpha1 for a Rollout`},
		{"a target without a name", func(e *ElastiService) { e.Spec.ScaleTargetRef.Name = "" }, "spec.scaleTargetRef.name", "found none, expected the name of the workload"},
		{"no service", func(e *ElastiService) { e.Spec.Service = "" }, "spec.service", "found none, expected the name of a service"},
		{"a negative minimum", func(e *ElastiService) { e.Spec.MinTargetReplicas = -1 }, "spec.minTargetReplicas", "found -1, expected at least 1"},
		{"a negative cooldown", func(e *ElastiService) { e.Spec.CooldownPeriod = -1 }, "spec.cooldownPeriod", "found -1, expected 0 to 604800 seconds"},
		{"a cooldown of more than a week", func(e *ElastiService) { e.Spec.CooldownPeriod = 604801 }, "spec.cooldownPeriod", "found 604801, expected 0 to 604800 seconds"},
		{"no trigger", func(e *ElastiService) { e.Spec.Triggers = nil }, "spec.triggers", "found none, expected at least one"},
		{"an unknown trigger", func(e *ElastiService) { e.Spec.Triggers[0].Type = "cron" }, "spec.triggers[0].type", `found "cron", expected prometheus`},
		{"no query", func(e *ElastiService) { e.Spec.Triggers[0].Metadata.Query = "" }, "spec.triggers[0].metadata.query", "found none, expected a PromQL query"},
		{"no threshold", func(e *ElastiService) { e.Spec.Triggers[0].Metadata.Threshold = "" }, "spec.triggers[0].metadata.threshold", `found "", expected a number in quotes, such as "0.5"`},
		{"an autoscaler of another type", func(e *ElastiService) { e.Spec.Autoscaler = &AutoscalerRef{Type: "vpa", Name: "web"} }, "spec.autoscaler.type", `found "vpa", expected hpa or keda`},
		{"an autoscaler without a name", func(e *ElastiService) { e.Spec.Autoscaler = &AutoscalerRef{Type: "keda"} }, "spec.autoscaler.name", "found none, expected the name of the autoscaler"},
		{"a schedule with seconds", func(e *ElastiService) { e.Spec.EnabledPeriod = &EnabledPeriod{Schedule: "0 0 * * * *"} }, "spec.enabledPeriod.schedule",
			`found "0 0 * * * *", expected five cron fields (minute hour day month weekday): expected exactly 5 fields, found 6: [0 0 * * * *]`},
		{"a schedule with a time zone", func(e *ElastiService) { e.Spec.EnabledPeriod = &EnabledPeriod{Schedule: "TZ=Asia/Tokyo 0 0 * * *"} }, "spec.enabledPeriod.schedule",
			`found "TZ=Asia/Tokyo 0 0 * * *", expected five cron fields (minute hour day month weekday): the schedule is in UTC and takes no time zone`},
		{"a period without a unit", func(e *ElastiService) { e.Spec.EnabledPeriod = &EnabledPeriod{Duration: "8"} }, "spec.enabledPeriod.duration", `found "8", expected a duration such as 8h`},
		{"a negative period", func(e *ElastiService) { e.Spec.EnabledPeriod = &EnabledPeriod{Duration: "-8h"} }, "spec.enabledPeriod.duration", `found "-8h", expected more than 0s`},
	} {
		t.Run(test.what, func(t *testing.T) {
			m := manifest()
			test.change(m)
			_, err := New(Spec{Manifest: m, Controller: DefaultController()}, created)
			var invalid *messages.Invalid
			require.ErrorAs(t, err, &invalid)
			assert.Equal(t, messages.Invalid{Field: test.field, Problem: test.want}, *invalid)
			assert.EqualError(t, m.Validate(), test.field+": "+test.want)
		})
	}
}

func TestValidManifests(t *testing.T) {
	for _, test := range []struct {
		what   string
		change func(*ElastiServiceSpec)
	}{
		{"a Deployment", func(*ElastiServiceSpec) {}},
		{"the old plural of it", func(s *ElastiServiceSpec) { s.ScaleTargetRef.Kind = "deployments" }},
		{"a Rollout", func(s *ElastiServiceSpec) {
			s.ScaleTargetRef.Kind, s.ScaleTargetRef.APIVersion = "Rollout", "argoproj.io/v1alpha1"
		}},
		{"everything left out", func(s *ElastiServiceSpec) { s.MinTargetReplicas, s.CooldownPeriod = 0, 0 }},
		{"the longest cooldown", func(s *ElastiServiceSpec) { s.CooldownPeriod = 604800 }},
		{"an autoscaler", func(s *ElastiServiceSpec) { s.Autoscaler = &AutoscalerRef{Type: "hpa", Name: "web"} }},
	} {
		t.Run(test.what, func(t *testing.T) {
			m := manifest()
			test.change(&m.Spec)
			assert.NoError(t, m.Validate())
		})
	}
}

func TestInvalidSettings(t *testing.T) {
	_, err := New(Spec{Manifest: manifest(), Controller: Controller{QueueSize: -1}}, created)
	assert.EqualError(t, err, `controller.pollingInterval: found 0s, expected more than 0s
controller.queueRetry: found 0s, expected more than 0s
controller.requestTimeout: found 0s, expected more than 0s
controller.operatorRetry: found 0s, expected more than 0s
controller.queueSize: found -1, expected at least 0
controller.maxConcurrency: found 0, expected at least 1
controller.initialCapacity: found 0, expected at least 1`)

	_, err = New(Spec{Controller: DefaultController()}, created)
	assert.EqualError(t, err, "elasti: found no manifest, expected an ElastiService")
}

func TestThreshold(t *testing.T) {
	for text, want := range map[string]float64{"0": 0, "5": 5, "0.5": 0.5, "-1": -1, "1e3": 1000} {
		got, err := threshold(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", " 5", "5 ", ".5", "five", "NaN", "Inf", "null", "true", `"5"`, "0x10", "1_000", "1e999"} {
		_, err := threshold(text)
		assert.Error(t, err, "%q", text)
	}
}

// The operator's own search: through the schedule up to now, last instant wins.
func slowlyContains(schedule cron.Schedule, duration time.Duration, now time.Time) bool {
	var last time.Time
	for at := schedule.Next(now.Add(-duration - 24*time.Hour)); !at.IsZero() && !at.After(now); at = schedule.Next(at) {
		last = at
	}
	return !last.IsZero() && now.Before(last.Add(duration))
}

func TestPeriodAgainstTheOperatorsSearch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		schedule := rapid.SampledFrom([]string{"0 0 * * *", "30 8 * * 1-5", "*/7 * * * *", "0 12 1 * *", "0 0 29 2 *", "15,45 */5 * * 0"}).Draw(t, "schedule")
		duration := time.Duration(rapid.IntRange(1, 3*24*3600).Draw(t, "seconds")) * time.Second
		now := created.Add(time.Duration(rapid.Int64Range(0, int64(60*24*time.Hour)).Draw(t, "now")))
		if rapid.Bool().Draw(t, "whole minute") {
			now = now.Truncate(time.Minute)
		}
		p, err := newPeriod(EnabledPeriod{Schedule: schedule, Duration: duration.String()})
		if err != nil {
			t.Fatal(err)
		}
		if want := slowlyContains(p.schedule, duration, now); p.contains(now) != want {
			t.Fatalf("%s for %v at %v: expected %v", schedule, duration, now, want)
		}
	})
}

func TestPeriodIsInUTC(t *testing.T) {
	p, err := newPeriod(EnabledPeriod{Schedule: "0 22 * * *", Duration: "1h"})
	require.NoError(t, err)
	zone := time.FixedZone("UTC+5", 5*3600)
	assert.True(t, p.contains(time.Date(2026, 1, 6, 3, 30, 0, 0, zone)))
	assert.False(t, p.contains(time.Date(2026, 1, 5, 22, 30, 0, 0, zone)))
}

func FuzzNew(f *testing.F) {
	good, err := json.Marshal(manifest())
	require.NoError(f, err)
	f.Add(good)
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"spec":{"cooldownPeriod":-1,"triggers":[{"metadata":{"threshold":"x"}}],"autoscaler":{},"enabledPeriod":{"schedule":"x","duration":"y"}}}`))
	f.Add([]byte(`{"spec":{"enabledPeriod":{"schedule":"TZ=","duration":"9999999h"}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var m ElastiService
		if json.Unmarshal(data, &m) != nil {
			return
		}
		a, err := New(Spec{Manifest: &m, Controller: DefaultController()}, created)
		if err != nil {
			var invalid *messages.Invalid
			assert.True(t, errors.As(err, &invalid), "%v", err)
			return
		}
		metrics := make([]float64, 2*len(m.Spec.Triggers))
		d, err := a.Decide(created.Add(30*24*time.Hour), seen(1, 1, metrics...))
		require.NoError(t, err)
		assert.GreaterOrEqual(t, d.Desired, int32(0))
	})
}
