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
	kubelet, metricsServer grid
	kubeletDelay, apiDelay time.Duration
	noise                  *noise
	delayed                bool

	sampleAt  time.Duration // the next kubelet sample that will be collected
	collectAt time.Duration // the collection that is shown next
	collected time.Duration // by metrics-server, the last time
	// missing is how many collections a metrics-server that has come back still needs.
	missing int
}

func newResource(spec *Spec, kubelet, metricsServer grid) (*resource, error) {
	p := &spec.Pipeline
	r := &resource{kubelet: kubelet, metricsServer: metricsServer, kubeletDelay: p.Delay.Kubelet, apiDelay: p.Delay.MetricsServer}
	r.delayed = r.kubeletDelay+r.apiDelay > 0
	r.collectAt = r.metricsServer.next(cluster.NotYet)
	r.sampleAt = r.nextSample(cluster.NotYet)
	var err error
	r.noise, err = newNoise("pipeline.noise.cpu", p.Noise.CPU, spec.seed())
	return r, err
}

// cpuSample is the CPU time that a container had used at an instant, and the memory
// that it had in use.
type cpuSample struct {
	at    time.Duration // cluster.NotYet: no sample
	used  time.Duration
	bytes int64
}

var noSample = cpuSample{at: cluster.NotYet}

// cpuSamples are the kubelet's newest sample that can be collected and the two newest
// distinct ones that metrics-server has, all of one container.
type cpuSamples struct {
	node, newest, before cpuSample
	underWay             []cpuSample // with a delay: what cannot be collected yet
	noisy                counter
}

var noSamples = cpuSamples{node: noSample, newest: noSample, before: noSample}

func (r *resource) next() time.Duration {
	if r == nil {
		return event.Never
	}
	return min(r.sampleAt, r.collectAt+r.apiDelay)
}

// nextSample is the first sample after one that will be collected: the kubelet
// overwrites others before.
func (r *resource) nextSample(sampled time.Duration) time.Duration {
	ready := r.kubelet.next(sampled) + r.kubeletDelay
	collection := r.metricsServer.next(ready - 1)
	return r.kubelet.last(collection - r.kubeletDelay)
}

// collect lets the kubelet sample and metrics-server scrape when they are due.
func (r *resource) collect(now time.Duration, pods []cluster.PodStatus, known []track) {
	if now >= r.sampleAt {
		r.sample(now, pods, known)
		r.sampleAt = r.nextSample(now)
	}
	if now < r.collectAt+r.apiDelay {
		return
	}
	restarted := r.metricsServer.stopped(r.collected, now)
	if restarted {
		r.missing = 2
	}
	r.missing = max(0, r.missing-1)
	r.collected = r.collectAt
	r.collectAt = r.metricsServer.next(r.collected)
	unreachable := r.kubelet.silent(r.collected)
	for i := range known {
		k := &known[i].cpu
		if r.delayed {
			k.arrive(r.collected - r.kubeletDelay)
		}
		if unreachable {
			k.node = noSample // it comes back without
		}
		if restarted {
			k.newest, k.before = noSample, noSample
		}
		k.collect(pods[i].RunningSince)
	}
}

func (r *resource) sample(now time.Duration, pods []cluster.PodStatus, known []track) {
	for i := range pods {
		if pods[i].RunningSince == cluster.NotYet {
			continue
		}
		k, used := &known[i].cpu, pods[i].CPU
		if r.noise != nil {
			used = time.Duration(r.noise.count(&k.noisy, int64(used), uint64(pods[i].ID), now))
		}
		taken := cpuSample{at: now, used: used, bytes: pods[i].Memory}
		if r.delayed {
			k.underWay = append(k.underWay, taken)
		} else {
			k.node = taken
		}
	}
}

// arrive lets the samples up to an instant be collected.
func (c *cpuSamples) arrive(upTo time.Duration) {
	n := 0
	for n < len(c.underWay) && c.underWay[n].at <= upTo {
		c.node = c.underWay[n]
		n++
	}
	c.underWay = c.underWay[:copy(c.underWay, c.underWay[n:])]
}

// collect takes the kubelet's sample of the container that runs since an instant.
// Samples of the one before it are dropped, so that there is no usage until there are
// two of the new one.
func (c *cpuSamples) collect(since time.Duration) {
	switch {
	case since == cluster.NotYet || c.node.at < since:
		c.newest, c.before = noSample, noSample
	case c.node.at > c.newest.at:
		if c.newest.at < since {
			c.newest = noSample
		}
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

// What the API says of itself, and the metrics client of an empty answer.
const (
	noResourceMetrics  = "no metrics returned from resource metrics API"
	apiIsDown          = "the server is currently unable to handle the request (get pods.metrics.k8s.io)"
	adapterIsLost      = "Internal error occurred: unable to fetch metrics"
	prometheusIsDown   = "connect: connection refused"
	noCustomMetrics    = "no metrics returned from custom metrics API"
	noScrapeInLookback = "no scrape of the metric in the last 5m0s"
)

// answerResource gives every pod with two samples, also of memory, which is that of
// the newest. The sidecars' part is 0.
func (d *Door) answerResource(p *plan, m *messages.Metric, now time.Duration, pods []cluster.PodStatus) {
	if r := d.resource; r.missing > 0 || r.metricsServer.stopped(r.collected, now) {
		m.Err = apiIsDown
		return
	}
	newest := cluster.NotYet
	d.eachKnown(pods, func(index int, _ *cluster.PodStatus, k *track) {
		milli, window, ok := k.cpu.milli()
		if !ok {
			return
		}
		if p.memory {
			milli = 1000 * k.cpu.newest.bytes
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
		m.Err = noResourceMetrics
	}
}
