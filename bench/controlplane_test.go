package bench_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/hpa"
	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"
	"github.com/scalelab/scalelab/sim/clientset"
	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/metrics"
	"github.com/scalelab/scalelab/sim/random"

	"k8s.io/apimachinery/pkg/api/resource"
)

// recordings is where the curves of a real control plane lie beside a
// checkout, if they do. The README there says what was served and when.
const recordings = "../../shared/acceptance/controlplane/curves"

// recording is one recorded HPA and its Deployment. Instants count from the
// common start of all recordings.
type recording struct {
	name     string
	scenario *scenarios.Scenario
	spec     sim.Spec
	age      time.Duration // how long the initial pods have been Ready at the common start
	created  time.Duration // when the HPA was
	toReady  time.Duration // mean, from the sync that asks for a pod
	syncs    []time.Duration
	curve    []counts
	series   map[string]*series
	queries  []query
}

// counts are replica counts from an instant on.
type counts struct {
	at time.Duration
	messages.Replicas
}

// query is one request to the recorded metrics server, and its answer.
type query struct {
	at     time.Duration
	metric string
	cpu    bool
	ok     bool
	load   float64
	ready  int
	milli  int64
}

// series is an entry of load.json: a load over time and how it is served.
type series struct {
	Rule        string       `json:"rule"`
	Points      [][2]float64 `json:"points"`
	Fail        [][2]float64 `json:"fail"`
	WindowS     int64        `json:"window_s"`
	AgeS        int64        `json:"ts_age_s"`
	OmitEvery   int          `json:"omit_every"`
	OmitWhen    [][2]float64 `json:"omit_when"`
	UnreadyMCPU *int64       `json:"unready_mcpu"`
}

// load is linear between points; of two points at one instant the later holds.
func (s *series) load(at time.Duration) float64 {
	t := at.Seconds()
	next := slices.IndexFunc(s.Points, func(p [2]float64) bool { return p[0] > t })
	switch next {
	case 0:
		return s.Points[0][1]
	case -1:
		return s.Points[len(s.Points)-1][1]
	}
	a, b := s.Points[next-1], s.Points[next]
	return a[1] + float64((b[1]-a[1])*((t-a[0])/(b[0]-a[0])))
}

func during(windows [][2]float64, at time.Duration) bool {
	t := at.Seconds()
	return slices.ContainsFunc(windows, func(w [2]float64) bool { return w[0] <= t && t < w[1] })
}

// milli is the value served, in thousandths; the load of cpu is in millicores.
func (s *series) milli(load float64, ready int, cpu bool) int64 {
	if s.Rule != "raw" {
		load /= float64(max(1, ready))
	}
	if cpu {
		return int64(load)
	}
	return int64(float64(load * 1000))
}

// answer is what the recorded metrics server would have served at an instant,
// which is now in the API, about these pods.
func (s *series) answer(q messages.Query, pods []messages.Pod, at time.Duration, now time.Time) messages.Metric {
	if during(s.Fail, at) {
		return messages.Metric{Err: "HTTP 404"}
	}
	ready := 0
	for _, p := range pods {
		if p.Ready && !p.Deleting {
			ready++
		}
	}
	m := messages.Metric{
		At:    now.Add(-time.Duration(s.AgeS) * time.Second).Truncate(time.Second),
		Milli: s.milli(s.load(at), ready, q.Kind == messages.QueryResource),
	}
	if q.Kind == messages.QueryObject || q.Kind == messages.QueryExternal {
		return m
	}
	omitted := s.OmitEvery > 0 && (len(s.OmitWhen) == 0 || during(s.OmitWhen, at))
	ready = 0
	for i, p := range pods {
		sample := messages.PodMetric{Pod: i, Milli: m.Milli, At: m.At, Window: time.Duration(s.WindowS) * time.Second}
		switch {
		case p.Deleting:
			continue
		case p.Ready:
			if ready++; omitted && ready%s.OmitEvery == 0 {
				continue
			}
		case s.UnreadyMCPU != nil && p.Phase == messages.PodRunning:
			sample.Milli = *s.UnreadyMCPU
		default:
			continue
		}
		m.Pods = append(m.Pods, sample)
	}
	return m
}

// serving is the series that answers a query.
func (r *recording) serving(q messages.Query) *series {
	if q.Kind == messages.QueryResource {
		return r.series[q.Name+"-"+r.name]
	}
	return r.series[q.Name]
}

// schedule says when a recording is played: its syncs, and when each of them
// reads the load, which is the same instant but for experiments.
type schedule struct{ syncs, reads []time.Duration }

// every is the schedule of a period.
func (r *recording) every(first, period time.Duration) schedule {
	syncs := make([]time.Duration, len(r.syncs))
	for i := range syncs {
		syncs[i] = first + time.Duration(i)*period
	}
	return schedule{syncs, syncs}
}

