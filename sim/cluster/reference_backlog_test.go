package cluster

import (
	"slices"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/random"
)

// The reference's messages: one list of all that wait, and of every partition the
// pod that owns it.
type referenceBacklog struct {
	waiting    []*referenceRequest // by arrival
	hidden     int
	owners     map[int]*referencePod // nil while nobody takes anything
	generation int                   // counts the changes of the pods that consume
}

// message is what a request is as one.
type message struct {
	partition  int
	deliveries int
}

func (w *reference) partitioned() bool { return w.spec.Consumes.Partitions > 0 }

// publish takes a message in.
func (w *reference) publish(q *referenceRequest) {
	q.cold = len(w.routable) == 0
	if n := w.spec.Consumes.Partitions; n > 0 {
		q.partition = int(q.call.index) % n
		if w.spec.Consumes.Partitioner == "key-hash" {
			key := w.seed.Key("partition", 0).At(q.call.index)
			q.partition = key.IntN(n)
		}
	}
	w.offer(q)
}

// offer has a message taken at once, or wait in the order of arrival.
func (w *reference) offer(q *referenceRequest) {
	var taker *referencePod
	if w.partitioned() {
		if owner := w.backlog.owners[q.partition]; owner != nil && w.hasSlot(owner) {
			taker = owner
		}
	} else {
		taker = w.pick()
	}
	if taker != nil {
		w.take(taker, q)
		return
	}
	q.place = centralQueue
	w.backlog.waiting = append(w.backlog.waiting, q)
	slices.SortFunc(w.backlog.waiting, byCall)
}

func (w *reference) take(p *referencePod, q *referenceRequest) {
	if q.deliveries++; q.deliveries > 1 {
		q.call.retries++
	}
	p.Received++
	w.serve(p, q)
}

// topic counts the messages of every partition one by one.
func (w *reference) topic() []messages.Partition {
	if w.spec.Consumes == nil || !w.partitioned() {
		return nil
	}
	all := make([]messages.Partition, w.spec.Consumes.Partitions)
	for _, c := range w.calls {
		if p := &all[c.attempt.partition]; c.seen().fate == inFlightFate {
			p.Lag++
		} else {
			p.Committed++
		}
	}
	return all
}

// takeWhatWaits fills the pod's free slots with what it may take.
func (w *reference) takeWhatWaits(p *referencePod) {
	mine := func(q *referenceRequest) bool { return !w.partitioned() || w.backlog.owners[q.partition] == p }
	for w.hasSlot(p) && slices.Contains(w.routable, p) {
		at := slices.IndexFunc(w.backlog.waiting, mine)
		if at < 0 {
			return
		}
		q := w.backlog.waiting[at]
		w.backlog.waiting = slices.Delete(w.backlog.waiting, at, at+1)
		w.take(p, q)
	}
}

// consumersChanged stops all consumption for a while, and then deals the
// partitions out like cards.
func (w *reference) consumersChanged() {
	if !w.partitioned() {
		return
	}
	b := &w.backlog
	b.owners = nil
	b.generation++
	generation, pause := b.generation, *w.spec.Consumes.Rebalance
	if w.now == 0 {
		pause = 0
	}
	w.after(pause, rankLife, func() {
		if generation != b.generation {
			return
		}
		b.owners = map[int]*referencePod{}
		for k := 0; k < w.spec.Consumes.Partitions && len(w.routable) > 0; k++ {
			b.owners[k] = w.routable[k%len(w.routable)]
		}
		for _, p := range w.routable {
			w.takeWhatWaits(p)
		}
	})
}

// lose puts a message of a pod that is killed out of sight.
func (w *reference) lose(q *referenceRequest) {
	visible := w.now
	if each := *w.spec.Consumes.VisibilityTimeout; each > 0 {
		for visible = q.began + each; visible < w.now; visible += each {
		}
	}
	again := &referenceRequest{
		call: q.call, record: record{fate: inFlightFate, arrival: q.call.arrival, start: NotYet, end: NotYet, pod: none},
		demand: w.demand.At(q.call.index), cold: q.cold, message: q.message, place: invisible,
	}
	q.told, q.place, q.call.attempt = true, free, again
	w.requests = append(w.requests, again)
	w.backlog.hidden++
	w.on(visible, rankLife, func() {
		w.backlog.hidden--
		if most := w.spec.Consumes.MaxDeliveries; most > 0 && again.deliveries == most {
			w.finish(again, failed)
			return
		}
		w.offer(again)
	})
}

// consume makes a world of messages.
func (d *die) consume(s *Spec) {
	m := Consumption{VisibilityTimeout: new(time.Duration), MaxDeliveries: d.IntN(2) * d.IntN(4)}
	if d.chance(80) {
		*m.VisibilityTimeout = d.upTo(8)
	}
	if d.chance(60) {
		m.Partitions, m.Rebalance = 1+d.IntN(8*d.crowd), new(time.Duration)
		m.Partitioner = []string{"round-robin", "key-hash"}[d.IntN(2)]
		if d.chance(70) {
			*m.Rebalance = d.upTo(5)
		}
	}
	s.Consumes = &m
	s.Routing.Policy, s.PerPod.Queue, s.RequestTimeout = "central-queue", 0, 0
	s.Front, s.Handover, s.Activators = nil, 0, nil
	s.Lifecycle.Listen, s.Lifecycle.EndpointPropagation = random.Constant(0), random.Constant(0)
	if d.chance(70) { // so that pods are killed with what they have taken
		s.GracePeriod = d.upTo(3)
	}
}
