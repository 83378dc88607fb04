package k8shelper_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/scalelab/scalelab/k8shelper"
)

func TestTargets(t *testing.T) {
	rollout := k8shelper.Target{APIVersion: "argoproj.io/v1alpha1", Kind: "rollouts", Namespace: "shop", Name: "web"}
	assert.Equal(t, "rollout shop/web", rollout.String())
	assert.Equal(t, corev1.ObjectReference{
		APIVersion: "argoproj.io/v1alpha1", Kind: "Rollout", Namespace: "shop", Name: "web", UID: "u",
	}, rollout.Reference("u"))
	gvk, err := rollout.GroupVersionKind()
	require.NoError(t, err)
	assert.Equal(t, k8shelper.Rollouts.GroupVersion().WithKind("Rollout"), gvk)
	assert.NoError(t, rollout.Validate())
	assert.NoError(t, web.Validate())
}

func TestTargetsThatCannotBe(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*k8shelper.Target)
		want   string
	}{
		"no apiVersion":     {func(t *k8shelper.Target) { t.APIVersion = "" }, "read apiVersion of deployment shop/web: found none, expected one such as apps/v1"},
		"a long apiVersion": {func(t *k8shelper.Target) { t.APIVersion = "a/b/c" }, "read apiVersion of deployment shop/web: unexpected GroupVersion string: a/b/c"},
		"no kind":           {func(t *k8shelper.Target) { t.Kind = "" }, "read kind of shop/web: found none, expected one such as Deployment"},
		"no namespace":      {func(t *k8shelper.Target) { t.Namespace = "" }, `namespace of deployment /web: found ""`},
		"a namespace path":  {func(t *k8shelper.Target) { t.Namespace = "../x" }, `namespace of deployment ../x/web: found "../x"`},
		"no name":           {func(t *k8shelper.Target) { t.Name = "" }, `check name of deployment shop/: found ""`},
		"capitals":          {func(t *k8shelper.Target) { t.Name = "Web" }, `check name of deployment shop/Web: found "Web"`},
		"a very long name":  {func(t *k8shelper.Target) { t.Name = strings.Repeat("a", 254) }, "must be no more than 253"},
	} {
		target := web
		test.change(&target)
		err := target.Validate()
		assert.ErrorIs(t, err, k8shelper.ErrInvalid, name)
		assert.ErrorContains(t, err, test.want, name)
	}
}

func TestKindsAndResources(t *testing.T) {
	ops, _ := newOps(t)
	for _, test := range []struct {
		gvk schema.GroupVersionKind
		gvr schema.GroupVersionResource
	}{
		{schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}, schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}},
		{schema.GroupVersionKind{Version: "v1", Kind: "Pod"}, schema.GroupVersionResource{Version: "v1", Resource: "pods"}},
		{k8shelper.ElastiServices.GroupVersion().WithKind("ElastiService"), k8shelper.ElastiServices},
		{k8shelper.ScaledObjects.GroupVersion().WithKind("ScaledObject"), k8shelper.ScaledObjects},
		{schema.GroupVersionKind{Group: "metrics.k8s.io", Version: "v1beta1", Kind: "PodMetrics"}, schema.GroupVersionResource{Group: "metrics.k8s.io", Version: "v1beta1", Resource: "pods"}},
	} {
		gvr, err := ops.ResourceFor(test.gvk)
		require.NoError(t, err)
		assert.Equal(t, test.gvr, gvr)
		gvk, err := ops.KindFor(test.gvr)
		require.NoError(t, err)
		assert.Equal(t, test.gvk, gvk)
	}
	_, err := ops.KindFor(schema.GroupVersionResource{Group: "x.io", Version: "v1", Resource: "xs"})
	assert.ErrorIs(t, err, k8shelper.ErrNoMatch)
	assert.ErrorContains(t, err, "find kind of x.io/v1, Resource=xs: no matches for x.io/v1, Resource=xs")
}

// late is a RESTMapper that learns of a kind with the n-th reset.
type late struct {
	meta.RESTMapper
	mu     sync.Mutex
	resets int
	asked  int
	from   int
}

func (l *late) RESTMapping(gk schema.GroupKind, versions ...string) (*meta.RESTMapping, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
	if l.resets < l.from {
		return nil, &meta.NoKindMatchError{GroupKind: gk, SearchedVersions: versions}
	}
	return &meta.RESTMapping{Resource: schema.GroupVersionResource{Group: gk.Group, Version: "v1", Resource: "widgets"}}, nil
}

func (l *late) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.resets++
}

var widget = k8shelper.Target{APIVersion: "example.com/v1", Kind: "Widget", Namespace: "shop", Name: "w"}

func TestAnUnknownKindIsAskedForAgainOnce(t *testing.T) {
	rest := &late{from: 2}
	mapper := k8shelper.NewMapper(rest)
	_, err := mapper.Resolve(widget)
	assert.ErrorIs(t, err, k8shelper.ErrNoMatch)
	assert.EqualError(t, err, `find resource of example.com/v1, Kind=Widget: no matches for kind "Widget" in version "example.com/v1"`)
	assert.Equal(t, []int{1, 2}, []int{rest.resets, rest.asked})

	object, err := mapper.Resolve(widget)
	require.NoError(t, err, "its CRD has come")
	assert.Equal(t, "widgets.example.com shop/w", object.String())
	assert.Equal(t, []int{2, 4}, []int{rest.resets, rest.asked})

	again, err := mapper.Resolve(widget)
	require.NoError(t, err)
	assert.Equal(t, object, again)
	assert.Equal(t, []int{2, 4}, []int{rest.resets, rest.asked}, "remembered")
}

func TestFailuresAtTheSameTimeShareAReset(t *testing.T) {
	rest := &late{from: 1 << 30}
	mapper := k8shelper.NewMapper(rest)
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			_, err := mapper.Resolve(widget)
			assert.ErrorIs(t, err, k8shelper.ErrNoMatch)
		})
	}
	group.Wait()
	assert.Equal(t, 100, rest.asked, "twice each")
	assert.LessOrEqual(t, rest.resets, 50)
	assert.Positive(t, rest.resets)
}

func TestTheMapperForgetsRatherThanGrows(t *testing.T) {
	rest := &late{}
	mapper := k8shelper.NewMapper(rest)
	target := widget
	for i := range 5000 {
		target.Name = "w" + strings.Repeat("x", i%200) + string(rune('a'+i/200))
		_, err := mapper.Resolve(target)
		require.NoError(t, err)
	}
	before := rest.asked
	_, err := mapper.Resolve(target)
	require.NoError(t, err)
	assert.Equal(t, before, rest.asked, "the newest is still there")
}
