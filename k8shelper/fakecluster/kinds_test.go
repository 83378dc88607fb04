package fakecluster

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	quantity "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
	"k8s.io/utils/ptr"

	"github.com/scalelab/scalelab/k8shelper"
)

func customObject(gvr schema.GroupVersionResource, kind string, content map[string]any) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(gvr.GroupVersion().WithKind(kind))
	u.SetNamespace("default")
	u.SetName("web")
	return u
}

func TestScaleOfARollout(t *testing.T) {
	c, _ := newCluster(t, customObject(k8shelper.Rollouts, "Rollout", map[string]any{
		"spec":   map[string]any{"replicas": int64(2), "paused": true},
		"status": map[string]any{"HPAReplicas": int64(1), "selector": "app=web"},
	}))
	scales, gr := c.Scales.Scales("default"), k8shelper.Rollouts.GroupResource()
	scale, err := scales.Get(ctx, gr, "web", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, []any{int32(2), int32(1), "app=web", "1"},
		[]any{scale.Spec.Replicas, scale.Status.Replicas, scale.Status.Selector, scale.ResourceVersion})
	before, err := c.Dynamic.Resource(k8shelper.Rollouts).Namespace("default").Get(ctx, "web", metav1.GetOptions{})
	require.NoError(t, err)
	scale.Spec.Replicas = 0
	scale, err = scales.Update(ctx, gr, scale, metav1.UpdateOptions{})
	require.NoError(t, err)
	assert.Equal(t, []any{int32(0), "2"}, []any{scale.Spec.Replicas, scale.ResourceVersion})
	same, err := scales.Update(ctx, gr, scale, metav1.UpdateOptions{})
	require.NoError(t, err)
	assert.Equal(t, scale, same)
	after, err := c.Dynamic.Resource(k8shelper.Rollouts).Namespace("default").Get(ctx, "web", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"replicas": int64(0), "paused": true}, after.Object["spec"])
	assert.Equal(t, before.Object["status"], after.Object["status"])
	assert.Equal(t, int64(2), after.GetGeneration())
	assert.Equal(t, map[string]any{"replicas": int64(2), "paused": true}, before.Object["spec"], "what was read stays")
}

func TestScaleOfOtherCustomResources(t *testing.T) {
	kind := Kind{GroupVersionKind: widgetKind, Scale: &ScalePaths{Desired: ".spec.size", Created: ".status.size"}}
	c, err := New(Options{Clock: fixed{}, Kinds: []Kind{kind}})
	require.NoError(t, err)
	nothing := widget("nothing")
	delete(nothing.Object, "spec")
	require.NoError(t, c.Put(widget("w"), nothing, customObject(k8shelper.ScaledObjects, "ScaledObject", map[string]any{})))
	scales := c.Scales.Scales("default")
	scale, err := scales.Get(ctx, widgets.GroupResource(), "w", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, []any{int32(1), int32(0), ""}, []any{scale.Spec.Replicas, scale.Status.Replicas, scale.Status.Selector})
	_, err = scales.Get(ctx, widgets.GroupResource(), "nothing", metav1.GetOptions{})
	assert.True(t, apierrors.IsInternalError(err), err)
	assert.ErrorContains(t, err, `the spec replicas field ".spec.size" does not exist`)
	_, err = scales.Get(ctx, k8shelper.ScaledObjects.GroupResource(), "web", metav1.GetOptions{})
	assert.True(t, apierrors.IsNotFound(err), "no scale subresource: %v", err)
}

func TestTheMapperKnowsAllKinds(t *testing.T) {
	c, _ := newCluster(t)
	mapper := c.Clients().Mapper
	for resource, want := range map[schema.GroupVersionResource]schema.GroupVersionKind{
		{Resource: "events"}:                             corev1.SchemeGroupVersion.WithKind("Event"),
		{Version: "v1", Resource: "events"}:              corev1.SchemeGroupVersion.WithKind("Event"),
		{Group: "apps", Resource: "deployments"}:         appsv1.SchemeGroupVersion.WithKind("Deployment"),
		{Group: "argoproj.io", Resource: "rollouts"}:     k8shelper.Rollouts.GroupVersion().WithKind("Rollout"),
		{Group: "example.com", Resource: "widgets"}:      widgetKind,
		{Group: "metrics.k8s.io", Resource: "pods"}:      metricsv1beta1.SchemeGroupVersion.WithKind("PodMetrics"),
		{Group: "autoscaling.example", Resource: "none"}: {},
	} {
		got, err := mapper.KindFor(resource)
		assert.Equal(t, want, got)
		assert.Equal(t, want.Kind == "", meta.IsNoMatchError(err), "%s: %v", resource, err)
	}
	for kind, scope := range map[schema.GroupKind]meta.RESTScope{
		{Kind: "Node"}: meta.RESTScopeRoot, {Kind: "Pod"}: meta.RESTScopeNamespace, {Group: "example.com", Kind: "Widget"}: meta.RESTScopeNamespace,
	} {
		mapping, err := mapper.RESTMapping(kind)
		require.NoError(t, err)
		assert.Equal(t, scope, mapping.Scope, kind)
	}
	plain, err := New(Options{Clock: fixed{}})
	require.NoError(t, err)
	_, err = plain.Clients().Mapper.KindFor(widgets)
	assert.True(t, meta.IsNoMatchError(err), err)
}

func TestPodMetrics(t *testing.T) {
	usage := func(milli int64) *metricsv1beta1.PodMetrics {
		return &metricsv1beta1.PodMetrics{
			ObjectMeta: metav1.ObjectMeta{Name: "web-1", Namespace: "default", Labels: map[string]string{"app": "web"}},
			Containers: []metricsv1beta1.ContainerMetrics{{Name: "web", Usage: corev1.ResourceList{
				corev1.ResourceCPU: *quantity.NewMilliQuantity(milli, quantity.DecimalSI)}}},
		}
	}
	c, _ := newCluster(t)
	require.NoError(t, c.Put(usage(250)))
	require.NoError(t, c.Put(usage(500)), "in place of the first")
	list, err := c.Metrics.MetricsV1beta1().PodMetricses("default").List(ctx, metav1.ListOptions{LabelSelector: "app=web"})
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
	assert.Equal(t, int64(500), list.Items[0].Containers[0].Usage.Cpu().MilliValue())
	u, err := c.Dynamic.Resource(metricsv1beta1.SchemeGroupVersion.WithResource("pods")).Namespace("default").Get(ctx, "web-1", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, "PodMetrics", u.GetKind())
	require.NoError(t, c.Put(&metricsv1beta1.NodeMetrics{ObjectMeta: metav1.ObjectMeta{Name: "n"}}))
	node, err := c.Metrics.MetricsV1beta1().NodeMetricses().Get(ctx, "n", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, "n", node.Name)
}

func TestPutStoresTheStatus(t *testing.T) {
	c, client, d := created(t)
	d = d.DeepCopy()
	d.Spec.Replicas, d.Status.Replicas = ptr.To[int32](9), 8
	d.ResourceVersion, d.UID = "77", "another"
	require.NoError(t, c.Put(d, pod("p")))
	got, err := client.Get(ctx, "web", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, []any{int32(9), int32(8), int64(2), uid(1)}, []any{*got.Spec.Replicas, got.Status.Replicas, got.Generation, got.UID})
	require.NoError(t, c.Put(widget("w")))
	err = c.Put(&metav1.Status{})
	assert.ErrorContains(t, err, "fake cluster: put object: ")
	beta := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "apps/v1beta1", "kind": "Deployment"}}
	beta.SetName("web")
	assert.Error(t, c.Put(beta), "it lives in another version")
}
