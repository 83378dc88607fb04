package knative

import (
	"fmt"
	"time"

	ours "github.com/scalelab/scalelab/scaling/knative"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"knative.dev/serving/pkg/apis/autoscaling"
	"knative.dev/serving/pkg/apis/autoscaling/v1alpha1"
	"knative.dev/serving/pkg/apis/serving"
)

const (
	namespace = "default"
	name      = "web"

	period = 2 * time.Second // of the engine's ticks
)

var key = types.NamespacedName{Namespace: namespace, Name: name}

// labels are those of everything that belongs to the revision.
var labels = map[string]string{
	serving.RevisionLabelKey:      name,
	serving.RevisionUID:           "uid",
	serving.ConfigurationLabelKey: name,
	serving.ServiceLabelKey:       name,
}

// podAutoscaler is the one of the manifests, with the defaults of the webhook.
func (m *manifests) podAutoscaler() *v1alpha1.PodAutoscaler {
	pa := &v1alpha1.PodAutoscaler{ObjectMeta: metav1.ObjectMeta{
		Name: name, Namespace: namespace, UID: "pa", Generation: 1, Labels: labels,
		Annotations: map[string]string{autoscaling.ClassAnnotationKey: autoscaling.KPA, autoscaling.MetricAnnotationKey: autoscaling.Concurrency},
	}}
	for k, v := range m.annotations {
		pa.Annotations[k] = v
	}
	pa.Spec.ContainerConcurrency = m.concurrency
	pa.Spec.ScaleTargetRef = corev1.ObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: name + "-deployment"}
	pa.Spec.Reachability = v1alpha1.ReachabilityReachable
	if m.unreachable {
		pa.Spec.Reachability = v1alpha1.ReachabilityUnreachable
	}
	return pa
}

// spec is what ours makes of the manifests.
func (m *manifests) spec(isNew bool, draw func(int) int) (ours.Spec, error) {
	config, err := ours.ParseConfig(m.data)
	if err != nil {
		return ours.Spec{}, err
	}
	revision := ours.RevisionManifest{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace, Annotations: m.annotations}}
	revision.Spec.ContainerConcurrency = &m.concurrency
	return ours.Spec{Revision: revision.Revision(), Config: config, New: isNew, Unreachable: m.unreachable, Draw: draw}, nil
}

// pod is a pod of the revision and what it is going to do.
type pod struct {
	id                   int
	started, ready, gone time.Time // gone: zero for one that is not deleted
	isReady              bool      // as the API shows it
}

// move brings the pod to an instant.
func (p *pod) move(now time.Time) { p.isReady = !p.ready.After(now) && p.gone.IsZero() }

func (p *pod) ip() string { return fmt.Sprintf("10.0.%d.%d", p.id/250, p.id%250+1) }

// object is the pod as the API shows it.
func (p *pod) object() *corev1.Pod {
	started := metav1.NewTime(p.started)
	o := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%s-%d", name, p.id), Namespace: namespace, Labels: labels},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIP: p.ip(), StartTime: &started,
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse}}},
	}
	if p.isReady {
		o.Status.Conditions[0].Status = corev1.ConditionTrue
	}
	if !p.gone.IsZero() {
		at := metav1.NewTime(p.gone)
		o.DeletionTimestamp = &at
		o.Finalizers = []string{"a/kubelet"} // or the fakes forget it at once
	}
	return o
}

// newPodIndex is a store that pod listers read.
func newPodIndex() cache.Indexer {
	return cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
}
