package keda

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/keda/httpaddon"
)

// What the metadata of a trigger for the HTTP add-on say.
const (
	scalerAddressKey    = "scalerAddress"
	httpScaledObjectKey = "httpScaledObject"
	interceptorRouteKey = "interceptorRoute"
)

const (
	pushTrigger  = "external-push"
	addOnAddress = "keda-add-ons-http-external-scaler.keda:9090" // where its chart puts the scaler
	addOnPolling = 15
)

// FromHTTP is the ScaledObject that the add-on's operator makes of a valid
// HTTPScaledObject.
func FromHTTP(o *httpaddon.HTTPScaledObject) *ScaledObject {
	target, route := o.Spec.ScaleTargetRef, o.Route()
	s := &ScaledObject{}
	s.APIVersion, s.Kind = APIVersion, Kind
	s.Name, s.Namespace = o.Name, o.Namespace
	s.Labels, s.Annotations = maps.Clone(o.Labels), maps.Clone(o.Annotations)
	s.Spec = ScaledObjectSpec{
		ScaleTargetRef:        ScaleTarget{APIVersion: target.APIVersion, Kind: target.Kind, Name: target.Name},
		PollingInterval:       new(int32(addOnPolling)),
		CooldownPeriod:        o.Spec.ScaledownPeriod,
		InitialCooldownPeriod: o.Spec.InitialCooldownPeriod,
		Advanced:              &AdvancedConfig{RestoreToOriginalReplicaCount: true},
		Triggers: []Trigger{{
			Type: pushTrigger, Route: &route,
			Metadata: map[string]string{scalerAddressKey: addOnAddress, httpScaledObjectKey: o.Name},
		}},
	}
	if r := o.Spec.Replicas; r != nil {
		s.Spec.MinReplicaCount, s.Spec.MaxReplicaCount = r.Min, r.Max
	}
	return s
}

// Routed names the object of the HTTP add-on that a trigger is for, and its kind;
// ok is false for a trigger of something else.
func (t *Trigger) Routed() (kind, name string, ok bool) {
	if t.Type != pushTrigger {
		return "", "", false
	}
	for _, of := range []struct{ key, kind string }{{interceptorRouteKey, httpaddon.RouteKind}, {httpScaledObjectKey, httpaddon.Kind}} {
		if name, found := t.Metadata[of.key]; found {
			return of.kind, name, true
		}
	}
	return "", "", false
}

// httpAddOn reads a trigger for the HTTP add-on, whose scaler answers from its polls.
// It says whether it is one.
func (r *reader) httpAddOn(t *trigger, index int) bool {
	kind, name, ok := r.trigger.Routed()
	if !ok {
		return false
	}
	key := httpScaledObjectKey
	if kind == httpaddon.RouteKind {
		key = interceptorRouteKey
	}
	route := r.trigger.Route
	if route == nil {
		r.addf(key, "found %.70q, expected the %s of that name beside the ScaledObject", name, kind)
		return true
	}
	r.text(httpScaledObjectKey, interceptorRouteKey, "httpScaledObjectVersion")
	r.misspelt("enableTLS", "unsafeSsl")
	t.addon, t.label = httpaddon.NewScaler(*route), fmt.Sprintf("trigger %d (pending requests)", index)
	if route.Rate {
		t.label = fmt.Sprintf("trigger %d (requests per second)", index)
	}
	t.serve(r, index, route.Metric, whole(int64(route.Target)), key)
	t.read = func(time.Time, *messages.Metric) reading {
		return reading{value: t.addon.Value(), active: t.addon.Active()}
	}
	return true
}

// checkRoutes wants one trigger for the HTTP add-on at the most.
func (o *ScaledObject) checkRoutes(problems *messages.Problems) {
	isRouted := func(t Trigger) bool { _, _, ok := t.Routed(); return ok }
	first := slices.IndexFunc(o.Spec.Triggers, isRouted)
	for i := range o.Spec.Triggers {
		if i > first && isRouted(o.Spec.Triggers[i]) {
			problems.Addf(field.NewPath("spec", "triggers").Index(i).String(), "found a second trigger for the HTTP add-on, expected one: all requests are for one route")
		}
	}
}

// Route is that of the HTTP add-on through which the workload's requests come; nil:
// there is none.
func (s *Spec) Route() *httpaddon.Route {
	if s.Manifest == nil {
		return nil
	}
	for i := range s.Manifest.Spec.Triggers {
		if r := s.Manifest.Spec.Triggers[i].Route; r != nil {
			return r
		}
	}
	return nil
}

// Collect has the add-on's scaler poll the interceptors. Only where there is a Route.
func (a *Autoscaler) Collect(now time.Time, counts ...httpaddon.Count) {
	a.triggers[a.pushed].addon.Poll(now, counts...)
}

// Hear is what the operator hears on the stream of the add-on's scaler, at a count of
// replicas. An idle scaler is passed over, and so is a busy one where the count has
// only to stay: then the activity is noted. It is true where a Push is due.
func (a *Autoscaler) Hear(now time.Time, replicas int32) bool {
	switch {
	case !a.triggers[a.pushed].addon.Active(), a.manifest.Paused():
		return false
	case a.leaves(replicas):
		return !annotated(a.manifest, pausedOutAnnotation)
	}
	a.mark(now)
	return false
}

// Push is what the operator does about work that it hears of.
func (a *Autoscaler) Push(now time.Time, seen messages.Replicas) messages.Decision {
	t := &a.triggers[a.pushed]
	a.trail.Begin()
	l := look{now: now, cur: seen.Desired}
	r := a.ask(l, a.pushed)
	a.tell(l, a.pushed, &r)
	s := state{active: true, cause: "the stream says that " + t.label}
	d := a.request(l, s)
	a.report(s, &d)
	d.Steps = a.trail.Steps
	return d
}
