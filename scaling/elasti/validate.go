package elasti

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/scalelab/scalelab/messages"
)

const (
	apiVersion      = "elasti.truefoundry.com/v1alpha1"
	kind            = "ElastiService"
	maximumCooldown = 604800 // a week, in seconds
)

// targetKinds are the kinds that can be scaled, with the API they belong to.
// The plurals are old spellings that the operator still takes.
var targetKinds = map[string]string{
	"Deployment":  "apps/v1",
	"deployments": "apps/v1",
	"StatefulSet": "apps/v1",
	"Rollout":     "argoproj.io/v1alpha1",
	"rollouts":    "argoproj.io/v1alpha1",
}

// Validate reports every setting that cannot be used.
func (c Controller) Validate() error {
	var problems messages.Problems
	for _, d := range []struct {
		field string
		value time.Duration
	}{
		{"pollingInterval", c.PollingInterval},
		{"queueRetry", c.QueueRetry},
		{"requestTimeout", c.RequestTimeout},
		{"operatorRetry", c.OperatorRetry},
	} {
		if d.value <= 0 {
			problems.Addf(d.field, "found %v, expected more than 0s", d.value)
		}
	}
	for _, d := range []struct {
		field string
		value time.Duration
	}{
		{"trafficReEnable", c.TrafficReEnable},
		{"disableGrace", c.DisableGrace},
	} {
		if d.value < 0 {
			problems.Addf(d.field, "found %v, expected 0s or more", d.value)
		}
	}
	if c.QueueSize < 0 {
		problems.Addf("queueSize", "found %d, expected at least 0", c.QueueSize)
	}
	for _, n := range []struct {
		field string
		value int
	}{
		{"maxConcurrency", c.MaxConcurrency},
		{"initialCapacity", c.InitialCapacity},
	} {
		if n.value < 1 {
			problems.Addf(n.field, "found %d, expected at least 1", n.value)
		}
	}
	return problems.Err()
}

// Validate reports everything that the CRD's schema or the operator would
// refuse. Whether the queries can be evaluated is for the metrics side.
func (e *ElastiService) Validate() error {
	var problems messages.Problems
	if e.APIVersion != apiVersion {
		problems.Addf("apiVersion", "found %q, expected %s", e.APIVersion, apiVersion)
	}
	if e.Kind != kind {
		problems.Addf("kind", "found %q, expected %s", e.Kind, kind)
	}
	s, spec := &e.Spec, field.NewPath("spec")
	validateTarget(&problems, spec.Child("scaleTargetRef"), s.ScaleTargetRef)
	if s.Service == "" {
		problems.Addf(spec.Child("service").String(), "found none, expected the name of a service")
	}
	// Absent is 0 here, which stands for the default.
	if s.MinTargetReplicas < 0 {
		problems.Addf(spec.Child("minTargetReplicas").String(), "found %d, expected at least 1", s.MinTargetReplicas)
	}
	if s.CooldownPeriod < 0 || s.CooldownPeriod > maximumCooldown {
		problems.Addf(spec.Child("cooldownPeriod").String(), "found %d, expected 0 to %d seconds", s.CooldownPeriod, maximumCooldown)
	}
	if len(s.Triggers) == 0 {
		problems.Addf(spec.Child("triggers").String(), "found none, expected at least one")
	}
	for i, t := range s.Triggers {
		t.validate(&problems, spec.Child("triggers").Index(i))
	}
	if s.Autoscaler != nil {
		s.Autoscaler.validate(&problems, spec.Child("autoscaler"))
	}
	if s.EnabledPeriod != nil {
		_, err := newPeriod(*s.EnabledPeriod)
		problems.Add(messages.Under(spec.Child("enabledPeriod").String(), err))
	}
	return problems.Err()
}

func validateTarget(problems *messages.Problems, at *field.Path, ref ScaleTargetRef) {
	api, known := targetKinds[ref.Kind]
	switch {
	case !known:
		problems.Addf(at.Child("kind").String(), "found %q, expected Deployment, StatefulSet or Rollout", ref.Kind)
	case ref.APIVersion != api:
		problems.Addf(at.Child("apiVersion").String(), "found %q, expected %s for a %s", ref.APIVersion, api, ref.Kind)
	}
	if ref.Name == "" {
		problems.Addf(at.Child("name").String(), "found none, expected the name of the workload")
	}
}

func (t Trigger) validate(problems *messages.Problems, at *field.Path) {
	if t.Type != "prometheus" {
		problems.Addf(at.Child("type").String(), "found %q, expected prometheus", t.Type)
	}
	metadata := at.Child("metadata")
	if t.Metadata.Query == "" {
		problems.Addf(metadata.Child("query").String(), "found none, expected a PromQL query")
	}
	if _, err := threshold(t.Metadata.Threshold); err != nil {
		problems.Addf(metadata.Child("threshold").String(), "%v", err)
	}
}

func (a AutoscalerRef) validate(problems *messages.Problems, at *field.Path) {
	if !slices.Contains([]string{"hpa", "keda"}, a.Type) {
		problems.Addf(at.Child("type").String(), "found %q, expected hpa or keda", a.Type)
	}
	if a.Name == "" {
		problems.Addf(at.Child("name").String(), "found none, expected the name of the autoscaler")
	}
}

// threshold reads a trigger's threshold, a JSON number in a string: "5", "0.5"
// and "1e3", but neither ".5" nor "NaN".
func threshold(text string) (float64, error) {
	var value *float64
	err := json.Unmarshal([]byte(text), &value)
	if err != nil || value == nil || strings.TrimSpace(text) != text {
		return 0, fmt.Errorf("found %q, expected a number in quotes, such as \"0.5\"", text)
	}
	return *value, nil
}
