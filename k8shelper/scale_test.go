package k8shelper_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"

	"github.com/scalelab/scalelab/k8shelper"
	"github.com/scalelab/scalelab/k8shelper/fakecluster"
)

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
	assert.Equal(t, k8shelper.Scale{
		Desired: 3, Created: 2, Selector: "app=web", ResourceVersion: "1", UID: "910a2dec-8902-45cc-811e-000000000001",
	}, scale)
}

func TestSetScale(t *testing.T) {
	ops, c := newOps(t)
	scale, err := ops.SetScale(ctx, web, 0)
	require.NoError(t, err)
	assert.Equal(t, k8shelper.Scale{
		Desired: 0, Created: 2, Selector: "app=web", ResourceVersion: "2", UID: "910a2dec-8902-45cc-811e-000000000001",
	}, scale)
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
	missing := k8shelper.Deployment("shop", "gone")
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
	assert.EqualError(t, err, "set scale of deployment shop/web to 7: connection refused")
}

func TestEveryKindIsScaled(t *testing.T) {
	meta := metav1.ObjectMeta{Namespace: "shop", Name: "w"}
	ops, c := newOps(t,
		&appsv1.StatefulSet{ObjectMeta: meta, Spec: appsv1.StatefulSetSpec{Replicas: ptr.To[int32](1)}},
		&appsv1.ReplicaSet{ObjectMeta: meta, Spec: appsv1.ReplicaSetSpec{Replicas: ptr.To[int32](1)}},
		&appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{Replicas: ptr.To[int32](1)}},
		&appsv1.DaemonSet{ObjectMeta: meta},
		custom(k8shelper.Rollouts, "Rollout", "w", map[string]any{
			"spec": map[string]any{"replicas": int64(1)}, "status": map[string]any{"HPAReplicas": int64(2), "selector": "app=w"},
		}),
		custom(k8shelper.ScaledObjects, "ScaledObject", "w", map[string]any{"spec": map[string]any{"replicas": int64(1)}}),
	)
	for name, test := range map[string]struct{ apiVersion, kind string }{
		"Deployment": {"apps/v1", "Deployment"}, "its plural": {"apps/v1", "deployments"},
		"StatefulSet": {"apps/v1", "StatefulSet"}, "its plural too": {"apps/v1", "statefulsets"},
		"ReplicaSet": {"apps/v1", "ReplicaSet"},
		"Rollout":    {"argoproj.io/v1alpha1", "Rollout"}, "the plural of that": {"argoproj.io/v1alpha1", "rollouts"},
	} {
		t.Run(name, func(t *testing.T) {
			target := k8shelper.Target{APIVersion: test.apiVersion, Kind: test.kind, Namespace: "shop", Name: "w"}
			before, err := ops.Scale(ctx, target)
			require.NoError(t, err)
			after, err := ops.SetScale(ctx, target, before.Desired+1)
			require.NoError(t, err)
			assert.Equal(t, before.Desired+1, after.Desired)
			assert.NotEqual(t, before.ResourceVersion, after.ResourceVersion)
			again, err := ops.Scale(ctx, target)
			require.NoError(t, err)
			assert.Equal(t, after, again)
		})
	}
	rollout, err := ops.Scale(ctx, k8shelper.Target{APIVersion: "argoproj.io/v1alpha1", Kind: "Rollout", Namespace: "shop", Name: "w"})
	require.NoError(t, err)
	assert.Equal(t, []any{int32(2), "app=w"}, []any{rollout.Created, rollout.Selector})
	calls(c)
	for _, target := range []k8shelper.Target{
		{APIVersion: "apps/v1", Kind: "DaemonSet", Namespace: "shop", Name: "w"},
		{APIVersion: "keda.sh/v1alpha1", Kind: "ScaledObject", Namespace: "shop", Name: "w"},
	} {
		_, err = ops.Scale(ctx, target)
		assert.ErrorIs(t, err, k8shelper.ErrNotFound, "%s has no scale", target)
		_, err = ops.SetScale(ctx, target, 2)
		assert.ErrorIs(t, err, k8shelper.ErrNotFound, "%s has no scale", target)
	}
}

func TestSetScaleAtAVersion(t *testing.T) {
	ops, c := newOps(t)
	read, err := ops.Scale(ctx, web)
	require.NoError(t, err)
	calls(c)
	written, err := ops.SetScaleAt(ctx, web, 0, read.ResourceVersion)
	require.NoError(t, err)
	assert.Equal(t, k8shelper.Scale{Desired: 0, Created: 2, Selector: "app=web", ResourceVersion: "2", UID: read.UID}, written)
	_, err = ops.SetScaleAt(ctx, web, 5, read.ResourceVersion)
	assert.ErrorIs(t, err, k8shelper.ErrConflict)
	_, err = ops.SetScaleAt(ctx, web, 5, "")
	assert.ErrorIs(t, err, k8shelper.ErrInvalid)
	assert.EqualError(t, err, "set scale of deployment shop/web to 5 at version : found no resource version, expected that of a scale read before")
	assert.Equal(t, []string{
		"update deployments.apps/scale shop/web replicas=0: ok",
		"update deployments.apps/scale shop/web replicas=5: Conflict",
	}, calls(c), "no read, and nothing tried again")
}

func TestScaleOfWhatCannotBe(t *testing.T) {
	ops, c := newOps(t)
	for name, test := range map[string]struct {
		target k8shelper.Target
		kind   error
	}{
		"no kind in the cluster": {k8shelper.Target{APIVersion: "x.io/v1", Kind: "X", Namespace: "shop", Name: "x"}, k8shelper.ErrNoMatch},
		"no name":                {k8shelper.Deployment("shop", ""), k8shelper.ErrInvalid},
	} {
		_, err := ops.Scale(ctx, test.target)
		assert.ErrorIs(t, err, test.kind, name)
		_, err = ops.SetScale(ctx, test.target, 1)
		assert.ErrorIs(t, err, test.kind, name)
		_, err = ops.SetScaleAt(ctx, test.target, 1, "1")
		assert.ErrorIs(t, err, test.kind, name)
		assert.ErrorIs(t, ops.AnnotateTarget(ctx, test.target, k8shelper.Annotations{Remove: []string{"a"}}), test.kind, name)
	}
	assert.Empty(t, calls(c), "the server was not asked")
}

// Many writers of one count: every write stands or is an ErrConflict, none is lost.
func TestSetScaleFromManyGoroutines(t *testing.T) {
	ops, c := newOps(t)
	var wins sync.Map
	var group sync.WaitGroup
	for i := range int32(16) {
		group.Go(func() {
			for k := range int32(20) {
				scale, err := ops.SetScale(ctx, web, 100*i+k)
				if errors.Is(err, k8shelper.ErrConflict) {
					continue
				}
				if assert.NoError(t, err) {
					assert.Equal(t, 100*i+k, scale.Desired)
					_, twice := wins.LoadOrStore(scale.ResourceVersion, i)
					assert.False(t, twice, "two writes made version %s", scale.ResourceVersion)
				}
			}
		})
	}
	group.Wait()
	assert.Positive(t, c.Tally().Writes)
}
