package cluster

import (
	"fmt"
	"slices"
	"time"

	"github.com/scalelab/scalelab/sim/random"
)

// The reference's nodes: what is free is counted anew whenever somebody asks.

type referenceGround struct {
	nodes    []*referenceNode
	homeless []*referencePod
	scanAt   time.Duration // NotYet: nobody is going to look
	askedAt  time.Duration // for the last node
	asked    int
}

type referenceNode struct {
	pool, ordinal int
	state         nodeState
	from, to      time.Duration
	spare         int // placeholders
	images        map[int]time.Duration
	idleSince     time.Duration // unneeded; NotYet: it is needed
}

func (w *reference) nodesSpec() Nodes { return w.spec.Nodes.WithDefaults() }

func (w *reference) beginNodes() {
	g := &w.ground
	g.scanAt, g.askedAt = NotYet, NotYet
	if w.spec.Nodes == nil {
		return
	}
	for pool, p := range w.nodesSpec().Pools {
		for range p.Count {
			w.newNode(pool, nodeReady)
		}
	}
}

func (w *reference) newNode(pool int, state nodeState) *referenceNode {
	n := &referenceNode{pool: pool, state: state, from: w.now, to: NotYet, images: map[int]time.Duration{}, idleSince: NotYet}
	for _, o := range w.ground.nodes {
		if o.pool == pool {
			n.ordinal++
		}
	}
	w.ground.nodes = append(w.ground.nodes, n)
	return n
}

func (w *reference) podsAt(n *referenceNode) (pods []*referencePod) {
	for _, p := range w.pods {
		if p.State != Gone && p.Node != none && w.ground.nodes[p.Node] == n {
			pods = append(pods, p)
		}
	}
	return pods
}

// neighbours are the pods that do not terminate on a pod's node.
func (w *reference) neighbours(p *referencePod) (n int) {
	for _, o := range w.alive() {
		if o.Node == p.Node {
			n++
		}
	}
	return n
}

// freeOf is what a node has left after so many more pods, in thousandths of a core,
// bytes and pods.
func (w *reference) freeOf(n *referenceNode, more int) [3]int64 {
	p, taken := w.nodesSpec().Pools[n.pool], int64(len(w.podsAt(n))+n.spare+more)
	return [3]int64{int64(p.CPU*1000+0.5) - taken*w.spec.CPURequestMilli, int64(p.Memory) - taken*w.spec.MemoryRequestBytes, int64(p.Pods) - taken}
}

// room is for how many more pods there is room on a node.
func (w *reference) roomOn(n *referenceNode) (room int) {
	for {
		if free := w.freeOf(n, room+1); free[0] < 0 || free[1] < 0 || free[2] < 0 {
			return room
		}
		room++
	}
}

func (w *reference) roomFor() int {
	best, most := -1, int64(0)
	for at, n := range w.ground.nodes {
		if n.state != nodeReady || w.roomOn(n) == 0 {
			continue
		}
		pool, free := w.nodesSpec().Pools[n.pool], w.freeOf(n, 1)
		score := (100*free[0]/int64(pool.CPU*1000+0.5) + 100*free[1]/int64(pool.Memory)) / 2
		if w.nodesSpec().Packing == "pack" {
			score = 100 - score
		}
		if best < 0 || score > most {
			best, most = at, score
		}
	}
	if best < 0 {
		best = slices.IndexFunc(w.ground.nodes, func(n *referenceNode) bool { return n.state == nodeReady && n.spare > 0 })
	}
	return best
}

// moveIn gives a pod its room, and says how long its image takes.
func (w *reference) moveIn(p *referencePod, at int) time.Duration {
	n := w.ground.nodes[at]
	if w.roomOn(n) == 0 {
		n.spare--
	}
	p.Node = int32(at)
	if w.standing() < w.nodesSpec().Headroom && p.State == Pending {
		w.wakeScaler()
	}
	there, known := n.images[int(p.Template)]
	if !known {
		there = w.now + w.draw("imagePull", p)
		n.images[int(p.Template)] = there
	}
	return max(0, there-w.now)
}

func (w *reference) beginOnNode(p *referencePod) {
	if w.spec.Nodes != nil {
		at := w.roomFor()
		w.moveIn(p, at)
		w.ground.nodes[at].images[0] = 0
	}
}

func (w *reference) moveOut(p *referencePod) {
	if w.spec.Nodes == nil {
		return
	}
	if p.Node == none {
		w.ground.homeless = slices.DeleteFunc(w.ground.homeless, func(o *referencePod) bool { return o == p })
		return
	}
	n := w.ground.nodes[p.Node]
	if n.state == nodeLeaving && len(w.podsAt(n)) == 0 {
		w.endNode(n)
	}
	w.settleAll()
}

