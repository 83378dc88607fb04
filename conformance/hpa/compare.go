package hpa

import (
	"fmt"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	"github.com/scalelab/scalelab/messages"
	"sigs.k8s.io/yaml"

	ours "github.com/scalelab/scalelab/scaling/hpa"
)

// mismatch is the first sync of a world at which the two sides differ.
type mismatch struct {
	seed   uint64
	tick   int
	what   string
	world  *world
	scene  *scene
	theirs answer
	ours   messages.Decision
}

func (m *mismatch) Error() string {
	manifest, err := yaml.Marshal(m.world.manifest.Spec)
	if err != nil {
		return err.Error()
	}
	text := fmt.Sprintf("seed %d, tick %d: %s\nupstream: %d %v %v\nours:     %d %v %v\n          %s\n", m.seed, m.tick, m.what,
		m.theirs.desired, conditionsOf(m.theirs.conditions), reasonsOf(m.theirs.events),
		m.ours.Desired, conditionsOf(m.ours.Conditions), reasonsOf(m.ours.Events), m.ours.Message)
	for _, e := range m.theirs.events {
		text += "upstream says: " + e.Message + "\n"
	}
	return text + fmt.Sprintf("flags: %+v\n%sseen: %+v\nsamples: %+v", m.world.flags, manifest, m.scene.seen, m.scene.samples)
}

// conditionsOf are the conditions without their words.
func conditionsOf(list []messages.Condition) []string {
	out := []string{}
	for _, c := range list {
		out = append(out, c.Type+"="+c.Status+":"+c.Reason)
	}
	return out
}

func reasonsOf(list []messages.Event) []string {
	out := []string{}
	for _, e := range list {
		out = append(out, e.Type+":"+e.Reason)
	}
	return out
}

// differs says what is different between the two sides, or nothing.
func differs(theirs answer, d messages.Decision) string {
	var what []string
	if theirs.desired != d.Desired {
		what = append(what, "the count")
	}
	if d.Conditions == nil {
		return strings.Join(what, ", ")
	}
	if !slices.Equal(conditionsOf(theirs.conditions), conditionsOf(d.Conditions)) {
		what = append(what, "the conditions")
	}
	if !slices.Equal(reasonsOf(theirs.events), reasonsOf(d.Events)) {
		what = append(what, "the events")
	}
	return strings.Join(what, ", ")
}

// observer is told of every sync, before it is compared.
type observer interface {
	saw(w *world, s *scene, theirs answer, d messages.Decision)
}

// run drives a world on both sides and stops at the first difference. It has to
// be called in a bubble. The error is a mismatch, or the harness' own.
func (w *world) run(observers ...observer) (syncs int, err error) {
	autoscaler, err := ours.New(ours.Spec{Manifest: w.manifest, Controller: w.flags})
	if err != nil {
		return 0, fmt.Errorf("seed %d draws a manifest that ours refuses: %w", w.seed, err)
	}
	w.queries = autoscaler.Queries()
	time.Sleep(w.phase)
	now := time.Now()
	s := w.step(now, 0, true)
	u := newUpstream(w.manifest, w.flags)
	defer u.close()
	for tick := range w.syncs {
		if err := u.show(s); err != nil {
			return tick, err
		}
		if tick == 0 {
			u.begin()
		} else {
			// A millisecond aside, so that nothing here is simultaneous with a sync.
			time.Sleep(time.Until(now.Add(time.Millisecond)))
		}
		synctest.Wait()
		theirs, err := u.answer(now)
		if err != nil {
			return tick, fmt.Errorf("seed %d, tick %d: %w", w.seed, tick, err)
		}
		d, err := autoscaler.Decide(now, s.seen)
		if err != nil {
			return tick, err
		}
		for _, o := range observers {
			o.saw(w, s, theirs, d)
		}
		if what := differs(theirs, d); what != "" {
			return tick + 1, &mismatch{seed: w.seed, world: w, scene: s, tick: tick, what: what, theirs: theirs, ours: d}
		}
		now = now.Add(w.flags.SyncPeriod)
		time.Sleep(time.Until(now.Add(-time.Millisecond)))
		s = w.step(now, theirs.desired, false)
	}
	return w.syncs, nil
}
