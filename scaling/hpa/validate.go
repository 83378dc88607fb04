package hpa

import (
	"fmt"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
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

// Validate reports what an API server would refuse in the manifest after
// filling in its defaults, and what its controller could never act on. Paths
// start at "metadata" and "spec". A namespace is not asked for: kubectl adds it.
func (v Version) Validate(manifest *autoscalingv2.HorizontalPodAutoscaler) field.ErrorList {
	spec := v.Defaults(manifest).Spec
	path := field.NewPath("spec")
	errs := validateName(manifest.Name, field.NewPath("metadata", "name"))
	errs = append(errs, validateReplicas(*spec.MinReplicas, spec.MaxReplicas, path)...)
	if *spec.MinReplicas == 0 && !v.has(scalesToZero) {
		errs = append(errs, field.Invalid(path.Child("minReplicas"), 0, fmt.Sprintf("must be 1 or more: %s scales to zero, %s does not", scalesToZero, v)))
	}
	errs = append(errs, validateReference(spec.ScaleTargetRef, path.Child("scaleTargetRef"))...)
	if v.has(checksAPIGroup) {
		errs = append(errs, validateAPIVersions(spec, path)...)
	}
	errs = append(errs, validateMetrics(spec, path.Child("metrics"))...)
	if b := spec.Behavior; b != nil {
		errs = append(errs, validateRules(b.ScaleUp, path.Child("behavior", "scaleUp"))...)
		errs = append(errs, validateRules(b.ScaleDown, path.Child("behavior", "scaleDown"))...)
	}
	return errs
}

func validateName(name string, path *field.Path) field.ErrorList {
	if name == "" {
		return field.ErrorList{field.Required(path, "a HorizontalPodAutoscaler needs a name")}
	}
	return invalid(path, name, validation.IsDNS1123Subdomain(name))
}

func validateReplicas(min, max int32, path *field.Path) (errs field.ErrorList) {
	if min < 0 {
		errs = append(errs, field.Invalid(path.Child("minReplicas"), min, "must be 0 or more"))
	}
	if max < 1 {
		errs = append(errs, field.Invalid(path.Child("maxReplicas"), max, "must be at least 1"))
	}
	if max < min {
		errs = append(errs, field.Invalid(path.Child("maxReplicas"), max, fmt.Sprintf("must be at least minReplicas, which is %d", min)))
	}
	return errs
}

func validateReference(ref autoscalingv2.CrossVersionObjectReference, path *field.Path) field.ErrorList {
	errs := validateSegment(ref.Kind, path.Child("kind"), "the kind of an object")
	return append(errs, validateSegment(ref.Name, path.Child("name"), "the name of an object")...)
}

// validateAPIVersions checks the versions that references name. The target's
// has to name an API group, which only a ReplicationController lacks; the
// object of a metric may be of any.
func validateAPIVersions(spec autoscalingv2.HorizontalPodAutoscalerSpec, path *field.Path) (errs field.ErrorList) {
	check := func(ref autoscalingv2.CrossVersionObjectReference, path *field.Path, needsGroup bool) {
		version, err := schema.ParseGroupVersion(ref.APIVersion)
		switch {
		case err != nil:
			errs = append(errs, field.Invalid(path.Child("apiVersion"), ref.APIVersion, err.Error()))
		case needsGroup && version.Group == "":
			errs = append(errs, field.Invalid(path.Child("apiVersion"), ref.APIVersion, "expected an API group, such as apps/v1"))
		}
	}
	check(spec.ScaleTargetRef, path.Child("scaleTargetRef"), spec.ScaleTargetRef.Kind != "ReplicationController")
	for i, metric := range spec.Metrics {
		if metric.Object != nil {
			check(metric.Object.DescribedObject, path.Child("metrics").Index(i).Child("object", "describedObject"), false)
		}
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

// validateContainerResource allows qualified names (vendor.example/gpu) and,
// unqualified, only the resources that Kubernetes knows.
func validateContainerResource(name corev1.ResourceName, path *field.Path) field.ErrorList {
	errs := invalid(path, string(name), validation.IsQualifiedName(string(name)))
	known := name == corev1.ResourceCPU || name == corev1.ResourceMemory || name == corev1.ResourceEphemeralStorage ||
		strings.HasPrefix(string(name), corev1.ResourceHugePagesPrefix)
	if len(errs) == 0 && !known && !strings.Contains(string(name), "/") {
		errs = append(errs, field.Invalid(path, name, "must be a standard resource of containers, or fully qualified"))
	}
	return errs
}

func invalid(path *field.Path, value string, problems []string) (errs field.ErrorList) {
	for _, problem := range problems {
		errs = append(errs, field.Invalid(path, value, problem))
	}
	return errs
}
