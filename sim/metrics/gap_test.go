package metrics

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/cluster"
)

func doorWith(t testing.TB, change func(*Spec), queries ...messages.Query) *Door {
	t.Helper()
	spec := specFor(queries...)
	change(&spec)
	d, err := NewDoor(spec)
	require.NoError(t, err)
	return d
}

func gap(source string, from, to float64, silent bool) func(*Spec) {
	return func(s *Spec) {
		s.Gaps = append(s.Gaps, Gap{Source: source, From: seconds(from), To: seconds(to), Silent: silent})
	}
}

// The grid against a walk over all instants.
func TestGridAgainstAWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := grid{interval: time.Duration(rapid.IntRange(1, 9).Draw(t, "interval"))}
		g.phase = time.Duration(rapid.IntRange(0, int(g.interval)-1).Draw(t, "phase"))
		var gaps []Gap
		for range rapid.IntRange(0, 4).Draw(t, "gaps") {
			from := time.Duration(rapid.IntRange(0, 60).Draw(t, "from"))
			gaps = append(gaps, Gap{Source: partKubelet, From: from, To: from + time.Duration(rapid.IntRange(1, 30).Draw(t, "length"))})
		}
		g.gaps = gapsOf(gaps, partKubelet)
		works := func(at time.Duration) bool {
			for _, gap := range gaps {
				if gap.holds(at) {
					return false
				}
			}
			return at >= g.phase && (at-g.phase)%g.interval == 0
		}
		now := time.Duration(rapid.IntRange(-1, 110).Draw(t, "now"))
		next, last := now+1, now
		for !works(next) {
			next++
		}
		for last >= 0 && !works(last) {
			last--
		}
		if got := g.next(now); got != next {
			t.Fatalf("next: found %d, expected %d", got, next)
		}
		if got := g.last(now); got != max(last, cluster.NotYet) {
			t.Fatalf("last: found %d, expected %d", got, last)
		}
	})
}

// A pod uses half a core; what the API says of it, second by second.
func TestCPUInGaps(t *testing.T) {
	type seen struct {
		at     int // of the newest sample; -1: none
		window float64
		err    string
	}
	for _, test := range []struct {
		what   string
		change func(*Spec)
		want   map[float64]seen
	}{
		{"a kubelet that takes no samples", gap(partKubelet, 35, 70, false), map[float64]seen{
			30: {30, 20, ""}, 60: {30, 20, ""}, 75: {70, 40, ""}, 90: {90, 20, ""},
		}},
		{"a kubelet that does not answer", gap(partKubelet, 35, 70, true), map[float64]seen{
			44: {30, 20, ""}, 45: {-1, 0, noResourceMetrics}, 75: {-1, 0, noResourceMetrics}, 90: {90, 20, ""},
		}},
		{"a metrics-server that collects nothing", gap(partMetricsServer, 35, 70, false), map[float64]seen{
			60: {30, 20, ""}, 74: {30, 20, ""}, 75: {70, 40, ""}, 90: {90, 20, ""},
		}},
		{"a metrics-server that is down", gap(partMetricsServer, 35, 70, true), map[float64]seen{
			34: {30, 20, ""}, 35: {-1, 0, apiIsDown}, 74: {-1, 0, apiIsDown}, 75: {-1, 0, apiIsDown}, 89: {-1, 0, apiIsDown}, 90: {90, 20, ""},
		}},
		{"down between two collections", gap(partMetricsServer, 31, 32, true), map[float64]seen{
			30: {30, 20, ""}, 31: {-1, 0, apiIsDown}, 45: {-1, 0, apiIsDown}, 60: {60, 20, ""},
		}},
		{"down from the start", gap(partMetricsServer, 0, 20, true), map[float64]seen{
			0: {-1, 0, apiIsDown}, 30: {-1, 0, apiIsDown}, 45: {40, 10, ""},
		}},
		{"Prometheus does not matter", gap(partPrometheus, 35, 70, true), map[float64]seen{60: {60, 20, ""}}},
	} {
		t.Run(test.what, func(t *testing.T) {
			for now, want := range test.want {
				m := observe(doorWith(t, test.change, cpuQuery), seconds(now), busy(0.5)).Metrics[0]
				assert.Equal(t, want.err, m.Err, "at %v s", now)
				if want.at < 0 {
					assert.Empty(t, m.Pods, "at %v s", now)
					continue
				}
				assert.Equal(t, []messages.PodMetric{{Milli: 500, At: at(want.at), Window: seconds(want.window)}}, m.Pods, "at %v s", now)
			}
		})
	}
}

