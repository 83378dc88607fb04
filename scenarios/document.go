// Package scenarios reads scenarios: one YAML file that says what runs (the
// workload), what comes in (the traffic) and who scales it (real manifests).
//
// The loader is strict. Each section is decoded into the Spec of the package
// that owns it, over that package's defaults, and validated there; whatever is
// wrong is reported with file, line, column and path. Nothing is accepted and
// ignored.
//
//	apiVersion: scalelab/v1alpha1
//	kind: Scenario
//	metadata: {name: checkout}
//	workload:
//	  manifests: [deployment.yaml]
//	traffic:
//	  - {name: base, for: 30m, rps: 80}
//	autoscalers:
//	  hpa-70: {manifests: [hpa.yaml]}
//	  hpa-50:
//	    extends: hpa-70
//	    patch: {spec: {metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]}}
//	  fixed: {replicas: 20}
//
// Load takes a file, "-" for standard input, or the name of a scenario of the
// embedded catalogue; Scenario.Spec makes the simulation's Spec for one of the
// autoscalers.
package scenarios

import (
	"time"

	"github.com/scalelab/scalelab/scaling/elasti"
	"github.com/scalelab/scalelab/scaling/hpa"
	"github.com/scalelab/scalelab/scaling/keda/httpaddon"
	"github.com/scalelab/scalelab/scenarios/strict"
	"github.com/scalelab/scalelab/sim"
	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/metrics"
	"github.com/scalelab/scalelab/sim/metrics/adapter"
	"github.com/scalelab/scalelab/sim/traffic"
)

// Document is a scenario as it is written.
type Document struct {
	APIVersion        string                     `yaml:"apiVersion" enum:"scalelab/v1alpha1" required:"true" doc:"version of the format"`
	Kind              string                     `yaml:"kind" enum:"Scenario" required:"true" doc:"always Scenario"`
	Metadata          Metadata                   `yaml:"metadata" required:"true" doc:"what the scenario is called"`
	KubernetesVersion string                     `yaml:"kubernetesVersion" enum:"1.33|1.34|1.35|1.36|1.37" doc:"version whose behaviour is simulated; default 1.37"`
	Seed              uint64                     `yaml:"seed" doc:"seed of all random numbers; default 1"`
	Start             time.Time                  `yaml:"start" doc:"instant of time 0; default 2026-01-05T00:00:00Z, a Monday"`
	Duration          *time.Duration             `yaml:"duration,omitempty" doc:"length of the run; default: the sum of the traffic phases"`
	Measure           Measure                    `yaml:"measure" doc:"what is measured"`
	Workload          Workload                   `yaml:"workload" doc:"what is scaled"`
	Lifecycle         cluster.Lifecycle          `yaml:"lifecycle" doc:"how long a pod takes from creation to its first request"`
	Pipeline          metrics.Pipeline           `yaml:"pipeline" doc:"how old metrics are when an autoscaler sees them"`
	Traffic           traffic.Spec               `yaml:"traffic" required:"true" doc:"phases of traffic that follow one another"`
	Metrics           map[string]metrics.Source  `yaml:"metrics,omitempty" doc:"what the names of metrics in manifests mean"`
	Nodes             *cluster.Nodes             `yaml:"nodes,omitempty" doc:"what the pods run on; default: every pod finds room at once"`
	Faults            []sim.Fault                `yaml:"faults,omitempty" doc:"what befalls the run"`
	Series            []metrics.Series           `yaml:"series,omitempty" doc:"what PromQL finds beyond the series of usual exporters, or in place of them"`
	Adapter           *adapter.Config            `yaml:"adapter,omitempty" doc:"rules of a prometheus-adapter, by which metrics of an HPA are PromQL; default: what they are is said by metrics"`
	Autoscalers       strict.Ordered[Autoscaler] `yaml:"autoscalers,omitempty" doc:"strategies by name; oracle is always there"`
	Controllers       Controllers                `yaml:"controllers" doc:"flags of the controllers that run the manifests"`
	KubeElasti        elasti.World               `yaml:"kubeelasti" doc:"which KubeElasti runs the ElastiServices, and what befalls it"`
	Knative           sim.KnativeWorld           `yaml:"knative" doc:"Knative Serving around its autoscaler"`
	Fleet             *sim.Fleet                 `yaml:"fleet,omitempty" doc:"many services instead of one; default: one"`
	Cost              *sim.Prices                `yaml:"cost,omitempty" doc:"prices; without them no cost is given"`
	Assertions        []Assertion                `yaml:"assertions,omitempty" doc:"what the results must be, checked by every run"`
}

// Metadata names a scenario.
type Metadata struct {
	Name        string `yaml:"name" required:"true" pattern:"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$" doc:"name of the scenario, and of a workload without manifests"`
	Description string `yaml:"description,omitempty" doc:"one sentence"`
}

// Measure says which part of a run counts.
type Measure struct {
	From time.Duration `yaml:"from" doc:"warm-up that is left out of latency, wait and replica statistics; request counters cover the whole run"`
}

