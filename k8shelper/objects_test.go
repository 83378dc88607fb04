package k8shelper_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/scalelab/scalelab/k8shelper"
	"github.com/scalelab/scalelab/k8shelper/fakecluster"
)

var (
	scaledObject = k8shelper.Object{Resource: k8shelper.ScaledObjects, Namespace: "shop", Name: "web"}
	elasti       = k8shelper.Object{Resource: k8shelper.ElastiServices, Namespace: "shop", Name: "web"}
)

func newObjects(t *testing.T) (*k8shelper.Ops, *fakecluster.Cluster) {
	return newOps(t,
		custom(k8shelper.ScaledObjects, "ScaledObject", "web", map[string]any{
			"metadata": map[string]any{"annotations": map[string]any{"keep": "this", "autoscaling.keda.sh/paused-replicas": "0"}},
			"spec":     map[string]any{"minReplicaCount": int64(1)},
		}),
		custom(k8shelper.ElastiServices, "ElastiService", "web", map[string]any{"status": map[string]any{"mode": "serve"}}),
	)
}

func TestAnnotationsAreSetAndRemoved(t *testing.T) {
	ops, c := newObjects(t)
	require.NoError(t, ops.Annotate(ctx, scaledObject, k8shelper.Annotations{
		Set: map[string]string{"autoscaling.keda.sh/paused": "false"}, Remove: []string{"autoscaling.keda.sh/paused-replicas", "never/there"},
	}))
	u, err := ops.Get(ctx, scaledObject)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"keep": "this", "autoscaling.keda.sh/paused": "false"}, u.GetAnnotations())
	assert.Equal(t, int64(1), u.GetGeneration(), "the spec is not touched")
	assert.Equal(t, []string{
		`patch scaledobjects.keda.sh shop/web {"metadata":{"annotations":{"autoscaling.keda.sh/paused":"false","autoscaling.keda.sh/paused-replicas":null,"never/there":null}}}: ok`,
		"get scaledobjects.keda.sh shop/web: ok",
	}, calls(c))

	require.NoError(t, ops.AnnotateTarget(ctx, web, k8shelper.Annotations{Set: map[string]string{"a": "1"}}))
	d, err := c.Client.AppsV1().Deployments("shop").Get(ctx, "web", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"a": "1"}, d.Annotations)
}

func TestAnnotationsThatCannotBe(t *testing.T) {
	ops, c := newObjects(t)
	require.NoError(t, ops.Annotate(ctx, scaledObject, k8shelper.Annotations{}))
	for name, a := range map[string]k8shelper.Annotations{
		"set and removed": {Set: map[string]string{"a": "1"}, Remove: []string{"a"}},
		"no key":          {Set: map[string]string{"": "1"}},
		"two slashes":     {Remove: []string{"a/b/c"}},
	} {
		assert.ErrorIs(t, ops.Annotate(ctx, scaledObject, a), k8shelper.ErrInvalid, name)
	}
	assert.Empty(t, calls(c), "the server was not asked")
	missing := k8shelper.Object{Resource: k8shelper.ScaledObjects, Namespace: "shop", Name: "gone"}
	err := ops.Annotate(ctx, missing, k8shelper.Annotations{Remove: []string{"a"}})
	assert.ErrorIs(t, err, k8shelper.ErrNotFound)
	assert.EqualError(t, err, `annotate scaledobjects.keda.sh shop/gone: scaledobjects.keda.sh "gone" not found`)
}

func TestStatusOfAnElastiService(t *testing.T) {
	ops, c := newObjects(t)
	at := time.Date(2026, 1, 5, 12, 0, 0, 999, time.FixedZone("", 3600))
	require.NoError(t, ops.PatchElastiStatus(ctx, "shop", "web", k8shelper.ElastiStatus{LastScaledUpTime: at}))
	require.NoError(t, ops.PatchElastiStatus(ctx, "shop", "web", k8shelper.ElastiStatus{Mode: "proxy", LastReconciledTime: at.Add(time.Minute)}))
	calls(c)
	require.NoError(t, ops.PatchElastiStatus(ctx, "shop", "web", k8shelper.ElastiStatus{}))
	err := ops.PatchElastiStatus(ctx, "shop", "web", k8shelper.ElastiStatus{Mode: "Proxy"})
	assert.ErrorIs(t, err, k8shelper.ErrInvalid)
	assert.EqualError(t, err, `patch status of elastiservices.elasti.truefoundry.com shop/web: found mode "Proxy", expected proxy or serve`)
	assert.Empty(t, calls(c))
	u, err := ops.Get(ctx, elasti)
	require.NoError(t, err)
	assert.Equal(t, map[string]any{
		"mode": "proxy", "lastScaledUpTime": "2026-01-05T11:00:00Z", "lastReconciledTime": "2026-01-05T11:01:00Z",
	}, u.Object["status"])
	require.NoError(t, ops.PatchStatus(ctx, elasti, map[string]any{"lastScaledUpTime": nil}))
	u, err = ops.Get(ctx, elasti)
	require.NoError(t, err)
	assert.NotContains(t, u.Object["status"], "lastScaledUpTime")
	err = ops.PatchStatus(ctx, elasti, map[string]any{"bad": func() {}})
	assert.ErrorIs(t, err, k8shelper.ErrInvalid)
}

