package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var recipeBlock = regexp.MustCompile("(?ms)^```(\\w+)(?: (\\S+))?\n(.*?)^```$")

// TestRecipes goes through docs/recipes.md from top to bottom: it writes the files,
// runs the commands, and compares what the block of commands before a text printed
// with that text, in which ... stands for any lines. -update renews the texts.
func TestRecipes(t *testing.T) {
	file, err := filepath.Abs("../../docs/recipes.md")
	require.NoError(t, err)
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	t.Chdir(t.TempDir())
	renewed, printed, compared := string(page), "", 0
	for _, block := range recipeBlock.FindAllStringSubmatch(string(page), -1) {
		language, name, body := block[1], block[2], block[3]
		switch {
		case name != "":
			require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
			require.NoError(t, os.WriteFile(name, []byte(body), 0o644))
		case language == "sh":
			printed = ""
			for line := range strings.Lines(body) {
				words := strings.Fields(line)
				require.Equal(t, "scalelab", words[0])
				code, out, complaint := call(context.Background(), words[1:]...)
				require.Equal(t, exitOK, code, "%s: %s", line, complaint)
				printed += out
			}
		case language == "text" && *update:
			renewed = strings.Replace(renewed, body, excerpt(body, printed), 1)
			compared++
		case language == "text":
			requireExcerpt(t, body, printed)
			compared++
		default:
			t.Fatalf("found a block of %s, expected a file, sh or text", language)
		}
	}
	assert.Equal(t, 9, compared)
	assert.FileExists(t, "comment.md")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(renewed), 0o644))
	}
}

// requireExcerpt finds the parts of a text in what was printed, in order.
func requireExcerpt(t *testing.T, text, printed string) {
	t.Helper()
	rest := "\n" + printed
	for part := range strings.SplitSeq(strings.TrimSuffix("\n"+text, "\n"), "\n...") {
		_, after, found := strings.Cut(rest, part+"\n")
		require.True(t, found, "docs/recipes.md says%s\nbut this was printed (-update renews it):\n%s", part, printed)
		rest = "\n" + after
	}
}

// excerpt takes as many lines from what was printed as every part of a text has,
// from the line on that is most like its first one.
func excerpt(text, printed string) string {
	lines := strings.Split(strings.TrimSuffix(printed, "\n"), "\n")
	var parts []string
	for part := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n...\n") {
		first, n := strings.Split(part, "\n")[0], strings.Count(part, "\n")+1
		best, alike := 0, -1
		for i, line := range lines {
			common := 0
			for common < min(len(line), len(first)) && line[common] == first[common] {
				common++
			}
			if common > alike {
				best, alike = i, common
			}
		}
		parts = append(parts, strings.Join(lines[best:min(best+n, len(lines))], "\n"))
		lines = lines[min(best+n, len(lines)):]
	}
	return strings.Join(parts, "\n...\n") + "\n"
}
