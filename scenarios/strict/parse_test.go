package strict_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/scalelab/scalelab/scenarios/strict"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bomb is the billion laughs: nine levels of nine aliases.
func bomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 9; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), ", "))
	}
	return b.String()
}

func TestParseSays(t *testing.T) {
	for name, c := range map[string]struct{ src, want string }{
		"an empty file":       {"", "f:1:1: found an empty file, expected a YAML document"},
		"only comments":       {"# nothing\n", "f:1:1: found an empty file, expected a YAML document"},
		"only a null":         {"~", "f:1:1: found an empty file, expected a YAML document"},
		"two documents":       {"a: 1\n---\nb: 2\n", "f:3:1: found 2 documents, expected one"},
		"broken syntax":       {"a: 1\nb: [1, 2\nc: 3\n", "f:2:1: found broken syntax, expected valid YAML: did not find expected ',' or ']'"},
		"a tab":               {"a:\n\tb: 1\n", "f:2:1: found broken syntax, expected valid YAML: found character that cannot start any token"},
		"an unknown anchor":   {"a: *b", "f:1:1: found broken syntax, expected valid YAML: unknown anchor 'b' referenced"},
		"a doubled key":       {"a: 1\nb: 2\na: 3\n", "f:3:1: a: found the key twice, first in line 1, expected it once"},
		"a mapping as a key":  {"a: {[1]: 2}", "f:1:5: a: found a key that is no text, expected a name"},
		"a null as a key":     {"~: 2", "f:1:1: found a key that is no text, expected a name"},
		"a custom tag":        {"a: !secret b", "f:1:4: a: found the tag !secret, expected none"},
		"binary":              {"a: !!binary aGk=", "f:1:4: a: found the tag !!binary, expected none"},
		"an alias bomb":       {bomb(), "f:6:10: a5[0]: found aliases that expand to more than 100000 values, expected fewer"},
		"an alias in itself":  {"a: &a [*a]", "f:1:8: a[0][0]: found alias *a inside its own anchor, expected no cycle"},
		"a merge of a scalar": {"a: {<<: 1}", `f:1:9: a["<<"]: found 1, expected a mapping to merge`},
		"too deep":            {strings.Repeat("[", 80) + strings.Repeat("]", 80), "f:1:66: " + strings.Repeat("[0]", 65) + ": found more than 64 levels of nesting, expected fewer"},
		"too many values":     {"[" + strings.Repeat("1,", strict.MaxNodes) + "]", "f:1:199998: [99998]: found more than 100000 values, expected fewer"},
		"too large":           {strings.Repeat("#", strict.MaxBytes+1), "f:1:1: found a file of 1048577 bytes, expected at most 1048576"},
		"invalid UTF-8":       {"a: \xff", "f:1:1: found broken syntax, expected valid YAML: invalid leading UTF-8 octet"},
	} {
		t.Run(name, func(t *testing.T) {
			root, problems := strict.Parse("f", []byte(c.src))
			assert.Nil(t, root)
			require.Len(t, problems, 1)
			assert.Equal(t, c.want, problems[0].Error())
		})
	}
}

func TestAnchorsAndMergeKeys(t *testing.T) {
	root, problems := strict.Parse("f", []byte(`
base: &base {a: 1, b: 2}
other: &other {b: 9, c: 3}
one: {<<: *base, b: 5}
two: {<<: [*base, *other]}
three: *base
`))
	require.Empty(t, problems)
	value, err := root.Value()
	require.NoError(t, err)
	assert.Equal(t, map[string]any{
		"base":  map[string]any{"a": int64(1), "b": int64(2)},
		"other": map[string]any{"b": int64(9), "c": int64(3)},
		"one":   map[string]any{"a": int64(1), "b": int64(5)},
		"two":   map[string]any{"a": int64(1), "b": int64(2), "c": int64(3)},
		"three": map[string]any{"a": int64(1), "b": int64(2)},
	}, value)
	assert.Equal(t, "one.a", root.Locate("one.a").Path())
	assert.Equal(t, 2, root.Locate("one.a").Line, "where the value is written")
}

