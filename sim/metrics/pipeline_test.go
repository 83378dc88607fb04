package metrics

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"
	"pgregory.net/rapid"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/random"
)

// scrapes are the instants, in seconds, at which the door looks, up to 60 s.
func scrapes(d *Door) (all []float64) {
	for d.Next() <= seconds(60) {
		now := d.Next()
		all = append(all, now.Seconds())
		d.Scrape(now, busy(1)(now))
	}
	return all
}

func TestPhasesShiftTheGrids(t *testing.T) {
	rps := messages.Query{Kind: messages.QueryExternal, Name: "rps"}
	for _, test := range []struct {
		what   string
		phase  Phase
		phases Phases
		query  messages.Query
		want   []float64
	}{
		{"aligned", "aligned", Phases{}, cpuQuery, []float64{0, 10, 15, 30, 40, 45, 60}},
		{"the kubelet at 3 s", "", Phases{Kubelet: "3s"}, cpuQuery, []float64{0, 13, 15, 23, 30, 43, 45, 53, 60}},
		{"all at 7 s", "7s", Phases{}, cpuQuery, []float64{7, 17, 22, 37, 47, 52}},
		{"all at 7 s but one", "7s", Phases{MetricsServer: "aligned"}, cpuQuery, []float64{0, 7, 15, 27, 30, 37, 45, 57, 60}},
		{"Prometheus at 12.5 s", "", Phases{Prometheus: "12.5s"}, rps, []float64{12.5, 42.5}},
	} {
		t.Run(test.what, func(t *testing.T) {
			d := doorWith(t, func(s *Spec) { s.Pipeline.Phase, s.Pipeline.Phases = test.phase, test.phases }, test.query)
			assert.Equal(t, test.want, scrapes(d))
		})
	}
}

func TestRandomPhasesAreUniformAndIndependent(t *testing.T) {
	p := Defaults()
	p.Phase = "random"
	var kubelet, hpa []float64
	for seed := range random.Seed(4000) {
		a, err := p.Offset("kubelet", p.Kubelet, seed)
		require.NoError(t, err)
		b, err := p.Offset("hpa", 15*time.Second, seed)
		require.NoError(t, err)
		require.True(t, a >= 0 && a < p.Kubelet && a%time.Millisecond == 0, "%v", a)
		kubelet, hpa = append(kubelet, a.Seconds()), append(hpa, b.Seconds())
	}
	// The standard error of a mean is interval / sqrt(12 x 4000), 0.46 % of it.
	assert.InDelta(t, 5, stat.Mean(kubelet, nil), 0.15)
	assert.InDelta(t, 7.5, stat.Mean(hpa, nil), 0.23)
	assert.InDelta(t, 10/math.Sqrt(12), stat.StdDev(kubelet, nil), 0.1)
	assert.InDelta(t, 0, stat.Correlation(kubelet, hpa, nil), 0.05)
	again, err := p.Offset("kubelet", p.Kubelet, 0)
	require.NoError(t, err)
	assert.Equal(t, kubelet[0], again.Seconds())
	short, err := p.Offset("hpa", time.Nanosecond, 1)
	require.NoError(t, err)
	assert.Zero(t, short)
}

