package strict_test

import (
	"encoding/json"
	"testing"

	"github.com/scalelab/scalelab/scenarios/strict"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func asJSON(t *testing.T, n *strict.Node) string {
	t.Helper()
	value, err := n.Value()
	require.NoError(t, err)
	raw, err := json.Marshal(value)
	require.NoError(t, err)
	return string(raw)
}

// The cases of RFC 7386, appendix A, whose documents are objects.
func TestMerge(t *testing.T) {
	for _, c := range []struct{ base, patch, want string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`{"a":"foo"}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
		{`{"e":null}`, `{"a":1}`, `{"e":null,"a":1}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
	} {
		base, problems := strict.Parse("base", []byte(c.base))
		require.Empty(t, problems)
		patch, problems := strict.Parse("patch", []byte(c.patch))
		require.Empty(t, problems)
		assert.JSONEq(t, c.want, asJSON(t, strict.Merge(base, patch)), "%s with %s", c.base, c.patch)
		assert.JSONEq(t, c.base, asJSON(t, base), "the base stays as it is")
	}
}

func TestMergeKeepsPositions(t *testing.T) {
	base, problems := strict.Parse("base", []byte("spec:\n  a: 1\n  b: 2\n"))
	require.Empty(t, problems)
	patch, problems := strict.Parse("patch", []byte("p: {spec: {b: 3, c: {d: 4}}}"))
	require.Empty(t, problems)
	merged := strict.Merge(base, patch.Get("p"))
	for path, want := range map[string]string{
		"spec.a":   "base:2:6 spec.a",
		"spec.b":   "patch:1:15 p.spec.b",
		"spec.c.d": "patch:1:25 p.spec.c.d",
		"spec.e":   "base:2:3 spec.e",
	} {
		at := merged.Locate(path)
		assert.Equal(t, want, at.Position.String()+" "+at.Path())
	}
}
