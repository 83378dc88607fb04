package clientset

import (
	"cmp"
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/scalelab/scalelab/k8shelper"
	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/elasti"
	"github.com/scalelab/scalelab/scaling/hpa"
	"github.com/scalelab/scalelab/sim"
)

var elastiKind = k8shelper.ElastiServices.GroupVersion().WithKind("ElastiService")

// check refuses objects that do not make a workload.
func check(o sim.Objects) error {
	d := o.Deployment
	switch {
	case d == nil:
		return messages.Invalidf("deployment", "found none, expected one")
	case o.Service == nil:
		return messages.Invalidf("service", "found none, expected one")
	case d.Name == "":
		return messages.Invalidf("deployment.metadata.name", "found no name, expected one")
	case d.Spec.Replicas != nil && *d.Spec.Replicas < 0:
		return messages.Invalidf("deployment.spec.replicas", "found %d, expected at least 0", *d.Spec.Replicas)
	}
	return checkSelector(d)
}

// checkSelector refuses a Deployment whose pods would not be its own, as the
// API server does.
func checkSelector(d *appsv1.Deployment) error {
	selector, err := metav1.LabelSelectorAsSelector(d.Spec.Selector)
	if err != nil {
		return messages.Invalidf("deployment.spec.selector", "%s", err)
	}
	if selector.Empty() || !selector.Matches(labels.Set(d.Spec.Template.Labels)) {
		return messages.Invalidf("deployment.spec.selector", "found %q, expected a selector that matches the labels of the pod template, %q",
			metav1.FormatLabelSelector(d.Spec.Selector), labels.Set(d.Spec.Template.Labels))
	}
	return nil
}

// createObjects creates everything but the pods.
func (a *Actuator) createObjects(ctx context.Context, o sim.Objects) error {
	client := a.cluster.Client
	deployment, err := client.AppsV1().Deployments(a.target.Namespace).
		Create(ctx, settled(o.Deployment.DeepCopy(), a.target), metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("create %s: %w", a.target, err)
	}
	a.template = deployment.Spec.Template
	service := settled(o.Service.DeepCopy(), a.target)
	service, err = client.CoreV1().Services(service.Namespace).Create(ctx, service, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("create service %s: %w", o.Service.Name, err)
	}
	a.endpoints = newEndpoints(client, service, a.template.Spec.Containers)
	if err := a.endpoints.flush(ctx); err != nil {
		return fmt.Errorf("create endpoints of service %s: %w", service.Name, err)
	}
	if o.Keda != nil {
		if err := a.createKeda(ctx, &o); err != nil {
			return err
		}
	}
	if o.HPA != nil {
		created := settled(o.HPA.DeepCopy(), a.target)
		created, err = client.AutoscalingV2().HorizontalPodAutoscalers(created.Namespace).Create(ctx, created, metav1.CreateOptions{})
		if err != nil {
			return fmt.Errorf("create horizontal pod autoscaler %s: %w", o.HPA.Name, err)
		}
		a.hpa = &hpaRecord{
			client: client, clock: a.clock, object: created, status: hpa.NewStatus(created, o.KubernetesVersion), events: newRecorder(client, a.clock),
		}
	}
	if o.Elasti != nil {
		if err := a.createElasti(ctx, o.Elasti, service.Name); err != nil {
			return err
		}
	}
	if o.Revision != nil {
		return a.createKnative(ctx, o.Revision)
	}
	return nil
}

// createElasti creates the custom resource; the conversion copies the manifest.
func (a *Actuator) createElasti(ctx context.Context, manifest *elasti.ElastiService, service string) error {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(manifest)
	if err != nil {
		return fmt.Errorf("convert elasti service %s: %w", manifest.Name, err)
	}
	u := settled(&unstructured.Unstructured{Object: content}, a.target)
	u.SetGroupVersionKind(elastiKind)
	client := a.cluster.Dynamic.Resource(k8shelper.ElastiServices).Namespace(u.GetNamespace())
	if _, err := client.Create(ctx, u, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create elasti service %s: %w", u.GetName(), err)
	}
	a.elasti = &kubeElasti{
		ops: a.ops, clock: a.clock, namespace: u.GetNamespace(), name: u.GetName(),
		service: cmp.Or(manifest.Spec.Service, service),
	}
	return nil
}

// settled makes a copy of a manifest fit for creation: what it leaves out
// follows the Deployment, and the version that one from a live cluster carries
// is dropped.
func settled[T metav1.Object](manifest T, follow k8shelper.Target) T {
	manifest.SetResourceVersion("")
	manifest.SetName(cmp.Or(manifest.GetName(), follow.Name))
	manifest.SetNamespace(cmp.Or(manifest.GetNamespace(), follow.Namespace))
	return manifest
}
