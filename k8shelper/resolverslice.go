package k8shelper

import (
	"context"
	"maps"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	discoveryclient "k8s.io/client-go/kubernetes/typed/discovery/v1"
	"k8s.io/utils/ptr"
)

// ResolverSlice leads the traffic of a service to the resolver.
type ResolverSlice struct {
	Namespace, Service string
	// Addresses are the resolver's, all IPv4 or all IPv6. With none the slice
	// stands empty, so that no traffic goes to a resolver that is not there.
	Addresses []string
	// Port is the resolver's proxy port; every TCP port of the service leads to it.
	Port int32
	// Owner, if given, has the slice garbage-collected.
	Owner *metav1.OwnerReference
}

// EnsureResolverSlice makes sure that the slice stands as described. A service
// that does not exist is ErrNotFound; a description that cannot be is
// ErrInvalid. It writes only what differs.
func (o *Ops) EnsureResolverSlice(ctx context.Context, r ResolverSlice) error {
	attempt := "ensure endpoint slice to resolver of " + r.Namespace + "/" + r.Service
	family, err := r.check(attempt)
	if err != nil {
		return err
	}
	err = persist(func() error { return o.writeResolverSlice(ctx, r, family) })
	if err != nil {
		return explain(attempt, err)
	}
	return nil
}

// writeResolverSlice tries once.
func (o *Ops) writeResolverSlice(ctx context.Context, r ResolverSlice, family discoveryv1.AddressType) error {
	service, err := o.clients.Kubernetes.CoreV1().Services(r.Namespace).Get(ctx, r.Service, metav1.GetOptions{})
	if err != nil {
		return err
	}
	wanted := r.slice(service, family)
	client := o.clients.Kubernetes.DiscoveryV1().EndpointSlices(r.Namespace)
	current, err := client.Get(ctx, wanted.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		_, err = client.Create(ctx, wanted, metav1.CreateOptions{})
		return err
	case err != nil:
		return err
	case current.AddressType != family && len(r.Addresses) > 0:
		return replaceSlice(ctx, client, current, wanted)
	}
	changed := settleSlice(current.DeepCopy(), wanted)
	if equality.Semantic.DeepEqual(current, changed) {
		return nil
	}
	_, err = client.Update(ctx, changed, metav1.UpdateOptions{})
	return err
}

// replaceSlice gives the name to another slice: the family of addresses cannot
// be changed.
func replaceSlice(ctx context.Context, client discoveryclient.EndpointSliceInterface, old, wanted *discoveryv1.EndpointSlice) error {
	err := client.Delete(ctx, old.Name, metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(old.UID))})
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	_, err = client.Create(ctx, wanted, metav1.CreateOptions{})
	return err
}

// check validates the description and finds the addresses' family.
func (r ResolverSlice) check(attempt string) (discoveryv1.AddressType, error) {
	if err := checkService(attempt, r.Namespace, r.Service); err != nil {
		return "", err
	}
	if r.Port < 1 || r.Port > 65535 {
		return "", invalid(attempt, "found port %d, expected 1 to 65535", r.Port)
	}
	family := discoveryv1.AddressTypeIPv4
	for i, text := range r.Addresses {
		address, err := netip.ParseAddr(text)
		if err != nil || address.Zone() != "" {
			return "", invalid(attempt, "found address %q, expected an IP address", text)
		}
		of := discoveryv1.AddressTypeIPv4
		if address.Is6() {
			of = discoveryv1.AddressTypeIPv6
		}
		if i > 0 && of != family {
			return "", invalid(attempt, "found %s among %s addresses, expected one family", text, family)
		}
		family = of
	}
	return family, nil
}

// slice is the EndpointSlice in full. A port goes by its name in the service.
func (r ResolverSlice) slice(service *corev1.Service, family discoveryv1.AddressType) *discoveryv1.EndpointSlice {
	s := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Name: ResolverSliceName(r.Service), Namespace: r.Namespace,
			Labels:          map[string]string{discoveryv1.LabelServiceName: r.Service, discoveryv1.LabelManagedBy: ManagedBy},
			OwnerReferences: owners(r.Owner),
		},
		AddressType: family,
	}
	for _, port := range service.Spec.Ports {
		if port.Protocol == "" || port.Protocol == corev1.ProtocolTCP {
			s.Ports = append(s.Ports, discoveryv1.EndpointPort{
				Name: ptr.To(port.Name), Protocol: ptr.To(corev1.ProtocolTCP), Port: ptr.To(r.Port), AppProtocol: port.AppProtocol,
			})
		}
	}
	addresses := slices.Clone(r.Addresses)
	slices.Sort(addresses)
	for _, address := range slices.Compact(addresses) {
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{
			Addresses:  []string{address},
			Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(true), Serving: ptr.To(true), Terminating: ptr.To(false)},
		})
	}
	return s
}

// settleSlice gives a slice the parts of another that are ours to set.
func settleSlice(s, wanted *discoveryv1.EndpointSlice) *discoveryv1.EndpointSlice {
	if s.Labels == nil {
		s.Labels = map[string]string{}
	}
	maps.Copy(s.Labels, wanted.Labels)
	if len(wanted.OwnerReferences) > 0 {
		s.OwnerReferences = wanted.OwnerReferences
	}
	s.Endpoints, s.Ports = wanted.Endpoints, wanted.Ports
	return s
}

// DeleteResolverSlice removes the slice that leads a service's traffic to the
// resolver. It may be gone already.
func (o *Ops) DeleteResolverSlice(ctx context.Context, namespace, service string) error {
	attempt := "delete endpoint slice to resolver of " + namespace + "/" + service
	if err := checkService(attempt, namespace, service); err != nil {
		return err
	}
	err := o.clients.Kubernetes.DiscoveryV1().EndpointSlices(namespace).Delete(ctx, ResolverSliceName(service), metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return explain(attempt, err)
	}
	return nil
}
