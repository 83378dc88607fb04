package scenarios

import (
	"cmp"
	"maps"
	"strings"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/knative"
	"github.com/scalelab/scalelab/scenarios/strict"
	"github.com/scalelab/scalelab/sim/cluster"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
)

// workload is what the workload section comes to.
type workload struct {
	deployment *appsv1.Deployment
	service    *corev1.Service
	knative    *knative.ServiceManifest // of which the two were made; nil: they were not
	given      []any                    // the objects that were written, not made
	requests   []messages.ResourceRequest
	spec       cluster.Spec
}

// readWorkload decodes the manifests, makes those that are missing, and has
// the whole validated.
func (l *loader) readWorkload() {
	var deployment *object
	known := len(l.problems)
	for _, doc := range l.documents(l.doc.Workload.Manifests) {
		o := l.decode(doc, deploymentKind, serviceKind, knativeKind)
		if o == nil {
			continue
		}
		switch typed := o.Object.(type) {
		case *appsv1.Deployment:
			if l.workload.deployment != nil {
				l.problems.Addf(doc.Get("kind"), "found a second Deployment, expected one")
				continue
			}
			deployment, l.workload.deployment = o, typed
		case *corev1.Service:
			if l.workload.service != nil {
				l.problems.Addf(doc.Get("kind"), "found a second Service, expected one")
				continue
			}
			l.workload.service = typed
		case *knative.ServiceManifest:
			if l.workload.deployment != nil || l.workload.service != nil {
				l.problems.Addf(doc.Get("kind"), "found a Service of Knative beside other manifests, expected it alone: Knative makes Deployment and Service")
				continue
			}
			deployment, l.workload.knative, l.workload.deployment = o, typed, deploymentOf(typed)
			l.refuseConsumption(doc.Get("kind"), "a Service of Knative")
			l.invalid(typed.Validate(l.knativeConfig(nil)), doc.Locate)
		}
		l.workload.given = append(l.workload.given, o.Object)
	}
	if deployment != nil {
		l.checkDeployment(deployment)
		l.workload.requests = requests(l.podSpec())
	}
	if len(l.problems) == known {
		l.complete()
	}
	l.clusterSpec(deployment)
}

// checkDeployment looks at what the simulation relies on.
func (l *loader) checkDeployment(o *object) {
	d := l.workload.deployment
	l.checkName(o)
	template := d.Spec.Template
	if len(template.Spec.Containers) == 0 {
		at := o.node.Locate("spec.template.spec.containers")
		l.problems.Addf(at, "found nothing, expected at least one container")
	}
	if version := l.kubernetes(); template.Spec.Resources != nil && !version.KnowsPodResources() {
		at := o.node.Locate("spec.template.spec.resources")
		l.problems.Addf(at, "found resources of the whole pod, expected them in its containers: Kubernetes %s drops the field", version)
	}
	if l.workload.knative != nil {
		return
	}
	selector, err := metav1.LabelSelectorAsSelector(d.Spec.Selector)
	at := o.node.Locate("spec.selector")
	switch {
	case err != nil:
		l.problems.Addf(at, "%s, expected a valid selector", err)
	case selector.Empty() || d.Spec.Selector == nil:
		l.problems.Addf(at, "found nothing, expected matchLabels that match the labels of the pods")
	case !selector.Matches(labels.Set(template.Labels)):
		l.problems.Addf(at, "found %s, expected a match for the labels of the pods, which are %s", selector, labels.Set(template.Labels))
	}
}

// checkName reports a name that no API server would take.
func (l *loader) checkName(o *object) {
	if bad := validation.IsDNS1123Subdomain(o.GetName()); len(bad) > 0 {
		at := o.node.Locate("metadata.name")
		l.problems.Addf(at, "found %s, expected a name such as checkout-v2", at.Found())
	}
}

// complete makes the Deployment and the Service when they were not given, and
// checks that given ones belong together.
func (l *loader) complete() {
	w := &l.workload
	if w.deployment == nil {
		w.deployment = madeDeployment(l.doc.Metadata.Name)
	}
	w.deployment.Namespace = cmp.Or(w.deployment.Namespace, metav1.NamespaceDefault)
	if w.service == nil {
		w.service = madeService(w.deployment)
	}
	w.service.Namespace = cmp.Or(w.service.Namespace, metav1.NamespaceDefault)
	at := l.root.Locate("workload.manifests")
	pods := labels.Set(w.deployment.Spec.Template.Labels)
	if selector := labels.Set(w.service.Spec.Selector); !selector.AsSelector().Matches(pods) {
		l.problems.Addf(at, "found Service %s with the selector %s, expected a match for the labels of the pods, which are %s", w.service.Name, selector, pods)
	}
	if w.service.Namespace != w.deployment.Namespace {
		l.problems.Addf(at, "found Service %s in namespace %s, expected %s as the Deployment", w.service.Name, w.service.Namespace, w.deployment.Namespace)
	}
}

