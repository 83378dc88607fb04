package hpa

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/scalelab/scalelab/messages"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/api/resource"
)

const curvesDir = "../../../shared/acceptance/controlplane/curves"

// TestReplayOfARealControlPlane feeds what a v1.37.2 control plane saw at every
// sync to Decide and expects the count it set.
func TestReplayOfARealControlPlane(t *testing.T) {
	dirs, err := filepath.Glob(curvesDir + "/*")
	require.NoError(t, err)
	if len(dirs) == 0 {
		t.Skip("no recorded curves at " + curvesDir + " (from this package)")
	}
	syncs, same := 0, 0
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			c := loadCurve(t, dir)
			differences := c.replay(t)
			syncs += len(c.instants)
			same += len(c.instants) - len(differences)
			assert.Empty(t, differences, "of %d syncs", len(c.instants))
		})
	}
	t.Logf("%d of %d syncs of %d curves as the real controller decided", same, syncs, len(dirs))
}

// curve is one recorded HPA. Instants are seconds since the common start.
type curve struct {
	manifest autoscalingv2.HorizontalPodAutoscaler
	meta     struct {
		UnreadyPhase    string    `json:"unready_phase"`
		FirstSync       float64   `json:"first_sync_s"`
		FirstMetricSync float64   `json:"first_metric_sync_s"`
		SyncInstants    []float64 `json:"sync_instants_s"`
	}
	load struct {
		Series map[string]struct {
			Window      float64 `json:"window_s"`
			OmitEvery   int     `json:"omit_every"`
			UnreadyMCPU *int64  `json:"unready_mcpu"`
		} `json:"series"`
	}
	instants []float64
	counts   []map[string]float64 // curve.csv
	pods     []recordedPod
	answers  map[string][]map[string]string // queries.csv by metric
	epoch    time.Time
}

type recordedPod struct{ created, running, ready, deleting, gone float64 }

// replay returns what differs, a line per sync.
func (c *curve) replay(t *testing.T) (differences []string) {
	a, err := New(Spec{Manifest: &c.manifest, Controller: DefaultController()})
	require.NoError(t, err)
	asked := -len(c.instants) + len(c.meta.SyncInstants) // negative: the first sync asked for no metric
	for i, at := range c.instants {
		next := math.Inf(1)
		if i+1 < len(c.instants) {
			next = c.instants[i+1]
		}
		d, err := a.Decide(c.instant(at), c.observe(t, a.Queries(), at, asked+i))
		require.NoError(t, err)
		if real := int32(c.countsBefore(next)["spec_replicas"]); d.Desired != real {
			differences = append(differences, fmt.Sprintf("t=%v: real %d, here %d: %s %v", at, real, d.Desired, d.Message, d.Steps))
		}
	}
	return differences
}

func (c *curve) instant(s float64) time.Time {
	return c.epoch.Add(time.Duration(math.Round(s*1000)) * time.Millisecond)
}

// stamp is an instant as the API writes it.
func (c *curve) stamp(s float64) time.Time { return c.instant(s).Truncate(time.Second) }

func (c *curve) countsBefore(s float64) map[string]float64 {
	last := c.counts[0]
	for _, row := range c.counts {
		if row["t_s"] < s {
			last = row
		}
	}
	return last
}

func (c *curve) observe(t *testing.T, queries []messages.Query, at float64, asked int) messages.Observation {
	counts := c.countsBefore(at)
	seen := messages.Observation{Replicas: messages.Replicas{
		Desired: int32(counts["spec_replicas"]), Created: int32(counts["status_replicas"]), Ready: int32(counts["ready_replicas"])}}
	requests := []messages.ResourceRequest{{Container: "web", Resource: "cpu", Milli: 200}}
	for i, p := range c.pods {
		if p.created > at || p.gone <= at {
			continue
		}
		pod := messages.Pod{Name: strconv.Itoa(i), Requests: requests, Deleting: p.deleting <= at}
		if p.running <= at {
			pod.Phase, pod.HasCondition = messages.PodRunning, true
			pod.Started, pod.ReadyChanged = c.stamp(p.running), c.stamp(p.running)
		}
		if p.ready <= at {
			pod.Ready, pod.ReadyChanged = true, c.stamp(p.ready)
		}
		seen.Pods = append(seen.Pods, pod)
	}
	for _, q := range queries {
		seen.Metrics = append(seen.Metrics, c.answer(t, q, seen.Pods, at, asked))
	}
	return seen
}

