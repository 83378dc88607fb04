package hpa

import (
	"fmt"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Limits of a behavior, in seconds.
const (
	maxPeriodSeconds = 1800
	maxWindowSeconds = 3600
)

// Validate is Version.Validate of the newest version.
func Validate(manifest *autoscalingv2.HorizontalPodAutoscaler) field.ErrorList {
	return Version("").Validate(manifest)
}

// Validate reports what an API server refuses in a manifest that is created,
// after filling in its defaults: the same fields, with the same kinds of error.
// Paths start at "metadata" and "spec". A namespace is not asked for: kubectl
// adds it. A metric that is accepted and can still never be read is no error
// here; it fails in every Decision, as it does in the controller.
func (v Version) Validate(manifest *autoscalingv2.HorizontalPodAutoscaler) field.ErrorList {
	m := v.Defaults(manifest)
	spec, path := m.Spec, field.NewPath("spec")
	hasGroup := spec.ScaleTargetRef.Kind != "ReplicationController" // the one that can be scaled and has none
	errs := v.validateMetadata(m.ObjectMeta, field.NewPath("metadata"))
	errs = append(errs, v.validateReplicas(*spec.MinReplicas, spec.MaxReplicas, path)...)
	errs = append(errs, v.validateReference(spec.ScaleTargetRef, hasGroup, path.Child("scaleTargetRef"))...)
	errs = append(errs, v.validateMetrics(spec, path.Child("metrics"))...)
	if b := spec.Behavior; b != nil {
		errs = append(errs, validateRules(b.ScaleUp, path.Child("behavior", "scaleUp"))...)
		errs = append(errs, validateRules(b.ScaleDown, path.Child("behavior", "scaleDown"))...)
	}
	return errs
}

func (v Version) validateReplicas(min, max int32, path *field.Path) (errs field.ErrorList) {
	switch {
	case min < 0:
		errs = append(errs, field.Invalid(path.Child("minReplicas"), min, "must be 0 or more"))
	case min == 0 && !v.has(scalesToZero):
		errs = append(errs, field.Invalid(path.Child("minReplicas"), 0, fmt.Sprintf("must be 1 or more: %s scales to zero, %s does not", scalesToZero, v)))
	}
	switch {
	case max == 0 && v.has(missesMaximum):
		errs = append(errs, field.Required(path.Child("maxReplicas"), "expected at least 1"))
	case max < 1:
		errs = append(errs, field.Invalid(path.Child("maxReplicas"), max, "must be at least 1"))
	}
	if max < min {
		errs = append(errs, field.Invalid(path.Child("maxReplicas"), max, fmt.Sprintf("must be at least minReplicas, which is %d", min)))
	}
	return errs
}

// validateReference checks what is referred to; with hasGroup it has to name its
// API group.
func (v Version) validateReference(ref autoscalingv2.CrossVersionObjectReference, hasGroup bool, path *field.Path) field.ErrorList {
	errs := validateSegment(ref.Kind, path.Child("kind"), "the kind of an object")
	errs = append(errs, validateSegment(ref.Name, path.Child("name"), "the name of an object")...)
	if !v.has(checksAPIGroup) {
		return errs
	}
	version, err := schema.ParseGroupVersion(ref.APIVersion)
	switch {
	case err != nil:
		errs = append(errs, field.Invalid(path.Child("apiVersion"), ref.APIVersion, err.Error()))
	case hasGroup && version.Group == "":
		errs = append(errs, field.Invalid(path.Child("apiVersion"), ref.APIVersion, "expected an API group, such as apps/v1"))
	}
	return errs
}

// validateSegment checks a name that becomes one segment of a URL's path.
func validateSegment(name string, path *field.Path, what string) field.ErrorList {
	switch {
	case name == "":
		return field.ErrorList{field.Required(path, "expected "+what)}
	case name == "." || name == "..":
		return field.ErrorList{field.Invalid(path, name, "must not be a relative path")}
	case strings.ContainsAny(name, "/%"):
		return field.ErrorList{field.Invalid(path, name, "must not contain / or %")}
	}
	return nil
}

// validateRules checks one direction of a behavior, after defaults.
func validateRules(rules *autoscalingv2.HPAScalingRules, path *field.Path) (errs field.ErrorList) {
	if w := rules.StabilizationWindowSeconds; w != nil && (*w < 0 || *w > maxWindowSeconds) {
		errs = append(errs, field.Invalid(path.Child("stabilizationWindowSeconds"), *w, fmt.Sprintf("must be between 0 and %d", maxWindowSeconds)))
	}
	switch *rules.SelectPolicy {
	case autoscalingv2.MaxChangePolicySelect, autoscalingv2.MinChangePolicySelect, autoscalingv2.DisabledPolicySelect:
	default:
		errs = append(errs, field.NotSupported(path.Child("selectPolicy"), *rules.SelectPolicy, []autoscalingv2.ScalingPolicySelect{
			autoscalingv2.DisabledPolicySelect, autoscalingv2.MaxChangePolicySelect, autoscalingv2.MinChangePolicySelect}))
	}
	if t := rules.Tolerance; t != nil && t.Sign() < 0 {
		errs = append(errs, field.Invalid(path.Child("tolerance"), t.String(), "must be 0 or more"))
	}
	if len(rules.Policies) == 0 {
		errs = append(errs, field.Required(path.Child("policies"), "expected at least one policy; leave the field out for the defaults"))
	}
	for i, policy := range rules.Policies {
		errs = append(errs, validatePolicy(policy, path.Child("policies").Index(i))...)
	}
	return errs
}

func validatePolicy(policy autoscalingv2.HPAScalingPolicy, path *field.Path) (errs field.ErrorList) {
	if policy.Type != autoscalingv2.PodsScalingPolicy && policy.Type != autoscalingv2.PercentScalingPolicy {
		errs = append(errs, field.NotSupported(path.Child("type"), policy.Type, []autoscalingv2.HPAScalingPolicyType{
			autoscalingv2.PercentScalingPolicy, autoscalingv2.PodsScalingPolicy}))
	}
	if policy.Value <= 0 {
		errs = append(errs, field.Invalid(path.Child("value"), policy.Value, "must be more than 0"))
	}
	if policy.PeriodSeconds < 1 || policy.PeriodSeconds > maxPeriodSeconds {
		errs = append(errs, field.Invalid(path.Child("periodSeconds"), policy.PeriodSeconds, fmt.Sprintf("must be between 1 and %d", maxPeriodSeconds)))
	}
	return errs
}

func invalid(path *field.Path, value string, problems []string) (errs field.ErrorList) {
	for _, problem := range problems {
		errs = append(errs, field.Invalid(path, value, problem))
	}
	return errs
}
