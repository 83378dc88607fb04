package cluster

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/scalelab/scalelab/sim/random"
)

// serverlessReference is a second, deliberately plain serverless platform: one
// list of events and slices searched from end to end. It follows the comments on
// Serverless and Advance. Cluster must agree with it to the nanosecond.
type serverlessReference struct {
	spec      Spec
	keepAlive time.Duration
	now       time.Duration
	events    []referenceEvent
	sequence  int

	warm, cold        random.Dist
	warmKey, coldKey  random.Key
	requests          []*record
	counters          Counters
	instances         []*plainInstance // all that ever were
	transitions       []Transition
	existed, idleTime time.Duration
}

type plainInstance struct {
	PodStatus
	busy   bool
	since  time.Duration // start of the service under way
	demand time.Duration // of that service
	period int           // counts the times it became idle, in the order of all
}

func newServerlessReference(spec Spec, seed random.Seed, arrivals []time.Duration) *serverlessReference {
	w := &serverlessReference{spec: spec, keepAlive: *spec.Serverless.KeepAlive, warmKey: seed.Key("service", 0), coldKey: seed.Key("service.cold", 0)}
	for dist, spec := range map[*random.Dist]random.Spec{&w.warm: spec.PerPod.ServiceTime, &w.cold: spec.Serverless.ColdServiceTime} {
		var err error
		if *dist, err = random.New(spec); err != nil {
			panic(err)
		}
	}
	for _, at := range arrivals {
		w.on(at, rankArrival, w.arrive)
	}
	return w
}

func (w *serverlessReference) on(at time.Duration, rank int, do func()) { w.onOf(0, at, rank, do) }

// onOf is for events of one instant and rank in the order of their instances.
func (w *serverlessReference) onOf(instance int32, at time.Duration, rank int, do func()) {
	w.sequence++
	w.events = append(w.events, referenceEvent{at: at, rank: rank, pod: int(instance), sequence: w.sequence, do: do})
}

func (w *serverlessReference) advance(to time.Duration) {
	for len(w.events) > 0 {
		first := 0
		for i := range w.events {
			if referenceEvents(w.events).Less(i, first) {
				first = i
			}
		}
		e := w.events[first]
		if e.at > to {
			break
		}
		w.events = slices.Delete(w.events, first, first+1)
		w.moveTo(e.at)
		e.do()
	}
	w.moveTo(to)
}

func (w *serverlessReference) moveTo(to time.Duration) {
	for _, p := range w.alive() {
		w.existed += to - w.now
		if !p.busy {
			w.idleTime += to - w.now
		}
	}
	w.now = to
}

func (w *serverlessReference) alive() (alive []*plainInstance) {
	for _, p := range w.instances {
		if p.State != Gone {
			alive = append(alive, p)
		}
	}
	return alive
}

func (w *serverlessReference) arrive() {
	index := uint64(len(w.requests))
	q := &record{fate: inFlightFate, arrival: w.now, start: NotYet, end: NotYet, pod: none}
	w.requests = append(w.requests, q)
	w.counters.Arrived++
	if timeout := w.spec.RequestTimeout; timeout > 0 {
		w.on(w.now+timeout, rankTimeout, func() { w.tell(q, timedOut, &w.counters.TimedOut) })
	}
	stream := w.warmKey.At(index)
	demand := w.warm.Draw(&stream)
	p, isCold := w.newestIdle(), false
	if p == nil {
		if most := w.spec.Serverless.MaxInstances; most != nil && len(w.alive()) == int(*most) {
			w.tell(q, rejected, &w.counters.Rejected)
			return
		}
		stream = w.coldKey.At(index)
		p, demand, isCold = w.launch(), w.cold.Draw(&stream), true
	}
	q.start, q.pod = w.now, p.ID
	p.busy, p.since, p.demand = true, w.now, demand
	p.Received++
	w.onOf(p.ID, w.now+demand, rankDeparture, func() {
		p.Completed++
		p.CPU += w.cpu(demand)
		p.busy = false
		w.sequence++
		p.period = w.sequence
		period := p.period
		w.on(w.now+w.keepAlive, rankLife, func() { w.reclaim(p, period) })
		if w.tell(q, completed, &w.counters.Completed) && isCold {
			w.counters.Cold++
		}
	})
}

