package cluster

import (
	"cmp"
	"container/heap"
	"math/big"
	"math/bits"
	"slices"
	"time"

	"github.com/scalelab/scalelab/scaling/elasti/hold"
	"github.com/scalelab/scalelab/sim/random"
)

// reference is a second, deliberately plain data plane: one list of events, one
// closure each, and slices searched from end to end. It follows docs/concepts.md
// and the comments on Spec and hold.Settings. Cluster must agree with it to the
// nanosecond.
type reference struct {
	spec     Spec
	seed     random.Seed
	now      time.Duration
	events   referenceEvents
	sequence int

	demand  Demand
	stages  map[string]random.Dist
	routing random.Stream

	calls    []*referenceCall    // requests, all that ever arrived
	requests []*referenceRequest // attempts, all that were ever sent
	tokens   int                 // of the budget for retries, in thousandths
	pods     []*referencePod     // all that ever were
	routable []*referencePod
	central  []*referenceRequest
	turn     int
	desired  int

	activators    []*referenceActivator
	activatorTurn int
	buffered      []time.Duration // waits at activators that are over
	reached       []*referencePod
	proxied       bool
	pathChanges   uint64
	changed       bool

	service        hold.Service
	frontQueue     []*referenceRequest
	unreachable    bool
	wake           bool
	reachableSince time.Duration
	backlog        referenceBacklog
	weather        referenceWeather
	ground         referenceGround
	intercepted    []*referenceRequest // that wait for a pod

	elastic       int // pods of an elastic cluster
	existed, idle time.Duration
	states        []State // by pod
	transitions   []Transition
}

// The order within one instant, as Advance documents it.
const (
	rankLife = iota
	rankDeparture
	rankGiveUp
	rankTimeout
	rankDeadline
	rankAnswer
	rankDial
	rankLook
	rankRetry
	rankUser
	rankArrival
)

type referenceEvent struct {
	at                  time.Duration
	rank, pod, sequence int
	do                  func()
}

type referenceEvents []referenceEvent

func (e referenceEvents) Len() int { return len(e) }
func (e referenceEvents) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(e[i].at, e[j].at), cmp.Compare(e[i].rank, e[j].rank), cmp.Compare(e[i].pod, e[j].pod), cmp.Compare(e[i].sequence, e[j].sequence)) < 0
}
func (e referenceEvents) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *referenceEvents) Push(x any)   { *e = append(*e, x.(referenceEvent)) }
func (e *referenceEvents) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

type referenceRequest struct {
	call *referenceCall
	record
	told      bool // the client knows its fate
	demand    time.Duration
	place     uint8
	began     time.Duration // start of service, of ghosts too
	server    *referencePod // where that was; nil in an elastic cluster
	viaFront  bool          // holds a slot of the front
	cold      bool
	dials     int
	refusedAt time.Duration // first by a pod to the interceptor
	left      *big.Rat      // work to be done, when the CPU is shared
	passage
	message
}

type referencePod struct {
	PodStatus
	listensAt time.Duration
	listens   bool // a probe would find it
	referenceContainer
	uid     uint64
	serving []*referenceRequest
	queue   []*referenceRequest
	share   referenceShare
}

func (p *referencePod) load() int { return len(p.serving) + len(p.queue) }

func newReference(spec Spec, seed random.Seed, arrivals []time.Duration) *reference {
	demand, err := NewDemand(spec, seed)
	if err != nil {
		panic(err)
	}
	w := &reference{spec: spec, seed: seed, demand: demand, routing: seed.Key("routing", 0).Stream(), stages: map[string]random.Dist{}}
	for name, spec := range map[string]random.Spec{
		"schedule": spec.Lifecycle.Schedule, "imagePull": spec.Lifecycle.ImagePull, "start": spec.Lifecycle.Start,
		"listen": spec.Lifecycle.Listen, "endpointPropagation": spec.Lifecycle.EndpointPropagation,
		"deregister": spec.Lifecycle.leaving(),
	} {
		if w.stages[name], err = random.New(spec); err != nil {
			panic(err)
		}
	}
	w.beginActivators()
	w.weather.sets = []*referenceSet{{}}
	if !spec.Elastic {
		w.beginNodes()
		w.desired = int(spec.Replicas)
		w.weather.sets[0].want = w.desired
		for range spec.Replicas {
			if spec.Fresh {
				w.create(0)
				continue
			}
			p := w.newPod()
			p.ScheduledAt, p.StartedAt, p.RunningSince, p.listensAt = 0, 0, 0, 0
			p.served, p.news, p.known = true, 1, 1
			w.beginOnNode(p)
			w.becomeReady(p)
			w.becomeRoutable(p)
			w.beginProbing(p)
			p.listens = true
			w.probe()
		}
		w.settleAll()
	}
	for _, at := range arrivals {
		w.on(at, rankArrival, func() { w.arrive(func() {}) })
	}
	w.beginClients()
	return w
}

