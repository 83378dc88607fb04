package hpa

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/scalelab/scalelab/messages"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
)

func found(t *testing.T, m *autoscalingv2.HorizontalPodAutoscaler) (list []string) {
	for _, e := range Validate(m) {
		list = append(list, e.Error())
	}
	return list
}

// kindsAndFields has each kind of error that a field has, once, sorted.
func kindsAndFields(t *testing.T, errs field.ErrorList) (list []string) {
	names := map[field.ErrorType]string{field.ErrorTypeRequired: "Required", field.ErrorTypeInvalid: "Invalid",
		field.ErrorTypeNotSupported: "NotSupported", field.ErrorTypeForbidden: "Forbidden"}
	for _, e := range errs {
		require.Contains(t, names, e.Type)
		list = append(list, names[e.Type]+" "+e.Field)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func TestValidateLimits(t *testing.T) {
	for _, c := range []struct {
		name, spec string
		want       []string
	}{
		{"the least there can be", "maxReplicas: 1", nil},
		{"no maximum", "{}", []string{
			"spec.maxReplicas: Required value: expected at least 1",
			"spec.maxReplicas: Invalid value: 0: must be at least minReplicas, which is 1"}},
		{"a maximum below zero", "{maxReplicas: -1}", []string{
			"spec.maxReplicas: Invalid value: -1: must be at least 1",
			"spec.maxReplicas: Invalid value: -1: must be at least minReplicas, which is 1"}},
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

func TestAMissingMaximumIsInvalidInOlderVersions(t *testing.T) {
	for version, kind := range map[Version]string{"1.33": "Invalid", "1.35": "Invalid", "1.36": "Required", "1.37": "Required"} {
		errs := version.Validate(manifest(t, "{}"))
		assert.Equal(t, kind+" spec.maxReplicas", kindsAndFields(t, errs[:1])[0], version)
		assert.Equal(t, []string{"Invalid spec.maxReplicas"}, kindsAndFields(t, errs[1:]), version)
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
		{"no type", "{}", []string{
			".type: Required value: expected one of Object, External, Pods, Resource, ContainerResource",
			`.type: Unsupported value: "": supported values: "Object", "External", "Pods", "Resource", "ContainerResource"`}},
		{"unknown type", "{type: Cpu}", []string{`.type: Unsupported value: "Cpu": supported values: "Object", "External", "Pods", "Resource", "ContainerResource"`}},
		{"the source is missing", "{type: Resource}", []string{".resource: Required value: the type says Resource"}},
		{"another source is there", `{type: Pods, pods: {metric: {name: m}, target: {type: AverageValue, averageValue: "1"}}, resource: {name: cpu, target: {type: Utilization, averageUtilization: 1}}}`, []string{
			".resource: Forbidden: only the source that the type names may be given"}},
		{"only another source is there", `{type: Pods, resource: {name: cpu, target: {type: Utilization, averageUtilization: 0}}}`, []string{
			".resource.target.averageUtilization: Invalid value: 0: must be at least 1",
			".pods: Required value: the type says Pods"}},
		{"of several sources only the first is looked into", `{type: Resource, resource: {}, pods: {metric: {name: m}, target: {type: AverageValue}}, external: {metric: {name: m}, target: {type: Value, value: "0"}}}`, []string{
			`.external.target.value: Invalid value: "0": must be more than 0`,
			".external: Forbidden: only the source that the type names may be given",
			".pods: Forbidden: only the source that the type names may be given"}},
		{"a type without a source among several", `{type: Object, resource: {name: cpu, target: {type: Utilization, averageUtilization: 1}}, containerResource: {}}`, []string{
			".object: Required value: the type says Object",
			".resource: Forbidden: only the source that the type names may be given",
			".containerResource: Forbidden: only the source that the type names may be given"}},
		{"an unknown type with one source", `{type: Cpu, resource: {name: cpu, target: {type: Utilization, averageUtilization: 1}}}`, []string{
			`.type: Unsupported value: "Cpu": supported values: "Object", "External", "Pods", "Resource", "ContainerResource"`}},
		{"resource without name and target", "{type: Resource, resource: {}}", []string{
			".resource.name: Required value: expected the name of a resource",
			".resource.target.type: Required value: expected Utilization, Value or AverageValue",
			`.resource.target.type: Invalid value: "": must be Utilization, Value or AverageValue`,
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
		{"external without target", "{type: External, external: {metric: {name: m}, target: {type: Value}}}", []string{
			".external.target.averageValue: Required value: expected value, or averageValue per pod"}},
		{"external with two targets", `{type: External, external: {metric: {name: m}, target: {type: Value, value: "1", averageValue: "1"}}}`, []string{
			".external.target.value: Forbidden: value and averageValue exclude each other"}},
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

func TestValidateContainerResourceNames(t *testing.T) {
	domain := strings.Repeat(strings.Repeat("a", 60)+".", 3) + strings.Repeat("a", 61) // 244 characters, 253 in a quota
	for name, want := range map[string]string{
		"cpu": "", "memory": "", "ephemeral-storage": "", "hugepages-2Mi": "", "vendor.example/gpu": "", "kubernetes.io/batteries": "",
		"requests.kubernetes.io/cpu": "", // whatever is of kubernetes.io
		domain + "/x":                "",
		"pods":                       `Invalid value: "pods": must be a standard resource of containers, or fully qualified`,
		"requests.cpu":               `Invalid value: "requests.cpu": must be a standard resource of containers, or fully qualified`,
		"requests.vendor.example/x":  `Invalid value: "requests.vendor.example/x": must not start with requests., as in a quota`,
	} {
		m := manifest(t, "{maxReplicas: 1, metrics: [{type: ContainerResource, containerResource: {name: '"+name+"', container: web, target: {type: Utilization, averageUtilization: 1}}}]}")
		errs := Validate(m)
		if want == "" {
			assert.Empty(t, errs, name)
			continue
		}
		require.Len(t, errs, 1)
		assert.Equal(t, "spec.metrics[0].containerResource.name: "+want, errs[0].Error())
	}
	for _, name := range []string{"a/b/c", "-cpu", "hugepages-", domain + "a/x"} {
		m := manifest(t, "{maxReplicas: 1, metrics: [{type: ContainerResource, containerResource: {name: '"+name+"', container: web, target: {type: Utilization, averageUtilization: 1}}}]}")
		assert.Equal(t, []string{"Invalid spec.metrics[0].containerResource.name"}, kindsAndFields(t, Validate(m)), name)
	}
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
	assert.Equal(t, "Required value: expected at least 1", invalid.Problem)
}
