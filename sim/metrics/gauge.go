package metrics

import (
	"cmp"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/cluster"
)

// gauge is one measured quantity: a source averaged over a window, for the
// whole workload and for every pod. Queries of the same quantity share it.
type gauge struct {
	source   string
	window   time.Duration // 0: the newest sample
	interval time.Duration // of the scrapes
	delay    time.Duration // from a scrape until a query finds it
	cache    time.Duration // how long ago an answer may have been asked for
	noise    *noise
	perPod   bool // a query wants it by pod
	total    history
	// cpu is the CPU time used by all pods so far: the increases between two
	// scrapes, so that pods that are gone keep their part.
	cpu time.Duration
}

// history holds the newest scrapes of one series, as many as its window can
// reach.
type history struct {
	samples []sample
	cpu     time.Duration // CPU time at the last scrape
	noisy   counter
}

// sample is a counter (requests, nanoseconds of CPU) or a level at a scrape.
type sample struct {
	at    time.Duration
	value int64
}

// size is the most scrapes that fit into a window open at its old end, or that the
// newest one is among, as long ago as an answer may have been asked for.
func (g *gauge) size() int {
	back := g.window + g.cache
	if g.window == 0 {
		return 1 + int((g.cache+g.delay+g.interval-1)/g.interval)
	}
	return int((back + g.interval - 1) / g.interval)
}

func (g *gauge) push(h *history, s sample) {
	if h.samples == nil {
		h.samples = make([]sample, 0, g.size())
	}
	if len(h.samples) == cap(h.samples) {
		h.samples = h.samples[:copy(h.samples, h.samples[1:])]
	}
	h.samples = append(h.samples, s)
}

// scrape takes a sample of the workload and of every Ready pod; a pod that
// terminates is no target any more. index is the gauge's place in a track.
func (g *gauge) scrape(now time.Duration, t Truth, known []track, index int) {
	waiting, inService := int64(t.Held), int64(0)
	for i := range t.Pods {
		p := &t.Pods[i]
		waiting += int64(p.Queued)
		inService += int64(p.InService)
		h := &known[i].gauges[index]
		g.cpu += max(0, p.CPU-h.cpu)
		h.cpu = p.CPU
		if g.perPod && p.State == cluster.Ready {
			g.push(h, sample{at: now, value: g.shown(h, g.ofPod(p), 1+uint64(p.ID), now)})
		}
	}
	g.push(&g.total, sample{at: now, value: g.shown(&g.total, g.ofWorkload(t, waiting, inService), 0, now)})
}

// fine is how many parts a unit is divided into where there is noise, which would
// be lost on small numbers otherwise.
const fine = 1000

// shown is a value as a scrape finds it: with noise, in fine parts.
func (g *gauge) shown(h *history, value int64, series uint64, now time.Duration) int64 {
	switch {
	case g.noise == nil:
		return value
	case isRate(g.source):
		return g.noise.count(&h.noisy, value*fine, series, now)
	}
	return g.noise.times(value*fine, series, now)
}

func (g *gauge) ofPod(p *cluster.PodStatus) int64 {
	switch g.source {
	case SourceRPS:
		return int64(p.Received)
	case SourceQueue:
		return int64(p.Queued)
	case SourceConcurrency:
		return int64(p.Queued) + int64(p.InService)
	}
	return int64(p.CPU)
}

func (g *gauge) ofWorkload(t Truth, waiting, inService int64) int64 {
	switch g.source {
	case SourceRPS:
		return int64(t.Counters.Arrived + t.Counters.Retried) // a server cannot tell them apart
	case SourceQueue:
		queue, _ := t.levels(waiting, inService)
		return queue
	case SourceConcurrency:
		_, concurrency := t.levels(waiting, inService)
		return concurrency
	}
	return int64(g.cpu)
}

// milli is the value at an instant in thousandths, cut as prometheus-adapter does it.
// A rate is the increase between the first and the last sample in the window,
// over the time between them: rate() without its extrapolation, which makes no
// difference to the mean of steady traffic. A level is the mean of the samples.
// The window is open at its old end: at 60 s, one minute reaches 30 s and 60 s.
// The newest sample counts for as long as Prometheus looks back.
func (g *gauge) milli(h *history, now time.Duration) (milli int64, ok bool) {
	in := h.samples
	for len(in) > 0 && in[len(in)-1].at > now-g.delay {
		in = in[:len(in)-1]
	}
	if g.window == 0 && len(in) > 1 {
		in = in[len(in)-1:]
	}
	reach := cmp.Or(g.window, lookback)
	for len(in) > 0 && in[0].at <= now-reach {
		in = in[1:]
	}
	if isRate(g.source) {
		if len(in) < 2 {
			return 0, false
		}
		first, last := in[0], in[len(in)-1]
		seconds := (last.at - first.at).Seconds()
		return int64(float64(last.value-first.value) / g.unit() / seconds * 1000), true
	}
	if len(in) == 0 {
		return 0, false
	}
	var sum int64
	for _, s := range in {
		sum += s.value
	}
	return int64(float64(sum) / g.unit() / float64(len(in)) * 1000), true
}

// lookback is how old a sample may be to answer for the present
// (--query.lookback-delta).
const lookback = 5 * time.Minute

// unit is how many of a sample's units make one: CPU is counted in nanoseconds.
func (g *gauge) unit() float64 {
	unit := 1.0
	if g.source == SourceCPU {
		unit = float64(time.Second)
	}
	if g.noise != nil {
		unit *= fine
	}
	return unit
}

// answerPods gives every Ready pod that has been scraped often enough.
func (d *Door) answerPods(p *plan, m *messages.Metric, now time.Duration, pods []cluster.PodStatus) {
	d.eachKnown(pods, func(index int, status *cluster.PodStatus, k *track) {
		if status.State != cluster.Ready {
			return
		}
		if milli, ok := d.gauges[p.gauge].milli(&k.gauges[p.gauge], now); ok {
			m.Pods = append(m.Pods, messages.PodMetric{Pod: index, Milli: milli, At: m.At, Window: m.Window})
		}
	})
	if len(m.Pods) == 0 {
		m.Err = noCustomMetrics
	}
}

func (d *Door) answerTotal(p *plan, m *messages.Metric, now time.Duration) {
	g := d.gauges[p.gauge]
	milli, ok := g.milli(&g.total, now)
	switch {
	case !ok && g.window == 0 && !m.At.IsZero(): // there was one
		m.Err = noScrapeInLookback
		return
	case !ok:
		m.Err = p.tooEarly
		return
	}
	m.Milli = milli
}
