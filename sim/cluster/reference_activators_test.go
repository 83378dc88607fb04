package cluster

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/random"
)

// The reference's activators. Flows are summed up anew from the requests
// whenever somebody looks.

type referenceActivator struct {
	stream     random.Stream
	queue      []*referenceRequest
	all        []*referenceRequest // that ever came by its way
	turn       int
	introduced uint64
}

// passage is the way of a request through proxies.
type passage struct {
	via               *referenceActivator
	sentTo            *referencePod // whose place at the activator it has
	in                *referencePod
	frontIn, frontOut time.Duration
	bufferedAt        time.Duration
	podIn, podOut     time.Duration
}

func (w *reference) beginActivators() {
	s := w.spec.Activators
	if s == nil {
		return
	}
	w.proxied = s.Proxied
	for n := range s.Count {
		w.activators = append(w.activators, &referenceActivator{stream: w.seed.Key("activator", uint64(n)).Stream()})
	}
}

func (w *reference) setPath(path messages.Path) {
	w.pathChanges++
	if w.now == 0 {
		w.proxied = path == messages.PathProxy
		return
	}
	change := w.pathChanges
	stream := w.seed.Key("lifecycle.path", 0).At(change)
	dist := w.stages["endpointPropagation"]
	w.after(dist.Draw(&stream), rankLife, func() {
		if change == w.pathChanges {
			w.proxied, w.changed = path == messages.PathProxy, true
		}
	})
}

// listens is a pod that takes requests from now on: the next probe finds it.
func (w *reference) listens(p *referencePod) {
	if w.spec.Activators == nil || p.listens {
		return
	}
	p.listens = true
	at := time.Duration(0)
	for at < w.now {
		at += w.spec.Activators.ProbeEvery
	}
	w.on(at, rankLife, w.probe)
}

// probe finds all pods that take requests.
func (w *reference) probe() {
	known := len(w.reached)
	w.reached = slices.DeleteFunc(slices.Clone(w.pods), func(p *referencePod) bool {
		return p.State != Ready || !p.listens
	})
	if len(w.reached) > known {
		w.passOnAll()
	}
}

func (w *reference) unreach(p *referencePod) {
	p.listens = false
	if slices.Contains(w.reached, p) {
		w.reached = slices.DeleteFunc(w.reached, func(o *referencePod) bool { return o == p })
		w.passOnAll()
	}
}

func (w *reference) passOnAll() {
	for _, a := range w.activators {
		w.passOn(a)
	}
}

// pods of an activator.
func (w *reference) podsOf(a *referenceActivator) (pods []*referencePod) {
	n, of := slices.Index(w.activators, a), len(w.activators)
	if w.spec.Activators.ContainerConcurrency == 0 || of == 1 || len(w.reached) <= 1 {
		return w.reached
	}
	if of > len(w.reached) {
		return w.reached[n%len(w.reached) : n%len(w.reached)+1]
	}
	each := len(w.reached) / of
	for at, p := range w.reached {
		if at < each*of && at/each == n || at >= each*of && at-each*of == n {
			pods = append(pods, p)
		}
	}
	return pods
}

// sent counts the requests of an activator in a pod, or in all for nil.
func (a *referenceActivator) sent(p *referencePod) (n int) {
	for _, q := range a.all {
		if q.sentTo != nil && (p == nil || q.sentTo == p) {
			n++
		}
	}
	return n
}

func (w *reference) hasRoom(a *referenceActivator) bool {
	limit, pods := w.spec.Activators.ContainerConcurrency, w.podsOf(a)
	return len(pods) > 0 && (limit == 0 || a.sent(nil) < limit*len(pods))
}

func (w *reference) activate(q *referenceRequest) {
	a := w.activators[w.activatorTurn]
	w.activatorTurn = (w.activatorTurn + 1) % len(w.activators)
	if w.unknownTo(a) {
		a.introduced++
		w.wake = true
	}
	q.via, q.frontIn, q.frontOut = a, w.now, NotYet
	a.all = append(a.all, q)
	if len(a.queue) == 0 && w.hasRoom(a) {
		w.sendOn(a, q)
		return
	}
	q.cold = len(w.reached) == 0
	q.place, q.bufferedAt = activatorQueue, w.now
	a.queue = append(a.queue, q)
}

// unknownTo says whether the activator has seen no request for one whole period
// of its reports, the end of which is over.
func (w *reference) unknownTo(a *referenceActivator) bool {
	last := NotYet
	for _, q := range a.all {
		if q.frontOut == NotYet {
			return false
		}
		last = max(last, q.frontOut)
	}
	if last == NotYet {
		return true
	}
	begin := time.Duration(0)
	for begin < last {
		begin += w.spec.Activators.Report
	}
	return w.now > begin+w.spec.Activators.Report
}

