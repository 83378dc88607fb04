package handler

import (
	"context"

	"github.com/scalelab/scalelab/k8shelper"
)

// stamp writes status.lastScaledUpTime, which the cooldown is counted from
// after a restart.
func (h *Handler) stamp(ctx context.Context, s *service) error {
	return h.patchStatus(ctx, s, k8shelper.ElastiStatus{LastScaledUpTime: s.autoscaler.ScaledUp()})
}

func (h *Handler) patchStatus(ctx context.Context, s *service, status k8shelper.ElastiStatus) error {
	err := h.call.do(ctx, func(ctx context.Context) error {
		return h.ops.PatchElastiStatus(ctx, s.key.Namespace, s.key.Name, status)
	})
	if err != nil {
		h.report.failed(ctx, s.reference, EventStatusFailed, err)
	}
	return err
}
