package clientset

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/scalelab/scalelab/sim/cluster"
)

// nodeName is the node that all pods are bound to.
const nodeName = "simulated"

// pod is what the controllers remember about a Pod object between two writes.
type pod struct {
	id           int32
	name         string
	uid          types.UID
	state        cluster.State
	scheduled    metav1.Time
	readyChanged metav1.Time // last change of the Ready condition
}

// transit brings a Pod object into the state it changes to. A pod may skip
// states: one that is Ready without ever having been Pending is created, bound
// and reported Ready in one go.
func (a *Actuator) transit(ctx context.Context, t cluster.Transition) error {
	p := a.pods[t.Pod]
	if p == nil {
		if t.To >= cluster.Draining {
			return errors.New("the pod does not exist")
		}
		var err error
		if p, err = a.createPod(ctx, t.Pod); err != nil {
			return err
		}
		a.pods[t.Pod] = p
	}
	was := p.state
	p.state = t.To
	switch t.To {
	case cluster.Pending:
		return nil
	case cluster.Draining:
		a.endpoints.show(p)
		return ignoreNotFound(a.deletePod(ctx, p, nil))
	case cluster.Gone:
		delete(a.pods, t.Pod)
		a.endpoints.hide(p)
		return ignoreNotFound(a.deletePod(ctx, p, ptr.To[int64](0)))
	}
	return a.reportPod(ctx, p, was)
}

func (a *Actuator) createPod(ctx context.Context, id int32) (*pod, error) {
	name := cluster.PodName(a.target.Name, id)
	created, err := a.cluster.Client.CoreV1().Pods(a.target.Namespace).Create(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: a.target.Namespace,
			Labels: a.template.Labels, Annotations: a.template.Annotations,
		},
		Spec: a.template.Spec,
	}, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	return &pod{id: id, name: name, uid: created.UID}, nil
}

func (a *Actuator) deletePod(ctx context.Context, p *pod, grace *int64) error {
	return a.cluster.Client.CoreV1().Pods(a.target.Namespace).Delete(ctx, p.name, metav1.DeleteOptions{GracePeriodSeconds: grace})
}

// reportPod does what the scheduler and then the kubelet do for a pod on its
// way up.
func (a *Actuator) reportPod(ctx context.Context, p *pod, was cluster.State) error {
	client := a.cluster.Client.CoreV1().Pods(a.target.Namespace)
	now := metav1.NewTime(a.clock.Now().Truncate(time.Second))
	if was == cluster.Pending {
		err := client.Bind(ctx, &corev1.Binding{
			ObjectMeta: metav1.ObjectMeta{Name: p.name, Namespace: a.target.Namespace},
			Target:     corev1.ObjectReference{Kind: "Node", Name: nodeName},
		}, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		p.scheduled, p.readyChanged = now, now
	}
	if (was == cluster.Ready) != (p.state == cluster.Ready) {
		p.readyChanged = now
		a.endpoints.show(p)
	}
	// Only the status of what is sent counts, so the spec need not be copied.
	_, err := client.UpdateStatus(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: p.name, Namespace: a.target.Namespace, UID: p.uid},
		Status:     p.status(),
	}, metav1.UpdateOptions{})
	return err
}

// status is the status of a pod that is bound to a node.
func (p *pod) status() corev1.PodStatus {
	condition := func(kind corev1.PodConditionType, since metav1.Time) corev1.PodCondition {
		return corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: since}
	}
	ready := condition(corev1.PodReady, p.readyChanged)
	containers := condition(corev1.ContainersReady, p.readyChanged)
	if p.state != cluster.Ready {
		ready.Status, containers.Status = corev1.ConditionFalse, corev1.ConditionFalse
		ready.Reason, containers.Reason = "ContainersNotReady", "ContainersNotReady"
	}
	s := corev1.PodStatus{
		Phase:     corev1.PodPending,
		StartTime: &p.scheduled,
		Conditions: []corev1.PodCondition{
			condition(corev1.PodScheduled, p.scheduled), condition(corev1.PodInitialized, p.scheduled), containers, ready,
		},
	}
	if p.state >= cluster.Starting {
		s.Phase = corev1.PodRunning
		s.PodIP = p.address()
		s.PodIPs = []corev1.PodIP{{IP: s.PodIP}}
	}
	return s
}

// address is the pod's IP. Addresses of 10.0.0.0/8 are reused after 16 million pods.
func (p *pod) address() string {
	n := p.id + 1
	return fmt.Sprintf("10.%d.%d.%d", n>>16&0xff, n>>8&0xff, n&0xff)
}
