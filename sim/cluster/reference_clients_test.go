package cluster

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/scalelab/scalelab/sim/random"
)

// The reference's clients: requests of one or more attempts, and users.

// referenceCall is a request; its record is that of its last attempt.
type referenceCall struct {
	record
	index   uint64
	attempt *referenceRequest // the last one that was sent
	over    bool              // its deadline has come
	ended   bool
	cold    bool
	then    func() // what its user does when it is answered
}

func byCall(a, b *referenceRequest) int { return cmp.Compare(a.call.index, b.call.index) }

func (w *reference) arrive(then func()) {
	call := &referenceCall{
		record: record{fate: inFlightFate, arrival: w.now, start: NotYet, end: NotYet, pod: none},
		index:  uint64(len(w.calls)), then: then,
	}
	w.calls = append(w.calls, call)
	if w.spec.RequestTimeout > 0 {
		w.after(w.spec.RequestTimeout, rankGiveUp, func() { w.giveUpCall(call) })
	}
	w.try(call)
}

// try sends the next attempt of a request.
func (w *reference) try(call *referenceCall) {
	demand := w.demand
	if call.retries > 0 {
		demand.key = w.seed.Key("service", uint64(call.retries))
	}
	q := &referenceRequest{call: call, record: record{fate: inFlightFate, arrival: call.arrival, start: NotYet, end: NotYet, pod: none}, demand: demand.At(call.index)}
	call.attempt = q
	w.requests = append(w.requests, q)
	if r := w.spec.Retries; r != nil && r.PerAttemptTimeout > 0 {
		w.after(r.PerAttemptTimeout, rankTimeout, func() { w.giveUp(q) })
	}
	w.send(q)
}

// hear is the client's side of an attempt that has ended.
func (w *reference) hear(q *referenceRequest) {
	call := q.call
	call.cold = call.cold || q.cold
	if w.mayTryAgain(q) {
		retry := call.retries + 1
		w.after(w.pause(call.index, retry), rankRetry, func() {
			if !call.ended {
				call.retries = retry
				w.try(call)
			}
		})
		return
	}
	w.endCall(call, q.fate)
}

// endCall gives a request its fate, where it has none yet.
func (w *reference) endCall(call *referenceCall, f fate) {
	call.ended = true
	call.fate, call.end = f, w.now
	call.then()
}

func (w *reference) mayTryAgain(q *referenceRequest) bool {
	r := w.spec.Retries
	if r == nil {
		return false
	}
	name := map[fate]string{timedOut: "timeout", rejected: "rejected", failed: "failed"}[q.fate]
	counts := slices.Contains(r.On, name)
	if r.Budget != nil {
		most := 1000 * r.Budget.MaxTokens
		switch {
		case q.fate == completed:
			w.tokens = min(most, w.tokens+int(math.Round(1000*r.Budget.TokenRatio)))
		case counts:
			w.tokens = max(0, w.tokens-1000)
		}
		if 2*w.tokens <= most {
			return false
		}
	}
	return counts && q.call.retries+1 < r.Attempts && !q.call.over
}

func (w *reference) pause(index uint64, retry int) time.Duration {
	b := w.spec.Retries.Backoff
	limit := time.Duration(math.Min(float64(b.Max), float64(b.Initial)*math.Pow(b.Factor, float64(retry-1))))
	stream := w.seed.Key("backoff", uint64(retry)).At(index)
	switch b.Jitter {
	case "full":
		return time.Duration(stream.IntN(int(limit + 1)))
	case "equal":
		half := limit / 2
		return limit - half + time.Duration(stream.IntN(int(half+1)))
	}
	return limit
}

// giveUpCall is the deadline of a request, which ends it also between attempts.
func (w *reference) giveUpCall(call *referenceCall) {
	switch {
	case call.ended:
	case call.attempt.told:
		call.start, call.pod = NotYet, none
		call.attempt = nil
		w.endCall(call, timedOut)
	default:
		call.over = true
		w.giveUp(call.attempt)
	}
}

func (w *reference) cancel(q *referenceRequest) {
	q.place = free
	if q.server != nil {
		q.server.CPU += w.cpuSoFar(q)
		if w.shares() {
			w.work(q.server)
		}
		w.freeSlot(q.server, q)
		if w.shares() {
			w.plan(q.server)
		}
	}
	if w.spec.Elastic {
		w.resize()
	}
	w.finish(q, timedOut)
}

// seen is what became of a request, and where its last attempt was served. One
// in back-off is nowhere.
func (call *referenceCall) seen() record {
	r := call.record
	if q := call.attempt; q != nil && (call.ended || !q.told) {
		r.start, r.pod = q.start, q.pod
	}
	return r
}

