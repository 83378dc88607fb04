package bench_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/sim"
)

// BenchmarkSmallReplay replays what a sweep consists of: 30 simulated minutes
// with an HPA, decisions carried out directly. At 50 requests per second these
// are 90,000 requests; at 0 what is left is everything but the data plane.
func BenchmarkSmallReplay(b *testing.B) {
	for _, c := range []struct{ name, rps, policy string }{
		{"random", "50", "random"},
		{"least-request", "50", "least-request"},
		{"silence", "0", "random"},
	} {
		b.Run(c.name, func(b *testing.B) {
			spec := speedSpec(b, "small", "hpa", "traffic[0].rps="+c.rps, "workload.routing.policy="+c.policy)
			b.ReportAllocs()
			before := processTime()
			for b.Loop() {
				_, err := sim.Run(context.Background(), spec)
				require.NoError(b, err)
			}
			b.ReportMetric(float64(b.N)/(processTime()-before).Seconds(), "replays/CPU-s")
		})
	}
}
