package scenarios

import (
	"errors"
	"fmt"
	"slices"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/elasti"
	"github.com/scalelab/scalelab/scaling/hpa"
	"github.com/scalelab/scalelab/scenarios/strict"
	"github.com/scalelab/scalelab/sim/metrics"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
)

// checkQueries asks the metrics side whether it could answer an autoscaler.
// Fields of queries are paths in the manifest.
func (l *loader) checkQueries(n *strict.Node, queries []messages.Query) {
	if l.problems.Below("metrics") || l.problems.Below("pipeline") || l.problems.Below("series") || l.problems.Below("adapter") {
		return
	}
	spec := metrics.Spec{
		Pipeline: l.doc.Pipeline,
		Sources:  l.doc.Metrics,
		Adapter:  l.doc.Adapter,
		Series:   l.doc.Series,
		Requests: l.workload.requests,
		Start:    l.doc.Start,
		Queries:  [][]messages.Query{queries},
	}
	spec.Memory = l.doc.Workload.PerPod.Memory != nil
	if m := l.doc.Workload.Consumes; m != nil {
		spec.Consumes, spec.Partitions = true, m.Partitions
	}
	if w := l.workload; w.deployment != nil && w.service != nil {
		spec.Workload, spec.Namespace, spec.Service = w.deployment.Name, w.deployment.Namespace, w.service.Name
	}
	_, err := metrics.NewDoor(spec)
	l.invalid(err, n.Locate)
	if err == nil && spec.Workload != "" {
		for _, p := range metrics.Unselected(spec) {
			l.warn(n.Locate(p.Field), p.Problem)
		}
	}
}

// warn notes a warning, unless a strategy that shares the manifest has brought it.
func (l *loader) warn(at *strict.Node, text string) {
	var one strict.Problems
	one.Addf(at, "%s", text)
	if !slices.Contains(l.warnings, one[0]) {
		l.warnings = append(l.warnings, one[0])
	}
}

// checkPhases reports offsets that are not shorter than the period of an autoscaler's
// control loop, the first one of each place.
func (l *loader) checkPhases(s *Scenario) {
	if l.root.Get("pipeline").Get("phase") == nil && l.root.Get("pipeline").Get("phases") == nil {
		return
	}
	said := map[string]bool{}
	for _, st := range s.strategies {
		spec, err := s.Spec(st.name, s.Document.Seed)
		if err == nil {
			err = spec.CheckPhases()
		}
		var invalid *messages.Invalid
		if errors.As(err, &invalid) && !said[invalid.Field] {
			said[invalid.Field] = true
			l.invalid(err, l.root.Locate)
		}
	}
}

// checkHPAMetrics reports metrics that nothing in the simulation would answer.
func (l *loader) checkHPAMetrics(n *strict.Node, manifest *autoscalingv2.HorizontalPodAutoscaler) {
	known := len(l.problems)
	for i, metric := range manifest.Spec.Metrics {
		path := fmt.Sprintf("spec.metrics[%d].", i)
		l.checkQueueOfPods(n, i, metric)
		switch metric.Type {
		case autoscalingv2.ResourceMetricSourceType:
			l.checkResource(n.Locate(path+"resource"), metric.Resource.Name, metric.Resource.Target, "")
		case autoscalingv2.ContainerResourceMetricSourceType:
			source := metric.ContainerResource
			l.checkResource(n.Locate(path+"containerResource"), source.Name, source.Target, source.Container)
		}
	}
	if len(l.problems) > known || l.problems.Below("controllers.hpa") {
		return
	}
	a, err := hpa.New(hpa.Spec{Manifest: manifest, Controller: l.doc.Controllers.HPA, KubernetesVersion: l.kubernetes()})
	if err != nil {
		l.invalid(err, n.Locate)
		return
	}
	l.checkQueries(n, a.Queries())
}

// checkElastiMetrics does the same for the triggers of an ElastiService.
func (l *loader) checkElastiMetrics(n *strict.Node, manifest *elasti.ElastiService) {
	if l.problems.Below("controllers.elasti") {
		return
	}
	a, err := elasti.New(elasti.Spec{Manifest: manifest, Controller: l.doc.Controllers.Elasti}, l.doc.Start)
	if err != nil {
		l.invalid(err, n.Locate)
		return
	}
	l.checkQueries(n, a.Queries())
}

// checkResource wants, for a utilization, that the containers request the
// resource: without a request there is nothing to divide by.
func (l *loader) checkResource(source *strict.Node, name corev1.ResourceName, target autoscalingv2.MetricTarget, container string) {
	deployment := l.workload.deployment
	if deployment == nil {
		return // its own problems are reported
	}
	containers := slices.Concat(l.podSpec().Containers, sidecars(l.podSpec()))
	if container != "" {
		containers = slices.DeleteFunc(containers, func(c corev1.Container) bool { return c.Name != container })
		if len(containers) == 0 {
			at := source.Locate("container")
			l.problems.Addf(at, "found %s, expected a container of Deployment %s", strict.Shown(container), deployment.Name)
			return
		}
	}
	if target.Type != autoscalingv2.UtilizationMetricType {
		return
	}
	for _, c := range containers {
		if !l.isRequested(c.Name, string(name)) {
			l.problems.Addf(source.Locate("name"), "found a utilization of %s, expected a %s request in container %s of Deployment %s", name, name, c.Name, deployment.Name)
		}
	}
}

func (l *loader) isRequested(container, resource string) bool {
	return slices.ContainsFunc(l.workload.requests, func(r messages.ResourceRequest) bool {
		return r.Container == container && r.Resource == resource && r.Milli > 0
	})
}
