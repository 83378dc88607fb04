package hpa

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/ptr"

	"github.com/scalelab/scalelab/messages"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
)

func found(t *testing.T, m *autoscalingv2.HorizontalPodAutoscaler) (list []string) {
	for _, e := range Validate(m) {
		list = append(list, e.Error())
	}
	return list
}

func TestValidateLimits(t *testing.T) {
	for _, c := range []struct {
		name, spec string
		want       []string
	}{
		{"the least there can be", "maxReplicas: 1", nil},
		{"no maximum", "{}", []string{
			"spec.maxReplicas: Invalid value: 0: must be at least 1",
			"spec.maxReplicas: Invalid value: 0: must be at least minReplicas, which is 1"}},
		{"minimum above maximum", "{minReplicas: 5, maxReplicas: 4}", []string{
			"spec.maxReplicas: Invalid value: 4: must be at least minReplicas, which is 5"}},
		{"negative minimum", "{minReplicas: -1, maxReplicas: 4}", []string{
			"spec.minReplicas: Invalid value: -1: must be 0 or more"}},
		{"zero without a metric to wake up by", "{minReplicas: 0, maxReplicas: 4}", []string{
			"spec.metrics: Forbidden: minReplicas 0 needs at least one Object or External metric: no other metric has a value without pods"}},
		{"zero with an external metric", "{minReplicas: 0, maxReplicas: 4, " + onePerPod[1:len(onePerPod)-1] + "}", nil},
	} {
		t.Run(c.name, func(t *testing.T) { assert.Equal(t, c.want, found(t, manifest(t, c.spec))) })
	}
}

func TestValidateNames(t *testing.T) {
	m := manifest(t, "maxReplicas: 1")
	m.Name = ""
	m.Spec.ScaleTargetRef = autoscalingv2.CrossVersionObjectReference{}
	assert.Equal(t, []string{
		"metadata.name: Required value: a HorizontalPodAutoscaler needs a name",
		"spec.scaleTargetRef.kind: Required value: expected the kind of an object",
		"spec.scaleTargetRef.name: Required value: expected the name of an object",
		`spec.scaleTargetRef.apiVersion: Invalid value: "": expected an API group, such as apps/v1`,
	}, found(t, m))

	m.Name = "web"
	m.Spec.ScaleTargetRef = autoscalingv2.CrossVersionObjectReference{Kind: "a/b", Name: "..", APIVersion: "a/b/c"}
	assert.Equal(t, []string{
		`spec.scaleTargetRef.kind: Invalid value: "a/b": must not contain / or %`,
		`spec.scaleTargetRef.name: Invalid value: "..": must not be a relative path`,
		`spec.scaleTargetRef.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c`,
	}, found(t, m))

	m.Spec.ScaleTargetRef = autoscalingv2.CrossVersionObjectReference{Kind: "ReplicationController", Name: "web", APIVersion: "v1"}
	assert.Empty(t, found(t, m), "the one kind that can be scaled and has no group")

	m = manifest(t, "maxReplicas: 1")
	m.Name = "Web"
	require.Len(t, Validate(m), 1)
	assert.Equal(t, "metadata.name", Validate(m)[0].Field)
}

func TestValidateBehavior(t *testing.T) {
	for _, c := range []struct {
		name, behavior string
		want           []string
	}{
		{"empty", "{}", nil},
		{"the largest values", `{scaleUp: {stabilizationWindowSeconds: 3600, tolerance: "0", policies: [{type: Pods, value: 1, periodSeconds: 1800}]}}`, nil},
		{"windows", "{scaleUp: {stabilizationWindowSeconds: -1}, scaleDown: {stabilizationWindowSeconds: 3601}}", []string{
			"spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: -1: must be between 0 and 3600",
			"spec.behavior.scaleDown.stabilizationWindowSeconds: Invalid value: 3601: must be between 0 and 3600"}},
		{"select policy", "{scaleUp: {selectPolicy: Most}}", []string{
			`spec.behavior.scaleUp.selectPolicy: Unsupported value: "Most": supported values: "Disabled", "Max", "Min"`}},
		{"tolerance", `{scaleDown: {tolerance: "-0.1"}}`, []string{
			`spec.behavior.scaleDown.tolerance: Invalid value: "-100m": must be 0 or more`}},
		{"a list of no policies", "{scaleUp: {policies: []}}", []string{
			"spec.behavior.scaleUp.policies: Required value: expected at least one policy; leave the field out for the defaults"}},
		{"policies", "{scaleUp: {policies: [{type: Nodes, value: 0, periodSeconds: 0}, {type: Pods, value: 1, periodSeconds: 1801}]}}", []string{
			`spec.behavior.scaleUp.policies[0].type: Unsupported value: "Nodes": supported values: "Percent", "Pods"`,
			"spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be more than 0",
			"spec.behavior.scaleUp.policies[0].periodSeconds: Invalid value: 0: must be between 1 and 1800",
			"spec.behavior.scaleUp.policies[1].periodSeconds: Invalid value: 1801: must be between 1 and 1800"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, found(t, manifest(t, "{maxReplicas: 1, behavior: "+c.behavior+"}")))
		})
	}
}

