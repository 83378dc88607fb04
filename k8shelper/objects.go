package k8shelper

import (
	"context"
	"encoding/json"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/dynamic"
)

// The custom resources that a scale handler meets.
var (
	ElastiServices = schema.GroupVersionResource{Group: "elasti.truefoundry.com", Version: "v1alpha1", Resource: "elastiservices"}
	ScaledObjects  = schema.GroupVersionResource{Group: "keda.sh", Version: "v1alpha1", Resource: "scaledobjects"}
	Rollouts       = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "rollouts"}

	// Knative's own, which its autoscaler writes.
	PodAutoscalers     = schema.GroupVersionResource{Group: "autoscaling.internal.knative.dev", Version: "v1alpha1", Resource: "podautoscalers"}
	ServerlessServices = schema.GroupVersionResource{Group: "networking.internal.knative.dev", Version: "v1alpha1", Resource: "serverlessservices"}
)

// Object names an object by its resource. A cluster-scoped one has no namespace.
type Object struct {
	Resource        schema.GroupVersionResource
	Namespace, Name string
}

// String is the object as errors name it: "scaledobjects.keda.sh shop/web".
func (o Object) String() string {
	if o.Namespace == "" {
		return o.Resource.GroupResource().String() + " " + o.Name
	}
	return o.Resource.GroupResource().String() + " " + o.Namespace + "/" + o.Name
}

// Get reads any object. A missing one is ErrNotFound.
func (o *Ops) Get(ctx context.Context, object Object) (*unstructured.Unstructured, error) {
	u, err := o.dynamic(object).Get(ctx, object.Name, metav1.GetOptions{})
	if err != nil {
		return nil, explain("read "+object.String(), err)
	}
	return u, nil
}

// List reads all objects of a resource in a namespace, or in all with "",
// ordered by namespace and name.
func (o *Ops) List(ctx context.Context, resource schema.GroupVersionResource, namespace string) ([]unstructured.Unstructured, error) {
	list, err := o.dynamic(Object{Resource: resource, Namespace: namespace}).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, explain("list "+resource.GroupResource().String(), err)
	}
	return list.Items, nil
}

func (o *Ops) dynamic(object Object) dynamic.ResourceInterface {
	if object.Namespace == "" {
		return o.clients.Dynamic.Resource(object.Resource)
	}
	return o.clients.Dynamic.Resource(object.Resource).Namespace(object.Namespace)
}

// Annotations are changes of annotations. Others than those named stay.
type Annotations struct {
	Set    map[string]string
	Remove []string // may be absent already
}

// Annotate changes the annotations of any object with one merge patch. Nothing
// to change is no call. A missing object is ErrNotFound.
func (o *Ops) Annotate(ctx context.Context, object Object, a Annotations) error {
	attempt := "annotate " + object.String()
	changes := make(map[string]any, len(a.Set)+len(a.Remove))
	for _, key := range a.Remove {
		changes[key] = nil
	}
	for key, value := range a.Set {
		if _, both := changes[key]; both {
			return invalid(attempt, "found annotation %q both to set and to remove", key)
		}
		changes[key] = value
	}
	if len(changes) == 0 {
		return nil
	}
	for key := range changes {
		if problems := validation.IsQualifiedName(key); len(problems) > 0 {
			return invalid(attempt, "found annotation %q: %s", key, problems[0])
		}
	}
	return o.merge(ctx, attempt, object, map[string]any{"metadata": map[string]any{"annotations": changes}})
}

// AnnotateTarget changes the annotations of a target, like Annotate.
func (o *Ops) AnnotateTarget(ctx context.Context, t Target, a Annotations) error {
	object, err := o.Resolve(t)
	if err != nil {
		return err
	}
	return o.Annotate(ctx, object, a)
}

// PatchStatus changes fields of a custom resource's status; a nil value
// removes one. The kind must have a status subresource.
func (o *Ops) PatchStatus(ctx context.Context, object Object, status map[string]any) error {
	if len(status) == 0 {
		return nil
	}
	return o.merge(ctx, "patch status of "+object.String(), object, map[string]any{"status": status}, "status")
}

// merge sends a JSON merge patch. It names no resource version: of two writers
// of one field the later wins, and writers of different fields do not meet.
func (o *Ops) merge(ctx context.Context, attempt string, object Object, change map[string]any, subresource ...string) error {
	patch, err := json.Marshal(change)
	if err != nil {
		return &refusal{attempt, ErrInvalid, err}
	}
	err = persist(func() error {
		_, err := o.dynamic(object).Patch(ctx, object.Name, types.MergePatchType, patch, metav1.PatchOptions{}, subresource...)
		return err
	})
	if err != nil {
		return explain(attempt, err)
	}
	return nil
}

// ElastiStatus is what the operator writes into the status of an ElastiService.
// Zero fields are left as they are.
type ElastiStatus struct {
	LastReconciledTime time.Time
	LastScaledUpTime   time.Time
	Mode               string // "proxy" or "serve"
}

// PatchElastiStatus writes the fields that are given, instants in whole
// seconds. No field is no call; a mode other than the two is ErrInvalid.
func (o *Ops) PatchElastiStatus(ctx context.Context, namespace, name string, s ElastiStatus) error {
	object := Object{Resource: ElastiServices, Namespace: namespace, Name: name}
	status := map[string]any{}
	switch s.Mode {
	case "":
	case "proxy", "serve":
		status["mode"] = s.Mode
	default:
		return invalid("patch status of "+object.String(), "found mode %q, expected proxy or serve", s.Mode)
	}
	for field, at := range map[string]time.Time{
		"lastReconciledTime": s.LastReconciledTime, "lastScaledUpTime": s.LastScaledUpTime,
	} {
		if !at.IsZero() {
			status[field] = at.UTC().Format(time.RFC3339)
		}
	}
	return o.PatchStatus(ctx, object, status)
}
