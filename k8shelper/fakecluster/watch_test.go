package fakecluster

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func watched(t *testing.T, objects ...runtime.Object) *Cluster {
	t.Helper()
	c, err := New(Options{
		Clock: clocktesting.NewFakePassiveClock(start), Objects: objects, Watch: true,
		Kinds: []Kind{{GroupVersionKind: widgetKind}},
	})
	require.NoError(t, err)
	return c
}

// next reads n events as "ADDED default/web 3".
func next(t *testing.T, w watch.Interface, n int) []string {
	t.Helper()
	var lines []string
	for range n {
		event := <-w.ResultChan()
		obj, ok := event.Object.(metav1.Object)
		require.True(t, ok, "%#v", event.Object)
		lines = append(lines, fmt.Sprintf("%s %s/%s %s", event.Type, obj.GetNamespace(), obj.GetName(), obj.GetResourceVersion()))
	}
	return lines
}

func opened(t *testing.T, open func(metav1.ListOptions) (watch.Interface, error), options metav1.ListOptions) watch.Interface {
	t.Helper()
	w, err := open(options)
	require.NoError(t, err)
	t.Cleanup(w.Stop)
	return w
}

func TestWatchFollowsChanges(t *testing.T) {
	other := pod("a")
	other.Namespace = "other"
	c := watched(t, pod("a"), other)
	pods := c.Client.CoreV1().Pods("default")
	open := func(o metav1.ListOptions) (watch.Interface, error) { return pods.Watch(ctx, o) }
	fromNow := opened(t, open, metav1.ListOptions{})
	fromOne := opened(t, open, metav1.ListOptions{ResourceVersion: "1"})
	all := opened(t, func(o metav1.ListOptions) (watch.Interface, error) {
		return c.Client.CoreV1().Pods("").Watch(ctx, o)
	}, metav1.ListOptions{ResourceVersion: "0"})

	b, err := pods.Create(ctx, pod("b"), metav1.CreateOptions{})
	require.NoError(t, err)
	b.Status.Phase = corev1.PodRunning
	_, err = pods.UpdateStatus(ctx, b, metav1.UpdateOptions{})
	require.NoError(t, err)
	_, err = pods.UpdateStatus(ctx, b, metav1.UpdateOptions{})
	require.True(t, apierrors.IsConflict(err), "no event of what failed")
	require.NoError(t, pods.Delete(ctx, "a", metav1.DeleteOptions{}))

	changes := []string{"ADDED default/b 3", "MODIFIED default/b 4", "DELETED default/a 5"}
	assert.Equal(t, append([]string{"ADDED default/a 1"}, changes...), next(t, fromNow, 4))
	assert.Equal(t, changes, next(t, fromOne, 3))
	assert.Equal(t, append([]string{"ADDED default/a 1", "ADDED other/a 2"}, changes...), next(t, all, 5))
	fromNow.Stop()
	fromNow.Stop()
	_, more := <-fromNow.ResultChan()
	assert.False(t, more, "closed")
}

func TestWatchSelects(t *testing.T) {
	c := watched(t, pod("a"), pod("b"))
	pods := c.Client.CoreV1().Pods("default")
	open := func(o metav1.ListOptions) (watch.Interface, error) { return pods.Watch(ctx, o) }
	labeled := opened(t, open, metav1.ListOptions{LabelSelector: "app=b"})
	named := opened(t, open, metav1.ListOptions{FieldSelector: "metadata.name=a"})
	a, err := pods.Get(ctx, "a", metav1.GetOptions{})
	require.NoError(t, err)
	for _, label := range []string{"b", "c"} {
		a.Labels["app"] = label
		a, err = pods.Update(ctx, a, metav1.UpdateOptions{})
		require.NoError(t, err)
	}
	assert.Equal(t, []string{"ADDED default/b 2", "ADDED default/a 3", "DELETED default/a 4"}, next(t, labeled, 3),
		"it comes when it matches and goes when it does not")
	assert.Equal(t, []string{"ADDED default/a 1", "MODIFIED default/a 3", "MODIFIED default/a 4"}, next(t, named, 3))

	list, err := pods.List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=b,metadata.namespace=default"})
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
	assert.Equal(t, "b", list.Items[0].Name)
	_, err = pods.Watch(ctx, metav1.ListOptions{FieldSelector: "spec.nodeName=n"})
	assert.True(t, apierrors.IsBadRequest(err), err)
}