// settleAll gives room to who waits for it.
func (w *reference) settleAll() {
	if w.spec.Nodes == nil {
		return
	}
	g := &w.ground
	for len(g.homeless) > 0 && w.roomFor() >= 0 {
		p := g.homeless[0]
		g.homeless = g.homeless[1:]
		w.bind(p)
	}
	for len(g.homeless) == 0 && w.standing() < w.nodesSpec().Headroom {
		at := slices.IndexFunc(g.nodes, func(n *referenceNode) bool { return n.state == nodeReady && w.roomOn(n) > 0 })
		if at < 0 {
			break
		}
		g.nodes[at].spare++
	}
	w.wakeScaler()
}

// standing are the placeholders that have room.
func (w *reference) standing() (n int) {
	for _, o := range w.ground.nodes {
		n += o.spare
	}
	return n
}

func (w *reference) wakeScaler() {
	s := w.nodesSpec()
	elastic := slices.ContainsFunc(s.Pools, func(p Pool) bool { return *p.Min < *p.Max })
	if !elastic || w.ground.scanAt != NotYet {
		return
	}
	at := time.Duration(0)
	for at <= w.now {
		at += s.Scaler.Scan
	}
	w.ground.scanAt = at
	w.on(at, rankLife, w.scan)
}

func (w *reference) size(pool int) (n int) {
	for _, o := range w.ground.nodes {
		if o.pool == pool && (o.state == nodeRequested || o.state == nodeReady) {
			n++
		}
	}
	return n
}

// scan is a look of the node autoscaler.
func (w *reference) scan() {
	g, s := &w.ground, w.nodesSpec()
	g.scanAt = NotYet
	missing := len(g.homeless) + s.Headroom - w.standing()
	again := missing > 0
	for _, n := range g.nodes {
		if n.state == nodeRequested {
			missing -= w.roomOn(n)
		}
	}
	for pool, p := range s.Pools {
		for missing > 0 && w.size(pool) < *p.Max {
			missing -= w.roomOn(w.askFor(pool))
		}
	}
	if w.shrink() || again {
		w.wakeScaler()
	}
}

func (w *reference) shrink() (again bool) {
	g, s := &w.ground, w.nodesSpec()
	moved := false
	for at, n := range g.nodes {
		switch {
		case n.state != nodeReady || w.size(n.pool) <= *s.Pools[n.pool].Min || !w.isUnneeded(at):
			n.idleSince = NotYet
			continue
		case n.idleSince == NotYet:
			n.idleSince = w.now
		}
		again = true
		ripe := w.now-n.idleSince >= *s.Scaler.Unneeded && (g.askedAt == NotYet || w.now-g.askedAt >= *s.Scaler.AfterAdd)
		empty := len(w.podsAt(n)) == 0
		if ripe && (empty || !moved) {
			moved = moved || !empty
			w.vacate(at)
		}
	}
	return again
}

func (w *reference) isUnneeded(at int) bool {
	s, n := w.nodesSpec(), w.ground.nodes[at]
	pool, users := s.Pools[n.pool], len(w.podsAt(n))+n.spare
	cpu := float64(int64(users)*w.spec.CPURequestMilli) / float64(int64(pool.CPU*1000+0.5))
	memory := float64(int64(users)*w.spec.MemoryRequestBytes) / float64(pool.Memory)
	if max(cpu, memory) >= *s.Scaler.Utilization {
		return false
	}
	elsewhere := 0
	for other, o := range w.ground.nodes {
		if other != at && o.state == nodeReady {
			elsewhere += w.roomOn(o)
		}
	}
	return elsewhere >= users
}

func (w *reference) askFor(pool int) *referenceNode {
	g := &w.ground
	n := w.newNode(pool, nodeRequested)
	g.asked++
	g.askedAt = w.now
	dist, err := random.New(w.nodesSpec().Pools[pool].Provision)
	if err != nil {
		panic(err)
	}
	stream := w.seed.Key("node.provision", uint64(pool)).At(uint64(n.ordinal))
	w.after(dist.Draw(&stream), rankLife, func() {
		n.state = nodeReady
		w.settleAll()
	})
	return n
}

func (w *reference) vacate(at int) {
	n := w.ground.nodes[at]
	n.state, n.spare = nodeLeaving, 0
	if len(w.podsAt(n)) == 0 {
		w.endNode(n)
	} else {
		w.evict(n)
	}
	w.settleAll()
}

