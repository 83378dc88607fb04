package bench_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"
	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/random"
	"github.com/scalelab/scalelab/sim/traffic"
)

// The speed of the data plane, in millions of requests per second of CPU time,
// beside BenchmarkFloor. PERFORMANCE.md says what the figures mean.

// meter reports requests per second of CPU time.
type meter struct {
	b        *testing.B
	from     time.Duration
	requests uint64
}

func measure(b *testing.B) *meter {
	b.ReportAllocs()
	b.ResetTimer()
	return &meter{b: b, from: threadTime()}
}

func (m *meter) stop() {
	spent := threadTime() - m.from
	m.b.ReportMetric(float64(m.requests)/spent.Seconds()/1e6, "Mreq/CPU-s")
	m.b.ReportMetric(float64(spent.Nanoseconds())/float64(m.requests), "cpu-ns/req")
}

// plan is traffic of a constant rate.
func plan(b *testing.B, rate float64, length time.Duration) *traffic.Plan {
	p, err := traffic.New(traffic.Spec{{RPS: &rate, For: &length}}, nil)
	require.NoError(b, err)
	return p
}

// BenchmarkCentralQueue serves M/M/c from one queue at 80 % utilization, nothing
// being scaled.
func BenchmarkCentralQueue(b *testing.B) {
	for _, pods := range []int32{1, 10, 100} {
		for _, slots := range []int{10, 100} {
			b.Run(fmt.Sprintf("%dx%d", pods, slots), func(b *testing.B) {
				spec := sim.Spec{Cluster: cluster.Defaults(), Start: time.Unix(0, 0)}
				mean := 100 * time.Millisecond
				spec.Cluster.Replicas = pods
				spec.Cluster.PerPod = cluster.PerPod{
					Concurrency: slots, Queue: 1_000_000, Discipline: "fifo",
					ServiceTime: random.Spec{Dist: "exponential", Mean: &mean},
				}
				spec.Cluster.Routing.Policy = "central-queue"
				spec.Cluster.RequestTimeout = 0
				spec.SampleEvery = time.Minute
				rate := 0.8 * float64(int(pods)*slots) / mean.Seconds()
				spec.Traffic = plan(b, rate, time.Duration(3e6/rate*1e9))
				spec.Pipeline.Kubelet, spec.Pipeline.MetricsServer, spec.Pipeline.PrometheusScrape = 10*time.Second, 15*time.Second, 30*time.Second
				replayOften(b, spec)
			})
		}
	}
}

func replayOften(b *testing.B, spec sim.Spec) {
	m := measure(b)
	for b.Loop() {
		result, err := sim.Run(context.Background(), spec)
		require.NoError(b, err)
		m.requests += result.Requests.Arrived
	}
	m.stop()
}

// BenchmarkFullFeatures serves 2,800 requests per second in about 50 pods: see the
// scenario.
func BenchmarkFullFeatures(b *testing.B) {
	for _, policy := range []string{"random", "round-robin", "p2c", "least-request"} {
		b.Run(policy, func(b *testing.B) {
			replayOften(b, speedSpec(b, "full-features", "workload.routing.policy="+policy))
		})
	}
}

func speedSpec(b *testing.B, name string, overrides ...string) sim.Spec {
	s, err := scenarios.Load("testdata/speed/"+name+".yaml", overrides...)
	require.NoError(b, err)
	spec, err := s.Spec("hpa", s.Document.Seed)
	require.NoError(b, err)
	return spec
}
