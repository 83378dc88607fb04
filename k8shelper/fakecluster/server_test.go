package fakecluster

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"
)

func TestNewNeedsAClock(t *testing.T) {
	_, err := New(Options{})
	assert.EqualError(t, err, "fake cluster: found no clock, expected one")
}

func TestNewRefusesWhatCannotBeStored(t *testing.T) {
	for name, obj := range map[string]runtime.Object{
		"no kind":            &unstructured.Unstructured{Object: map[string]any{}},
		"unknown type":       &runtime.Unknown{},
		"no name":            &corev1.Pod{},
		"a list":             &corev1.PodList{},
		"wrong type in spec": &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Pod", "spec": "x"}},
	} {
		clock := clocktesting.NewFakePassiveClock(start)
		_, err := New(Options{Clock: clock, Objects: []runtime.Object{obj}})
		assert.ErrorContains(t, err, "fake cluster: store initial object", name)
	}
}

func TestInitialObjectsKeepTheirStatus(t *testing.T) {
	seeded := deployment("web", nil)
	seeded.ResourceVersion = "777"
	seeded.Status.ReadyReplicas = 2
	c, _ := newCluster(t, seeded, pod("a"))

	d, err := c.Client.AppsV1().Deployments("default").Get(ctx, "web", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, int32(2), d.Status.ReadyReplicas)
	assert.Equal(t, "1", d.ResourceVersion)
	assert.Equal(t, "777", seeded.ResourceVersion, "the given object is not changed")
	p, err := c.Client.CoreV1().Pods("default").Get(ctx, "a", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, corev1.PodPending, p.Status.Phase)
}

func TestCreateAssignsWhatTheServerOwns(t *testing.T) {
	c, _ := newCluster(t)
	given := deployment("web", nil)
	given.UID, given.Generation, given.Status.Replicas = "mine", 7, 9
	given.TypeMeta = metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"}
	given.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}

	d, err := c.Client.AppsV1().Deployments("default").Create(ctx, given, metav1.CreateOptions{})
	require.NoError(t, err)
	assert.Equal(t, uid(1), d.UID)
	assert.Equal(t, start.Truncate(time.Second), d.CreationTimestamp.Time, "whole seconds")
	assert.Equal(t, "1", d.ResourceVersion)
	assert.Equal(t, int64(1), d.Generation)
	assert.Equal(t, int32(0), d.Status.Replicas, "a client cannot create a status")
	assert.Equal(t, ptr.To[int32](1), d.Spec.Replicas, "the default")
	assert.Empty(t, d.TypeMeta, "as typed clients see objects")
	assert.Nil(t, d.ManagedFields)
	assert.Equal(t, types.UID("mine"), given.UID, "the given object is not changed")
}

func TestCreateRefusals(t *testing.T) {
	c, client, d := created(t)
	_, err := client.Create(ctx, deployment("web", nil), metav1.CreateOptions{})
	assert.True(t, apierrors.IsAlreadyExists(err), err)

	_, err = client.Create(ctx, d, metav1.CreateOptions{})
	assert.True(t, apierrors.IsBadRequest(err), "a resourceVersion: %v", err)

	_, err = c.Client.AppsV1().Deployments("other").Create(ctx, deployment("web", nil), metav1.CreateOptions{})
	assert.True(t, apierrors.IsBadRequest(err), "another namespace: %v", err)

	_, err = client.Create(ctx, deployment("", nil), metav1.CreateOptions{})
	assert.True(t, apierrors.IsInvalid(err), "no name: %v", err)

	_, err = client.Create(ctx, deployment("dry", nil), metav1.CreateOptions{DryRun: []string{"All"}})
	assert.True(t, apierrors.IsBadRequest(err), "dry run: %v", err)

	u := widget("w")
	_, err = c.Dynamic.Resource(deploymentsGVR).Namespace("default").Create(ctx, u, metav1.CreateOptions{})
	assert.True(t, apierrors.IsBadRequest(err), "another kind: %v", err)
}

