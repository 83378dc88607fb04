package clientset

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	discoveryclient "k8s.io/client-go/kubernetes/typed/discovery/v1"
	"k8s.io/utils/ptr"

	"github.com/scalelab/scalelab/sim/cluster"
)

// maxEndpoints is the EndpointSlice controller's default of
// --max-endpoints-per-slice.
const maxEndpoints = 100

// endpoints keeps the EndpointSlices of a service. Changes are collected and
// written by flush, a slice at most once.
type endpoints struct {
	client  kubernetes.Interface
	service *corev1.Service
	ports   []discoveryv1.EndpointPort
	slices  []*slice
	place   map[types.UID]*slice // where a pod's endpoint is
}

// slice is one EndpointSlice as it is to be, and whether the API differs.
type slice struct {
	object  *discoveryv1.EndpointSlice
	changed bool
}

// newEndpoints starts with an empty slice, as the controller keeps one for a
// service without pods.
func newEndpoints(client kubernetes.Interface, service *corev1.Service, containers []corev1.Container) *endpoints {
	e := &endpoints{
		client: client, service: service, ports: endpointPorts(service.Spec.Ports, containers),
		place: map[types.UID]*slice{},
	}
	e.add()
	return e
}

func (e *endpoints) add() *slice {
	s := &slice{changed: true, object: &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			GenerateName: e.service.Name + "-",
			Namespace:    e.service.Namespace,
			Labels: map[string]string{
				discoveryv1.LabelServiceName: e.service.Name,
				discoveryv1.LabelManagedBy:   "endpointslice-controller.k8s.io",
			},
			OwnerReferences: []metav1.OwnerReference{
				*metav1.NewControllerRef(e.service, corev1.SchemeGroupVersion.WithKind("Service")),
			},
		},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       e.ports,
	}}
	e.slices = append(e.slices, s)
	return s
}

// show makes a pod's endpoint say what its state means for traffic. A draining
// pod still serves, but takes nothing new.
func (e *endpoints) show(p *pod) {
	ready, draining := p.state == cluster.Ready, p.state == cluster.Draining
	if !ready && !draining {
		e.hide(p)
		return
	}
	conditions := discoveryv1.EndpointConditions{Ready: &ready, Serving: ptr.To(true), Terminating: &draining}
	s := e.place[p.uid]
	if s != nil {
		s.object.Endpoints[s.index(p.uid)].Conditions = conditions
		s.changed = true
		return
	}
	s = e.room()
	s.object.Endpoints = append(s.object.Endpoints, discoveryv1.Endpoint{
		Addresses:  []string{p.address()},
		Conditions: conditions,
		NodeName:   ptr.To(nodeName),
		TargetRef:  &corev1.ObjectReference{Kind: "Pod", Namespace: e.service.Namespace, Name: p.name, UID: p.uid},
	})
	s.changed = true
	e.place[p.uid] = s
}

// room is the first slice that can take one more endpoint.
func (e *endpoints) room() *slice {
	for _, s := range e.slices {
		if len(s.object.Endpoints) < maxEndpoints {
			return s
		}
	}
	return e.add()
}

// hide removes a pod's endpoint, if it has one. The last of the slice takes its place.
func (e *endpoints) hide(p *pod) {
	s := e.place[p.uid]
	if s == nil {
		return
	}
	delete(e.place, p.uid)
	list := s.object.Endpoints
	list[s.index(p.uid)] = list[len(list)-1]
	list[len(list)-1] = discoveryv1.Endpoint{}
	s.object.Endpoints = list[:len(list)-1]
	s.changed = true
}

func (s *slice) index(uid types.UID) int {
	for i := range s.object.Endpoints {
		if s.object.Endpoints[i].TargetRef.UID == uid {
			return i
		}
	}
	panic("clientset: pod " + string(uid) + " is not in its slice")
}

// flush writes the slices that have changed. Empty ones go, but for the last.
func (e *endpoints) flush(ctx context.Context) error {
	client := e.client.DiscoveryV1().EndpointSlices(e.service.Namespace)
	kept := e.slices[:0]
	for i, s := range e.slices {
		others := len(kept) + len(e.slices) - i - 1
		if len(s.object.Endpoints) == 0 && others > 0 {
			if s.object.Name != "" {
				if err := client.Delete(ctx, s.object.Name, metav1.DeleteOptions{}); err != nil {
					return err
				}
			}
			continue
		}
		kept = append(kept, s)
		if !s.changed {
			continue
		}
		if err := s.write(ctx, client); err != nil {
			return err
		}
	}
	e.slices = kept
	return nil
}

// write makes the API show the slice. What the server returns is kept: it
// carries the name and the version.
func (s *slice) write(ctx context.Context, client discoveryclient.EndpointSliceInterface) error {
	var written *discoveryv1.EndpointSlice
	var err error
	if s.object.Name == "" {
		written, err = client.Create(ctx, s.object, metav1.CreateOptions{})
	} else {
		written, err = client.Update(ctx, s.object, metav1.UpdateOptions{})
	}
	if err != nil {
		return err
	}
	s.object, s.changed = written, false
	return nil
}

// endpointPorts resolves the ports of a service on its pods.
func endpointPorts(ports []corev1.ServicePort, containers []corev1.Container) []discoveryv1.EndpointPort {
	var out []discoveryv1.EndpointPort
	for _, port := range ports {
		number := targetPort(port, containers)
		if number == 0 {
			continue // no container has a port of that name: the controller leaves it out, too
		}
		protocol := port.Protocol
		if protocol == "" {
			protocol = corev1.ProtocolTCP
		}
		out = append(out, discoveryv1.EndpointPort{
			Name: ptr.To(port.Name), Port: &number, Protocol: &protocol, AppProtocol: port.AppProtocol,
		})
	}
	return out
}

// targetPort is the number of the port on the pod, 0 if it has a name that no
// container knows.
func targetPort(port corev1.ServicePort, containers []corev1.Container) int32 {
	if name := port.TargetPort.StrVal; name != "" {
		for _, c := range containers {
			for _, p := range c.Ports {
				if p.Name == name {
					return p.ContainerPort
				}
			}
		}
		return 0
	}
	if port.TargetPort.IntVal != 0 {
		return port.TargetPort.IntVal
	}
	return port.Port
}