// tell settles what the client sees, once.
func (w *serverlessReference) tell(q *record, f fate, counter *uint64) bool {
	if q.fate != inFlightFate {
		return false
	}
	q.fate, q.end = f, w.now
	*counter++
	return true
}

func (w *serverlessReference) newestIdle() (newest *plainInstance) {
	for _, p := range w.alive() {
		if !p.busy && (newest == nil || p.period > newest.period) {
			newest = p
		}
	}
	return newest
}

func (w *serverlessReference) launch() *plainInstance {
	p := &plainInstance{PodStatus: PodStatus{
		ID: int32(len(w.instances)), State: Ready, DeletedAt: NotYet,
		CreatedAt: w.now, ScheduledAt: w.now, StartedAt: w.now, ReadyAt: w.now,
	}}
	w.instances = append(w.instances, p)
	w.transitions = append(w.transitions, Transition{At: w.now, Pod: p.ID, To: Ready})
	return p
}

// reclaim ends an instance that has been idle ever since the given period began.
func (w *serverlessReference) reclaim(p *plainInstance, period int) {
	if p.busy || p.period != period || p.State == Gone {
		return
	}
	p.State = Gone
	w.transitions = append(w.transitions, Transition{At: w.now, Pod: p.ID, From: Ready, To: Draining}, Transition{At: w.now, Pod: p.ID, From: Draining, To: Gone})
}

func (w *serverlessReference) cpu(service time.Duration) time.Duration {
	if cpu := w.spec.PerPod.CPUPerRequest; cpu != nil {
		return *cpu
	}
	return service
}

func (w *serverlessReference) status() (all []PodStatus) {
	for _, p := range w.alive() {
		s := p.PodStatus
		if p.busy {
			s.InService = 1
			if p.demand > 0 {
				s.CPU += scaled(w.cpu(p.demand), int64(w.now-p.since), int64(p.demand))
			}
		}
		if w.spec.PerPod.CPUPerRequest == nil {
			s.CPU = time.Duration(int64(s.CPU) * cmp.Or(w.spec.CPURequestMilli, 1000) / 1000)
		}
		all = append(all, s)
	}
	return all
}

// serverless draws a platform. Few values of few ticks make many coincidences.
func (d *die) serverless() Spec {
	s := Spec{
		PerPod:          PerPod{Concurrency: 1 + d.IntN(3), Queue: d.IntN(4), Discipline: "fifo", ServiceTime: d.stage(12)},
		Routing:         Routing{Policy: "random"},
		CPURequestMilli: int64(d.IntN(3)) * 333,
		Lifecycle:       Defaults().Lifecycle,
		Serverless:      &Serverless{ColdServiceTime: d.stage(16)},
	}
	keepAlive := d.upTo(10)
	if d.chance(15) {
		keepAlive = []time.Duration{0, 1, time.Hour}[d.IntN(3)]
	}
	s.Serverless.KeepAlive = &keepAlive
	if d.chance(50) {
		most := int32(1 + d.IntN(6*d.crowd))
		s.Serverless.MaxInstances = &most
	}
	if d.chance(30) {
		mean := d.upTo(6) + 1
		s.PerPod.ServiceTime = random.Spec{Dist: "exponential", Mean: &mean}
	}
	if d.chance(60) {
		s.RequestTimeout = d.upTo(12)
	}
	if d.chance(20) {
		cpu := d.upTo(3)
		s.PerPod.CPUPerRequest = &cpu
	}
	return s
}

// serverlessDuel holds Cluster against the reference in one world.
type serverlessDuel struct {
	die
	spec    Spec
	fast    *Cluster
	witness *witness
	plain   *serverlessReference
}

