package fakecluster

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"
)

func TestScaleThroughBothClients(t *testing.T) {
	c, client, d := created(t)
	d.Status.Replicas = 2
	d, err := client.UpdateStatus(ctx, d, metav1.UpdateOptions{})
	require.NoError(t, err)

	scale, err := client.GetScale(ctx, "web", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, &autoscalingv1.Scale{
		ObjectMeta: metav1.ObjectMeta{
			Name: "web", Namespace: "default", UID: d.UID, ResourceVersion: "2", CreationTimestamp: d.CreationTimestamp,
		},
		Spec:   autoscalingv1.ScaleSpec{Replicas: 3},
		Status: autoscalingv1.ScaleStatus{Replicas: 2, Selector: "app=web"},
	}, scale)

	scale.Spec.Replicas = 5
	written, err := client.UpdateScale(ctx, "web", scale, metav1.UpdateOptions{})
	require.NoError(t, err)
	assert.Equal(t, int32(5), written.Spec.Replicas)
	assert.Equal(t, "3", written.ResourceVersion)

	scales := c.Scales.Scales("default")
	other, err := scales.Get(ctx, deploymentsGVR.GroupResource(), "web", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, written, other)
	other.Spec.Replicas = 0
	other, err = scales.Update(ctx, deploymentsGVR.GroupResource(), other, metav1.UpdateOptions{})
	require.NoError(t, err)
	assert.Equal(t, int32(0), other.Spec.Replicas)

	d, err = client.Get(ctx, "web", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, ptr.To[int32](0), d.Spec.Replicas)
	assert.Equal(t, int64(3), d.Generation, "two changes of the spec")
	assert.Equal(t, int32(2), d.Status.Replicas, "the status stays")

	_, err = client.UpdateScale(ctx, "web", written, metav1.UpdateOptions{})
	assert.True(t, apierrors.IsConflict(err), "stale: %v", err)
}

func TestScaleOfEveryScalableKind(t *testing.T) {
	meta := metav1.ObjectMeta{Name: "db", Namespace: "default"}
	c, _ := newCluster(t,
		&appsv1.StatefulSet{ObjectMeta: meta}, &appsv1.ReplicaSet{ObjectMeta: meta, Spec: appsv1.ReplicaSetSpec{Replicas: ptr.To[int32](4)}},
		&appsv1.DaemonSet{ObjectMeta: meta})
	for resource, replicas := range map[string]int32{"statefulsets": 1, "replicasets": 4} {
		gr := schema.GroupResource{Group: "apps", Resource: resource}
		scale, err := c.Scales.Scales("default").Get(ctx, gr, "db", metav1.GetOptions{})
		require.NoError(t, err, resource)
		assert.Equal(t, replicas, scale.Spec.Replicas, resource)
		assert.Equal(t, "", scale.Status.Selector, resource)
		scale.Spec.Replicas = 7
		scale, err = c.Scales.Scales("default").Update(ctx, gr, scale, metav1.UpdateOptions{})
		require.NoError(t, err, resource)
		assert.Equal(t, int32(7), scale.Spec.Replicas, resource)
	}
	gr := schema.GroupResource{Group: "apps", Resource: "daemonsets"}
	_, err := c.Scales.Scales("default").Get(ctx, gr, "db", metav1.GetOptions{})
	assert.True(t, apierrors.IsNotFound(err), "not scalable: %v", err)
	_, err = c.Scales.Scales("default").Update(ctx, gr, &autoscalingv1.Scale{ObjectMeta: meta}, metav1.UpdateOptions{})
	assert.True(t, apierrors.IsNotFound(err), "not scalable: %v", err)
}

