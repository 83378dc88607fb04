package scenarios_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

const shopWorkload = head + "workload: {manifests: [k8s/deployment.yaml, k8s/service.yaml]}\n" + tail

func TestAutoscalersSay(t *testing.T) {
	for name, c := range map[string]struct {
		autoscalers string // in flow style, from line 6 on
		want        string
	}{
		"nothing":                                {`{a: {}}`, "s.yaml:6:18: autoscalers.a: found nothing to scale with, expected one of manifests, annotations, replicas, oracle, serverless, extends"},
		"two ways":                               {`{a: {replicas: 1, oracle: true}}`, "s.yaml:6:18: autoscalers.a: found replicas and oracle, expected exactly one of manifests, annotations, replicas, oracle, serverless, extends"},
		"no oracle":                              {`{a: {oracle: false}}`, "s.yaml:6:27: autoscalers.a.oracle: found false, expected true"},
		"an oracle with a count":                 {`{oracle: {replicas: 3}}`, "s.yaml:6:23: autoscalers.oracle: found replicas, expected {} or {oracle: true}: the name is taken"},
		"two ways, one serverless":               {`{a: {replicas: 1, serverless: {coldServiceTime: 2s}}}`, "s.yaml:6:18: autoscalers.a: found replicas and serverless, expected exactly one of manifests, annotations, replicas, oracle, serverless, extends"},
		"serverless without a cold service time": {`{a: {serverless: {}}}`, "s.yaml:6:31: autoscalers.a.serverless.coldServiceTime: found nothing, expected a duration such as 30s or a distribution such as {dist: exponential, mean: 1s}"},
		"serverless in a word":                   {`{a: {serverless: lambda}}`, "s.yaml:6:31: autoscalers.a.serverless: found lambda, expected a mapping"},
		"a keep-alive without a unit":            {`{a: {serverless: {keepAlive: 600, coldServiceTime: 2s}}}`, "s.yaml:6:43: autoscalers.a.serverless.keepAlive: found 600, expected a duration such as 30s"},
		"a keep-alive of years":                  {`{a: {serverless: {keepAlive: 8760h, coldServiceTime: 2s}}}`, "s.yaml:6:43: autoscalers.a.serverless.keepAlive: found 8760h0m0s, expected 0s to 720h0m0s"},
		"a cold service time of nothing":         {`{a: {serverless: {coldServiceTime: {dist: exponential, mean: 0s}}}}`, "s.yaml:6:75: autoscalers.a.serverless.coldServiceTime.mean: found 0s, expected more than 0s"},
		"no instance at all":                     {`{a: {serverless: {coldServiceTime: 2s, maxInstances: 0}}}`, "s.yaml:6:67: autoscalers.a.serverless.maxInstances: found 0, expected at least 1"},
		"a misspelt keep-alive":                  {`{a: {serverless: {coldServiceTime: 2s, keepalive: 1m}}}`, `s.yaml:6:53: autoscalers.a.serverless.keepalive: found an unknown key, expected one of keepAlive, coldServiceTime, maxInstances (did you mean "keepAlive"?)`},
		"a variant of serverless":                {`{f: {serverless: {coldServiceTime: 2s}}, a: {extends: f, patch: {}}}`, "s.yaml:6:68: autoscalers.a.extends: found f, which has no manifests, expected an autoscaler with manifests"},
		"an odd name":                            {`{"a b": {replicas: 3}}`, `s.yaml:6:22: autoscalers["a b"]: found the name a b, expected letters, digits, dots, dashes and underscores`},
		"too many replicas":                      {`{a: {replicas: 100001}}`, "s.yaml:6:29: autoscalers.a.replicas: found 100001, expected at most 100000"},
		"a misspelt key":                         {`{a: {replica: 3}}`, `s.yaml:6:19: autoscalers.a.replica: found an unknown key, expected one of manifests, annotations, containerConcurrency, replicas, oracle, serverless, behaviour, extends, patch (did you mean "replicas"?)`},
		"a patch alone":                          {`{a: {patch: {spec: {}}}}`, "s.yaml:6:18: autoscalers.a: found nothing to scale with, expected one of manifests, annotations, replicas, oracle, serverless, extends"},
		"a patch of manifests":                   {`{a: {manifests: [k8s/hpa.yaml], patch: {}}}`, "s.yaml:6:53: autoscalers.a.patch: found a patch without extends, expected the autoscaler that it changes"},
		"extends without patch":                  {`{b: {manifests: [k8s/hpa.yaml]}, a: {extends: b}}`, "s.yaml:6:50: autoscalers.a.patch: found nothing, expected what differs from b"},
		"a patch that is none":                   {`{b: {manifests: [k8s/hpa.yaml]}, a: {extends: b, patch: 3}}`, "s.yaml:6:70: autoscalers.a.patch: found 3, expected a mapping"},
		"an unknown base":                        {`{hpa-70: {manifests: [k8s/hpa.yaml]}, a: {extends: hpa-07, patch: {}}}`, `s.yaml:6:65: autoscalers.a.extends: found hpa-07, expected the name of an autoscaler (did you mean "hpa-70"?)`},
		"itself":                                 {`{a: {extends: a, patch: {}}}`, "s.yaml:6:28: autoscalers.a.extends: found a cycle (a extends a), expected it to end"},
		"a base without any":                     {`{f: {replicas: 3}, a: {extends: f, patch: {}}}`, "s.yaml:6:46: autoscalers.a.extends: found f, which has no manifests, expected an autoscaler with manifests"},
		"which of two":                           {`{b: {manifests: [k8s/hpa.yaml, k8s/elasti.yaml]}, a: {extends: b, patch: {spec: {}}}}`, "s.yaml:6:87: autoscalers.a.patch.kind: found nothing, expected HorizontalPodAutoscaler or ElastiService: there are 2 manifests"},
		"none of two":                            {`{b: {manifests: [k8s/hpa.yaml, k8s/elasti.yaml]}, a: {extends: b, patch: {kind: ElasticService}}}`, `s.yaml:6:94: autoscalers.a.patch.kind: found ElasticService, expected HorizontalPodAutoscaler or ElastiService (did you mean "ElastiService"?)`},
		"a bad patch":                            {`{b: {manifests: [k8s/hpa.yaml]}, a: {extends: b, patch: {spec: {maxReplicas: 1}}}}`, "s.yaml:6:91: autoscalers.a.patch.spec.maxReplicas: found 1, expected at least minReplicas, which is 2"},
		"an unknown field":                       {`{b: {manifests: [k8s/hpa.yaml]}, a: {extends: b, patch: {spec: {maxReplica: 9}}}}`, `s.yaml:6:78: autoscalers.a.patch.spec.maxReplica: found an unknown key, expected one of scaleTargetRef, minReplicas, maxReplicas, metrics, behavior (did you mean "maxReplicas"?)`},
		"a Deployment":                           {`{a: {manifests: [k8s/deployment.yaml]}}`, "k8s/deployment.yaml:3:7: kind: found Deployment, expected one of HorizontalPodAutoscaler, ElastiService, ScaledObject, HTTPScaledObject, InterceptorRoute, Service, Revision, ConfigMap"},
		"two HPAs":                               {`{a: {manifests: [k8s/hpa.yaml, k8s/hpa.yaml]}}`, "k8s/hpa.yaml:3:7: kind: found a second HorizontalPodAutoscaler, expected one"},
		"an HPA without metric target": {`{b: {manifests: [k8s/hpa.yaml]}, a: {extends: b, patch: {spec: {metrics: [{type: Resource}]}}}}`,
			"s.yaml:6:88: autoscalers.a.patch.spec.metrics[0].resource: found nothing: the type says Resource"},
		"another workload":  {`{b: {manifests: [k8s/hpa.yaml]}, a: {extends: b, patch: {spec: {scaleTargetRef: {name: api}}}}}`, "s.yaml:6:101: autoscalers.a.patch.spec.scaleTargetRef.name: found api, expected web: the workload is Deployment web"},
		"another kind":      {`{b: {manifests: [k8s/hpa.yaml]}, a: {extends: b, patch: {spec: {scaleTargetRef: {kind: StatefulSet}}}}}`, "s.yaml:6:101: autoscalers.a.patch.spec.scaleTargetRef.kind: found StatefulSet, expected Deployment: the workload is Deployment web"},
		"another namespace": {`{b: {manifests: [k8s/hpa.yaml]}, a: {extends: b, patch: {metadata: {namespace: shop}}}}`, "s.yaml:6:93: autoscalers.a.patch.metadata.namespace: found shop, expected default, the namespace of Deployment web"},
		"a container that is not there": {`{b: {manifests: [k8s/hpa.yaml]}, a: {extends: b, patch: {spec: {metrics: [{type: ContainerResource, containerResource: {name: cpu, container: wbe, target: {type: Utilization, averageUtilization: 50}}}]}}}}`,
			"s.yaml:6:156: autoscalers.a.patch.spec.metrics[0].containerResource.container: found wbe, expected a container of Deployment web"},
		"memory": {`{b: {manifests: [k8s/hpa.yaml]}, a: {extends: b, patch: {spec: {metrics: [{type: Resource, resource: {name: memory, target: {type: Utilization, averageUtilization: 50}}}]}}}}`,
			`s.yaml:6:122: autoscalers.a.patch.spec.metrics[0].resource.name: found resource "memory", expected cpu: memory is simulated with workload.perPod.memory`},
		"a partner that is not there": {`{b: {manifests: [k8s/elasti.yaml]}}`,
			"k8s/elasti.yaml:13:33: spec.autoscaler.name: found web, expected a HorizontalPodAutoscaler of that name among the manifests"},
		"another partner": {`{b: {manifests: [k8s/elasti.yaml, k8s/hpa.yaml]}, a: {extends: b, patch: {kind: ElastiService, spec: {autoscaler: {name: api}}}}}`,
			"s.yaml:6:135: autoscalers.a.patch.spec.autoscaler.name: found api, expected web, the HorizontalPodAutoscaler among the manifests"},
		"KEDA as partner": {`{b: {manifests: [k8s/elasti.yaml, k8s/hpa.yaml]}, a: {extends: b, patch: {kind: ElastiService, spec: {autoscaler: {type: keda}}}}}`,
			"s.yaml:6:135: autoscalers.a.patch.spec.autoscaler.type: found keda, expected hpa"},
		"a cooldown of years": {`{b: {manifests: [k8s/elasti.yaml, k8s/hpa.yaml]}, a: {extends: b, patch: {kind: ElastiService, spec: {cooldownPeriod: 604801}}}}`,
			"s.yaml:6:132: autoscalers.a.patch.spec.cooldownPeriod: found 604801, expected 0 to 604800 seconds"},
	} {
		t.Run(name, func(t *testing.T) {
			src := strings.Replace(shopWorkload, tail, tail+"autoscalers: "+c.autoscalers+"\n", 1)
			assert.Equal(t, []string{c.want}, messagesOf(t, src, shop()))
		})
	}
}

