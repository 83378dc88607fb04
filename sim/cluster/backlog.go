package cluster

import (
	"cmp"
	"slices"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/event"
	"github.com/scalelab/scalelab/sim/random"
)

// backlog holds the messages of a workload that consumes and that nobody has taken.
// With partitions, the pod at a position of Cluster.routable owns every partition
// that has the position as its remainder; paused says that the positions have
// changed since the partitions were handed out.
type backlog struct {
	spec       Consumption
	partitions []queue // one without partitions; none where nothing is consumed
	published  []int64 // messages that have come into each partition
	lost       []int64 // those of them that pods have lost, and that are not visible yet
	keys       random.Key
	hidden     int // the sum of lost
	paused     bool
	changes    int32 // of the pods that consume
}

func newBacklog(spec Spec, seed random.Seed) backlog {
	if spec.Consumes == nil {
		return backlog{}
	}
	b := backlog{spec: spec.Consumes.WithDefaults(), keys: seed.Key("partition", 0)}
	n := max(1, b.spec.Partitions)
	b.published, b.lost = make([]int64, n), make([]int64, n)
	for range n {
		b.partitions = append(b.partitions, newQueue())
	}
	return b
}

// waiting is the number of messages that can be taken.
func (b *backlog) waiting() (n int) {
	for k := range b.partitions {
		n += int(b.partitions[k].length)
	}
	return n
}

// partitionOf is where a message goes.
func (b *backlog) partitionOf(index uint64) uint16 {
	n := len(b.partitions)
	if b.spec.Partitioner == keyHash {
		key := b.keys.At(index)
		return uint16(key.IntN(n))
	}
	return uint16(index % uint64(n))
}

// publish takes a message in.
func (c *Cluster) publish(i int32) {
	q := &c.requests.slab[i]
	q.deliveries, q.partition = 0, c.backlog.partitionOf(q.index)
	q.held = len(c.routable) == 0
	c.backlog.published[q.partition]++
	c.offer(i)
}

// offer gives a message to a pod that has a slot for it, or puts it into the
// backlog, behind the older ones.
func (c *Cluster) offer(i int32) {
	q := &c.requests.slab[i]
	if p := c.taker(int(q.partition)); p != nil {
		c.take(p, i)
		return
	}
	q.place = centralQueue
	c.backlog.partitions[q.partition].insert(&c.requests, i)
}

// insert puts a request before the younger ones. Those that have been taken were
// older than what waits, so that it passes few.
func (q *queue) insert(r *requests, i int32) {
	next, index := q.head, r.slab[i].index
	if q.tail == none || r.slab[q.tail].index < index {
		q.push(r, i)
		return
	}
	for r.slab[next].index < index {
		next = r.slab[next].next
	}
	prev := r.slab[next].prev
	r.slab[i].next, r.slab[i].prev, r.slab[next].prev = next, prev, i
	if prev == none {
		q.head = i
	} else {
		r.slab[prev].next = i
	}
	q.length++
}

// taker is the pod that takes a message of a partition now, or nil.
func (c *Cluster) taker(partition int) *pod {
	if c.backlog.spec.Partitions == 0 {
		if at := c.router.firstOpen(); at >= 0 {
			return &c.pods[c.routable[at]]
		}
		return nil
	}
	if c.backlog.paused || len(c.routable) == 0 {
		return nil
	}
	p := &c.pods[c.routable[partition%len(c.routable)]]
	if len(p.serving) == c.spec.PerPod.Concurrency {
		return nil
	}
	return p
}

// take begins to process a message in a pod with a free slot.
func (c *Cluster) take(p *pod, i int32) {
	q := &c.requests.slab[i]
	if q.deliveries > 0 {
		c.tally.retry(q.phase)
	}
	if q.deliveries < maxDeliveries {
		q.deliveries++
	}
	p.Received++
	c.start(p, i)
}

