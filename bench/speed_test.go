package bench_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"
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

// BenchmarkCentralQueue serves M/M/c from one queue at 80 % utilization, by pods
// times slots, nothing being scaled.
func BenchmarkCentralQueue(b *testing.B) {
	for _, size := range []struct{ pods, slots int }{{1, 10}, {1, 100}, {1, 400}, {10, 10}, {40, 10}} {
		b.Run(fmt.Sprintf("%dx%d", size.pods, size.slots), func(b *testing.B) {
			rate := 8 * size.pods * size.slots // of services that take 100 ms on average
			replayOften(b, speedSpec(b, "central-queue", "fixed",
				fmt.Sprintf("autoscalers.fixed.replicas=%d", size.pods),
				fmt.Sprintf("workload.perPod.concurrency=%d", size.slots),
				fmt.Sprintf("traffic[0].rps=%d", rate),
				fmt.Sprintf("traffic[0].for=%ds", 3_000_000/rate)))
		})
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
			replayOften(b, speedSpec(b, "full-features", "hpa", "workload.routing.policy="+policy))
		})
	}
}

// BenchmarkKnative serves 1,000 requests per second for 30 minutes under an HPA
// and under Knative, past its activator and by way of it. The activator chooses
// pods as p2c does.
func BenchmarkKnative(b *testing.B) {
	for _, way := range []struct{ autoscaler, policy string }{
		{"hpa", "random"}, {"kpa-direct", "random"}, {"hpa", "p2c"}, {"kpa", "p2c"},
	} {
		b.Run(way.autoscaler+"/"+way.policy, func(b *testing.B) {
			replayOften(b, speedSpec(b, "full-features", way.autoscaler,
				"traffic[0].rps=1000", "traffic[0].for=30m", "workload.routing.policy="+way.policy))
		})
	}
}

func speedSpec(b *testing.B, name, autoscaler string, overrides ...string) sim.Spec {
	s, err := scenarios.Load("testdata/speed/"+name+".yaml", overrides...)
	require.NoError(b, err)
	spec, err := s.Spec(autoscaler, s.Document.Seed)
	require.NoError(b, err)
	return spec
}
