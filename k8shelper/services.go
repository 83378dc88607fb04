package k8shelper

import (
	"context"
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// EnsurePrivateService makes sure that the private Service of a service stands
// and has its ports and selector, and returns its name. owner, if given, has it
// garbage-collected. A service that does not exist is ErrNotFound; one without
// a selector, or an ExternalName, is ErrInvalid: it has no pods to stand for.
// It writes only what differs.
func (o *Ops) EnsurePrivateService(ctx context.Context, namespace, service string, owner *metav1.OwnerReference) (string, error) {
	name := PrivateServiceName(service)
	attempt := "ensure private service of " + namespace + "/" + service
	if err := checkService(attempt, namespace, service); err != nil {
		return "", err
	}
	client := o.clients.Kubernetes.CoreV1().Services(namespace)
	err := persist(func() error {
		public, err := client.Get(ctx, service, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if public.Spec.Type == corev1.ServiceTypeExternalName || len(public.Spec.Selector) == 0 {
			return invalid("read service "+service, "found no selector, expected one that matches pods")
		}
		wanted := privateService(public, owner)
		current, err := client.Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			_, err = client.Create(ctx, wanted, metav1.CreateOptions{})
			return err
		}
		if err != nil {
			return err
		}
		changed := settleService(current.DeepCopy(), wanted)
		if equality.Semantic.DeepEqual(current, changed) {
			return nil
		}
		_, err = client.Update(ctx, changed, metav1.UpdateOptions{})
		return err
	})
	if err != nil {
		return "", explain(attempt, err)
	}
	return name, nil
}

// privateService is a Service to the same pods. What the cluster assigns
// (addresses, node ports) is left to it.
func privateService(public *corev1.Service, owner *metav1.OwnerReference) *corev1.Service {
	s := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{
			Name: PrivateServiceName(public.Name), Namespace: public.Namespace,
			Labels:          map[string]string{LabelManagedBy: ManagedBy, LabelPublicService: public.Name},
			OwnerReferences: owners(owner),
		},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeClusterIP, Selector: maps.Clone(public.Spec.Selector),
		},
	}
	for _, port := range public.Spec.Ports {
		port.NodePort = 0
		s.Spec.Ports = append(s.Spec.Ports, port)
	}
	if public.Spec.ClusterIP == corev1.ClusterIPNone {
		s.Spec.ClusterIP = corev1.ClusterIPNone
	}
	return s
}

// settleService gives a Service the parts of another that are ours to set.
func settleService(s, wanted *corev1.Service) *corev1.Service {
	if s.Labels == nil {
		s.Labels = map[string]string{}
	}
	maps.Copy(s.Labels, wanted.Labels)
	if len(wanted.OwnerReferences) > 0 {
		s.OwnerReferences = wanted.OwnerReferences
	}
	s.Spec.Type = wanted.Spec.Type
	s.Spec.Selector = wanted.Spec.Selector
	s.Spec.Ports = wanted.Spec.Ports
	return s
}

func owners(owner *metav1.OwnerReference) []metav1.OwnerReference {
	if owner == nil {
		return nil
	}
	return []metav1.OwnerReference{*owner}
}

// DeletePrivateService removes the private Service of a service. It may be
// gone already.
func (o *Ops) DeletePrivateService(ctx context.Context, namespace, service string) error {
	attempt := "delete private service of " + namespace + "/" + service
	if err := checkService(attempt, namespace, service); err != nil {
		return err
	}
	err := o.clients.Kubernetes.CoreV1().Services(namespace).Delete(ctx, PrivateServiceName(service), metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return explain(attempt, err)
	}
	return nil
}
