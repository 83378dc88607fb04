package metrics

import (
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
	perPod   bool          // a query wants it by pod
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
}

// sample is a counter (requests, nanoseconds of CPU) or a level at a scrape.
type sample struct {
	at    time.Duration
	value int64
}

// size is the most scrapes that fit into a window open at its old end.
func (g *gauge) size() int {
	if g.window == 0 {
		return 1
	}
	return int((g.window + g.interval - 1) / g.interval)
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
			g.push(h, sample{at: now, value: g.ofPod(p)})
		}
	}
	g.push(&g.total, sample{at: now, value: g.ofWorkload(t, waiting, inService)})
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

// milli is the value at now in thousandths, cut as prometheus-adapter does it.
// A rate is the increase between the first and the last sample in the window,
// over the time between them: rate() without its extrapolation, which makes no
// difference to the mean of steady traffic. A level is the mean of the samples.
// The window is open at its old end: at 60 s, one minute reaches 30 s and 60 s.
func (g *gauge) milli(h *history, now time.Duration) (milli int64, ok bool) {
	in := h.samples
	for g.window > 0 && len(in) > 0 && in[0].at <= now-g.window {
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
	return int64(float64(sum) / float64(len(in)) * 1000), true
}

// unit is how many of a counter's units make one: CPU is counted in nanoseconds.
func (g *gauge) unit() float64 {
	if g.source == SourceCPU {
		return float64(time.Second)
	}
	return 1
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
		m.Err = "no metrics returned from custom metrics API"
	}
}

func (d *Door) answerTotal(p *plan, m *messages.Metric, now time.Duration) {
	milli, ok := d.gauges[p.gauge].milli(&d.gauges[p.gauge].total, now)
	if !ok {
		m.Err = p.tooEarly
		return
	}
	m.Milli = milli
}
