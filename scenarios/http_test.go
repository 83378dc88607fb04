package scenarios_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/scaling/keda/httpaddon"
)

const httpScaledObject = `
apiVersion: http.keda.sh/v1alpha1
kind: HTTPScaledObject
metadata: {name: shop}
spec:
  hosts: [shop.example.com]
  scaleTargetRef: {name: web, service: web, port: 80}
  replicas: {max: 7}
  scaledownPeriod: 60
`

const interceptorRoute = `
apiVersion: http.keda.sh/v1beta1
kind: InterceptorRoute
metadata: {name: shop}
spec:
  target: {service: web, portName: http}
  scalingMetric: {requestRate: {targetValue: 30, window: 30s}}
  timeouts: {readiness: 20s}
`

const routedObject = `
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: web}
spec:
  scaleTargetRef: {name: web}
  triggers:
    - type: external-push
      metadata: {scalerAddress: "scaler:9090", interceptorRoute: shop}
`

func TestAnHTTPScaledObjectIsAStrategy(t *testing.T) {
	s := parse(t, kedaWorkload+`autoscalers:
  http: {manifests: [http.yaml]}
  rate: {extends: http, patch: {spec: {scalingMetric: {requestRate: {targetValue: 5}}}}}
controllers: {httpAddOn: {requestTimeout: 9s}}
`, files{"d.yaml": deployment, "http.yaml": httpScaledObject})
	check := func(name string, route httpaddon.Route) {
		spec, err := s.Spec(name, 1)
		require.NoError(t, err)
		k := spec.Strategy.Keda
		assert.Equal(t, "shop", k.Manifest.Name)
		assert.Equal(t, "default", k.Manifest.Namespace)
		assert.Equal(t, int32(7), *k.Manifest.Spec.MaxReplicaCount)
		assert.Equal(t, int32(60), *k.Manifest.Spec.CooldownPeriod)
		assert.Equal(t, int32(15), *k.Manifest.Spec.PollingInterval)
		assert.Equal(t, 9*time.Second, k.HTTP.Request)
		got := *k.Route()
		assert.Equal(t, route, httpaddon.Route{Name: got.Name, Metric: got.Metric, Target: got.Target, Rate: got.Rate, Window: got.Window, Granularity: got.Granularity})
		assert.Contains(t, spec.Strategy.Manifest, "kind: HTTPScaledObject")
		assert.NotContains(t, spec.Strategy.Manifest, "kind: ScaledObject")
	}
	pending := httpaddon.Route{Name: "shop", Metric: "http-default_002Fshop", Target: 100}
	rate := httpaddon.Route{Name: "shop", Metric: "http-default_002Fshop", Target: 5, Rate: true, Window: time.Minute, Granularity: time.Second}
	check("http", pending)
	check("rate", rate)
	text, err := s.Resolved()
	require.NoError(t, err)
	s = parse(t, string(text), files{})
	check("http", pending)
	check("rate", rate)
	o, err := s.Objects("http")
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"scalerAddress": "keda-add-ons-http-external-scaler.keda:9090", "httpScaledObject": "shop"}, o.Keda.Spec.Triggers[0].Metadata)
}

func TestAScaledObjectForTheHTTPAddOnIsAStrategy(t *testing.T) {
	skipped := strings.Replace(httpScaledObject, "{name: shop}", `{name: shop, annotations: {httpscaledobject.keda.sh/skip-scaledobject-creation: "true"}}`, 1)
	s := parse(t, kedaWorkload+`autoscalers:
  route: {manifests: [route.yaml, so.yaml]}
  own: {manifests: [own.yaml, http.yaml]}
`, files{"d.yaml": deployment, "route.yaml": interceptorRoute, "so.yaml": routedObject, "http.yaml": skipped,
		"own.yaml": strings.Replace(routedObject, "interceptorRoute", "httpScaledObject", 1)})
	for range 2 {
		for name, metric := range map[string]string{"route": "http_shop_rate", "own": "http-default_002Fshop"} {
			spec, err := s.Spec(name, 1)
			require.NoError(t, err)
			assert.Equal(t, "web", spec.Strategy.Keda.Manifest.Name)
			assert.Nil(t, spec.Strategy.Keda.Manifest.Spec.PollingInterval)
			assert.Equal(t, metric, spec.Strategy.Keda.Route().Metric)
		}
		text, err := s.Resolved()
		require.NoError(t, err)
		s = parse(t, string(text), files{})
	}
}

