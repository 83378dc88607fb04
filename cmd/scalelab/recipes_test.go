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
// runs the commands, and compares what the command or the commands before a text
// printed with that text, in which ... stands for any lines.
func TestRecipes(t *testing.T) {
	page, err := os.ReadFile("../../docs/recipes.md")
	require.NoError(t, err)
	t.Chdir(t.TempDir())
	printed, compared := "", 0
	for _, block := range recipeBlock.FindAllStringSubmatch(string(page), -1) {
		language, file, body := block[1], block[2], block[3]
		switch {
		case file != "":
			require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
			require.NoError(t, os.WriteFile(file, []byte(body), 0o644))
		case language == "sh":
			printed = ""
			for line := range strings.Lines(body) {
				words := strings.Fields(line)
				require.Equal(t, "scalelab", words[0])
				code, out, complaint := call(context.Background(), words[1:]...)
				require.Equal(t, exitOK, code, "%s: %s", line, complaint)
				printed += out
			}
		case language == "text":
			compared++
			rest := printed
			for part := range strings.SplitSeq("\n"+body, "\n...\n") {
				_, after, found := strings.Cut("\n"+rest, strings.TrimPrefix(part, "\n"))
				require.True(t, found, "docs/recipes.md says\n%s\nbut this was printed:\n%s", part, printed)
				rest = after
			}
		default:
			t.Fatalf("found a block of %s, expected a file, sh or text", language)
		}
	}
	assert.Equal(t, 9, compared)
	assert.FileExists(t, "comment.md")
}
