package knative

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

const serviceManifest = `
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  traffic: [{latestRevision: true, percent: 100}]
  template:
    metadata:
      annotations:
        autoscaling.knative.dev/min-scale: "2"
        autoscaling.knative.dev/maxScale: "9"
        serving.knative.dev/progress-deadline: 2m
        example.com/other: anything
    spec:
      containerConcurrency: 10
      timeoutSeconds: 45
      containers: [{image: web:1, resources: {requests: {cpu: 100m}}}]
`

func service(t *testing.T, text string) *ServiceManifest {
	s := &ServiceManifest{}
	require.NoError(t, yaml.UnmarshalStrict([]byte(text), s))
	return s
}

func TestServiceComesToARevision(t *testing.T) {
	s := service(t, serviceManifest)
	require.NoError(t, s.Validate(DefaultConfig()))
	assert.Equal(t, Revision{
		Name: "web", Namespace: "shop", Annotations: s.Spec.Template.Annotations,
		ContainerConcurrency: 10, Timeout: 45 * time.Second, ProgressDeadline: 2 * time.Minute,
	}, s.Revision())
	s.Spec.Traffic = nil
	assert.NoError(t, s.Validate(DefaultConfig()), "traffic goes to the latest revision without being told")
	assert.Equal(t, "100m", s.Spec.Template.Spec.Containers[0].Resources.Requests.Cpu().String())
}

func TestRevisionHasDefaults(t *testing.T) {
	r := &RevisionManifest{}
	require.NoError(t, yaml.UnmarshalStrict([]byte("apiVersion: serving.knative.dev/v1\nkind: Revision\nmetadata: {name: web-00001}\nspec: {timeoutSeconds: 0, containers: [{image: web:1}]}"), r))
	require.NoError(t, r.Validate(DefaultConfig()))
	assert.Equal(t, Revision{Name: "web-00001", Namespace: "default", Timeout: 300 * time.Second, ProgressDeadline: 600 * time.Second}, r.Revision())
	assert.Equal(t, ClassKPA, r.Revision().Class(DefaultConfig()))
}

func TestBadServicesAreRefused(t *testing.T) {
	s := service(t, `
apiVersion: serving.knative.dev/v1beta1
kind: Servic
metadata: {name: Web, annotations: {autoscaling.knative.dev/target: "5", example.com/x: "1"}}
spec:
  traffic: [{percent: 90}, {latestRevision: true, percent: 10}]
  template:
    metadata: {annotations: {autoscaling.knative.dev/min-scal: "2", autoscaling.knative.dev/target: none, serving.knative.dev/progress-deadline: 1.5s}}
    spec: {containerConcurrency: 1001, timeoutSeconds: 601}
`)
	assert.EqualError(t, s.Validate(DefaultConfig()), `apiVersion: found "serving.knative.dev/v1beta1", expected serving.knative.dev/v1
kind: found "Servic", expected Service
metadata.name: found "Web", expected a name: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')
metadata.annotations[autoscaling.knative.dev/target]: found an annotation of the autoscaler at the Service, expected it below spec.template.metadata.annotations
spec.template.metadata.annotations[autoscaling.knative.dev/target]: found "none", expected a number
spec.template.metadata.annotations[autoscaling.knative.dev/min-scal]: found a name that Knative does not know below autoscaling.knative.dev/, expected one of activation-scale, class, initial-scale, max-scale, metric, metric-aggregation-algorithm, min-scale, panic-threshold-percentage, panic-window-percentage, scale-down-delay, scale-to-zero-pod-retention-period, target, target-burst-capacity, target-utilization-percentage, window
spec.template.metadata.annotations[serving.knative.dev/progress-deadline]: found "1.5s", expected whole seconds such as 10m, at least 0s
spec.template.spec.containerConcurrency: found 1001, expected 0 to 1000
spec.template.spec.timeoutSeconds: found 601, expected 0 to 600
spec.traffic[1]: found a second target, expected all requests to go to the latest revision
spec.traffic[0].latestRevision: found a revision of its own, expected true: only the latest revision is modelled
spec.traffic[0].percent: found 90, expected 100: only one revision is modelled`)

	r := &RevisionManifest{}
	assert.EqualError(t, r.Validate(DefaultConfig()), `apiVersion: found "", expected serving.knative.dev/v1
kind: found "", expected Revision
metadata.name: found "", expected a name: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')`)
}

