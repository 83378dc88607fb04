package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/scenarios"
)

// commands are all commands that a user can type.
func commands() []*cobra.Command {
	root := newRoot()
	root.InitDefaultHelpCmd()
	all := []*cobra.Command{root}
	for i := 0; i < len(all); i++ {
		all = append(all, all[i].Commands()...)
	}
	return all
}

func TestEveryCommandExplainsItself(t *testing.T) {
	var paths []string
	for _, c := range commands() {
		paths = append(paths, c.CommandPath())
		t.Run(c.CommandPath(), func(t *testing.T) {
			assert.NotEmpty(t, c.Short)
			assert.NotContains(t, c.Short, "\n")
			assert.NotEmpty(t, c.Example)
			assert.NotNil(t, c.RunE)
			c.InitDefaultHelpFlag()
			c.LocalFlags().VisitAll(func(f *pflag.Flag) {
				assert.NotEmpty(t, f.Usage, f.Name)
				assert.False(t, strings.HasSuffix(f.Usage, "."), f.Name)
			})
			code, help, complaint := call(context.Background(), append(strings.Fields(c.CommandPath())[1:], "--help")...)
			assert.Equal(t, exitOK, code)
			assert.Empty(t, complaint)
			assert.Contains(t, help, "Examples:\n"+c.Example)
			for line := range strings.Lines(help) {
				assert.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), 80, line)
			}
		})
	}
	assert.ElementsMatch(t, []string{
		"scalelab", "scalelab run", "scalelab compare", "scalelab explain", "scalelab report", "scalelab test", "scalelab validate", "scalelab scenarios", "scalelab trace",
		"scalelab trace inspect", "scalelab schema", "scalelab version", "scalelab completion", "scalelab help",
	}, paths)
}

// TestExamplesRun runs every example of every help text where the files they
// name exist.
func TestExamplesRun(t *testing.T) {
	shop, err := filepath.Abs("testdata/shop")
	require.NoError(t, err)
	var lines []string
	for _, c := range commands() {
		for line := range strings.Lines(c.Example) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	t.Chdir(t.TempDir())
	require.NoError(t, os.CopyFS(".", os.DirFS(shop)))
	done := map[string]bool{}
	for _, line := range lines {
		if done[line] {
			continue
		}
		done[line] = true
		t.Run(line, func(t *testing.T) {
			words := strings.Fields(line)
			require.Equal(t, "scalelab", words[0])
			args, file := redirected(words[1:])
			code, printed, complaint := call(context.Background(), args...)
			assert.Equal(t, exitOK, code)
			assert.Empty(t, complaint)
			assert.NotEmpty(t, printed)
			if file != "" {
				require.NoError(t, os.WriteFile(file, []byte(printed), 0o644))
			}
		})
	}
	for _, file := range []string{"result.json", "timeline.csv", "comparison.json", "my-scenario.yaml", "scalelab.schema.json"} {
		assert.FileExists(t, file)
	}
	code, _, complaint := call(context.Background(), "validate", "my-scenario.yaml")
	assert.Equal(t, exitOK, code, complaint)
}

// redirected parts a command line from the file that follows >.
func redirected(words []string) (args []string, file string) {
	for i, word := range words {
		if word == ">" {
			return words[:i], words[i+1]
		}
	}
	return words, ""
}

// call executes a command line in this process.
func call(ctx context.Context, args ...string) (code int, printed, complaint string) {
	var stdout, stderr bytes.Buffer
	code = execute(ctx, args, &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	file := t.TempDir() + "/r.json"
	for _, c := range []struct{ args, want string }{
		{"run testdata/shop/scenario.yaml", "scalelab: run shop with hpa, seed 7: stopped at 0s of simulated time: interrupted, nothing was written\n"},
		{"test testdata/shop", "scalelab: test: shop with hpa, seed 7: stopped at 0s of simulated time: interrupted, nothing was written\n"},
		{"run testdata/shop/scenario.yaml --actuator direct", "scalelab: run shop with hpa, seed 7: stopped at 0s of simulated time: interrupted, nothing was written\n"},
		{"compare testdata/shop/scenario.yaml --seeds 3", "scalelab: compare shop: hpa, seed 7: stopped at 0s of simulated time: interrupted, nothing was written\n"},
	} {
		code, printed, complaint := call(ctx, append(strings.Fields(c.args), "-o", "table", "-o", "json="+file)...)
		assert.Equal(t, exitFailed, code, c.args)
		assert.Empty(t, printed, c.args)
		assert.Equal(t, c.want, complaint)
		assert.NoFileExists(t, file, c.args)
	}
}

func TestInterruptedOnTheWay(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	f := runFlags{replay: replayFlags{actuator: "direct"}}
	s, err := loadScenario(scenarios.Load, "testdata/shop/scenario.yaml", []string{"duration=240h"})
	require.NoError(t, err)
	_, err = f.play(ctx, s, "hpa", 7, func(perMille int) {
		if perMille > 0 {
			cancel()
		}
	})
	assert.ErrorIs(t, err, context.Canceled)
}
