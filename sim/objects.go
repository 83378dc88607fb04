package sim

import (
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"

	"github.com/scalelab/scalelab/scaling/elasti"
	"github.com/scalelab/scalelab/scaling/hpa"
	"github.com/scalelab/scalelab/scaling/keda"
	"github.com/scalelab/scalelab/scaling/knative"
)

// Objects are the API objects of one run as they stand at time 0, for an
// Actuator that keeps them. Deployment.Spec.Replicas is the count that the run
// starts with.
type Objects struct {
	Deployment *appsv1.Deployment
	Service    *corev1.Service
	HPA        *autoscalingv2.HorizontalPodAutoscaler // nil: none
	Keda       *keda.ScaledObject                     // of which an HPA is made; nil: none
	Elasti     *elasti.ElastiService                  // nil: none
	Revision   *knative.Revision                      // that Knative's own autoscaler scales; nil: none
	// KubernetesVersion is that of the control plane.
	KubernetesVersion hpa.Version
}
