package main

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDocumentedCrowd holds the block in docs/knative.md against what the command
// above it prints: what became of the requests, and the curve of the replicas.
func TestDocumentedCrowd(t *testing.T) {
	const page, command = "../../docs/knative.md", "scalelab run knative-flash-crowd --autoscaler knative"
	code, printed, _ := call(context.Background(), append(strings.Fields(command)[1:], "--color", "never")...)
	require.Equal(t, exitOK, code)
	var block strings.Builder
	for _, part := range []string{`Requests   .*\n(?: {11}.*\n)*`, `Activator  .*\n(?: {11}.*\n)*`, `\nReplicas   ── (?:.+\n)+`} {
		found := regexp.MustCompile(`(?m)^` + part).FindString(printed)
		require.NotEmpty(t, found, part)
		block.WriteString(found)
	}
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	around := regexp.MustCompile("(?s)(" + regexp.QuoteMeta("    "+command+"\n\n```\n") + ")(.*?)(```\n)")
	require.Len(t, around.FindAll(text, -1), 1, "the page has the command and a block once")
	if *update {
		require.NoError(t, os.WriteFile(page, around.ReplaceAll(text, []byte("${1}"+block.String()+"${3}")), 0o644))
		return
	}
	assert.Equal(t, string(around.FindSubmatch(text)[2]), block.String(), "the block is current: make golden")
}