func TestPrometheusInGaps(t *testing.T) {
	short := 90 * time.Second
	level := messages.Query{Kind: messages.QueryExternal, Name: "queue_depth"}
	rate := messages.Query{Kind: messages.QueryObject, Name: "slow_rps"}
	byPod := messages.Query{Kind: messages.QueryPods, Name: "concurrency"}
	up := messages.Query{Kind: messages.QueryPromQL, Name: "max(up)"}
	total := messages.Query{Kind: messages.QueryPromQL, Name: "sum(increase(http_requests_total[2m]))"}
	play := func(now float64, silent bool) []string {
		d := doorWith(t, func(s *Spec) {
			s.Sources = map[string]Source{"slow_rps": {Source: SourceRPS, Window: &short}}
			gap(partPrometheus, 100, 500, silent)(s)
		}, level, rate, byPod, up, total)
		var errs []string
		for _, m := range observe(d, seconds(now), lives).Metrics {
			errs = append(errs, m.Err)
		}
		return errs
	}
	fine := []string{"", "", "", "", ""}
	down := []string{adapterIsLost, adapterIsLost, adapterIsLost, prometheusIsDown, prometheusIsDown}
	assert.Equal(t, fine, play(99, true))
	assert.Equal(t, down, play(100, true))
	assert.Equal(t, down, play(499, true))
	// The last scrape is that of 90 s. With a rate over 90 s, the scrapes of 60 and 90 s
	// are in the window until 150 s; increase() over two minutes has them until 180 s.
	assert.Equal(t, fine, play(149, false))
	noRate := "no two scrapes of the metric in the last 1m30s"
	assert.Equal(t, []string{"", noRate, "", "", ""}, play(150, false))
	assert.Equal(t, []string{"", noRate, "", "", messages.EmptyResult}, play(180, false))
	assert.Equal(t, []string{"", noRate, "", "", messages.EmptyResult}, play(389, false))
	gone := []string{noScrapeInLookback, noRate, noCustomMetrics, messages.EmptyResult, messages.EmptyResult}
	assert.Equal(t, gone, play(390, false), "Prometheus looks back for 5 minutes")
	assert.Equal(t, gone, play(509, false))
	for _, silent := range []bool{false, true} {
		assert.Equal(t, []string{"", noRate, "", "", messages.EmptyResult}, play(510, silent), "one scrape is no rate")
		assert.Equal(t, fine, play(540, silent))
	}
}

// restarts is a pod whose container ends at 50 s and is started again at 62 s. It uses
// a core and answers ten requests a second while it runs.
func restarts(now time.Duration) Truth {
	p := readyPod(0, 0)
	ran := now
	switch {
	case now >= seconds(62):
		p.Former = 500
		p.RunningSince, p.ReadyAt, p.UnreadyAt = seconds(62), seconds(62), seconds(50)
		ran = now - seconds(12)
	case now >= seconds(50):
		p.State, p.RunningSince, p.ReadyAt, p.UnreadyAt = cluster.Starting, cluster.NotYet, cluster.NotYet, seconds(50)
		ran = seconds(50)
	}
	p.CPU = ran
	p.Completed = uint64(10 * ran.Seconds())
	p.Received = p.Completed
	return Truth{Pods: []cluster.PodStatus{p}}
}

func TestCPUOfARestartedContainer(t *testing.T) {
	for now, want := range map[float64]struct {
		at     int
		window float64
	}{
		45: {40, 10}, 59: {40, 10}, // what was collected stays until the next collection
		60: {-1, 0}, // nothing runs
		75: {-1, 0}, // one sample of the new container, of 70 s
		90: {90, 20},
	} {
		m := observe(doorFor(t, cpuQuery), seconds(now), restarts).Metrics[0]
		if want.at < 0 {
			assert.Equal(t, noResourceMetrics, m.Err, "at %v s", now)
			continue
		}
		assert.Equal(t, []messages.PodMetric{{Milli: 1000, At: at(want.at), Window: seconds(want.window)}}, m.Pods, "at %v s", now)
	}
}

