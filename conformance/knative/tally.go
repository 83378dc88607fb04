package knative

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/scalelab/scalelab/messages"
	ours "github.com/scalelab/scalelab/scaling/knative"

	"knative.dev/serving/pkg/apis/autoscaling"
)

// tally counts what the worlds exercise: manifests in worlds, the rest in
// comparisons.
type tally struct {
	counts map[string]int
	world  any // whose manifests are counted
	before tick
	last   messages.Decision
}

// expectedManifests are the keys and annotations of worlds, in all spellings.
var expectedManifests = func() string {
	var names []string
	for _, key := range ours.ConfigKeys() {
		if key != "pod-autoscaler-class" {
			names = append(names, "key:"+key)
		}
	}
	for _, key := range knownAnnotations {
		if key != autoscaling.ClassAnnotationKey {
			_, name, _ := strings.Cut(key, "/")
			names = append(names, "annotation:"+name)
		}
	}
	return strings.Join(names, " ")
}()

func newTally() *tally { return &tally{counts: map[string]int{}} }

func (t *tally) when(happens bool, name string) {
	if happens {
		t.counts[name]++
	}
}

// manifests counts what is written in a configuration and a revision.
func (t *tally) manifests(world any, m manifests) {
	if world == t.world {
		return
	}
	t.world, t.before, t.last = world, tick{}, messages.Decision{}
	t.counts["worlds:all"]++
	for key := range m.data {
		t.counts["key:"+key]++
	}
	for key := range m.annotations {
		_, key, _ := strings.Cut(key, "/")
		t.counts["annotation:"+key]++
	}
	t.when(m.unreachable, "revision:unreachable")
	t.when(m.concurrency > 0, "revision:containerConcurrency")
}

// saw counts a tick of the engine.
func (t *tally) saw(w *engineWorld, theirs tick, d messages.Decision) {
	t.manifests(w, w.manifests)
	t.counts["tick:all"]++
	t.when(!theirs.Valid, "tick:invalid")
	t.when(theirs.At.Sub(w.created)%period != 0, "tick:poked")
	t.when(theirs.InPanic && !t.before.InPanic, "panic:begins")
	t.when(!theirs.InPanic && t.before.InPanic, "panic:ends")
	t.when(theirs.Excess < 0, "excess:negative")
	t.when(theirs.Excess == 0, "excess:zero")
	t.when(theirs.Excess > 0, "excess:positive")
	t.when(theirs.Desired == 0 && theirs.Valid, "desired:0")
	t.when(theirs.Desired > 100, "desired:hundreds")
	t.when(theirs.Stable < 0, "average:negative")
	t.when(len(w.order) > 4 && len(w.reports) > 0, "scrape:sampled")
	t.when(len(w.order) > 0 && len(w.reports) == 0, "scrape:failing")
	for _, s := range d.Steps {
		t.counts["step:"+string(s.Stage)]++
	}
	t.before = theirs
}

// compares counts a comparison of the reconciler, in the words of ours.
func (t *tally) compares(w *world, theirs said) {
	t.manifests(w, w.manifests)
	t.counts["compared:all"]++
	d := w.decision
	if t.last.Path == "" {
		t.when(w.isNew, "world:new")
		t.when(!w.isNew, "world:restarted")
		t.when(w.failing > 0, "pod:never")
		t.when(w.flapping > 0, "pod:flapping")
		t.when(w.lost > 0, "ingress:late")
	}
	if d.Desired != t.last.Desired || d.Message != t.last.Message {
		_, words, _ := strings.Cut(d.Message, ": ")
		words, _, _ = strings.Cut(words, ";")
		t.counts["because:"+strings.ReplaceAll(words, " ", "_")]++
	}
	for _, s := range theirs.Writes {
		t.when(s.Replicas == 0, "write:0")
		t.when(s.Replicas > 0, "write:more")
	}
	t.when(len(theirs.Writes) > 1, "write:twice")
	t.when(d.Path != t.last.Path && t.last.Path != "", "path:"+string(theirs.Path))
	if c := theirs.Conditions; len(t.last.Conditions) == 0 || c[0] != t.last.Conditions[0] {
		t.counts["active:"+c[0].Status+c[0].Reason]++
	}
	t.last = d
	t.last.Conditions = slices.Clone(d.Conditions)
}

// unmet are the expected names that never came.
func (t *tally) unmet(expected string) []string {
	return slices.DeleteFunc(strings.Fields(expected), func(name string) bool { return t.counts[name] > 0 })
}

// String is a line for every kind of name.
func (t *tally) String() string {
	var lines []string
	last := ""
	for _, name := range slices.Sorted(maps.Keys(t.counts)) {
		kind, value, _ := strings.Cut(name, ":")
		if kind != last {
			lines = append(lines, fmt.Sprintf("%-10s", kind))
			last = kind
		}
		lines[len(lines)-1] += fmt.Sprintf(" %s %d", value, t.counts[name])
	}
	return "exercised (manifests in worlds, the rest in comparisons)\n" + strings.Join(lines, "\n")
}
