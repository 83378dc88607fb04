package keda

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/hpa"
	"github.com/scalelab/scalelab/scaling/keda/httpaddon"
)

// httpObject is an HTTPScaledObject web with a spec laid over that of a Deployment.
func httpObject(t testing.TB, spec string) *httpaddon.HTTPScaledObject {
	o := &httpaddon.HTTPScaledObject{}
	require.NoError(t, yaml.Unmarshal([]byte(`{apiVersion: http.keda.sh/v1alpha1, kind: HTTPScaledObject,
  metadata: {name: web, namespace: prod, labels: {team: shop}, annotations: {note: x}}, spec: {scaleTargetRef: {name: web, service: web, port: 80}}}`), o))
	require.NoError(t, yaml.UnmarshalStrict([]byte(spec), &o.Spec))
	require.NoError(t, o.Validate())
	return o
}

// TestTheScaledObjectOfAnHTTPScaledObject is what the add-on's operator makes, and the
// HPA that KEDA makes of that.
func TestTheScaledObjectOfAnHTTPScaledObject(t *testing.T) {
	made := FromHTTP(httpObject(t, `{scaleTargetRef: {apiVersion: apps/v1, kind: Deployment}, replicas: {min: 2, max: 9}, scaledownPeriod: 77, initialCooldownPeriod: 5, scalingMetric: {concurrency: {targetValue: 12}}}`))
	require.NoError(t, made.Validate())
	assert.Equal(t, metav1.ObjectMeta{Name: "web", Namespace: "prod", Labels: map[string]string{"team": "shop"}, Annotations: map[string]string{"note": "x"}}, made.ObjectMeta)
	assert.Equal(t, "http-prod_002Fweb", made.Spec.Triggers[0].Route.Metric)
	made.Spec.Triggers[0].Route = nil
	text, err := yaml.Marshal(made.Spec)
	require.NoError(t, err)
	assert.YAMLEq(t, `{scaleTargetRef: {name: web, apiVersion: apps/v1, kind: Deployment}, pollingInterval: 15, cooldownPeriod: 77, initialCooldownPeriod: 5,
  minReplicaCount: 2, maxReplicaCount: 9, advanced: {restoreToOriginalReplicaCount: true},
  triggers: [{type: external-push, metadata: {scalerAddress: "keda-add-ons-http-external-scaler.keda:9090", httpScaledObject: web}}]}`, string(text))

	bare := FromHTTP(httpObject(t, `{}`))
	assert.Equal(t, []*int32{nil, nil, nil, nil}, []*int32{bare.Spec.MinReplicaCount, bare.Spec.MaxReplicaCount, bare.Spec.CooldownPeriod, bare.Spec.InitialCooldownPeriod})
	m := bare.HPA().Spec.Metrics
	require.Len(t, m, 1)
	assert.Equal(t, "s0-http-prod_002Fweb", m[0].External.Metric.Name)
	assert.Equal(t, "100", m[0].External.Target.AverageValue.String())
}

func TestTriggersForTheHTTPAddOn(t *testing.T) {
	const routed = `{type: external-push, metadata: {scalerAddress: "a:1", interceptorRoute: shop}}`
	for spec, want := range map[string]string{
		`{triggers: [` + routed + `]}`: `spec.triggers[0].metadata.interceptorRoute: found "shop", expected the InterceptorRoute of that name beside the ScaledObject`,
		`{triggers: [{type: external-push, metadata: {scalerAddress: "a:1", httpScaledObject: shop}}]}`: `spec.triggers[0].metadata.httpScaledObject: found "shop", expected the HTTPScaledObject of that name beside the ScaledObject`,
	} {
		assert.EqualError(t, object(t, spec).Validate(), want)
	}
	o := object(t, `{triggers: [`+routed+`, `+routed+`]}`)
	o.Spec.Triggers[1].Metadata["enableTls"] = "true"
	for i := range o.Spec.Triggers {
		o.Spec.Triggers[i].Route = &httpaddon.Route{Name: "shop", Metric: "m", Target: 3}
	}
	assert.EqualError(t, o.Validate(), `spec.triggers[1].metadata.enableTls: found it, which KEDA passes over; did you mean "enableTLS"?
spec.triggers[1]: found a second trigger for the HTTP add-on, expected one: all requests are for one route`)
	_, _, ok := (&Trigger{Type: "redis", Metadata: map[string]string{httpScaledObjectKey: "web"}}).Routed()
	assert.False(t, ok)

	assert.Nil(t, (&Spec{}).Route())
	assert.Nil(t, (&Spec{Manifest: object(t, `{triggers: [`+listTrigger+`]}`)}).Route())
	assert.Equal(t, "m", (&Spec{Manifest: o}).Route().Metric)
}

