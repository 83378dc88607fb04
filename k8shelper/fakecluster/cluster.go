// Package fakecluster is a Kubernetes API server in memory, reached through
// client-go's fake clients: the typed clientset, the dynamic client, the scale
// client and the metrics client, all on one state.
//
// It does what controllers rely on: UIDs, creation timestamps from a given
// clock, resource versions with conflicts, generations, a status that only
// status writes change, generateName, writes that change nothing and keep the
// version, graceful deletion of pods, binding, the scale subresource of
// Deployments, ReplicaSets, StatefulSets and custom resources, Events that
// expire, and watches from a version. On request it delays and fails calls
// (Faults) and keeps a log of them.
//
// It ignores validation, most defaults, admission, conversion between API
// versions (a resource lives in the version it was first written in), field
// ownership, finalizers, garbage collection and authorization. What it does
// not have (server-side apply, JSON patch, dry run, selectors of fields other
// than name and namespace, other subresources) it refuses with an API error.
// Contexts do not reach a fake client: a call cannot be canceled.
//
// The behaviour follows k8s.io/apiserver/pkg/registry/rest and the strategies
// of the API reference. Nothing in it is random: equal calls give equal state.
package fakecluster

import (
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	kubefake "k8s.io/client-go/kubernetes/fake"
	scalefake "k8s.io/client-go/scale/fake"
	"k8s.io/client-go/testing"
	metricsfake "k8s.io/metrics/pkg/client/clientset/versioned/fake"
	"k8s.io/utils/clock"

	"github.com/scalelab/scalelab/k8shelper"
)

// Options describe a cluster.
type Options struct {
	// Clock stamps objects and expires Events. Latency needs one that can
	// sleep, as a clock.Clock can.
	Clock clock.PassiveClock
	// Objects exist from the start. They keep the status they have; what the
	// server assigns is assigned.
	Objects []runtime.Object
	// Kinds are custom resources beside the ones there always are: Argo's
	// Rollout, KEDA's ScaledObject, KubeElasti's ElastiService, and Knative's
	// PodAutoscaler and ServerlessService.
	Kinds []Kind
	// Faults decides what goes wrong with each call; nil: nothing does.
	Faults Faults
	// LogCalls is how many calls the log keeps, the newest; 0 is no log.
	LogCalls int
	// Watch serves watches, for which the server keeps the last 1024 changes.
	// Without it they are refused.
	Watch bool
}

// Cluster is the API server's four fronts. Single calls can be made to fail
// with their PrependReactor; their Tracker is not in use. All of them may be
// used from several goroutines.
type Cluster struct {
	Client  *kubefake.Clientset
	Dynamic *dynamicfake.FakeDynamicClient
	Scales  *scalefake.FakeScaleClient
	Metrics *metricsfake.Clientset

	server *server
	mapper meta.RESTMapper
	custom []Kind
	// listKinds are the kinds of lists by resource; every resource has one.
	listKinds map[schema.GroupVersionResource]string
}

// New starts a cluster. It returns an error without a clock, or if an object
// cannot be stored.
func New(options Options) (*Cluster, error) {
	switch {
	case options.Clock == nil:
		return nil, errors.New("fake cluster: found no clock, expected one")
	case options.LogCalls < 0:
		return nil, fmt.Errorf("fake cluster: found a log of %d calls, expected at least 0", options.LogCalls)
	}
	s := &server{
		clock: options.Clock, resources: map[schema.GroupResource]*resource{}, scales: scalePaths(options.Kinds),
		faults: options.Faults,
	}
	if options.LogCalls > 0 {
		s.log = &callLog{limit: options.LogCalls}
	}
	if options.Watch {
		s.history = &history{}
	}
	for _, obj := range options.Objects {
		if err := s.seed(obj); err != nil {
			return nil, fmt.Errorf("fake cluster: store initial object: %w", err)
		}
	}
	kinds := listKinds(options.Kinds)
	c := &Cluster{
		Client:    kubefake.NewSimpleClientset(),
		Dynamic:   dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), kinds),
		Scales:    &scalefake.FakeScaleClient{},
		Metrics:   metricsfake.NewSimpleClientset(),
		server:    s,
		mapper:    restMapper(options.Kinds),
		custom:    options.Kinds,
		listKinds: kinds,
	}
	connect(&c.Client.Fake, s, typed{})
	connect(&c.Dynamic.Fake, s, dynamic{})
	connect(&c.Scales.Fake, s, typed{})
	connect(&c.Metrics.Fake, s, typed{})
	return c, nil
}

// Clients are the fronts and a RESTMapper of all kinds of the cluster.
func (c *Cluster) Clients() k8shelper.Clients {
	return k8shelper.Clients{Kubernetes: c.Client, Dynamic: c.Dynamic, Scales: c.Scales, Mapper: c.mapper}
}

// Put stores objects whole, status included, in place of those of their names.
// It is for playing the controllers and metrics-server: it meets no faults and
// no log.
func (c *Cluster) Put(objects ...runtime.Object) error {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	for _, obj := range objects {
		if err := c.server.put(obj); err != nil {
			return fmt.Errorf("fake cluster: put object: %w", err)
		}
	}
	return nil
}

// ClearActions forgets the calls that the fronts have recorded. A long run has
// to call it now and then: a call keeps a copy of the object it sent.
func (c *Cluster) ClearActions() {
	c.Client.ClearActions()
	c.Dynamic.ClearActions()
	c.Scales.ClearActions()
	c.Metrics.ClearActions()
}

// connect makes the server answer every call to a front.
func connect(front *testing.Fake, s *server, v view) {
	r := reactor{front: front, server: s, view: v}
	front.ReactionChain = nil
	front.WatchReactionChain = nil
	front.AddReactor("*", "*", r.react)
	front.AddWatchReactor("*", r.reactWatch)
}