// evict deletes pods as far as the disruption budget allows.
func (w *reference) evict(n *referenceNode) {
	if n.state != nodeLeaving {
		return
	}
	kept := false
	for _, p := range w.podsAt(n) {
		if p.State >= Draining {
			continue
		}
		if least := w.nodesSpec().MinAvailable; least != nil {
			healthy := w.ready()
			if p.State == Ready && healthy-1 < int(*least) || p.State == Starting && healthy < int(*least) {
				kept = true
				continue
			}
		}
		w.replace(p)
	}
	if kept {
		w.after(5*time.Second, rankLife, func() { w.evict(n) })
	}
}

func (w *reference) replace(p *referencePod) {
	w.weather.rolling = true
	w.delete(p)
	w.fitAll()
	w.weather.rolling = false
	w.roll()
}

func (w *reference) endNode(n *referenceNode) { n.state, n.to = nodeGone, w.now }

func (w *reference) readyNodes() (list []int) {
	for at, n := range w.ground.nodes {
		if n.state == nodeReady {
			list = append(list, at)
		}
	}
	return list
}

func (w *reference) loseNodes(n int, draw *random.Stream) {
	chosen := someOf(w.readyNodes(), n, draw)
	for _, at := range chosen {
		lost := w.ground.nodes[at]
		lost.state, lost.spare = nodeLost, 0
		for _, p := range w.podsAt(lost) {
			w.die(p)
		}
		w.after(*w.nodesSpec().NotReadyAfter, rankLife, func() {
			for _, p := range w.podsAt(lost) {
				w.loseReadiness(p)
			}
			w.askFor(lost.pool)
			w.after(*w.nodesSpec().EvictAfter, rankLife, func() {
				for _, p := range w.podsAt(lost) {
					if p.State < Draining {
						w.replace(p)
					}
				}
				w.endNode(lost)
			})
		})
	}
	if len(chosen) > 0 {
		w.settleAll()
	}
}

func (w *reference) die(p *referencePod) {
	w.endContainer(p)
	if w.spec.Consumes != nil {
		w.unroute(p)
	}
	if p.State == Draining {
		w.end(p)
	}
}

func (w *reference) interruptNodes(n int, notice time.Duration, draw *random.Stream) {
	chosen := someOf(w.readyNodes(), n, draw)
	for _, at := range chosen {
		going := w.ground.nodes[at]
		going.state, going.spare = nodeLeaving, 0
		w.askFor(going.pool)
	}
	for _, at := range chosen {
		going := w.ground.nodes[at]
		for _, p := range w.podsAt(going) {
			if p.State < Draining {
				w.replace(p)
			}
		}
		if len(w.podsAt(going)) == 0 {
			w.endNode(going)
			continue
		}
		w.after(notice, rankLife, func() {
			if going.state == nodeGone {
				return
			}
			for _, p := range w.podsAt(going) {
				w.die(p)
			}
			w.endNode(going)
		})
	}
	if len(chosen) > 0 {
		w.settleAll()
	}
}

func (w *reference) drainNodes(n int, draw *random.Stream) {
	chosen := someOf(w.readyNodes(), n, draw)
	for _, at := range chosen {
		w.askFor(w.ground.nodes[at].pool)
	}
	for _, at := range chosen {
		w.vacate(at)
	}
}

// compareNodes says what differs first.
func (d *duel) compareNodes() error {
	var counts NodeCounts
	count := map[nodeState]*int{nodeRequested: &counts.Requested, nodeReady: &counts.Ready, nodeLeaving: &counts.Leaving, nodeLost: &counts.Lost}
	g := &d.plain.ground
	for _, n := range g.nodes {
		if c := count[n.state]; c != nil {
			*c++
		}
	}
	counts.Pending = len(g.homeless)
	if got := d.fast.NodeCounts(); got != counts {
		return fmt.Errorf("nodes: %+v, reference %+v", got, counts)
	}
	if d.spec.Nodes == nil {
		return nil
	}
	existed := make([]time.Duration, len(d.spec.Nodes.Pools))
	for _, n := range g.nodes {
		to := n.to
		if to == NotYet {
			to = d.plain.now
		}
		existed[n.pool] += to - n.from
	}
	if got, asked := d.fast.NodeTime(); !slices.Equal(got, existed) || asked != g.asked {
		return fmt.Errorf("node time: %s, %d requested, reference %s, %d", got, asked, existed, g.asked)
	}
	return nil
}
