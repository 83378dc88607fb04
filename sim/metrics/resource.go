package metrics

import (
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/event"
)

// resource is the way of CPU time: kubelet, then metrics-server.
//
// With intervals of 10 and 15 seconds metrics-server finds samples of 0, 10, 30,
// 40, 60 ... seconds, so that windows are 10 and 20 seconds in turn.
type resource struct {
	kubelet       time.Duration
	metricsServer time.Duration
	sampleAt      time.Duration // the next kubelet sample that will be collected
	collectAt     time.Duration
	collected     time.Duration // by metrics-server, the last time
}

// cpuSample is the CPU time that a container had used at an instant.
type cpuSample struct {
	at   time.Duration // cluster.NotYet: no sample
	used time.Duration
}

// cpuSamples are the kubelet's newest sample and the two newest distinct ones
// that metrics-server has.
type cpuSamples struct{ node, newest, before cpuSample }

var noSamples = cpuSamples{
	node:   cpuSample{at: cluster.NotYet},
	newest: cpuSample{at: cluster.NotYet},
	before: cpuSample{at: cluster.NotYet},
}

func (r *resource) next() time.Duration {
	if r == nil {
		return event.Never
	}
	return min(r.sampleAt, r.collectAt)
}

// collect lets the kubelet sample and metrics-server scrape when they are due.
// Samples that the kubelet overwrites before they are scraped are not taken.
func (r *resource) collect(now time.Duration, pods []cluster.PodStatus, known []track) {
	if now >= r.sampleAt {
		r.sampleAt = event.Never
		for i := range pods {
			if pods[i].RunningSince != cluster.NotYet {
				known[i].cpu.node = cpuSample{at: now, used: pods[i].CPU}
			}
		}
	}
	if now < r.collectAt {
		return
	}
	for i := range known {
		known[i].cpu.collect()
	}
	r.collected = now
	r.collectAt = after(now, r.metricsServer)
	if sample := r.collectAt / r.kubelet * r.kubelet; sample > now/r.kubelet*r.kubelet {
		r.sampleAt = sample
	}
}

func (c *cpuSamples) collect() {
	if c.node.at > c.newest.at {
		c.before, c.newest = c.newest, c.node
	}
}

// milli is the usage between the two samples in millicores: whole nanocores, as
// metrics-server stores them, rounded up to thousandths, as the HPA's client
// reads them. There is none before two samples.
func (c *cpuSamples) milli() (milli int64, window time.Duration, ok bool) {
	if c.before.at == cluster.NotYet || c.newest.used < c.before.used {
		return 0, 0, false
	}
	window = c.newest.at - c.before.at
	nano := int64(float64(c.newest.used-c.before.used) / window.Seconds())
	return (nano + 999_999) / 1_000_000, window, true
}

// answerResource gives every pod with two samples. The sidecars' part is 0.
func (d *Door) answerResource(p *plan, m *messages.Metric, pods []cluster.PodStatus) {
	newest := cluster.NotYet
	d.eachKnown(pods, func(index int, _ *cluster.PodStatus, k *track) {
		milli, window, ok := k.cpu.milli()
		if !ok {
			return
		}
		if p.sidecar {
			milli = 0
		}
		at := d.instant(k.cpu.newest.at)
		m.Pods = append(m.Pods, messages.PodMetric{Pod: index, Milli: milli, At: at, Window: window})
		if k.cpu.newest.at > newest {
			newest = k.cpu.newest.at
			m.At, m.Window = at, window
		}
	})
	if newest == cluster.NotYet {
		m.Err = "no metrics returned from resource metrics API"
	}
}
