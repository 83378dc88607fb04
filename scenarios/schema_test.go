package scenarios_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/scenarios/strict"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"
)

func compiled(t require.TestingT) *jsonschema.Schema {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(scenarios.Schema()))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("scenario.json", doc))
	schema, err := compiler.Compile("scenario.json")
	require.NoError(t, err)
	assert.Equal(t, 7, schema.DraftVersion)
	return schema
}

// bySchema says what the schema makes of a file: an editor sees it as JSON.
func bySchema(t require.TestingT, schema *jsonschema.Schema, src string) error {
	root, problems := strict.Parse("s.yaml", []byte(src))
	require.Empty(t, problems)
	value, err := root.Value()
	require.NoError(t, err)
	raw, err := json.Marshal(value)
	require.NoError(t, err)
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	require.NoError(t, err)
	return schema.Validate(instance)
}

func TestSchemaIsDescribed(t *testing.T) {
	var schema map[string]any
	require.NoError(t, json.Unmarshal(scenarios.Schema(), &schema))
	assert.Equal(t, "http://json-schema.org/draft-07/schema#", schema["$schema"])
	properties := schema["properties"].(map[string]any)
	for name, property := range properties {
		assert.NotEmpty(t, property.(map[string]any)["description"], name)
	}
	assert.Equal(t, []any{"apiVersion", "kind", "metadata", "traffic"}, schema["required"])
	assert.NotContains(t, properties, "chaos")
}

func TestSchemaTakesWhatTheLoaderTakes(t *testing.T) {
	schema := compiled(t)
	valid := map[string]string{
		"everything":        full,
		"the least":         head + tail,
		"a bare duration":   head + tail + "lifecycle: {start: 1h30m, imagePull: 1.5s}",
		"every shape":       head + "traffic: [{name: a, for: 1m, ramp: {from: 1, to: 2}}, {name: b, for: 1m, sine: {mean: 5, amplitude: 2, period: 1m}}, {name: c, for: 1m, step: {from: 1, to: 2, at: 30s}}, {name: d, for: 2m, spike: {base: 1, peak: 9, at: 10s, hold: 5s}}, {name: e, for: 1m, rps: 0}, {name: f, for: 1m, users: {count: 3, thinkTime: {dist: exponential, mean: 2s}}}]",
		"every process":     head + "traffic: [{name: a, for: 1m, rps: 1, arrivals: poisson}, {name: b, for: 1m, rps: 1, arrivals: {process: gamma, cv: 2}}, {name: c, for: 1m, rps: 1, arrivals: {process: bursts, on: 1s, off: 9s}}]",
		"an oracle, listed": head + tail + "autoscalers: {oracle: {}, perfect: {oracle: true}}",
		"an oracle, twice":  head + tail + "autoscalers: {oracle: {oracle: true}}",
		"serverless":        head + tail + "autoscalers: {a: {serverless: {coldServiceTime: 2s}}, b: {serverless: {keepAlive: 0s, coldServiceTime: {dist: exponential, mean: 2s}, maxInstances: 7}}}",
		"inline manifests":  head + "workload:\n  manifests:\n    - k8s/service.yaml\n    - " + indent(deployment, "      ") + "\n" + tail,
		"one manifest":      head + "workload:\n  manifests:\n    " + indent(deployment, "    ") + "\n" + tail,
		"anchors":           head + "traffic: [&p {name: a, for: 1m, rps: 1}, {<<: *p, name: b}]",
		"a local instant":   head + tail + "start: 2026-01-05T01:00:00.5+01:00",
		"an exponent":       head + tail + "seed: 1e3",
		"a fleet":           head + tail + "fleet: {services: 10}",
		"a fleet by a law":  head + tail + "fleet: {services: 10, popularity: {law: lognormal, cv: 3}}",
		"a shared CPU":      head + tail + "workload: {perPod: {discipline: ps, cores: 1.5}}\nlifecycle: {warmUp: {for: 30s, slowdown: 3}}",
	}
	for _, name := range scenarios.Names() {
		src, err := scenarios.Source(name)
		require.NoError(t, err)
		assert.NoError(t, bySchema(t, schema, string(src)), name)
		s, err := scenarios.Load(name)
		require.NoError(t, err)
		resolved, err := s.Resolved()
		require.NoError(t, err)
		assert.NoError(t, bySchema(t, schema, string(resolved)), name)
	}
	for name, src := range valid {
		t.Run(name, func(t *testing.T) {
			_, err := scenarios.Parse("s.yaml", []byte(src), fullShop().open)
			require.NoError(t, err)
			assert.NoError(t, bySchema(t, schema, src))
		})
	}
}

func indent(text, by string) string {
	return strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n"+by)
}