func (w *reference) on(at time.Duration, rank int, do func()) {
	w.sequence++
	heap.Push(&w.events, referenceEvent{at: at, rank: rank, sequence: w.sequence, do: do})
}

// onDeparture is for those of one instant in the order of their pods.
func (w *reference) onDeparture(at time.Duration, p *referencePod, do func()) {
	w.sequence++
	heap.Push(&w.events, referenceEvent{at: at, rank: rankDeparture, pod: int(p.ID), sequence: w.sequence, do: do})
}

func (w *reference) after(delay time.Duration, rank int, do func()) { w.on(w.now+delay, rank, do) }

func (w *reference) advance(to time.Duration) Stop {
	for {
		switch {
		case w.wake:
			w.wake = false
			return Asked
		case w.changed:
			if w.changed = false; w.spec.Watched {
				return Changed
			}
		case len(w.events) == 0 || w.events[0].at > to:
			w.moveTo(to)
			return NoStop
		default:
			e := heap.Pop(&w.events).(referenceEvent)
			w.moveTo(e.at)
			e.do()
		}
	}
}

// moveTo sums up the pods' time on the way.
func (w *reference) moveTo(to time.Duration) {
	passed := to - w.now
	w.existed += time.Duration(w.elastic) * passed
	for _, p := range w.pods {
		if p.State != Gone {
			w.existed += passed
		}
		if p.State == Ready && len(p.serving) == 0 {
			w.idle += passed
		}
	}
	w.now = to
}

// --- requests ---

// send gives an attempt to the cluster.
func (w *reference) send(q *referenceRequest) {
	switch {
	case w.spec.Elastic:
		w.serveElastically(q)
	case w.spec.Consumes != nil:
		w.publish(q)
	case w.proxied:
		w.activate(q)
	case w.spec.Interceptor != nil:
		w.intercept(q)
	case len(w.routable) > 0 && w.now >= w.reachableSince+w.handover():
		w.route(q)
	case w.spec.Front != nil && !w.unreachable:
		w.admit(q)
	default:
		w.finish(q, failed)
	}
}

// tell settles what the client sees.
func (w *reference) tell(q *referenceRequest, f fate) {
	if !q.told {
		q.told, q.fate, q.end = true, f, w.now
		w.hear(q)
	}
}

// finish ends a request for everybody, and frees its slot of the front.
func (w *reference) finish(q *referenceRequest, f fate) {
	w.tell(q, f)
	q.place = free
	if q.viaFront {
		q.viaFront = false
		w.fillFront()
	}
	w.leaveProxies(q)
}

// unwait takes a waiting request from wherever it waits.
func (w *reference) unwait(q *referenceRequest) {
	w.central = without(w.central, q)
	w.frontQueue = without(w.frontQueue, q)
	w.intercepted = without(w.intercepted, q)
	for _, a := range w.activators {
		if slices.Contains(a.queue, q) {
			w.buffered = append(w.buffered, w.now-q.bufferedAt)
		}
		a.queue = without(a.queue, q)
	}
	for _, p := range w.pods {
		p.queue = without(p.queue, q)
	}
	q.podOut = w.now
}

func without(list []*referenceRequest, q *referenceRequest) []*referenceRequest {
	return slices.DeleteFunc(list, func(o *referenceRequest) bool { return o == q })
}

// giveUp is the client's timeout: a waiting request leaves, a served one is
// served on for nobody, or cancelled.
func (w *reference) giveUp(q *referenceRequest) {
	switch {
	case q.told:
	case q.place == inService && w.spec.OnTimeout == "cancel":
		w.cancel(q)
	case q.place == inService, q.asleep() && w.spec.Front.Faults.GhostsStay:
		w.tell(q, timedOut)
	default:
		w.unwait(q)
		w.finish(q, timedOut)
	}
}

func (q *referenceRequest) asleep() bool { return q.place == frontHeld || q.place == frontDialing }

// --- pods and their slots ---

func (w *reference) hasSlot(p *referencePod) bool { return len(p.serving) < w.spec.PerPod.Concurrency }

func (w *reference) serve(p *referencePod, q *referenceRequest) {
	q.began, q.place = w.now, inService
	if !q.told { // else it is a ghost's, which the client never hears of
		q.start, q.pod = w.now, p.ID
	}
	q.demand, q.server = w.slowed(w.warmed(p, q.demand)), p
	if w.shares() {
		w.serveSharing(p, q)
		return
	}
	p.serving = append(p.serving, q)
	w.onDeparture(w.now+q.demand, p, func() {
		if q.place == inService {
			w.depart(p, q)
		}
	})
}

