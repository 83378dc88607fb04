package cluster

import (
	"math"
	"math/big"
	"slices"
	"time"

	"github.com/scalelab/scalelab/sim/event"
	"github.com/scalelab/scalelab/sim/random"
)

// The reference's containers: every probe is played tick by tick.

const never = event.Never

// referenceWeather is what befalls a reference.
type referenceWeather struct {
	slowStart float64
	sets      []*referenceSet // by age
	rolling   bool
}

// referenceContainer is the container of a pod, and what is known of it.
type referenceContainer struct {
	epoch      int           // counts its containers
	served     bool          // the container that runs has been Ready
	bornAt     time.Duration // when it was so first
	startup    time.Duration // what all of them took to become Ready
	grid       time.Duration // a tick of the readiness and the liveness probe
	pause      time.Duration // before the next start but one
	startedAt  time.Duration // by the kubelet's book
	news       int           // changes of the endpoint
	known      int           // the last one that has come about
	brokenFrom time.Duration
	brokenTo   time.Duration
	wellAgain  time.Duration
	stopsAt    time.Duration // deleted: SIGTERM
	probing    bool          // queued probes of the container that runs
	good, bad  map[*Probe]int
}

// ofContainer does something later, if the container is the same and not deleted.
func (w *reference) ofContainer(p *referencePod, delay time.Duration, do func()) {
	epoch := p.epoch
	w.after(delay, rankLife, func() {
		if p.State < Draining && p.epoch == epoch {
			do()
		}
	})
}

func (w *reference) create(template int) {
	p := w.newPod()
	p.Template = uint16(template)
	w.become(p, Pending)
	w.after(w.draw("schedule", p), rankLife, func() {
		if p.State == Pending {
			w.bind(p)
		}
	})
}

// bind gives a pod a node, if there is room, and pulls its image.
func (w *reference) bind(p *referencePod) {
	pull := w.draw("imagePull", p)
	if w.spec.Nodes != nil {
		at := w.roomFor()
		if at < 0 {
			w.ground.homeless = append(w.ground.homeless, p)
			w.wakeScaler()
			return
		}
		pull = w.moveIn(p, at)
	}
	p.ScheduledAt = w.now
	w.become(p, Scheduled)
	w.ofContainer(p, pull, func() {
		p.StartedAt = w.now
		w.become(p, Starting)
		w.probe()
		w.run(p)
	})
}

// run starts the container.
func (w *reference) run(p *referencePod) {
	p.RunningSince, p.grid = w.now, w.now
	p.served, p.probing = false, false
	took := w.draw("start", p)
	if w.weather.slowStart > 0 {
		took = times(took, w.weather.slowStart)
	}
	up := w.now + took
	if s := w.spec.Probes.Startup; s != nil {
		at, good := w.verdict(p, s, up)
		if !good {
			w.ofContainer(p, at-w.now, func() { w.crash(p) })
			return
		}
		p.grid = at
	}
	if l := w.spec.Probes.Liveness; l != nil {
		if at, good := w.verdict(p, l, up); !good {
			w.ofContainer(p, at-w.now, func() { w.crash(p) })
			return
		}
	}
	ready := max(up, p.grid)
	if r := w.spec.Probes.Readiness; r != nil {
		patient := *r
		patient.Failures = math.MaxInt
		ready, _ = w.verdict(p, &patient, up)
	}
	w.ofContainer(p, ready-w.now, func() { w.getReady(p) })
}

// verdict plays a probe of a container that can serve from an instant on.
func (w *reference) verdict(p *referencePod, probe *Probe, up time.Duration) (at time.Duration, good bool) {
	goods, bads := 0, 0
	for at = p.grid; ; at += probe.Period {
		switch {
		case at-p.RunningSince < probe.InitialDelay:
		case at >= up:
			bads = 0
			if goods++; goods == probe.Successes {
				return at, true
			}
		default:
			goods = 0
			if bads++; bads == probe.Failures {
				return at, false
			}
		}
	}
}

func times(d time.Duration, factor float64) time.Duration {
	return floor(new(big.Rat).Mul(ns(d), big.NewRat(int64(math.Round(factor*1000)), 1000)))
}

// slowed is the demand of a request that begins now.
func (w *reference) slowed(demand time.Duration) time.Duration {
	for _, s := range w.spec.Slow {
		if w.now >= s.From && w.now < s.To {
			return times(demand, s.Factor)
		}
	}
	return demand
}

func (w *reference) startCPU(p *referencePod) time.Duration {
	spent := p.startup
	if p.State == Starting && p.RunningSince != NotYet && !p.served {
		spent += w.now - p.RunningSince
	}
	return times(spent, w.spec.Lifecycle.StartCPU)
}

