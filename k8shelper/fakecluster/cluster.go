// Package fakecluster is a Kubernetes API server in memory, reached through
// client-go's fake clients: the typed clientset, the dynamic client and the
// scale client, all on one state.
//
// It does what controllers rely on: UIDs, creation timestamps from a given
// clock, resource versions with conflicts, generations, a status that only
// status writes change, generateName, writes that change nothing and keep the
// version, graceful deletion of pods, binding, the scale subresource of
// Deployments, ReplicaSets and StatefulSets, and Events that expire.
//
// It ignores validation, most defaults, admission, conversion between API
// versions (a resource lives in the version it was first written in), field
// ownership, finalizers, garbage collection and authorization. What it does
// not have (watch, server-side apply, JSON patch, dry run, field selectors,
// other subresources) it refuses with an API error.
//
// The behaviour follows k8s.io/apiserver/pkg/registry/rest and the strategies
// of the API reference. Nothing in it is random: equal calls give equal state.
package fakecluster

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	kubefake "k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"
	scalefake "k8s.io/client-go/scale/fake"
	"k8s.io/client-go/testing"
	"k8s.io/utils/clock"
)

// Options describe a cluster.
type Options struct {
	// Clock stamps objects and expires Events.
	Clock clock.PassiveClock
	// Objects exist from the start. They keep the status they have; what the
	// server assigns is assigned.
	Objects []runtime.Object
	// Kinds are the custom resources that the dynamic client can list.
	Kinds []schema.GroupVersionKind
}

// Cluster is the API server's three fronts. Faults are injected with their
// PrependReactor; their Tracker is not in use. All of them may be used from
// several goroutines.
type Cluster struct {
	Client  *kubefake.Clientset
	Dynamic *dynamicfake.FakeDynamicClient
	Scales  *scalefake.FakeScaleClient
}

// New starts a cluster. It returns an error without a clock, or if an object
// cannot be stored.
func New(options Options) (*Cluster, error) {
	if options.Clock == nil {
		return nil, errors.New("fake cluster: found no clock, expected one")
	}
	s := &server{clock: options.Clock, resources: map[schema.GroupResource]*resource{}}
	for _, obj := range options.Objects {
		if err := s.seed(obj); err != nil {
			return nil, fmt.Errorf("fake cluster: store initial object: %w", err)
		}
	}
	c := &Cluster{
		Client:  kubefake.NewSimpleClientset(),
		Dynamic: dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), listKinds(options.Kinds)),
		Scales:  &scalefake.FakeScaleClient{},
	}
	connect(&c.Client.Fake, s, typed{})
	connect(&c.Dynamic.Fake, s, dynamic{})
	connect(&c.Scales.Fake, s, typed{})
	return c, nil
}

// ClearActions forgets the calls that the fronts have recorded. A long run has
// to call it now and then: a call keeps a copy of the object it sent.
func (c *Cluster) ClearActions() {
	c.Client.ClearActions()
	c.Dynamic.ClearActions()
	c.Scales.ClearActions()
}

// connect makes the server answer every call to a front.
func connect(front *testing.Fake, s *server, v view) {
	front.ReactionChain = nil
	front.WatchReactionChain = nil
	front.AddReactor("*", "*", reactor{server: s, view: v}.react)
	front.AddWatchReactor("*", refuseWatch)
}

// builtinListKinds are the list kinds of everything client-go has types for.
var builtinListKinds = sync.OnceValue(func() map[schema.GroupVersionResource]string {
	kinds := map[schema.GroupVersionResource]string{}
	for gvk := range scheme.Scheme.AllKnownTypes() {
		if item, ok := strings.CutSuffix(gvk.Kind, "List"); ok && item != "" && gvk.Version != runtime.APIVersionInternal {
			kinds[plural(gvk.GroupVersion().WithKind(item))] = gvk.Kind
		}
	}
	return kinds
})

func listKinds(custom []schema.GroupVersionKind) map[schema.GroupVersionResource]string {
	kinds := builtinListKinds()
	if len(custom) == 0 {
		return kinds
	}
	all := make(map[schema.GroupVersionResource]string, len(kinds)+len(custom))
	for gvr, kind := range kinds {
		all[gvr] = kind
	}
	for _, gvk := range custom {
		all[plural(gvk)] = gvk.Kind + "List"
	}
	return all
}

// plural is the resource of a kind, by the rule all kinds here follow.
func plural(gvk schema.GroupVersionKind) schema.GroupVersionResource {
	gvr, _ := meta.UnsafeGuessKindToResource(gvk)
	return gvr
}
