package hpa_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/internal/hpascript"
	"github.com/scalelab/scalelab/scaling/hpa"
)

// TestScripts replays what Kubernetes' own controller was shown in worlds of
// the conformance module, and expects of every sync what it came to.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/scripts/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			script, err := hpascript.Load(file)
			require.NoError(t, err)
			require.NotEmpty(t, script.Syncs)
			a, err := hpa.New(hpa.Spec{Manifest: script.Manifest, Controller: script.Flags})
			require.NoError(t, err)
			for i, sync := range script.Syncs {
				d, err := a.Decide(sync.At, sync.Seen)
				require.NoError(t, err, "sync %d", i)
				require.Equal(t, sync.Desired, d.Desired, "sync %d: %s %v", i, d.Message, d.Steps)
				conditions, events := hpascript.Said(d.Conditions, d.Events)
				require.Equal(t, sync.Conditions, conditions, "sync %d", i)
				require.ElementsMatch(t, sync.Events, events, "sync %d", i)
			}
		})
	}
}

func TestScriptsSurviveTheirFile(t *testing.T) {
	files, err := filepath.Glob("testdata/scripts/*.yaml")
	require.NoError(t, err)
	for _, file := range files {
		script, err := hpascript.Load(file)
		require.NoError(t, err)
		copied := filepath.Join(t.TempDir(), "copy.yaml")
		require.NoError(t, script.Save(copied))
		again, err := hpascript.Load(copied)
		require.NoError(t, err)
		assert.Equal(t, script, again)
	}
}