func TestScaleRefusals(t *testing.T) {
	c, client, _ := created(t)
	_, err := client.GetScale(ctx, "missing", metav1.GetOptions{})
	assert.True(t, apierrors.IsNotFound(err), err)
	_, err = client.UpdateScale(ctx, "missing", &autoscalingv1.Scale{ObjectMeta: metav1.ObjectMeta{Name: "missing"}}, metav1.UpdateOptions{})
	assert.True(t, apierrors.IsNotFound(err), err)
	_, err = client.UpdateScale(ctx, "web", &autoscalingv1.Scale{
		ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: autoscalingv1.ScaleSpec{Replicas: -1}}, metav1.UpdateOptions{})
	assert.True(t, apierrors.IsInvalid(err), err)
	_, err = client.UpdateScale(ctx, "web", &autoscalingv1.Scale{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "other"}}, metav1.UpdateOptions{})
	assert.True(t, apierrors.IsBadRequest(err), err)
	_, err = c.Scales.Scales("default").Patch(ctx, deploymentsGVR, "web", types.MergePatchType, []byte(`{}`), metav1.PatchOptions{})
	assert.True(t, apierrors.IsNotFound(err), err)
	dynamic := c.Dynamic.Resource(deploymentsGVR).Namespace("default")
	_, err = dynamic.Update(ctx, widget("web"), metav1.UpdateOptions{}, "scale")
	assert.True(t, apierrors.IsBadRequest(err), "not a Scale: %v", err)
	_, err = dynamic.Update(ctx, &unstructured.Unstructured{Object: map[string]any{}}, metav1.UpdateOptions{}, "scale")
	assert.True(t, apierrors.IsBadRequest(err), "no kind: %v", err)
}

func TestTheDynamicClientSharesTheState(t *testing.T) {
	c, client, _ := created(t)
	dynamic := c.Dynamic.Resource(deploymentsGVR).Namespace("default")
	u, err := dynamic.Get(ctx, "web", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, "apps/v1", u.GetAPIVersion())
	assert.Equal(t, "Deployment", u.GetKind())
	require.NoError(t, unstructured.SetNestedField(u.Object, int64(8), "spec", "replicas"))
	u, err = dynamic.Update(ctx, u, metav1.UpdateOptions{})
	require.NoError(t, err)
	assert.Equal(t, int64(2), u.GetGeneration())

	d, err := client.Get(ctx, "web", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, ptr.To[int32](8), d.Spec.Replicas)

	list, err := dynamic.List(ctx, metav1.ListOptions{})
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
	assert.Equal(t, "web", list.Items[0].GetName())
	assert.Equal(t, "2", list.GetResourceVersion())

	scale, err := dynamic.Get(ctx, "web", metav1.GetOptions{}, "scale")
	require.NoError(t, err)
	assert.Equal(t, "Scale", scale.GetKind())
	require.NoError(t, unstructured.SetNestedField(scale.Object, int64(1), "spec", "replicas"))
	scale, err = dynamic.Update(ctx, scale, metav1.UpdateOptions{}, "scale")
	require.NoError(t, err)
	assert.Equal(t, "3", scale.GetResourceVersion())
}

func TestCustomResources(t *testing.T) {
	c, _ := newCluster(t)
	client := c.Dynamic.Resource(widgets).Namespace("default")
	given := widget("w")
	given.Object["status"] = map[string]any{"mode": "made up"}
	u, err := client.Create(ctx, given, metav1.CreateOptions{})
	require.NoError(t, err)
	assert.Equal(t, int64(1), u.GetGeneration())
	assert.NotContains(t, u.Object, "status")
	created := u.DeepCopy()

	require.NoError(t, unstructured.SetNestedField(u.Object, "proxy", "status", "mode"))
	require.NoError(t, unstructured.SetNestedField(u.Object, int64(2), "spec", "size"))
	u, err = client.UpdateStatus(ctx, u, metav1.UpdateOptions{})
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"mode": "proxy"}, u.Object["status"])
	assert.Equal(t, map[string]any{"size": int64(1)}, u.Object["spec"])
	same, err := client.UpdateStatus(ctx, u, metav1.UpdateOptions{})
	require.NoError(t, err)
	assert.Equal(t, u, same)

	delete(u.Object, "status")
	require.NoError(t, unstructured.SetNestedField(u.Object, int64(3), "spec", "size"))
	u, err = client.Update(ctx, u, metav1.UpdateOptions{})
	require.NoError(t, err)
	assert.Equal(t, int64(2), u.GetGeneration())
	assert.Equal(t, map[string]any{"mode": "proxy"}, u.Object["status"])

	u.SetLabels(map[string]string{"a": "b"})
	u, err = client.Update(ctx, u, metav1.UpdateOptions{})
	require.NoError(t, err)
	assert.Equal(t, int64(2), u.GetGeneration())
	assert.Equal(t, "4", u.GetResourceVersion())
	same, err = client.Update(ctx, u, metav1.UpdateOptions{})
	require.NoError(t, err)
	assert.Equal(t, u, same)

	_, err = client.Update(ctx, created, metav1.UpdateOptions{})
	assert.True(t, apierrors.IsConflict(err), err)
	created.SetResourceVersion("")
	_, err = client.Update(ctx, created, metav1.UpdateOptions{})
	assert.True(t, apierrors.IsInvalid(err), "custom resources need a version: %v", err)

	list, err := client.List(ctx, metav1.ListOptions{LabelSelector: "a=b"})
	require.NoError(t, err)
	assert.Len(t, list.Items, 1)
}

