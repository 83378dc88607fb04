package hpa

import (
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func (v Version) validateMetrics(spec autoscalingv2.HorizontalPodAutoscalerSpec, path *field.Path) (errs field.ErrorList) {
	for i, metric := range spec.Metrics {
		errs = append(errs, v.validateMetric(metric, path.Index(i))...)
	}
	if *spec.MinReplicas == 0 && !canReturnFromZero(spec.Metrics) {
		errs = append(errs, field.Forbidden(path, "minReplicas 0 needs at least one Object or External metric: no other metric has a value without pods"))
	}
	return errs
}

// canReturnFromZero reports whether a metric exists that has a value while no
// pod runs.
func canReturnFromZero(metrics []autoscalingv2.MetricSpec) bool {
	for _, metric := range metrics {
		if metric.Type == autoscalingv2.ObjectMetricSourceType || metric.Type == autoscalingv2.ExternalMetricSourceType {
			return true
		}
	}
	return false
}

// validateMetric checks that the source named by type is there and no other.
// The API server looks into the first source that is there, whatever the type.
func (v Version) validateMetric(m autoscalingv2.MetricSpec, path *field.Path) (errs field.ErrorList) {
	var names []string
	var given, named []metricSource
	for _, s := range v.sourcesOf(m) {
		names = append(names, string(s.kind))
		if s.given {
			given = append(given, s)
		}
		if s.kind == m.Type {
			named = append(named, s)
		}
	}
	if m.Type == "" {
		errs = append(errs, field.Required(path.Child("type"), "expected one of "+strings.Join(names, ", ")))
	}
	if len(named) == 0 {
		errs = append(errs, field.NotSupported(path.Child("type"), string(m.Type), names))
	}
	if len(given) > 0 {
		errs = append(errs, given[0].check(path.Child(given[0].name))...)
	}
	for _, s := range named {
		if !s.given {
			errs = append(errs, field.Required(path.Child(s.name), "the type says "+string(m.Type)))
		}
	}
	for _, s := range given {
		if len(given) > 1 && s.kind != m.Type {
			errs = append(errs, field.Forbidden(path.Child(s.name), "only the source that the type names may be given"))
		}
	}
	return errs
}

// metricSource is one of the sources that a metric can have.
type metricSource struct {
	kind  autoscalingv2.MetricSourceType
	name  string
	given bool
	check func(*field.Path) field.ErrorList // only of one that is given
}

// sourcesOf has all sources in the order in which the API server looks at them.
func (v Version) sourcesOf(m autoscalingv2.MetricSpec) []metricSource {
	return []metricSource{
		{autoscalingv2.ObjectMetricSourceType, "object", m.Object != nil, func(p *field.Path) field.ErrorList { return v.validateObject(m.Object, p) }},
		{autoscalingv2.ExternalMetricSourceType, "external", m.External != nil, func(p *field.Path) field.ErrorList { return validateExternal(m.External, p) }},
		{autoscalingv2.PodsMetricSourceType, "pods", m.Pods != nil, func(p *field.Path) field.ErrorList { return validatePods(m.Pods, p) }},
		{autoscalingv2.ResourceMetricSourceType, "resource", m.Resource != nil, func(p *field.Path) field.ErrorList { return validateResource(m.Resource, p) }},
		{autoscalingv2.ContainerResourceMetricSourceType, "containerResource", m.ContainerResource != nil, func(p *field.Path) field.ErrorList { return validateContainer(m.ContainerResource, p) }},
	}
}

func (v Version) validateObject(src *autoscalingv2.ObjectMetricSource, path *field.Path) field.ErrorList {
	errs := v.validateReference(src.DescribedObject, false, path.Child("describedObject"))
	errs = append(errs, validateIdentifier(src.Metric, path.Child("metric"))...)
	target := path.Child("target")
	errs = append(errs, validateTarget(src.Target, target)...)
	if src.Target.Value == nil && src.Target.AverageValue == nil {
		errs = append(errs, field.Required(target.Child("averageValue"), "expected value or averageValue"))
	}
	return errs
}

func validateExternal(src *autoscalingv2.ExternalMetricSource, path *field.Path) field.ErrorList {
	errs := validateIdentifier(src.Metric, path.Child("metric"))
	target := path.Child("target")
	errs = append(errs, validateTarget(src.Target, target)...)
	switch {
	case src.Target.Value == nil && src.Target.AverageValue == nil:
		errs = append(errs, field.Required(target.Child("averageValue"), "expected value, or averageValue per pod"))
	case src.Target.Value != nil && src.Target.AverageValue != nil:
		errs = append(errs, field.Forbidden(target.Child("value"), "value and averageValue exclude each other"))
	}
	return errs
}

func validatePods(src *autoscalingv2.PodsMetricSource, path *field.Path) field.ErrorList {
	errs := validateIdentifier(src.Metric, path.Child("metric"))
	target := path.Child("target")
	errs = append(errs, validateTarget(src.Target, target)...)
	if src.Target.AverageValue == nil {
		errs = append(errs, field.Required(target.Child("averageValue"), "a pods metric is compared per pod"))
	}
	return errs
}

func validateResource(src *autoscalingv2.ResourceMetricSource, path *field.Path) (errs field.ErrorList) {
	if src.Name == "" {
		errs = append(errs, field.Required(path.Child("name"), "expected the name of a resource"))
	}
	return append(errs, validateResourceTarget(src.Target, path.Child("target"))...)
}

func validateContainer(src *autoscalingv2.ContainerResourceMetricSource, path *field.Path) (errs field.ErrorList) {
	if src.Name == "" {
		errs = append(errs, field.Required(path.Child("name"), "expected the name of a resource"))
	} else {
		errs = append(errs, validateContainerResource(src.Name, path.Child("name"))...)
	}
	if src.Container == "" {
		errs = append(errs, field.Required(path.Child("container"), "expected the name of a container"))
	} else {
		errs = append(errs, invalid(path.Child("container"), src.Container, validation.IsDNS1123Label(src.Container))...)
	}
	return append(errs, validateResourceTarget(src.Target, path.Child("target"))...)
}

func validateResourceTarget(target autoscalingv2.MetricTarget, path *field.Path) field.ErrorList {
	errs := validateTarget(target, path)
	switch {
	case target.AverageUtilization == nil && target.AverageValue == nil:
		errs = append(errs, field.Required(path.Child("averageUtilization"), "expected averageUtilization or averageValue"))
	case target.AverageUtilization != nil && target.AverageValue != nil:
		errs = append(errs, field.Forbidden(path.Child("averageValue"), "averageUtilization and averageValue exclude each other"))
	}
	return errs
}

// validateTarget checks what all targets have in common.
func validateTarget(target autoscalingv2.MetricTarget, path *field.Path) (errs field.ErrorList) {
	switch target.Type {
	case autoscalingv2.UtilizationMetricType, autoscalingv2.ValueMetricType, autoscalingv2.AverageValueMetricType:
	case "":
		errs = append(errs, field.Required(path.Child("type"), "expected Utilization, Value or AverageValue"))
		fallthrough
	default:
		errs = append(errs, field.Invalid(path.Child("type"), target.Type, "must be Utilization, Value or AverageValue"))
	}
	if target.Value != nil && target.Value.Sign() != 1 {
		errs = append(errs, field.Invalid(path.Child("value"), target.Value.String(), "must be more than 0"))
	}
	if target.AverageValue != nil && target.AverageValue.Sign() != 1 {
		errs = append(errs, field.Invalid(path.Child("averageValue"), target.AverageValue.String(), "must be more than 0"))
	}
	if target.AverageUtilization != nil && *target.AverageUtilization < 1 {
		errs = append(errs, field.Invalid(path.Child("averageUtilization"), *target.AverageUtilization, "must be at least 1"))
	}
	return errs
}

func validateIdentifier(metric autoscalingv2.MetricIdentifier, path *field.Path) field.ErrorList {
	return validateSegment(metric.Name, path.Child("name"), "the name of a metric")
}

// validateContainerResource allows, unqualified, only the resources that
// Kubernetes knows. A vendor's has to stay a qualified name in a quota, which
// calls vendor.example/gpu requests.vendor.example/gpu.
func validateContainerResource(resource corev1.ResourceName, path *field.Path) field.ErrorList {
	name := string(resource)
	if errs := invalid(path, name, validation.IsQualifiedName(name)); len(errs) > 0 {
		return errs
	}
	switch {
	case !strings.Contains(name, "/"):
		if !isContainerResource(resource) {
			return field.ErrorList{field.Invalid(path, name, "must be a standard resource of containers, or fully qualified")}
		}
	case strings.Contains(name, corev1.ResourceDefaultNamespacePrefix): // Kubernetes' own
	case strings.HasPrefix(name, corev1.DefaultResourceRequestsPrefix):
		return field.ErrorList{field.Invalid(path, name, "must not start with "+corev1.DefaultResourceRequestsPrefix+", as in a quota")}
	default:
		return invalid(path, name, validation.IsQualifiedName(corev1.DefaultResourceRequestsPrefix+name))
	}
	return nil
}

func isContainerResource(name corev1.ResourceName) bool {
	return name == corev1.ResourceCPU || name == corev1.ResourceMemory || name == corev1.ResourceEphemeralStorage ||
		strings.HasPrefix(string(name), corev1.ResourceHugePagesPrefix)
}
