package httpaddon

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// object is a valid HTTPScaledObject with a spec laid over its own.
func object(t *testing.T, spec string) *HTTPScaledObject {
	o := &HTTPScaledObject{}
	require.NoError(t, yaml.Unmarshal([]byte(`{apiVersion: http.keda.sh/v1alpha1, kind: HTTPScaledObject, metadata: {name: shop}, spec: {scaleTargetRef: {name: web, service: web, port: 80}}}`), o))
	require.NoError(t, yaml.UnmarshalStrict([]byte(spec), &o.Spec))
	return o
}

// route is a valid InterceptorRoute with a spec laid over its own.
func route(t *testing.T, spec string) *InterceptorRoute {
	o := &InterceptorRoute{}
	require.NoError(t, yaml.Unmarshal([]byte(`{apiVersion: http.keda.sh/v1beta1, kind: InterceptorRoute, metadata: {name: shop}, spec: {target: {service: web, port: 80}, scalingMetric: {concurrency: {targetValue: 3}}}}`), o))
	require.NoError(t, yaml.UnmarshalStrict([]byte(spec), &o.Spec))
	return o
}

func TestHTTPScaledObjectsThatAreRefused(t *testing.T) {
	for spec, want := range map[string]string{
		`{}`: "",
		`{hosts: [a, b], pathPrefixes: [/x], headers: [{name: a}, {name: b, value: ""}], replicas: {min: 1, max: 1}, targetPendingRequests: 1, scaledownPeriod: 0, initialCooldownPeriod: 0,
		  scalingMetric: {requestRate: {targetValue: 1, window: 24h, granularity: 1s}}, timeouts: {conditionWait: 0s, responseHeader: 1h},
		  coldStartTimeoutFailoverRef: {service: sorry, portName: http, timeoutSeconds: 0}}`: "",
		`{scalingMetric: {requestRate: {window: 0s, granularity: 0s}}}`: "",
		`{scaleTargetRef: {name: "", service: ""}}`:                     "spec.scaleTargetRef.name: found none, expected the name of the workload\nspec.scaleTargetRef.service: found none, expected the name of a Service",
		`{scaleTargetRef: {portName: http}}`:                            "spec.scaleTargetRef: found both, expected one of port and portName",
		`{scaleTargetRef: {port: null}}`:                                "spec.scaleTargetRef: found neither, expected one of port and portName",
		`{scaleTargetRef: {port: 0}}`:                                   "spec.scaleTargetRef.port: found 0, expected 1 to 65535",
		`{scaleTargetRef: {port: 65536}}`:                               "spec.scaleTargetRef.port: found 65536, expected 1 to 65535",
		`{coldStartTimeoutFailoverRef: {service: "", timeoutSeconds: -1}}`: `spec.coldStartTimeoutFailoverRef.service: found none, expected the name of a Service
spec.coldStartTimeoutFailoverRef: found neither, expected one of port and portName
spec.coldStartTimeoutFailoverRef.timeoutSeconds: found -1, expected at least 0`,
		`{headers: [{name: a}, {name: ""}, {name: a}]}`:       "spec.headers[1].name: found none, expected the name of a header\nspec.headers[2].name: found \"a\" a second time, expected each header once",
		`{replicas: {min: -1}}`:                               "spec.replicas.min: found -1, expected at least 0",
		`{replicas: {max: 0}}`:                                "spec.replicas.max: found 0, expected at least 1",
		`{replicas: {min: 101}}`:                              "spec.replicas.min: found 101, expected at most max, which is 100",
		`{targetPendingRequests: 0}`:                          "spec.targetPendingRequests: found 0, expected at least 1",
		`{scaledownPeriod: -1, initialCooldownPeriod: -2}`:    "spec.scaledownPeriod: found -1, expected at least 0\nspec.initialCooldownPeriod: found -2, expected at least 0",
		`{scalingMetric: {concurrency: {targetValue: 0}}}`:    "spec.scalingMetric.concurrency.targetValue: found 0, expected at least 1",
		`{scalingMetric: {concurrency: {}, requestRate: {}}}`: "spec.scalingMetric: found concurrency and requestRate, expected one of the two",
		`{scalingMetric: {requestRate: {targetValue: -1, window: -1s, granularity: -1s}}}`: `spec.scalingMetric.requestRate.targetValue: found -1, expected at least 1
spec.scalingMetric.requestRate.window: found -1s, expected at least 0s
spec.scalingMetric.requestRate.granularity: found -1s, expected at least 0s`,
		`{scalingMetric: {requestRate: {window: 25h, granularity: 500ms}}}`: `spec.scalingMetric.requestRate.window: found 25h0m0s, expected at most 24h0m0s
spec.scalingMetric.requestRate.granularity: found 500ms, expected at least 1s: the scaler divides by its whole seconds`,
		`{timeouts: {conditionWait: -1s, responseHeader: -1ms}}`: "spec.timeouts.conditionWait: found -1s, expected at least 0s\nspec.timeouts.responseHeader: found -1ms, expected at least 0s",
	} {
		err := object(t, spec).Validate()
		if want == "" {
			assert.NoError(t, err, spec)
		} else {
			assert.EqualError(t, err, want, spec)
		}
	}
	assert.EqualError(t, (&HTTPScaledObject{Spec: object(t, "{}").Spec}).Validate(),
		"apiVersion: found \"\", expected http.keda.sh/v1alpha1\nkind: found \"\", expected HTTPScaledObject\nmetadata.name: found none, expected a name")
}

