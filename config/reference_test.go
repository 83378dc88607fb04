package config_test

import (
	"flag"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/scalelab/scalelab/config"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite testdata/reference.md")

// TestReferenceSaysWhatTheTagsSay walks the structs on its own, so that a field
// without a row, and a row without a field, are found.
func TestReferenceSaysWhatTheTagsSay(t *testing.T) {
	for _, c := range []struct {
		of        any
		reference string
		fields    int
	}{{config.Config{}, config.Reference(), 17}, {config.ResolverConfig{}, config.ResolverReference(), 25}} {
		rows := strings.Split(strings.TrimSpace(c.reference), "\n")[2:]
		leaves := leavesOf(reflect.TypeOf(c.of), "", "")
		require.Len(t, rows, c.fields)
		require.Len(t, leaves, c.fields)
		names := map[string]bool{}
		for i, leaf := range leaves {
			cells := strings.Split(strings.Trim(rows[i], "| "), " | ")
			require.Len(t, cells, 5, rows[i])
			assert.Equal(t, "`"+leaf.variable+"`", cells[0])
			assert.Equal(t, "`"+leaf.key+"`", cells[1])
			assert.Equal(t, leaf.fallback, cells[2])
			assert.Equal(t, leaf.doc, cells[3])
			assert.NotEmpty(t, leaf.doc, leaf.variable)
			assert.NotEmpty(t, cells[4], leaf.variable)
			assert.Regexp(t, "^[A-Z][A-Z_]+$", leaf.variable)
			assert.Regexp(t, "^[a-z][A-Za-z.]+$", leaf.key)
			assert.False(t, names[leaf.variable] || names[leaf.key], leaf.variable)
			names[leaf.variable], names[leaf.key] = true, true
		}
	}
}

type leaf struct{ variable, key, fallback, doc string }

func leavesOf(t reflect.Type, variables, keys string) []leaf {
	var leaves []leaf
	for i := range t.NumField() {
		f := t.Field(i)
		switch {
		case f.Name == "Warnings":
		case f.Anonymous:
			leaves = append(leaves, leavesOf(f.Type, variables, keys)...)
		case f.Tag.Get("is") == "":
			leaves = append(leaves, leavesOf(f.Type, variables+f.Tag.Get("env"), keys+f.Tag.Get("yaml")+".")...)
		default:
			fallback, optional := f.Tag.Lookup("default")
			switch {
			case !optional:
				fallback = "must be set"
			case fallback == "":
				fallback = "none"
			default:
				fallback = "`" + fallback + "`"
			}
			leaves = append(leaves, leaf{variables + f.Tag.Get("env"), keys + f.Tag.Get("yaml"), fallback, f.Tag.Get("doc")})
		}
	}
	return leaves
}

func TestReferenceIsTheOneOnFile(t *testing.T) {
	got := "Operator\n\n" + config.Reference() + "\nResolver\n\n" + config.ResolverReference()
	if *update {
		require.NoError(t, os.WriteFile("testdata/reference.md", []byte(got), 0o600))
	}
	want, err := os.ReadFile("testdata/reference.md")
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

// TestVariablesAreKubeElastis holds the names against KubeElasti's, written down
// here a second time.
func TestVariablesAreKubeElastis(t *testing.T) {
	shared := append(slices.Sorted(func(yield func(string) bool) {
		for name := range required {
			if !yield(name) {
				return
			}
		}
	}), "KUBECONFIG", "LOG_LEVEL", "LOG_FORMAT", "LOG_ERROR_FILE")
	operator := []string{"POLLING_INTERVAL", "PROMETHEUS_TRIGGER_SERVER_ADDRESS", "PROMETHEUS_TRIGGER_AUTHORIZATION_HEADER"}
	resolver := []string{"MAX_IDLE_PROXY_CONNS", "MAX_IDLE_PROXY_CONNS_PER_HOST", "REQ_TIMEOUT", "TRAFFIC_RE_ENABLE_DURATION",
		"TRAFFIC_DISABLE_GRACE_DURATION", "OPERATOR_RETRY_DURATION", "QUEUE_RETRY_DURATION", "QUEUE_SIZE", "MAX_QUEUE_CONCURRENCY",
		"INITIAL_CAPACITY", "HEADER_FOR_HOST"}
	assert.ElementsMatch(t, append(operator, shared...), variablesIn(config.Reference()))
	assert.ElementsMatch(t, append(resolver, shared...), variablesIn(config.ResolverReference()))
}

func variablesIn(reference string) []string {
	var names []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Z_]+)`").FindAllStringSubmatch(reference, -1) {
		names = append(names, row[1])
	}
	return names
}