func (w *reference) passOn(a *referenceActivator) {
	for len(a.queue) > 0 && w.hasRoom(a) {
		q := a.queue[0]
		a.queue = a.queue[1:]
		w.buffered = append(w.buffered, w.now-q.bufferedAt)
		w.sendOn(a, q)
	}
}

func (w *reference) sendOn(a *referenceActivator, q *referenceRequest) {
	p := w.chosenBy(a)
	q.sentTo = p
	w.deliver(p, q)
}

func (w *reference) chosenBy(a *referenceActivator) *referencePod {
	limit, pods := w.spec.Activators.ContainerConcurrency, w.podsOf(a)
	open := func(p *referencePod) bool { return a.sent(p) < limit }
	switch {
	case limit == 0:
		first, second, coin := a.stream.Two(len(pods))
		if one, other := a.sent(pods[first]), a.sent(pods[second]); one > other || one == other && coin == 1 {
			return pods[second]
		}
		return pods[first]
	case limit <= 3:
		return pods[slices.IndexFunc(pods, open)]
	}
	if a.turn >= len(pods) {
		a.turn = 0
	}
	for !open(pods[a.turn]) {
		a.turn = (a.turn + 1) % len(pods)
	}
	p := pods[a.turn]
	a.turn++
	return p
}

// deliver hands a request to a pod.
func (w *reference) deliver(p *referencePod, q *referenceRequest) {
	p.Received++
	q.in, q.podIn, q.podOut = p, w.now, NotYet
	switch {
	case w.hasSlot(p):
		w.serve(p, q)
	case len(p.queue) < w.spec.PerPod.Queue:
		q.place = podQueue
		p.queue = append(p.queue, q)
	default:
		q.podOut = w.now
		w.finish(q, rejected)
	}
}

// leaveProxies is a request's end.
func (w *reference) leaveProxies(q *referenceRequest) {
	if q.via == nil || q.frontOut != NotYet {
		return
	}
	sent := q.sentTo != nil
	q.frontOut, q.sentTo = w.now, nil
	if sent {
		w.passOn(q.via)
	}
}

func (w *reference) flow(in func(q *referenceRequest) (from, to time.Duration, counts bool)) (f Flow) {
	for _, q := range w.requests {
		from, to, counts := in(q)
		if !counts {
			continue
		}
		f.Entered++
		if to == NotYet {
			f.Inside++
			to = w.now
		}
		f.Stay += to - from
	}
	return f
}

func (w *reference) flowsOf(p *referencePod) (direct, proxied Flow) {
	if w.spec.Activators == nil {
		return Flow{}, Flow{}
	}
	of := func(viaActivator bool) Flow {
		return w.flow(func(q *referenceRequest) (time.Duration, time.Duration, bool) {
			return q.podIn, q.podOut, q.in == p && (q.via != nil) == viaActivator
		})
	}
	return of(false), of(true)
}

func (w *reference) atActivators() (list []Activator) {
	for _, a := range w.activators {
		f := w.flow(func(q *referenceRequest) (time.Duration, time.Duration, bool) {
			return q.frontIn, q.frontOut, q.via == a
		})
		list = append(list, Activator{Flow: f, Introduced: a.introduced})
	}
	return list
}

// activators draws them for a world that has nothing else before its pods.
func (d *die) activators(s *Spec) {
	if s.Elastic || s.Front != nil || s.Routing.Policy == "central-queue" || d.chance(50) {
		return
	}
	s.Fixed = false
	s.Activators = &Activators{Count: 1, Report: d.upTo(3) + d.tick, ProbeEvery: d.upTo(2) + d.tick, Proxied: d.chance(60)}
	if d.chance(60) {
		s.Activators.ContainerConcurrency = 1 + d.IntN(5)
	}
	if d.chance(40) {
		s.Activators.Count += d.IntN(4)
	}
}

func (d *duel) compareActivators() error {
	if got, want := d.fast.Activators(nil), d.plain.atActivators(); !slices.Equal(got, want) {
		return fmt.Errorf("activators: %+v, reference %+v", got, want)
	}
	if path := d.fast.Path(); d.spec.Activators != nil && d.plain.proxied != (path == messages.PathProxy) {
		return fmt.Errorf("path: %s, reference proxied: %t", path, d.plain.proxied)
	}
	buffered := NewHistogram()
	for _, wait := range d.plain.buffered {
		buffered.Record(wait)
	}
	if got := d.fast.tally.Buffered(); !reflect.DeepEqual(got, buffered) {
		return fmt.Errorf("buffered: %d, reference %d", got.Count(), buffered.Count())
	}
	return nil
}
