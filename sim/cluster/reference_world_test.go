package cluster

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/elasti/hold"
	"github.com/scalelab/scalelab/sim/random"
)

const inFlightFate fate = 255

// record is what became of one request.
type record struct {
	fate                fate
	arrival, start, end time.Duration
	pod                 int32 // that served it
	retries             int
}

func (r record) String() string {
	name := map[fate]string{completed: "completed", timedOut: "timed out", rejected: "rejected", failed: "failed", inFlightFate: "in flight"}[r.fate]
	return fmt.Sprintf("%s: arrival %s, start %s, end %s, pod %d, %d retries", name, r.arrival, r.start, r.end, r.pod, r.retries)
}

// witness notes the fates of a Cluster's requests.
type witness struct {
	cluster  *Cluster
	arrivals []time.Duration
	records  []record // of those that have arrived
}

// look brings the records up to date: of those in flight, with what can be seen
// of them.
func (w *witness) look() []record {
	if w.cluster.clients.on {
		return w.lookAtCalls()
	}
	w.reach(w.cluster.arrived)
	for i := range w.cluster.requests.slab {
		if q := &w.cluster.requests.slab[i]; q.place != free && !q.gone {
			w.note(q)
		}
	}
	for i := range w.cluster.pods {
		for _, s := range w.cluster.pods[i].stays {
			if !s.told && s.started(w.cluster.foreseenTo) {
				w.note(s.request())
			}
		}
	}
	return w.records
}

// reach has a record for each of the first n requests.
func (w *witness) reach(n uint64) {
	for i := uint64(len(w.records)); i < n; i++ {
		w.records = append(w.records, record{fate: inFlightFate, arrival: w.arrivals[i], start: NotYet, end: NotYet, pod: none})
	}
}

func (w *witness) ended(q *request, now time.Duration, f fate) {
	if w.cluster.clients.on {
		w.answered(q, now, f)
		return
	}
	w.reach(q.index + 1)
	w.note(q)
	r := &w.records[q.index]
	if r.fate != inFlightFate {
		panic(fmt.Sprintf("request %d has two fates: %s, then %d", q.index, r, f))
	}
	r.fate, r.end = f, now
}

// note copies what is known about a request.
func (w *witness) note(q *request) {
	r := &w.records[q.index]
	r.pod, r.retries = none, max(0, int(q.deliveries)-1)
	if r.start = q.start; q.start != NotYet {
		r.pod = q.pod
	}
}

// die draws the parts of a world.
type die struct {
	random.Stream
	tick  time.Duration
	crowd int // 1; above, so many pods and requests that rings and heaps grow
}

func (d *die) chance(percent int) bool { return d.IntN(100) < percent }

// upTo is a delay from 0 to n ticks, and some nanoseconds if they do not count.
func (d *die) upTo(n int) time.Duration {
	at := time.Duration(d.IntN(n+1)) * d.tick
	if d.tick%time.Millisecond != 0 {
		at += time.Duration(d.IntN(int(d.tick)))
	}
	return at
}

func (d *die) stage(n int) random.Spec {
	if d.chance(60) {
		return random.Constant(d.upTo(n))
	}
	return random.Spec{Dist: "empirical", Values: []time.Duration{d.upTo(n), d.upTo(n), d.upTo(n)}}
}

func (d *die) spec() Spec {
	s := Spec{
		Replicas: int32(d.IntN(5 * d.crowd)),
		PerPod: PerPod{
			Concurrency: 1 + d.IntN(3), Queue: d.IntN(4), Discipline: "fifo", ServiceTime: d.stage(12),
		},
		Routing:         Routing{Policy: []string{"random", "round-robin", "least-request", "p2c", "central-queue"}[d.IntN(5)]},
		GracePeriod:     d.upTo(8),
		CPURequestMilli: int64(d.IntN(3)) * 333,
		Lifecycle: Lifecycle{
			Schedule: d.stage(2), ImagePull: d.stage(1), Start: d.stage(6), Listen: random.Constant(0), EndpointPropagation: d.stage(3),
		},
		Elastic: d.chance(5),
	}
	if d.chance(30) {
		mean := d.upTo(6) + 1
		s.PerPod.ServiceTime = random.Spec{Dist: "exponential", Mean: &mean}
	}
	if d.chance(70) {
		s.RequestTimeout = d.upTo(12)
	}
	if d.chance(40) {
		s.Lifecycle.Listen = d.stage(4)
	}
	if d.chance(20) {
		cpu := d.upTo(3)
		s.PerPod.CPUPerRequest = &cpu
	}
	if d.chance(60) {
		s.Front, s.Handover = d.front(), d.upTo(4)
	}
	s.Fixed = d.chance(15)
	d.activators(&s)
	s.Watched, s.Fresh = d.chance(50), d.chance(10)
	d.share(&s)
	if d.chance(25) {
		d.consume(&s)
	}
	d.intercept(&s)
	return s
}