// web is the loop of an HTTPScaledObject, with annotations.
func web(t testing.TB, spec string, annotations ...string) *Autoscaler {
	made := FromHTTP(httpObject(t, spec))
	for i := 0; i < len(annotations); i += 2 {
		made.Annotations[annotations[i]] = annotations[i+1]
	}
	a, err := New(Spec{Manifest: made, HTTP: httpaddon.DefaultController(), Controller: hpa.DefaultController()}, created)
	require.NoError(t, err)
	return a
}

func pending(n int64) httpaddon.Count { return httpaddon.Count{Pending: n} }

func TestTheStreamWakesAndKeepsAwake(t *testing.T) {
	a := web(t, `{scaledownPeriod: 60, replicas: {min: 0}}`)
	assert.Empty(t, a.Queries(), "the scaler is asked, not the cluster")
	assert.False(t, a.Hear(at(1), 0), "nobody has asked the interceptors")
	a.Collect(at(1), pending(0))
	assert.False(t, a.Hear(at(1), 0))
	a.Collect(at(2), pending(3))
	require.True(t, a.Hear(at(2), 0))
	d := a.Push(at(2.5), messages.Replicas{})
	assert.Equal(t, int32(1), d.Desired)
	assert.Equal(t, messages.ReasonScaleFromZero, d.Reason)
	assert.Equal(t, "scale from zero to 1: the stream says that trigger 0 (pending requests) is active", d.Message)
	assert.Equal(t, []string{"trigger 0 (pending requests): 3, active"}, details(d))
	assert.Equal(t, messages.Condition{Type: "Active", Status: "True", Reason: "ScalerActive"}, d.Conditions[1])
	assert.Equal(t, at(2), a.LastActive())

	assert.False(t, a.Hear(at(40.7), 1), "nothing to scale")
	assert.Equal(t, at(40), a.LastActive(), "but it is in use")
	a.Collect(at(41), pending(0))
	assert.False(t, a.Hear(at(50), 1))
	assert.Equal(t, at(40), a.LastActive(), "that it is idle is for the poll")
	assert.Equal(t, messages.ReasonCooldown, poll(t, a, 100, 1).Reason)
	d = poll(t, a, 101, 1)
	assert.Equal(t, int32(0), d.Desired)
	assert.Equal(t, []string{"trigger 0 (pending requests): 0, not active", "the cooldown of 1m0s since the last activity at 00:00:40 is over"}, details(d))
}

func TestTheStreamLeavesTheIdleCount(t *testing.T) {
	made := FromHTTP(httpObject(t, `{replicas: {min: 3}}`))
	made.Spec.IdleReplicaCount = new(int32(1))
	_, err := New(Spec{Manifest: made, Controller: hpa.DefaultController()}, created)
	require.EqualError(t, err, "keda: HTTP add-on: queueTick: found 0s, expected 1ms to 1h\nstreamInterval: found 0s, expected 1ms to 1h")
	a, err := New(Spec{Manifest: made, HTTP: httpaddon.DefaultController(), Controller: hpa.DefaultController()}, created)
	require.NoError(t, err)
	a.Collect(at(1), pending(1))
	require.True(t, a.Hear(at(1), 1))
	assert.Equal(t, int32(3), a.Push(at(1), messages.Replicas{Desired: 1}).Desired)
	assert.False(t, a.Hear(at(2), 3))
}

func TestThePausedStream(t *testing.T) {
	for annotation, marks := range map[string]bool{pausedAnnotation: false, pausedOutAnnotation: true} {
		a := web(t, `{}`, annotation, "true")
		a.Collect(at(1), pending(1))
		assert.False(t, a.Hear(at(1), 0), annotation)
		assert.Zero(t, a.LastActive(), annotation)
		assert.False(t, a.Hear(at(1), 1), annotation)
		assert.Equal(t, marks, !a.LastActive().IsZero(), annotation)
	}
}

func TestTheHPAAsksTheScaler(t *testing.T) {
	a := web(t, `{scalingMetric: {requestRate: {targetValue: 2, window: 10s}}}`)
	h := horizontal(t, a)
	assert.Zero(t, h.Pushed())
	assert.Equal(t, []int{-1}, h.Asked())
	a.Collect(at(0), httpaddon.Count{})
	a.Collect(at(9), httpaddon.Count{Requests: 41})
	d := ask(t, h, 15, 1) // 4.1 in ten buckets, rounded up to 5: 2.5 pods
	assert.Equal(t, int32(3), d.Desired)
	assert.Equal(t, int64(5000), h.Seen()[0].Milli)
	assert.Equal(t, "trigger 0 (requests per second): 5, active", details(poll(t, a, 16, 1))[0])
	assert.Equal(t, -1, horizontal(t, loop(t, `{triggers: [`+listTrigger+`]}`)).Pushed())
	assert.Equal(t, 15*time.Second, a.Period())
}
