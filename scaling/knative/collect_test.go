package knative

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/random"
)

// pods have so many requests each.
func podStats(concurrency ...float64) []messages.PodStats {
	stats := make([]messages.PodStats, len(concurrency))
	for i, c := range concurrency {
		stats[i] = messages.PodStats{Age: time.Hour, Concurrency: c, Requests: 10 * c}
	}
	return stats
}

// collected is the stable average after one second of reports.
func collected(t *testing.T, spec Spec, stats messages.Stats) (float64, bool) {
	a, err := New(spec, start)
	require.NoError(t, err)
	a.Collect(after(1), stats)
	saw, valid := a.engine.collector.averages(after(1))
	assert.Equal(t, saw.stable, saw.panic)
	return saw.stable, valid
}

func TestCollect(t *testing.T) {
	proxied := podStats(3, 5)
	proxied[0].ProxiedConcurrency, proxied[0].ProxiedRequests = 2, 15
	for name, c := range map[string]struct {
		spec  Spec
		stats messages.Stats
		want  float64
		valid bool
	}{
		"nobody reports":                         {newSpec(), messages.Stats{}, 0, false},
		"pods add up":                            {newSpec(), messages.Stats{Pods: podStats(3, 5)}, 8, true},
		"an idle pod is a report":                {newSpec(), messages.Stats{Pods: podStats(0)}, 0, true},
		"what was proxied is counted there":      {newSpec(), messages.Stats{Pods: proxied, Proxies: []messages.ProxyStats{{Concurrency: 4}}}, 10, true},
		"more proxied than there are":            {newSpec(), messages.Stats{Pods: []messages.PodStats{{Age: time.Hour, ProxiedConcurrency: 1}}}, -1, true},
		"activators add up":                      {newSpec(), messages.Stats{Proxies: []messages.ProxyStats{{Concurrency: 4}, {Concurrency: 0.5}}}, 4.5, true},
		"requests of pods":                       {newSpec("metric", "rps"), messages.Stats{Pods: proxied}, 65, true},
		"requests by an activator":               {newSpec("metric", "rps"), messages.Stats{Proxies: []messages.ProxyStats{{Concurrency: 4, Requests: 7}}}, 7, true},
		"without a limit no pod is asked":        {newSpec("target-burst-capacity", "-1"), messages.Stats{Pods: podStats(3, 5)}, 0, true},
		"without a limit the activator tells it": {newSpec("target-burst-capacity", "-1"), messages.Stats{Proxies: []messages.ProxyStats{{Concurrency: 4}}}, 4, true},
		// 4 of 5 pods, the first in order as the draw is the smallest: (1 + 2 + 3 + 4) x 5 / 4.
		"a sample speaks for all": {newSpec(), messages.Stats{Pods: podStats(1, 2, 3, 4, 100)}, 12.5, true},
	} {
		t.Run(name, func(t *testing.T) {
			got, valid := collected(t, c.spec, c.stats)
			assert.Equal(t, c.want, got)
			assert.Equal(t, c.valid, valid)
		})
	}
}

// Of 10 pods 7 are asked: all 3 that are as old as the stable window, and 4 of
// the 7 younger ones. Of 9 old ones and a young one, 7 old ones.
func TestYoungPodsAreAskedLast(t *testing.T) {
	ask := func(old int) (asked []int, draws []int) {
		pods := make([]messages.PodStats, 10)
		for i := range pods {
			pods[i] = messages.PodStats{Age: time.Minute - time.Nanosecond, Concurrency: math.Pow(2, float64(i))}
			if i < old {
				pods[i].Age = time.Minute
			}
		}
		s := newSettings(newSpec())
		c := newCollector(&s, func(n int) int { draws = append(draws, n); return n - 1 }) // the last ones
		c.scrape(after(1), pods)
		sum := uint64(math.Round(c.stable.total / 10 * 7))
		for i := range pods {
			if sum>>i&1 == 1 {
				asked = append(asked, i)
			}
		}
		return asked, draws
	}
	asked, draws := ask(3)
	assert.Equal(t, []int{0, 1, 2, 6, 7, 8, 9}, asked)
	assert.Equal(t, []int{7, 6, 5}, draws, "a pod is drawn only where there is a choice")
	asked, _ = ask(9)
	assert.Equal(t, []int{2, 3, 4, 5, 6, 7, 8}, asked)
	asked, draws = ask(7)
	assert.Equal(t, []int{0, 1, 2, 3, 4, 5, 6}, asked)
	assert.Empty(t, draws)
}

// Each of the 252 halves of 10 pods comes equally often: chi-square with 251
// degrees of freedom, 0.1 % of the time above 325.
func TestSamplesAreUniform(t *testing.T) {
	stream := random.Seed(1).Key("knative", 0).Stream()
	c := collector{draw: stream.IntN}
	pods := make([]messages.PodStats, 10)
	for i := range pods {
		pods[i].Concurrency = float64(int(1) << i)
	}
	counts := map[float64]int{}
	const each = 100
	for range 252 * each {
		var sum, proxied float64
		c.sample(pods, 5, &sum, &proxied)
		counts[sum]++
	}
	require.Len(t, counts, 252)
	chi := 0.0
	for _, n := range counts {
		chi += float64((n-each)*(n-each)) / each
	}
	assert.Less(t, chi, 325.0)
}

func TestSampleSizes(t *testing.T) {
	for pods, want := range map[int]int{3: 3, 4: 4, 5: 4, 6: 5, 20: 9, 50: 12, 100000: 16} {
		assert.Equal(t, want, sampleSize(pods), fmt.Sprint(pods))
	}
}
