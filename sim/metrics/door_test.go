package metrics

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }

var cpuQuery = messages.Query{Kind: messages.QueryResource, Name: "cpu", Field: "spec.metrics[0].resource.name"}

var webRequests = []messages.ResourceRequest{
	{Container: "web", Resource: "cpu", Milli: 500},
	{Container: "proxy", Resource: "cpu", Milli: 100},
}

func specFor(queries ...messages.Query) Spec {
	return Spec{
		Pipeline: Defaults(), Requests: webRequests, Workload: "web", Namespace: "shop", Service: "web",
		Start: start, Queries: [][]messages.Query{queries},
	}
}

func doorFor(t testing.TB, queries ...messages.Query) *Door {
	t.Helper()
	d, err := NewDoor(specFor(queries...))
	require.NoError(t, err)
	return d
}

// readyPod is Ready since an instant, having been created 10 s before.
func readyPod(id int32, since time.Duration) cluster.PodStatus {
	created := max(0, since-seconds(10))
	return cluster.PodStatus{
		ID: id, State: cluster.Ready, CreatedAt: created, ScheduledAt: created,
		StartedAt: created, RunningSince: created, ReadyAt: since, UnreadyAt: cluster.NotYet, DeletedAt: cluster.NotYet,
	}
}

// world is the truth as a function of time.
type world func(now time.Duration) Truth

// advance lets the door scrape everything up to and including now.
func advance(d *Door, now time.Duration, w world) {
	for d.Next() <= now {
		next := d.Next()
		d.Scrape(next, w(next))
	}
}

func observe(d *Door, now time.Duration, w world) messages.Observation {
	advance(d, now, w)
	t := w(now)
	return d.Observe(0, now, t, messages.Replicas{Desired: int32(len(t.Pods))})
}

// busy is one pod, Ready from time 0, that uses a number of cores.
func busy(cores float64) world {
	return func(now time.Duration) Truth {
		p := readyPod(0, 0)
		p.CPU = time.Duration(cores * float64(now))
		return Truth{Pods: []cluster.PodStatus{p}}
	}
}

func TestNextIsWhatIsNeeded(t *testing.T) {
	rps := messages.Query{Kind: messages.QueryExternal, Name: "rps"}
	up := messages.Query{Kind: messages.QueryPromQL, Name: "up"}
	for _, test := range []struct {
		what    string
		queries []messages.Query
		want    []float64
	}{
		{"no query", nil, nil},
		{"CPU: the samples that are collected, and the collections", []messages.Query{cpuQuery}, []float64{0, 10, 15, 30, 40, 45, 60}},
		{"an external metric", []messages.Query{rps}, []float64{0, 30, 60}},
		{"PromQL", []messages.Query{up}, []float64{0, 30, 60}},
		{"all of them", []messages.Query{cpuQuery, rps, up}, []float64{0, 10, 15, 30, 40, 45, 60}},
	} {
		t.Run(test.what, func(t *testing.T) {
			d := doorFor(t, test.queries...)
			var got []float64
			for d.Next() <= seconds(60) {
				now := d.Next()
				got = append(got, now.Seconds())
				d.Scrape(now, busy(1)(now))
				d.Scrape(now, busy(1)(now)) // a second call finds nothing due
			}
			assert.Equal(t, test.want, got)
			if test.want == nil {
				assert.Equal(t, event.Never, d.Next())
			}
		})
	}
}