func (c *curve) answer(t *testing.T, q messages.Query, pods []messages.Pod, at float64, asked int) messages.Metric {
	if asked < 0 {
		return messages.Metric{Err: "not asked for"}
	}
	name := q.Name
	if q.Kind == messages.QueryResource {
		name = "cpu-" + c.manifest.Name
	}
	row := c.answers[name][asked]
	if row["http_code"] != "200" {
		return messages.Metric{Err: "HTTP " + row["http_code"]}
	}
	served := int64(0)
	if v := row["served_value"]; v != "" {
		q, err := resource.ParseQuantity(v)
		require.NoError(t, err)
		served = q.MilliValue()
	}
	m := messages.Metric{At: c.stamp(at), Milli: served}
	if q.Kind == messages.QueryObject || q.Kind == messages.QueryExternal {
		return m
	}
	series := c.load.Series[name]
	ready := 0
	for i, pod := range pods {
		sample := messages.PodMetric{Pod: i, Milli: served, At: m.At, Window: time.Duration(series.Window) * time.Second}
		switch {
		case pod.Ready && !pod.Deleting:
			if ready++; series.OmitEvery > 0 && ready%series.OmitEvery == 0 {
				continue
			}
		case pod.Phase == messages.PodRunning && !pod.Deleting && series.UnreadyMCPU != nil:
			sample.Milli = *series.UnreadyMCPU
		default:
			continue
		}
		m.Pods = append(m.Pods, sample)
	}
	return m
}

func loadCurve(t *testing.T, dir string) *curve {
	c := &curve{answers: map[string][]map[string]string{}}
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		return data
	}
	require.NoError(t, yaml.UnmarshalStrict(read("hpa.yaml"), &c.manifest))
	require.NoError(t, json.Unmarshal(read("meta.json"), &c.meta))
	require.NoError(t, json.Unmarshal(read("load.json"), &c.load))

	c.instants = c.meta.SyncInstants
	if c.meta.FirstSync != c.meta.FirstMetricSync {
		c.instants = append([]float64{c.meta.FirstSync}, c.instants...)
	}
	for _, row := range rows(t, read("curve.csv")) {
		c.counts = append(c.counts, numbers(t, row))
	}
	for _, row := range rows(t, read("pods.csv")) {
		n := numbers(t, row)
		p := recordedPod{created: n["created_s"], running: n["running_s"], ready: n["ready_s"], deleting: n["deleting_s"], gone: n["gone_s"]}
		if row["running_s"] == "" && p.ready < 0 { // before the recording began
			p.running = p.ready
			if strings.HasPrefix(c.meta.UnreadyPhase, "Running") {
				p.running = p.created
			}
		}
		c.pods = append(c.pods, p)
	}
	for _, row := range rows(t, read("queries.csv")) {
		c.answers[row["metric"]] = append(c.answers[row["metric"]], row)
	}
	// lastScaleTime is a whole second of the cluster's clock: its fraction here
	// tells where seconds begin.
	fraction := 0.611
	for _, row := range rows(t, read("hpa_status.csv")) {
		if s := row["last_scale_time_s"]; s != "" {
			_, fraction = math.Modf(numbers(t, row)["last_scale_time_s"])
		}
	}
	c.epoch = time.Unix(1_800_000_000, 0).UTC().Add(-time.Duration(math.Round(fraction*1000)) * time.Millisecond)
	return c
}

func rows(t *testing.T, data []byte) (list []map[string]string) {
	all, err := csv.NewReader(strings.NewReader(string(data))).ReadAll()
	require.NoError(t, err)
	for _, record := range all[1:] {
		row := map[string]string{}
		for i, name := range all[0] {
			row[name] = record[i]
		}
		list = append(list, row)
	}
	return list
}

// numbers reads the columns that are instants or counts; an empty one is never.
func numbers(t *testing.T, row map[string]string) map[string]float64 {
	out := map[string]float64{}
	for name, text := range row {
		if text == "" {
			out[name] = math.Inf(1)
		} else if strings.HasSuffix(name, "_s") || strings.HasSuffix(name, "_replicas") {
			n, err := strconv.ParseFloat(text, 64)
			require.NoError(t, err)
			out[name] = n
		}
	}
	return out
}