func (d *die) front() *hold.Settings {
	s := &hold.Settings{
		Retry: d.upTo(3) + 1, Slots: 1 + d.IntN(8*d.crowd), Capacity: 1 + d.IntN(16*d.crowd), NotifyEvery: d.upTo(5),
	}
	if d.tick%time.Millisecond == 0 {
		s.Retry = d.upTo(3) + d.tick
	}
	if d.chance(60) {
		s.Timeout = d.upTo(10)
	}
	if d.chance(50) {
		s.Faults = hold.Faults{
			ReadyCache: d.upTo(5), Dials: d.IntN(3) * d.IntN(8), RefusedIsFinal: d.chance(50), CloseAfter: d.upTo(5), Closed: d.upTo(5),
			GhostsStay: d.chance(50), FailedNotifyCounts: d.chance(50), NotifyOnArrival: d.chance(50), NotifyByName: d.chance(50),
		}
	}
	return s
}

// duel holds Cluster against the reference in one world.
type duel struct {
	die
	seed    random.Seed
	spec    Spec
	fast    *Cluster
	witness *witness
	plain   *reference
	log     []string // what was done, for the message
}

func newDuel(seed random.Seed, eventByEvent bool) *duel {
	d := &duel{seed: seed, die: die{Stream: seed.Key("world", 0).Stream(), tick: 500 * time.Millisecond}}
	switch chance := d.IntN(10); {
	case chance == 0: // the first pause between two dials
		d.tick = 50 * time.Millisecond
	case chance < 5: // few events of one instant
		d.tick += 12345
	}
	if d.crowd = 1; d.chance(1) {
		d.crowd = 25
	}
	d.spec = d.die.spec()
	d.spec.eventByEvent = eventByEvent
	if d.spec.Consumes == nil && d.chance(40) {
		d.die.clients(&d.spec)
	}
	if d.chance(15) {
		d.die.foreseeable(&d.spec)
	}
	d.die.weather(&d.spec)
	var arrivals []time.Duration
	for range 5 + d.IntN(50*d.crowd) {
		arrivals = append(arrivals, d.upTo(40))
	}
	slices.Sort(arrivals)
	d.witness = &witness{arrivals: arrivals}
	d.plain = newReference(d.spec, seed, arrivals)
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

func (d *duel) run() error {
	at := time.Duration(0)
	for range 12 {
		at += d.upTo(5)
		if err := d.reach(at, d.chance(50)); err != nil {
			return err
		}
		d.act()
		if err := d.compare(); err != nil {
			return err
		}
	}
	if err := d.reach(at+10*time.Minute, false); err != nil {
		return err
	}
	return d.compare()
}

// reach carries both to an instant; before says that nothing of that instant
// has happened yet.
func (d *duel) reach(at time.Duration, before bool) error {
	for {
		var fast, plain Stop
		if before {
			fast = d.fast.Reach(at)
			if at > d.plain.now {
				plain = d.plain.advance(at - 1)
			}
			if plain == NoStop {
				d.plain.moveTo(at)
			}
		} else {
			fast, plain = d.fast.Advance(at), d.plain.advance(at)
		}
		d.log = append(d.log, fmt.Sprintf("at %s", d.fast.Now()))
		if fast != plain || d.fast.Now() != d.plain.now {
			return fmt.Errorf("stop: %d at %s, reference %d at %s", fast, d.fast.Now(), plain, d.plain.now)
		}
		switch {
		case fast == NoStop:
			return nil
		case fast == Changed:
			if err := d.compareActivators(); err != nil {
				return err
			}
			d.answer()
			continue
		case d.spec.Activators != nil:
			d.answer()
			continue
		}
		arrived := d.chance(70)
		d.fast.Notified(arrived)
		d.plain.service.Notified(*d.spec.Front, d.plain.now, arrived)
		if arrived && !d.spec.Fixed {
			d.scale(max(1, d.plain.desired))
		}
	}
}

// answer acts on a stop.
func (d *duel) answer() {
	if d.chance(30) && !d.spec.Fixed && !d.spec.Elastic {
		d.scale(d.plain.desired + 1)
	}
	d.turn()
}

// turn changes the path of requests.
func (d *duel) turn() {
	if d.spec.Activators == nil || !d.chance(30) {
		return
	}
	path := messages.PathDirect
	if d.chance(60) {
		path = messages.PathProxy
	}
	d.log = append(d.log, "path: "+string(path))
	d.fast.SetPath(path)
	d.plain.setPath(path)
}

func (d *duel) scale(n int) {
	d.log = append(d.log, fmt.Sprintf("scale to %d", n))
	d.fast.Scale(int32(n))
	d.plain.scale(n)
}

// act changes the world.
func (d *duel) act() {
	if !d.spec.Elastic && !d.spec.Fixed && d.chance(70) {
		d.scale(d.IntN(7 * d.crowd))
	}
	d.turn()
	d.befall()
	if d.spec.Front == nil || d.spec.Elastic {
		return
	}
	switch d.IntN(12) {
	case 0:
		d.log = append(d.log, "lose the front")
		d.fast.LoseFront()
		d.plain.loseFront()
	case 1, 2:
		reachable := d.chance(60)
		d.log = append(d.log, fmt.Sprintf("front reachable: %t", reachable))
		d.fast.ReachFront(reachable)
		d.plain.unreachable = !reachable
	case 3:
		d.fast.Overheard()
		d.plain.service.Overheard(*d.spec.Front, d.plain.now)
	}
}

// compare says what differs first.
func (d *duel) compare() error {
	fast, plain := d.witness.look(), d.plain.calls
	if len(fast) != len(plain) {
		return fmt.Errorf("%d arrived, reference %d", len(fast), len(plain))
	}
	for i := range fast {
		if fast[i] != plain[i].seen() {
			return fmt.Errorf("request %d\n     cluster: %s\n   reference: %s", i, fast[i], plain[i].seen())
		}
	}
	got, want := d.fast.Transitions(nil), d.plain.transitions
	d.plain.transitions = nil
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			return fmt.Errorf("transitions from number %d: %v, reference %v", i, got[min(i, len(got)):], want[min(i, len(want)):])
		}
	}
	return d.compareCounts()
}