func TestCPULagAndWindow(t *testing.T) {
	for _, test := range []struct {
		what   string
		cores  float64
		now    float64
		milli  int64
		at     int
		window time.Duration
		err    string
	}{
		{what: "one sample gives no usage", cores: 0.25, now: 14.9, err: "no metrics returned from resource metrics API"},
		{what: "samples of 0 and 10 s, collected at 15 s", cores: 0.25, now: 15, milli: 250, at: 10, window: seconds(10)},
		{what: "nothing new until 30 s", cores: 0.25, now: 29.9, milli: 250, at: 10, window: seconds(10)},
		{what: "10 and 30 s", cores: 0.25, now: 30, milli: 250, at: 30, window: seconds(20)},
		{what: "30 and 40 s, 19 s old", cores: 0.25, now: 59, milli: 250, at: 40, window: seconds(10)},
		{what: "40 and 60 s", cores: 0.25, now: 60, milli: 250, at: 60, window: seconds(20)},
		{what: "a part of a millicore is a whole one", cores: 0.2501, now: 60, milli: 251, at: 60, window: seconds(20)},
		{what: "an idle pod", cores: 0, now: 60, milli: 0, at: 60, window: seconds(20)},
	} {
		t.Run(test.what, func(t *testing.T) {
			d := doorFor(t, cpuQuery)
			o := observe(d, seconds(test.now), busy(test.cores))
			m := o.Metrics[0]
			require.Equal(t, test.err, m.Err)
			if test.err != "" {
				assert.Empty(t, m.Pods)
				return
			}
			assert.Equal(t, []messages.PodMetric{{Pod: 0, Milli: test.milli, At: at(test.at), Window: test.window}}, m.Pods)
			assert.Equal(t, at(test.at), m.At)
			assert.Equal(t, test.window, m.Window)
		})
	}
}

// A pod goes from idle to a whole core at 35 s: at 45 s half of the window
// (30, 40] shows it, at 60 s all of (40, 60].
func TestCPUStep(t *testing.T) {
	d := doorFor(t, cpuQuery)
	step := func(now time.Duration) Truth {
		p := readyPod(0, 0)
		p.CPU = max(0, now-seconds(35))
		return Truth{Pods: []cluster.PodStatus{p}}
	}
	for _, want := range []struct {
		now   float64
		milli int64
	}{{30, 0}, {44, 0}, {45, 500}, {59, 500}, {60, 1000}} {
		o := observe(d, seconds(want.now), step)
		assert.Equal(t, want.milli, o.Metrics[0].Pods[0].Milli, "at %v s", want.now)
	}
}