// The webhook of the PodAutoscaler sees the class filled in, and so looks at an
// algorithm that the one of the Service lets pass.
func TestTheClassIsFilledIn(t *testing.T) {
	annotations := map[string]string{algorithmAnnotation[0]: "median"}
	assert.NoError(t, ValidateAnnotations(annotations, DefaultConfig()))
	assert.EqualError(t, ValidateRevision(annotations, DefaultConfig()),
		`[autoscaling.knative.dev/metric-aggregation-algorithm]: found "median", expected linear or weighted-exponential`)
}

func TestBadAnnotationsAreRefused(t *testing.T) {
	limited := DefaultConfig()
	limited.MaxScale, limited.MaxScaleLimit = 5, 10
	for _, c := range []struct {
		config      Config
		annotations map[string]string
		want        string
	}{
		{DefaultConfig(), map[string]string{"class": "vpa.knative.dev"}, `class]: found "vpa.knative.dev", expected kpa.autoscaling.knative.dev or hpa.autoscaling.knative.dev`},
		{DefaultConfig(), map[string]string{"minScale": "two"}, `minScale]: found "two", expected a whole number`},
		{DefaultConfig(), map[string]string{"min-scale": "-1"}, `min-scale]: found -1, expected 0 to 2147483647`},
		{DefaultConfig(), map[string]string{"min-scale": "3", "max-scale": "2"}, `max-scale]: found 2, expected at least 3, the min-scale`},
		{limited, map[string]string{"max-scale": "0"}, `max-scale]: found 0, expected 1 to 10, the max-scale-limit of config-autoscaler`},
		{DefaultConfig(), map[string]string{"activation-scale": "x"}, `activation-scale]: found "x", expected a whole number of at most 2147483647`},
		{DefaultConfig(), map[string]string{"activation-scale": "2", "min-scale": "3"}, `activation-scale]: found 2, expected at least 3, the min-scale`},
		{DefaultConfig(), map[string]string{"activation-scale": "9", "max-scale": "8"}, `activation-scale]: found 9, expected at most 8, the max-scale`},
		{DefaultConfig(), map[string]string{"activation-scale": "1"}, `activation-scale]: found 1, expected at least 2`},
		{DefaultConfig(), map[string]string{"target": "0.001"}, `target]: found 0.001, expected at least 0.01`},
		{DefaultConfig(), map[string]string{"window": "3s"}, `window]: found 3s, expected 6s to 1h0m0s`},
		{DefaultConfig(), map[string]string{"window": "7500ms"}, `window]: found 7500ms, expected whole seconds`},
		{DefaultConfig(), map[string]string{"scale-down-delay": "soon"}, `scale-down-delay]: found "soon", expected a duration such as 1m30s`},
		{DefaultConfig(), map[string]string{"metric": "cpu"}, `metric]: found "cpu", expected concurrency or rps`},
		{DefaultConfig(), map[string]string{"class": ClassHPA, "metric": ""}, `metric]: found an empty text, expected the name of a metric, such as cpu`},
		{DefaultConfig(), map[string]string{"initial-scale": "x"}, `initial-scale]: found "x", expected a whole number`},
		{DefaultConfig(), map[string]string{"initial-scale": "-1"}, `initial-scale]: found -1, expected at least 0`},
		{DefaultConfig(), map[string]string{"initial-scale": "0"}, `initial-scale]: found 0, expected at least 1, since allow-zero-initial-scale is false in config-autoscaler`},
	} {
		assert.EqualError(t, ValidateAnnotations(full(c.annotations), c.config), "["+domain+c.want)
	}
}

