package scenarios_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/scalelab/scalelab/scenarios"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// reference is docs/scenario.md, taken apart.
type reference struct {
	text      string
	examples  []string // yaml blocks: scenarios, or sections of one
	files     files    // blocks with a file name after the language
	spans     map[string]bool
	tableRows []string
}

var (
	fencedBlock = regexp.MustCompile("(?ms)^```(\\w+)(?: (\\S+))?\n(.*?)^```$")
	codeSpan    = regexp.MustCompile("`([^`\n]+)`")
)

func readReference(t *testing.T) reference {
	t.Helper()
	src, err := os.ReadFile("../docs/scenario.md")
	require.NoError(t, err)
	r := reference{text: string(src), files: files{}, spans: map[string]bool{}}
	for _, block := range fencedBlock.FindAllStringSubmatch(r.text, -1) {
		switch language, name, body := block[1], block[2], block[3]; {
		case name != "":
			r.files[name] = body
		case language == "yaml":
			r.examples = append(r.examples, body)
		}
	}
	prose := fencedBlock.ReplaceAllString(r.text, "")
	for _, span := range codeSpan.FindAllStringSubmatch(prose, -1) {
		r.spans[span[1]] = true
		r.spans[span[1][strings.LastIndex(span[1], ".")+1:]] = true // measure.from explains from
	}
	for _, line := range strings.Split(prose, "\n") {
		if strings.HasPrefix(line, "| ") {
			r.tableRows = append(r.tableRows, line)
		}
	}
	return r
}

// scenarioOf completes an example that shows one section.
func scenarioOf(example string) string {
	if strings.HasPrefix(example, "apiVersion:") {
		return example
	}
	src := "apiVersion: scalelab/v1alpha1\nkind: Scenario\nmetadata: {name: example}\n" + example
	if !strings.HasPrefix(example, "traffic:") {
		src += tail
	}
	if !strings.HasPrefix(example, "workload:") {
		src += "workload: {manifests: [k8s/deployment.yaml]}\n"
	}
	return src
}

func TestExamplesOfTheReferenceAreValid(t *testing.T) {
	r := readReference(t)
	complete := 0
	for _, example := range r.examples {
		if strings.HasPrefix(example, "apiVersion:") {
			complete++
		}
		_, err := scenarios.Parse("scenario.md", []byte(scenarioOf(example)), r.files.open)
		assert.NoError(t, err, example)
	}
	assert.Equal(t, 2, complete)
	assert.Greater(t, len(r.examples), 15)
}

func TestTheErrorsOfTheReferenceAreReal(t *testing.T) {
	r := readReference(t)
	problems := messagesOf(t, r.files["typo.yaml"], r.files)
	for i := range problems {
		problems[i] = strings.Replace(problems[i], "s.yaml:", "typo.yaml:", 1)
	}
	assert.Contains(t, r.text, "```text\n"+strings.Join(problems, "\n")+"\n```")
}

func TestTheReferenceNamesEverythingInTheSchema(t *testing.T) {
	r := readReference(t)
	var schema any
	require.NoError(t, json.Unmarshal(scenarios.Schema(), &schema))
	words := map[string]bool{}
	collectWords(schema, words)
	for _, known := range []string{"traffic", "podHour", "p2c", "initialReadinessDelay"} {
		require.True(t, words[known], "the schema is walked down to %s", known)
	}
	for _, word := range slices.Sorted(maps.Keys(words)) {
		assert.True(t, r.spans[word], "docs/scenario.md does not explain `%s`", word)
	}
}

// collectWords gathers the names of properties and the values of enums, at any
// depth.
func collectWords(schema any, words map[string]bool) {
	switch s := schema.(type) {
	case []any:
		for _, part := range s {
			collectWords(part, words)
		}
	case map[string]any:
		if properties, ok := s["properties"].(map[string]any); ok {
			for name, property := range properties {
				words[name] = true
				collectWords(property, words)
			}
		}
		if choices, ok := s["enum"].([]any); ok {
			for _, choice := range choices {
				words[fmt.Sprint(choice)] = true
			}
		}
		for key, part := range s {
			if key != "properties" && key != "enum" {
				collectWords(part, words)
			}
		}
	}
}

func TestTheReferenceStatesTheRealDefaults(t *testing.T) {
	r := readReference(t)
	resolved, err := parse(t, head+tail, nil).Resolved()
	require.NoError(t, err)
	var doc yaml.Node
	require.NoError(t, yaml.Unmarshal(resolved, &doc))
	checked := 0
	eachLeaf(doc.Content[0], "", func(path, key, value string) {
		switch section, _, _ := strings.Cut(path, "."); section {
		case "apiVersion", "kind", "metadata", "duration", "traffic":
			return // given, or made of what is given
		}
		checked++
		assert.True(t, slices.ContainsFunc(r.tableRows, func(row string) bool {
			return (strings.Contains(row, "`"+key+"`") || strings.Contains(row, "`"+path+"`")) && strings.Contains(row, "`"+value+"`")
		}), "docs/scenario.md has no row that gives %s the default `%s`", path, value)
	})
	assert.Greater(t, checked, 40)
}

// eachLeaf visits the scalars of a mapping, and distributions as a whole.
func eachLeaf(n *yaml.Node, path string, visit func(path, key, value string)) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i].Value, n.Content[i+1]
		below := strings.TrimPrefix(path+"."+key, ".")
		switch {
		case value.Kind == yaml.ScalarNode:
			visit(below, key, value.Value)
		case value.Kind == yaml.MappingNode && len(value.Content) > 0 && value.Content[0].Value == "dist":
			visit(below, key, distribution(value))
		case value.Kind == yaml.MappingNode && path == "metrics":
			visit(below, key, value.Content[1].Value)
		case value.Kind == yaml.MappingNode:
			eachLeaf(value, below, visit)
		}
	}
}

// distribution writes a distribution the way a person does.
func distribution(n *yaml.Node) string {
	if n.Content[1].Value == "constant" {
		return n.Content[3].Value
	}
	var parts []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		parts = append(parts, n.Content[i].Value+": "+n.Content[i+1].Value)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