// The newest two distinct samples among those that the collections found,
// whatever the two intervals are.
func TestCPUAgainstAllCollections(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := specFor(cpuQuery)
		spec.Pipeline.Kubelet = seconds(float64(rapid.IntRange(1, 90).Draw(t, "kubelet")))
		spec.Pipeline.MetricsServer = seconds(float64(rapid.IntRange(1, 90).Draw(t, "metrics-server")))
		now := seconds(float64(rapid.IntRange(0, 600).Draw(t, "now")))
		d, err := NewDoor(spec)
		if err != nil {
			t.Fatal(err)
		}
		newest, before := cluster.NotYet, cluster.NotYet
		for collected := time.Duration(0); collected <= now; collected += spec.Pipeline.MetricsServer {
			if s := collected / spec.Pipeline.Kubelet * spec.Pipeline.Kubelet; s > newest {
				newest, before = s, newest
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

// lives is a pod at every stage: Ready since 0 s, Ready from 17 s on with its
// container running since 7 s, terminating from 50 s on, started but not Ready
// at 95 s, scheduled at 96 s, just created at 97 s.
func lives(now time.Duration) Truth {
	var pods []cluster.PodStatus
	old, young, leaving := readyPod(0, 0), readyPod(1, seconds(17)), readyPod(2, 0)
	if now >= seconds(50) {
		leaving.State, leaving.DeletedAt = cluster.Draining, seconds(50)
	}
	for i, p := range []*cluster.PodStatus{&old, &young, &leaving} {
		if now < p.StartedAt {
			continue
		}
		p.CPU = (now - p.StartedAt) / 4 * time.Duration(i+1)
		p.Received = uint64((now - p.StartedAt).Seconds()) * uint64(i+1)
		p.Completed = p.Received
		p.Queued, p.InService = int32(i), 2
		pods = append(pods, *p)
	}
	if now >= seconds(97) {
		starting := cluster.PodStatus{ID: 3, State: cluster.Starting, CreatedAt: seconds(90), ScheduledAt: seconds(90.7), StartedAt: seconds(95), RunningSince: seconds(95), ReadyAt: cluster.NotYet, UnreadyAt: cluster.NotYet, DeletedAt: cluster.NotYet}
		scheduled := cluster.PodStatus{ID: 4, State: cluster.Scheduled, CreatedAt: seconds(95), ScheduledAt: seconds(96.2), StartedAt: cluster.NotYet, RunningSince: cluster.NotYet, ReadyAt: cluster.NotYet, UnreadyAt: cluster.NotYet, DeletedAt: cluster.NotYet}
		pending := cluster.PodStatus{ID: 5, CreatedAt: seconds(97), ScheduledAt: cluster.NotYet, StartedAt: cluster.NotYet, RunningSince: cluster.NotYet, ReadyAt: cluster.NotYet, UnreadyAt: cluster.NotYet, DeletedAt: cluster.NotYet}
		pods = append(pods, starting, scheduled, pending)
	}
	return Truth{Pods: pods, Counters: cluster.Counters{Arrived: uint64(10 * now.Seconds())}, Held: 5}
}

func TestPodsAsTheAPIShowsThem(t *testing.T) {
	d := doorFor(t)
	o := observe(d, seconds(97), lives)
	pod := func(name string, phase messages.PodPhase) messages.Pod {
		return messages.Pod{Name: name, Phase: phase, Requests: webRequests}
	}
	old, young, leaving := pod("web-00000", messages.PodRunning), pod("web-00001", messages.PodRunning), pod("web-00002", messages.PodRunning)
	starting, scheduled, pending := pod("web-00003", messages.PodRunning), pod("web-00004", messages.PodPending), pod("web-00005", messages.PodPending)
	old.Ready, old.HasCondition, old.Started, old.ReadyChanged = true, true, at(0), at(0)
	young.Ready, young.HasCondition, young.Started, young.ReadyChanged = true, true, at(7), at(17)
	leaving.Ready, leaving.HasCondition, leaving.Started, leaving.ReadyChanged, leaving.Deleting = true, true, at(0), at(0), true
	starting.HasCondition, starting.Started, starting.ReadyChanged = true, at(90), at(90)
	scheduled.HasCondition, scheduled.Started, scheduled.ReadyChanged = true, at(96), at(96)
	assert.Equal(t, []messages.Pod{old, young, leaving, starting, scheduled, pending}, o.Pods)
	assert.Equal(t, messages.Replicas{Desired: 6}, o.Replicas)
	assert.Empty(t, o.Metrics)
}

func TestPodsOutOfOrderAreABrokenInvariant(t *testing.T) {
	d := doorFor(t)
	truth := Truth{Pods: []cluster.PodStatus{readyPod(1, 0), readyPod(0, 0)}}
	assert.PanicsWithValue(t, "metrics: pods out of order: web-00000 after web-00001", func() {
		d.Observe(0, 0, truth, messages.Replicas{})
	})
}

func TestCPUOfNewAndTerminatingPods(t *testing.T) {
	container := func(name string) messages.Query {
		q := cpuQuery
		q.Container = name
		return q
	}
	d := doorFor(t, cpuQuery, container("web"), container("proxy"))
	young := func(milli int64, newest int, window float64) messages.PodMetric {
		return messages.PodMetric{Pod: 1, Milli: milli, At: at(newest), Window: seconds(window)}
	}
	// The container of pod 1 runs from 7 s on: samples of 10 and 30 s are two.
	assert.Len(t, observe(d, seconds(29), lives).Metrics[0].Pods, 2, "pod 1 has one sample")
	assert.Equal(t, young(500, 30, 20), observe(d, seconds(30), lives).Metrics[0].Pods[1])

	o := observe(d, seconds(97), lives)
	assert.Equal(t, []messages.PodMetric{
		{Pod: 0, Milli: 250, At: at(90), Window: seconds(20)},
		{Pod: 1, Milli: 500, At: at(90), Window: seconds(20)},
		{Pod: 2, Milli: 750, At: at(90), Window: seconds(20)}, // terminating, still running
	}, o.Metrics[0].Pods)
	assert.Equal(t, o.Metrics[0], o.Metrics[1], "the first container is all of the pod's usage")
	for _, m := range o.Metrics[2].Pods {
		assert.Zero(t, m.Milli, "a sidecar uses nothing")
	}

	// Pod 3 started at 95 s: samples of 100 and 120 s, the second collected at 120 s.
	assert.Len(t, observe(d, seconds(119), lives).Metrics[0].Pods, 3)
	assert.Equal(t, messages.PodMetric{Pod: 3, At: at(120), Window: seconds(20)}, observe(d, seconds(120), lives).Metrics[0].Pods[3])
}

func TestCustomAndExternalMetrics(t *testing.T) {
	minute := time.Minute
	sources := map[string]Source{
		"cores":     {Source: SourceCPU},
		"mean_wait": {Source: SourceQueue, Window: &minute},
	}
	for _, test := range []struct {
		what   string
		query  messages.Query
		now    float64
		milli  int64   // of the workload
		pods   []int64 // by pod of lives
		at     int
		window time.Duration
		err    string
	}{
		{what: "a rate needs two scrapes", query: messages.Query{Kind: messages.QueryExternal, Name: "rps"}, now: 29.9, err: "no two scrapes of the metric in the last 1m0s"},
		{what: "the workload's rate counts all arrivals", query: messages.Query{Kind: messages.QueryExternal, Name: "rps"}, now: 30, milli: 10_000, at: 30, window: time.Minute},
		{what: "a metric of an object is the workload's", query: messages.Query{Kind: messages.QueryObject, Name: "requests-per-second", Object: "Ingress/main"}, now: 119, milli: 10_000, at: 90, window: time.Minute},
		{what: "the workload's queue: pods 0 + 1 + 2 and 5 at the front", query: messages.Query{Kind: messages.QueryExternal, Name: "queue_depth"}, now: 40, milli: 8_000, at: 30},
		{what: "a level is there at the first scrape", query: messages.Query{Kind: messages.QueryExternal, Name: "queue_depth"}, now: 0, milli: 7_000, at: 0},
		{what: "the mean of the levels of 0 and 30 s", query: messages.Query{Kind: messages.QueryExternal, Name: "mean_wait"}, now: 30, milli: 7_500, at: 30, window: time.Minute},
		{what: "0 s has left the window", query: messages.Query{Kind: messages.QueryExternal, Name: "mean_wait"}, now: 60, milli: 8_000, at: 60, window: time.Minute},
		{what: "concurrency: waiting and 2 in service in each of 3 pods", query: messages.Query{Kind: messages.QueryObject, Name: "concurrency"}, now: 40, milli: 14_000, at: 30},
		{what: "cores of all pods: 0.25 + 0.5 + 0.75", query: messages.Query{Kind: messages.QueryExternal, Name: "cores"}, now: 60, milli: 1_500, at: 60, window: time.Minute},

		{what: "a rate by pod, before two scrapes", query: messages.Query{Kind: messages.QueryPods, Name: "rps"}, now: 20, err: "no metrics returned from custom metrics API"},
		{what: "a rate by pod: pod 1 was scraped once", query: messages.Query{Kind: messages.QueryPods, Name: "http_requests_per_second"}, now: 30, pods: []int64{1000, -1, 3000}, at: 30, window: time.Minute},
		{what: "a terminating pod is left out", query: messages.Query{Kind: messages.QueryPods, Name: "http_requests_per_second"}, now: 60, pods: []int64{1000, 2000, -1}, at: 60, window: time.Minute},
		{what: "a pod that was not yet scraped is left out", query: messages.Query{Kind: messages.QueryPods, Name: "queue_length"}, now: 29, pods: []int64{0, -1, 2000}, at: 0},
		{what: "waiting by pod", query: messages.Query{Kind: messages.QueryPods, Name: "queue_length"}, now: 30, pods: []int64{0, 1000, 2000}, at: 30},
		{what: "concurrency by pod", query: messages.Query{Kind: messages.QueryPods, Name: "in_flight_requests"}, now: 30, pods: []int64{2000, 3000, 4000}, at: 30},
		{what: "cores by pod", query: messages.Query{Kind: messages.QueryPods, Name: "cpu_usage"}, now: 60, pods: []int64{250, 500, -1}, at: 60, window: time.Minute},
	} {
		t.Run(test.what, func(t *testing.T) {
			spec := specFor(test.query)
			spec.Sources = sources
			d, err := NewDoor(spec)
			require.NoError(t, err)
			m := observe(d, seconds(test.now), lives).Metrics[0]
			require.Equal(t, test.err, m.Err)
			assert.Equal(t, test.milli, m.Milli)
			var pods []messages.PodMetric
			for i, milli := range test.pods {
				if milli >= 0 {
					pods = append(pods, messages.PodMetric{Pod: i, Milli: milli, At: at(test.at), Window: test.window})
				}
			}
			assert.ElementsMatch(t, pods, m.Pods)
			if test.err == "" {
				assert.Equal(t, at(test.at), m.At)
				assert.Equal(t, test.window, m.Window)
			}
		})
	}
}

// 100 requests in 30 s are 3.3333 per second: thousandths are cut.
func TestThousandthsAreCut(t *testing.T) {
	d := doorFor(t, messages.Query{Kind: messages.QueryExternal, Name: "rps"})
	m := observe(d, seconds(30), func(now time.Duration) Truth {
		return Truth{Counters: cluster.Counters{Arrived: uint64(now.Seconds() * 100 / 30)}}
	}).Metrics[0]
	assert.Equal(t, int64(3333), m.Milli)
}

// With no pod at all the arrivals at the front are still seen.
func TestExternalMetricsAtZeroPods(t *testing.T) {
	d := doorFor(t,
		messages.Query{Kind: messages.QueryExternal, Name: "rps"},
		messages.Query{Kind: messages.QueryExternal, Name: "queue_depth"},
		messages.Query{Kind: messages.QueryPods, Name: "queue_depth"},
		cpuQuery)
	o := observe(d, seconds(60), func(now time.Duration) Truth {
		return Truth{Counters: cluster.Counters{Arrived: uint64(now.Seconds())}, Held: int(now.Seconds())}
	})
	assert.Empty(t, o.Pods)
	assert.Equal(t, int64(1000), o.Metrics[0].Milli)
	assert.Equal(t, int64(60_000), o.Metrics[1].Milli)
	assert.Equal(t, "no metrics returned from custom metrics API", o.Metrics[2].Err)
	assert.Equal(t, "no metrics returned from resource metrics API", o.Metrics[3].Err)
}

// Pods that are gone keep their part of the CPU total.
func TestTotalCPUWhenAPodGoes(t *testing.T) {
	d := doorFor(t, messages.Query{Kind: messages.QueryExternal, Name: "cpu_cores"})
	m := observe(d, seconds(60), func(now time.Duration) Truth {
		a, b := readyPod(0, 0), readyPod(1, 0)
		a.CPU, b.CPU = now, now
		if now > seconds(30) {
			return Truth{Pods: []cluster.PodStatus{b}}
		}
		return Truth{Pods: []cluster.PodStatus{a, b}}
	}).Metrics[0]
	// Scrapes of 30 and 60 s: 60 s used by then, 90 s by now.
	assert.Equal(t, int64(1000), m.Milli)
}

func TestPromQLThroughTheDoor(t *testing.T) {
	for _, test := range []struct {
		what  string
		expr  string
		now   float64
		value float64
		err   string
	}{
		{what: "KubeElasti's health query", expr: `min_over_time((max(up{container="prometheus"}) or vector(0))[60s:])`, now: 60, value: 1},
		{what: "a health filter that finds nothing", expr: `min_over_time((max(up{container="prom"}) or vector(0))[60s:])`, now: 60, value: 0},
		{what: "targets that are up: Prometheus and two pods", expr: `sum(up)`, now: 0, value: 3},
		{what: "a pod that is not Ready is down", expr: `up{pod="web-00003"}`, now: 120, value: 0},
		{what: "pods that run, terminating ones too", expr: `count(up{job="web"})`, now: 120, value: 4},
		// Pods 0, 1, 2 answer 1, 2, 3 per second; samples of 60 and 90 s.
		{what: "the rate of answers", expr: `sum(rate(http_requests_total{namespace="shop",service="web",code="200"}[1m]))`, now: 90, value: 6},
		{what: "no sample matches", expr: `sum(rate(http_requests_total{code="500"}[1m]))`, now: 90, err: "the query's result is empty"},
		{what: "several elements", expr: `up`, now: 0, err: `query "up": found 3 elements, expected one`},
		// At 90.9 s the query is sent for 90 s, and finds the samples of 60 and 90 s.
		{what: "the instant is cut to the second, and the result is a scalar", expr: `time()`, now: 90.9, value: float64(at(90).Unix())},
	} {
		t.Run(test.what, func(t *testing.T) {
			d := doorFor(t, messages.Query{Kind: messages.QueryPromQL, Name: test.expr})
			m := observe(d, seconds(test.now), lives).Metrics[0]
			require.Equal(t, test.err, m.Err)
			assert.InDelta(t, test.value, m.Value, 1e-9)
			assert.Equal(t, test.expr == `time()`, m.Scalar)
		})
	}
}

func TestPromQLWithoutServiceAndContainer(t *testing.T) {
	spec := specFor(messages.Query{Kind: messages.QueryPromQL, Name: `count(up{job="web",service="",container="",instance="web-00000:8080"})`})
	spec.Service, spec.Requests = "", nil
	d, err := NewDoor(spec)
	require.NoError(t, err)
	assert.Equal(t, 1.0, observe(d, 0, lives).Metrics[0].Value)
}

// The series of a pod that is gone since 31 s end with the scrape of 60 s, whose
// marker is written at 93 s.
func TestSeriesVanishWithTheirPod(t *testing.T) {
	d := doorFor(t, messages.Query{Kind: messages.QueryPromQL, Name: `count(http_requests_total)`})
	w := func(now time.Duration) Truth {
		a, b := readyPod(0, 0), readyPod(1, 0)
		if now > seconds(30) {
			return Truth{Pods: []cluster.PodStatus{b}}
		}
		return Truth{Pods: []cluster.PodStatus{a, b}}
	}
	assert.Equal(t, 2.0, observe(d, seconds(92), w).Metrics[0].Value)
	assert.Equal(t, 1.0, observe(d, seconds(93), w).Metrics[0].Value)
}

// Two doors that see the same truth show the same.
func TestDeterminism(t *testing.T) {
	run := func() string {
		d := doorFor(t, cpuQuery,
			messages.Query{Kind: messages.QueryPods, Name: "rps"},
			messages.Query{Kind: messages.QueryExternal, Name: "cpu_usage"},
			messages.Query{Kind: messages.QueryPromQL, Name: `sum(rate(http_requests_total[1m])) or vector(0)`})
		text := ""
		for now := time.Duration(0); now <= 5*time.Minute; now += 15 * time.Second {
			text += fmt.Sprintln(observe(d, now, lives))
		}
		return text
	}
	assert.Equal(t, run(), run())
}

// What the door remembers of pods does not grow with pods that came and went.
func TestMemoryOfGonePods(t *testing.T) {
	d := doorFor(t, cpuQuery, messages.Query{Kind: messages.QueryPods, Name: "rps"})
	observe(d, time.Hour, func(now time.Duration) Truth {
		id := int32(now / seconds(15))
		return Truth{Pods: []cluster.PodStatus{readyPod(id, 0), readyPod(id+1, 0)}}
	})
	assert.Len(t, d.known, 2)
	assert.LessOrEqual(t, cap(d.known), 2)
	assert.Equal(t, 2, cap(d.gauges[0].total.samples))
}

func TestObserveDoesNotAllocate(t *testing.T) {
	d, truth := tenPods(t)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		d.Observe(0, seconds(60), truth, messages.Replicas{})
	}))
}

func tenPods(t testing.TB) (*Door, Truth) {
	d := doorFor(t, cpuQuery, messages.Query{Kind: messages.QueryPods, Name: "rps"}, messages.Query{Kind: messages.QueryExternal, Name: "rps"})
	w := func(now time.Duration) Truth {
		var pods []cluster.PodStatus
		for id := range int32(10) {
			p := readyPod(id, 0)
			p.CPU = now / 2
			pods = append(pods, p)
		}
		return Truth{Pods: pods}
	}
	observe(d, seconds(60), w)
	return d, w(seconds(60))
}

func BenchmarkObserve(b *testing.B) {
	d, truth := tenPods(b)
	b.ReportAllocs()
	for b.Loop() {
		d.Observe(0, seconds(60), truth, messages.Replicas{})
	}
}

func BenchmarkScrape(b *testing.B) {
	d, truth := tenPods(b)
	b.ReportAllocs()
	for b.Loop() {
		d.Scrape(d.Next(), truth)
	}
}

func TestTheWorkloadsRateCountsAttempts(t *testing.T) {
	g := gauge{source: SourceRPS}
	assert.Equal(t, int64(8), g.ofWorkload(Truth{Counters: cluster.Counters{Arrived: 5, Retried: 3}}, 0, 0))
}