func TestDocumentsOfAFile(t *testing.T) {
	roots, problems := strict.ParseAll("f", []byte("a: 1\n---\n---\nb: 2\n"))
	require.Empty(t, problems)
	require.Len(t, roots, 2)
	assert.Equal(t, []string{"b"}, roots[1].Keys())
	assert.Equal(t, 4, roots[1].Line)
}

func TestLocate(t *testing.T) {
	root, problems := strict.Parse("f", []byte("a:\n  - b: 1\n    x.y/z: 2\n"))
	require.Empty(t, problems)
	for path, want := range map[string]string{
		"":               "f:1:1 ",
		"a[0].b":         "f:2:8 a[0].b",
		"a[0][x.y/z]":    `f:3:12 a[0]["x.y/z"]`,
		`a[0]["x.y/z"]`:  `f:3:12 a[0]["x.y/z"]`,
		"a[0].missing.m": "f:2:5 a[0].missing.m",
		"a[7].b":         "f:2:3 a[7].b",
		"a[0].b.c":       "f:2:8 a[0].b.c",
		"not..a path":    "f:1:1 not..a path",
		`a["open`:        `f:1:1 a["open`,
		"a[]":            "f:1:1 a[]",
		"a[0]b":          "f:1:1 a[0]b",
	} {
		at := root.Locate(path)
		assert.Equal(t, want, at.Position.String()+" "+at.Path(), path)
	}
}

func TestSet(t *testing.T) {
	for name, c := range map[string]struct{ assignment, want string }{
		"a scalar":             {"a.b=5", `{"a":{"b":5,"l":[1,2]}}`},
		"a list item":          {"a.l[1]=x", `{"a":{"b":1,"l":[1,"x"]}}`},
		"a new key":            {"a.new={c: 1}", `{"a":{"b":1,"l":[1,2],"new":{"c":1}}}`},
		"a new mapping":        {"m.n.o=1s", `{"a":{"b":1,"l":[1,2]},"m":{"n":{"o":"1s"}}}`},
		"a key with dots":      {`a["x.y/z"]=1`, `{"a":{"b":1,"l":[1,2],"x.y/z":1}}`},
		"a value with a sign":  {"a.b=x=y", `{"a":{"b":"x=y","l":[1,2]}}`},
		"a whole mapping":      {"a={}", `{"a":{}}`},
		"without a value":      {"a.b", "--set:3:1: found a.b, expected path=value, such as traffic[0].rps=120"},
		"without a path":       {"=5", "--set:3:1: found =5, expected path=value, such as traffic[0].rps=120"},
		"nothing as value":     {"a.b=", `--set:3:5: found "", expected a YAML value`},
		"broken value":         {"a.b=[1", "--set:3:5: found [1, expected a YAML value"},
		"doubled key in value": {"a.b={c: 1, c: 2}", "--set:3:5: c: found the key twice, first in line 1, expected it once"},
		"an index too large":   {"a.l[2]=1", "--set:3:1: a.l: found index 2, expected less than 2"},
		"a key for a list":     {"a.l.x=1", "--set:3:1: a.l: found the key x for a list, expected an index such as [0]"},
		"below a scalar":       {"a.b.c=1", "--set:3:1: a.b: found 1, expected a mapping to set c in"},
		"far below a scalar":   {"a.b.c.d=1", "--set:3:1: a.b: found 1, expected a mapping to set c in"},
		"a bad path":           {"a..b=1", "--set:3:1: found a..b=1, expected path=value, such as traffic[0].rps=120"},
	} {
		t.Run(name, func(t *testing.T) {
			root, problems := strict.Parse("f", []byte("a: {b: 1, l: [1, 2]}"))
			require.Empty(t, problems)
			if problems := root.Set(c.assignment, "--set", 3); len(problems) > 0 {
				assert.Equal(t, c.want, problems.Error())
				return
			}
			assert.JSONEq(t, c.want, asJSON(t, root))
		})
	}
}

func TestSetSaysWhereAValueStands(t *testing.T) {
	root, problems := strict.Parse("f", []byte("a: 1"))
	require.Empty(t, problems)
	require.Empty(t, root.Set("b.c={d: [1, x]}", "--set", 2))
	at := root.Locate("b.c.d[1]")
	assert.Equal(t, "--set:2:13 b.c.d[1]", at.Position.String()+" "+at.Path())
}