func TestPodsAreDeletedGracefully(t *testing.T) {
	c, _ := newCluster(t, pod("a"), pod("pending"))
	client := c.Client.CoreV1().Pods("default")
	binding := &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Name: "a", Namespace: "default"}, Target: corev1.ObjectReference{Name: "node-1"}}
	require.NoError(t, client.Bind(ctx, binding, metav1.CreateOptions{}))

	require.NoError(t, client.Delete(ctx, "a", metav1.DeleteOptions{}))
	p, err := client.Get(ctx, "a", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, start.Truncate(time.Second).Add(30*time.Second), p.DeletionTimestamp.UTC())
	assert.Equal(t, ptr.To[int64](30), p.DeletionGracePeriodSeconds)
	assert.Equal(t, int64(2), p.Generation, "the deletion counts")

	require.NoError(t, client.Delete(ctx, "a", metav1.DeleteOptions{GracePeriodSeconds: ptr.To[int64](60)}))
	same, err := client.Get(ctx, "a", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, p, same, "a grace period is not prolonged")
	require.NoError(t, client.Delete(ctx, "a", metav1.DeleteOptions{GracePeriodSeconds: ptr.To[int64](10)}))
	p, err = client.Get(ctx, "a", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, ptr.To[int64](10), p.DeletionGracePeriodSeconds)

	require.NoError(t, client.Delete(ctx, "a", metav1.DeleteOptions{GracePeriodSeconds: ptr.To[int64](0)}))
	require.NoError(t, client.Delete(ctx, "pending", metav1.DeleteOptions{}), "a pod without a node goes at once")
	list, err := client.List(ctx, metav1.ListOptions{})
	require.NoError(t, err)
	assert.Empty(t, list.Items)
}

func TestBinding(t *testing.T) {
	c, _ := newCluster(t)
	pods := c.Client.CoreV1().Pods("default")
	_, err := pods.Create(ctx, pod("a"), metav1.CreateOptions{})
	require.NoError(t, err)
	bind := func(name, node string) error {
		return pods.Bind(ctx, &corev1.Binding{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"}, Target: corev1.ObjectReference{Name: node}}, metav1.CreateOptions{})
	}
	assert.True(t, apierrors.IsNotFound(bind("missing", "n")))
	assert.True(t, apierrors.IsBadRequest(bind("a", "")))
	require.NoError(t, bind("a", "node-1"))
	assert.True(t, apierrors.IsConflict(bind("a", "node-2")))
	p, err := pods.Get(ctx, "a", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, "node-1", p.Spec.NodeName)
	assert.Equal(t, []corev1.PodCondition{{
		Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: p.CreationTimestamp,
	}}, p.Status.Conditions)

	b, err := pods.Create(ctx, pod("b"), metav1.CreateOptions{})
	require.NoError(t, err)
	initialized := corev1.PodCondition{Type: corev1.PodInitialized, Status: corev1.ConditionTrue}
	b.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse}, initialized}
	_, err = pods.UpdateStatus(ctx, b, metav1.UpdateOptions{})
	require.NoError(t, err)
	require.NoError(t, bind("b", "node-1"))
	b, err = pods.Get(ctx, "b", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, []corev1.PodCondition{initialized, p.Status.Conditions[0]}, b.Status.Conditions)

	services := corev1.SchemeGroupVersion.WithResource("services")
	_, err = c.Client.CoreV1().Services("default").Create(ctx, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "s"}}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = c.Client.Invokes(clienttesting.CreateActionImpl{
		ActionImpl: clienttesting.ActionImpl{Verb: "create", Namespace: "default", Resource: services, Subresource: "binding"},
		Object:     &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Name: "s"}},
	}, nil)
	assert.True(t, apierrors.IsNotFound(err), "not a pod: %v", err)

	dynamic := c.Dynamic.Resource(deploymentsGVR).Namespace("default")
	_, err = dynamic.Create(ctx, widget("web"), metav1.CreateOptions{}, "binding")
	assert.True(t, apierrors.IsBadRequest(err), "not a Binding: %v", err)
}

