package knative

import (
	"math"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/trail"
)

// period is the time between two ticks.
const period = 2 * time.Second

// unknown is the count before there is one.
const unknown = -1

// engine makes a count of what was collected: upstream's autoscaler, and what
// the MultiScaler keeps of its results.
type engine struct {
	*settings
	collector collector

	panicked time.Time // when the threshold was last reached; zero: no panic
	floor    int32     // the largest count of the panic
	delayed  *maxima   // nil: no delay

	desired int32 // the latest valid result, or unknown
	excess  int32 // burst capacity beyond what is asked for

	// What the latest tick saw, and why its count came about.
	saw    averages
	valid  bool
	ground ground
}

type averages struct{ stable, panic float64 }

// newEngine knows nothing yet but what its initial scale could take of a burst.
func newEngine(s *settings, draw func(n int) int) engine {
	e := engine{settings: s, collector: newCollector(s, draw), desired: unknown}
	if s.delay > 0 {
		e.delayed = newMaxima(s.delay, period)
	}
	e.excess = toInt32(s.burst)
	if s.burst != 0 && s.burst != -1 {
		e.excess = toInt32(float64(float64(s.initial)*s.total) - s.burst)
	}
	return e
}

// begin starts beside so many ready pods. Several are kept by a panic until
// there are reports to judge by.
func (e *engine) begin(now time.Time, ready int32) {
	e.floor = ready
	if ready > 1 {
		e.panicked = now
	}
}

func (e *engine) panics() bool { return !e.panicked.IsZero() }

// tick decides anew. The reconciler hears of it where the count has changed, or
// the excess burst capacity its sign.
func (e *engine) tick(now time.Time, ready int32, t *trail.Trail) (changed bool) {
	e.saw, e.valid = e.collector.averages(now)
	if !e.valid {
		t.Text(e.metric).Text(": no reports for more than ").Duration(e.stable).Step(messages.StageMetric, e.desired)
		return false
	}
	count := e.panicMode(now, e.propose(ready, t), t)
	if e.reachable && e.delayed != nil {
		count = e.delayDown(now, count, t)
	}
	excess := e.excessBurst(ready)
	changed = count != e.desired || signsDiffer(excess, e.excess)
	e.desired, e.excess = count, excess
	return changed
}

// signsDiffer counts 0 among the positive.
func signsDiffer(a, b int32) bool { return (a < 0) != (b < 0) }

// proposal is what the two windows ask for.
type proposal struct {
	stable, panic int32
	surge         float64 // pods that the panic window asks for, per ready pod
}

// propose divides the averages by the target and holds the counts within the
// rates: 2 ready pods become at least floor(2 / 2) and at most ceil(2 x 1000).
func (e *engine) propose(ready int32, t *trail.Trail) proposal {
	pods := float64(max(ready, 1))
	stable, panic := math.Ceil(e.saw.stable/e.target), math.Ceil(e.saw.panic/e.target)
	t.Text(e.metric).Text(": ").Decimals(e.saw.stable, 3).Text(" over ").Duration(e.stable).Text(", ").
		Decimals(e.saw.panic, 3).Text(" over ").Duration(e.panic).Text(", target ").Decimals(e.target, 3).Text(" per pod: ").
		Decimals(stable, 3).Text(" and ").Decimals(panic, 3).Text(" pods").Step(messages.StageMetric, toInt32(stable))

	least, most := 0.0, math.Ceil(e.up*pods)
	if e.reachable {
		least = math.Floor(pods / e.down)
	}
	within := func(count float64) int32 { return toInt32(math.Min(math.Max(count, least), most)) }
	p := proposal{stable: within(stable), panic: within(panic), surge: panic / pods}
	if float64(p.stable) != stable || float64(p.panic) != panic {
		t.Text("rates allow ").Decimals(least, 3).Text(" to ").Decimals(most, 3).Text(" pods beside ").Count(ready).Text(" ready").
			Step(messages.StagePolicy, p.stable)
	}
	if e.activation > 1 {
		p.activate(e.activation, stable > 0, panic > 0, t)
	}
	return p
}

// activate lets nothing but zero be below the activation scale.
func (p *proposal) activate(scale int32, stable, panic bool, t *trail.Trail) {
	before := *p
	if stable {
		p.stable = max(p.stable, scale)
	}
	if panic {
		p.panic = max(p.panic, scale)
	}
	if *p != before {
		t.Text("activation-scale is ").Count(scale).Step(messages.StageClamp, p.stable)
	}
}

// panicMode begins when the panic window asks for a multiple of the ready pods,
// and lasts for one stable window beyond the last such tick. Meanwhile the count
// only grows.
func (e *engine) panicMode(now time.Time, p proposal, t *trail.Trail) int32 {
	surges := p.surge >= e.threshold
	if surges {
		e.panicked = now
	} else if e.panics() && e.panicked.Add(e.stable).Before(now) {
		e.panicked, e.floor = time.Time{}, 0
		t.Text("no surge for more than ").Duration(e.stable).Text(": the panic is over").Step(messages.StagePanic, p.stable)
	}
	e.ground = stableAsks
	if !e.panics() {
		return p.stable
	}
	asked := max(p.stable, p.panic)
	if p.panic > p.stable {
		e.ground = panicAsks
	}
	if e.floor > asked {
		e.ground = panicKeeps
	}
	e.floor = max(e.floor, asked)
	if surges {
		t.Text("asked for ").Decimals(p.surge, 3).Text(" times the ready pods, threshold ").Decimals(e.threshold, 3).Text(": panic")
	} else {
		t.Text("in panic, last surge ").Duration(now.Sub(e.panicked)).Text(" ago")
	}
	t.Text(", at least ").Count(e.floor).Step(messages.StagePanic, e.floor)
	return e.floor
}

// delayDown takes the largest count of the scale-down delay.
func (e *engine) delayDown(now time.Time, count int32, t *trail.Trail) int32 {
	largest := e.delayed.record(now, count)
	if largest != count {
		e.ground = delayKeeps
		t.Text("scale-down-delay: largest count of the last ").Duration(e.delay).Text(" is ").Count(largest).
			Step(messages.StageWindow, largest)
	}
	return largest
}

// excessBurst is the room that ready pods have beyond the load and the burst
// that is to be taken without queueing.
func (e *engine) excessBurst(ready int32) int32 {
	switch {
	case e.burst == 0:
		return 0
	case e.burst > 0:
		return toInt32(math.Floor(float64(float64(ready)*e.total) - e.burst - e.saw.panic))
	}
	return -1
}

// report fills in the signals. The averages are there if the latest tick saw any.
func (e *engine) report(signals []messages.Signal) []messages.Signal {
	panics := 0.0
	if e.panics() {
		panics = 1
	}
	signals = append(signals[:0],
		messages.Signal{Name: "panic", Value: panics, Flag: true},
		messages.Signal{Name: "excess_burst_capacity", Value: float64(e.excess)},
		messages.Signal{Name: "desired_pods", Value: float64(e.desired)})
	if e.valid {
		signals = append(signals,
			messages.Signal{Name: StableAverage, Value: e.saw.stable},
			messages.Signal{Name: "panic_average", Value: e.saw.panic})
	}
	return signals
}

// toInt32 converts as upstream does on amd64, where whatever does not fit, or
// is no number, becomes the smallest one. Go leaves that to the architecture;
// here it is always so.
func toInt32(x float64) int32 {
	if x > math.MinInt32-1 && x < math.MaxInt32+1 {
		return int32(x)
	}
	return math.MinInt32
}
