package fakecluster

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	appsclient "k8s.io/client-go/kubernetes/typed/apps/v1"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"
)

var (
	ctx   = context.Background()
	start = time.Date(2026, 1, 5, 0, 0, 0, 700_000_000, time.UTC)

	widgetKind     = schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Widget"}
	widgets        = widgetKind.GroupVersion().WithResource("widgets")
	deploymentsGVR = appsv1.SchemeGroupVersion.WithResource("deployments")
)

func newCluster(t *testing.T, objects ...runtime.Object) (*Cluster, *clocktesting.FakePassiveClock) {
	t.Helper()
	clock := clocktesting.NewFakePassiveClock(start)
	c, err := New(Options{Clock: clock, Objects: objects, Kinds: []Kind{{GroupVersionKind: widgetKind}}})
	require.NoError(t, err)
	return c, clock
}

func deployment(name string, replicas *int32) *appsv1.Deployment {
	app := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"},
		Spec: appsv1.DeploymentSpec{
			Replicas: replicas,
			Selector: &metav1.LabelSelector{MatchLabels: app},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: app}},
		},
	}
}

// created is a cluster with the Deployment "web" of 3 replicas.
func created(t *testing.T) (*Cluster, appsclient.DeploymentInterface, *appsv1.Deployment) {
	t.Helper()
	c, _ := newCluster(t)
	client := c.Client.AppsV1().Deployments("default")
	d, err := client.Create(ctx, deployment("web", ptr.To[int32](3)), metav1.CreateOptions{})
	require.NoError(t, err)
	return c, client, d
}

func widget(name string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"size": int64(1)}}}
	u.SetGroupVersionKind(widgetKind)
	u.SetNamespace("default")
	u.SetName(name)
	return u
}

func pod(name string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default", Labels: map[string]string{"app": name}}}
}

// fixed is a clock that stands still.
type fixed struct{}

func (fixed) Now() time.Time                  { return start }
func (fixed) Since(t time.Time) time.Duration { return start.Sub(t) }