func TestBadSpecsAreRefused(t *testing.T) {
	_, err := New(Spec{Revision: Revision{Annotations: full(map[string]string{"class": ClassHPA, "window": "1s"}), ContainerConcurrency: -1, ProgressDeadline: -1},
		Config: Config{}}, start)
	assert.EqualError(t, err, `revision.name: found none, expected the name of the revision or its Service
revision.annotations[autoscaling.knative.dev/window]: found 1s, expected 6s to 1h0m0s
revision.annotations[autoscaling.knative.dev/class]: found "hpa.autoscaling.knative.dev", expected kpa.autoscaling.knative.dev
revision.containerConcurrency: found -1, expected 0 to 1000
revision.progressDeadline: found -1ns, expected at least 0s
config.container-concurrency-target-percentage: found 0 after percentages were divided by 100, expected more than 0 and at most 1
config.requests-per-second-target-default: found 0, expected at least 0.01
config.activator-capacity: found 0, expected at least 1
config.max-scale-up-rate: found 0, expected more than 1
config.max-scale-down-rate: found 0, expected more than 1
config.panic-window-percentage: found 0, expected 1 to 100
config.scale-to-zero-grace-period: found 0s, expected more than 0s
config.stable-window: found 0s, expected whole seconds, 6s to 1h0m0s
config.initial-scale: found 0, expected at least 1, since allow-zero-initial-scale is false
draw: found none, expected a source of numbers`)
}

func TestInitialScaleAndActivators(t *testing.T) {
	assert.EqualValues(t, 3, newSpec("initial-scale", "3").InitialScale())
	for _, c := range []struct {
		burst string
		ready int32
		want  int32
	}{
		{"211", 0, 3},  // ceil(211 / 100)
		{"211", 3, 6},  // ceil((300 + 211) / 100)
		{"-1", 3, 3},   // ceil(300 / 100)
		{"-1", 1, 2},   // never less
		{"0", 1000, 2}, // not in the way but at zero
	} {
		assert.Equal(t, c.want, newSpec("target-burst-capacity", c.burst).Activators(c.ready), c)
	}
}

func TestHPA(t *testing.T) {
	config := DefaultConfig()
	config.MaxScale = 30
	for _, c := range []struct {
		annotations map[string]string
		want        string
	}{
		{nil, `{"maxReplicas": 30}`},
		{map[string]string{"min-scale": "2", "max-scale": "0", "window": "90s"}, `{"minReplicas": 2, "maxReplicas": 2147483647,
			"behavior": {"scaleUp": {"stabilizationWindowSeconds": 90}, "scaleDown": {"stabilizationWindowSeconds": 90}}}`},
		{map[string]string{"target": "74.5"}, `{"maxReplicas": 30, "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 75}}}]}`},
		{map[string]string{"target": "200", "metric": "memory"}, `{"maxReplicas": 30, "metrics": [{"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "200Mi"}}}]}`},
		{map[string]string{"target": "7.9", "metric": "queue"}, `{"maxReplicas": 30, "metrics": [{"type": "Pods", "pods": {"metric": {"name": "queue"}, "target": {"type": "AverageValue", "averageValue": "7"}}}]}`},
		{map[string]string{"target": "1e30", "metric": "queue"}, `{"maxReplicas": 30, "metrics": [{"type": "Pods", "pods": {"metric": {"name": "queue"}, "target": {"type": "AverageValue", "averageValue": "-9223372036854775808"}}}]}`},
	} {
		h := HPA(Revision{Name: "web", Namespace: "shop", Annotations: full(c.annotations)}, config, "web-deployment")
		assert.Equal(t, []string{"autoscaling/v2", "HorizontalPodAutoscaler", "shop", "web"}, []string{h.APIVersion, h.Kind, h.Namespace, h.Name})
		var want, got map[string]any
		require.NoError(t, json.Unmarshal([]byte(c.want), &want))
		want["scaleTargetRef"] = map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web-deployment"}
		text, err := json.Marshal(h.Spec)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &got))
		assert.Equal(t, want, got)
	}
}