func TestSchemaRefusesWhatTheLoaderRefuses(t *testing.T) {
	schema := compiled(t)
	for name, src := range map[string]string{
		"an unknown key":           head + tail + "sed: 1",
		"an unknown key, deep":     head + tail + "workload: {perPod: {concurency: 1}}",
		"a wrong type":             head + tail + "seed: many",
		"a list for a mapping":     head + tail + "workload: []",
		"a mapping for a list":     head + "traffic: {name: a, for: 1m, rps: 1}",
		"nothing":                  head + tail + "workload:",
		"a bad choice":             head + tail + "workload: {routing: {policy: randm}}",
		"too little CPU":           head + tail + "workload: {perPod: {discipline: ps, cores: 0}}",
		"half a warm-up":           head + tail + "lifecycle: {warmUp: {slowdown: 3}}",
		"a bad choice, short form": head + "traffic: [{name: a, for: 1m, rps: 1, arrivals: poison}]",
		"a bad kind":               strings.Replace(head, "Scenario", "Scenaro", 1) + tail,
		"no traffic":               head,
		"no name":                  strings.Replace(head, "{name: bad}", "{}", 1) + tail,
		"a bad name":               strings.Replace(head, "name: bad", "name: B_ad", 1) + tail,
		"a negative duration":      head + tail + "duration: -5s",
		"a duration without unit":  head + tail + "duration: 30",
		"a duration in days":       head + tail + "duration: 2d",
		"a bad distribution":       head + tail + "lifecycle: {start: fast}",
		"a distribution, unknown":  head + tail + "lifecycle: {start: {dist: normal}}",
		"a distribution without":   head + tail + "lifecycle: {start: {mean: 1s}}",
		"a ramp without end":       head + "traffic: [{name: a, for: 1m, ramp: {from: 1}}]",
		"two shapes":               head + "traffic: [{name: a, for: 1m, rps: 1, ramp: {from: 1, to: 2}}]",
		"users without a thought":  head + "traffic: [{name: a, for: 1m, users: {count: 1}}]",
		"no shape":                 head + "traffic: [{name: a, for: 1m}]",
		"a huge number":            head + "traffic: [{name: a, for: 1m, rps: 1e300}]",
		"a negative seed":          head + tail + "seed: -1",
		"a fraction":               head + tail + "seed: 1.5",
		"too many replicas":        head + tail + "workload: {replicas: 100001}",
		"a negative price":         head + tail + "cost: {podHour: -1}",
		"no price of a pod":        head + tail + "cost: {lostRequest: 1}",
		"two prices of a pod":      head + tail + "cost: {podHour: 1, vcpuHour: 1, gibHour: 1}",
		"a price and a half":       head + tail + "cost: {podHour: 1, gibHour: 1}",
		"cores without memory":     head + tail + "cost: {vcpuHour: 1}",
		"late without a price":     head + tail + "cost: {podHour: 1, lateRequest: {after: 1s}}",
		"a date":                   head + tail + "start: 2026-01-05",
		"an autoscaler of nothing": head + tail + "autoscalers: {a: {}}",
		"an autoscaler of two":     head + tail + "autoscalers: {a: {replicas: 1, oracle: true}}",
		"a patch of nothing":       head + tail + "autoscalers: {a: {replicas: 1, patch: {}}}",
		"an oracle with settings":  head + tail + "autoscalers: {oracle: {replicas: 1}}",
		"serverless and a count":   head + tail + "autoscalers: {a: {replicas: 1, serverless: {coldServiceTime: 2s}}}",
		"serverless of nothing":    head + tail + "autoscalers: {a: {serverless: {}}}",
		"no instance":              head + tail + "autoscalers: {a: {serverless: {coldServiceTime: 2s, maxInstances: 0}}}",
		"an odd name":              head + tail + "autoscalers: {a b: {replicas: 1}}",
		"manifests, a path":        head + tail + "workload: {manifests: m.yaml}",
		"manifests, none":          head + tail + "workload: {manifests: []}",
		"manifests, a number":      head + tail + "workload: {manifests: [3]}",
		"a later section":          head + tail + "chaos: []",
		"a fleet of nobody":        head + tail + "fleet: {services: 0}",
		"a fleet of no size":       head + tail + "fleet: {}",
		"a fleet by no law":        head + tail + "fleet: {services: 3, popularity: {exponent: 1}}",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := scenarios.Parse("s.yaml", []byte(src), fullShop().open)
			assert.Error(t, err, "the loader")
			assert.Error(t, bySchema(t, schema, src), "the schema")
		})
	}
}