func TestRefusedPipelines(t *testing.T) {
	for _, test := range []struct {
		what   string
		change func(*Pipeline)
		want   string
	}{
		{"an offset of a whole interval", func(p *Pipeline) { p.Phases.Kubelet = "10s" }, "phases.kubelet: found 10s, expected less than the 10s after which kubelet comes round again"},
		{"an offset for all, too long for the shortest", func(p *Pipeline) { p.Phase = "20s" }, "phase: found 20s, expected less than the 10s after which kubelet comes round again"},
		{"two offsets", func(p *Pipeline) { p.Phases = Phases{MetricsServer: "16s", Prometheus: "30s"} },
			"phases.metricsServer: found 16s, expected less than the 15s after which metricsServer comes round again\nphases.prometheus: found 30s, expected less than the 30s after which prometheus comes round again"},
		{"a word", func(p *Pipeline) { p.Phases.Elasti = "alinged" }, `phases.elasti: found "alinged", expected aligned, random or an offset such as 7s; did you mean "aligned"?`},
		{"a negative offset", func(p *Pipeline) { p.Phases.HPA = "-1s" }, `phases.hpa: found "-1s", expected aligned, random or an offset such as 7s`},
		{"a negative delay", func(p *Pipeline) { p.Delay.Kubelet = -1 }, "delay.kubelet: found -1ns, expected 0s to 1h0m0s"},
		{"long delays", func(p *Pipeline) {
			p.Delay.MetricsServer, p.Delay.Prometheus, p.AdapterCache = 2*time.Hour, 2*time.Hour, 2*time.Hour
		},
			"delay.metricsServer: found 2h0m0s, expected 0s to 1h0m0s\ndelay.prometheus: found 2h0m0s, expected 0s to 1h0m0s\nadapterCache: found 2h0m0s, expected 0s to 1h0m0s"},
		{"noise", func(p *Pipeline) { p.Noise = Noise{CPU: -1, Metrics: math.NaN()} }, "noise.cpu: found -1, expected 0, or 0.001 to 10\nnoise.metrics: found NaN, expected 0, or 0.001 to 10"},
	} {
		t.Run(test.what, func(t *testing.T) {
			p := Defaults()
			test.change(&p)
			assert.EqualError(t, p.Validate(), test.want)
		})
	}
}

// The kubelet's sample of 10 s can be collected from 14 s on, so at 15 s; the sample
// of 20 s is the newest that the collection of 30 s finds. The collection of 0 s finds
// none. Each collection is seen 2 s later.
func TestDelaysOfCPU(t *testing.T) {
	for now, want := range map[float64]struct {
		at     int
		window float64
	}{17: {-1, 0}, 31.9: {-1, 0}, 32: {20, 10}, 47: {40, 20}, 62: {50, 10}} {
		d := doorWith(t, func(s *Spec) { s.Pipeline.Delay = Delay{Kubelet: seconds(4), MetricsServer: seconds(2)} }, cpuQuery)
		m := observe(d, seconds(now), busy(0.5)).Metrics[0]
		if want.at < 0 {
			assert.Equal(t, noResourceMetrics, m.Err)
			continue
		}
		assert.Equal(t, []messages.PodMetric{{Milli: 500, At: at(want.at), Window: seconds(want.window)}}, m.Pods, "at %v s", now)
		assert.Equal(t, (seconds(now) - seconds(2)).Truncate(seconds(15)), d.Collected(0), "at %v s", now)
	}
}

// Whatever intervals, phases, delays and gaps are, usage comes from the two newest
// distinct samples that the collections up to then have found.
func TestDelayedCPUAgainstAllCollections(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := specFor(cpuQuery)
		whole := func(low, high int, what string) time.Duration {
			return seconds(float64(rapid.IntRange(low, high).Draw(t, what)))
		}
		p := &spec.Pipeline
		p.Kubelet, p.MetricsServer = whole(1, 40, "kubelet"), whole(1, 40, "metrics-server")
		kubelet, server := whole(0, int(p.Kubelet/time.Second)-1, "phase of the kubelet"), whole(0, int(p.MetricsServer/time.Second)-1, "phase of metrics-server")
		p.Phases = Phases{Kubelet: Phase(kubelet.String()), MetricsServer: Phase(server.String())}
		p.Delay = Delay{Kubelet: whole(0, 60, "delay"), MetricsServer: whole(0, 60, "API's delay")}
		from := whole(0, 300, "gap")
		spec.Gaps = []Gap{{Source: partKubelet, From: from, To: from + whole(1, 100, "length")}}
		now := whole(0, 600, "now")
		d, err := NewDoor(spec)
		if err != nil {
			t.Fatal(err)
		}
		newest, before := cluster.NotYet, cluster.NotYet
		for c := server; c+p.Delay.MetricsServer <= now; c += p.MetricsServer {
			found := cluster.NotYet
			for s := kubelet; s+p.Delay.Kubelet <= c; s += p.Kubelet {
				if !spec.Gaps[0].holds(s) {
					found = s
				}
			}
			if found > newest {
				newest, before = found, newest
			}
		}
		m := observe(d, now, busy(0.5)).Metrics[0]
		if before == cluster.NotYet {
			if m.Err == "" {
				t.Fatalf("found %v before two samples", m)
			}
			return
		}
		if got := m.Pods[0]; got.Milli != 500 || !got.At.Equal(start.Add(newest)) || got.Window != newest-before {
			t.Fatalf("found %+v, expected the samples of %v and %v", got, before, newest)
		}
	})
}

