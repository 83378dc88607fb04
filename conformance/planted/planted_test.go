// Package planted breaks our decisions on purpose, in ways that are easy to
// write by mistake, and expects the comparisons with the real autoscalers to
// notice within what CI compares.
package planted

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var plant = flag.Bool("planted", false, "plant deviations; each costs a build of the comparison")

// deviation is one change of a line, and the comparison that has to notice it.
type deviation struct {
	name     string
	file     string // below the main module
	from, to string
	test     string // package of this module
}

var deviations = []deviation{
	{"the tolerance excludes its end", "scaling/hpa/metric.go", "b.low <= r && r <= b.high", "b.low <= r && r < b.high", "hpa"},
	{"the window is one sample short", "scaling/hpa/recommendations.go", "if past.at.Before(cutoff) {", "if !past.at.After(cutoff) {", "hpa"},
	{"counts are rounded down", "scaling/hpa/replicas.go", "math.Ceil(float64(r * float64(pods)))", "math.Floor(float64(r * float64(pods)))", "hpa"},
	{"a count that does not fit is the largest", "scaling/hpa/behavior.go", "	return math.MinInt32\n}", "	return math.MaxInt32\n}", "hpa"},
	{"the panic excludes its threshold", "scaling/knative/engine.go", "surges := p.surge >= e.threshold", "surges := p.surge > e.threshold", "knative"},
	{"the stable window is one bucket short", "scaling/knative/collect.go", "newBuckets(s.stable, s.weighted)", "newBuckets(s.stable-bucketSize, s.weighted)", "knative"},
	{"the grace period begins with inactivity", "scaling/knative/zero.go", "r.enqueue(v.now.Add(r.grace - proxied))", "r.enqueue(v.now.Add(r.grace - lasted))", "knative"},
	{"capacity that just suffices does not", "scaling/knative/reconciler.go", "want > 0 && v.excess >= 0", "want > 0 && v.excess > 0", "knative"},
	{"first available ends at two", "sim/cluster/activators.go", "case limit <= 3:", "case limit < 3:", "activator"},
	{"the queue-proxy's queue holds those in service, too", "sim/knative.go", "(1+queueDepth)*limit - c", "queueDepth*limit - c", "activator"},
	{"pods are found by the clock only", "sim/cluster/pods.go", "			c.becomeRoutable(p)\n			c.probe()", "			c.becomeRoutable(p)", "activator"},
}

var found = regexp.MustCompile(`seed \d+, (tick|comparison) \d+: .*`)

func TestPlantedDeviationsAreFound(t *testing.T) {
	if !*plant {
		t.Skip("each deviation costs a build of the comparison: make planted")
	}
	for _, d := range deviations {
		t.Run(d.name, func(t *testing.T) {
			dir := t.TempDir()
			args := []string{"test", "../" + d.test, "-overlay", d.overlay(t, dir), "-count", "1", "-v", "-run", "^TestConformance"}
			if d.test == "hpa" {
				args = append(args, "-args", "-scripts", dir) // not among those that are kept
			}
			out, err := exec.Command("go", args...).CombinedOutput()
			assert.Error(t, err, "the comparison with the real code passes")
			first := found.FindString(string(out))
			require.NotEmpty(t, first, string(out))
			t.Log(first)
		})
	}
}

// overlay writes the file with the deviation in it, and the overlay that puts it
// in the place of ours.
func (d deviation) overlay(t *testing.T, dir string) string {
	original, err := filepath.Abs(filepath.Join("../..", filepath.FromSlash(d.file)))
	require.NoError(t, err)
	source, err := os.ReadFile(original)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(source), d.from), "the line is there once")
	changed := filepath.Join(dir, filepath.Base(d.file))
	require.NoError(t, os.WriteFile(changed, []byte(strings.Replace(string(source), d.from, d.to, 1)), 0o644))
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {original: changed}})
	require.NoError(t, err)
	file := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(file, overlay, 0o644))
	return file
}
