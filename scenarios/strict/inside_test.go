package strict_test

import (
	"strings"
	"testing"

	"github.com/scalelab/scalelab/scenarios/strict"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestInside looks for the ä of a text, which stands once in the file.
func TestInside(t *testing.T) {
	for name, src := range map[string]string{
		"plain":               "key: one two ä three\n",
		"plain over lines":    "key: one\n  two  \n\n  ü   ä three\n",
		"in a list":           "key: [x, one two ä]\nother: y\n",
		"single quotes":       "key: 'it''s one '' ''ä'''\n",
		"double quotes":       `key: "one \"two\" \\ \u0041 \x41\U00000041ä"` + "\n",
		"escaped white space": `key: "one\ttwo\n\_  ä"` + "\n",
		"escaped line break":  "key: \"one\\\n   two \\\n   ä\"\n",
		"folded quotes":       "key: \"one\n   two\n\n   \\\"ä\"\n",
		"literal":             "key: |\n  one\n    two ä\n",
		"folded":              "key: >-  # comment\n  one\n  two\n\n  ä\n",
		"windows":             "key: >\r\n  one\r\n  two ä\r\n",
		"anchor and tag":      "key: &a !!str \"one ä\"\n",
		"multi-byte":          "key: öß 世界 ä\n",
		"first":               "key: \"ä\"\n",
	} {
		t.Run(name, func(t *testing.T) {
			root, problems := strict.Parse("s.yaml", []byte(src))
			require.Empty(t, problems)
			value := root.Get("key")
			if value.Kind == strict.List {
				value = value.Items[1]
			}
			offset := strings.Index(value.Text, "ä")
			require.GreaterOrEqual(t, offset, 0)
			before := src[:strings.Index(src, "ä")]
			line := before[strings.LastIndex(before, "\n")+1:]
			assert.Equal(t, strict.Position{File: "s.yaml", Line: 1 + strings.Count(before, "\n"), Column: 1 + len([]rune(line))},
				strict.Inside([]byte(src), value, offset))
		})
	}
}

func TestInsideAtTheEnd(t *testing.T) {
	src := "key: \"one two\"\nmore: x\n"
	root, problems := strict.Parse("s.yaml", []byte(src))
	require.Empty(t, problems)
	assert.Equal(t, strict.Position{File: "s.yaml", Line: 1, Column: 14}, strict.Inside([]byte(src), root.Get("key"), 7))
	assert.Equal(t, strict.Position{File: "s.yaml", Line: 1, Column: 14}, strict.Inside([]byte(src), root.Get("key"), 99))
	assert.Equal(t, strict.Position{File: "", Line: 1, Column: 1}, strict.Inside(nil, &strict.Node{Text: "gone"}, 2))
}

// FuzzInside finds a place in every text, never before the text itself.
func FuzzInside(f *testing.F) {
	for _, seed := range []string{"one two", "'it''s'", `"a\"b\\\u0041"`, "|\n  a\n  b", ">-\n  a\n\n  b", "&a !!str x", "\"a\\\n  b\"", "\r>"} {
		f.Add(seed, 3)
	}
	f.Fuzz(func(t *testing.T, value string, offset int) {
		src := []byte("key: " + value)
		root, problems := strict.Parse("s.yaml", src)
		if len(problems) > 0 || root.Get("key") == nil || root.Get("key").Kind != strict.String {
			return
		}
		n := root.Get("key")
		at := strict.Inside(src, n, offset)
		assert.False(t, at.Line < n.Line || at.Line == n.Line && at.Column < n.Column)
		assert.LessOrEqual(t, at.Line, 1+len(src))
	})
}
