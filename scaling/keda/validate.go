package keda

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/scalelab/scalelab/messages"
)

// What a ScaledObject says of itself.
const (
	APIVersion = "keda.sh/v1alpha1"
	Kind       = "ScaledObject"
)

// Validate reports everything that the CRD's schema, the webhook or the operator
// would refuse, as messages.Problems, and triggers that are not simulated. What
// concerns the workload or the behavior of the HPA is for others.
func (o *ScaledObject) Validate() error {
	var problems messages.Problems
	if o.APIVersion != APIVersion {
		problems.Addf("apiVersion", "found %.70q, expected %s", o.APIVersion, APIVersion)
	}
	if o.Kind != Kind {
		problems.Addf("kind", "found %.70q, expected %s", o.Kind, Kind)
	}
	o.validateName(&problems)
	if _, err := o.pausedReplicas(); err != nil {
		problems.Addf(field.NewPath("metadata", "annotations").Key(pausedReplicasAnnotation).String(),
			"found %.70q, expected a whole number in quotes", o.Annotations[pausedReplicasAnnotation])
	} else if n, _ := o.pausedReplicas(); n != nil && *n < 0 {
		problems.Addf(field.NewPath("metadata", "annotations").Key(pausedReplicasAnnotation).String(), "found %d, expected at least 0", *n)
	}
	o.Spec.validateCounts(&problems)
	o.Spec.validateFallback(&problems)
	o.Spec.validateTriggers(&problems)
	_, err := o.read()
	problems.Add(err)
	return problems.Err()
}

// validateName wants names that fit into a label.
func (o *ScaledObject) validateName(problems *messages.Problems) {
	switch {
	case o.Name == "":
		problems.Addf("metadata.name", "found none, expected a name")
	case len(o.Name) > labelLength:
		problems.Addf("metadata.name", "found %d characters, expected at most %d: it becomes a label", len(o.Name), labelLength)
	case len(o.HPAName()) > labelLength:
		problems.Addf("metadata.name", "found one of which the HPA gets the name %s of %d characters, expected at most %d, or a shorter spec.advanced.horizontalPodAutoscalerConfig.name",
			o.HPAName(), len(o.HPAName()), labelLength)
	}
}

func (s *ScaledObjectSpec) validateCounts(problems *messages.Problems) {
	if s.ScaleTargetRef.Name == "" {
		problems.Addf("spec.scaleTargetRef.name", "found none, expected the name of the workload")
	}
	for _, n := range []struct {
		name  string
		value *int32
		least int32
	}{
		{"pollingInterval", s.PollingInterval, 1},
		{"initialCooldownPeriod", s.InitialCooldownPeriod, 0},
		{"cooldownPeriod", s.CooldownPeriod, 0},
		{"idleReplicaCount", s.IdleReplicaCount, 0},
		{"minReplicaCount", s.MinReplicaCount, 0},
		{"maxReplicaCount", s.MaxReplicaCount, 1},
	} {
		if n.value != nil && *n.value < n.least {
			problems.Addf("spec."+n.name, "found %d, expected at least %d", *n.value, n.least)
		}
	}
	// The webhook compares with the HPA's minimum, so that a minReplicaCount of 0
	// allows an idle count of 0, and none at all does not.
	least := int32(0)
	if s.MinReplicaCount != nil {
		least = s.hpaMinimum()
	}
	if least > s.maximum() {
		problems.Addf("spec.minReplicaCount", "found %d, expected at most maxReplicaCount, which is %d", s.minimum(), s.maximum())
	}
	if s.IdleReplicaCount != nil && *s.IdleReplicaCount >= least {
		problems.Addf("spec.idleReplicaCount", "found %d, expected less than minReplicaCount, which is %d", *s.IdleReplicaCount, least)
	}
}

func (s *ScaledObjectSpec) validateFallback(problems *messages.Problems) {
	f, at := s.Fallback, field.NewPath("spec", "fallback")
	if f == nil {
		return
	}
	if f.FailureThreshold < 0 {
		problems.Addf(at.Child("failureThreshold").String(), "found %d, expected at least 0", f.FailureThreshold)
	}
	if f.Replicas < 0 {
		problems.Addf(at.Child("replicas").String(), "found %d, expected at least 0", f.Replicas)
	}
	if f.Behavior != "" && !slices.Contains(fallbackBehaviors, f.Behavior) {
		problems.Addf(at.Child("behavior").String(), "found %.70q, %s", f.Behavior, messages.OneOf(f.Behavior, fallbackBehaviors))
	}
	if f.Behavior == fallbackModifiers && s.modifiers().Formula == "" {
		problems.Addf(at.Child("behavior").String(), "found scalingModifiers, expected a formula in spec.advanced.scalingModifiers beside it")
	}
	if !s.usesModifiers() && s.onlyResources() {
		problems.Addf(at.String(), "found one, expected a trigger beside cpu and memory, which have no fallback")
	}
}

// onlyResources says that there is nothing but cpu and memory to go by.
func (s *ScaledObjectSpec) onlyResources() bool {
	return !slices.ContainsFunc(s.Triggers, func(t Trigger) bool { return !isResource(t.Type) })
}

func isResource(kind string) bool { return kind == "cpu" || kind == "memory" }

func (s *ScaledObjectSpec) validateTriggers(problems *messages.Problems) {
	at := field.NewPath("spec", "triggers")
	if len(s.Triggers) == 0 {
		problems.Addf(at.String(), "found none, expected at least one")
		return
	}
	seen := map[string]bool{}
	for i, t := range s.Triggers {
		if t.UseCachedMetrics && (isResource(t.Type) || t.Type == "cron") {
			problems.Addf(at.Index(i).Child("useCachedMetrics").String(), "found true, expected false for a trigger of the type %s", t.Type)
		}
		if t.Name != "" && seen[t.Name] {
			problems.Addf(at.Index(i).Child("name").String(), "found %.70q, the name of another trigger, expected one of its own", t.Name)
		}
		seen[t.Name] = true
		if ref := t.AuthenticationRef; ref != nil {
			kinds := []string{"TriggerAuthentication", "ClusterTriggerAuthentication"}
			if ref.Kind != "" && !slices.Contains(kinds, ref.Kind) {
				problems.Addf(at.Index(i).Child("authenticationRef", "kind").String(), "found %.70q, expected %s", ref.Kind, strings.Join(kinds, " or "))
			}
			if ref.Name == "" {
				problems.Addf(at.Index(i).Child("authenticationRef", "name").String(), "found none, expected the name of a TriggerAuthentication")
			}
		}
	}
	if s.onlyResources() && s.minimum() == 0 {
		problems.Addf("spec.minReplicaCount", "found 0, expected at least 1: with triggers cpu and memory alone nothing would scale from zero")
	}
}

// read reads the triggers.
func (o *ScaledObject) read() ([]trigger, error) {
	var problems messages.Problems
	triggers := make([]trigger, len(o.Spec.Triggers))
	for i := range triggers {
		triggers[i] = newTrigger(&o.Spec.Triggers[i], i, &problems)
	}
	if o.Spec.usesModifiers() {
		newFormula(&o.Spec, &problems)
	}
	o.checkRoutes(&problems)
	return triggers, problems.Err()
}