// ownClock syncs when the HPA is created, and then at its period.
func (r *recording) ownClock() schedule {
	return r.every(r.created, r.spec.Strategy.HPA.Controller.SyncPeriod)
}

// meanPeriod is the mean time between two recorded syncs.
func (r *recording) meanPeriod() time.Duration {
	last := len(r.syncs) - 1
	return (r.syncs[last] - r.syncs[0]) / time.Duration(last)
}

// play is what became of a recording, sync by sync.
type play struct {
	schedule
	before []messages.Replicas // what a sync saw
	after  []int32             // the spec.replicas it left
	curve  []counts            // created and ready, whenever one changes
}

// play runs the simulator's autoscaler, cluster, API and actuator on a
// schedule. In place of the metrics pipeline, which measures requests, metrics
// follow the recorded load.
func (r *recording) play(t *testing.T, act sim.Actuator, on schedule) play {
	seed := random.Seed(r.spec.Seed)
	arrivals := r.spec.Traffic.Arrivals(seed)
	defer arrivals.Close()
	c, err := cluster.New(r.spec.Cluster, seed, arrivals, cluster.NewTally([]time.Duration{0}, 0))
	require.NoError(t, err)
	a, err := hpa.New(*r.spec.Strategy.HPA)
	require.NoError(t, err)
	door, err := metrics.NewDoor(metrics.Spec{Pipeline: r.spec.Pipeline, Requests: r.spec.Requests, Workload: r.spec.Workload,
		Namespace: r.spec.Namespace, Service: r.spec.Service, Start: r.spec.Start, Queries: make([][]messages.Query, 1)})
	require.NoError(t, err)

	p := play{schedule: on}
	var view census
	look := func(now time.Duration) {
		require.Equal(t, cluster.NoStop, c.Advance(now), "there are no requests to wait")
		changes := c.Transitions(nil)
		p.curve = view.follow(p.curve, changes, r.age)
		require.NoError(t, act.Mirror(now, changes, c.Replicas()))
	}
	for i, at := range on.syncs {
		now := r.age + at
		look(now)
		replicas, err := act.Replicas(now)
		require.NoError(t, err)
		seen := door.Observe(0, now, metrics.Truth{Pods: c.Pods(nil)}, replicas)
		for _, q := range a.Queries() {
			seen.Metrics = append(seen.Metrics, r.serving(q).answer(q, seen.Pods, on.reads[i], r.spec.Start.Add(now)))
		}
		d, err := a.Decide(r.spec.Start.Add(now), seen)
		require.NoError(t, err)
		standing, err := act.Carry(now, "hpa", d)
		require.NoError(t, err)
		c.Scale(standing)
		p.before, p.after = append(p.before, replicas), append(p.after, standing)
	}
	look(r.age + on.syncs[len(on.syncs)-1] + r.meanPeriod())
	return p
}

// census counts pods as their transitions go by.
type census struct {
	messages.Replicas
	ready map[int32]bool
}

// follow appends the counts after every instant of the transitions, with
// instants counted from zero.
func (c *census) follow(curve []counts, changes []cluster.Transition, zero time.Duration) []counts {
	if c.ready == nil {
		c.ready = map[int32]bool{}
	}
	for _, change := range changes {
		switch change.To {
		case cluster.Pending:
			c.Created++
		case cluster.Ready:
			c.Ready++
			c.ready[change.Pod] = true
			c.Created = max(c.Created, c.Ready) // the initial pods were never Pending
		case cluster.Draining:
			c.Created--
			c.Ready--
		case cluster.Gone:
			if !c.ready[change.Pod] {
				c.Created--
			}
		}
		if n := len(curve); n > 0 && curve[n-1].at == change.At-zero {
			curve = curve[:n-1]
		}
		curve = append(curve, counts{change.At - zero, c.Replicas})
	}
	return curve
}

// throughAPI is a new actuator that writes and reads API objects.
func (r *recording) throughAPI(t *testing.T) sim.Actuator {
	objects, err := r.scenario.Objects("hpa")
	require.NoError(t, err)
	act, err := clientset.New(objects, r.spec.Start)
	require.NoError(t, err)
	return act
}

// directly is a new actuator in memory.
func (r *recording) directly() sim.Actuator { return sim.Direct(r.spec.Cluster.Replicas) }

// before are the recorded counts just before an instant.
func (r *recording) before(at time.Duration) messages.Replicas {
	n, _ := slices.BinarySearchFunc(r.curve, at, func(c counts, at time.Duration) int { return int(c.at - at) })
	return r.curve[max(0, n-1)].Replicas
}

// left is the recorded spec.replicas after the i-th sync.
func (r *recording) left(i int) int32 {
	if i+1 < len(r.syncs) {
		return r.before(r.syncs[i+1]).Desired
	}
	return r.curve[len(r.curve)-1].Desired
}