// beginClients fills the budget and has every user think for the first time.
func (w *reference) beginClients() {
	if r := w.spec.Retries; r != nil && r.Budget != nil {
		w.tokens = 1000 * r.Budget.MaxTokens
	}
	for _, u := range w.spec.Users {
		dist, err := random.New(u.ThinkTime)
		if err != nil {
			panic(err)
		}
		for id := range u.Count {
			w.moveUser(u, dist, id, 0, u.From)
		}
	}
}

// moveUser has a user think from an instant on, ask, and think again.
func (w *reference) moveUser(u Users, dist random.Dist, id, turn int, from time.Duration) {
	stream := w.seed.Key("think", u.Index).At(uint64(id)<<32 + uint64(turn))
	at := from + dist.Draw(&stream)
	if at >= u.To {
		return
	}
	w.on(at, rankUser, func() {
		w.arrive(func() { w.moveUser(u, dist, id, turn+1, w.now) })
	})
}

// clients draws what the clients of a world are like.
func (d *die) clients(s *Spec) {
	if d.chance(50) {
		s.OnTimeout = "cancel"
	}
	if d.chance(70) {
		s.Retries = d.retries(s.RequestTimeout)
	}
	for i := range d.IntN(3) {
		u := Users{From: d.upTo(20), Count: 1 + d.IntN(4*d.crowd), ThinkTime: d.stage(6), Index: uint64(i)}
		if d.chance(50) {
			mean := d.upTo(4) + d.tick/4
			u.ThinkTime = random.Spec{Dist: "exponential", Mean: &mean}
		}
		if think, _ := random.New(u.ThinkTime); think.Mean() < d.tick/4 { // else thousands of requests
			u.ThinkTime = random.Constant(d.tick)
		}
		u.To = u.From + d.upTo(20)
		s.Users = append(s.Users, u)
	}
}

func (d *die) retries(requestTimeout time.Duration) *Retries {
	r := &Retries{
		Attempts: 1 + d.IntN(5),
		On:       [][]string{{"rejected"}, {"failed"}, {"rejected", "failed"}}[d.IntN(3)],
		Backoff:  Backoff{Initial: d.upTo(2), Factor: []float64{1, 1.5, 2, 3}[d.IntN(4)], Jitter: []string{"none", "full", "equal"}[d.IntN(3)]},
	}
	r.Backoff.Max = r.Backoff.Initial + d.upTo(5)
	if per := d.upTo(5) + 1; d.chance(60) && (requestTimeout == 0 || per < requestTimeout) {
		r.PerAttemptTimeout = per
		if d.tick%time.Millisecond == 0 {
			r.PerAttemptTimeout = per - 1
		}
		if r.PerAttemptTimeout > 0 && d.chance(80) {
			r.On = append(r.On, "timeout")
		}
	}
	if d.chance(40) {
		r.Budget = &Budget{MaxTokens: 1 + d.IntN(6), TokenRatio: float64(1+d.IntN(1500)) / 1000}
	}
	return r
}

// answered notes the fate of a request that clients may have sent several times.
func (w *witness) answered(q *request, now time.Duration, f fate) {
	call := &w.cluster.clients.calls[q.call]
	w.lookAtCalls()
	r := &w.records[call.index]
	if r.fate != inFlightFate {
		panic(fmt.Sprintf("request %d has two fates: %s, then %d", call.index, r, f))
	}
	r.fate, r.end = f, now
}

// lookAtCalls brings the records of requests in flight up to date.
func (w *witness) lookAtCalls() []record {
	c, k := w.cluster, &w.cluster.clients
	for len(w.records) < int(c.arrived) {
		w.records = append(w.records, record{fate: inFlightFate, end: NotYet})
	}
	listed := make([]bool, len(k.calls))
	for n := k.free; n != none; n = k.calls[n].next {
		listed[n] = true
	}
	for n := range k.calls {
		if call := &k.calls[n]; !listed[n] {
			w.records[call.index] = seenByClient(c, call)
		}
	}
	return w.records
}

func seenByClient(c *Cluster, call *call) record {
	r := record{fate: inFlightFate, arrival: call.arrival, start: NotYet, end: NotYet, pod: none, retries: int(call.attempt)}
	if call.request == none { // in back-off; the next attempt has not been sent
		r.retries--
		return r
	}
	if q := &c.requests.slab[call.request]; q.start != NotYet {
		r.start, r.pod = q.start, q.pod
	}
	return r
}
