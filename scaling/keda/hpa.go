package keda

import (
	"maps"
	"sort"
	"strconv"
	"strings"
	"unicode"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// version is the one whose rules these are; the HPA bears it as a label.
const version = "2.21.0"

// compositeMetric is the one that scalingModifiers make of all.
const compositeMetric = "composite-metric"

const labelLength = 63

// HPA is the HorizontalPodAutoscaler that KEDA makes for a valid ScaledObject, as
// it sends it to the API server. There is none while the ScaledObject is paused.
func (o *ScaledObject) HPA() *autoscalingv2.HorizontalPodAutoscaler {
	triggers, _ := o.read()
	target := o.Target()
	h := &autoscalingv2.HorizontalPodAutoscaler{
		TypeMeta: metav1.TypeMeta{APIVersion: "autoscaling/v2", Kind: "HorizontalPodAutoscaler"},
		ObjectMeta: metav1.ObjectMeta{
			Name: o.HPAName(), Namespace: o.Namespace, Labels: o.hpaLabels(), Annotations: maps.Clone(o.Annotations),
		},
	}
	if o.UID != "" { // as the API server gives it
		h.OwnerReferences = []metav1.OwnerReference{{
			APIVersion: APIVersion, Kind: Kind, Name: o.Name, UID: o.UID, Controller: new(true), BlockOwnerDeletion: new(true),
		}}
	}
	h.Spec.ScaleTargetRef = autoscalingv2.CrossVersionObjectReference{APIVersion: target.APIVersion, Kind: target.Kind, Name: target.Name}
	h.Spec.MinReplicas = new(o.Spec.hpaMinimum())
	h.Spec.MaxReplicas = o.Spec.maximum()
	h.Spec.Behavior = o.hpaBehavior()
	h.Spec.Metrics = o.hpaMetrics(triggers)
	return h
}

// hpaLabels are KEDA's own, under those of the ScaledObject that are not excluded.
func (o *ScaledObject) hpaLabels() map[string]string {
	name := o.HPAName()
	if len(name) > labelLength {
		name = strings.TrimRightFunc(name[:labelLength], func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
	}
	labels := map[string]string{
		"app.kubernetes.io/name":       name,
		"app.kubernetes.io/version":    version,
		"app.kubernetes.io/part-of":    o.Name,
		"app.kubernetes.io/managed-by": "keda-operator",
	}
	given := maps.Clone(o.Labels)
	if given == nil {
		given = map[string]string{}
	}
	given[nameLabel] = o.Name // KEDA labels the ScaledObject so
	for _, excluded := range strings.Split(o.Annotations[excludedLabelsAnnotation], ",") {
		delete(given, excluded)
	}
	maps.Copy(labels, given)
	return labels
}

// hpaBehavior is the one given; a direction that is paused is switched off in it.
func (o *ScaledObject) hpaBehavior() *autoscalingv2.HorizontalPodAutoscalerBehavior {
	behavior := &autoscalingv2.HorizontalPodAutoscalerBehavior{}
	given := false
	if a := o.Spec.Advanced; a != nil && a.HorizontalPodAutoscalerConfig != nil && a.HorizontalPodAutoscalerConfig.Behavior != nil {
		behavior, given = a.HorizontalPodAutoscalerConfig.Behavior.DeepCopy(), true
	}
	for _, direction := range []struct {
		annotation string
		rules      **autoscalingv2.HPAScalingRules
	}{
		{pausedInAnnotation, &behavior.ScaleDown},
		{pausedOutAnnotation, &behavior.ScaleUp},
	} {
		if !annotated(o, direction.annotation) {
			continue
		}
		if *direction.rules == nil {
			*direction.rules = &autoscalingv2.HPAScalingRules{}
		}
		(*direction.rules).SelectPolicy = new(autoscalingv2.DisabledPolicySelect)
		given = true
	}
	if !given {
		return nil
	}
	return behavior
}

// hpaMetrics are those of the triggers, sorted by type. With modifiers, one stands
// for all external ones, and of the others those of single containers are lost.
func (o *ScaledObject) hpaMetrics(triggers []trigger) []autoscalingv2.MetricSpec {
	var metrics []autoscalingv2.MetricSpec
	for _, t := range triggers {
		if m := t.spec; m.External == nil || !o.Spec.usesModifiers() {
			metrics = append(metrics, *m.DeepCopy())
		}
	}
	for i := range metrics {
		if m := metrics[i].External; m != nil {
			m.Metric.Selector = o.selector()
		}
	}
	// The same sort as KEDA's: with more than a dozen metrics it is not stable.
	sort.Slice(metrics, func(i, j int) bool { return metrics[i].Type < metrics[j].Type })
	if !o.Spec.usesModifiers() {
		return metrics
	}
	var kept []autoscalingv2.MetricSpec
	for _, m := range metrics {
		if m.Resource != nil {
			kept = append(kept, m)
		}
	}
	return append(kept, o.composite())
}

// selector is how the adapter knows whose metric it is asked for.
func (o *ScaledObject) selector() *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{nameLabel: o.Name}}
}

// composite is the metric of scalingModifiers.
func (o *ScaledObject) composite() autoscalingv2.MetricSpec {
	m := o.Spec.modifiers()
	value, _ := strconv.ParseFloat(m.Target, 64)
	quantity := resource.NewMilliQuantity(toInt64(value*1000), resource.DecimalSI)
	target := autoscalingv2.MetricTarget{Type: autoscalingv2.AverageValueMetricType, AverageValue: quantity}
	if m.MetricType == autoscalingv2.ValueMetricType {
		target = autoscalingv2.MetricTarget{Type: m.MetricType, Value: quantity}
	}
	return autoscalingv2.MetricSpec{Type: autoscalingv2.ExternalMetricSourceType, External: &autoscalingv2.ExternalMetricSource{
		Metric: autoscalingv2.MetricIdentifier{Name: compositeMetric, Selector: o.selector()},
		Target: target,
	}}
}