func (d *duel) compareCounts() error {
	if got, want := d.fast.Counters(), d.plain.counters(); got != want {
		return fmt.Errorf("counters: %+v, reference %+v", got, want)
	}
	existed, idle := d.fast.PodTime()
	if existed != d.plain.existed || idle != d.plain.idle {
		return fmt.Errorf("pod time: %s, %s idle, reference %s, %s idle", existed, idle, d.plain.existed, d.plain.idle)
	}
	if got, want := d.fast.Held(), d.plain.held(); got != want {
		return fmt.Errorf("held: %d, reference %d", got, want)
	}
	if got, want := d.fast.Hidden(), d.plain.backlog.hidden; got != want {
		return fmt.Errorf("hidden: %d, reference %d", got, want)
	}
	if got, want := d.fast.front.used, d.plain.inFront(); got != want {
		return fmt.Errorf("slots of the front: %d, reference %d", got, want)
	}
	if err := d.compareActivators(); err != nil {
		return err
	}
	if d.spec.Elastic {
		return nil
	}
	if got, want := d.fast.Topic(nil), d.plain.topic(); !slices.Equal(got, want) {
		return fmt.Errorf("topic: %+v, reference %+v", got, want)
	}
	if d.spec.Interceptor != nil {
		if got, want := d.fast.Pending(), d.plain.pending(); got != want {
			return fmt.Errorf("pending: %d, reference %d", got, want)
		}
	}
	n := d.fast.Replicas()
	if int(n.Desired) != d.plain.desired || int(n.Created) != len(d.plain.alive()) || int(n.Ready) != d.plain.ready() {
		return fmt.Errorf("replicas: %+v, reference %d, %d, %d", n, d.plain.desired, len(d.plain.alive()), d.plain.ready())
	}
	if err := d.compareNodes(); err != nil {
		return err
	}
	var want []PodStatus
	for _, p := range d.plain.pods {
		if p.State != Gone {
			want = append(want, d.plain.status(p))
		} else if f := &d.fast.pods[p.ID]; f.Received != p.Received || f.Completed != p.Completed {
			return fmt.Errorf("pod %d, gone: received %d, completed %d, reference %d, %d", p.ID, f.Received, f.Completed, p.Received, p.Completed)
		}
	}
	if got := d.fast.Pods(nil); !slices.Equal(got, want) {
		return fmt.Errorf("pods:\n  %+v\n  reference\n  %+v", got, want)
	}
	return nil
}

