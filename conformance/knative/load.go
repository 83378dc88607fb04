package knative

import (
	"math"
	"time"

	"github.com/scalelab/scalelab/messages"
)

// load is the traffic of a world: regimes that follow one another.
type load struct {
	level    float64 // concurrent requests in all
	drift    float64 // factor from one second to the next
	noise    float64 // relative
	proxied  float64 // share that comes by the activator
	rate     float64 // requests a second for each concurrent one
	left     int     // seconds
	mute     int     // seconds for which scrapes fail
	rough    bool    // values that no binary fraction holds
	unsteady float64 // chance of scrapes to fail for a while
	idle     float64 // chance of a regime to be a long idle time
}

func newLoad(d *dice, idle float64) load {
	return load{rough: d.chance(0.5), unsteady: pick(d, 0, 0, 0.005, 0.02), idle: idle}
}

// step goes on by a second. per is what a pod should have.
func (l *load) step(d *dice, per float64) {
	l.left--
	if l.left < 0 {
		l.regime(d, per)
	}
	l.level = math.Min(l.level*l.drift, 1e9)
	if l.mute > 0 {
		l.mute--
	} else if d.chance(l.unsteady) {
		l.mute = pick(d, 1, 2, 10, 70)
	}
}

// regime begins another one.
func (l *load) regime(d *dice, per float64) {
	l.left = pick(d, 3, 10, 30, 80, 150)
	l.drift, l.noise = 1, pick(d, 0, 0.1, 1)
	l.rate = pick(d, 0.1, 1, 10, 100)
	l.proxied = pick(d, 0, 0, 0.3, 1)
	if d.chance(l.idle) {
		l.level, l.left = 0, pick(d, 30, 100, 150, 300)
		return
	}
	switch d.between(0, 7) {
	case 0, 1:
		l.level = 0
	case 2:
		l.level = per * float64(d.between(1, 30)) / 10
	case 3:
		l.level = per * float64(d.between(1, 12)) // edges of a whole count
	case 4:
		l.level, l.drift = per/10, 1.1
	case 5:
		l.level, l.drift = per*20, 0.93
	case 6:
		l.level = per * pick(d, 100, 1e4, 1e7)
	default:
		l.level = pick(d, 1e-7, 1e-4, 0.3)
	}
}

// now is the level with its noise.
func (l *load) now(d *dice) float64 {
	return l.level * (1 + l.noise*(d.Float64()-0.5))
}

// value is a load as somebody counts it. With fractions of 1/1024 sums do not
// depend on their order, which is chance where several pods are scraped.
func (l *load) value(x float64, alone bool) float64 {
	if l.rough && alone {
		return x
	}
	return math.Round(x*1024) / 1024
}

// reports are those of so many pods that share a load.
func (l *load) reports(d *dice, ages []time.Duration) []messages.PodStats {
	stats := make([]messages.PodStats, len(ages))
	for i, age := range ages {
		share := l.now(d) / float64(len(ages))
		s := messages.PodStats{Age: age, Concurrency: l.value(share, len(ages) < 3), Requests: l.value(share*l.rate, len(ages) < 3)}
		s.ProxiedConcurrency = l.value(s.Concurrency*l.proxied, len(ages) < 3)
		s.ProxiedRequests = l.value(s.Requests*l.proxied, len(ages) < 3)
		stats[i] = s
	}
	return stats
}

// proxy is the report of an activator that takes its share.
func (l *load) proxy(d *dice) messages.ProxyStats {
	concurrency := l.now(d) * l.proxied
	return messages.ProxyStats{Concurrency: l.value(concurrency, true), Requests: l.value(concurrency*l.rate, true)}
}
