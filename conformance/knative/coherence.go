package knative

import (
	"context"
	"runtime"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
	"knative.dev/pkg/reconciler"
	"knative.dev/serving/pkg/apis/autoscaling/v1alpha1"
)

// coherence lets every reconciliation begin with informers that have seen
// everything that is written. Otherwise it is chance whether they have: then an
// object is created twice, which fails and is tried again milliseconds later, or
// a revision that has just become inactive is deactivated once more.
type coherence struct {
	reconciler.ConfigStore // whose ToContext is the first that a reconciliation calls
	server                 *apiServer
	stores                 map[string]cache.Store // by resource
	scalables              cache.Store
}

// ToContext waits, without time passing in the bubble.
func (c *coherence) ToContext(ctx context.Context) context.Context {
	for !c.current() {
		runtime.Gosched()
	}
	return c.ConfigStore.ToContext(ctx)
}

// current says whether the informers know the versions that were written last.
func (c *coherence) current() bool {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	known := 0
	for resource, store := range c.stores {
		for _, object := range store.List() {
			o := object.(metav1.Object)
			if c.server.versions[resource+"/"+o.GetName()] != o.GetResourceVersion() {
				return false
			}
			known++
		}
	}
	if known != len(c.server.versions) {
		return false
	}
	for _, object := range c.scalables.List() {
		if *object.(*v1alpha1.PodScalable).Spec.Replicas != c.server.said.Replicas {
			return false
		}
	}
	return true
}