func TestDeletePreconditions(t *testing.T) {
	_, client, d := created(t)
	err := client.Delete(ctx, "web", metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions("other")})
	assert.True(t, apierrors.IsConflict(err), err)
	err = client.Delete(ctx, "web", metav1.DeleteOptions{Preconditions: metav1.NewRVDeletionPrecondition("9").Preconditions})
	assert.True(t, apierrors.IsConflict(err), err)
	err = client.Delete(ctx, "web", metav1.DeleteOptions{DryRun: []string{"All"}})
	assert.True(t, apierrors.IsBadRequest(err), err)
	require.NoError(t, client.Delete(ctx, "web", metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(d.UID))}))
	assert.True(t, apierrors.IsNotFound(client.Delete(ctx, "web", metav1.DeleteOptions{})))
}

func TestDeleteCollection(t *testing.T) {
	c, _ := newCluster(t, pod("a"), pod("b"))
	client := c.Client.CoreV1().Pods("default")
	assert.True(t, apierrors.IsBadRequest(client.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{FieldSelector: "a=b"})))
	assert.True(t, apierrors.IsBadRequest(client.DeleteCollection(ctx, metav1.DeleteOptions{DryRun: []string{"All"}}, metav1.ListOptions{})))
	err := client.DeleteCollection(ctx, metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions("other")}, metav1.ListOptions{})
	assert.True(t, apierrors.IsConflict(err), err)
	require.NoError(t, client.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "app=a"}))
	list, err := client.List(ctx, metav1.ListOptions{})
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
	assert.Equal(t, "b", list.Items[0].Name)
}

func TestPatches(t *testing.T) {
	c, client, _ := created(t)
	d, err := client.Patch(ctx, "web", types.MergePatchType, []byte(`{"metadata":{"labels":{"a":"b","c":null}},"spec":{"replicas":6}}`), metav1.PatchOptions{})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"a": "b"}, d.Labels)
	assert.Equal(t, ptr.To[int32](6), d.Spec.Replicas)
	assert.Equal(t, int64(2), d.Generation)

	d, err = client.Patch(ctx, "web", types.StrategicMergePatchType, []byte(`{"metadata":{"labels":{"a":null}}}`), metav1.PatchOptions{})
	require.NoError(t, err)
	assert.Empty(t, d.Labels)
	assert.Equal(t, "3", d.ResourceVersion)

	d, err = client.Patch(ctx, "web", types.MergePatchType, []byte(`{"spec":{"replicas":1},"status":{"replicas":4}}`), metav1.PatchOptions{}, "status")
	require.NoError(t, err)
	assert.Equal(t, ptr.To[int32](6), d.Spec.Replicas)
	assert.Equal(t, int32(4), d.Status.Replicas)

	dynamic := c.Dynamic.Resource(widgets).Namespace("default")
	_, err = dynamic.Create(ctx, widget("w"), metav1.CreateOptions{})
	require.NoError(t, err)
	u, err := dynamic.Patch(ctx, "w", types.MergePatchType, []byte(`{"metadata":{"annotations":{"paused":"true"}},"spec":{"size":2}}`), metav1.PatchOptions{})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"paused": "true"}, u.GetAnnotations())
	assert.Equal(t, map[string]any{"size": int64(2)}, u.Object["spec"])
	_, err = dynamic.Patch(ctx, "w", types.StrategicMergePatchType, []byte(`{}`), metav1.PatchOptions{})
	assert.True(t, apierrors.IsUnsupportedMediaType(err), err)
}