func TestReadingAndListing(t *testing.T) {
	ops, _ := newObjects(t)
	_, err := ops.Get(ctx, k8shelper.Object{Resource: k8shelper.ElastiServices, Namespace: "shop", Name: "gone"})
	assert.ErrorIs(t, err, k8shelper.ErrNotFound)
	_, err = ops.Get(ctx, k8shelper.Object{Resource: schema.GroupVersionResource{Version: "v1", Resource: "nodes"}, Name: "n"})
	assert.EqualError(t, err, `read nodes n: nodes "n" not found`)
	for namespace, want := range map[string]int{"shop": 1, "": 1, "elsewhere": 0} {
		list, err := ops.List(ctx, k8shelper.ElastiServices, namespace)
		require.NoError(t, err)
		assert.Len(t, list, want, namespace)
	}
}

// A patch that loses its race at the server is tried again, five times in all.
func TestPatchesThatLoseARace(t *testing.T) {
	for losses, want := range map[int]error{4: nil, 5: k8shelper.ErrConflict} {
		left := losses
		ops, c := opsOn(t, fakecluster.Options{
			Faults: func(call fakecluster.Call) fakecluster.Fault {
				if left--; left < 0 {
					return fakecluster.Fault{}
				}
				return fakecluster.Fault{Err: apierrors.NewConflict(call.Resource, call.Name, nil)}
			},
		})
		require.NoError(t, c.Put(deployment()))
		err := ops.AnnotateTarget(ctx, web, k8shelper.Annotations{Set: map[string]string{"a": "1"}})
		assert.ErrorIs(t, err, want)
		assert.Len(t, calls(c), 5)
	}
}

// Whatever call fails, the operation says so, with the reason.
func TestEveryFailureIsReported(t *testing.T) {
	operations := map[string]func(*k8shelper.Ops) error{
		"scale":     func(o *k8shelper.Ops) error { _, err := o.Scale(ctx, web); return err },
		"set scale": func(o *k8shelper.Ops) error { _, err := o.SetScale(ctx, web, 9); return err },
		"set scale at": func(o *k8shelper.Ops) error {
			_, err := o.SetScaleAt(ctx, web, 9, "2")
			return err
		},
		"has ready": func(o *k8shelper.Ops) error { _, err := o.HasReadyEndpoint(ctx, "shop", "web"); return err },
		"addresses": func(o *k8shelper.Ops) error { _, err := o.ReadyAddresses(ctx, "shop", "web"); return err },
		"pods":      func(o *k8shelper.Ops) error { _, err := o.Pods(ctx, "shop", "app=web"); return err },
		"get":       func(o *k8shelper.Ops) error { _, err := o.Get(ctx, elasti); return err },
		"list":      func(o *k8shelper.Ops) error { _, err := o.List(ctx, k8shelper.ElastiServices, "shop"); return err },
		"annotate": func(o *k8shelper.Ops) error {
			return o.AnnotateTarget(ctx, web, k8shelper.Annotations{Set: map[string]string{"a": "1"}})
		},
		"status": func(o *k8shelper.Ops) error {
			return o.PatchElastiStatus(ctx, "shop", "web", k8shelper.ElastiStatus{Mode: "proxy"})
		},
		"private service": func(o *k8shelper.Ops) error { _, err := o.EnsurePrivateService(ctx, "shop", "web", nil); return err },
		"slice": func(o *k8shelper.Ops) error {
			return o.EnsureResolverSlice(ctx, k8shelper.ResolverSlice{Namespace: "shop", Service: "web", Port: 8012})
		},
		"delete service": func(o *k8shelper.Ops) error { return o.DeletePrivateService(ctx, "shop", "web") },
		"delete slice":   func(o *k8shelper.Ops) error { return o.DeleteResolverSlice(ctx, "shop", "web") },
	}
	for name, operate := range operations {
		t.Run(name, func(t *testing.T) {
			for failing := 0; ; failing++ {
				n := 0
				ops, c := opsOn(t, fakecluster.Options{
					Faults: func(fakecluster.Call) fakecluster.Fault {
						if n++; n-1 == failing {
							return fakecluster.Fault{Err: apierrors.NewServiceUnavailable("down")}
						}
						return fakecluster.Fault{}
					},
				})
				require.NoError(t, c.Put(deployment(), service("web"), custom(k8shelper.ElastiServices, "ElastiService", "web", map[string]any{})))
				err := operate(ops)
				if n <= failing {
					require.NoError(t, errors.Join(err), "all calls went well")
					return
				}
				assert.ErrorIs(t, err, k8shelper.ErrUnavailable)
				assert.True(t, k8shelper.Transient(err))
				assert.True(t, strings.HasSuffix(err.Error(), ": down"), err.Error())
			}
		})
	}
}

func TestMissingClients(t *testing.T) {
	_, c := newOps(t)
	all := c.Clients()
	require.NoError(t, all.Validate())
	for want, change := range map[string]func(*k8shelper.Clients){
		"Kubernetes": func(c *k8shelper.Clients) { c.Kubernetes = nil },
		"Dynamic":    func(c *k8shelper.Clients) { c.Dynamic = nil },
		"Scales":     func(c *k8shelper.Clients) { c.Scales = nil },
		"Mapper":     func(c *k8shelper.Clients) { c.Mapper = nil },
	} {
		clients := all
		change(&clients)
		_, err := k8shelper.New(clients)
		assert.ErrorIs(t, err, k8shelper.ErrInvalid)
		assert.EqualError(t, err, "check clients: "+want+": found none, expected a client")
	}
}
