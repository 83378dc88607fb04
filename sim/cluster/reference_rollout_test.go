package cluster

import (
	"slices"
)

// The reference's Deployment controller: one sync after the other, as upstream's.

// referenceSet is a ReplicaSet.
type referenceSet struct {
	template int
	want     int
	most     int // its annotation max-replicas
}

func (w *reference) madeOf(template int) []*referencePod {
	return slices.DeleteFunc(w.alive(), func(p *referencePod) bool { return int(p.Template) != template })
}

func (w *reference) available(template int) (n int) {
	for _, p := range w.madeOf(template) {
		if w.isAvailable(p) {
			n++
		}
	}
	return n
}

func (w *reference) isAvailable(p *referencePod) bool {
	return p.State == Ready && w.now-p.ReadyAt >= w.spec.Update.MinReady
}

func (w *reference) awaitAvailable(p *referencePod) {
	if len(w.weather.sets) > 1 {
		w.on(p.ReadyAt+w.spec.Update.MinReady, rankLife, w.roll)
	}
}

// fenceposts are the surge and the unavailable pods of a rollout.
func (w *reference) fenceposts() (surge, unavailable int) {
	u := w.spec.Update
	surge, unavailable = int(u.MaxSurge.Number), int(u.MaxUnavailable.Number)
	if u.MaxSurge.Percent {
		surge = (w.desired*surge + 99) / 100
	}
	if u.MaxUnavailable.Percent {
		unavailable = w.desired * unavailable / 100
	}
	if surge == 0 && unavailable == 0 {
		unavailable = 1
	}
	return surge, min(w.desired, unavailable)
}

func (w *reference) rollout() {
	if w.spec.Elastic {
		return
	}
	surge, _ := w.fenceposts()
	s := &w.weather
	last := s.sets[len(s.sets)-1]
	s.sets = append(s.sets, &referenceSet{template: last.template + 1})
	for _, set := range s.sets {
		set.most = w.desired + surge
	}
	for _, p := range w.alive() {
		if p.State == Ready && !w.isAvailable(p) {
			w.awaitAvailable(p)
		}
	}
	w.roll()
}

// scale changes spec.replicas.
func (w *reference) scale(desired int) {
	if desired == w.desired {
		return
	}
	w.desired = desired
	surge, _ := w.fenceposts()
	s := &w.weather
	active := slices.DeleteFunc(slices.Clone(s.sets), func(set *referenceSet) bool { return set.want == 0 })
	switch {
	case len(s.sets) == 1:
		s.sets[0].want = desired
	case len(active) == 1:
		active[0].want = desired
	case len(active) > 1:
		w.scaleProportionally(active, surge)
	}
	for _, set := range s.sets {
		set.most = desired + surge
	}
	s.rolling = true
	w.fitAll()
	s.rolling = false
	w.roll()
}

func (w *reference) scaleProportionally(active []*referenceSet, surge int) {
	allowed, all := 0, 0
	if w.desired > 0 {
		allowed = w.desired + surge
	}
	for _, set := range active {
		all += set.want
	}
	add, added := allowed-all, 0
	if add == 0 {
		return
	}
	slices.SortFunc(active, func(a, b *referenceSet) int {
		switch {
		case a.want != b.want:
			return b.want - a.want
		case add > 0:
			return b.template - a.template
		}
		return a.template - b.template
	})
	for _, set := range active {
		if add == added {
			break
		}
		part := -set.want
		if w.desired > 0 {
			size := 2*set.want*(w.desired+surge)/set.most + 1 // rounded half up, in halves
			part += size / 2
		}
		if add > 0 {
			part = min(part, add-added)
		} else {
			part = max(part, add-added)
		}
		set.want += part
		added += part
	}
	active[0].want = max(0, active[0].want+add-added)
}

func (w *reference) roll() {
	s := &w.weather
	if len(s.sets) == 1 || s.rolling {
		return
	}
	s.rolling = true
	done := false
	if w.spec.Update.Recreate {
		done = w.recreate()
	} else {
		for w.sync() {
			w.fitAll()
		}
		done = s.sets[len(s.sets)-1].want == w.desired
		for _, old := range s.sets[:len(s.sets)-1] {
			done = done && old.want == 0
		}
	}
	s.rolling = false
	if done {
		s.sets = s.sets[len(s.sets)-1:]
	}
}

func (w *reference) recreate() bool {
	last := w.weather.sets[len(w.weather.sets)-1]
	for _, set := range w.weather.sets {
		if set != last {
			set.want = 0
		}
	}
	w.fitAll()
	if slices.ContainsFunc(w.pods, func(p *referencePod) bool { return p.State != Gone && int(p.Template) != last.template }) {
		return false
	}
	last.want = w.desired
	w.fitAll()
	return true
}

// sync is one of rolloutRolling, and says whether it has changed anything.
func (w *reference) sync() bool {
	surge, unavailable := w.fenceposts()
	sets := w.weather.sets
	young, old := sets[len(sets)-1], sets[:len(sets)-1]
	all := 0
	for _, set := range sets {
		all += set.want
	}
	if young.want > w.desired {
		young.want = w.desired
		return true
	}
	if all < w.desired+surge && young.want < w.desired {
		young.want += min(w.desired+surge-all, w.desired-young.want)
		return true
	}
	least := w.desired - unavailable
	mayGo := all - least - (young.want - w.available(young.template))
	if mayGo <= 0 {
		return false
	}
	cleaned := 0
	available := w.available(young.template)
	for _, set := range old {
		useful := w.available(set.template)
		available += useful
		down := min(mayGo-cleaned, set.want-useful)
		set.want -= down
		cleaned += down
	}
	scaled := 0
	for _, set := range old {
		down := max(0, min(set.want, available-least-scaled))
		set.want -= down
		scaled += down
	}
	return cleaned+scaled > 0
}

// fitAll is the ReplicaSet controller.
func (w *reference) fitAll() {
	for _, set := range slices.Clone(w.weather.sets) {
		w.fit(set)
	}
}

func (w *reference) fit(set *referenceSet) {
	pods := w.madeOf(set.template)
	for n := len(pods); n < set.want; n++ {
		w.create(set.template)
	}
	if len(pods) <= set.want {
		return
	}
	slices.SortFunc(pods, w.deletedFirst)
	surplus := pods[:len(pods)-set.want]
	started := slices.ContainsFunc(surplus, func(p *referencePod) bool { return p.StartedAt != NotYet })
	for _, p := range surplus {
		w.delete(p)
	}
	if started {
		w.on(w.now, rankLife, w.probe)
	}
}
