package fakecluster

import (
	"maps"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"

	"github.com/scalelab/scalelab/k8shelper"
)

// Kind is a custom resource definition.
type Kind struct {
	schema.GroupVersionKind
	Scale         *ScalePaths // nil: no scale subresource
	ClusterScoped bool
}

// ScalePaths are where a custom resource keeps what its scale subresource
// shows, as in a CRD: dotted, beginning with a dot.
type ScalePaths struct{ Desired, Created, Selector string }

// wellKnown are the custom resources of every cluster here. A Rollout's paths
// are those of Argo's CRD.
var wellKnown = []Kind{
	{GroupVersionKind: k8shelper.ElastiServices.GroupVersion().WithKind("ElastiService")},
	{GroupVersionKind: k8shelper.ScaledObjects.GroupVersion().WithKind("ScaledObject")},
	{GroupVersionKind: k8shelper.PodAutoscalers.GroupVersion().WithKind("PodAutoscaler")},
	{GroupVersionKind: k8shelper.ServerlessServices.GroupVersion().WithKind("ServerlessService")},
	{GroupVersionKind: k8shelper.Rollouts.GroupVersion().WithKind("Rollout"), Scale: &ScalePaths{
		Desired: ".spec.replicas", Created: ".status.HPAReplicas", Selector: ".status.selector",
	}},
}

// apiTypes are the Go types that objects are stored in, if their kind has one.
var apiTypes = sync.OnceValue(func() *runtime.Scheme {
	all := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, metricsv1beta1.AddToScheme} {
		if err := add(all); err != nil {
			panic("fakecluster: register the types of the API: " + err.Error())
		}
	}
	return all
})

// catalogue is what is known about built-in and well-known kinds.
type catalogue struct {
	kinds     []Kind
	listKinds map[schema.GroupVersionResource]string
	mapper    *meta.DefaultRESTMapper

	prioritized meta.RESTMapper
}

var builtin = sync.OnceValue(func() *catalogue {
	c := &catalogue{
		listKinds: map[schema.GroupVersionResource]string{},
		mapper:    meta.NewDefaultRESTMapper(apiTypes().PrioritizedVersionsAllGroups()),
	}
	for gvk := range apiTypes().AllKnownTypes() {
		item, ok := strings.CutSuffix(gvk.Kind, "List")
		if !ok || item == "" || gvk.Version == runtime.APIVersionInternal {
			continue
		}
		c.add(Kind{GroupVersionKind: gvk.GroupVersion().WithKind(item), ClusterScoped: clusterScoped[item]})
	}
	for _, kind := range wellKnown {
		c.add(kind)
	}
	c.prioritized = prioritize(c.mapper)
	return c
})

// clusterScoped are the built-in kinds that have no namespace, as far as
// anything here meets them.
var clusterScoped = map[string]bool{
	"Namespace": true, "Node": true, "PersistentVolume": true, "ClusterRole": true, "ClusterRoleBinding": true,
	"StorageClass": true, "PriorityClass": true, "IngressClass": true, "RuntimeClass": true, "NodeMetrics": true,
	"CSIDriver": true, "CSINode": true, "VolumeAttachment": true, "CertificateSigningRequest": true,
}

func (c *catalogue) add(kind Kind) {
	gvr := plural(kind.GroupVersionKind)
	c.kinds = append(c.kinds, kind)
	c.listKinds[gvr] = kind.Kind + "List"
	scope := meta.RESTScopeNamespace
	if kind.ClusterScoped {
		scope = meta.RESTScopeRoot
	}
	c.mapper.AddSpecific(kind.GroupVersionKind, gvr, gvr.GroupVersion().WithResource(strings.ToLower(kind.Kind)), scope)
}

// listKinds are the kinds of lists that the dynamic client can make.
func listKinds(custom []Kind) map[schema.GroupVersionResource]string {
	kinds := builtin().listKinds
	if len(custom) == 0 {
		return kinds
	}
	kinds = maps.Clone(kinds)
	for _, kind := range custom {
		kinds[plural(kind.GroupVersionKind)] = kind.Kind + "List"
	}
	return kinds
}

// restMapper knows all kinds of a cluster.
func restMapper(custom []Kind) meta.RESTMapper {
	if len(custom) == 0 {
		return builtin().prioritized
	}
	versions := make([]schema.GroupVersion, len(custom))
	for i, kind := range custom {
		versions[i] = kind.GroupVersion()
	}
	own := catalogue{listKinds: map[schema.GroupVersionResource]string{}, mapper: meta.NewDefaultRESTMapper(versions)}
	for _, kind := range custom {
		own.add(kind)
	}
	return meta.FirstHitRESTMapper{MultiRESTMapper: meta.MultiRESTMapper{own.mapper, builtin().prioritized}}
}

// prioritize makes a mapper choose where a resource is in several groups, as
// events are: the core group goes first, then newer versions.
func prioritize(mapper meta.RESTMapper) meta.RESTMapper {
	p := meta.PriorityRESTMapper{Delegate: mapper}
	for _, gv := range append([]schema.GroupVersion{{Version: "v1"}}, apiTypes().PrioritizedVersionsAllGroups()...) {
		p.ResourcePriority = append(p.ResourcePriority, gv.WithResource(meta.AnyResource))
		p.KindPriority = append(p.KindPriority, gv.WithKind(meta.AnyKind))
	}
	return p
}

// scalePaths finds the custom resources that have a scale subresource.
func scalePaths(custom []Kind) map[schema.GroupResource]*ScalePaths {
	paths := map[schema.GroupResource]*ScalePaths{}
	for _, kinds := range [][]Kind{wellKnown, custom} {
		for _, kind := range kinds {
			if kind.Scale != nil {
				paths[plural(kind.GroupVersionKind).GroupResource()] = kind.Scale
			}
		}
	}
	return paths
}

// plural is the resource of a kind, by the rule all kinds here follow but
// those of metrics-server.
func plural(gvk schema.GroupVersionKind) schema.GroupVersionResource {
	if gvk.Group == metricsv1beta1.GroupName {
		if measured, ok := strings.CutSuffix(gvk.Kind, "Metrics"); ok {
			gvk.Kind = measured
		}
	}
	gvr, _ := meta.UnsafeGuessKindToResource(gvk)
	return gvr
}
