package scenarios

import (
	"maps"
	"time"

	"github.com/scalelab/scalelab/scaling/knative"
	"github.com/scalelab/scalelab/scenarios/strict"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// revision is what a strategy of Knative comes to.
type revision struct {
	knative.Revision
	config knative.Config

	// What a Resolved scenario shows: annotations, or manifests.
	written     map[string]string
	concurrency *int64
	manifests   []any
}

// isRevision says whether the manifests are those of Knative.
func (m manifests) isRevision() bool {
	return m[knativeKind.name] != nil || m[revisionKind.name] != nil || m[configMapKind.name] != nil
}

// readKnative makes a revision of the annotations of an entry, or of its
// manifests. One of the class hpa gets the HPA that Knative would make.
func (l *loader) readKnative(s *strategy, entry Autoscaler, at *strict.Node, m manifests) {
	known := len(l.problems)
	r := &revision{config: l.knativeConfig(m[configMapKind.name])}
	node := at
	switch service, own := m[knativeKind.name], m[revisionKind.name]; {
	case entry.Annotations != nil:
		l.annotate(r, entry, at)
	case s.hpa != nil || s.elasti != nil || m[kedaKind.name] != nil || m[httpKind.name] != nil || m[routeKind.name] != nil || service != nil && own != nil:
		l.problems.Addf(at.Get("manifests"), "found manifests of Knative beside others, expected a Service or a Revision, and the ConfigMap config-autoscaler")
	case service != nil:
		node = service.node
		typed := service.Object.(*knative.ServiceManifest)
		l.invalid(typed.Validate(r.config), node.Locate)
		l.checkRevisionName(service)
		r.Revision = typed.Revision()
	case own != nil:
		node = own.node
		typed := own.Object.(*knative.RevisionManifest)
		l.invalid(typed.Validate(r.config), node.Locate)
		r.Revision = typed.Revision()
	default:
		l.problems.Addf(m[configMapKind.name].node, "found a ConfigMap alone, expected a Service or a Revision of Knative beside it")
	}
	for _, o := range []*object{m[knativeKind.name], m[revisionKind.name], m[configMapKind.name]} {
		if o != nil {
			r.manifests = append(r.manifests, o.Object)
		}
	}
	if policy := l.root.Locate("workload.routing.policy"); l.doc.Workload.Routing.Policy == "central-queue" && l.doc.Workload.Consumes == nil {
		l.problems.Addf(policy, "found central-queue, expected random, round-robin, least-request or p2c: an ingress sends the requests of a Knative revision on at once")
	}
	if len(l.problems) > known || l.workload.deployment == nil {
		return
	}
	s.knative = r
	if r.Class(r.config) == knative.ClassHPA {
		manifest := knative.HPA(r.Revision, r.config, l.workload.deployment.Name)
		manifest.Namespace = l.workload.deployment.Namespace
		s.hpa = l.kubernetes().Defaults(manifest)
		l.checkHPAMetrics(node, s.hpa)
	}
}

// annotate lays an entry's annotations over those of the workload.
func (l *loader) annotate(r *revision, entry Autoscaler, at *strict.Node) {
	if w := l.workload.knative; w != nil {
		r.Revision = w.Revision()
	} else {
		r.Revision = (&knative.RevisionManifest{}).Revision()
	}
	annotations := maps.Clone(r.Annotations)
	if annotations == nil {
		annotations = map[string]string{}
	}
	maps.Copy(annotations, entry.Annotations)
	r.Annotations = annotations
	if entry.ContainerConcurrency != nil {
		r.ContainerConcurrency = *entry.ContainerConcurrency
	}
	r.written, r.concurrency = entry.Annotations, entry.ContainerConcurrency
	l.invalid(knative.ValidateRevision(annotations, r.config), at.Get("annotations").Locate)
}

// knativeConfig is the ConfigMap, or what the scenario says instead.
func (l *loader) knativeConfig(o *object) knative.Config {
	if o == nil {
		config, err := knative.ParseConfig(l.doc.Controllers.Knative)
		if err != nil {
			return knative.DefaultConfig() // reported with the section
		}
		return config
	}
	if name := o.GetName(); name != knative.ConfigName {
		at := o.node.Locate("metadata.name")
		l.problems.Addf(at, "found %s, expected %s", at.Found(), knative.ConfigName)
	}
	config, err := knative.ParseConfig(o.Object.(*corev1.ConfigMap).Data)
	l.invalid(err, o.node.Locate)
	return config
}

// checkKnativeConfig reports what is wrong with the section of the scenario.
func (l *loader) checkKnativeConfig() {
	_, err := knative.ParseConfig(l.doc.Controllers.Knative)
	l.invalid(err, func(field string) *strict.Node {
		return l.root.Locate("controllers.knative" + field[len("data"):])
	})
}

// checkRevisionName holds a Service of Knative against the workload.
func (l *loader) checkRevisionName(o *object) {
	if d := l.workload.deployment; d != nil && o.GetName() != d.Name {
		at := o.node.Locate("metadata.name")
		l.problems.Addf(at, "found %s, expected %s, the name of the workload", at.Found(), d.Name)
	}
}

// queueProxy is the container that Knative puts beside those of a revision, with
// the CPU that config-deployment gives it.
func queueProxy() corev1.Container {
	return corev1.Container{Name: "queue-proxy", Image: "queue-proxy", Resources: corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("25m")}}}
}

// deploymentOf is the Deployment that Knative makes for the revision of a Service.
func deploymentOf(s *knative.ServiceManifest) *appsv1.Deployment {
	d := madeDeployment(s.Name)
	d.Namespace = s.Namespace
	template := &d.Spec.Template
	template.Labels = maps.Clone(s.Spec.Template.Labels)
	if template.Labels == nil {
		template.Labels = map[string]string{}
	}
	maps.Copy(template.Labels, d.Spec.Selector.MatchLabels)
	template.Spec = *s.Spec.Template.Spec.PodSpec.DeepCopy()
	for i := range template.Spec.Containers {
		if c := &template.Spec.Containers[i]; c.Name == "" {
			c.Name = "user-container"
		}
	}
	template.Spec.Containers = append(template.Spec.Containers, queueProxy())
	grace := int64(s.Revision().Timeout / time.Second)
	template.Spec.TerminationGracePeriodSeconds = &grace
	return d
}