func TestInterceptorRoutesThatAreRefused(t *testing.T) {
	for spec, want := range map[string]string{
		`{}`: "",
		`{rules: [{hosts: ["*"], paths: [{value: /x}], headers: [{name: a}]}, {headers: [{name: a}]}], timeouts: {readiness: 0s, request: 1m, responseHeader: 1h},
		  coldStart: {fallback: {service: {name: sorry, port: 80}}}}`: "",
		`{target: {service: "", port: null}}`:                                   "spec.target.service: found none, expected the name of a Service\nspec.target: found neither, expected one of port and portName",
		`{coldStart: {}}`:                                                       "spec.coldStart.fallback: found none, expected a service",
		`{coldStart: {fallback: {}}}`:                                           "spec.coldStart.fallback.service: found none, expected a name and a port",
		`{coldStart: {fallback: {service: {name: "", port: 1}}}}`:               "spec.coldStart.fallback.service.name: found none, expected the name of a Service",
		`{timeouts: {readiness: -1s, request: -2s, responseHeader: -3s}}`:       "spec.timeouts.readiness: found -1s, expected at least 0s\nspec.timeouts.request: found -2s, expected at least 0s\nspec.timeouts.responseHeader: found -3s, expected at least 0s",
		`{rules: [{paths: [{value: ""}], headers: [{name: ""}]}]}`:              "spec.rules[0].paths[0].value: found none, expected the beginning of a path\nspec.rules[0].headers[0].name: found none, expected the name of a header",
		`{scalingMetric: {concurrency: null}}`:                                  "spec.scalingMetric: found none, expected concurrency or requestRate",
		`{scalingMetric: {requestRate: {}}}`:                                    "spec.scalingMetric: found concurrency and requestRate, expected one of the two: both at once are not simulated",
		`{scalingMetric: {concurrency: {targetValue: null}}}`:                   "spec.scalingMetric.concurrency.targetValue: found none, expected a number of requests",
		`{scalingMetric: {concurrency: null, requestRate: {granularity: 1ms}}}`: "spec.scalingMetric.requestRate.granularity: found 1ms, expected at least 1s: the scaler divides by its whole seconds\nspec.scalingMetric.requestRate.targetValue: found none, expected a number of requests",
	} {
		err := route(t, spec).Validate()
		if want == "" {
			assert.NoError(t, err, spec)
		} else {
			assert.EqualError(t, err, want, spec)
		}
	}
}

