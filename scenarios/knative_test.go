package scenarios_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/knative"
	"github.com/scalelab/scalelab/scenarios"
)

const knativeService = `
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: web}
spec:
  template:
    metadata:
      annotations: {autoscaling.knative.dev/target: "8", autoscaling.knative.dev/max-scale: "20"}
    spec:
      containerConcurrency: 10
      timeoutSeconds: 60
      containers:
        - {image: web, resources: {requests: {cpu: 500m}}}
`

const (
	revisionWorkload = head + "workload: {manifests: [ksvc.yaml]}\n" + traffic
	traffic          = "traffic: [{name: base, for: 10m, rps: 5}]\n"
	configAutoscaler = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config-autoscaler}\ndata: {stable-window: 30s}\n"
)

func revisionOf(t *testing.T, s *scenarios.Scenario, name string) (knative.Revision, knative.Config) {
	spec, err := s.Spec(name, 1)
	require.NoError(t, err)
	require.NotNil(t, spec.Strategy.Knative, name)
	return spec.Strategy.Knative.Revision, spec.Strategy.Knative.Config
}

// Knative makes the Deployment: with a queue-proxy, and time for the requests
// that are under way.
func TestWorkloadOfAKnativeService(t *testing.T) {
	s := parse(t, revisionWorkload+"autoscalers: {hold: {replicas: 2}}\n", files{"ksvc.yaml": knativeService})
	spec, err := s.Spec("hold", 1)
	require.NoError(t, err)
	assert.Equal(t, []messages.ResourceRequest{
		{Container: "user-container", Resource: "cpu", Milli: 500}, {Container: "queue-proxy", Resource: "cpu", Milli: 25},
	}, spec.Requests)
	assert.Equal(t, time.Minute, spec.Cluster.GracePeriod)
	o, err := s.Objects("hold")
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"app": "web"}, o.Service.Spec.Selector)
	assert.Nil(t, o.Revision)
}

func TestRevisionsOfAnnotations(t *testing.T) {
	s := parse(t, revisionWorkload+`autoscalers:
  as-written: {annotations: {}}
  changed: {containerConcurrency: 0, annotations: {autoscaling.knative.dev/target: "50", autoscaling.knative.dev/minScale: "2"}}
controllers: {knative: {target-burst-capacity: "0"}}
knative: {activators: 2, new: true}
`, files{"ksvc.yaml": knativeService})
	own, config := revisionOf(t, s, "as-written")
	assert.Equal(t, map[string]string{"autoscaling.knative.dev/target": "8", "autoscaling.knative.dev/max-scale": "20"}, own.Annotations)
	assert.Equal(t, int64(10), own.ContainerConcurrency)
	assert.Equal(t, time.Minute, own.Timeout)
	assert.Equal(t, 0.0, config.TargetBurstCapacity)
	changed, _ := revisionOf(t, s, "changed")
	assert.Equal(t, map[string]string{"autoscaling.knative.dev/target": "50", "autoscaling.knative.dev/max-scale": "20",
		"autoscaling.knative.dev/minScale": "2"}, changed.Annotations)
	assert.Zero(t, changed.ContainerConcurrency)

	spec, err := s.Spec("changed", 1)
	require.NoError(t, err)
	assert.Equal(t, 2, spec.Strategy.Knative.World.Activators)
	assert.Equal(t, int32(1), spec.InitialReplicas(), "the initial scale of a new revision")
	o, err := s.Objects("changed")
	require.NoError(t, err)
	assert.Equal(t, changed, *o.Revision)
}

// Without a Service of Knative a revision has Knative's defaults.
func TestRevisionOfAnyWorkload(t *testing.T) {
	s := parse(t, head+traffic+"autoscalers: {knative: {annotations: {}}}\n", nil)
	r, _ := revisionOf(t, s, "knative")
	assert.Equal(t, knative.Revision{Namespace: "default", Annotations: map[string]string{}, Timeout: 5 * time.Minute, ProgressDeadline: 10 * time.Minute}, r)
}

func TestRevisionsOfManifests(t *testing.T) {
	s := parse(t, revisionWorkload+`autoscalers:
  service: {manifests: [ksvc.yaml, cm.yaml]}
  slow:
    extends: service
    patch: {kind: ConfigMap, data: {stable-window: 120s}}
  revision:
    manifests:
      - {apiVersion: serving.knative.dev/v1, kind: Revision, metadata: {name: web-00001}, spec: {containerConcurrency: 3}}
`, files{"ksvc.yaml": knativeService, "cm.yaml": configAutoscaler})
	r, config := revisionOf(t, s, "service")
	assert.Equal(t, "8", r.Annotations["autoscaling.knative.dev/target"])
	assert.Equal(t, 30*time.Second, config.StableWindow)
	_, config = revisionOf(t, s, "slow")
	assert.Equal(t, 2*time.Minute, config.StableWindow)
	r, config = revisionOf(t, s, "revision")
	assert.Equal(t, int64(3), r.ContainerConcurrency)
	assert.Equal(t, time.Minute, config.StableWindow)
}

