package bench

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/scalelab/scalelab/sim"
)

// priced gives results a bill.
func priced(results []*sim.Result, total float64) []*sim.Result {
	for _, r := range results {
		r.Cost = &sim.Cost{Total: total}
	}
	return results
}

// swinging is a p99 that is 1 s in the median, above in one seed and below in
// the next.
func swinging(seed int) (p99, podSeconds float64) { return 1 + 0.1*float64(seed%2*2-1), 100 }

func TestParetoFront(t *testing.T) {
	silent := seeded("silent", 6, 1000, constant(1, 50))
	for _, r := range silent {
		r.LatencyS = nil
	}
	for _, c := range []struct {
		name    string
		results []*sim.Result
		want    []string
	}{
		{"worse in everything", together(seeded("a", 6, 0, constant(1, 100)), seeded("b", 6, 5, constant(2, 200))), []string{"a"}},
		{"worse in one, equal in the others", together(seeded("a", 6, 0, constant(1, 100)), seeded("b", 6, 0, constant(1, 101))), []string{"a"}},
		{"each has its price", together(seeded("a", 6, 0, constant(1, 100)), seeded("b", 6, 0, constant(2, 50)), seeded("c", 6, 9, constant(2, 40))), []string{"a", "b", "c"}},
		{"the same twice", together(seeded("a", 6, 0, constant(1, 100)), seeded("b", 6, 0, constant(1, 100))), []string{"a", "b"}},
		{"slower by chance, cheaper for sure", together(seeded("a", 6, 0, swinging), seeded("b", 6, 0, constant(1, 90))), []string{"b"}},
		{"faster by chance is no excuse", together(seeded("a", 6, 0, constant(1, 90)), seeded("b", 6, 0, swinging)), []string{"a"}},
		{"with few seeds figures are taken as they are", together(seeded("a", 3, 0, constant(1.001, 90)), seeded("b", 3, 0, constant(1, 100))), []string{"a", "b"}},
		{"the oracle does not compete", together(seeded("a", 6, 0, constant(1, 100)), seeded(Oracle, 6, 0, constant(0.5, 10))), []string{"a"}},
		{"only the oracle", seeded(Oracle, 6, 0, constant(0.5, 10)), []string{}},
		{"no latency is worse than any", together(silent, seeded("b", 6, 1000, constant(9, 50))), []string{"b"}},
		{"nobody has a latency", together(silent), []string{"silent"}},
		{"money counts, not pods", together(priced(seeded("a", 6, 0, constant(1, 100)), 5), priced(seeded("b", 6, 0, constant(1, 50)), 6)), []string{"a"}},
		{"pods count where a price is missing", together(priced(seeded("a", 6, 0, constant(1, 100)), 5), seeded("b", 6, 0, constant(1, 50))), []string{"b"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := compared(t, "", c.results)
			assert.Equal(t, c.want, found.Pareto)
			for _, s := range found.Autoscalers {
				assert.Equal(t, slices.Contains(c.want, s.Autoscaler), found.OnFront(s.Autoscaler))
			}
		})
	}
}

// Where each of three beats the next for sure and cannot be told from the one
// before, nobody is above the others.
func TestParetoFrontOfACircle(t *testing.T) {
	// Of 6 pairs all must agree. By p99, a is below b in all seeds; c is between
	// them but for one seed each.
	a := seeded("a", 6, 0, func(seed int) (float64, float64) { return []float64{1, 1, 1, 1, 1, 3}[seed-1], 0 })
	b := seeded("b", 6, 0, func(seed int) (float64, float64) { return []float64{3, 3, 3, 3, 3, 4}[seed-1], 0 })
	c := seeded("c", 6, 0, func(seed int) (float64, float64) { return []float64{4, 2, 2, 2, 2, 2}[seed-1], 0 })
	for i := range 6 { // the same for loss: b below c, and for pods: c below a
		b[i].Requests.Failed, c[i].Requests.Failed, a[i].Requests.Failed = uint64(a[i].LatencyS.P99), uint64(b[i].LatencyS.P99), uint64(c[i].LatencyS.P99)
		c[i].PodSeconds, a[i].PodSeconds, b[i].PodSeconds = a[i].LatencyS.P99, b[i].LatencyS.P99, c[i].LatencyS.P99
	}
	found := compared(t, "a", a, b, c)
	assert.Equal(t, []string{"a", "b", "c"}, found.Pareto)
	found = compared(t, "a", a, b, c, seeded("d", 6, 0, constant(0.5, 0.5)))
	assert.Equal(t, []string{"d"}, found.Pareto)
}

// With one seed every figure is exact, and the front is what its definition
// says, word by word.
func TestParetoFrontByDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var results []*sim.Result
		for i := range rapid.IntRange(1, 6).Draw(t, "strategies") {
			draw := func(name string) int { return rapid.IntRange(0, 3).Draw(t, name) }
			results = append(results, outcomeOf(string(rune('a'+i)), 1, float64(draw("p99")), float64(draw("pods")), uint64(draw("lost"))))
		}
		want := []string{}
		for _, r := range results {
			beaten := slices.ContainsFunc(results, func(other *sim.Result) bool {
				no := other.LatencyS.P99 <= r.LatencyS.P99 && other.PodSeconds <= r.PodSeconds && other.Requests.Failed <= r.Requests.Failed
				return no && (other.LatencyS.P99 < r.LatencyS.P99 || other.PodSeconds < r.PodSeconds || other.Requests.Failed < r.Requests.Failed)
			})
			if !beaten {
				want = append(want, r.Autoscaler)
			}
		}
		found, err := Compare(results, "")
		require.NoError(t, err)
		require.Equal(t, want, found.Pareto)
	})
}

func TestRegret(t *testing.T) {
	c := compared(t, "a", priced(seeded("a", 6, 0, constant(1.5, 100)), 7), priced(seeded(Oracle, 6, 0, constant(0.5, 40)), 2))
	for name, want := range map[string]float64{RegretP99: 1, RegretPods: 60, RegretCost: 5} {
		assert.Equal(t, want, *c.Of("a", name).Median, name)
		assert.Zero(t, *c.Of(Oracle, name).Median, name)
	}
	c = compared(t, "a", seeded("a", 6, 0, constant(1.5, 100)))
	assert.Nil(t, c.Of("a", RegretP99).Median, "there is no oracle")
	c = compared(t, "a", seeded("a", 6, 0, constant(1.5, 100)), seeded(Oracle, 6, 0, constant(0.5, 40)))
	assert.Nil(t, c.Of("a", RegretCost).Median, "there is no price")
}
