package hpa

import (
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateMetrics(spec autoscalingv2.HorizontalPodAutoscalerSpec, path *field.Path) (errs field.ErrorList) {
	for i, metric := range spec.Metrics {
		errs = append(errs, validateMetric(metric, path.Index(i))...)
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

// validateMetric checks that exactly the source named by type is there, and
// that source.
func validateMetric(m autoscalingv2.MetricSpec, path *field.Path) (errs field.ErrorList) {
	sources := []struct {
		kind    autoscalingv2.MetricSourceType
		name    string
		present bool
		check   func(*field.Path) field.ErrorList
	}{
		{autoscalingv2.ObjectMetricSourceType, "object", m.Object != nil, func(p *field.Path) field.ErrorList { return validateObject(m.Object, p) }},
		{autoscalingv2.ExternalMetricSourceType, "external", m.External != nil, func(p *field.Path) field.ErrorList { return validateExternal(m.External, p) }},
		{autoscalingv2.PodsMetricSourceType, "pods", m.Pods != nil, func(p *field.Path) field.ErrorList { return validatePods(m.Pods, p) }},
		{autoscalingv2.ResourceMetricSourceType, "resource", m.Resource != nil, func(p *field.Path) field.ErrorList { return validateResource(m.Resource, p) }},
		{autoscalingv2.ContainerResourceMetricSourceType, "containerResource", m.ContainerResource != nil, func(p *field.Path) field.ErrorList { return validateContainer(m.ContainerResource, p) }},
	}
	known := make([]autoscalingv2.MetricSourceType, 0, len(sources))
	typed := false
	for _, s := range sources {
		known = append(known, s.kind)
		named := s.kind == m.Type
		typed = typed || named
		switch {
		case s.present && named:
			errs = append(errs, s.check(path.Child(s.name))...)
		case named:
			errs = append(errs, field.Required(path.Child(s.name), "the type says "+string(m.Type)))
		case s.present:
			errs = append(errs, field.Forbidden(path.Child(s.name), "only the source that the type names may be given"))
		}
	}
	switch {
	case m.Type == "":
		errs = append(errs, field.Required(path.Child("type"), "expected the type of the metric's source"))
	case !typed:
		errs = append(errs, field.NotSupported(path.Child("type"), m.Type, known))
	}
	return errs
}

func validateObject(src *autoscalingv2.ObjectMetricSource, path *field.Path) field.ErrorList {
	errs := validateReference(src.DescribedObject, path.Child("describedObject"))
	errs = append(errs, validateIdentifier(src.Metric, path.Child("metric"))...)
	target := path.Child("target")
	errs = append(errs, validateTarget(src.Target, target)...)
	// The controller looks at the type first, and at that field only.
	switch {
	case src.Target.Value == nil && src.Target.AverageValue == nil:
		errs = append(errs, field.Required(target.Child("averageValue"), "expected value or averageValue"))
	case src.Target.Type == autoscalingv2.UtilizationMetricType:
		errs = append(errs, field.Invalid(target.Child("type"), src.Target.Type, "must be Value or AverageValue for an object"))
	case src.Target.Type == autoscalingv2.ValueMetricType && src.Target.Value == nil:
		errs = append(errs, field.Required(target.Child("value"), "the type says Value"))
	case src.Target.Type == autoscalingv2.AverageValueMetricType && src.Target.AverageValue == nil:
		errs = append(errs, field.Required(target.Child("averageValue"), "the type says AverageValue"))
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
	errs := validateSegment(metric.Name, path.Child("name"), "the name of a metric")
	if _, err := metav1.LabelSelectorAsSelector(metric.Selector); err != nil {
		errs = append(errs, field.Invalid(path.Child("selector"), metav1.FormatLabelSelector(metric.Selector), err.Error()))
	}
	return errs
}
