package cluster

import (
	"math/big"
	"slices"
	"time"
)

// The reference's processor sharing: the work that every request has left, as
// an exact fraction, brought up to date at every change.

// referenceShare is what a pod knows of its CPU.
type referenceShare struct {
	at   time.Duration // the left of everything in service is of this instant
	plan int           // number of the last plan; only its departures happen
}

func (w *reference) shares() bool { return w.spec.PerPod.Discipline == "ps" && !w.spec.Elastic }

// cores is the number of CPUs of a pod.
func (w *reference) cores() *big.Rat {
	if w.spec.PerPod.Cores == nil {
		return big.NewRat(1, 1)
	}
	return big.NewRat(int64(*w.spec.PerPod.Cores*1000+0.5), 1000)
}

// speed is min(1, cores / n).
func (w *reference) speed(n int) *big.Rat {
	speed := w.cores()
	speed.Mul(speed, big.NewRat(1, int64(n)))
	if speed.Cmp(big.NewRat(1, 1)) > 0 {
		return big.NewRat(1, 1)
	}
	return speed
}

func ns(d time.Duration) *big.Rat { return new(big.Rat).SetInt64(int64(d)) }

// floor rounds down to the whole nanosecond.
func floor(r *big.Rat) time.Duration {
	return time.Duration(new(big.Int).Div(r.Num(), r.Denom()).Int64())
}

// forgiven is the work that a request need not receive.
var forgiven = big.NewRat(1, 1<<20)

// work lets what is in service receive its share up to now.
func (w *reference) work(p *referencePod) {
	if n := len(p.serving); n > 0 {
		each := new(big.Rat).Mul(ns(w.now-p.share.at), w.speed(n))
		for _, q := range p.serving {
			q.left = new(big.Rat).Sub(q.left, each)
		}
	}
	p.share.at = w.now
}

// room is how many requests a pod of the oracle serves.
func (w *reference) room() *big.Rat {
	room := big.NewRat(int64(w.spec.PerPod.Concurrency), 1)
	if w.spec.PerPod.Discipline == "ps" && room.Cmp(w.cores()) > 0 {
		return w.cores()
	}
	return room
}

// plan foresees when the next request of the pod is done. Of one instant, the
// pods take their turns in the order of their numbers.
func (w *reference) plan(p *referencePod) {
	p.share.plan++
	if len(p.serving) == 0 {
		return
	}
	least := slices.MinFunc(p.serving, func(a, b *referenceRequest) int { return a.left.Cmp(b.left) }).left
	wait := new(big.Rat).Sub(least, forgiven)
	wait.Quo(wait, w.speed(len(p.serving)))
	at, plan := w.now, p.share.plan
	if wait.Sign() > 0 {
		at += -floor(wait.Neg(wait)) // rounded up
	}
	w.onDeparture(at, p, func() {
		if p.share.plan == plan {
			w.departAll(p)
		}
	})
}

// departAll ends what is done, in the order of the starts of service.
func (w *reference) departAll(p *referencePod) {
	w.work(p)
	due := slices.DeleteFunc(slices.Clone(p.serving), func(q *referenceRequest) bool { return q.left.Cmp(forgiven) > 0 })
	for _, q := range due {
		w.depart(p, q)
	}
	w.plan(p)
}

// serveSharing puts a request into service.
func (w *reference) serveSharing(p *referencePod, q *referenceRequest) {
	w.work(p)
	q.left = ns(q.demand)
	p.serving = append(p.serving, q)
	w.plan(p)
}

// received is the work that a request has received by now, in whole
// nanoseconds.
func (w *reference) received(p *referencePod, q *referenceRequest) time.Duration {
	left := new(big.Rat).Mul(ns(w.now-p.share.at), w.speed(len(p.serving)))
	left.Sub(q.left, left)
	done := new(big.Rat).Sub(ns(q.demand), left)
	return min(q.demand, floor(done.Add(done, forgiven)))
}

// warmed is the demand of a request that begins now: the factor falls from
// slowdown to 1 between Ready and the end of the warm-up.
func (w *reference) warmed(p *referencePod, demand time.Duration) time.Duration {
	warm := w.spec.Lifecycle.WarmUp
	if warm == nil || p.bornAt == 0 || w.now-p.bornAt >= warm.For {
		return demand
	}
	slower := new(big.Rat).Sub(new(big.Rat).SetFloat64(warm.Slowdown), big.NewRat(1, 1))
	slower.Mul(slower, new(big.Rat).Quo(ns(warm.For-(w.now-p.bornAt)), ns(warm.For)))
	return floor(slower.Add(slower, big.NewRat(1, 1)).Mul(slower, ns(demand)))
}

// share draws processor sharing and a warm-up.
func (d *die) share(s *Spec) {
	if d.chance(50) {
		cores := []float64{0.1, 0.5, 1, 1.5, 2, 3}[d.IntN(6)]
		s.PerPod.Discipline, s.PerPod.Cores = "ps", &cores
		s.PerPod.Concurrency = 1 + d.IntN(8)
		if d.chance(20) {
			s.PerPod.Cores, s.PerPod.Concurrency = nil, 1+d.IntN(50)
		}
	}
	if d.chance(30) {
		s.Lifecycle.WarmUp = &WarmUp{For: d.upTo(12), Slowdown: []float64{1, 1.5, 3, 7.25}[d.IntN(4)]}
	}
}
