package scenarios

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/scalelab/scalelab/scaling/keda"
	"github.com/scalelab/scalelab/scenarios/strict"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// readKeda checks a ScaledObject as KEDA's webhook does, and the HPA that it would
// come to. It is alone, since nobody else may scale its workload. The kind that is
// written can be another, of which the ScaledObject was made.
func (l *loader) readKeda(o *object, m manifests) *keda.ScaledObject {
	manifest := o.Object.(*keda.ScaledObject)
	written := "a " + keda.Kind
	if o.kind.name != keda.Kind {
		written = "an " + o.kind.name
	}
	for _, other := range []string{hpaKind.name, elastiKind.name} {
		if m[other] != nil {
			l.problems.Addf(o.node.Get("kind"), "found %s beside %s %s, expected it alone: the workload would have two HPAs or two ways to zero",
				written, other, m[other].GetName())
			return nil
		}
	}
	if err := manifest.Validate(); err != nil {
		l.invalid(err, o.node.Locate)
		return nil
	}
	ref := manifest.Target()
	l.checkTarget(o, ref.APIVersion, ref.Kind, ref.Name)
	manifest.Namespace = cmp.Or(manifest.Namespace, metav1.NamespaceDefault)
	known := len(l.problems)
	l.checkKedaPartitions(o.node, manifest)
	if l.checkKedaHPA(o.node, manifest) {
		l.checkKedaRequests(o.node, manifest)
	}
	if len(l.problems) == known {
		l.checkKedaMetrics(o.node, manifest)
	}
	return manifest
}

// checkKedaHPA reports what the API server would refuse of the HPA, where the
// ScaledObject says it.
func (l *loader) checkKedaHPA(n *strict.Node, manifest *keda.ScaledObject) bool {
	errs := l.kubernetes().Validate(manifest.HPA())
	for _, e := range errs {
		const config = "spec.advanced.horizontalPodAutoscalerConfig"
		switch {
		case strings.HasPrefix(e.Field, "spec.behavior"):
			e.Field = config + strings.TrimPrefix(e.Field, "spec")
		case e.Field == "metadata.name" && manifest.HPAName() != "keda-hpa-"+manifest.Name:
			e.Field = config + ".name"
		}
	}
	return l.fieldErrors(n, errs)
}

// checkKedaRequests wants, for triggers cpu and memory of any kind of target, that
// the containers request the resource.
func (l *loader) checkKedaRequests(n *strict.Node, manifest *keda.ScaledObject) {
	deployment := l.workload.deployment
	if deployment == nil {
		return // its own problems are reported
	}
	for i, t := range manifest.Spec.Triggers {
		if t.Type != "cpu" && t.Type != "memory" {
			continue
		}
		at := n.Locate("spec.triggers[" + strconv.Itoa(i) + "]")
		container := t.Metadata["containerName"]
		containers := slices.Concat(l.podSpec().Containers, sidecars(l.podSpec()))
		if container != "" && !slices.ContainsFunc(containers, func(c corev1.Container) bool { return c.Name == container }) {
			l.problems.Addf(at.Locate("metadata.containerName"), "found %s, expected a container of Deployment %s", strict.Shown(container), deployment.Name)
			continue
		}
		if container == "" && l.isRequested("", t.Type) { // by the pod as a whole
			continue
		}
		for _, c := range containers {
			if (container == "" || c.Name == container) && !l.isRequested(c.Name, t.Type) {
				l.problems.Addf(at.Get("type"), "found %s, expected a %s request in container %s of Deployment %s", t.Type, t.Type, c.Name, deployment.Name)
			}
		}
	}
}

// checkKedaPartitions wants partitions where a trigger kafka looks at them one by one.
func (l *loader) checkKedaPartitions(n *strict.Node, manifest *keda.ScaledObject) {
	if m := l.doc.Workload.Consumes; m != nil && m.Partitions > 0 {
		return
	}
	for i, t := range manifest.Spec.Triggers {
		for _, key := range t.ByPartition() {
			at := n.Locate("spec.triggers[" + strconv.Itoa(i) + "].metadata." + key)
			l.problems.Addf(at, "found it for a queue without partitions, expected workload.consumes.partitions beside it")
		}
	}
}

// checkKedaMetrics asks the metrics side whether it could answer loop and HPA.
func (l *loader) checkKedaMetrics(n *strict.Node, manifest *keda.ScaledObject) {
	if l.problems.Below("controllers.hpa") || l.problems.Below("controllers.httpAddOn") {
		return
	}
	a, err := keda.New(keda.Spec{Manifest: manifest, HTTP: l.doc.Controllers.HTTPAddOn, Controller: l.doc.Controllers.HPA, KubernetesVersion: l.kubernetes()}, l.doc.Start)
	if err != nil {
		l.invalid(err, n.Locate)
		return
	}
	h, err := a.Horizontal()
	switch {
	case err != nil:
		l.invalid(err, n.Locate)
	case h == nil:
		l.checkQueries(n, a.Queries())
	default:
		l.checkQueries(n, h.Queries())
	}
}