// rising has as many requests waiting as seconds have passed.
func rising(now time.Duration) Truth { return Truth{Held: int(now.Seconds())} }

func TestDelayOfPrometheus(t *testing.T) {
	level := messages.Query{Kind: messages.QueryExternal, Name: "queue_depth"}
	rate := messages.Query{Kind: messages.QueryExternal, Name: "rps"}
	itself := messages.Query{Kind: messages.QueryPromQL, Name: "count_over_time(up[10m])"}
	late := func(s *Spec) { s.Pipeline.Delay.Prometheus = seconds(20) }
	d := doorWith(t, late, level, rate, itself)
	m := observe(d, seconds(19), rising).Metrics
	assert.Equal(t, []string{"no scrape of the metric yet", "no two scrapes of the metric in the last 1m0s", messages.EmptyResult}, []string{m[0].Err, m[1].Err, m[2].Err})
	for now, want := range map[float64]int{20: 0, 49: 0, 50: 30, 79: 30, 80: 60} {
		m := observe(doorWith(t, late, level, itself), seconds(now), rising).Metrics
		assert.Equal(t, int64(1000*want), m[0].Milli, "at %v s", now)
		assert.Equal(t, at(want), m[0].At, "at %v s", now)
		assert.Equal(t, float64(want/30+1), m[1].Value, "at %v s", now)
	}
	// (80 s - 1 m, 80 s - 20 s] has the scrapes of 30 and 60 s.
	arriving := func(now time.Duration) Truth {
		return Truth{Counters: cluster.Counters{Arrived: uint64(5 * now.Seconds())}}
	}
	m = observe(doorWith(t, late, rate), seconds(80), arriving).Metrics
	assert.Equal(t, int64(5000), m[0].Milli)

	spec := specFor(rate)
	spec.Pipeline.Delay.Prometheus = seconds(30)
	_, err := NewDoor(spec)
	assert.EqualError(t, err, `metric "rps": found a window of 1m0s, expected more than the scrape interval of 30s and the delay of 30s`)
}

func TestTheAdaptersCache(t *testing.T) {
	level := messages.Query{Kind: messages.QueryExternal, Name: "queue_depth"}
	d := doorWith(t, func(s *Spec) {
		s.Pipeline.AdapterCache = seconds(70)
		gap(partPrometheus, 170, 300, true)(s)
	}, level)
	var got []int64
	for _, now := range []float64{5, 35, 65, 74, 75, 125, 150, 190, 219} {
		got = append(got, observe(d, seconds(now), rising).Metrics[0].Milli/1000)
	}
	// Asked at 5, at 75 and at 150 s: the scrapes of 0, 60 and 150 s.
	assert.Equal(t, []int64{0, 0, 0, 0, 60, 60, 150, 150, 150}, got)
	assert.Equal(t, adapterIsLost, observe(d, seconds(220), rising).Metrics[0].Err)
	m := observe(d, seconds(300), rising).Metrics[0]
	assert.Equal(t, int64(300_000), m.Milli, "an error is not kept")
	assert.Equal(t, at(300), m.At)
}

