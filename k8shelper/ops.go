// Package k8shelper is the Kubernetes edge: what a scale handler asks of a
// cluster, in its own words, on client-go's interfaces. It works on a real
// cluster as on k8shelper/fakecluster.
//
// It keeps no cache and never waits.
package k8shelper

import (
	"context"
	"errors"
	"fmt"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/scale"
)

// What the API server refused, for errors.Is. The server's own error is
// wrapped beside it.
var (
	ErrNotFound = errors.New("not found")
	ErrConflict = errors.New("conflict")
)

// conflictAttempts bounds how often a write is tried that others get ahead of.
// Every attempt reads the object again, so no pause is needed between them.
const conflictAttempts = 5

var deployments = schema.GroupResource{Group: "apps", Resource: "deployments"}

// Deployment names a Deployment.
type Deployment struct{ Namespace, Name string }

func (d Deployment) String() string { return "deployment " + d.Namespace + "/" + d.Name }

// Scale is what the scale subresource says, in pods.
type Scale struct {
	Desired  int32  // spec.replicas
	Created  int32  // status.replicas
	Selector string // status.selector: the pods' labels, as a query string
}

// Ops are operations on one cluster. They may be used from several goroutines
// if the clients may.
type Ops struct {
	client kubernetes.Interface
	scales scale.ScalesGetter
}

// New makes Ops on the given clients.
func New(client kubernetes.Interface, scales scale.ScalesGetter) *Ops {
	return &Ops{client: client, scales: scales}
}

// Scale reads the scale subresource of a Deployment. A missing one is ErrNotFound.
func (o *Ops) Scale(ctx context.Context, d Deployment) (Scale, error) {
	got, err := o.scales.Scales(d.Namespace).Get(ctx, deployments, d.Name, metav1.GetOptions{})
	if err != nil {
		return Scale{}, explain("read scale of "+d.String(), err)
	}
	return scaleFrom(got), nil
}

// SetScale sets spec.replicas of a Deployment through its scale subresource
// and returns what stands afterwards. A count that stands already is not
// written. A missing Deployment is ErrNotFound; five lost races in a row are
// ErrConflict.
func (o *Ops) SetScale(ctx context.Context, d Deployment, replicas int32) (Scale, error) {
	client := o.scales.Scales(d.Namespace)
	var err error
	for range conflictAttempts {
		var current *autoscalingv1.Scale
		current, err = client.Get(ctx, deployments, d.Name, metav1.GetOptions{})
		if err != nil {
			return Scale{}, explain("read scale of "+d.String(), err)
		}
		if current.Spec.Replicas == replicas {
			return scaleFrom(current), nil
		}
		current.Spec.Replicas = replicas
		var written *autoscalingv1.Scale
		written, err = client.Update(ctx, deployments, current, metav1.UpdateOptions{})
		if err == nil {
			return scaleFrom(written), nil
		}
		if !apierrors.IsConflict(err) {
			break
		}
	}
	return Scale{}, explain(fmt.Sprintf("set scale of %s to %d", d, replicas), err)
}

func scaleFrom(s *autoscalingv1.Scale) Scale {
	return Scale{Desired: s.Spec.Replicas, Created: s.Status.Replicas, Selector: s.Status.Selector}
}

// HasReadyEndpoint says whether any EndpointSlice of the service has an
// endpoint that takes traffic. A ready condition that is absent counts as
// true, as the EndpointSlice API defines it. A service that does not exist has none.
func (o *Ops) HasReadyEndpoint(ctx context.Context, namespace, service string) (bool, error) {
	slices, err := o.client.DiscoveryV1().EndpointSlices(namespace).List(ctx, metav1.ListOptions{
		LabelSelector: labels.Set{discoveryv1.LabelServiceName: service}.String(),
	})
	if err != nil {
		return false, explain("list endpoints of service "+namespace+"/"+service, err)
	}
	for _, slice := range slices.Items {
		for _, endpoint := range slice.Endpoints {
			if endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready {
				return true, nil
			}
		}
	}
	return false, nil
}

// refusal is an API error with the reason it stands for.
type refusal struct {
	attempt string
	kind    error
	cause   error
}

func (r *refusal) Error() string   { return r.attempt + ": " + r.cause.Error() }
func (r *refusal) Unwrap() []error { return []error{r.kind, r.cause} }

// explain says what was attempted, and makes the reason visible to errors.Is.
func explain(attempt string, err error) error {
	switch {
	case apierrors.IsNotFound(err):
		return &refusal{attempt, ErrNotFound, err}
	case apierrors.IsConflict(err):
		return &refusal{attempt, ErrConflict, err}
	}
	return fmt.Errorf("%s: %w", attempt, err)
}
