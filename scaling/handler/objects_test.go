package handler

import (
	"encoding/json"

	appsv1 "k8s.io/api/apps/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/stretchr/testify/require"
)

// elastiService has a cooldown of 60 s, a minimum of 2, and one trigger.
func elastiService(namespace, name string, change func(spec map[string]any)) *unstructured.Unstructured {
	spec := map[string]any{
		"scaleTargetRef":    map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
		"service":           name,
		"minTargetReplicas": int64(2),
		"cooldownPeriod":    int64(60),
		"triggers": []any{map[string]any{"type": "prometheus", "metadata": map[string]any{
			"serverAddress": "http://prometheus:9090", "query": "up", "threshold": "0.5",
		}}},
	}
	if change != nil {
		change(spec)
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "elasti.truefoundry.com/v1alpha1", "kind": "ElastiService",
		"metadata": map[string]any{"namespace": namespace, "name": name},
		"spec":     spec,
	}}
}

// with replaces the ElastiService shop/web.
func with(change func(spec map[string]any)) func(*env) {
	return func(e *env) { e.put(elastiService("shop", "web", change)) }
}

func keda(spec map[string]any) {
	spec["autoscaler"] = map[string]any{"type": "keda", "name": "web"}
}

func withScaledObject(e *env) {
	e.put(&unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject",
		"metadata": map[string]any{"namespace": "shop", "name": "web", "annotations": map[string]any{"team": "a"}},
		"spec":     map[string]any{},
	}})
}

func resolverSlice(addresses ...string) *discoveryv1.EndpointSlice {
	s := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Name: "resolver-1", Namespace: "elasti",
			Labels: map[string]string{discoveryv1.LabelServiceName: "resolver"},
		},
		AddressType: discoveryv1.AddressTypeIPv4,
	}
	for _, a := range addresses {
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{Addresses: []string{a}})
	}
	return s
}

func (e *env) put(objects ...runtime.Object) {
	e.t.Helper()
	require.NoError(e.t, e.cluster.Put(objects...))
}

// workload is the target in the kind of the test.
func workload(kind, namespace, name string, desired, created int32) runtime.Object {
	meta := metav1.ObjectMeta{Name: name, Namespace: namespace}
	selector := &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}}
	switch kind {
	case "StatefulSet":
		return &appsv1.StatefulSet{ObjectMeta: meta,
			Spec:   appsv1.StatefulSetSpec{Replicas: &desired, Selector: selector},
			Status: appsv1.StatefulSetStatus{Replicas: created}}
	case "Rollout":
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
			"metadata": map[string]any{"namespace": namespace, "name": name},
			"spec":     map[string]any{"replicas": int64(desired)},
			"status":   map[string]any{"HPAReplicas": int64(created), "selector": "app=" + name},
		}}
	}
	return &appsv1.Deployment{ObjectMeta: meta,
		Spec:   appsv1.DeploymentSpec{Replicas: &desired, Selector: selector},
		Status: appsv1.DeploymentStatus{Replicas: created}}
}

// parse reads an object as the API gives it, or nil.
func parse(text []byte) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	if json.Unmarshal(text, &u.Object) != nil || u.Object == nil {
		return nil
	}
	return u
}
