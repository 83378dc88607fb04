package k8shelper

import (
	"context"
	"slices"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// HasReadyEndpoint says whether any EndpointSlice of the service has an
// endpoint that takes new traffic: ready (an absent condition counts as true,
// as the EndpointSlice API defines it) and not terminating. Slices whose
// endpointslice.kubernetes.io/managed-by label is one of notManagedBy are left
// out: with ManagedBy, the slice that leads to the resolver. A service that
// does not exist has no endpoint.
func (o *Ops) HasReadyEndpoint(ctx context.Context, namespace, service string, notManagedBy ...string) (bool, error) {
	found, err := o.endpointSlices(ctx, namespace, service, notManagedBy)
	if err != nil {
		return false, err
	}
	for _, slice := range found {
		if slices.ContainsFunc(slice.Endpoints, takesTraffic) {
			return true, nil
		}
	}
	return false, nil
}

// ReadyAddresses are the addresses of the service's endpoints that take new
// traffic, each once and in order. IPv6 addresses are given only if there is
// no IPv4 one, because an EndpointSlice holds a single family. notManagedBy is
// as for HasReadyEndpoint.
func (o *Ops) ReadyAddresses(ctx context.Context, namespace, service string, notManagedBy ...string) ([]string, error) {
	found, err := o.endpointSlices(ctx, namespace, service, notManagedBy)
	if err != nil {
		return nil, err
	}
	for _, family := range []discoveryv1.AddressType{discoveryv1.AddressTypeIPv4, discoveryv1.AddressTypeIPv6} {
		var addresses []string
		for _, slice := range found {
			for _, endpoint := range slice.Endpoints {
				if slice.AddressType == family && takesTraffic(endpoint) {
					// All addresses of an endpoint are the same pod; the API says to use the first.
					addresses = append(addresses, endpoint.Addresses[:min(1, len(endpoint.Addresses))]...)
				}
			}
		}
		if len(addresses) > 0 {
			slices.Sort(addresses)
			return slices.Compact(addresses), nil
		}
	}
	return nil, nil
}

func takesTraffic(e discoveryv1.Endpoint) bool {
	ready, terminating := e.Conditions.Ready, e.Conditions.Terminating
	return (ready == nil || *ready) && (terminating == nil || !*terminating)
}

// endpointSlices are the slices of a service without those managed by others named.
func (o *Ops) endpointSlices(ctx context.Context, namespace, service string, notManagedBy []string) ([]discoveryv1.EndpointSlice, error) {
	attempt := "list endpoints of service " + namespace + "/" + service
	if err := checkService(attempt, namespace, service); err != nil {
		return nil, err
	}
	list, err := o.clients.Kubernetes.DiscoveryV1().EndpointSlices(namespace).List(ctx, metav1.ListOptions{
		LabelSelector: labels.Set{discoveryv1.LabelServiceName: service}.String(),
	})
	if err != nil {
		return nil, explain(attempt, err)
	}
	return slices.DeleteFunc(list.Items, func(s discoveryv1.EndpointSlice) bool {
		manager, labeled := s.Labels[discoveryv1.LabelManagedBy]
		return labeled && slices.Contains(notManagedBy, manager)
	}), nil
}
