package activator

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/knative"
	"github.com/scalelab/scalelab/sim"
	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/random"
)

// world is a revision whose pods come and go, and its requests.
type world struct {
	dice
	seed   uint64
	limit  int  // containerConcurrency
	direct bool // requests go to the only pod, past the activators
	// alike requests take the same time and nobody gives up, so that it does not
	// matter which of several that wait goes first.
	alike    bool
	answers  bool // pods that do not take requests yet answer probes, with 503
	spec     cluster.Spec
	scales   []scale
	arrivals []time.Duration
	end      time.Duration

	trace io.Writer // gets upstream's states; nil: none
}

// scale is a wish for a number of pods.
type scale struct {
	at   time.Duration
	pods int
}

// dice draw a world.
type dice struct{ random.Stream }

func (d *dice) chance(p float64) bool  { return d.Float64() < p }
func (d *dice) between(lo, hi int) int { return lo + d.IntN(hi-lo+1) }

// within is a duration of less than most, to the nanosecond: no two things happen
// at the same instant by accident.
func (d *dice) within(most time.Duration) time.Duration { return time.Duration(d.IntN(int(most))) }

func pick[T any](d *dice, list ...T) T { return list[d.IntN(len(list))] }

func newWorld(seed uint64) *world {
	w := &world{dice: dice{random.Seed(seed).Key("conformance/activator", 0).Stream()}, seed: seed}
	d := &w.dice
	w.limit = pick(d, 0, 1, 1, 2, 2, 3, 3, 4, 4, 10, 100)
	w.alike, w.answers = d.chance(0.3), d.chance(0.3)
	w.direct = w.limit > 0 && d.chance(0.15)
	w.end = time.Duration(d.between(3, 20)) * time.Second
	w.drawSpec()
	w.drawPods()
	w.drawArrivals()
	return w
}

func (w *world) drawSpec() {
	d := &w.dice
	s := cluster.Defaults()
	s.Replicas = int32(pick(d, 0, 0, 1, 1, 2, 3, 6))
	s.GracePeriod = time.Hour
	s.RequestTimeout = 0
	s.PerPod.Concurrency, s.PerPod.Queue = 4000, 0
	s.PerPod.ServiceTime = w.upToThrice(pick(d, 20*time.Millisecond, 200*time.Millisecond, 2*time.Second))
	if w.alike {
		s.PerPod.ServiceTime = random.Constant(s.PerPod.ServiceTime.Min.Truncate(time.Millisecond) + 7919)
	} else if d.chance(0.4) && w.limit > 0 {
		s.RequestTimeout = pick(d, 300*time.Millisecond, time.Second, 3*time.Second) + 104729
		s.OnTimeout = "cancel" // the proxies let go of a request whose client has gone
	}
	s.Lifecycle = cluster.Lifecycle{
		Schedule: random.Constant(50*time.Millisecond + 31), ImagePull: random.Constant(0),
		Start:               w.upToThrice(pick(d, 50*time.Millisecond, 500*time.Millisecond, 2*time.Second)),
		Listen:              random.Constant(pick(d, 0, 0, 120*time.Millisecond+17)),
		EndpointPropagation: random.Constant(pick(d, 3*time.Millisecond+13, 150*time.Millisecond+13, time.Second+13)),
	}
	s.Retries = nil
	k := sim.Knative{
		Revision: knative.Revision{ContainerConcurrency: int64(w.limit)},
		Config:   knative.DefaultConfig(), World: sim.DefaultKnativeWorld(),
	}
	k.World.Activators = pick(d, 1, 1, 1, 2, 2, 3, 5)
	if d.chance(0.04) {
		k.World.Activators = 15
	}
	if w.direct {
		s.Replicas, k.World.Activators = 1, 1
	}
	w.spec = k.Place(s)
}

// upToThrice is a distribution of durations from one to three times the least.
func (w *world) upToThrice(least time.Duration) random.Spec {
	most := 3 * least
	return random.Spec{Dist: "uniform", Min: &least, Max: &most}
}

func (w *world) drawPods() {
	if w.direct {
		return
	}
	d := &w.dice
	for range d.between(1, 8) {
		w.scales = append(w.scales, scale{at: d.within(w.end), pods: pick(d, 0, 1, 1, 2, 2, 3, 4, 5, 7, 12)})
	}
	slices.SortFunc(w.scales, func(a, b scale) int { return cmp.Compare(a.at, b.at) })
}

// drawArrivals draws stretches of different loads, measured by what a few pods can
// take.
func (w *world) drawArrivals() {
	d := &w.dice
	capacity := float64(max(w.limit, pick(d, 1, 4))) * float64(pick(d, 1, 2, 4))
	service := w.spec.PerPod.ServiceTime
	least := service.Min
	if w.alike {
		least = service.Value
	}
	most := pick(d, 200, 400, 800)
	for at := d.within(time.Second); at < w.end && len(w.arrivals) < most; {
		load := pick(d, 0.1, 0.5, 0.9, 1.5, 4, 20)
		gap := time.Duration(float64(*least) * 2 / (capacity * load))
		until := at + d.within(4*time.Second)
		for at < until && len(w.arrivals) < most {
			w.arrivals = append(w.arrivals, at)
			at += 1 + d.within(2*gap+1)
		}
		at = max(at, until) + d.within(pick(d, time.Millisecond, 2*time.Second))
	}
}

// Fill gives the arrivals to ours.
func (w *world) Fill(dst []time.Duration) int {
	n := copy(dst, w.arrivals)
	w.arrivals = w.arrivals[n:]
	return n
}

// cluster is ours.
func (w *world) cluster() (*cluster.Cluster, *cluster.Tally, error) {
	tally := cluster.NewTally([]time.Duration{0}, 0)
	copied := *w
	c, err := cluster.New(w.spec, random.Seed(w.seed), &copied, tally)
	if err == nil && w.direct {
		c.SetPath(messages.PathDirect)
	}
	return c, tally, err
}

// String is the world in a line.
func (w *world) String() string {
	return fmt.Sprintf("containerConcurrency %d, %d activators, %d pods at first, then %v, service %s, timeout %s, start %s, direct %t, answers %t, %d requests",
		w.limit, w.spec.Activators.Count, w.spec.Replicas, w.scales, w.spec.PerPod.ServiceTime, w.spec.RequestTimeout, w.spec.Lifecycle.Start, w.direct, w.answers, len(w.arrivals))
}
