package clientset

import (
	"context"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"

	"github.com/scalelab/scalelab/messages"
)

// hpaComponent is the source of the controller's Events.
const hpaComponent = "horizontal-pod-autoscaler"

// recorder writes Events as client-go's does, with its correlator: the same
// event again counts up, more than ten in ten minutes that differ only in the
// message become one, and of one type about one object 25 are written at once
// and then one in five minutes.
type recorder struct {
	client     kubernetes.Interface
	clock      clock.PassiveClock
	correlator *record.EventCorrelator
}

func newRecorder(client kubernetes.Interface, clock clock.PassiveClock) *recorder {
	return &recorder{client: client, clock: clock, correlator: record.NewEventCorrelator(clock)}
}

// emit writes an Event about the HPA, unless it is one too many. Its name is
// generated, because several may be emitted at one instant.
func (r *recorder) emit(ctx context.Context, about *autoscalingv2.HorizontalPodAutoscaler, e messages.Event) error {
	now := metav1.NewTime(r.clock.Now().Truncate(time.Second))
	result, err := r.correlator.EventCorrelate(&corev1.Event{
		ObjectMeta: metav1.ObjectMeta{GenerateName: about.Name + ".", Namespace: about.Namespace},
		InvolvedObject: corev1.ObjectReference{
			APIVersion: "autoscaling/v2", Kind: "HorizontalPodAutoscaler",
			Namespace: about.Namespace, Name: about.Name, UID: about.UID, ResourceVersion: about.ResourceVersion,
		},
		Type: e.Type, Reason: e.Reason, Message: e.Message,
		Source: corev1.EventSource{Component: hpaComponent}, ReportingController: hpaComponent,
		FirstTimestamp: now, LastTimestamp: now, Count: 1,
	})
	if err != nil || result.Skip {
		return err
	}
	written, err := r.write(ctx, result)
	if err == nil {
		r.correlator.UpdateState(written)
	}
	return err
}

// write patches the Event that counts up, or creates it anew when it has
// expired in the meantime.
func (r *recorder) write(ctx context.Context, result *record.EventCorrelateResult) (*corev1.Event, error) {
	event := result.Event
	client := r.client.CoreV1().Events(event.Namespace)
	if event.Count > 1 {
		written, err := client.Patch(ctx, event.Name, types.StrategicMergePatchType, result.Patch, metav1.PatchOptions{})
		if !apierrors.IsNotFound(err) {
			return written, err
		}
	}
	event.ResourceVersion = ""
	return client.Create(ctx, event, metav1.CreateOptions{})
}
