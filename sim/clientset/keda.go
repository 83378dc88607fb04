package clientset

import (
	"context"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/clock"

	"github.com/scalelab/scalelab/k8shelper"
	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/keda"
	"github.com/scalelab/scalelab/sim"
)

// kedaRecord writes the status of a ScaledObject: when it was last active, and its
// conditions.
type kedaRecord struct {
	ops    *k8shelper.Ops
	clock  clock.PassiveClock
	object k8shelper.Object

	hpaName    string
	lastActive string
	conditions []messages.Condition
}

// createKeda creates the ScaledObject, and gives the HPA that its operator makes of
// it; none while it is paused.
func (a *Actuator) createKeda(ctx context.Context, o *sim.Objects) error {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o.Keda)
	if err != nil {
		return fmt.Errorf("convert scaled object %s: %w", o.Keda.Name, err)
	}
	u := settled(&unstructured.Unstructured{Object: content}, a.target)
	u.SetGroupVersionKind(k8shelper.ScaledObjects.GroupVersion().WithKind(keda.Kind))
	created, err := a.cluster.Dynamic.Resource(k8shelper.ScaledObjects).Namespace(u.GetNamespace()).Create(ctx, u, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("create scaled object %s: %w", u.GetName(), err)
	}
	object := *o.Keda
	object.UID, object.Namespace = created.GetUID(), created.GetNamespace()
	a.keda = &kedaRecord{ops: a.ops, clock: a.clock,
		object: k8shelper.Object{Resource: k8shelper.ScaledObjects, Namespace: object.Namespace, Name: object.Name}}
	if !object.Paused() {
		o.HPA = o.KubernetesVersion.Defaults(object.HPA())
		a.keda.hpaName = o.HPA.Name
	}
	return nil
}

// record writes what has changed. A partly failing trigger, and one that may not
// scale out, count as no activity.
func (k *kedaRecord) record(ctx context.Context, d messages.Decision) error {
	lastActive := k.lastActive
	if len(d.Conditions) > 1 && d.Conditions[0].Status == "True" && d.Conditions[1].Status == "True" && d.Reason != messages.ReasonDisabled {
		lastActive = k.clock.Now().UTC().Format(time.RFC3339)
	}
	if lastActive == k.lastActive && slices.Equal(k.conditions, d.Conditions) {
		return nil
	}
	k.lastActive, k.conditions = lastActive, append(k.conditions[:0], d.Conditions...)
	return k.ops.PatchStatus(ctx, k.object, k.status())
}

func (k *kedaRecord) status() map[string]any {
	var conditions []any
	for _, c := range k.conditions {
		conditions = append(conditions, map[string]any{"type": c.Type, "status": c.Status, "reason": c.Reason})
	}
	status := map[string]any{"hpaName": k.hpaName, "conditions": conditions}
	if k.lastActive != "" {
		status["lastActiveTime"] = k.lastActive
	}
	return status
}