func (w *reference) depart(p *referencePod, q *referenceRequest) {
	p.Completed++
	p.CPU += w.cpu(q)
	w.freeSlot(p, q)
	if q.viaFront {
		w.service.Answered(*w.spec.Front, w.now)
	}
	w.finish(q, completed)
}

// freeSlot gives a request's slot to the next.
func (w *reference) freeSlot(p *referencePod, q *referenceRequest) {
	p.serving = without(p.serving, q)
	q.podOut = w.now
	switch {
	case len(p.queue) > 0:
		next := p.queue[0]
		p.queue = p.queue[1:]
		w.serve(p, next)
	default:
		w.takeFromCentral(p)
		w.takeWhatWaits(p)
	}
	w.finishDraining(p)
}

func (w *reference) takeFromCentral(p *referencePod) {
	for len(w.central) > 0 && slices.Contains(w.routable, p) && w.hasSlot(p) && w.now >= p.listensAt {
		q := w.central[0]
		w.central = w.central[1:]
		p.Received++
		w.serve(p, q)
	}
}

// cpu is the CPU time that a request is given, or else its service time.
func (w *reference) cpu(q *referenceRequest) time.Duration {
	if w.spec.PerPod.CPUPerRequest != nil {
		return *w.spec.PerPod.CPUPerRequest
	}
	return q.demand
}

// cpuTime makes CPU time of service time: a pod with all slots busy uses its CPU
// request, or one core without one.
func (w *reference) cpuTime(sum time.Duration) time.Duration {
	if w.spec.PerPod.CPUPerRequest != nil || w.shares() {
		return sum
	}
	milli := w.spec.CPURequestMilli
	if milli == 0 {
		milli = 1000
	}
	return time.Duration(int64(sum) * milli / 1000 / int64(w.spec.PerPod.Concurrency))
}

func (w *reference) serveElastically(q *referenceRequest) {
	q.demand = w.slowed(q.demand)
	q.start, q.pod, q.place = w.now, 0, inService
	w.resize()
	w.after(q.demand, rankDeparture, func() {
		if q.place != inService { // cancelled
			return
		}
		q.place = free
		w.resize()
		w.finish(q, completed)
	})
}

// resize has ceil(in service / room) pods.
func (w *reference) resize() {
	n := 0
	for _, q := range w.requests {
		if q.place == inService {
			n++
		}
	}
	pods := new(big.Rat).Quo(big.NewRat(int64(n), 1), w.room())
	want := -int(floor(pods.Neg(pods)))
	for ; w.elastic < want; w.elastic++ {
		w.transit(int32(w.elastic), Ready)
	}
	for ; w.elastic > want; w.elastic-- {
		w.transit(int32(w.elastic-1), Draining)
		w.transit(int32(w.elastic-1), Gone)
	}
}

func (w *reference) transit(pod int32, to State) {
	for int(pod) >= len(w.states) {
		w.states = append(w.states, Pending)
	}
	from := w.states[pod]
	if from == Gone { // the oracle's pods come again
		from = Pending
	}
	w.transitions = append(w.transitions, Transition{At: w.now, Pod: pod, From: from, To: to})
	w.states[pod] = to
}

// --- routing ---

func (w *reference) route(q *referenceRequest) {
	p := w.pick()
	if p == nil { // central queue, all slots taken
		if len(w.central) >= w.spec.PerPod.Queue*len(w.routable) {
			w.finish(q, rejected)
			return
		}
		q.place = centralQueue
		w.central = append(w.central, q)
		return
	}
	if w.now < p.listensAt {
		w.refused(q)
		return
	}
	w.deliver(p, q)
}

func (w *reference) pick() *referencePod {
	n := len(w.routable)
	switch w.spec.Routing.Policy {
	case "random":
		return w.routable[w.routing.IntN(n)]
	case "round-robin":
		return w.inTurn(func(*referencePod) int { return 0 })
	case "least-request":
		return w.inTurn((*referencePod).load)
	case "p2c":
		first := w.routing.IntN(n)
		if n == 1 {
			return w.routable[0]
		}
		others := slices.Delete(slices.Clone(w.routable), first, first+1)
		second := others[w.routing.IntN(n-1)]
		if second.load() < w.routable[first].load() {
			return second
		}
		return w.routable[first]
	}
	if !slices.ContainsFunc(w.routable, w.hasSlot) {
		return nil
	}
	return w.inTurn(func(p *referencePod) int {
		if w.hasSlot(p) {
			return 0
		}
		return 1
	})
}