// Workload is what is scaled.
type Workload struct {
	Manifests      Manifests            `yaml:"manifests,omitempty" doc:"a Deployment and optionally a Service, or a Service of Knative; without them both are made, named after the scenario"`
	Replicas       *int32               `yaml:"replicas,omitempty" min:"0" max:"100000" doc:"pods that are Ready at time 0; default: as in the Deployment, else 1"`
	PerPod         cluster.PerPod       `yaml:"perPod" doc:"what one pod can do"`
	Routing        cluster.Routing      `yaml:"routing" doc:"how a request finds a pod"`
	RequestTimeout time.Duration        `yaml:"requestTimeout" doc:"how long a client waits, over all attempts; 0s: for ever; default 30s"`
	OnTimeout      string               `yaml:"onTimeout" enum:"leave|cancel" doc:"what a pod does with a request in service whose client has given up; default leave"`
	Retries        cluster.Retries      `yaml:"retries" doc:"how clients try again"`
	Consumes       *cluster.Consumption `yaml:"consumes,omitempty" doc:"makes messages of the requests, which pods take from a queue; default: requests are sent to pods"`
	Probes         string               `yaml:"probes,omitempty" enum:"aside|queued" doc:"how a pod answers the probes of its manifest: aside of its requests, at once, or in turn with them; default aside"`
	PreStop        *time.Duration       `yaml:"preStop,omitempty" doc:"how long a deleted pod goes on as before; default: the sleep of the Deployment's preStop hook, else 0s"`
	GracePeriod    *time.Duration       `yaml:"gracePeriod,omitempty" doc:"how long a draining pod may finish what it holds; default: terminationGracePeriodSeconds of the Deployment, else 30s"`
}

// Autoscaler is one strategy: manifests, annotations of Knative, a fixed count,
// the oracle, a serverless platform, or another strategy with changes.
type Autoscaler struct {
	Manifests            Manifests           `yaml:"manifests,omitempty" doc:"a HorizontalPodAutoscaler, an ElastiService, or both; or a ScaledObject of KEDA, with an InterceptorRoute of its HTTP add-on, or an HTTPScaledObject; or a Service or Revision of Knative, with the ConfigMap config-autoscaler if it differs from controllers.knative"`
	Annotations          map[string]string   `yaml:"annotations,omitempty" doc:"a Knative revision with these annotations, on top of those of the workload's Knative Service"`
	ContainerConcurrency *int64              `yaml:"containerConcurrency,omitempty" min:"0" max:"1000" doc:"beside annotations: requests that a pod gets at the same time, 0 for no limit; default: as the workload's Knative Service says, else 0"`
	Replicas             *int32              `yaml:"replicas,omitempty" min:"0" max:"100000" doc:"a fixed number of pods"`
	Oracle               bool                `yaml:"oracle,omitempty" doc:"perfect scaling without delay; only true"`
	Serverless           *cluster.Serverless `yaml:"serverless,omitempty" doc:"instances that requests start, one request at a time, kept alive for a while"`
	Behaviour            string              `yaml:"behaviour,omitempty" enum:"fixed|v0.1.30|v0.1.21" doc:"which KubeElasti runs the ElastiService; default: as in kubeelasti"`
	Extends              string              `yaml:"extends,omitempty" doc:"the autoscaler whose manifests are patched"`
	Patch                Patch               `yaml:"patch,omitempty" doc:"JSON merge patch (RFC 7386) for the manifest; kind picks it when there are two"`
}

// Controllers are the flags of the controllers.
type Controllers struct {
	HPA       hpa.Controller       `yaml:"hpa" doc:"kube-controller-manager"`
	Elasti    elasti.Controller    `yaml:"elasti" doc:"operator and resolver of KubeElasti"`
	HTTPAddOn httpaddon.Controller `yaml:"httpAddOn" doc:"interceptor and scaler of KEDA's HTTP add-on"`
	Knative   map[string]string    `yaml:"knative,omitempty" doc:"data of Knative's ConfigMap config-autoscaler; what is left out has Knative's defaults"`
}

// Defaults is what a scenario is when it says nothing. Every section's defaults
// come from the package that owns it.
func Defaults() Document {
	workload := cluster.Defaults()
	return Document{
		KubernetesVersion: "1.37",
		Seed:              1,
		Start:             time.Date(2026, time.January, 5, 0, 0, 0, 0, time.UTC),
		Workload: Workload{
			PerPod:         workload.PerPod,
			Routing:        workload.Routing,
			RequestTimeout: workload.RequestTimeout,
			OnTimeout:      workload.OnTimeout,
			Retries:        *workload.Retries,
		},
		Lifecycle:   workload.Lifecycle,
		Pipeline:    metrics.Defaults(),
		Metrics:     metrics.DefaultSources(),
		KubeElasti:  elasti.DefaultWorld(),
		Knative:     sim.DefaultKnativeWorld(),
		Controllers: Controllers{HPA: hpa.DefaultController(), Elasti: elasti.DefaultController(), HTTPAddOn: httpaddon.DefaultController()},
	}
}
