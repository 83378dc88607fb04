package cluster

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/event"
)

// Update is how a rollout replaces the pods of the old template by pods of the new
// one: spec.strategy and spec.minReadySeconds of a Deployment.
//
// The controllers act at once on what they see. Source: pkg/controller/deployment in
// Kubernetes 1.37 (rolling.go, recreate.go, sync.go).
type Update struct {
	// Recreate deletes all old pods first, and makes new ones when they are gone.
	Recreate bool
	// MaxSurge is how many pods there may be beyond those wanted, MaxUnavailable how
	// many of those wanted may be unavailable.
	MaxSurge, MaxUnavailable Share
	// MinReady is how long a pod has to be Ready to be available.
	MinReady time.Duration
}

// Share is a number, or with Percent a part of the pods wanted.
type Share struct {
	Number  int32
	Percent bool
}

func (s Share) of(desired int32, round func(float64) float64) int32 {
	if !s.Percent {
		return s.Number
	}
	return int32(round(float64(desired) * float64(s.Number) / 100))
}

// bounds are the surge, rounded up, and the unavailable, rounded down. Where both
// are 0 one pod may be unavailable, or nothing would ever happen.
func (u *Update) bounds(desired int32) (surge, unavailable int32) {
	surge, unavailable = u.MaxSurge.of(desired, math.Ceil), u.MaxUnavailable.of(desired, math.Floor)
	if surge == 0 && unavailable == 0 {
		unavailable = 1
	}
	return surge, min(unavailable, desired)
}

func (u *Update) validate() error {
	var problems messages.Problems
	check := func(field string, s Share, mostPercent int32) {
		most := int32(maxReplicas)
		if s.Percent {
			most = mostPercent
		}
		if s.Number < 0 || s.Number > most {
			problems.Addf(field, "found %d, expected 0 to %d", s.Number, most)
		}
	}
	check("maxSurge", u.MaxSurge, maxReplicas)
	check("maxUnavailable", u.MaxUnavailable, 100)
	problems.Add(checkDelay("minReadySeconds", u.MinReady))
	return problems.Err()
}

// replicaSet are the pods of one template.
type replicaSet struct {
	template uint16
	replicas int32 // wanted
	limit    int32 // pods that the Deployment could have when the set was last scaled with it
}

func (c *Cluster) newest() *replicaSet { return &c.sets[len(c.sets)-1] }

// Rollout begins to replace all pods by pods of a new template. One under way goes
// on, with the pods that it has made as old ones. An elastic number of pods and
// serverless instances have no template.
func (c *Cluster) Rollout() {
	if c.spec.Elastic || c.spec.Serverless != nil {
		return
	}
	surge, _ := c.spec.Update.bounds(c.desired)
	for i := range c.sets {
		c.sets[i].limit = c.desired + surge
	}
	c.sets = append(c.sets, replicaSet{template: c.newest().template + 1, limit: c.desired + surge})
	for _, id := range c.present {
		if p := &c.pods[id]; p.State == Ready && !c.isAvailable(p) {
			c.awaitAvailable(p)
		}
	}
	c.roll()
}

// RollingOut says whether a rollout is under way.
func (c *Cluster) RollingOut() bool { return len(c.sets) > 1 }

// resizeSets follows a change of the pods wanted. During a rollout every set has its
// part of it.
func (c *Cluster) resizeSets() {
	surge, _ := c.spec.Update.bounds(c.desired)
	var active []*replicaSet
	for i := range c.sets {
		if c.sets[i].replicas > 0 {
			active = append(active, &c.sets[i])
		}
	}
	switch { // with none active, roll begins anew; one alone is active only when a rollout is over
	case !c.RollingOut():
		c.sets[0].replicas = c.desired
	case len(active) > 0:
		c.proportion(active, surge)
	}
	for i := range c.sets {
		c.sets[i].limit = c.desired + surge
	}
	c.rolling = true
	c.replicate()
	c.rolling = false
	c.roll()
}

