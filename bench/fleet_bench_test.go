package bench_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"
)

// BenchmarkFleet replays 30 minutes of 10,000 services, each with an HPA and one
// request per second in the mean: 18 million requests. Beside the wall time it
// reports the CPU time of the process, which others on the machine do not spoil.
//
//	go test -run '^$' -bench Fleet -benchtime 1x -count 6 ./bench
func BenchmarkFleet(b *testing.B) {
	s, err := scenarios.Embedded("fleet", "fleet.services=10000", "fleet.popularity.exponent=1",
		"traffic=[{for: 30m, rps: 1}]", "assertions=[]")
	require.NoError(b, err)
	spec, err := s.Spec("hpa-70", s.Document.Seed)
	require.NoError(b, err)
	first := ""
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			b.ReportAllocs()
			requests, before := uint64(0), processTime()
			for b.Loop() {
				r, err := sim.Run(context.Background(), spec, sim.WithWorkers(workers))
				require.NoError(b, err)
				requests += r.Requests.Arrived
				if first == "" {
					first = r.Fingerprint
				}
				require.Equal(b, first, r.Fingerprint)
			}
			cpu := processTime() - before
			b.ReportMetric(cpu.Seconds()/float64(b.N), "cpu-s/op")
			b.ReportMetric(float64(cpu.Nanoseconds())/float64(requests), "cpu-ns/req")
		})
	}
}
