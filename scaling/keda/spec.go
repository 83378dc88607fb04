// Package keda is KEDA's ScaledObject: the operator's loop that activates and
// deactivates a workload, the HorizontalPodAutoscaler that it makes for the counts
// in between, and the metrics adapter that answers that HPA.
//
// It models the ScaledObject v1alpha1 as its CRD and its webhook take it; the poll
// with activation, idle count, cooldown, errors and fallback; the pausing and
// forcing annotations; cached metrics, and the polls that read what the HPA has
// seen; formulas of scalingModifiers; the HTTP add-on, whose scaler also pushes. It
// ignores what happens when a ScaledObject changes or is deleted, scalers that cannot
// be reached at all, and the streams of other external-push scalers, which are asked
// at the polls like any other.
//
// Source: KEDA v2.21, apis/keda/v1alpha1, controllers/keda, pkg/scaling,
// pkg/fallback and pkg/scalers.
package keda

import (
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scalelab/scalelab/scaling/hpa"
	"github.com/scalelab/scalelab/scaling/keda/httpaddon"
)

// Spec is a ScaledObject, and who runs the HPA that is made for it.
type Spec struct {
	Manifest *ScaledObject
	// HTTP has the settings of the HTTP add-on; without a trigger for it they are
	// not looked at.
	HTTP httpaddon.Controller
	// Controller has the flags of kube-controller-manager.
	Controller        hpa.Controller
	KubernetesVersion hpa.Version
}

// ScaledObject is keda.sh/v1alpha1.
type ScaledObject struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              ScaledObjectSpec `json:"spec"`
}

// ScaledObjectSpec says what is scaled, by which triggers, and how far. Periods
// are in seconds; see the methods for what is absent.
type ScaledObjectSpec struct {
	ScaleTargetRef        ScaleTarget     `json:"scaleTargetRef"`
	PollingInterval       *int32          `json:"pollingInterval,omitempty"`
	InitialCooldownPeriod *int32          `json:"initialCooldownPeriod,omitempty"`
	CooldownPeriod        *int32          `json:"cooldownPeriod,omitempty"`
	IdleReplicaCount      *int32          `json:"idleReplicaCount,omitempty"`
	MinReplicaCount       *int32          `json:"minReplicaCount,omitempty"`
	MaxReplicaCount       *int32          `json:"maxReplicaCount,omitempty"`
	Advanced              *AdvancedConfig `json:"advanced,omitempty"`
	Triggers              []Trigger       `json:"triggers"`
	Fallback              *Fallback       `json:"fallback,omitempty"`
}

// ScaleTarget names the workload; without a kind it is a Deployment.
type ScaleTarget struct {
	Name                   string `json:"name"`
	APIVersion             string `json:"apiVersion,omitempty"`
	Kind                   string `json:"kind,omitempty"`
	EnvSourceContainerName string `json:"envSourceContainerName,omitempty"`
}

// Trigger is one source of a metric. Its metadata are those of its type.
type Trigger struct {
	Type              string                         `json:"type"`
	Name              string                         `json:"name,omitempty"`
	UseCachedMetrics  bool                           `json:"useCachedMetrics,omitempty"`
	Metadata          map[string]string              `json:"metadata"`
	AuthenticationRef *AuthenticationRef             `json:"authenticationRef,omitempty"`
	MetricType        autoscalingv2.MetricTargetType `json:"metricType,omitempty"`
	// Route is that of the HTTP add-on which the metadata of an external-push trigger
	// name; nil: they name none.
	Route *httpaddon.Route `json:"-"`
}

// AuthenticationRef names a TriggerAuthentication.
type AuthenticationRef struct {
	Name string `json:"name"`
	Kind string `json:"kind,omitempty"`
}

// Fallback is what a metric that keeps failing is taken for.
type Fallback struct {
	FailureThreshold int32  `json:"failureThreshold"`
	Replicas         int32  `json:"replicas"`
	Behavior         string `json:"behavior,omitempty"`
}

// The behaviours of a Fallback.
const (
	fallbackStatic    = "static"
	fallbackCurrent   = "currentReplicas"
	fallbackHigher    = "currentReplicasIfHigher"
	fallbackLower     = "currentReplicasIfLower"
	fallbackModifiers = "scalingModifiers"
)

var fallbackBehaviors = []string{fallbackStatic, fallbackCurrent, fallbackHigher, fallbackLower, fallbackModifiers}

// AdvancedConfig is what most ScaledObjects leave out.
type AdvancedConfig struct {
	HorizontalPodAutoscalerConfig *HPAConfig       `json:"horizontalPodAutoscalerConfig,omitempty"`
	RestoreToOriginalReplicaCount bool             `json:"restoreToOriginalReplicaCount,omitempty"`
	ScalingModifiers              ScalingModifiers `json:"scalingModifiers,omitzero"`
}

// HPAConfig is what the HPA is given beside its metrics.
type HPAConfig struct {
	Behavior *autoscalingv2.HorizontalPodAutoscalerBehavior `json:"behavior,omitempty"`
	Name     string                                         `json:"name,omitempty"`
}

// ScalingModifiers make one metric of all.
type ScalingModifiers struct {
	Formula          string                         `json:"formula,omitempty"`
	Target           string                         `json:"target,omitempty"`
	ActivationTarget string                         `json:"activationTarget,omitempty"`
	MetricType       autoscalingv2.MetricTargetType `json:"metricType,omitempty"`
}