func TestTheHPAClassOfKnative(t *testing.T) {
	s := parse(t, revisionWorkload+`autoscalers:
  hpa: {annotations: {autoscaling.knative.dev/class: hpa.autoscaling.knative.dev, autoscaling.knative.dev/metric: cpu, autoscaling.knative.dev/target: "70"}}
`, files{"ksvc.yaml": knativeService})
	spec, err := s.Spec("hpa", 1)
	require.NoError(t, err)
	require.NotNil(t, spec.Strategy.HPA)
	assert.Equal(t, int32(20), spec.Strategy.HPA.Manifest.Spec.MaxReplicas)
	assert.Equal(t, int32(70), *spec.Strategy.HPA.Manifest.Spec.Metrics[0].Resource.Target.AverageUtilization)
	require.NotNil(t, spec.Strategy.Knative, "its queue-proxy stays")
}

func TestResolvedRevisionsMeanTheSame(t *testing.T) {
	const strategies = `autoscalers:
  short: {containerConcurrency: 5, annotations: {autoscaling.knative.dev/target: "3"}}
  long: {manifests: [ksvc.yaml, cm.yaml]}
controllers: {knative: {target-burst-capacity: "0"}}
`
	s := parse(t, revisionWorkload+strategies, files{"ksvc.yaml": knativeService, "cm.yaml": configAutoscaler})
	text, err := s.Resolved()
	require.NoError(t, err)
	again := parse(t, string(text), nil)
	for _, name := range []string{"short", "long"} {
		r, config := revisionOf(t, s, name)
		r2, config2 := revisionOf(t, again, name)
		assert.Equal(t, r, r2)
		assert.Equal(t, config, config2)
	}
	twice, err := again.Resolved()
	require.NoError(t, err)
	assert.Equal(t, string(text), string(twice))
}

func TestRevisionsSay(t *testing.T) {
	const own = "autoscalers: {a: {manifests: [ksvc.yaml]}}\n"
	for name, c := range map[string]struct{ text, want string }{
		"an unknown annotation": {head + traffic + "autoscalers:\n  a: {annotations: {autoscaling.knative.dev/taget: \"8\"}}\n",
			`s.yaml:6:52: autoscalers.a.annotations["autoscaling.knative.dev/taget"]: `},
		"a bad annotation": {head + traffic + "autoscalers:\n  a: {annotations: {autoscaling.knative.dev/target: many}}\n",
			`s.yaml:6:53: autoscalers.a.annotations["autoscaling.knative.dev/target"]: found "many", expected `},
		"a bad key of the ConfigMap": {head + traffic + own + "controllers: {knative: {stable-windows: 60s}}\n",
			`s.yaml:6:41: controllers.knative.stable-windows: found a key that Knative does not know, expected one of `},
		"a central queue": {head + "workload: {manifests: [ksvc.yaml], routing: {policy: central-queue}}\n" + traffic + own,
			`s.yaml:4:54: workload.routing.policy: found central-queue, expected random, round-robin, least-request or p2c: an ingress sends the requests of a Knative revision on at once`},
		"another name": {head + "workload: {manifests: [ksvc.yaml]}\n" + traffic + "autoscalers: {a: {manifests: [other.yaml]}}\n",
			`other.yaml:4:18: metadata.name: found api, expected web, the name of the workload`},
		"a ConfigMap alone": {head + traffic + "autoscalers: {a: {manifests: [cm.yaml]}}\n",
			`cm.yaml:1:1: found a ConfigMap alone, expected a Service or a Revision of Knative beside it`},
		"another ConfigMap": {revisionWorkload + "autoscalers: {a: {manifests: [ksvc.yaml, {apiVersion: v1, kind: ConfigMap, metadata: {name: mine}}]}}\n",
			`s.yaml:6:93: autoscalers.a.manifests[1].metadata.name: found mine, expected config-autoscaler`},
		"concurrency of nobody": {head + traffic + "autoscalers: {a: {replicas: 1, containerConcurrency: 3}}\n",
			`s.yaml:5:54: autoscalers.a.containerConcurrency: found it without annotations, expected it beside those of a Knative revision`},
		"no activators": {head + traffic + "knative: {activators: 0}\n", `s.yaml:5:23: knative.activators: found 0, expected at least 1`},
		"a Deployment as well": {head + "workload: {manifests: [k8s/deployment.yaml, ksvc.yaml]}\n" + tail,
			`ksvc.yaml:3:7: kind: found a Service of Knative beside other manifests, expected it alone: Knative makes Deployment and Service`},
	} {
		t.Run(name, func(t *testing.T) {
			found := messagesOf(t, c.text, files{"ksvc.yaml": knativeService, "cm.yaml": configAutoscaler, "k8s/deployment.yaml": deployment,
				"other.yaml": "apiVersion: serving.knative.dev/v1\nkind: Service\n\nmetadata: {name: api}\nspec: {template: {}}\n"})
			require.NotEmpty(t, found)
			assert.Contains(t, found[0], c.want)
		})
	}
}
