package fakecluster

import (
	"maps"
	"reflect"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// object is what the server stores: a typed object or an unstructured one.
// Once stored it is never changed, so that versions may share their parts.
type object interface {
	runtime.Object
	metav1.Object
}

// shallow copies an object so far that its metadata and its top-level fields
// can be replaced.
func shallow(obj object) object {
	if u, ok := obj.(*unstructured.Unstructured); ok {
		content := maps.Clone(u.Object)
		if metadata, ok := content["metadata"].(map[string]any); ok {
			content["metadata"] = maps.Clone(metadata)
		}
		return &unstructured.Unstructured{Object: content}
	}
	old := reflect.ValueOf(obj).Elem()
	copied := reflect.New(old.Type())
	copied.Elem().Set(old)
	return copied.Interface().(object)
}

// hasStatus says whether the object has a status subresource. Custom
// resources are taken to have one.
func hasStatus(obj object) bool {
	if _, ok := obj.(*unstructured.Unstructured); ok {
		return true
	}
	return reflect.ValueOf(obj).Elem().FieldByName("Status").IsValid()
}

// hasSpec says whether the object has a spec, whose changes its generation counts.
func hasSpec(obj object) bool {
	if u, ok := obj.(*unstructured.Unstructured); ok {
		_, found := u.Object["spec"]
		return found
	}
	return reflect.ValueOf(obj).Elem().FieldByName("Spec").IsValid()
}

// clearStatus drops what a client may not set at creation.
func clearStatus(obj object) {
	if u, ok := obj.(*unstructured.Unstructured); ok {
		delete(u.Object, "status")
		return
	}
	if status := reflect.ValueOf(obj).Elem().FieldByName("Status"); status.IsValid() {
		status.SetZero()
	}
}

// setStatus gives dst the status of src, which is of the same type.
func setStatus(dst, src object) {
	if u, ok := dst.(*unstructured.Unstructured); ok {
		status, found := src.(*unstructured.Unstructured).Object["status"]
		if !found {
			delete(u.Object, "status")
			return
		}
		u.Object["status"] = status
		return
	}
	if status := reflect.ValueOf(dst).Elem().FieldByName("Status"); status.IsValid() {
		status.Set(reflect.ValueOf(src).Elem().FieldByName("Status"))
	}
}

func sameStatus(a, b object) bool {
	if u, ok := a.(*unstructured.Unstructured); ok {
		return equality.Semantic.DeepEqual(u.Object["status"], b.(*unstructured.Unstructured).Object["status"])
	}
	return equality.Semantic.DeepEqual(
		reflect.ValueOf(a).Elem().FieldByName("Status").Interface(),
		reflect.ValueOf(b).Elem().FieldByName("Status").Interface())
}

// compare says which parts of two versions of an object differ: the spec, and
// everything else but the status.
func compare(a, b object) (spec, rest bool) {
	if u, ok := a.(*unstructured.Unstructured); ok {
		return compareContent(u.Object, b.(*unstructured.Unstructured).Object)
	}
	va, vb := reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem()
	for i := range va.NumField() {
		name := va.Type().Field(i).Name
		if name == "Status" || equality.Semantic.DeepEqual(va.Field(i).Interface(), vb.Field(i).Interface()) {
			continue
		}
		if name == "Spec" {
			spec = true
		} else {
			rest = true
		}
	}
	return spec, rest
}

func compareContent(a, b map[string]any) (spec, rest bool) {
	spec = !equality.Semantic.DeepEqual(a["spec"], b["spec"])
	a, b = maps.Clone(a), maps.Clone(b)
	for _, key := range []string{"spec", "status"} {
		delete(a, key)
		delete(b, key)
	}
	return spec, !equality.Semantic.DeepEqual(a, b)
}

// newCustom is an empty object of a kind without a Go type.
func newCustom(gvk schema.GroupVersionKind) object {
	u := &unstructured.Unstructured{Object: map[string]any{}}
	u.SetGroupVersionKind(gvk)
	return u
}
