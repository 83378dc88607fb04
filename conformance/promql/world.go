package promql

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/sim/metrics/prometheus"
)

const (
	interval = 30 * time.Second
	scrapes  = 200 // 100 minutes
	quiet    = 65  // scrapes without a reset: longer than the longest range
)

// start is that of the scrapes. Half a second keeps them off every boundary of a range
// or a step, which are whole seconds: Prometheus 3 leaves out the sample at the old
// end of a range, Prometheus 2 does not.
var start = time.Date(2026, 1, 5, 12, 0, 11, 500_000_000, time.UTC)

// source is one series as it develops.
type source struct {
	series *prometheus.Series
	value  float64
	grow   func(value float64) float64
	resets bool // a counter that restarts now and then; such a one is never absent
	absent int  // scrapes that it stays away from
}

// newWorld fills a server with drawn samples.
func newWorld(t *testing.T, dice *rand.Rand) *prometheus.Server {
	s, err := prometheus.New(interval)
	require.NoError(t, err)
	s.Keep(3 * time.Hour)
	sources := drawSources(s, dice)
	for i := range scrapes {
		var found []prometheus.Sample
		for _, one := range sources {
			if one.resets && i > quiet && dice.IntN(40) == 0 {
				one.value = math.Floor(one.value * 0.6)
			}
			one.value = one.grow(one.value)
			switch {
			case one.resets:
			case one.absent > 0:
				one.absent--
				continue
			case dice.IntN(60) == 0:
				one.absent = 1 + dice.IntN(15)
			}
			found = append(found, prometheus.Sample{Series: one.series, Value: one.value})
		}
		s.Append(start.Add(time.Duration(i)*interval), found)
	}
	return s
}

// drawSources are counters, with whole and with broken values, gauges, and the buckets
// of a histogram. Every service has two pods. The two versions extrapolate the rate of a
// series to the beginning of its range differently where the counter would have been
// zero since, and that is more than a scrape ago. So counters stay far from zero, and
// none has both resets, after which rates are high, and gaps.
func drawSources(s *prometheus.Server, dice *rand.Rand) (sources []*source) {
	add := func(grow func(float64) float64, name string, labels ...string) {
		sources = append(sources, &source{series: s.Series(name, labels...), value: float64(1_000_000 + dice.IntN(1000)), grow: grow})
	}
	counter := func(step func() float64, name string, labels ...string) {
		add(func(value float64) float64 { return value + step() }, name, labels...)
		sources[len(sources)-1].resets = dice.IntN(2) == 0
	}
	for _, service := range []string{"api", "shop", "web"} {
		for pod := range 2 {
			name, busy := fmt.Sprintf("%s-%05d", service, pod), 1+dice.IntN(300)
			for _, code := range []string{"200", "500"} {
				counter(func() float64 { return float64(dice.IntN(busy)) }, "http_requests_total", "service", service, "pod", name, "code", code)
			}
			counter(func() float64 { return dice.Float64() * 30 }, "container_cpu_usage_seconds_total", "service", service, "pod", name)
			add(func(float64) float64 { return float64(dice.IntN(50)) }, "queue_length", "service", service, "pod", name)
			add(func(float64) float64 { return dice.NormFloat64() * 1e-3 }, "temperature", "service", service, "pod", name)
			add(func(float64) float64 { return float64(min(1, dice.IntN(20))) }, "up", "service", service, "pod", name)
		}
		sum := 0.0
		for _, le := range []string{"0.1", "0.5", "1", "+Inf"} {
			sum += float64(1 + dice.IntN(20))
			step := sum
			sources = append(sources, &source{series: s.Series("latency_seconds_bucket", "service", service, "le", le), grow: func(v float64) float64 { return v + step }})
		}
	}
	return sources
}

// samplesOf are all samples that a server has, stale markers too, in order of time.
func samplesOf(t *testing.T, s *prometheus.Server) (samples []sample) {
	querier, err := s.Querier(0, 0)
	require.NoError(t, err)
	defer querier.Close()
	set := querier.Select(t.Context(), true, &storage.SelectHints{})
	var it chunkenc.Iterator
	for set.Next() {
		it = set.At().Iterator(it)
		for it.Next() != chunkenc.ValNone {
			at, value := it.At()
			samples = append(samples, sample{series: set.At().Labels(), at: at, value: value})
		}
	}
	slices.SortStableFunc(samples, func(a, b sample) int { return int(a.at - b.at) })
	return samples
}
