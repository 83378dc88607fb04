package scenarios

import (
	"fmt"
	"slices"

	"github.com/scalelab/scalelab/scaling/elasti"
	"github.com/scalelab/scalelab/scaling/hpa"
	"github.com/scalelab/scalelab/scaling/keda"
	"github.com/scalelab/scalelab/scenarios/strict"
	"github.com/scalelab/scalelab/sim"
	"github.com/scalelab/scalelab/sim/traffic"
)

// Scenario is a scenario that was read and found valid. It does not change and
// can be shared.
type Scenario struct {
	// Document is the scenario with its defaults filled in.
	Document Document

	workload   workload
	strategies []strategy
	plan       *traffic.Plan

	expectations []Expectation
	warnings     []Problem
}

// Name is the scenario's name.
func (s *Scenario) Name() string { return s.Document.Metadata.Name }

// Description says in a sentence what the scenario shows; it can be empty.
func (s *Scenario) Description() string { return s.Document.Metadata.Description }

// Warnings are what is probably not meant, sorted as the problems of an Error are: a
// PromQL query that selects no series that the scenario exposes.
func (s *Scenario) Warnings() []Problem { return s.warnings }

// Traffic is the scenario's traffic with its traces read.
func (s *Scenario) Traffic() *traffic.Plan { return s.plan }

// AutoscalerNames lists the strategies of the scenario in file order. The
// oracle is among them only if it is listed; Spec knows it always.
func (s *Scenario) AutoscalerNames() []string {
	var names []string
	for _, st := range s.strategies {
		if !st.unlisted {
			names = append(names, st.name)
		}
	}
	return names
}

func (s *Scenario) strategy(name string) (strategy, error) {
	var names []string
	for _, st := range s.strategies {
		if st.name == name {
			return st, nil
		}
		names = append(names, st.name)
	}
	return strategy{}, fmt.Errorf("scenario %s: autoscaler: found %s, expected one of %v%s", s.Name(), strict.Shown(name), names, strict.DidYouMean(name, names))
}

// Spec is the run of one autoscaler under one seed. The error says that there
// is no such autoscaler.
func (s *Scenario) Spec(autoscaler string, seed uint64) (sim.Spec, error) {
	st, err := s.strategy(autoscaler)
	if err != nil {
		return sim.Spec{}, err
	}
	spec := sim.Spec{
		Scenario:    s.Name(),
		Description: s.Description(),
		Workload:    s.workload.deployment.Name,
		Service:     s.workload.service.Name,
		Namespace:   s.workload.deployment.Namespace,
		Seed:        seed,
		Start:       s.Document.Start,
		Duration:    *s.Document.Duration,
		MeasureFrom: s.Document.Measure.From,
		Cluster:     s.workload.spec,
		Traffic:     s.plan,
		Pipeline:    s.Document.Pipeline,
		Sources:     s.Document.Metrics,
		Adapter:     s.Document.Adapter,
		Series:      s.Document.Series,
		Requests:    slices.Clone(s.workload.requests),
		Strategy:    sim.Strategy{Name: st.name, Manifest: st.manifest, Replicas: st.replicas, Oracle: st.oracle, Serverless: st.serverless},
		Fleet:       s.Document.Fleet,
		Prices:      s.Document.Cost,

		Faults: s.Document.Faults,
	}
	if st.hpa != nil {
		spec.Strategy.HPA = &hpa.Spec{Manifest: st.hpa.DeepCopy(), Controller: s.Document.Controllers.HPA,
			KubernetesVersion: hpa.Version(s.Document.KubernetesVersion)}
	}
	if st.keda != nil {
		spec.Strategy.Keda = &keda.Spec{Manifest: st.keda, HTTP: s.Document.Controllers.HTTPAddOn, Controller: s.Document.Controllers.HPA,
			KubernetesVersion: hpa.Version(s.Document.KubernetesVersion)}
	}
	if st.knative != nil {
		spec.Strategy.Knative = &sim.Knative{Revision: st.knative.Revision, Config: st.knative.config, World: s.Document.Knative}
	}
	if st.elasti != nil {
		spec.Strategy.Elasti = &elasti.Spec{Manifest: copied(st.elasti), Controller: s.Document.Controllers.Elasti, World: s.Document.KubeElasti}
		if st.behaviour != "" {
			spec.Strategy.Elasti.World.Behaviour = st.behaviour
		}
	}
	if st.replicas != nil {
		spec.Cluster.Replicas = *st.replicas
	}
	return spec, nil
}

// copied is a copy down to the parts that anybody changes.
func copied(manifest *elasti.ElastiService) *elasti.ElastiService {
	out := *manifest
	out.ObjectMeta = *manifest.ObjectMeta.DeepCopy()
	out.Spec.Triggers = slices.Clone(manifest.Spec.Triggers)
	return &out
}

// Objects makes copies of the API objects of one autoscaler's run. The error
// says that there is no such autoscaler.
func (s *Scenario) Objects(autoscaler string) (sim.Objects, error) {
	spec, err := s.Spec(autoscaler, s.Document.Seed)
	if err != nil {
		return sim.Objects{}, err
	}
	o := sim.Objects{Deployment: s.workload.deployment.DeepCopy(), Service: s.workload.service.DeepCopy()}
	replicas := spec.InitialReplicas()
	o.Deployment.Spec.Replicas = &replicas
	if spec.Strategy.HPA != nil {
		o.HPA, o.KubernetesVersion = spec.Strategy.HPA.Manifest, spec.Strategy.HPA.KubernetesVersion
	}
	if k := spec.Strategy.Keda; k != nil {
		o.Keda = k.Manifest
		o.KubernetesVersion = k.KubernetesVersion
	}
	if spec.Strategy.Elasti != nil {
		o.Elasti = spec.Strategy.Elasti.Manifest
	}
	if k := spec.Strategy.Knative; k != nil && spec.Strategy.HPA == nil {
		o.Revision = &k.Revision
	}
	return o, nil
}

// Resolved writes the scenario with every default filled in and every patch
// applied: manifests inline, traces still by path. It is a valid scenario that
// means the same when it stands beside the original.
func (s *Scenario) Resolved() ([]byte, error) {
	doc := s.Document
	doc.Workload.Manifests = inline(s.workload.given...)
	doc.Autoscalers = nil
	for _, st := range s.strategies {
		if st.unlisted {
			continue
		}
		doc.Autoscalers = append(doc.Autoscalers, strict.Named[Autoscaler]{Name: st.name, Value: st.resolved()})
	}
	return strict.Encode(doc)
}

// resolved is the entry of the autoscalers section that says the same without
// files, patches and other entries.
func (st *strategy) resolved() Autoscaler {
	a := Autoscaler{Replicas: st.replicas, Oracle: st.oracle, Serverless: st.serverless, Behaviour: st.behaviour}
	switch {
	case st.knative != nil:
		a.Annotations, a.ContainerConcurrency = st.knative.written, st.knative.concurrency
		a.Manifests = inline(st.knative.manifests...)
	case st.hpa != nil:
		a.Manifests = append(a.Manifests, inline(st.hpa)...)
	}
	a.Manifests = append(a.Manifests, inline(st.http...)...)
	if st.keda != nil && !st.made {
		a.Manifests = append(a.Manifests, inline(st.keda)...)
	}
	if st.elasti != nil {
		a.Manifests = append(a.Manifests, inline(st.elasti)...)
	}
	return a
}

func inline(objects ...any) Manifests {
	var list Manifests
	for _, o := range objects {
		list = append(list, Manifest{object: o})
	}
	return list
}