func newServerlessDuel(seed random.Seed) *serverlessDuel {
	d := &serverlessDuel{die: die{Stream: seed.Key("serverless world", 0).Stream(), tick: 500 * time.Millisecond, crowd: 1}}
	if d.chance(40) {
		d.tick += 12345 // few events of one instant
	}
	if d.chance(2) {
		d.crowd = 15
	}
	d.spec = d.die.serverless()
	var arrivals []time.Duration
	for range 5 + d.IntN(50*d.crowd) {
		arrivals = append(arrivals, d.upTo(60))
	}
	slices.Sort(arrivals)
	d.witness = &witness{arrivals: arrivals}
	d.plain = newServerlessReference(d.spec, seed, arrivals)
	tally := NewTally([]time.Duration{0}, 0)
	tally.observe = d.witness.ended
	instants := instantsOf(arrivals)
	fast, err := New(d.spec, seed, &instants, tally)
	if err != nil {
		panic(err)
	}
	d.fast, d.witness.cluster = fast, fast
	return d
}

func (d *serverlessDuel) run() error {
	at := time.Duration(0)
	for step := range 13 {
		if at += d.upTo(8); step == 12 {
			at += 10 * time.Minute // everything has ended
		}
		if d.chance(50) {
			d.fast.Reach(at)
			if at > d.plain.now {
				d.plain.advance(at - 1)
				d.plain.moveTo(at)
			}
		} else {
			d.fast.Advance(at)
			d.plain.advance(at)
		}
		if err := d.compare(); err != nil {
			return err
		}
	}
	return nil
}

func (d *serverlessDuel) compare() error {
	fast, plain := d.witness.look(), d.plain.requests
	if len(fast) != len(plain) {
		return fmt.Errorf("%d arrived, reference %d", len(fast), len(plain))
	}
	for i := range fast {
		if fast[i] != *plain[i] {
			return fmt.Errorf("request %d\n     cluster: %s\n   reference: %s", i, fast[i], *plain[i])
		}
	}
	if got := d.fast.Transitions(nil); !slices.Equal(got, d.plain.transitions) {
		return fmt.Errorf("transitions: %v, reference %v", got, d.plain.transitions)
	}
	d.plain.transitions = nil
	want := d.plain.counters
	want.InFlight = want.Arrived - want.Completed - want.TimedOut - want.Rejected
	if got := d.fast.Counters(); got != want {
		return fmt.Errorf("counters: %+v, reference %+v", got, want)
	}
	if existed, idle := d.fast.PodTime(); existed != d.plain.existed || idle != d.plain.idleTime {
		return fmt.Errorf("instance time: %s, %s idle, reference %s, %s idle", existed, idle, d.plain.existed, d.plain.idleTime)
	}
	if got, want := d.fast.Pods(nil), d.plain.status(); !slices.Equal(got, want) {
		return fmt.Errorf("instances:\n  %+v\n  reference\n  %+v", got, want)
	}
	n, alive := d.fast.Replicas(), int32(len(d.plain.alive()))
	if n.Desired != alive || n.Created != alive || n.Ready != alive || d.fast.Waiting() != 0 {
		return fmt.Errorf("replicas: %+v, %d waiting, reference %d, 0", n, d.fast.Waiting(), alive)
	}
	return nil
}

func TestServerlessAgreesWithTheReference(t *testing.T) {
	worlds := 20_000
	if testing.Short() {
		worlds = 3_000
	}
	var total Counters
	requests, started := 0, 0
	for seed := range random.Seed(worlds) {
		d := newServerlessDuel(seed)
		if err := d.run(); err != nil {
			t.Fatalf("seed %d, %s: %v\n%+v\n%+v", seed, d.fast.Now(), err, d.spec, *d.spec.Serverless)
		}
		n := d.fast.Counters()
		requests, started = requests+len(d.witness.records), started+len(d.plain.instances)
		total.Completed += n.Completed
		total.Cold += n.Cold
		total.TimedOut += n.TimedOut
		total.Rejected += n.Rejected
		total.InFlight += n.InFlight
	}
	t.Logf("%d worlds, %d requests on %d instances: %d completed, %d of them cold, %d timed out, %d rejected, %d in flight", worlds, requests, started,
		total.Completed, total.Cold, total.TimedOut, total.Rejected, total.InFlight)
}
