package knative

import (
	"math"
	"time"

	"github.com/scalelab/scalelab/messages"
)

// collector keeps what the proxies report of the metric, in one window for the
// long run and a short one for surges.
type collector struct {
	stable, panic buckets
	young         time.Duration // pods younger than this are sampled last
	byRequests    bool          // the metric is requests per second
	scrapes       bool
	draw          func(n int) int
}

func newCollector(s *settings, draw func(n int) int) collector {
	return collector{
		stable:     newBuckets(s.stable, s.weighted),
		panic:      newBuckets(s.panic, s.weighted),
		young:      s.stable,
		byRequests: s.metric == rps,
		// With no limit of the burst the activator is in the way at all times,
		// and counts everything.
		scrapes: s.burst != -1,
		draw:    draw,
	}
}

func (c *collector) record(now time.Time, value float64) {
	c.stable.record(now.Unix(), value)
	c.panic.record(now.Unix(), value)
}

// recordProxy takes the report of an activator.
func (c *collector) recordProxy(now time.Time, s messages.ProxyStats) {
	if c.byRequests {
		c.record(now, s.Requests)
	} else {
		c.record(now, s.Concurrency)
	}
}

// averages are valid unless nothing came for longer than the window from pods
// that are asked.
func (c *collector) averages(now time.Time) (a averages, valid bool) {
	if c.scrapes && c.stable.empty(now.Unix()) {
		return averages{}, false
	}
	return averages{stable: c.stable.average(now.Unix()), panic: c.panic.average(now.Unix())}, true
}

// scrape lets a sample of the pods speak for all of them. What the activator
// has passed on to them it reports by itself.
func (c *collector) scrape(now time.Time, pods []messages.PodStats) {
	if len(pods) == 0 || !c.scrapes {
		return
	}
	old := 0
	for old < len(pods) && pods[old].Age >= c.young {
		old++
	}
	size := sampleSize(len(pods))
	var sum, proxied float64
	c.sample(pods[:old], size, &sum, &proxied)
	c.sample(pods[old:], size-old, &sum, &proxied)
	n, all := float64(size), float64(len(pods))
	c.record(now, float64(sum/n*all)-float64(proxied/n*all))
}

// sample adds up want of the pods, or all where there are not so many. It takes
// each with the probability that leaves every subset equally likely (Knuth, The
// Art of Computer Programming 2, 3.4.2, algorithm S).
func (c *collector) sample(pods []messages.PodStats, want int, sum, proxied *float64) {
	for i := range pods {
		left := len(pods) - i
		if want <= 0 || want < left && c.draw(left) >= want {
			continue
		}
		want--
		p := &pods[i]
		if c.byRequests {
			*sum += p.Requests
			*proxied += p.ProxiedRequests
		} else {
			*sum += p.Concurrency
			*proxied += p.ProxiedConcurrency
		}
	}
}

// sampleSize is how many of so many pods say enough about all of them: with a
// confidence of 95 % a mean within 5 of the true one, for a variance of 100.
//
//	n = ceil(N x / (N + x - 1)), x = 1.96² 100 / 5² = 15.3664
func sampleSize(pods int) int {
	const unbounded = 1.96 * 1.96 * 100 / (5 * 5)
	n := float64(pods)
	if pods <= 3 {
		return pods
	}
	return int(math.Ceil(float64(n*unbounded) / (n + unbounded - 1)))
}