func TestRoutes(t *testing.T) {
	for spec, want := range map[string]Route{
		`{}`:                         {Metric: "http-default_002Fshop", Target: 100},
		`{targetPendingRequests: 9}`: {Metric: "http-default_002Fshop", Target: 9},
		`{targetPendingRequests: 9, scalingMetric: {}}`:                                  {Metric: "http-default_002Fshop", Target: 9},
		`{targetPendingRequests: 9, scalingMetric: {concurrency: {}}}`:                   {Metric: "http-default_002Fshop", Target: 100},
		`{scalingMetric: {concurrency: {targetValue: 7}}}`:                               {Metric: "http-default_002Fshop", Target: 7},
		`{targetPendingRequests: 9, scalingMetric: {requestRate: {}}}`:                   {Metric: "http-default_002Fshop", Target: 100, Rate: true, Window: time.Minute, Granularity: time.Second},
		`{scalingMetric: {requestRate: {window: 0s, granularity: 0s}}}`:                  {Metric: "http-default_002Fshop", Target: 100, Rate: true, Window: time.Minute, Granularity: time.Second},
		`{scalingMetric: {requestRate: {targetValue: 7, window: 30s, granularity: 2s}}}`: {Metric: "http-default_002Fshop", Target: 7, Rate: true, Window: 30 * time.Second, Granularity: 2 * time.Second},
	} {
		want.Name, want.whole = "shop", true
		assert.Equal(t, want, object(t, spec).Route(), spec)
	}
	o := object(t, "{}")
	o.Namespace = "prod"
	assert.Equal(t, "http-prod_002Fshop", o.Route().Metric)
	assert.Equal(t, Route{Name: "shop", Metric: "http_shop_concurrency", Target: 3}, route(t, "{}").Route())
	assert.Equal(t, Route{Name: "shop", Metric: "http_shop_rate", Target: 4, Rate: true, Window: time.Minute, Granularity: time.Second},
		route(t, "{scalingMetric: {concurrency: null, requestRate: {targetValue: 4}}}").Route())
	assert.False(t, o.LeavesScaledObject())
	o.Annotations = map[string]string{skipAnnotation: "true"}
	assert.True(t, o.LeavesScaledObject())
	assert.Nil(t, given(nil))
	assert.Equal(t, &metav1.Duration{Duration: 1}, given(&metav1.Duration{Duration: 1}))
}

func TestPatience(t *testing.T) {
	const s = time.Second
	settings := Controller{Readiness: 10 * s, Request: 20 * s, ResponseHeader: 30 * s}
	none := Controller{ResponseHeader: 300 * s}
	for _, c := range []struct {
		httpScaledObject, interceptorRoute string // a spec of one of the two
		settings                           Controller
		want                               Patience
	}{
		{`{}`, ``, settings, Patience{10 * s, 20 * s, 30 * s}},
		{`{timeouts: {conditionWait: 1s, responseHeader: 2s}}`, ``, settings, Patience{1 * s, 20 * s, 2 * s}},
		{`{timeouts: {conditionWait: 0s, responseHeader: 0s}}`, ``, settings, Patience{10 * s, 20 * s, 30 * s}},
		{`{coldStartTimeoutFailoverRef: {service: a, port: 1}}`, ``, settings, Patience{30 * s, 20 * s, 30 * s}},
		{`{coldStartTimeoutFailoverRef: {service: a, port: 1, timeoutSeconds: 5}, timeouts: {conditionWait: 1s}}`, ``, settings, Patience{5 * s, 20 * s, 30 * s}},
		{`{coldStartTimeoutFailoverRef: {service: a, port: 1, timeoutSeconds: 0}, timeouts: {conditionWait: 1s}}`, ``, settings, Patience{1 * s, 20 * s, 30 * s}},
		{`{coldStartTimeoutFailoverRef: {service: a, port: 1, timeoutSeconds: 0}}`, ``, none, Patience{30 * s, 0, 300 * s}},
		{``, `{}`, settings, Patience{10 * s, 20 * s, 30 * s}},
		{``, `{timeouts: {readiness: 0s, request: 0s, responseHeader: 0s}}`, settings, Patience{}},
		{``, `{timeouts: {readiness: 1s, request: 2s, responseHeader: 3s}}`, settings, Patience{1 * s, 2 * s, 3 * s}},
		{``, `{coldStart: {fallback: {service: {name: a, port: 1}}}, timeouts: {readiness: 0s}}`, settings, Patience{30 * s, 20 * s, 30 * s}},
	} {
		var r Route
		if c.interceptorRoute != "" {
			r = route(t, c.interceptorRoute).Route()
		} else {
			r = object(t, c.httpScaledObject).Route()
		}
		assert.Equal(t, c.want, r.Patience(c.settings), c.httpScaledObject+c.interceptorRoute)
	}
}

func TestController(t *testing.T) {
	assert.NoError(t, DefaultController().Validate())
	assert.EqualError(t, Controller{Readiness: -1, Request: -1, ResponseHeader: -1, StreamInterval: 2 * time.Hour}.Validate(), `readinessTimeout: found -1ns, expected at least 0s
requestTimeout: found -1ns, expected at least 0s
responseHeaderTimeout: found -1ns, expected at least 0s
queueTick: found 0s, expected 1ms to 1h
streamInterval: found 2h0m0s, expected 1ms to 1h`)
}