func (w *reference) getReady(p *referencePod) {
	if p.State == Ready || w.now < p.wellAgain {
		return
	}
	first := !p.served
	if p.brokenTo = 0; first {
		p.served, p.bornAt = true, w.now
		p.startup += w.now - p.RunningSince
	}
	w.becomeReady(p)
	if first {
		p.listensAt = w.now + w.draw("listen", p)
	}
	w.spread(p, "endpointPropagation", func() { w.becomeRoutable(p); w.probe() })
	if p.listensAt <= w.now {
		w.accept(p)
	} else {
		epoch := p.epoch
		w.on(p.listensAt, rankLife, func() {
			if p.epoch == epoch {
				w.accept(p)
			}
		})
	}
	w.beginProbing(p)
}

// accept has a pod take connections from now on.
func (w *reference) accept(p *referencePod) {
	if p.State == Ready {
		w.listens(p)
	}
	w.takeFromCentral(p)
}

// spread lets a change of the endpoint come about, unless a younger one has.
func (w *reference) spread(p *referencePod, stage string, do func()) {
	p.news++
	number := p.news
	then := func() {
		if number > p.known {
			p.known = number
			do()
		}
	}
	if stage == "endpointPropagation" {
		w.after(w.draw(stage, p), rankLife, then)
		return
	}
	stream := w.seed.Key("lifecycle."+stage, 0).At(uint64(p.ID) | uint64(number)<<32)
	dist := w.stages[stage]
	if delay := dist.Draw(&stream); delay > 0 && w.spec.Activators == nil {
		w.after(delay, rankLife, then)
		return
	}
	then()
}

func (w *reference) withdraw(p *referencePod) {
	w.spread(p, "deregister", func() { w.unroute(p) })
}

func (w *reference) unroute(p *referencePod) {
	if slices.Contains(w.routable, p) {
		w.routable = slices.DeleteFunc(w.routable, func(o *referencePod) bool { return o == p })
		if w.turn >= len(w.routable) {
			w.turn = 0
		}
		if w.spec.Consumes != nil {
			w.consumersChanged()
		}
	}
	w.unreach(p)
}

func (w *reference) loseReadiness(p *referencePod) {
	if p.State != Ready {
		return
	}
	w.changed = true
	p.UnreadyAt, p.ReadyAt = w.now, NotYet
	w.become(p, Starting)
	w.withdraw(p)
	w.roll()
}

// crash ends a container, which the kubelet starts again.
func (w *reference) crash(p *referencePod) {
	w.endContainer(p)
	p.Restarts++
	p.Former = p.Completed
	if p.pause > 0 && w.now-p.startedAt > 10*time.Minute {
		p.pause = 0
	}
	pause := p.pause
	p.startedAt = w.now + pause
	switch p.pause {
	case 0:
		p.pause = 10 * time.Second
	case 160 * time.Second, 5 * time.Minute:
		p.pause = 5 * time.Minute
	default:
		p.pause *= 2
	}
	w.ofContainer(p, pause, func() { w.run(p) })
	w.loseReadiness(p)
}

// endContainer loses everything that a pod holds.
func (w *reference) endContainer(p *referencePod) {
	if p.State == Starting && p.RunningSince != NotYet && !p.served {
		p.startup += w.now - p.RunningSince
	}
	p.epoch++
	p.RunningSince, p.brokenTo, p.wellAgain = NotYet, 0, 0
	w.unreach(p)
	w.drop(p)
}

func (w *reference) drop(p *referencePod) {
	p.listensAt = never
	serving := slices.Clone(p.serving)
	slices.SortStableFunc(serving, byCall)
	held := slices.Concat(p.queue, serving)
	p.queue, p.serving = nil, nil
	p.share.plan++
	for _, q := range held {
		q.podOut = w.now
		if w.spec.Consumes != nil {
			w.lose(q)
			continue
		}
		w.finish(q, failed)
	}
}

func (w *reference) delete(p *referencePod) {
	p.DeletedAt = w.now
	if p.State != Ready && p.load() == 0 {
		w.unreach(p)
		w.end(p)
		return
	}
	wasReady := p.State == Ready
	w.changed = w.changed || wasReady
	w.become(p, Draining)
	p.stopsAt = w.now
	if p.RunningSince != NotYet {
		p.stopsAt += min(w.spec.PreStop, w.spec.GracePeriod)
	}
	if wasReady && (w.spec.Consumes == nil || p.stopsAt == w.now) {
		w.withdraw(p)
	}
	w.after(w.spec.GracePeriod, rankLife, func() { w.kill(p) })
	if p.stopsAt > w.now {
		w.on(p.stopsAt, rankLife, func() { w.terminate(p) })
		return
	}
	w.terminate(p)
}