func loadRecording(t *testing.T, dir string) *recording {
	r := &recording{name: filepath.Base(dir)}
	var meta struct {
		Start           time.Time `json:"common_start_utc"`
		HPACreated      float64   `json:"hpa_created_s"`
		ReadyDelay      float64   `json:"ready_delay_s"`
		UnreadyPhase    string    `json:"unready_phase"`
		FirstSync       float64   `json:"first_sync_s"`
		FirstMetricSync float64   `json:"first_metric_sync_s"`
		Syncs           []float64 `json:"sync_instants_s"`
	}
	decode(t, dir+"/meta.json", &meta)
	var load struct{ Series map[string]*series }
	decode(t, dir+"/load.json", &load)
	r.series = load.Series
	r.created = seconds(meta.HPACreated)
	if meta.FirstSync != meta.FirstMetricSync { // asked for no metric: its own instant is not recorded
		r.syncs = append(r.syncs, r.created)
	}
	for _, s := range meta.Syncs {
		r.syncs = append(r.syncs, seconds(s))
	}
	for _, row := range table(t, dir+"/curve.csv") {
		r.curve = append(r.curve, counts{row.instant(t, "t_s"), messages.Replicas{
			Desired: row.count(t, "spec_replicas"), Created: row.count(t, "status_replicas"), Ready: row.count(t, "ready_replicas")}})
	}
	for _, row := range table(t, dir+"/queries.csv") {
		r.queries = append(r.queries, row.query(t))
	}

	var pods, sum time.Duration
	for _, row := range table(t, dir+"/pods.csv") {
		if row["ready_s"] == "" {
			continue
		}
		created, ready := row.instant(t, "created_s"), row.instant(t, "ready_s")
		if ready < 0 {
			r.age = -ready
		}
		if i, _ := slices.BinarySearch(r.syncs, created); created > 0 && i > 0 {
			pods++
			sum += ready - r.syncs[i-1]
		}
	}
	// From the sync that asks for a pod until it is Ready it is Pending, or
	// Running for the whole of its delay.
	r.toReady = seconds(meta.ReadyDelay)
	if pods > 0 {
		r.toReady = sum / pods
	}
	scheduled, starting := r.toReady, time.Duration(0)
	if strings.HasPrefix(meta.UnreadyPhase, "Running") {
		starting = seconds(meta.ReadyDelay)
		scheduled -= starting
	}
	text := fmt.Sprintf(`apiVersion: scalelab/v1alpha1
kind: Scenario
metadata: {name: %s}
start: %s
workload: {manifests: [deployment.yaml]}
lifecycle: {schedule: %s, imagePull: 0s, start: %s}
traffic: [{name: none, for: 20m, rps: 0}]
autoscalers: {hpa: {manifests: [hpa.yaml]}}
metrics:
`, r.name, meta.Start.Add(-r.age).Format(time.RFC3339Nano), scheduled, starting)
	for name := range r.series { // the loader wants a meaning for every name; series gives the one that holds
		text += "  " + name + ": {source: workload.rps}\n"
	}
	var err error
	r.scenario, err = scenarios.Parse(r.name+".yaml", []byte(text), scenarios.Files(dir))
	require.NoError(t, err, text)
	r.spec, err = r.scenario.Spec("hpa", 1)
	require.NoError(t, err)
	return r
}

// seconds is a recorded instant; they have milliseconds.
func seconds(s float64) time.Duration { return time.Duration(math.Round(s*1000)) * time.Millisecond }

func decode(t *testing.T, file string, into any) {
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, into))
}

// row is a line of a CSV file by the names of its columns.
type row map[string]string

func table(t *testing.T, file string) (rows []row) {
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	all, err := csv.NewReader(strings.NewReader(string(data))).ReadAll()
	require.NoError(t, err)
	for _, record := range all[1:] {
		r := row{}
		for i, name := range all[0] {
			r[name] = record[i]
		}
		rows = append(rows, r)
	}
	return rows
}

func (r row) number(t *testing.T, column string) float64 {
	if r[column] == "" {
		return 0
	}
	n, err := strconv.ParseFloat(r[column], 64)
	require.NoError(t, err)
	return n
}

func (r row) instant(t *testing.T, column string) time.Duration { return seconds(r.number(t, column)) }

func (r row) count(t *testing.T, column string) int32 { return int32(r.number(t, column)) }

func (r row) query(t *testing.T) query {
	q := query{at: r.instant(t, "t_s"), metric: r["metric"], ok: r["http_code"] == "200",
		load: r.number(t, "load"), ready: int(r.count(t, "ready_pods")), cpu: r["kind"] == "cpu"}
	if q.ok && r["served_value"] != "" {
		served, err := resource.ParseQuantity(r["served_value"])
		require.NoError(t, err)
		q.milli = served.MilliValue()
	}
	return q
}