func TestWatchOfCustomResources(t *testing.T) {
	c := watched(t, widget("w"), deployment("web", ptr.To[int32](1)))
	client := c.Dynamic.Resource(widgets).Namespace("default")
	w := opened(t, func(o metav1.ListOptions) (watch.Interface, error) { return client.Watch(ctx, o) },
		metav1.ListOptions{SendInitialEvents: ptr.To(true)})
	assert.Equal(t, []string{"ADDED default/w 1", "BOOKMARK / 2"}, next(t, w, 2))
	require.NoError(t, client.Delete(ctx, "w", metav1.DeleteOptions{}))
	event := <-w.ResultChan()
	u, ok := event.Object.(*unstructured.Unstructured)
	require.True(t, ok)
	assert.Equal(t, []string{"DELETED", "Widget", "3"}, []string{string(event.Type), u.GetKind(), u.GetResourceVersion()})

	deployments := opened(t, func(o metav1.ListOptions) (watch.Interface, error) {
		return c.Client.AppsV1().Deployments("").Watch(ctx, o)
	}, metav1.ListOptions{SendInitialEvents: ptr.To(true)})
	assert.Equal(t, []string{"ADDED default/web 2", "BOOKMARK / 3"}, next(t, deployments, 2))
}

func TestWatchesThatCannotBe(t *testing.T) {
	c := watched(t, deployment("web", ptr.To[int32](0)))
	client := c.Client.AppsV1().Deployments("default")
	_, err := client.Watch(ctx, metav1.ListOptions{ResourceVersion: "one"})
	assert.True(t, apierrors.IsBadRequest(err), err)
	_, err = c.Client.AppsV1beta1().Deployments("default").Watch(ctx, metav1.ListOptions{})
	assert.True(t, apierrors.IsNotFound(err), "it lives in another version: %v", err)
	for i := range int32(historyLimit + 1) {
		require.NoError(t, scaleTo(c, i+1))
	}
	_, err = client.Watch(ctx, metav1.ListOptions{ResourceVersion: "1"})
	assert.True(t, apierrors.IsResourceExpired(err), err)
	w := opened(t, func(o metav1.ListOptions) (watch.Interface, error) { return client.Watch(ctx, o) }, metav1.ListOptions{ResourceVersion: "2"})
	lines := next(t, w, historyLimit)
	assert.Equal(t, "MODIFIED default/web 3", lines[0])
	assert.Equal(t, "MODIFIED default/web 1026", lines[historyLimit-1])
}

func TestAWatchWhoseAnswerIsLost(t *testing.T) {
	c, err := New(Options{Clock: clocktesting.NewFakePassiveClock(start), Watch: true, Faults: func(call Call) Fault {
		if call.Verb == "watch" {
			return Fault{Err: apierrors.NewTimeoutError("x", 0), Applied: true}
		}
		return Fault{}
	}})
	require.NoError(t, err)
	_, err = c.Client.CoreV1().Pods("").Watch(ctx, metav1.ListOptions{})
	assert.True(t, apierrors.IsTimeout(err))
	assert.Empty(t, c.server.history.watchers)
}

// An informer lists and watches; what it has seen in the end is what there is,
// with writers at work all the time.
func TestInformersFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := New(Options{
			Clock: clock.RealClock{}, Watch: true, Objects: []runtime.Object{deployment("web", ptr.To[int32](0))},
			Faults: func(call Call) Fault { return Fault{Latency: 100 * time.Millisecond} },
		})
		require.NoError(t, err)
		factory := informers.NewSharedInformerFactory(c.Client, 10*time.Minute)
		informer := factory.Apps().V1().Deployments()
		lister := informer.Lister()
		stop := make(chan struct{})
		factory.Start(stop)
		var group sync.WaitGroup
		for i := range 5 {
			group.Go(func() {
				name := fmt.Sprintf("web-%d", i)
				client := c.Client.AppsV1().Deployments("default")
				_, err := client.Create(ctx, deployment(name, ptr.To[int32](0)), metav1.CreateOptions{})
				assert.NoError(t, err)
				for k := range int32(10) {
					if err := scaleTo(c, k); err != nil {
						assert.True(t, apierrors.IsConflict(err), "somebody else was first: %v", err)
					}
				}
				if i == 0 {
					assert.NoError(t, client.Delete(ctx, name, metav1.DeleteOptions{}))
				}
			})
		}
		require.True(t, cache.WaitForCacheSync(stop, informer.Informer().HasSynced))
		group.Wait()
		synctest.Wait()
		seen, err := lister.Deployments("default").Get("web")
		require.NoError(t, err)
		_, stored, err := c.server.get(deploymentsGVR, keyOf(seen))
		require.NoError(t, err)
		assert.Equal(t, stored.(*appsv1.Deployment).ResourceVersion, seen.ResourceVersion)
		_, err = lister.Deployments("default").Get("web-0")
		assert.True(t, apierrors.IsNotFound(err))
		_, err = lister.Deployments("default").Get("web-4")
		assert.NoError(t, err)
		close(stop)
		factory.Shutdown()
	})
}
