package strict_test

import (
	"testing"

	"github.com/scalelab/scalelab/scenarios/strict"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func FuzzParse(f *testing.F) {
	for _, src := range []string{bomb(), "a: &a [*a]", "{<<: [{a: 1}, {b: 2}]}", "a: |\n  b\n---\nc", "? [a]\n: b", "!!float x", "%YAML 1.1\n---\na"} {
		f.Add(src, "a[0].b", "a.b[1]=x")
	}
	f.Fuzz(func(t *testing.T, src, path, assignment string) {
		root, problems := strict.Parse("f", []byte(src))
		for _, p := range problems {
			require.Positive(t, p.Line)
			require.Positive(t, p.Column)
			require.NotContains(t, p.Error(), "\n")
		}
		if root == nil {
			require.NotEmpty(t, problems)
			return
		}
		at := root.Locate(path)
		require.Positive(t, at.Line)
		_ = strict.Merge(root, root)
		_ = root.Set(assignment, "--set", 1)
		var into thing
		for _, p := range strict.Decode(root, &into, strict.Options{}) {
			require.NotContains(t, p.Error(), "\n")
		}
	})
}

// What Encode writes, Decode reads back as the same value.
func TestEncodeAndDecodeAreInverse(t *testing.T) {
	texts := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "true", "1.5", "null", "~", "0x1", "2026-01-05", "- a", "a: b", "#", "*a", "é\n x"}))
	type value struct {
		Text   string                  `yaml:"text"`
		Texts  []string                `yaml:"texts"`
		Number float64                 `yaml:"number"`
		Flag   bool                    `yaml:"flag"`
		Table  map[string]string       `yaml:"table"`
		Order  strict.Ordered[[]int64] `yaml:"order"`
		Inner  *struct {
			Size uint64 `yaml:"size"`
		} `yaml:"inner,omitempty"`
	}
	rapid.Check(t, func(t *rapid.T) {
		in := value{
			Text:   texts.Draw(t, "text"),
			Texts:  rapid.SliceOf(texts).Draw(t, "texts"),
			Number: rapid.Float64Range(-strict.MaxNumber, strict.MaxNumber).Draw(t, "number"),
			Flag:   rapid.Bool().Draw(t, "flag"),
			Table:  rapid.MapOfN(rapid.StringMatching(`[a-z.]{1,9}`), texts, 0, 3).Draw(t, "table"),
		}
		for i, name := range rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,9}`), 0, 3, rapid.ID).Draw(t, "order") {
			in.Order = append(in.Order, strict.Named[[]int64]{Name: name, Value: []int64{int64(i), -5}})
		}
		out, err := strict.Encode(in)
		require.NoError(t, err)
		root, problems := strict.Parse("f", out)
		require.Empty(t, problems, "%s", out)
		var back value
		require.Empty(t, strict.Decode(root, &back, strict.Options{}), "%s", out)
		assert.Equal(t, in, back, "%s", out)
	})
}