func TestPatchRefusals(t *testing.T) {
	_, client, _ := created(t)
	for name, test := range map[string]struct {
		target string
		kind   types.PatchType
		patch  string
		is     func(error) bool
	}{
		"missing object":    {"missing", types.MergePatchType, `{}`, apierrors.IsNotFound},
		"JSON patch":        {"web", types.JSONPatchType, `[]`, apierrors.IsUnsupportedMediaType},
		"apply":             {"web", types.ApplyPatchType, `{}`, apierrors.IsUnsupportedMediaType},
		"broken":            {"web", types.MergePatchType, `{`, apierrors.IsBadRequest},
		"broken strategic":  {"web", types.StrategicMergePatchType, `{`, apierrors.IsBadRequest},
		"wrong type":        {"web", types.MergePatchType, `{"spec":{"replicas":"many"}}`, apierrors.IsBadRequest},
		"stale version":     {"web", types.MergePatchType, `{"metadata":{"resourceVersion":"0"}}`, apierrors.IsConflict},
		"another namespace": {"web", types.MergePatchType, `{"metadata":{"namespace":"x"}}`, apierrors.IsBadRequest},
	} {
		_, err := client.Patch(ctx, test.target, test.kind, []byte(test.patch), metav1.PatchOptions{})
		assert.True(t, test.is(err), "%s: %v", name, err)
	}
	_, err := client.Patch(ctx, "web", types.MergePatchType, []byte(`{}`), metav1.PatchOptions{DryRun: []string{"All"}})
	assert.True(t, apierrors.IsBadRequest(err), err)
}

func TestWhatTheServerDoesNotHave(t *testing.T) {
	c, client, _ := created(t)
	_, err := client.Watch(ctx, metav1.ListOptions{})
	assert.True(t, apierrors.IsMethodNotSupported(err), err)
	_, err = c.Dynamic.Resource(widgets).Watch(ctx, metav1.ListOptions{})
	assert.True(t, apierrors.IsMethodNotSupported(err), err)
	pods := c.Client.CoreV1().Pods("default")
	err = pods.EvictV1(ctx, &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: "a"}})
	assert.True(t, apierrors.IsNotFound(err), err)
	dynamic := c.Dynamic.Resource(widgets).Namespace("default")
	_, err = dynamic.Get(ctx, "w", metav1.GetOptions{}, "other")
	assert.True(t, apierrors.IsNotFound(err), err)
	_, err = dynamic.Update(ctx, widget("w"), metav1.UpdateOptions{}, "other")
	assert.True(t, apierrors.IsNotFound(err), err)
	assert.True(t, apierrors.IsNotFound(dynamic.Delete(ctx, "w", metav1.DeleteOptions{}, "other")))
	_, err = pods.GetLogs("a", &corev1.PodLogOptions{}).DoRaw(ctx)
	assert.ErrorContains(t, err, "get is not supported on resources of kind \"pods\"")
}

func TestStatusReadsAsTheObject(t *testing.T) {
	c, _, d := created(t)
	u, err := c.Dynamic.Resource(deploymentsGVR).Namespace("default").Get(ctx, "web", metav1.GetOptions{}, "status")
	require.NoError(t, err)
	assert.Equal(t, d.UID, u.GetUID())
}

func TestMergePatchFollowsTheRFC(t *testing.T) {
	for _, test := range []struct{ document, patch, want string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`{"e":null}`, `{"a":1}`, `{"a":1,"e":null}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
	} {
		got, err := mergePatch([]byte(test.document), []byte(test.patch))
		require.NoError(t, err)
		assert.JSONEq(t, test.want, string(got), "%s + %s", test.document, test.patch)
	}
	_, err := mergePatch([]byte(`[`), []byte(`{}`))
	assert.Error(t, err)
}

func FuzzMergePatch(f *testing.F) {
	f.Add(`{"a":{"b":1}}`, `{"a":{"b":null,"c":[1]}}`)
	f.Add(`{}`, `{"a":{}}`)
	f.Add(`null`, `null`)
	f.Fuzz(func(t *testing.T, document, patch string) {
		once, err := mergePatch([]byte(document), []byte(patch))
		if err != nil {
			return
		}
		twice, err := mergePatch(once, []byte(patch))
		require.NoError(t, err)
		assert.JSONEq(t, string(once), string(twice), "a merge patch is idempotent")
	})
}