func TestHTTPManifestsThatDoNotFit(t *testing.T) {
	with := strings.NewReplacer
	for name, c := range map[string]struct {
		manifests map[string]string // beside the Deployment
		workload  string
		want      string
	}{
		"an unknown field": {map[string]string{"a.yaml": with("hosts:", "host:").Replace(httpScaledObject)}, "",
			`a.yaml:6:3: spec.host: found an unknown key, expected one of hosts, pathPrefixes, headers`},
		"another version": {map[string]string{"a.yaml": with("v1alpha1", "v1beta1").Replace(httpScaledObject)}, "",
			"a.yaml:2:13: apiVersion: found http.keda.sh/v1beta1, expected http.keda.sh/v1alpha1 for the kind HTTPScaledObject"},
		"another workload": {map[string]string{"a.yaml": with("name: web", "name: api").Replace(httpScaledObject)}, "",
			"a.yaml:7:26: spec.scaleTargetRef.name: found api, expected web: the workload is Deployment web"},
		"another Service": {map[string]string{"a.yaml": with("service: web", "service: api").Replace(httpScaledObject)}, "",
			"a.yaml:7:40: spec.scaleTargetRef.service: found api, expected web, the Service of the workload"},
		"another Service of a route": {map[string]string{"a.yaml": with("service: web", "service: api").Replace(interceptorRoute), "b.yaml": routedObject}, "",
			"a.yaml:6:21: spec.target.service: found api, expected web, the Service of the workload"},
		"two metrics": {map[string]string{"a.yaml": httpScaledObject + "  scalingMetric: {concurrency: {}, requestRate: {}}\n"}, "",
			"a.yaml:10:18: spec.scalingMetric: found concurrency and requestRate, expected one of the two"},
		"a duration in words": {map[string]string{"a.yaml": httpScaledObject + "  timeouts: {conditionWait: soon}\n"}, "",
			"a.yaml:10:29: spec.timeouts.conditionWait: found soon"},
		"an HPA beside": {map[string]string{"a.yaml": httpScaledObject, "b.yaml": hpaManifest}, "",
			"a.yaml:3:7: kind: found an HTTPScaledObject beside HorizontalPodAutoscaler web, expected it alone: the workload would have two HPAs or two ways to zero"},
		"a ScaledObject beside": {map[string]string{"a.yaml": httpScaledObject, "b.yaml": scaledObject}, "",
			"b.yaml:3:7: kind: found a ScaledObject beside an HTTPScaledObject, of which the add-on makes one, expected the HTTPScaledObject alone"},
		"both beside each other": {map[string]string{"a.yaml": httpScaledObject, "b.yaml": interceptorRoute}, "",
			"b.yaml:3:7: kind: found an InterceptorRoute beside an HTTPScaledObject, expected one of the two"},
		"a route in another namespace": {map[string]string{"a.yaml": with("{name: shop}", "{name: shop, namespace: prod}").Replace(interceptorRoute), "b.yaml": routedObject}, "",
			"a.yaml:4:35: metadata.namespace: found prod, expected default, the namespace of Deployment web"},
		"an object in another namespace": {map[string]string{"a.yaml": with("{name: shop}", "{name: shop, namespace: prod}").Replace(httpScaledObject)}, "",
			"a.yaml:4:35: metadata.namespace: found prod, expected default, the namespace of Deployment web"},
		"a route alone": {map[string]string{"a.yaml": interceptorRoute}, "",
			"a.yaml:3:7: kind: found an InterceptorRoute alone, expected a ScaledObject with a trigger for it as well"},
		"a route that no trigger names": {map[string]string{"a.yaml": interceptorRoute, "b.yaml": with("Route: shop", "Route: shp").Replace(routedObject)}, "",
			"a.yaml:4:18: metadata.name: found shop, expected a trigger external-push of the ScaledObject that names it"},
		"a trigger without its route": {map[string]string{"b.yaml": routedObject}, "",
			`b.yaml:9:66: spec.triggers[0].metadata.interceptorRoute: found "shop", expected the InterceptorRoute of that name beside the ScaledObject`},
		"a name too long for the HPA": {map[string]string{"a.yaml": with("name: shop", "name: "+strings.Repeat("a", 60)).Replace(httpScaledObject)}, "",
			"a.yaml:4:18: metadata.name: found one of which the HPA gets the name keda-hpa-"},
		"messages": {map[string]string{"a.yaml": httpScaledObject}, "consumes: {}, ",
			"a.yaml:3:7: kind: found an HTTPScaledObject for a workload that consumes, expected none: nobody waits for messages"},
	} {
		t.Run(name, func(t *testing.T) {
			all, manifests := files{"d.yaml": deployment}, []string{}
			for _, file := range []string{"a.yaml", "b.yaml"} {
				if text, given := c.manifests[file]; given {
					all[file], manifests = text, append(manifests, file)
				}
			}
			workload := strings.Replace(kedaWorkload, "workload: {", "workload: {"+c.workload, 1)
			problems := messagesOf(t, workload+"autoscalers: {http: {manifests: ["+strings.Join(manifests, ", ")+"]}}\n", all)
			require.Len(t, problems, 1, strings.Join(problems, "\n"))
			assert.True(t, strings.HasPrefix(problems[0], c.want), "%s\nexpected\n%s", problems[0], c.want)
		})
	}
	assert.Equal(t, []string{"s.yaml:4:38: controllers.httpAddOn.queueTick: found 0s, expected 1ms to 1h"},
		messagesOf(t, head+"controllers: {httpAddOn: {queueTick: 0s}}\nworkload: {manifests: [d.yaml]}\n"+traffic+"autoscalers: {http: {manifests: [a.yaml]}}\n",
			files{"d.yaml": deployment, "a.yaml": httpScaledObject}))
}