func TestGeneratedNamesAreDistinctAndRepeatable(t *testing.T) {
	names := func() []string {
		c, _ := newCluster(t)
		var out []string
		for range 3 {
			p := pod("")
			p.GenerateName = "web-"
			p, err := c.Client.CoreV1().Pods("default").Create(ctx, p, metav1.CreateOptions{})
			require.NoError(t, err)
			out = append(out, p.Name)
		}
		return out
	}
	first := names()
	assert.Equal(t, []string{"web-" + suffix(1), "web-" + suffix(2), "web-" + suffix(3)}, first)
	assert.Equal(t, first, names())
	assert.Len(t, suffix(1), 5)
}

func TestGeneratedNameThatIsTaken(t *testing.T) {
	c, _ := newCluster(t, pod("web-"+suffix(1)))
	p := pod("")
	p.GenerateName = "web-"
	p, err := c.Client.CoreV1().Pods("default").Create(ctx, p, metav1.CreateOptions{})
	require.NoError(t, err)
	assert.Equal(t, "web-"+suffix(2), p.Name)
}

func TestUIDsNeverRepeat(t *testing.T) {
	c, client, d := created(t)
	require.NoError(t, client.Delete(ctx, "web", metav1.DeleteOptions{}))
	again, err := client.Create(ctx, deployment("web", nil), metav1.CreateOptions{})
	require.NoError(t, err)
	assert.NotEqual(t, d.UID, again.UID)
	assert.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$`, again.UID)
	c.ClearActions()
}

func TestUpdateBumpsTheGenerationForTheSpecOnly(t *testing.T) {
	_, client, d := created(t)
	d.Labels = map[string]string{"team": "a"}
	d, err := client.Update(ctx, d, metav1.UpdateOptions{})
	require.NoError(t, err)
	assert.Equal(t, int64(1), d.Generation, "metadata")
	assert.Equal(t, "2", d.ResourceVersion)

	d.Spec.Paused = true
	d, err = client.Update(ctx, d, metav1.UpdateOptions{})
	require.NoError(t, err)
	assert.Equal(t, int64(2), d.Generation, "spec")
	assert.Equal(t, "3", d.ResourceVersion)
}

func TestUpdateKeepsWhatTheServerOwns(t *testing.T) {
	_, client, d := created(t)
	before := d.DeepCopy()
	d.CreationTimestamp, d.Generation = metav1.Time{}, 99
	d.Status.Replicas = 5
	d.Annotations = map[string]string{"note": "x"}
	d, err := client.Update(ctx, d, metav1.UpdateOptions{})
	require.NoError(t, err)
	assert.Equal(t, before.UID, d.UID)
	assert.Equal(t, before.CreationTimestamp, d.CreationTimestamp)
	assert.Equal(t, int64(1), d.Generation)
	assert.Equal(t, int32(0), d.Status.Replicas, "an update does not change the status")
}

func TestUpdateStatusChangesTheStatusOnly(t *testing.T) {
	_, client, d := created(t)
	d.Spec.Replicas = ptr.To[int32](9)
	d.Labels = map[string]string{"team": "a"}
	d.Status.ReadyReplicas = 2
	d, err := client.UpdateStatus(ctx, d, metav1.UpdateOptions{})
	require.NoError(t, err)
	assert.Equal(t, int32(2), d.Status.ReadyReplicas)
	assert.Equal(t, ptr.To[int32](3), d.Spec.Replicas)
	assert.Nil(t, d.Labels)
	assert.Equal(t, int64(1), d.Generation)
	assert.Equal(t, "2", d.ResourceVersion)
}

func TestUpdateStatusOfWhatHasNone(t *testing.T) {
	c, _ := newCluster(t, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "cm", Namespace: "default"}})
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap"}}
	u.SetName("cm")
	_, err := c.Dynamic.Resource(corev1.SchemeGroupVersion.WithResource("configmaps")).Namespace("default").UpdateStatus(ctx, u, metav1.UpdateOptions{})
	assert.True(t, apierrors.IsNotFound(err), err)
}

func TestWritesThatChangeNothingKeepTheVersion(t *testing.T) {
	c, client, d := created(t)
	same, err := client.Update(ctx, d, metav1.UpdateOptions{})
	require.NoError(t, err)
	assert.Equal(t, d, same)
	same, err = client.UpdateStatus(ctx, d, metav1.UpdateOptions{})
	require.NoError(t, err)
	assert.Equal(t, d, same)
	scale, err := client.GetScale(ctx, "web", metav1.GetOptions{})
	require.NoError(t, err)
	written, err := client.UpdateScale(ctx, "web", scale, metav1.UpdateOptions{})
	require.NoError(t, err)
	assert.Equal(t, scale, written)

	emptied := d.DeepCopy()
	emptied.Labels = map[string]string{} // the encoding has no difference to nil
	same, err = client.Update(ctx, emptied, metav1.UpdateOptions{})
	require.NoError(t, err)
	assert.Equal(t, "1", same.ResourceVersion)

	list, err := c.Client.AppsV1().Deployments("").List(ctx, metav1.ListOptions{})
	require.NoError(t, err)
	assert.Equal(t, "1", list.ResourceVersion)
}

func TestStaleWritesConflict(t *testing.T) {
	_, client, stale := created(t)
	fresh := stale.DeepCopy()
	fresh.Spec.Paused = true
	_, err := client.Update(ctx, fresh, metav1.UpdateOptions{})
	require.NoError(t, err)

	stale.Labels = map[string]string{"team": "a"}
	_, err = client.Update(ctx, stale, metav1.UpdateOptions{})
	assert.True(t, apierrors.IsConflict(err), err)
	_, err = client.UpdateStatus(ctx, stale, metav1.UpdateOptions{})
	assert.True(t, apierrors.IsConflict(err), err)

	stale.ResourceVersion = ""
	d, err := client.Update(ctx, stale, metav1.UpdateOptions{})
	require.NoError(t, err, "without a version the write is unconditional")
	assert.Equal(t, "3", d.ResourceVersion)
	assert.False(t, d.Spec.Paused)

	d.UID = uid(99)
	_, err = client.Update(ctx, d, metav1.UpdateOptions{})
	assert.True(t, apierrors.IsConflict(err), "another object of that name: %v", err)
}

func TestUpdateRefusals(t *testing.T) {
	c, client, _ := created(t)
	_, err := client.Update(ctx, deployment("missing", nil), metav1.UpdateOptions{})
	assert.True(t, apierrors.IsNotFound(err), err)
	_, err = client.UpdateStatus(ctx, deployment("missing", nil), metav1.UpdateOptions{})
	assert.True(t, apierrors.IsNotFound(err), err)
	_, err = client.Update(ctx, deployment("web", nil), metav1.UpdateOptions{DryRun: []string{"All"}})
	assert.True(t, apierrors.IsBadRequest(err), err)
	_, err = c.Client.AppsV1().Deployments("other").Update(ctx, deployment("web", nil), metav1.UpdateOptions{})
	assert.True(t, apierrors.IsBadRequest(err), err)
	_, err = c.Dynamic.Resource(deploymentsGVR).Namespace("default").Update(ctx, widget("web"), metav1.UpdateOptions{})
	assert.True(t, apierrors.IsBadRequest(err), "another kind: %v", err)
	_, err = c.Dynamic.Resource(widgets).Namespace("default").Update(ctx, &unstructured.Unstructured{Object: map[string]any{}}, metav1.UpdateOptions{})
	assert.True(t, apierrors.IsBadRequest(err), "no kind: %v", err)
}

func TestTheVersionIsGlobal(t *testing.T) {
	c, client, d := created(t)
	p, err := c.Client.CoreV1().Pods("default").Create(ctx, pod("a"), metav1.CreateOptions{})
	require.NoError(t, err)
	d.Spec.Paused = true
	d, err = client.Update(ctx, d, metav1.UpdateOptions{})
	require.NoError(t, err)
	assert.Equal(t, []string{"2", "3"}, []string{p.ResourceVersion, d.ResourceVersion})
}

func TestStoredObjectsAreOutOfReach(t *testing.T) {
	_, client, d := created(t)
	*d.Spec.Replicas = 77
	d.Spec.Template.Labels["app"] = "changed"
	again, err := client.Get(ctx, "web", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, int32(3), *again.Spec.Replicas)
	assert.Equal(t, "web", again.Spec.Template.Labels["app"])
}

func TestListSelectsAndSorts(t *testing.T) {
	other := pod("a")
	other.Namespace = "other"
	c, _ := newCluster(t, pod("c"), other, pod("a"), pod("b"))
	names := func(namespace, selector string) []string {
		list, err := c.Client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
		require.NoError(t, err)
		out := []string{}
		for _, p := range list.Items {
			out = append(out, p.Namespace+"/"+p.Name)
		}
		return out
	}
	assert.Equal(t, []string{"default/a", "default/b", "default/c", "other/a"}, names("", ""))
	assert.Equal(t, []string{"default/a", "default/b", "default/c"}, names("default", ""))
	assert.Equal(t, []string{"default/a", "other/a"}, names("", "app=a"))
	assert.Equal(t, []string{}, names("none", ""))

	_, err := c.Client.CoreV1().Pods("").List(ctx, metav1.ListOptions{FieldSelector: "spec.nodeName=n"})
	assert.True(t, apierrors.IsBadRequest(err), err)
	services, err := c.Client.CoreV1().Services("").List(ctx, metav1.ListOptions{})
	require.NoError(t, err)
	assert.Empty(t, services.Items, "a resource of which nothing was ever stored")
}

func TestAResourceLivesInOneVersion(t *testing.T) {
	c, _, _ := created(t)
	_, err := c.Client.AppsV1beta1().Deployments("default").Get(ctx, "web", metav1.GetOptions{})
	assert.True(t, apierrors.IsNotFound(err), err)
	assert.EqualError(t, err, "the server could not find the requested resource (get deployments.apps)")
	_, err = c.Client.AppsV1beta1().Deployments("default").List(ctx, metav1.ListOptions{})
	assert.True(t, apierrors.IsNotFound(err), err)
	err = c.Client.AppsV1beta1().Deployments("default").DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{})
	assert.True(t, apierrors.IsNotFound(err), err)
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "apps/v1beta1", "kind": "Deployment"}}
	u.SetName("other")
	_, err = c.Dynamic.Resource(appsv1.SchemeGroupVersion.WithResource("deployments").GroupResource().WithVersion("v1beta1")).
		Namespace("default").Create(ctx, u, metav1.CreateOptions{})
	assert.True(t, apierrors.IsNotFound(err), err)
}

func TestEventsGoAfterAnHour(t *testing.T) {
	c, clock := newCluster(t)
	client := c.Client.CoreV1().Events("default")
	names := func() []string {
		list, err := client.List(ctx, metav1.ListOptions{})
		require.NoError(t, err)
		var out []string
		for _, e := range list.Items {
			out = append(out, e.Name)
		}
		return out
	}
	for i, name := range []string{"a", "b", "c"} {
		clock.SetTime(start.Add(time.Duration(i) * 31 * time.Minute))
		_, err := client.Create(ctx, &corev1.Event{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
		require.NoError(t, err)
	}
	assert.Equal(t, []string{"b", "c"}, names())
}

func TestActionsCanBeForgotten(t *testing.T) {
	c, client, _ := created(t)
	_, err := client.Get(ctx, "web", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Len(t, c.Client.Actions(), 2)
	c.ClearActions()
	assert.Empty(t, c.Client.Actions())
}
