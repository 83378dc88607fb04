package clientset

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/utils/clock"

	"github.com/scalelab/scalelab/k8shelper"
	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/knative"
)

// kpaRecord writes what Knative's autoscaler records about a decision: the status
// of the PodAutoscaler, and the mode of the ServerlessService, which leads the
// requests by way of the activator or past it. It leaves out what the reconciler of
// the ServerlessService makes of that: the slices of the public Service.
type kpaRecord struct {
	ops        *k8shelper.Ops
	services   dynamic.ResourceInterface
	clock      clock.PassiveClock
	autoscaler k8shelper.Object

	conditions []kpaCondition
	wanted     int64
	ready      int32
	proxies    bool // the mode is Proxy
}

// kpaCondition is a condition, and since when it is so.
type kpaCondition struct {
	messages.Condition
	since time.Time
}

// createKnative creates the objects of a revision as its reconciler does.
func (a *Actuator) createKnative(ctx context.Context, r *knative.Revision) error {
	workload := map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "name": a.target.Name}
	for _, o := range []struct {
		resource schema.GroupVersionResource
		kind     string
		spec     map[string]any
	}{
		{k8shelper.PodAutoscalers, "PodAutoscaler", map[string]any{
			"scaleTargetRef": workload, "protocolType": "http1", "reachability": "Reachable",
			"containerConcurrency": r.ContainerConcurrency,
		}},
		{k8shelper.ServerlessServices, "ServerlessService", map[string]any{
			"objectRef": workload, "protocolType": "http1", "mode": mode(true),
		}},
	} {
		u := settled(&unstructured.Unstructured{Object: map[string]any{"spec": o.spec}}, a.target)
		u.SetGroupVersionKind(o.resource.GroupVersion().WithKind(o.kind))
		u.SetAnnotations(r.Annotations)
		if _, err := a.cluster.Dynamic.Resource(o.resource).Namespace(u.GetNamespace()).Create(ctx, u, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("create %s of revision %s: %w", o.kind, u.GetName(), err)
		}
	}
	a.knative = &kpaRecord{
		ops: a.ops, clock: a.clock,
		services:   a.cluster.Dynamic.Resource(k8shelper.ServerlessServices).Namespace(a.target.Namespace),
		autoscaler: k8shelper.Object{Resource: k8shelper.PodAutoscalers, Namespace: a.target.Namespace, Name: a.target.Name},
		proxies:    true,
	}
	return nil
}

func mode(proxies bool) string {
	if proxies {
		return "Proxy"
	}
	return "Serve"
}

// record writes what has changed. ready is the count that the decision saw.
func (k *kpaRecord) record(ctx context.Context, ready int32, d messages.Decision) error {
	if asked := d.Signal("proxy_mode") != 0; asked != k.proxies {
		patch := fmt.Appendf(nil, `{"spec":{"mode":%q}}`, mode(asked))
		if _, err := k.services.Patch(ctx, k.autoscaler.Name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
			return err
		}
		k.proxies = asked
	}
	wanted := int64(d.Signal("desired_scale"))
	if changed := k.follow(d.Conditions); !changed && wanted == k.wanted && ready == k.ready {
		return nil
	}
	k.wanted, k.ready = wanted, ready
	return k.ops.PatchStatus(ctx, k.autoscaler, k.status())
}

// follow takes the conditions over, and says whether there is anything new.
func (k *kpaRecord) follow(conditions []messages.Condition) (changed bool) {
	now := k.clock.Now()
	for i, c := range conditions {
		if i == len(k.conditions) {
			k.conditions = append(k.conditions, kpaCondition{})
		}
		if known := &k.conditions[i]; known.Condition != c {
			*known, changed = kpaCondition{c, now}, true
		}
	}
	return changed
}

func (k *kpaRecord) status() map[string]any {
	conditions := make([]any, 0, len(k.conditions))
	for _, c := range k.conditions {
		written := map[string]any{"type": c.Type, "status": c.Status, "lastTransitionTime": c.since.UTC().Format(time.RFC3339)}
		if c.Reason != "" {
			written["reason"], written["message"] = c.Reason, c.Message
		}
		conditions = append(conditions, written)
	}
	return map[string]any{
		"observedGeneration": int64(1),
		"serviceName":        k.autoscaler.Name,
		"metricsServiceName": k.autoscaler.Name + "-private",
		"desiredScale":       k.wanted,
		"actualScale":        int64(k.ready),
		"conditions":         conditions,
	}
}