// terminate is SIGTERM.
func (w *reference) terminate(p *referencePod) {
	if p.State != Draining {
		return
	}
	p.listensAt = never
	if w.spec.Consumes != nil {
		w.unroute(p)
	}
	w.finishDraining(p)
}

func (w *reference) finishDraining(p *referencePod) {
	if p.State == Draining && w.now >= p.stopsAt && p.load() == 0 {
		w.end(p)
	}
}

func (w *reference) end(p *referencePod) {
	p.listensAt = never
	w.become(p, Gone)
	w.moveOut(p)
	w.roll()
}

// kill fails what the pod still holds at the end of its grace.
func (w *reference) kill(p *referencePod) {
	if p.State != Draining {
		return
	}
	if w.spec.Consumes != nil {
		w.unroute(p)
	}
	w.drop(p)
	w.end(p)
}

// --- what befalls pods ---

// someOf draws n of a list.
func someOf[T any](list []T, n int, draw *random.Stream) (some []T) {
	for i, item := range list {
		if draw.IntN(len(list)-i) < n-len(some) {
			some = append(some, item)
		}
	}
	return some
}

func (w *reference) crashSome(n int, draw *random.Stream) {
	running := slices.DeleteFunc(w.alive(), func(p *referencePod) bool { return p.RunningSince == NotYet })
	for _, p := range someOf(running, n, draw) {
		w.crash(p)
	}
}

func (w *reference) breakSome(n int, until time.Duration, draw *random.Stream) {
	ready := slices.DeleteFunc(w.alive(), func(p *referencePod) bool { return p.State != Ready || p.RunningSince == NotYet })
	for _, p := range someOf(ready, n, draw) {
		if until > w.now {
			w.breakReadiness(p, until)
		}
	}
}

// breakReadiness has the readiness of a pod fail.
func (w *reference) breakReadiness(p *referencePod, until time.Duration) {
	if w.now > p.brokenTo {
		p.brokenFrom = w.now
	}
	p.brokenTo = max(p.brokenTo, until)
	r := w.spec.Probes.Readiness
	gone, back := w.now, p.brokenTo
	if r != nil {
		if w.spec.Probes.Queued {
			return
		}
		bads, goods := 0, 0
		gone = never
		for at := p.grid; goods < r.Successes; at += r.Period {
			switch {
			case at < p.brokenFrom || at-p.RunningSince < r.InitialDelay:
			case at < p.brokenTo:
				if bads++; bads == r.Failures {
					gone = at
				}
			default:
				goods++
				back = at
			}
		}
	}
	if gone == never {
		return
	}
	p.wellAgain = back
	w.ofContainer(p, gone-w.now, func() { w.loseReadiness(p) })
	w.ofContainer(p, back-w.now, func() { w.getReady(p) })
}

// beginProbing begins with the probes that wait for their turn.
func (w *reference) beginProbing(p *referencePod) {
	if !w.spec.Probes.Queued || p.probing {
		return
	}
	p.probing, p.good, p.bad = true, map[*Probe]int{}, map[*Probe]int{}
	for _, probe := range []*Probe{w.spec.Probes.Readiness, w.spec.Probes.Liveness} {
		if probe == nil {
			continue
		}
		sent := p.grid
		for sent <= w.now || sent-p.RunningSince < probe.InitialDelay {
			sent += probe.Period
		}
		w.probeAgain(p, probe, sent)
	}
}

// probeAgain waits for the end of a probe's timeout, and goes on.
func (w *reference) probeAgain(p *referencePod, probe *Probe, sent time.Duration) {
	w.ofContainer(p, sent+probe.Timeout-w.now, func() {
		w.probeAgain(p, probe, sent+probe.Period)
		waits := slices.ContainsFunc(p.queue, func(q *referenceRequest) bool { return q.podIn <= sent })
		if waits || probe == w.spec.Probes.Readiness && sent < p.brokenTo {
			p.bad[probe]++
			p.good[probe] = 0
		} else {
			p.good[probe]++
			p.bad[probe] = 0
		}
		switch {
		case probe == w.spec.Probes.Liveness:
			if p.bad[probe] >= probe.Failures {
				w.crash(p)
			}
		case p.State == Ready && p.bad[probe] >= probe.Failures:
			w.loseReadiness(p)
		case p.State == Starting && p.good[probe] >= probe.Successes:
			w.getReady(p)
		}
	})
}