func madeDeployment(name string) *appsv1.Deployment {
	app := map[string]string{"app": name}
	return &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: app},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: app},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: app},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: name}}},
			},
		},
	}
}

func madeService(d *appsv1.Deployment) *corev1.Service {
	return &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: metav1.ObjectMeta{Name: d.Name, Namespace: d.Namespace, Labels: d.Labels},
		Spec: corev1.ServiceSpec{
			Selector: maps.Clone(d.Spec.Template.Labels),
			Ports:    []corev1.ServicePort{{Name: "http", Port: 80}},
		},
	}
}

func (l *loader) podSpec() corev1.PodSpec {
	if l.workload.deployment == nil {
		return corev1.PodSpec{}
	}
	return l.workload.deployment.Spec.Template.Spec
}

// clusterSpec puts the simulation's view of the workload together. What the
// scenario says wins over the Deployment.
func (l *loader) clusterSpec(deployment *object) {
	l.resolveCores()
	l.resolveConsumption()
	section, defaults := l.doc.Workload, cluster.Defaults()
	spec := cluster.Spec{
		Replicas:       defaults.Replicas,
		PerPod:         section.PerPod,
		Routing:        section.Routing,
		RequestTimeout: section.RequestTimeout,
		OnTimeout:      section.OnTimeout,
		Retries:        &section.Retries,
		GracePeriod:    defaults.GracePeriod,
		Lifecycle:      l.doc.Lifecycle,
		Consumes:       section.Consumes,
	}
	if d := l.workload.deployment; d != nil && d.Spec.Replicas != nil {
		spec.Replicas = *d.Spec.Replicas
	}
	if grace := l.podSpec().TerminationGracePeriodSeconds; grace != nil {
		const most = int64(strict.MaxDuration / time.Second)
		spec.GracePeriod = time.Duration(min(max(*grace, -1), most)) * time.Second
	}
	if section.Replicas != nil {
		spec.Replicas = *section.Replicas
	}
	if section.GracePeriod != nil {
		spec.GracePeriod = *section.GracePeriod
	}
	if c := l.application(); c != nil {
		spec.MemoryLimitBytes = c.Resources.Limits.Memory().Value()
	}
	spec.Probes, spec.PreStop, spec.Update, spec.Nodes = l.probes(), l.preStop(deployment), l.update(deployment), l.doc.Nodes
	steady := steadyRequests(l.podSpec())
	spec.CPURequestMilli, spec.MemoryRequestBytes = steady.Cpu().MilliValue(), steady.Memory().Value()
	l.workload.spec = spec
	if !l.problems.Below("workload") && !l.problems.Below("lifecycle") && !l.problems.Below("nodes") {
		l.invalid(spec.Validate(), func(field string) *strict.Node { return l.workloadNode(deployment, field) })
	}
}

// workloadNode finds where a field of cluster.Spec was written.
func (l *loader) workloadNode(deployment *object, field string) *strict.Node {
	switch {
	case strings.HasPrefix(field, "lifecycle"), strings.HasPrefix(field, "nodes"):
		return l.root.Locate(field)
	case strings.HasPrefix(field, "probes.") && deployment != nil:
		return deployment.node.Locate("spec.template.spec.containers[0]." + strings.TrimPrefix(field, "probes."))
	case strings.HasPrefix(field, "update.minReady") && deployment != nil:
		return deployment.node.Locate("spec.minReadySeconds")
	case strings.HasPrefix(field, "update.") && deployment != nil:
		return deployment.node.Locate("spec.strategy.rollingUpdate." + strings.TrimPrefix(field, "update."))
	case field == "replicas" && l.doc.Workload.Replicas == nil && deployment != nil:
		return deployment.node.Locate("spec.replicas")
	case field == "gracePeriod" && l.doc.Workload.GracePeriod == nil && deployment != nil:
		return deployment.node.Locate("spec.template.spec.terminationGracePeriodSeconds")
	}
	return l.root.Locate(below("workload", field))
}
