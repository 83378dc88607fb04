package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/scalelab/scalelab/config"

	"github.com/stretchr/testify/require"
)

// FuzzFile: whatever a file holds, it is refused with its name in every problem
// or gives a Config that is valid.
func FuzzFile(f *testing.F) {
	for _, seed := range []string{operatorFile, "", "- a", "operator: [", "&a *a", "a: &a {b: *a}", "log: {level: info}\n---\n", "%YAML 3", "!!binary x", "\x00", "? {a: b}\n: c"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		from := config.Sources{Lookup: environment(), File: config.File{Name: "f", Text: text}}
		c, err := config.Load(from)
		if err != nil {
			for _, p := range err.(config.Problems) {
				require.True(t, strings.HasPrefix(p.At, "f:"), p)
				require.NotEmpty(t, p.Found)
				require.NotEmpty(t, p.Expected)
			}
			return
		}
		require.NoError(t, c.Validate())
	})
}

// FuzzVariable: any text in any variable is refused by that variable's name or
// gives a Config that is valid, and the secrets' texts are nowhere shown.
func FuzzVariable(f *testing.F) {
	names := append(variablesIn(config.Reference()), variablesIn(config.ResolverReference())...)
	for i := range names {
		for _, seed := range []string{"", "0", "30", "30s", "-1h", "8013", "info", "http://a:secret@b", "http://x?secret", "Bearer secret", "secret\n", "9223372036854775807", "\xff"} {
			f.Add(uint(i), seed)
		}
	}
	f.Fuzz(func(t *testing.T, which uint, text string) {
		name := names[which%uint(len(names))]
		from := config.Sources{Lookup: environment(name, text)}
		operator, err := config.Load(from)
		resolver, err2 := config.LoadResolver(from)
		for _, err := range []error{err, err2} {
			if err != nil {
				require.True(t, strings.HasPrefix(err.Error(), name+": found "), err)
			}
		}
		if err == nil {
			require.NoError(t, operator.Validate())
		}
		if err2 == nil {
			require.NoError(t, resolver.Validate())
		}
		if strings.HasPrefix(name, "PROMETHEUS_TRIGGER_AUTH") && len(text) > 12 {
			require.NotContains(t, fmt.Sprint(operator, err), text)
			require.NotContains(t, fmt.Sprintf("%+v %#v", operator, err), text)
		}
	})
}
