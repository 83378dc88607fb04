package bench_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"
)

// BenchmarkReplay replays every scenario of the catalogue with every one of its
// autoscalers, decisions carried out directly. Beside the speed it reports what
// came out, so that benchstat compares both:
//
//	go test -run '^$' -bench . -count 6 ./bench > before.txt
func BenchmarkReplay(b *testing.B) {
	for _, name := range scenarios.Names() {
		s, err := scenarios.Load(name)
		require.NoError(b, err)
		for _, autoscaler := range strategies(s) {
			b.Run(name+"/"+autoscaler, func(b *testing.B) { replay(b, s, autoscaler) })
		}
	}
}

func replay(b *testing.B, s *scenarios.Scenario, autoscaler string) {
	spec, err := s.Spec(autoscaler, s.Document.Seed)
	require.NoError(b, err)
	var result *sim.Result
	for b.Loop() {
		result, err = sim.Run(context.Background(), spec)
		require.NoError(b, err)
	}
	requests := float64(result.Requests.Arrived)
	seconds := b.Elapsed().Seconds() / float64(b.N)
	b.ReportMetric(requests/seconds, "req/s")
	b.ReportMetric(seconds*1e9/requests, "ns/req")
	if result.LatencyS != nil {
		b.ReportMetric(result.LatencyS.P99*1000, "p99-ms")
	}
	b.ReportMetric(result.PodSeconds, "pod-s")
	b.ReportMetric(float64(result.Requests.Cold), "cold")
	b.ReportMetric(float64(result.Requests.Lost()), "lost")
}

// BenchmarkActuator replays 30 minutes of 1,000 requests per second, with all
// features, through both actuators.
func BenchmarkActuator(b *testing.B) {
	s, err := scenarios.Load("testdata/speed/full-features.yaml", "traffic[0].rps=1000", "traffic[0].for=30m")
	require.NoError(b, err)
	for _, name := range []string{"direct", "clientset"} {
		b.Run(name, func(b *testing.B) {
			spec, err := s.Spec("hpa", s.Document.Seed)
			require.NoError(b, err)
			m := measure(b)
			for b.Loop() {
				result, err := sim.Run(context.Background(), spec, options(b, s, "hpa", name)...)
				require.NoError(b, err)
				m.requests += result.Requests.Arrived
			}
			m.stop()
		})
	}
}