// inTurn is the pod that costs least; equal ones take turns.
func (w *reference) inTurn(cost func(*referencePod) int) *referencePod {
	inOrder := slices.Concat(w.routable[w.turn:], w.routable[:w.turn])
	best := slices.MinFunc(inOrder, func(a, b *referencePod) int { return cmp.Compare(cost(a), cost(b)) })
	w.turn = (slices.Index(w.routable, best) + 1) % len(w.routable)
	return best
}

// --- the pods' lives ---

func (w *reference) draw(stage string, p *referencePod) time.Duration {
	stream := w.seed.Key("lifecycle."+stage, 0).At(uint64(p.ID) | uint64(p.Restarts)<<32)
	dist := w.stages[stage]
	return dist.Draw(&stream)
}

func (w *reference) newPod() *referencePod {
	id := len(w.pods)
	uid := w.seed.Key("uid", 0).At(uint64(id))
	p := &referencePod{uid: uid.Uint64(), listensAt: never, PodStatus: PodStatus{
		ID: int32(id), CreatedAt: w.now,
		ScheduledAt: NotYet, StartedAt: NotYet, RunningSince: NotYet, ReadyAt: NotYet, UnreadyAt: NotYet,
		RoutableAt: NotYet, DeletedAt: NotYet, Node: none,
	}}
	w.pods = append(w.pods, p)
	return p
}

func (w *reference) become(p *referencePod, s State) {
	p.State = s
	w.transit(p.ID, s)
}

func (w *reference) becomeReady(p *referencePod) {
	p.ReadyAt, w.changed = w.now, true
	w.become(p, Ready)
	w.awaitAvailable(p)
}

func (w *reference) becomeRoutable(p *referencePod) {
	p.RoutableAt = w.now
	if slices.Contains(w.routable, p) {
		return
	}
	if len(w.routable) == 0 {
		w.reachableSince = w.now
	}
	w.routable = append(w.routable, p)
	if w.spec.Consumes != nil {
		w.consumersChanged()
		w.takeWhatWaits(p)
		return
	}
	w.takeFromCentral(p)
	w.connectHeld()
}

// handover is how long requests go on through the front. Clients know the pods
// of time 0.
func (w *reference) handover() time.Duration {
	if w.spec.Front == nil || w.reachableSince == 0 {
		return 0
	}
	return w.spec.Handover
}

func (w *reference) alive() (alive []*referencePod) {
	for _, p := range w.pods {
		if p.State < Draining {
			alive = append(alive, p)
		}
	}
	return alive
}

func (w *reference) ready() (n int) {
	for _, p := range w.pods {
		if p.State == Ready {
			n++
		}
	}
	return n
}

func (w *reference) deletedFirst(a, b *referencePod) int {
	if a.State != b.State {
		return cmp.Compare(a.State, b.State)
	}
	if a.Node != none && w.spec.Nodes != nil && w.neighbours(a) != w.neighbours(b) {
		return w.neighbours(b) - w.neighbours(a)
	}
	if a.State < Ready && a.Restarts != b.Restarts {
		return int(b.Restarts - a.Restarts)
	}
	power := func(p *referencePod) int {
		since := p.CreatedAt
		if p.State == Ready {
			since = p.ReadyAt
		}
		return bits.Len64(uint64(w.now - since/time.Second*time.Second))
	}
	return cmp.Or(cmp.Compare(power(a), power(b)), cmp.Compare(a.uid, b.uid))
}

// --- what can be seen from outside ---

func (w *reference) status(p *referencePod) PodStatus {
	s := p.PodStatus
	s.InService, s.Queued = int32(len(p.serving)), int32(len(p.queue))
	for _, q := range p.serving {
		s.CPU += w.cpuSoFar(q)
	}
	s.CPU = w.cpuTime(s.CPU) + w.startCPU(p)
	s.Direct, s.Proxied = w.flowsOf(p)
	return s
}

// cpuSoFar is the part of a request's CPU time that it has used in service.
func (w *reference) cpuSoFar(q *referenceRequest) time.Duration {
	if q.demand == 0 {
		return 0
	}
	done := w.now - q.began
	if w.shares() {
		done = w.received(q.server, q)
	}
	part := new(big.Int).Mul(big.NewInt(int64(w.cpu(q))), big.NewInt(int64(done)))
	return time.Duration(part.Div(part, big.NewInt(int64(q.demand))).Int64())
}

func (w *reference) counters() (c Counters) {
	for _, q := range w.calls {
		c.Arrived++
		c.Retried += uint64(q.retries)
		switch {
		case !q.ended:
			c.InFlight++
		case q.fate == completed:
			c.Completed++
			if q.cold {
				c.Cold++
			}
		case q.fate == timedOut:
			c.TimedOut++
		case q.fate == rejected:
			c.Rejected++
		case q.fate == failed:
			c.Failed++
		}
	}
	return c
}
