package scenarios

import (
	"cmp"

	"github.com/scalelab/scalelab/scaling/keda"
	"github.com/scalelab/scalelab/scaling/keda/httpaddon"
	"github.com/scalelab/scalelab/scenarios/strict"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// readHTTP reads the manifests of KEDA's HTTP add-on. A ScaledObject with a trigger
// for them stands beside, or is made as the add-on's operator makes it.
func (l *loader) readHTTP(s *strategy, m manifests) {
	o, scaled := m[httpKind.name], m[kedaKind.name]
	if o == nil {
		o = m[routeKind.name]
	} else if other := m[routeKind.name]; other != nil {
		l.problems.Addf(other.node.Get("kind"), "found an InterceptorRoute beside an HTTPScaledObject, expected one of the two")
		return
	}
	known := len(l.problems)
	l.refuseConsumption(o.node.Get("kind"), "an "+o.kind.name)
	l.invalid(o.Object.(interface{ Validate() error }).Validate(), o.node.Locate)
	if len(l.problems) > known {
		return
	}
	o.SetNamespace(cmp.Or(o.GetNamespace(), metav1.NamespaceDefault))
	s.http = []any{o.Object}
	var route httpaddon.Route
	switch manifest := o.Object.(type) {
	case *httpaddon.HTTPScaledObject:
		route = manifest.Route()
		l.checkService(o.node.Locate("spec.scaleTargetRef.service"), manifest.Spec.ScaleTargetRef.Service)
		if manifest.LeavesScaledObject() {
			break
		}
		if scaled != nil {
			l.problems.Addf(scaled.node.Get("kind"), "found a ScaledObject beside an HTTPScaledObject, of which the add-on makes one, expected the HTTPScaledObject alone")
			return
		}
		made := object{Object: keda.FromHTTP(manifest), kind: o.kind, node: o.node}
		s.keda, s.made = l.readKeda(&made, m), true
		return
	case *httpaddon.InterceptorRoute:
		route = manifest.Route()
		l.checkService(o.node.Locate("spec.target.service"), manifest.Spec.Target.Service)
	}
	if scaled == nil {
		l.problems.Addf(o.node.Get("kind"), "found an %s alone, expected a ScaledObject with a trigger for it as well", o.kind.name)
		return
	}
	if !follow(scaled.Object.(*keda.ScaledObject), o.kind.name, &route) {
		l.problems.Addf(o.node.Locate("metadata.name"), "found %s, expected a trigger external-push of the ScaledObject that names it", strict.Shown(o.GetName()))
		return
	}
	l.checkNamespace(o)
	s.keda = l.readKeda(scaled, m)
}

// follow gives the triggers that name a route the route. It says whether any does.
func follow(manifest *keda.ScaledObject, kind string, route *httpaddon.Route) (any bool) {
	for i := range manifest.Spec.Triggers {
		if k, name, ok := manifest.Spec.Triggers[i].Routed(); ok && k == kind && name == route.Name {
			manifest.Spec.Triggers[i].Route, any = route, true
		}
	}
	return any
}

// checkService wants the name of the workload's Service.
func (l *loader) checkService(at *strict.Node, name string) {
	if service := l.workload.service; service != nil && name != service.Name {
		l.problems.Addf(at, "found %s, expected %s, the Service of the workload", at.Found(), service.Name)
	}
}
