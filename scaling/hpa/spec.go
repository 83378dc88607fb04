// Package hpa is the HorizontalPodAutoscaler of Kubernetes v1.37 as a pure
// decision: pods, metrics and replica counts in, a desired replica count with
// its arithmetic out.
//
// Modelled are all five metric types, readiness and missing samples, tolerance
// per direction, stabilization windows, scaling policies, scale to and from
// zero, the way the controller overwrites its own memory, and the conditions,
// events and metric values it reports. The source is kube-controller-manager's
// horizontal controller with its feature gates at their defaults, which differ
// between the Versions.
//
// Not modelled: a selector that is empty, invalid or claimed by two HPAs, and a
// scale that cannot be read or written.
package hpa

import (
	"math"
	"time"

	"github.com/scalelab/scalelab/messages"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
)

// Spec is a HorizontalPodAutoscaler and the flags of the controller that runs it.
type Spec struct {
	Manifest   *autoscalingv2.HorizontalPodAutoscaler
	Controller Controller
	// KubernetesVersion is that of API server and controller.
	KubernetesVersion Version
}

// Validate reports everything that makes the manifest or the flags unusable,
// as messages.Problems. Fields of the manifest keep their own path, such as
// "spec.maxReplicas"; flags are below "controller".
func (s Spec) Validate() error {
	var problems messages.Problems
	if s.Manifest == nil {
		problems.Addf("manifest", "found none, expected a HorizontalPodAutoscaler")
	} else {
		for _, e := range s.KubernetesVersion.Validate(s.Manifest) {
			problems.Addf(e.Field, "%s", e.ErrorBody())
		}
	}
	problems.Add(messages.Under("controller", s.Controller.Validate()))
	if problem := s.KubernetesVersion.problem(); problem != "" {
		problems.Addf("kubernetesVersion", "%s", problem)
	}
	return problems.Err()
}

// Controller holds the flags of kube-controller-manager that concern the HPA.
type Controller struct {
	SyncPeriod              time.Duration `yaml:"syncPeriod" doc:"--horizontal-pod-autoscaler-sync-period"`
	Tolerance               float64       `yaml:"tolerance" doc:"--horizontal-pod-autoscaler-tolerance"`
	DownscaleStabilization  time.Duration `yaml:"downscaleStabilization" doc:"--horizontal-pod-autoscaler-downscale-stabilization"`
	CPUInitializationPeriod time.Duration `yaml:"cpuInitializationPeriod" doc:"--horizontal-pod-autoscaler-cpu-initialization-period"`
	InitialReadinessDelay   time.Duration `yaml:"initialReadinessDelay" doc:"--horizontal-pod-autoscaler-initial-readiness-delay"`
}

// Validate reports flags that no controller could run with.
func (c Controller) Validate() error {
	var problems messages.Problems
	if c.SyncPeriod <= 0 {
		problems.Addf("syncPeriod", "found %v, expected more than 0s", c.SyncPeriod)
	}
	if !(c.Tolerance >= 0) || math.IsInf(c.Tolerance, 1) { // NaN fails every comparison
		problems.Addf("tolerance", "found %v, expected a number of at least 0", c.Tolerance)
	}
	for _, d := range []struct {
		field string
		value time.Duration
	}{
		{"downscaleStabilization", c.DownscaleStabilization},
		{"cpuInitializationPeriod", c.CPUInitializationPeriod},
		{"initialReadinessDelay", c.InitialReadinessDelay},
	} {
		if d.value < 0 {
			problems.Addf(d.field, "found %v, expected at least 0s", d.value)
		}
	}
	return problems.Err()
}
