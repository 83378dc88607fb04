package fakecluster

import (
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/testing"
)

// patch applies a merge or strategic merge patch and stores the outcome like
// an update.
func (r reactor) patch(a testing.PatchActionImpl) (runtime.Object, error) {
	if a.Subresource != "" && a.Subresource != "status" {
		return nil, unknownSubresource(a.ActionImpl)
	}
	resource, old, err := r.server.get(a.Resource, types.NamespacedName{Namespace: a.Namespace, Name: a.Name})
	if err != nil {
		return nil, err
	}
	before, err := json.Marshal(old)
	if err != nil {
		return nil, fmt.Errorf("patch %s: %w", a.Name, err)
	}
	after, err := applyPatch(before, a, old)
	if err != nil {
		return nil, err
	}
	changed, err := decode(resource.gvk, old, after)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	return r.update(a.ActionImpl, changed)
}

func applyPatch(before []byte, a testing.PatchActionImpl, old object) ([]byte, error) {
	_, custom := old.(*unstructured.Unstructured)
	switch {
	case a.PatchType == types.MergePatchType:
		after, err := mergePatch(before, a.Patch)
		if err != nil {
			return nil, apierrors.NewBadRequest(err.Error())
		}
		return after, nil
	case a.PatchType == types.StrategicMergePatchType && !custom:
		after, err := strategicpatch.StrategicMergePatch(before, a.Patch, old)
		if err != nil {
			return nil, apierrors.NewBadRequest(err.Error())
		}
		return after, nil
	}
	return nil, &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusUnsupportedMediaType, Reason: metav1.StatusReasonUnsupportedMediaType,
		Message: fmt.Sprintf("patch type %s is not supported for %s", a.PatchType, a.Resource.Resource),
	}}
}

func decode(gvk schema.GroupVersionKind, old object, text []byte) (runtime.Object, error) {
	if _, custom := old.(*unstructured.Unstructured); custom {
		u := &unstructured.Unstructured{}
		return u, json.Unmarshal(text, &u.Object)
	}
	obj, err := apiTypes().New(gvk)
	if err != nil {
		return nil, err
	}
	return obj, json.Unmarshal(text, obj)
}

// mergePatch is JSON merge patch, RFC 7396.
func mergePatch(document, patch []byte) ([]byte, error) {
	var target, change map[string]any
	if err := json.Unmarshal(document, &target); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(patch, &change); err != nil {
		return nil, err
	}
	return json.Marshal(merge(target, change))
}

func merge(target, change map[string]any) map[string]any {
	if target == nil {
		target = map[string]any{}
	}
	for key, value := range change {
		switch value := value.(type) {
		case nil:
			delete(target, key)
		case map[string]any:
			inner, _ := target[key].(map[string]any)
			target[key] = merge(inner, value)
		default:
			target[key] = value
		}
	}
	return target
}
