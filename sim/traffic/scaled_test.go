package traffic

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/scalelab/scalelab/sim/random"
)

// Scaled by 1 every plan is itself, and by 2.5 its rate is 2.5 times as high at
// every instant, which the expected total and the arrivals follow.
func TestScaledShapes(t *testing.T) {
	const seeds = 40
	for name, shape := range shapes() {
		t.Run(name, func(t *testing.T) {
			shape.For = ptr(100 * second)
			plan := mustNew(t, Spec{shape}, rates)
			require.NoError(t, plan.CheckScalable())
			assert.Equal(t, plan, plan.Scaled(1, 7))
			assert.Equal(t, all(t, plan, 3), all(t, plan.Scaled(1, 7), 3))

			scaled := plan.Scaled(2.5, 7)
			for at := second / 3; at < 100*second; at += second {
				assert.InDelta(t, 2.5*plan.Rate(at), scaled.Rate(at), 1e-9)
			}
			total, _ := plan.Total()
			more, _ := scaled.Total()
			require.InDelta(t, 2.5*float64(total), more, 2)
			arrived := 0
			for seed := range random.Seed(seeds) {
				arrived += len(all(t, scaled, seed))
			}
			assert.InDelta(t, seeds*float64(more), arrived, 5*math.Sqrt(seeds*float64(more)))
			assert.Equal(t, plan, mustNew(t, Spec{shape}, rates), "the plan itself stays as it was")
		})
	}
}

// Every bin's share is the exact one rounded up or down, and so is every
// running total, whatever the offset.
func TestScaledCountsAreShares(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		counts := rapid.SliceOfN(rapid.Uint16Range(0, 50), 1, 30).Draw(t, "counts")
		factor, offset := rapid.Float64Range(0, 3).Draw(t, "factor"), rapid.Float64Range(0, 1-1e-9).Draw(t, "offset")
		shares := make([]float64, len(counts))
		for i, c := range counts {
			shares[i] = float64(c)
		}
		shareCounts(shares, factor, offset)
		sum, total := 0.0, 0.0
		for i, c := range counts {
			require.InDelta(t, factor*float64(c), shares[i], 1+1e-9)
			require.GreaterOrEqual(t, shares[i], 0.0)
			require.Equal(t, math.Trunc(shares[i]), shares[i])
			sum, total = sum+float64(c), total+shares[i]
			require.InDelta(t, factor*sum, total, 1+1e-9)
		}
	})
	third := []float64{1, 1, 1, 1, 1, 1}
	shareCounts(third, 0.3, 0.5)
	assert.Equal(t, []float64{0, 1, 0, 0, 1, 0}, third)
}

// Of 2,000 services with a thousandth of a bin's 500 requests each, half get
// one: not all of them, and not none.
func TestServicesRoundTheirCountsApart(t *testing.T) {
	plan := mustNew(t, tracePhase(Trace{File: "m", Count: "0", Bin: ptr(minute)}), files{"m": "500\n0\n"})
	assert.Equal(t, []int{500, 0}, perBin(all(t, plan.Scaled(1, 9), 1), minute, 2*minute))
	some := 0
	for seed := range random.Seed(2000) {
		bins := perBin(all(t, plan.Scaled(0.001, seed), seed), minute, 2*minute)
		require.Zero(t, bins[1])
		require.LessOrEqual(t, bins[0], 1)
		some += bins[0]
	}
	assert.InDelta(t, 1000, some, 5*math.Sqrt(2000*0.25))
	assert.Equal(t, []int{500, 0}, perBin(all(t, plan, 1), minute, 2*minute), "the plan itself stays as it was")
}

func TestTimestampsAreNotScalable(t *testing.T) {
	spec := append(Spec{{For: ptr(second), RPS: ptr(0.0)}}, tracePhase(Trace{File: "s", Timestamps: "when"})...)
	plan := mustNew(t, spec, files{"s": stampsText})
	assert.EqualError(t, plan.CheckScalable(), "[1].trace.timestamps: found exact timestamps, which no service of a fleet can have a share of; expected count or value")

	plan = mustNew(t, Spec{{For: ptr(minute), Users: &Users{Count: 3, ThinkTime: random.Constant(second)}}}, nil)
	assert.EqualError(t, plan.CheckScalable(), "[0].users: found users, whom no service of a fleet can have a share of; expected a rate")
}