// proportion divides what is to be added to, or taken from, the sets in the middle of
// a rollout by their sizes. The largest one has what rounding leaves over.
func (c *Cluster) proportion(active []*replicaSet, surge int32) {
	toAdd, added := int32(0), int32(0)
	if c.desired > 0 {
		toAdd = c.desired + surge
	}
	for _, s := range active {
		toAdd -= s.replicas
	}
	slices.SortFunc(active, func(a, b *replicaSet) int {
		younger := cmp.Compare(b.template, a.template)
		if toAdd < 0 {
			younger = -younger
		}
		return cmp.Or(cmp.Compare(b.replicas, a.replicas), younger)
	})
	for _, s := range active {
		share, left := c.shareOf(s, surge), toAdd-added
		switch {
		case left == 0:
			share = 0
		case toAdd > 0:
			share = min(share, left)
		default:
			share = max(share, left)
		}
		s.replicas += share
		added += share
	}
	active[0].replicas = max(0, active[0].replicas+toAdd-added)
}

// shareOf is by how much a set changes with the Deployment.
func (c *Cluster) shareOf(s *replicaSet, surge int32) int32 {
	if c.desired == 0 {
		return -s.replicas
	}
	return int32(math.Round(float64(s.replicas)*float64(c.desired+surge)/float64(s.limit))) - s.replicas
}

// roll goes on with a rollout as far as the pods of now allow.
func (c *Cluster) roll() {
	if !c.RollingOut() || c.rolling {
		return
	}
	c.rolling = true
	done := false
	if c.spec.Update.Recreate {
		done = c.recreate()
	} else {
		for c.step() {
			c.replicate()
		}
		done = c.newest().replicas == c.desired
		for _, s := range c.sets[:len(c.sets)-1] {
			done = done && s.replicas == 0
		}
	}
	c.rolling = false
	if done {
		c.sets = append(c.sets[:0], *c.newest())
	}
}

// step scales the new set up, or else the old ones down, and says whether it did.
func (c *Cluster) step() bool {
	surge, unavailable := c.spec.Update.bounds(c.desired)
	set, old := c.newest(), c.sets[:len(c.sets)-1]
	all := set.replicas
	for i := range old {
		all += old[i].replicas
	}
	if set.replicas > c.desired {
		set.replicas = c.desired
		return true
	}
	if add := min(c.desired+surge-all, c.desired-set.replicas); add > 0 {
		set.replicas += add
		return true
	}
	least, there := c.desired-unavailable, c.availableOf(set.template)
	surplus := all - least - (set.replicas - there)
	if surplus <= 0 {
		return false
	}
	changed := false
	for i := range old { // those that are of no use, first
		available := c.availableOf(old[i].template)
		there += available
		if down := min(surplus, old[i].replicas-available); down > 0 {
			old[i].replicas -= down
			surplus -= down
			changed = true
		}
	}
	spare := there - least
	for i := range old {
		if down := min(spare, old[i].replicas); down > 0 {
			old[i].replicas -= down
			spare -= down
			changed = true
		}
	}
	return changed
}

// recreate lets the old pods end, then makes new ones. It says whether it has.
func (c *Cluster) recreate() bool {
	set := c.newest()
	for i := range c.sets[:len(c.sets)-1] {
		c.sets[i].replicas = 0
	}
	c.replicate()
	for _, id := range c.present {
		if c.pods[id].Template != set.template {
			return false
		}
	}
	set.replicas = c.desired
	c.replicate()
	return true
}

// replicate makes the pods of every set as many as it wants.
func (c *Cluster) replicate() {
	if !c.RollingOut() {
		c.fit(&c.sets[0], c.created)
		return
	}
	for i := range c.sets {
		s, n := &c.sets[i], int32(0)
		for _, id := range c.present {
			if p := &c.pods[id]; p.Template == s.template && p.State < Draining {
				n++
			}
		}
		c.fit(s, n)
	}
}

// fit makes or deletes pods of a set that has n.
func (c *Cluster) fit(s *replicaSet, n int32) {
	for ; n < s.replicas; n++ {
		c.create(s.template)
	}
	if n > s.replicas {
		c.deleteSurplus(s.template, int(n-s.replicas))
	}
}

// availableOf is how many pods of a template are available.
func (c *Cluster) availableOf(template uint16) (n int32) {
	for _, id := range c.present {
		if p := &c.pods[id]; p.Template == template && c.isAvailable(p) {
			n++
		}
	}
	return n
}

func (c *Cluster) isAvailable(p *pod) bool {
	return p.State == Ready && c.now >= p.ReadyAt+c.spec.Update.MinReady
}

// awaitAvailable goes on with a rollout when a pod that is Ready is available.
func (c *Cluster) awaitAvailable(p *pod) {
	if c.RollingOut() {
		c.lives.Push(p.ReadyAt+c.spec.Update.MinReady, event.Pods, life{step: available})
	}
}
