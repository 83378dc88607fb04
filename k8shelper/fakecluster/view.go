package fakecluster

import (
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var scaleKind = autoscalingv1.SchemeGroupVersion.WithKind("Scale")

// view shows stored objects in the form that a front's client expects. What it
// returns is the caller's.
type view interface {
	item(gvk schema.GroupVersionKind, obj runtime.Object) (runtime.Object, error)
	// list makes an empty list of items.
	list(item schema.GroupVersionKind) (runtime.Object, error)
}

// typed is the view of the clientset and the scale client.
type typed struct{}

func (typed) item(_ schema.GroupVersionKind, obj runtime.Object) (runtime.Object, error) {
	return obj.DeepCopyObject(), nil
}

func (typed) list(item schema.GroupVersionKind) (runtime.Object, error) {
	return apiTypes().New(item.GroupVersion().WithKind(item.Kind + "List"))
}

// dynamic is the view of the dynamic client.
type dynamic struct{}

func (dynamic) item(gvk schema.GroupVersionKind, obj runtime.Object) (runtime.Object, error) {
	if u, ok := obj.(*unstructured.Unstructured); ok {
		return u.DeepCopy(), nil
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return nil, err
	}
	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(gvk)
	return u, nil
}

func (dynamic) list(item schema.GroupVersionKind) (runtime.Object, error) {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(item.GroupVersion().WithKind(item.Kind + "List"))
	return list, nil
}
