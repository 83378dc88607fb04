package bench_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"
)

// BenchmarkSmallReplay replays what a sweep consists of: 30 simulated minutes
// with an HPA, decisions carried out directly. At 50 requests per second these
// are 90,000 requests; at 0 what is left is everything but the data plane.
func BenchmarkSmallReplay(b *testing.B) {
	for _, rps := range []string{"50", "0"} {
		b.Run("rps="+rps, func(b *testing.B) {
			s, err := scenarios.Embedded("steady", "traffic[0].rps="+rps, "traffic[0].for=30m", "measure.from=0s")
			require.NoError(b, err)
			spec, err := s.Spec("hpa-70", s.Document.Seed)
			require.NoError(b, err)
			b.ReportAllocs()
			before := processTime()
			for b.Loop() {
				_, err := sim.Run(context.Background(), spec)
				require.NoError(b, err)
			}
			b.ReportMetric(float64(b.N)/(processTime()-before).Seconds(), "replays/cpu-s")
		})
	}
}
