package clientset

import (
	"context"
	"fmt"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/clock"

	"github.com/scalelab/scalelab/messages"
)

// hpaStatus writes what the HPA controller records about a decision.
type hpaStatus struct {
	client kubernetes.Interface
	clock  clock.PassiveClock
	hpa    *autoscalingv2.HorizontalPodAutoscaler // as last read
}

// record writes the status if it has changed, and an Event for a rescale.
// current is the count that the decision was made on.
func (h *hpaStatus) record(ctx context.Context, current int32, d messages.Decision) error {
	status := h.hpa.Status
	status.CurrentReplicas = current
	// Without a usable metric the controller leaves the last wish standing.
	if d.Reason != messages.ReasonMetricFailed {
		status.DesiredReplicas = d.Desired
	}
	rescaled := d.Desired != current
	if rescaled {
		now := metav1.NewTime(h.clock.Now().Truncate(time.Second))
		status.LastScaleTime = &now
	} else if status.CurrentReplicas == h.hpa.Status.CurrentReplicas && status.DesiredReplicas == h.hpa.Status.DesiredReplicas {
		return nil
	}
	written, err := h.client.AutoscalingV2().HorizontalPodAutoscalers(h.hpa.Namespace).UpdateStatus(ctx,
		&autoscalingv2.HorizontalPodAutoscaler{
			ObjectMeta: metav1.ObjectMeta{Name: h.hpa.Name, Namespace: h.hpa.Namespace, UID: h.hpa.UID},
			Status:     status,
		}, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	h.hpa = written
	if !rescaled {
		return nil
	}
	return h.announce(ctx, d)
}

// announce creates the SuccessfulRescale Event. Its name is generated, because
// two loops may rescale at one instant.
func (h *hpaStatus) announce(ctx context.Context, d messages.Decision) error {
	now := metav1.NewTime(h.clock.Now().Truncate(time.Second))
	_, err := h.client.CoreV1().Events(h.hpa.Namespace).Create(ctx, &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{GenerateName: h.hpa.Name + ".", Namespace: h.hpa.Namespace},
		InvolvedObject: corev1.ObjectReference{
			APIVersion: "autoscaling/v2", Kind: "HorizontalPodAutoscaler",
			Namespace: h.hpa.Namespace, Name: h.hpa.Name, UID: h.hpa.UID, ResourceVersion: h.hpa.ResourceVersion,
		},
		Type:           corev1.EventTypeNormal,
		Reason:         "SuccessfulRescale",
		Message:        fmt.Sprintf("New size: %d; reason: %s", d.Desired, d.Message),
		Source:         corev1.EventSource{Component: "horizontal-pod-autoscaler"},
		FirstTimestamp: now, LastTimestamp: now, Count: 1,
	}, metav1.CreateOptions{})
	return err
}