func TestValidateMetrics(t *testing.T) {
	for _, c := range []struct {
		name, metric string
		want         []string // below spec.metrics[0]
	}{
		{"no type", "{}", []string{".type: Required value: expected the type of the metric's source"}},
		{"unknown type", "{type: Cpu}", []string{`.type: Unsupported value: "Cpu": supported values: "Object", "External", "Pods", "Resource", "ContainerResource"`}},
		{"the source is missing", "{type: Resource}", []string{".resource: Required value: the type says Resource"}},
		{"another source is there", `{type: Pods, pods: {metric: {name: m}, target: {type: AverageValue, averageValue: "1"}}, resource: {name: cpu, target: {type: Utilization, averageUtilization: 1}}}`, []string{
			".resource: Forbidden: only the source that the type names may be given"}},
		{"resource without name and target", "{type: Resource, resource: {}}", []string{
			".resource.name: Required value: expected the name of a resource",
			".resource.target.type: Required value: expected Utilization, Value or AverageValue",
			".resource.target.averageUtilization: Required value: expected averageUtilization or averageValue"}},
		{"resource with two targets", `{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 0, averageValue: "-1"}}}`, []string{
			`.resource.target.averageValue: Invalid value: "-1": must be more than 0`,
			".resource.target.averageUtilization: Invalid value: 0: must be at least 1",
			".resource.target.averageValue: Forbidden: averageUtilization and averageValue exclude each other"}},
		{"container resource without names", "{type: ContainerResource, containerResource: {target: {type: Utilization, averageUtilization: 1}}}", []string{
			".containerResource.name: Required value: expected the name of a resource",
			".containerResource.container: Required value: expected the name of a container"}},
		{"container resource that does not exist", "{type: ContainerResource, containerResource: {name: gpu, container: web, target: {type: Utilization, averageUtilization: 1}}}", []string{
			`.containerResource.name: Invalid value: "gpu": must be a standard resource of containers, or fully qualified`}},
		{"container resource of a vendor", "{type: ContainerResource, containerResource: {name: vendor.example/gpu, container: web, target: {type: Utilization, averageUtilization: 1}}}", nil},
		{"pods without an average", `{type: Pods, pods: {metric: {name: a/b}, target: {type: Value, value: "0"}}}`, []string{
			`.pods.metric.name: Invalid value: "a/b": must not contain / or %`,
			`.pods.target.value: Invalid value: "0": must be more than 0`,
			".pods.target.averageValue: Required value: a pods metric is compared per pod"}},
		{"object without everything", "{type: Object, object: {target: {type: Most}}}", []string{
			".object.describedObject.kind: Required value: expected the kind of an object",
			".object.describedObject.name: Required value: expected the name of an object",
			".object.metric.name: Required value: expected the name of a metric",
			`.object.target.type: Invalid value: "Most": must be Utilization, Value or AverageValue`,
			".object.target.averageValue: Required value: expected value or averageValue"}},
		{"object of no version", `{type: Object, object: {describedObject: {apiVersion: a/b/c, kind: S, name: s}, metric: {name: m}, target: {type: Value, value: "1"}}}`, []string{
			`.object.describedObject.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c`}},
		{"object whose type has no field", `{type: Object, object: {describedObject: {kind: S, name: s}, metric: {name: m}, target: {type: Value, averageValue: "1"}}}`, []string{
			".object.target.value: Required value: the type says Value"}},
		{"object whose other type has no field", `{type: Object, object: {describedObject: {kind: S, name: s}, metric: {name: m}, target: {type: AverageValue, value: "1"}}}`, []string{
			".object.target.averageValue: Required value: the type says AverageValue"}},
		{"object by utilization", `{type: Object, object: {describedObject: {kind: S, name: s}, metric: {name: m}, target: {type: Utilization, value: "1"}}}`, []string{
			`.object.target.type: Invalid value: "Utilization": must be Value or AverageValue for an object`}},
		{"external without target", "{type: External, external: {metric: {name: m}, target: {type: Value}}}", []string{
			".external.target.averageValue: Required value: expected value, or averageValue per pod"}},
		{"external with two targets", `{type: External, external: {metric: {name: m}, target: {type: Value, value: "1", averageValue: "1"}}}`, []string{
			".external.target.value: Forbidden: value and averageValue exclude each other"}},
		{"external with a selector that selects nothing", `{type: External, external: {metric: {name: m, selector: {matchExpressions: [{key: a, operator: Near}]}}, target: {type: Value, value: "1"}}}`, []string{
			`.external.metric.selector: Invalid value: "<error>": "Near" is not a valid label selector operator`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var want []string
			for _, w := range c.want {
				want = append(want, "spec.metrics[0]"+w)
			}
			assert.Equal(t, want, found(t, manifest(t, "{maxReplicas: 1, metrics: ["+c.metric+"]}")))
		})
	}
}

