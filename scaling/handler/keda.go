package handler

import (
	"context"

	"github.com/scalelab/scalelab/k8shelper"
)

// KEDA's annotations on a ScaledObject. While paused, KEDA holds the target at
// paused-replicas.
const (
	annotationPaused         = "autoscaling.keda.sh/paused"
	annotationPausedReplicas = "autoscaling.keda.sh/paused-replicas"
)

// scaledObject is the ScaledObject that scales the target beyond zero; zero if
// none does.
func (s *service) scaledObject() k8shelper.Object {
	if s.spec.Autoscaler == nil || s.spec.Autoscaler.Type != "keda" {
		return k8shelper.Object{}
	}
	return k8shelper.Object{Resource: k8shelper.ScaledObjects, Namespace: s.key.Namespace, Name: s.spec.Autoscaler.Name}
}

// pause makes KEDA hold the target at zero.
func (h *Handler) pause(ctx context.Context, s *service) error {
	return h.annotate(ctx, s, k8shelper.Annotations{
		Set: map[string]string{annotationPaused: "true", annotationPausedReplicas: "0"},
	})
}

// unpause gives the target back to KEDA.
func (h *Handler) unpause(ctx context.Context, s *service) error {
	return h.annotate(ctx, s, k8shelper.Annotations{
		Set:    map[string]string{annotationPaused: "false"},
		Remove: []string{annotationPausedReplicas},
	})
}

func (h *Handler) annotate(ctx context.Context, s *service, a k8shelper.Annotations) error {
	object := s.scaledObject()
	if object == (k8shelper.Object{}) {
		return nil
	}
	return h.call.do(ctx, func(ctx context.Context) error { return h.ops.Annotate(ctx, object, a) })
}
