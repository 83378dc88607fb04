package k8shelper_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"

	"github.com/scalelab/scalelab/k8shelper"
	"github.com/scalelab/scalelab/k8shelper/fakecluster"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	ctx   = context.Background()
	start = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	web   = k8shelper.Deployment("shop", "web")
)

// deployment is shop/web: 3 wanted, 2 created.
func deployment() *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: web.Name, Namespace: web.Namespace},
		Spec: appsv1.DeploymentSpec{
			Replicas: ptr.To[int32](3), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}},
		},
		Status: appsv1.DeploymentStatus{Replicas: 2},
	}
}

// newOps is a cluster with the Deployment and other objects.
func newOps(t *testing.T, objects ...runtime.Object) (*k8shelper.Ops, *fakecluster.Cluster) {
	t.Helper()
	return opsOn(t, fakecluster.Options{Objects: append(objects, deployment())})
}

func opsOn(t *testing.T, options fakecluster.Options) (*k8shelper.Ops, *fakecluster.Cluster) {
	t.Helper()
	options.Clock = clocktesting.NewFakePassiveClock(start)
	options.LogCalls = 100
	c, err := fakecluster.New(options)
	require.NoError(t, err)
	ops, err := k8shelper.New(c.Clients())
	require.NoError(t, err)
	return ops, c
}

// calls are the calls so far, one line each, and forgotten with that.
func calls(c *fakecluster.Cluster) []string {
	records, _ := c.Calls()
	c.ClearCalls()
	lines := make([]string, len(records))
	for i, r := range records {
		lines[i] = r.String()
	}
	return lines
}

// custom is an object of a kind without a Go type, in the namespace shop.
func custom(gvr schema.GroupVersionResource, kind, name string, content map[string]any) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(gvr.GroupVersion().WithKind(kind))
	u.SetNamespace("shop")
	u.SetName(name)
	return u
}