// Whatever the schema refuses the loader refuses; and what the loader finds
// wrong with keys and types, the schema finds too.
func TestSchemaAndLoaderAgreeOnMutations(t *testing.T) {
	schema := compiled(t)
	sources := []string{full}
	for _, name := range scenarios.Names() {
		src, err := scenarios.Source(name)
		require.NoError(t, err)
		sources = append(sources, string(src))
	}
	rapid.Check(t, func(t *rapid.T) {
		var doc yaml.Node
		require.NoError(t, yaml.Unmarshal([]byte(rapid.SampledFrom(sources).Draw(t, "source")), &doc))
		mutate(t, doc.Content[0])
		src, err := yaml.Marshal(&doc)
		require.NoError(t, err)
		if _, problems := strict.Parse("s.yaml", src); len(problems) > 0 {
			return // a doubled key, say: no editor could show the file either
		}
		_, err = scenarios.Parse("s.yaml", src, fullShop().open)
		bySchema := bySchema(t, schema, string(src))
		if bySchema != nil {
			require.Error(t, err, "the schema says %v of\n%s", bySchema, src)
		}
		if wrong := scenarios.Shape(src); len(wrong) > 0 {
			require.Error(t, err)
			require.Error(t, bySchema, "the decoder says %v of\n%s", wrong, src)
		}
	})
}

// mutate renames a key or changes the type of a value somewhere.
func mutate(t *rapid.T, root *yaml.Node) {
	var mappings []*yaml.Node
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		if n.Kind == yaml.MappingNode && len(n.Content) > 0 {
			mappings = append(mappings, n)
		}
		for _, part := range n.Content {
			walk(part)
		}
	}
	walk(root)
	m := rapid.SampledFrom(mappings).Draw(t, "mapping")
	i := 2 * rapid.IntRange(0, len(m.Content)/2-1).Draw(t, "entry")
	key, value := m.Content[i], m.Content[i+1]
	switch rapid.SampledFrom([]string{"rename", "drop", "type", "add"}).Draw(t, "change") {
	case "rename":
		key.Value = rapid.SampledFrom([]string{key.Value + "x", strings.ToUpper(key.Value), "name", "dist", "rps"}).Draw(t, "key")
	case "drop":
		m.Content = slices.Delete(m.Content, i, i+2)
	case "add":
		m.Content = append(m.Content, scalar("extra"), scalar("1"))
	case "type":
		*value = *rapid.SampledFrom([]*yaml.Node{
			scalar("true"), scalar("-1"), scalar("1.5"), scalar("text"), scalar("30s"), scalar("-30s"), scalar("null"), scalar("1e300"),
			{Kind: yaml.SequenceNode}, {Kind: yaml.MappingNode},
		}).Draw(t, "value")
	}
}

func scalar(text string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: text} }

// Alone, without what values mean, both must agree exactly.
func TestSchemaAndDecoderAgreeExactly(t *testing.T) {
	type shapes struct {
		Whole  int32    `yaml:"whole" min:"-5" max:"5"`
		Any    uint8    `yaml:"any"`
		Number float64  `yaml:"number"`
		Text   string   `yaml:"text" enum:"a|b"`
		Texts  []string `yaml:"texts" pattern:"^x+$"`
		Flag   bool     `yaml:"flag"`
		Inner  *struct {
			A int8 `yaml:"a"`
		} `yaml:"inner,omitempty"`
		Table map[string]float64   `yaml:"table,omitempty"`
		Order strict.Ordered[bool] `yaml:"order,omitempty"`
	}
	raw, err := strict.Schema(reflect.TypeFor[shapes](), strict.SchemaOptions{ID: "https://example.com/s.json", Title: "shapes"})
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("shapes.json", doc))
	schema, err := compiler.Compile("shapes.json")
	require.NoError(t, err)
	value := rapid.SampledFrom([]string{"0", "-5", "-6", "7", "255", "256", "1.5", "2.0", "1e2", "1e300", "true", "a", "c", "xx", "null", "[]", "[xx]", "[x, y]", "{}", "{a: 1}", "{a: true}", "{a: 300}", `"7"`, "3000000000"})
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SampledFrom([]string{"whole", "any", "number", "text", "texts", "flag", "inner", "table", "order", "other"})
		src := ""
		for _, k := range rapid.SliceOfNDistinct(key, 1, 3, rapid.ID).Draw(t, "keys") {
			src += k + ": " + value.Draw(t, k) + "\n"
		}
		root, problems := strict.Parse("s", []byte(src))
		require.Empty(t, problems)
		var into shapes
		problems = strict.Decode(root, &into, strict.Options{})
		verdict := bySchema(t, schema, src)
		require.Equal(t, len(problems) == 0, verdict == nil, "%s: decoder: %v, schema: %v", src, problems, verdict)
	})
}
