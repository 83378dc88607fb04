package keda

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/hpa"
)

// created is when every ScaledObject of these tests was, a little after the second.
var created = time.Date(2026, 1, 5, 0, 0, 0, 250e6, time.UTC)

func at(seconds float64) time.Time {
	return created.Truncate(time.Second).Add(time.Duration(seconds * float64(time.Second)))
}

// object reads the spec of a ScaledObject web for the Deployment web.
func object(t testing.TB, spec string, annotations ...string) *ScaledObject {
	t.Helper()
	o := &ScaledObject{}
	require.NoError(t, yaml.UnmarshalStrict([]byte("apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: web}\nspec: "+spec), o))
	if o.Spec.ScaleTargetRef.Name == "" {
		o.Spec.ScaleTargetRef.Name = "web"
	}
	for i := 0; i+1 < len(annotations); i += 2 {
		if o.Annotations == nil {
			o.Annotations = map[string]string{}
		}
		o.Annotations[annotations[i]] = annotations[i+1]
	}
	return o
}

const (
	rateTrigger   = `{type: prometheus, name: rate, metadata: {serverAddress: "http://p", query: rate, threshold: "10"}}`
	strictTrigger = `{type: prometheus, name: rate, metadata: {serverAddress: "http://p", query: rate, threshold: "10", ignoreNullValues: "false"}}`
	listTrigger   = `{type: redis, name: list, metadata: {listName: jobs, address: "redis:6379"}}`
	cpuTrigger    = `{type: cpu, metricType: Utilization, metadata: {value: "70"}}`
)

func loop(t testing.TB, spec string, annotations ...string) *Autoscaler {
	t.Helper()
	a, err := New(Spec{Manifest: object(t, spec, annotations...), Controller: hpa.DefaultController()}, created)
	require.NoError(t, err)
	return a
}

func horizontal(t testing.TB, a *Autoscaler) *Horizontal {
	t.Helper()
	h, err := a.Horizontal()
	require.NoError(t, err)
	return h
}

// value is the answer of a query; nan is none.
func value(v float64) messages.Metric { return messages.Metric{Value: v, Milli: int64(v * 1000)} }

func broken(why string) messages.Metric { return messages.Metric{Err: why} }

var empty = broken(messages.EmptyResult)

// seen is an observation of so many pods, all of them ready.
func seen(replicas int32, metrics ...messages.Metric) messages.Observation {
	o := messages.Observation{Replicas: messages.Replicas{Desired: replicas, Created: replicas, Ready: replicas}, Metrics: metrics}
	for range replicas {
		o.Pods = append(o.Pods, messages.Pod{Phase: messages.PodRunning, Ready: true, HasCondition: true})
	}
	return o
}

func poll(t testing.TB, a *Autoscaler, seconds float64, replicas int32, metrics ...messages.Metric) messages.Decision {
	t.Helper()
	d, err := a.Decide(at(seconds), seen(replicas, metrics...))
	require.NoError(t, err)
	return d
}

func ask(t testing.TB, h *Horizontal, seconds float64, replicas int32, metrics ...messages.Metric) messages.Decision {
	t.Helper()
	d, err := h.Decide(at(seconds), seen(replicas, metrics...))
	require.NoError(t, err)
	return d
}

func details(d messages.Decision) (all []string) {
	for _, s := range d.Steps {
		all = append(all, s.Detail)
	}
	return all
}
