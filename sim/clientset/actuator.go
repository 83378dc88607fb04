// Package clientset carries an autoscaler's decisions out through client-go:
// the workload lives as API objects in k8shelper/fakecluster, every decision
// goes through the Deployment's scale subresource, and what the loops are told
// about replicas is read back from there.
//
// It plays the parts of the controllers around an autoscaler as far as they
// show in the API: scheduler and kubelet (binding, pod status), the Deployment
// controller (pods, status), the EndpointSlice controller (slices of up to 100
// endpoints) and the status writers of the autoscalers.
//
// It leaves out ReplicaSets (pods have no owner), Nodes (all pods are bound to
// one name), container statuses, and endpoints of pods that are not Ready yet.
package clientset

import (
	"cmp"
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scalelab/scalelab/k8shelper"
	"github.com/scalelab/scalelab/k8shelper/fakecluster"
	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim"
	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/event"
)

var _ sim.Actuator = (*Actuator)(nil)

// Actuator implements sim.Actuator on a fake cluster. It belongs to one run
// and one goroutine, which keeps the order of all writes the same.
type Actuator struct {
	cluster *fakecluster.Cluster
	clock   *event.Clock
	ops     *k8shelper.Ops

	target     k8shelper.Target
	template   corev1.PodTemplateSpec
	generation int64 // of the Deployment, as its controller last saw it
	rescaled   bool  // the Deployment may have changed since
	counts     messages.Replicas
	pods       map[int32]*pod
	endpoints  *endpoints
	hpa        *hpaRecord
	elasti     *kubeElasti
	keda       *kedaRecord
	knative    *kpaRecord
}

// New makes the API objects of a run as they stand at time 0, which is the
// instant start. The initial pods come with the first Mirror. The Deployment,
// whose namespace is default if it has none, and the Service must be given; a
// name or namespace that another object lacks is the Deployment's. The objects
// are copied. Those that cannot be used are a *messages.Invalid.
func New(o sim.Objects, start time.Time) (*Actuator, error) {
	if err := check(o); err != nil {
		return nil, err
	}
	clock := event.NewClock(start)
	c, err := fakecluster.New(fakecluster.Options{Clock: clock})
	if err != nil {
		return nil, err
	}
	ops, err := k8shelper.New(c.Clients())
	if err != nil {
		return nil, err
	}
	a := &Actuator{
		cluster: c,
		clock:   clock,
		ops:     ops,
		target: k8shelper.Deployment(
			cmp.Or(o.Deployment.Namespace, metav1.NamespaceDefault), o.Deployment.Name),
		rescaled: true,
		pods:     map[int32]*pod{},
	}
	if err := a.createObjects(context.Background(), o); err != nil {
		return nil, err
	}
	c.ClearActions()
	return a, nil
}

// Name is "clientset".
func (a *Actuator) Name() string { return "clientset" }

// Cluster is the fake cluster with the workload's objects.
func (a *Actuator) Cluster() *fakecluster.Cluster { return a.cluster }

// Mirror writes the transitions as changes of Pods, each at its own instant,
// then the EndpointSlices, the Deployment's status and the way of the traffic if
// they have changed.
func (a *Actuator) Mirror(now time.Duration, changes []cluster.Transition, counts messages.Replicas) error {
	defer a.cluster.ClearActions()
	ctx := context.Background()
	for _, t := range changes {
		a.advance(t.At)
		if err := a.transit(ctx, t); err != nil {
			return fmt.Errorf("mirror pod %d becoming %s at %s: %w", t.Pod, t.To, t.At, err)
		}
	}
	a.advance(now)
	if err := a.endpoints.flush(ctx); err != nil {
		return fmt.Errorf("mirror endpoints at %s: %w", now, err)
	}
	if err := a.mirrorCounts(ctx, counts); err != nil {
		return fmt.Errorf("mirror status of %s at %s: %w", a.target, now, err)
	}
	if a.elasti != nil {
		if err := a.elasti.lead(ctx, counts); err != nil {
			return fmt.Errorf("lead the traffic of %s at %s: %w", a.target, now, err)
		}
	}
	return nil
}

// advance moves the clock on. Transitions of one Mirror are never older than
// the last one, except for those of the very instant it was called at.
func (a *Actuator) advance(now time.Duration) { a.clock.Set(max(now, a.clock.Elapsed())) }

// mirrorCounts writes the Deployment's status as its controller does.
func (a *Actuator) mirrorCounts(ctx context.Context, counts messages.Replicas) error {
	if counts.Created == a.counts.Created && counts.Ready == a.counts.Ready && !a.rescaled {
		return nil
	}
	client := a.cluster.Client.AppsV1().Deployments(a.target.Namespace)
	if a.rescaled {
		d, err := client.Get(ctx, a.target.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		a.generation = d.Generation
	}
	_, err := client.UpdateStatus(ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: a.target.Name, Namespace: a.target.Namespace},
		Status: appsv1.DeploymentStatus{
			ObservedGeneration: a.generation, Replicas: counts.Created, UpdatedReplicas: counts.Created,
			ReadyReplicas: counts.Ready, AvailableReplicas: counts.Ready,
			UnavailableReplicas: counts.Created - counts.Ready,
		},
	}, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	a.counts, a.rescaled = counts, false
	return nil
}

// Replicas reads the scale subresource and the Deployment's status.
func (a *Actuator) Replicas(now time.Duration) (messages.Replicas, error) {
	defer a.cluster.ClearActions()
	a.advance(now)
	ctx := context.Background()
	scale, err := a.ops.Scale(ctx, a.target)
	if err != nil {
		return messages.Replicas{}, err
	}
	d, err := a.cluster.Client.AppsV1().Deployments(a.target.Namespace).Get(ctx, a.target.Name, metav1.GetOptions{})
	if err != nil {
		return messages.Replicas{}, fmt.Errorf("read status of %s: %w", a.target, err)
	}
	return messages.Replicas{Desired: scale.Desired, Created: scale.Created, Ready: d.Status.ReadyReplicas}, nil
}

// Carry writes the decision through the scale subresource if it changes the
// count, and what the loop's own controller records about it.
func (a *Actuator) Carry(now time.Duration, loop string, d messages.Decision) (int32, error) {
	defer a.cluster.ClearActions()
	a.advance(now)
	ctx := context.Background()
	scale, err := a.ops.Scale(ctx, a.target)
	if err != nil {
		return 0, err
	}
	before := scale.Desired
	if d.Desired != before {
		if _, err := a.ops.SetScale(ctx, a.target, d.Desired); err != nil {
			return 0, err
		}
		a.rescaled = true
		if scale, err = a.ops.Scale(ctx, a.target); err != nil {
			return 0, err
		}
	}
	switch {
	case loop == "hpa" && a.hpa != nil:
		err = a.hpa.record(ctx, before, d)
	case loop == "elasti" && a.elasti != nil && wantsUp(d.Reason):
		err = a.elasti.stamp(ctx)
	case loop == "keda" && a.keda != nil:
		err = a.keda.record(ctx, d)
	case loop == "knative" && a.knative != nil:
		err = a.knative.record(ctx, a.counts.Ready, d)
	}
	if err != nil {
		return 0, fmt.Errorf("record decision of %s at %s: %w", loop, now, err)
	}
	return scale.Desired, nil
}

// wantsUp says whether a decision of the KubeElasti operator counts as a use of
// the workload.
func wantsUp(r messages.Reason) bool {
	return r == messages.ReasonScaleFromZero || r == messages.ReasonScaleUp || r == messages.ReasonActive
}

// ignoreNotFound is for deletions of what the server may have removed already.
func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