func TestClusterAgreesWithTheReference(t *testing.T) {
	worlds := 10_000
	if testing.Short() {
		worlds = 3_000
	}
	requests, foreseen, sharing, warming, retries, fates := 0, 0, 0, 0, 0, map[fate]int{}
	var consuming struct{ worlds, redelivered, dead int }
	var weather struct{ unsteady, restarts, unready, renewed, housed int }
	intercepting, held := 0, 0
	for seed := range random.Seed(worlds) {
		d := newDuel(seed, false)
		d.fight(t)
		if d.fast.foresight {
			foreseen += len(d.witness.records)
			newDuel(seed, true).fight(t)
		}
		requests += len(d.witness.records)
		if d.plain.shares() {
			sharing++
		}
		if d.spec.Lifecycle.WarmUp != nil {
			warming++
		}
		if d.spec.Consumes != nil {
			consuming.worlds++
			c := d.fast.Counters()
			consuming.redelivered += int(c.Retried)
			consuming.dead += int(c.Failed)
		}
		if d.spec.Interceptor != nil {
			intercepting++
			held += int(d.fast.Counters().Cold)
		}
		for _, r := range d.witness.records {
			fates[r.fate]++
			retries += r.retries
		}
		if d.spec.Unsteady {
			weather.unsteady++
		}
		for _, p := range d.plain.pods {
			weather.restarts += int(p.Restarts)
			if p.UnreadyAt != NotYet {
				weather.unready++
			}
			if p.Template > 0 {
				weather.renewed++
			}
			if p.Node != none {
				weather.housed++
			}
		}
	}
	t.Logf("%d worlds, %d with processor sharing, %d with a warm-up; %d requests, %d of them with foresight and without: %d completed, %d timed out, %d rejected, %d failed, %d in flight; %d retries",
		worlds, sharing, warming, requests, foreseen, fates[completed], fates[timedOut], fates[rejected], fates[failed], fates[inFlightFate], retries)
	t.Logf("%d unsteady worlds: %d restarts, %d pods that ceased to be Ready, %d of a new template, %d on nodes",
		weather.unsteady, weather.restarts, weather.unready, weather.renewed, weather.housed)
	t.Logf("%d worlds that consume: %d redeliveries, %d dead letters", consuming.worlds, consuming.redelivered, consuming.dead)
	t.Logf("%d worlds with an interceptor, which held %d of the requests that were served", intercepting, held)
}

// fight runs a duel and fails the test at the first difference.
func (d *duel) fight(t *testing.T) {
	if err := d.run(); err != nil {
		d.fail(t, err)
	}
}

// fail tells of the world in which the two are apart.
func (d *duel) fail(t *testing.T, err error) {
	front := "none"
	if d.spec.Front != nil {
		front = fmt.Sprintf("%+v", *d.spec.Front)
	}
	consumes := "nothing"
	if m := d.spec.Consumes; m != nil {
		w := m.WithDefaults()
		consumes = fmt.Sprintf("%d partitions %s, visibility timeout %s, at most %d deliveries", w.Partitions, w.Partitioner, *w.VisibilityTimeout, w.MaxDeliveries)
	}
	t.Fatalf("seed %d, %s, foresight %t: %v\n%+v\nconsumes %s\nfront: %s\nactivators: %+v\nretries: %+v\n%s\n%v",
		d.seed, d.fast.Now(), d.fast.foresight, err, d.spec, consumes, front, d.spec.Activators, d.spec.Retries, d.spec.weatherReport(), d.log)
}