// A container that is started again before the kubelet has sampled it: its
// predecessor's sample is not its own.
func TestCPUOfAContainerJustRestarted(t *testing.T) {
	at44 := func(now time.Duration) Truth {
		p := readyPod(0, 0)
		if now >= seconds(44) {
			p.RunningSince = seconds(44)
		}
		p.CPU = now
		return Truth{Pods: []cluster.PodStatus{p}}
	}
	assert.Equal(t, noResourceMetrics, observe(doorFor(t, cpuQuery), seconds(45), at44).Metrics[0].Err)
	assert.Equal(t, noResourceMetrics, observe(doorFor(t, cpuQuery), seconds(60), at44).Metrics[0].Err)
	assert.Equal(t, []messages.PodMetric{{Milli: 1000, At: at(70), Window: seconds(10)}}, observe(doorFor(t, cpuQuery), seconds(75), at44).Metrics[0].Pods)
}

func TestSeriesOfARestartedContainer(t *testing.T) {
	ask := func(now float64, expr string) messages.Metric {
		return observe(doorFor(t, messages.Query{Kind: messages.QueryPromQL, Name: expr}), seconds(now), restarts).Metrics[0]
	}
	const counter, up = `sum(http_requests_total)`, `sum(up{job="web"})`
	assert.Equal(t, 300.0, ask(30, counter).Value)
	assert.Equal(t, 1.0, ask(59, up).Value)
	assert.Equal(t, 300.0, ask(59, counter).Value, "the scrape of 30 s is the newest")
	assert.Equal(t, 0.0, ask(60, up).Value)
	assert.Equal(t, messages.EmptyResult, ask(60, counter).Err, "a failed scrape ends the series at once")
	assert.Equal(t, 280.0, ask(90, counter).Value, "28 s of the new container")
	assert.Equal(t, 1.0, ask(90, `sum(resets(http_requests_total[5m]))`).Value)
	// From 300 to 280 with a reset is an increase of 280 in the 60 s between the scrapes;
	// what was answered from 30 to 50 s is lost.
	assert.InDelta(t, 280.0/60, ask(90, `sum(rate(http_requests_total[61s]))`).Value, 0.2)
	rps := observe(doorFor(t, messages.Query{Kind: messages.QueryPods, Name: "rps"}), seconds(100), restarts).Metrics[0]
	assert.Equal(t, noCustomMetrics, rps.Err, "one scrape in the last minute")
	rps = observe(doorFor(t, messages.Query{Kind: messages.QueryPods, Name: "rps"}), seconds(120), restarts).Metrics[0]
	assert.Equal(t, int64(10_000), rps.Pods[0].Milli)
}

// A pod that is not Ready but runs is scraped.
func TestAnUnreadyPodIsScraped(t *testing.T) {
	unready := func(now time.Duration) Truth {
		p := readyPod(0, 0)
		p.Completed = uint64(now.Seconds())
		if now >= seconds(40) {
			p.State, p.ReadyAt, p.UnreadyAt = cluster.Starting, cluster.NotYet, seconds(40)
		}
		return Truth{Pods: []cluster.PodStatus{p}}
	}
	d := doorFor(t, messages.Query{Kind: messages.QueryPromQL, Name: `sum(up{job="web"})`}, messages.Query{Kind: messages.QueryPromQL, Name: "sum(http_requests_total)"})
	m := observe(d, seconds(60), unready).Metrics
	assert.Equal(t, []float64{1, 60}, []float64{m[0].Value, m[1].Value})
}

func TestRefusedGaps(t *testing.T) {
	spec := specFor()
	spec.Gaps = []Gap{{Source: "kublet", To: 1}, {Source: partPrometheus, From: seconds(3), To: seconds(3)}}
	_, err := NewDoor(spec)
	assert.EqualError(t, err, `gaps[0].source: found "kublet", expected one of kubelet, metrics-server, prometheus; did you mean "kubelet"?
gaps[1].to: found 3s, expected more than 3s, where it begins`)
}