func TestDefaultsFillWhatIsMissing(t *testing.T) {
	given := manifest(t, `
maxReplicas: 3
behavior: {scaleUp: {tolerance: "0.2", policies: [{type: Pods, value: 1, periodSeconds: 60}]}, scaleDown: {selectPolicy: Min, stabilizationWindowSeconds: 5}}
`)
	untouched := given.DeepCopy()
	got := Defaults(given).Spec
	assert.Equal(t, untouched, given)
	assert.EqualValues(t, 1, *got.MinReplicas)
	assert.Equal(t, []autoscalingv2.MetricSpec{{Type: "Resource", Resource: &autoscalingv2.ResourceMetricSource{Name: "cpu",
		Target: autoscalingv2.MetricTarget{Type: "Utilization", AverageUtilization: ptr.To[int32](80)}}}}, got.Metrics)
	assert.Equal(t, &autoscalingv2.HorizontalPodAutoscalerBehavior{
		ScaleUp: &autoscalingv2.HPAScalingRules{
			StabilizationWindowSeconds: ptr.To[int32](0), SelectPolicy: ptr.To(autoscalingv2.MaxChangePolicySelect),
			Policies: []autoscalingv2.HPAScalingPolicy{{Type: "Pods", Value: 1, PeriodSeconds: 60}}, Tolerance: given.Spec.Behavior.ScaleUp.Tolerance},
		ScaleDown: &autoscalingv2.HPAScalingRules{
			StabilizationWindowSeconds: ptr.To[int32](5), SelectPolicy: ptr.To(autoscalingv2.MinChangePolicySelect),
			Policies: []autoscalingv2.HPAScalingPolicy{{Type: "Percent", Value: 100, PeriodSeconds: 15}}},
	}, got.Behavior)

	assert.Nil(t, Defaults(manifest(t, "maxReplicas: 3")).Spec.Behavior)
	empty := Defaults(manifest(t, "{maxReplicas: 3, behavior: {}}")).Spec.Behavior
	assert.Equal(t, ptr.To(defaultScaleUp()), empty.ScaleUp)
	assert.Equal(t, ptr.To(defaultScaleDown()), empty.ScaleDown)
}

func TestTheControllersWindowFillsABehaviorWithoutOne(t *testing.T) {
	c := DefaultController()
	c.DownscaleStabilization = time.Minute
	a, err := New(Spec{Manifest: manifest(t, "{maxReplicas: 3, behavior: {}}"), Controller: c})
	require.NoError(t, err)
	assert.Equal(t, time.Minute, a.behavior.down.window)
	assert.Zero(t, a.behavior.up.window)
}

func TestNewRefusesWhatCannotRun(t *testing.T) {
	_, err := New(Spec{Controller: Controller{Tolerance: math.NaN(), DownscaleStabilization: -1}})
	assert.EqualError(t, err, `manifest: found none, expected a HorizontalPodAutoscaler
controller.syncPeriod: found 0s, expected more than 0s
controller.tolerance: found NaN, expected a number of at least 0
controller.downscaleStabilization: found -1ns, expected at least 0s`)

	_, err = New(Spec{Manifest: manifest(t, "maxReplicas: 0"), Controller: DefaultController()})
	var invalid *messages.Invalid
	require.True(t, errors.As(err, &invalid))
	assert.Equal(t, "spec.maxReplicas", invalid.Field)
	assert.Equal(t, "Invalid value: 0: must be at least 1", invalid.Problem)
}
