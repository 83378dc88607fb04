package keda

import (
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Where a manifest leaves something out.
const (
	defaultPolling  = 30
	defaultCooldown = 300
	defaultMax      = 100
)

func or(given *int32, otherwise int32) int32 {
	if given != nil {
		return *given
	}
	return otherwise
}

func seconds(given *int32, otherwise int32) time.Duration {
	return time.Duration(or(given, otherwise)) * time.Second
}

// Polling is the time between two looks at the triggers.
func (s *ScaledObjectSpec) Polling() time.Duration { return seconds(s.PollingInterval, defaultPolling) }

// Cooldown is the time without an active trigger before deactivation.
func (s *ScaledObjectSpec) Cooldown() time.Duration {
	return seconds(s.CooldownPeriod, defaultCooldown)
}

func (s *ScaledObjectSpec) initialCooldown() time.Duration {
	return seconds(s.InitialCooldownPeriod, 0)
}

func (s *ScaledObjectSpec) minimum() int32 { return or(s.MinReplicaCount, 0) }

// hpaMinimum is the HPA's, which does not scale to zero.
func (s *ScaledObjectSpec) hpaMinimum() int32 { return max(1, s.minimum()) }

func (s *ScaledObjectSpec) maximum() int32 { return or(s.MaxReplicaCount, defaultMax) }

// Limits are the least and the most replicas that the ScaledObject can ask for, its
// idle count and that of a pause included.
func (s *ScaledObject) Limits() (least, most int32) {
	least, most = s.Spec.minimum(), max(s.Spec.maximum(), s.Spec.hpaMinimum())
	least = min(least, or(s.Spec.IdleReplicaCount, least))
	if paused, _ := s.pausedReplicas(); paused != nil {
		least, most = min(least, *paused), max(most, *paused)
	}
	return least, most
}

// usesModifiers says whether one metric is made of all.
func (s *ScaledObjectSpec) usesModifiers() bool {
	return s.Advanced != nil && s.Advanced.ScalingModifiers != ScalingModifiers{}
}

func (s *ScaledObjectSpec) modifiers() ScalingModifiers {
	if s.Advanced == nil {
		return ScalingModifiers{}
	}
	return s.Advanced.ScalingModifiers
}

// readsHPA says whether a poll may take what the HPA has seen for the triggers'
// word: the HPA does all the scaling, nobody else keeps metrics, and no formula
// wants all of them at one instant.
func (s *ScaledObjectSpec) readsHPA() bool {
	if s.minimum() == 0 || s.IdleReplicaCount != nil || s.usesModifiers() {
		return false
	}
	for _, t := range s.Triggers {
		if t.UseCachedMetrics {
			return false
		}
	}
	return true
}

// HPAName is that of the HPA: the one given, or keda-hpa- and the own name.
func (o *ScaledObject) HPAName() string {
	if a := o.Spec.Advanced; a != nil && a.HorizontalPodAutoscalerConfig != nil && a.HorizontalPodAutoscalerConfig.Name != "" {
		return a.HorizontalPodAutoscalerConfig.Name
	}
	return "keda-hpa-" + o.Name
}

// Target is the workload with its API version and kind filled in.
func (o *ScaledObject) Target() ScaleTarget {
	t := o.Spec.ScaleTargetRef
	if t.Kind == "" {
		t.Kind = "Deployment"
	}
	if t.APIVersion == "" {
		t.APIVersion = "apps/v1"
	}
	return t
}

// The annotations that KEDA looks at.
const (
	pausedAnnotation         = "autoscaling.keda.sh/paused"
	pausedReplicasAnnotation = "autoscaling.keda.sh/paused-replicas"
	pausedInAnnotation       = "autoscaling.keda.sh/paused-scale-in"
	pausedOutAnnotation      = "autoscaling.keda.sh/paused-scale-out"
	forcedAnnotation         = "autoscaling.keda.sh/force-activation"
	excludedLabelsAnnotation = "scaledobject.keda.sh/hpa-excluded-labels"
	nameLabel                = "scaledobject.keda.sh/name"
)

// annotated reads a yes or no; what is neither is a yes.
func annotated(o metav1.Object, name string) bool {
	text, found := o.GetAnnotations()[name]
	if !found {
		return false
	}
	yes, err := strconv.ParseBool(text)
	return yes || err != nil
}

// Paused says that neither the loop nor an HPA runs.
func (o *ScaledObject) Paused() bool {
	_, count := o.Annotations[pausedReplicasAnnotation]
	return count || annotated(o, pausedAnnotation)
}

// pausedReplicas is the count to pause at; nil: the one that is there.
func (o *ScaledObject) pausedReplicas() (*int32, error) {
	text, found := o.Annotations[pausedReplicasAnnotation]
	if !found {
		return nil, nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return nil, err
	}
	return new(int32(n)), nil
}
