package clientset

import (
	"context"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/clock"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/hpa"
)

// hpaRecord writes what the HPA controller records about a decision.
type hpaRecord struct {
	client kubernetes.Interface
	clock  clock.PassiveClock
	object *autoscalingv2.HorizontalPodAutoscaler // as last written
	status hpa.Status
	events *recorder
}

// record emits the decision's events and writes the status if it has changed.
// current is the count that the decision was made on.
func (h *hpaRecord) record(ctx context.Context, current int32, d messages.Decision) error {
	for _, e := range d.Events {
		if err := h.events.emit(ctx, h.object, e); err != nil {
			return err
		}
	}
	if !h.status.Follow(h.clock.Now(), current, d) {
		return nil
	}
	written, err := h.client.AutoscalingV2().HorizontalPodAutoscalers(h.object.Namespace).UpdateStatus(ctx,
		&autoscalingv2.HorizontalPodAutoscaler{
			ObjectMeta: metav1.ObjectMeta{Name: h.object.Name, Namespace: h.object.Namespace, UID: h.object.UID},
			Status:     h.status.Written,
		}, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	h.object = written
	return nil
}
