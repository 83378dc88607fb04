package cluster

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// deleteSurplus deletes n pods of a template: those that come first in the order of the
// ReplicaSet controller (ActivePodsWithRanks in k8s.io/kubernetes
// pkg/controller/controller_utils.go). There is no deletion cost.
func (c *Cluster) deleteSurplus(template uint16, n int) {
	c.candidates = c.candidates[:0]
	for _, id := range c.present {
		if p := &c.pods[id]; p.State < Draining && p.Template == template {
			c.candidates = append(c.candidates, id)
		}
	}
	neighbours := c.neighbours()
	slices.SortFunc(c.candidates, func(a, b int32) int {
		return c.deletedFirst(&c.pods[a], &c.pods[b], neighbours)
	})
	for _, id := range c.candidates[:n] {
		c.delete(&c.pods[id])
	}
	if c.activators.on && slices.ContainsFunc(c.candidates[:n], func(id int32) bool { return c.pods[id].StartedAt != NotYet }) {
		c.probeAt(c.now)
	}
}

// neighbours counts the pods that do not terminate on every node.
func (c *Cluster) neighbours() []int32 {
	if !c.nodes.on {
		return nil
	}
	on := make([]int32, len(c.nodes.list))
	for _, id := range c.present {
		if p := &c.pods[id]; p.Node != none && p.State < Draining {
			on[p.Node]++
		}
	}
	return on
}

// deletedFirst orders two pods: unassigned before assigned, pending before
// running, not ready before ready; then the one that has more neighbours on its node;
// then the one that has been ready for less time or, if neither is, has been started
// more often, or has existed for less, times compared by powers of two; and within one
// power at random.
func (c *Cluster) deletedFirst(a, b *pod, neighbours []int32) int {
	if a.State != b.State {
		return cmp.Compare(a.State, b.State)
	}
	if neighbours != nil && a.Node != none && neighbours[a.Node] != neighbours[b.Node] {
		return cmp.Compare(neighbours[b.Node], neighbours[a.Node])
	}
	if a.State == Starting && a.Restarts != b.Restarts {
		return cmp.Compare(b.Restarts, a.Restarts)
	}
	return cmp.Or(cmp.Compare(logRank(c.now-seconds(a.since())), logRank(c.now-seconds(b.since()))),
		cmp.Compare(a.uid, b.uid))
}

// since is when a pod became Ready or, before that, was created.
func (p *pod) since() time.Duration {
	if p.State == Ready {
		return p.ReadyAt
	}
	return p.CreatedAt
}

// seconds is an instant as the API keeps it.
func seconds(d time.Duration) time.Duration { return d.Truncate(time.Second) }

// logRank is the power of two that an age lies in, in nanoseconds.
func logRank(age time.Duration) int64 {
	if age <= 0 {
		return -1
	}
	return int64(math.Log2(float64(age)))
}