// What a pod shows comes from the same instant as everything else in the cache.
func TestTheAdaptersCacheOfPods(t *testing.T) {
	d := doorWith(t, func(s *Spec) { s.Pipeline.AdapterCache = seconds(60) }, messages.Query{Kind: messages.QueryPods, Name: "rps"})
	steady := func(now time.Duration) Truth {
		p := readyPod(0, 0)
		p.Received = uint64(now.Seconds() * now.Seconds()) // 30 s apart: 30 and 90 a second
		return Truth{Pods: []cluster.PodStatus{p}}
	}
	assert.Equal(t, int64(30_000), observe(d, seconds(30), steady).Metrics[0].Pods[0].Milli)
	assert.Equal(t, int64(30_000), observe(d, seconds(89), steady).Metrics[0].Pods[0].Milli)
	assert.Equal(t, int64(150_000), observe(d, seconds(90), steady).Metrics[0].Pods[0].Milli)
}

func TestNoise(t *testing.T) {
	noisy := func(cv float64, seed uint64) func(*Spec) {
		return func(s *Spec) { s.Pipeline.Noise, s.Seed = Noise{CPU: cv, Metrics: cv}, seed }
	}
	queries := []messages.Query{cpuQuery, {Kind: messages.QueryExternal, Name: "rps"}, {Kind: messages.QueryExternal, Name: "queue_depth"}}
	steady := func(now time.Duration) Truth {
		t := busy(0.5)(now)
		t.Held, t.Counters.Arrived = 3, uint64(20*now.Seconds())
		return t
	}
	var shown [3][]float64
	for seed := range uint64(50) {
		d := doorWith(t, noisy(0.1, seed), queries...)
		for now := seconds(60); now < seconds(1000); now += seconds(30) {
			m := observe(d, now, steady).Metrics
			shown[0] = append(shown[0], float64(m[0].Pods[0].Milli))
			shown[1] = append(shown[1], float64(m[1].Milli))
			shown[2] = append(shown[2], float64(m[2].Milli))
		}
	}
	for i, mean := range []float64{500, 20_000, 3000} {
		// 1600 draws: a standard error of 0.25 % of the mean.
		assert.InDelta(t, mean, stat.Mean(shown[i], nil), mean*0.01, queries[i].Name)
		assert.InDelta(t, 0.1, stat.StdDev(shown[i], nil)/mean, 0.01, queries[i].Name)
	}
	same := doorWith(t, noisy(0.1, 49), queries...)
	assert.Equal(t, shown[0][len(shown[0])-1], float64(observe(same, seconds(990), steady).Metrics[0].Pods[0].Milli))
	exact := doorFor(t, queries...)
	assert.Equal(t, int64(500), observe(exact, seconds(990), steady).Metrics[0].Pods[0].Milli)
}

// However noisy, a counter never falls: no rate is below 0.
func TestNoisyCountersNeverFall(t *testing.T) {
	d := doorWith(t, func(s *Spec) { s.Pipeline.Noise = Noise{CPU: 10, Metrics: 10} }, cpuQuery, messages.Query{Kind: messages.QueryPods, Name: "rps"})
	for now := seconds(60); now < seconds(3000); now += seconds(15) {
		for _, m := range observe(d, now, func(now time.Duration) Truth {
			t := busy(0.5)(now)
			t.Pods[0].Received = uint64(now.Seconds())
			return t
		}).Metrics {
			require.Empty(t, m.Err)
			require.GreaterOrEqual(t, m.Pods[0].Milli, int64(0))
		}
	}
}

func FuzzPhaseText(f *testing.F) {
	for _, text := range []string{"aligned", "random", "7s", "", "-1s", "9999999h", "1h30m", "x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var p Phase
		if p.UnmarshalText([]byte(text)) != nil {
			return
		}
		pipeline := Defaults()
		pipeline.Phase = p
		if d, err := pipeline.Offset("hpa", 15*time.Second, 1); err == nil {
			assert.True(t, d >= 0 && d < 15*time.Second, "%q: %v", text, d)
		}
	})
}
