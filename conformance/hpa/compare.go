package hpa

import (
	"fmt"
	"slices"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/scalelab/scalelab/internal/hpascript"
	"github.com/scalelab/scalelab/messages"
	"sigs.k8s.io/yaml"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/api/equality"

	ours "github.com/scalelab/scalelab/scaling/hpa"
)

// mismatch is the first sync of a world at which the two sides differ.
type mismatch struct {
	world        *world
	tick         int
	theirs, ours answer
	why          string // ours in words
	script       *hpascript.Script
}

// Error shows what upstream (-) and ours (+) do not have in common. What they
// saw is in the script.
func (m *mismatch) Error() string {
	spec, err := yaml.Marshal(m.world.manifest.Spec)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("seed %d, tick %d: upstream wants %d, ours %d (%s)\n%sflags: %+v\n%s",
		m.world.seed, m.tick, m.theirs.Desired, m.ours.Desired, m.why, cmp.Diff(m.theirs, m.ours), m.world.flags, spec)
}

// answer is what a side came to at one sync.
type answer struct {
	Desired    int32
	Conditions []messages.Condition
	Events     []messages.Event
	Status     autoscalingv2.HorizontalPodAutoscalerStatus
}

// newAnswer leaves out what is chance, or finer than what the API shows.
func newAnswer(desired int32, conditions []messages.Condition, events []messages.Event, status autoscalingv2.HorizontalPodAutoscalerStatus) answer {
	a := answer{Desired: desired, Status: *status.DeepCopy()}
	a.Conditions, a.Events = hpascript.Said(conditions, events)
	for i := range a.Status.Conditions {
		c := &a.Status.Conditions[i]
		c.LastTransitionTime.Time = c.LastTransitionTime.Truncate(time.Second)
		c.Message = hpascript.AnyPod(c.Message)
	}
	if at := a.Status.LastScaleTime; at != nil {
		at.Time = at.Truncate(time.Second)
	}
	return a
}

func (a answer) equal(b answer) bool {
	return a.Desired == b.Desired && slices.Equal(a.Conditions, b.Conditions) && slices.Equal(a.Events, b.Events) &&
		equality.Semantic.DeepEqual(a.Status, b.Status)
}

// observer is told of every sync, before it is compared.
type observer interface {
	saw(w *world, s *scene, theirs answer, d messages.Decision)
}

// us is our side of a world.
type us struct {
	autoscaler *ours.Autoscaler
	status     ours.Status
	script     hpascript.Script
}

func newUs(w *world) (*us, error) {
	autoscaler, err := ours.New(ours.Spec{Manifest: w.manifest, Controller: w.flags})
	if err != nil {
		return nil, fmt.Errorf("seed %d draws a manifest that ours refuses: %w", w.seed, err)
	}
	object := ours.Defaults(w.manifest)
	object.Generation = 1
	return &us{autoscaler: autoscaler, status: ours.NewStatus(object, ""),
		script: hpascript.Script{Seed: w.seed, Flags: w.flags, Manifest: w.manifest}}, nil
}

// sync decides on a scene, and takes down for the script what upstream did.
func (u *us) sync(now time.Time, s *scene, theirs answer) (messages.Decision, answer, error) {
	d, err := u.autoscaler.Decide(now, s.seen)
	if err != nil {
		return d, answer{}, err
	}
	u.status.Follow(now, s.seen.Replicas.Desired, d)
	u.script.Syncs = append(u.script.Syncs, hpascript.Sync{At: now, Seen: s.seen,
		Desired: theirs.Desired, Conditions: theirs.Conditions, Events: theirs.Events})
	return d, newAnswer(d.Desired, d.Conditions, d.Events, u.status.Written), nil
}

// run drives a world on both sides and stops at the first difference. It has to
// be called in a bubble. The error is a mismatch, or the harness' own.
func (w *world) run(observers ...observer) (syncs int, err error) {
	side, err := newUs(w)
	if err != nil {
		return 0, err
	}
	w.queries = side.autoscaler.Queries()
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
		d, own, err := side.sync(now, s, theirs)
		if err != nil {
			return tick, err
		}
		for _, o := range observers {
			o.saw(w, s, theirs, d)
		}
		if !theirs.equal(own) {
			return tick + 1, &mismatch{world: w, tick: tick, theirs: theirs, ours: own, why: d.Message, script: &side.script}
		}
		now = now.Add(w.flags.SyncPeriod)
		time.Sleep(time.Until(now.Add(-time.Millisecond)))
		s = w.step(now, theirs.Desired, false)
	}
	return w.syncs, nil
}
