package k8shelper_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"

	"github.com/scalelab/scalelab/k8shelper"
	"github.com/scalelab/scalelab/k8shelper/fakecluster"
)

var (
	ctx = context.Background()
	web = k8shelper.Deployment{Namespace: "shop", Name: "web"}
)

// newOps is a cluster with the Deployment shop/web: 3 wanted, 2 created.
func newOps(t *testing.T, objects ...runtime.Object) (*k8shelper.Ops, *fakecluster.Cluster) {
	t.Helper()
	objects = append(objects, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: web.Name, Namespace: web.Namespace},
		Spec: appsv1.DeploymentSpec{
			Replicas: ptr.To[int32](3), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}},
		},
		Status: appsv1.DeploymentStatus{Replicas: 2},
	})
	c, err := fakecluster.New(fakecluster.Options{
		Clock: clocktesting.NewFakePassiveClock(time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)), Objects: objects,
	})
	require.NoError(t, err)
	return k8shelper.New(c.Client, c.Scales), c
}

// raced makes the next n updates of a scale come second to somebody else's
// write of the same Deployment.
func raced(t *testing.T, c *fakecluster.Cluster, n int) {
	c.Scales.PrependReactor("update", "deployments", func(clienttesting.Action) (bool, runtime.Object, error) {
		if n == 0 {
			return false, nil, nil
		}
		n--
		d, err := c.Client.AppsV1().Deployments(web.Namespace).Get(ctx, web.Name, metav1.GetOptions{})
		require.NoError(t, err)
		d.Status.ObservedGeneration++
		_, err = c.Client.AppsV1().Deployments(web.Namespace).UpdateStatus(ctx, d, metav1.UpdateOptions{})
		require.NoError(t, err)
		return false, nil, nil
	})
}

func TestScaleIsRead(t *testing.T) {
	ops, _ := newOps(t)
	scale, err := ops.Scale(ctx, web)
	require.NoError(t, err)
	assert.Equal(t, k8shelper.Scale{Desired: 3, Created: 2, Selector: "app=web"}, scale)
}

func TestSetScale(t *testing.T) {
	ops, c := newOps(t)
	scale, err := ops.SetScale(ctx, web, 0)
	require.NoError(t, err)
	assert.Equal(t, k8shelper.Scale{Desired: 0, Created: 2, Selector: "app=web"}, scale)
	d, err := c.Client.AppsV1().Deployments(web.Namespace).Get(ctx, web.Name, metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, ptr.To[int32](0), d.Spec.Replicas)
}

func TestSetScaleWritesNothingThatStands(t *testing.T) {
	ops, c := newOps(t)
	scale, err := ops.SetScale(ctx, web, 3)
	require.NoError(t, err)
	assert.Equal(t, int32(3), scale.Desired)
	actions := c.Scales.Actions()
	require.Len(t, actions, 1)
	assert.Equal(t, "get", actions[0].GetVerb())
}

func TestSetScaleTriesAgainAfterALostRace(t *testing.T) {
	ops, c := newOps(t)
	raced(t, c, 4)
	scale, err := ops.SetScale(ctx, web, 7)
	require.NoError(t, err)
	assert.Equal(t, int32(7), scale.Desired)
}

func TestSetScaleGivesUpAfterFiveLostRaces(t *testing.T) {
	ops, c := newOps(t)
	raced(t, c, 5)
	_, err := ops.SetScale(ctx, web, 7)
	assert.ErrorIs(t, err, k8shelper.ErrConflict)
	assert.NotErrorIs(t, err, k8shelper.ErrNotFound)
	assert.True(t, apierrors.IsConflict(err), "the server's error is still there")
	assert.ErrorContains(t, err, "set scale of deployment shop/web to 7: Operation cannot be fulfilled")
	scale, err := ops.Scale(ctx, web)
	require.NoError(t, err)
	assert.Equal(t, int32(3), scale.Desired)
}

func TestMissingDeployment(t *testing.T) {
	ops, _ := newOps(t)
	missing := k8shelper.Deployment{Namespace: "shop", Name: "gone"}
	_, err := ops.Scale(ctx, missing)
	assert.ErrorIs(t, err, k8shelper.ErrNotFound)
	assert.EqualError(t, err, `read scale of deployment shop/gone: deployments.apps "gone" not found`)
	_, err = ops.SetScale(ctx, missing, 1)
	assert.ErrorIs(t, err, k8shelper.ErrNotFound)
}

func TestOtherErrorsAreNotTriedAgain(t *testing.T) {
	ops, c := newOps(t)
	_, err := ops.SetScale(ctx, web, -1)
	assert.True(t, apierrors.IsInvalid(err), err)
	assert.NotErrorIs(t, err, k8shelper.ErrConflict)
	assert.Len(t, c.Scales.Actions(), 2, "one read, one write")
}

func TestDeletedBetweenReadAndWrite(t *testing.T) {
	ops, c := newOps(t)
	c.Scales.PrependReactor("update", "deployments", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewNotFound(schema.GroupResource{Group: "apps", Resource: "deployments"}, "web")
	})
	_, err := ops.SetScale(ctx, web, 1)
	assert.ErrorIs(t, err, k8shelper.ErrNotFound)
}

func slice(name, service string, ready ...*bool) *discoveryv1.EndpointSlice {
	s := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{
		Name: name, Namespace: "shop", Labels: map[string]string{discoveryv1.LabelServiceName: service},
	}}
	for _, r := range ready {
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{"10.0.0.1"}, Conditions: discoveryv1.EndpointConditions{Ready: r},
		})
	}
	return s
}

func TestHasReadyEndpoint(t *testing.T) {
	yes, no := ptr.To(true), ptr.To(false)
	ops, _ := newOps(t,
		slice("a-1", "ready", no, yes),
		slice("b-1", "unknown", nil),
		slice("c-1", "starting", no, no),
		slice("d-1", "empty"),
		slice("e-1", "second", no), slice("e-2", "second", yes),
	)
	for service, want := range map[string]bool{
		"ready": true, "unknown": true, "starting": false, "empty": false, "second": true, "missing": false,
	} {
		got, err := ops.HasReadyEndpoint(ctx, "shop", service)
		require.NoError(t, err, service)
		assert.Equal(t, want, got, service)
	}
	got, err := ops.HasReadyEndpoint(ctx, "elsewhere", "ready")
	require.NoError(t, err)
	assert.False(t, got, "another namespace")
}

func TestHasReadyEndpointFails(t *testing.T) {
	ops, c := newOps(t)
	broken := errors.New("connection refused")
	c.Client.PrependReactor("list", "endpointslices", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, broken
	})
	_, err := ops.HasReadyEndpoint(ctx, "shop", "web")
	assert.ErrorIs(t, err, broken)
	assert.EqualError(t, err, "list endpoints of service shop/web: connection refused")
}

func TestReadingBetweenLostRacesFails(t *testing.T) {
	ops, c := newOps(t)
	raced(t, c, 1)
	reads := 0
	c.Scales.PrependReactor("get", "deployments", func(clienttesting.Action) (bool, runtime.Object, error) {
		reads++
		if reads == 2 {
			return true, &autoscalingv1.Scale{}, errors.New("connection refused")
		}
		return false, nil, nil
	})
	_, err := ops.SetScale(ctx, web, 7)
	assert.EqualError(t, err, "read scale of deployment shop/web: connection refused")
}
