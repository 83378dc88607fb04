package scenarios

import (
	"reflect"
	"strings"

	"github.com/scalelab/scalelab/scenarios/strict"
	"github.com/scalelab/scalelab/sim"
	"github.com/scalelab/scalelab/sim/metrics"
	"github.com/scalelab/scalelab/sim/traffic"
)

// Schema is the JSON Schema (draft-07) of scenarios, for editors. It is made of
// the same types and tags as the loader. What only the loader checks are the
// contents of manifests, limits of single values, and what several values mean
// together.
func Schema() []byte {
	schema, err := strict.Schema(reflect.TypeFor[Document](), strict.SchemaOptions{
		Options: options,
		ID:      "https://scalelab.dev/schema/v1alpha1/scenario.json",
		Title:   "scalelab scenario",
		Extra: map[reflect.Type]map[string]any{
			reflect.TypeFor[Autoscaler](): {"oneOf": exactlyOne("manifests", "annotations", "replicas", "oracle", "serverless", "extends"), "dependencies": map[string]any{
				"containerConcurrency": []any{"annotations"},
				"patch":                []any{"extends"}, "extends": anyRequired("patch", "behaviour"), "behaviour": anyRequired("manifests", "extends"),
			}},
			reflect.TypeFor[metrics.Phase](): {"pattern": "^(aligned|random|" + strings.Trim(strict.DurationPattern, "^$") + ")$"},
			reflect.TypeFor[[]Assertion]():   {"maxItems": maxAssertions},
			reflect.TypeFor[sim.Prices](): {"oneOf": []any{map[string]any{"required": []any{"podHour"}}, map[string]any{"required": []any{"vcpuHour", "gibHour"}}}, "dependencies": map[string]any{
				"vcpuHour": []any{"gibHour"}, "gibHour": []any{"vcpuHour"},
			}},
			reflect.TypeFor[sim.Fault]():                  {"oneOf": exactlyOne(sim.Kinds()...)},
			reflect.TypeFor[traffic.Phase]():              {"oneOf": exactlyOne("rps", "ramp", "sine", "step", "spike", "trace", "users")},
			reflect.TypeFor[strict.Ordered[Autoscaler]](): {"properties": map[string]any{oracle: theOracle()}, "propertyNames": map[string]any{"pattern": strategyNamePattern}, "maxProperties": maxAutoscalers},
		},
	})
	if err != nil {
		panic("scenarios: the schema cannot be written: " + err.Error())
	}
	return append(schema, '\n')
}

// exactlyOne lets one of several keys be given.
func exactlyOne(keys ...string) []any {
	list := make([]any, len(keys))
	for i, key := range keys {
		list[i] = map[string]any{"required": []any{key}}
	}
	return list
}

// theOracle takes no settings.
func theOracle() map[string]any {
	return map[string]any{
		"type":                 "object",
		"additionalProperties": false,
		"properties":           map[string]any{"oracle": map[string]any{"const": true}},
		"description":          "the oracle takes no settings",
	}
}

// anyRequired is a schema that wants at least one of the keys.
func anyRequired(keys ...string) map[string]any {
	var options []any
	for _, key := range keys {
		options = append(options, map[string]any{"required": []any{key}})
	}
	return map[string]any{"anyOf": options}
}