func TestALongerCycle(t *testing.T) {
	src := shopWorkload + "autoscalers: {a: {extends: b, patch: {}}, b: {extends: c, patch: {}}, c: {extends: b, patch: {}}}\n"
	assert.Equal(t, []string{"s.yaml:6:84: autoscalers.c.extends: found a cycle (b extends c extends b), expected it to end"}, messagesOf(t, src, shop()))
}

func TestUtilizationNeedsRequests(t *testing.T) {
	manifests := with(shop(), "k8s/deployment.yaml", strings.Replace(deployment, "{cpu: 500m, memory: 256Mi}", "{memory: 256Mi}", 1))
	src := shopWorkload + "autoscalers: {a: {manifests: [k8s/hpa.yaml]}}\n"
	assert.Equal(t, []string{"k8s/hpa.yaml:10:41: spec.metrics[0].resource.name: found a utilization of cpu, expected a cpu request in container web of Deployment web"},
		messagesOf(t, src, manifests))
	made := head + tail + "autoscalers: {a: {manifests: [k8s/hpa.yaml]}}\n"
	assert.Equal(t, []string{
		"k8s/hpa.yaml:6:65: spec.scaleTargetRef.name: found web, expected bad: the workload is Deployment bad",
		"k8s/hpa.yaml:10:41: spec.metrics[0].resource.name: found a utilization of cpu, expected a cpu request in container app of Deployment bad",
	}, messagesOf(t, made, shop()))
}

func TestTheServiceOfAnElastiService(t *testing.T) {
	src := head + "workload: {manifests: [k8s/deployment.yaml]}\n" + tail + "autoscalers: {a: {manifests: [k8s/hpa.yaml, k8s/elasti.yaml]}}\n"
	assert.Equal(t, []string{"k8s/elasti.yaml:7:12: spec.service: found web-svc, expected web, the Service of the workload"}, messagesOf(t, src, shop()))
}

func TestABrokenBaseIsReportedOnce(t *testing.T) {
	src := shopWorkload + "autoscalers: {a: {manifests: [k8s/hpa.yaml]}, b: {extends: a, patch: {spec: {minReplicas: 1}}}}\n"
	manifests := with(shop(), "k8s/hpa.yaml", strings.Replace(hpaManifest, "averageUtilization: 70", "averageUtilization: 0", 1))
	assert.Equal(t, []string{"k8s/hpa.yaml:10:94: spec.metrics[0].resource.target.averageUtilization: found 0, expected at least 1"}, messagesOf(t, src, manifests))
}