// takeNext gives the oldest message that the pod may take to a free slot of it.
func (c *Cluster) takeNext(p *pod) bool {
	b := &c.backlog
	step := len(c.routable)
	switch {
	case p.position == none || b.paused:
		return false
	case b.spec.Partitions == 0:
		step = 1
	}
	oldest := -1
	for k := int(p.position) % step; k < len(b.partitions); k += step {
		head := b.partitions[k].head
		if head != none && (oldest < 0 || c.requests.slab[head].index < c.requests.slab[b.partitions[oldest].head].index) {
			oldest = k
		}
	}
	if oldest < 0 {
		return false
	}
	c.take(p, b.partitions[oldest].pop(&c.requests))
	return true
}

// takeAll fills the free slots of a pod.
func (c *Cluster) takeAll(p *pod) {
	for len(p.serving) < c.spec.PerPod.Concurrency && c.takeNext(p) {
	}
}

// rebalance follows a change of the pods that consume. Those of time 0 are a group
// already. Partitions are handed out when nothing more changes in the instant.
func (c *Cluster) rebalance() {
	b := &c.backlog
	if b.spec.Partitions == 0 {
		return
	}
	resumes := c.now
	if c.now > 0 {
		resumes += *b.spec.Rebalance
	}
	b.paused = true
	b.changes++
	c.lives.Push(resumes, event.Pods, life{pod: b.changes, step: rebalanced})
}

// handOut ends the pause of a change, unless it has begun anew.
func (c *Cluster) handOut(change int32) {
	b := &c.backlog
	if change != b.changes {
		return
	}
	b.paused = false
	for _, id := range c.routable {
		c.takeAll(&c.pods[id])
	}
}

// loseMessages hides what a pod that is killed has in service until it can be seen
// again. The services end for nobody.
func (c *Cluster) loseMessages(p *pod) {
	c.candidates = append(c.candidates[:0], p.serving...)
	slices.SortFunc(c.candidates, func(a, b int32) int {
		return cmp.Compare(c.requests.slab[a].index, c.requests.slab[b].index)
	})
	for _, i := range c.candidates {
		c.requests.slab[i].gone = true
		c.hide(c.requests.slab[i])
	}
}

// hide keeps a message that was lost until its visibility timeout ends.
func (c *Cluster) hide(q request) {
	i := c.requests.take()
	visible := c.visibleAt(q.start)
	q.generation = c.requests.slab[i].generation
	q.place, q.start, q.pod, q.gone = invisible, NotYet, none, false
	q.service = c.demand.At(q.index)
	c.requests.slab[i] = q
	c.backlog.hidden++
	c.backlog.lost[q.partition]++
	c.lives.Push(visible, event.Pods, life{pod: i, step: visibleAgain})
}

// visibleAt is when a message that is lost now was taken for the last time.
func (c *Cluster) visibleAt(taken time.Duration) time.Duration {
	each := *c.backlog.spec.VisibilityTimeout
	if each == 0 {
		return c.now
	}
	return taken + each*max(1, (c.now-taken+each-1)/each)
}

// reappear delivers a lost message again, unless that has been done often enough.
func (c *Cluster) reappear(i int32) {
	c.backlog.hidden--
	c.backlog.lost[c.requests.slab[i].partition]--
	if most := c.backlog.spec.MaxDeliveries; most > 0 && int(c.requests.slab[i].deliveries) >= most {
		c.end(i, failed)
		return
	}
	c.offer(i)
}

// Topic appends what the broker knows of every partition to dst, in their order, and
// returns it; of a queue without partitions nothing. Offsets are counts: each message
// is committed by itself, whatever is left out before it. An elastic cluster looks at
// no partitions, and all of its are empty.
func (c *Cluster) Topic(dst []messages.Partition) []messages.Partition {
	b := &c.backlog
	if b.spec.Partitions == 0 {
		return dst
	}
	first := len(dst)
	for k := range b.partitions {
		dst = append(dst, messages.Partition{Lag: int64(b.partitions[k].length) + b.lost[k]})
	}
	topic := dst[first:]
	for _, id := range c.present {
		for _, i := range c.pods[id].serving {
			topic[c.requests.slab[i].partition].Lag++
		}
	}
	for k := range topic {
		topic[k].Committed = b.published[k] - topic[k].Lag
	}
	return dst
}

// Hidden is the number of messages that pods have taken and lost, and that cannot
// be taken again yet.
func (c *Cluster) Hidden() int { return c.backlog.hidden }
