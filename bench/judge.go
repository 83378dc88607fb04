package bench

import (
	"slices"

	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"
)

// Judge holds every result of a scenario against the assertions that concern
// its autoscaler. Other autoscalers that they mention are looked for among the
// results of the same seed.
func Judge(s *scenarios.Scenario, results []*sim.Result) {
	type key struct {
		autoscaler string
		seed       uint64
	}
	runs := make(map[key]*sim.Result, len(results))
	for _, r := range results {
		runs[key{r.Autoscaler, r.Seed}] = r
	}
	for _, r := range results {
		r.Assertions = []sim.Assertion{}
		for _, e := range s.Expectations() {
			if e.Concerns(r.Autoscaler) {
				r.Assertions = append(r.Assertions, e.Judge(r, func(name string) *sim.Result { return runs[key{name, r.Seed}] }))
			}
		}
	}
}

// needed are the autoscalers asked for, then those that their assertions
// mention.
func needed(s *scenarios.Scenario, asked []string) []string {
	names := slices.Clone(asked)
	for _, name := range asked {
		for _, other := range s.Needs(name) {
			if !slices.Contains(names, other) {
				names = append(names, other)
			}
		}
	}
	return names
}

// Failed says whether an assertion of a run is not true although it must be.
func Failed(results []*sim.Result) bool {
	return slices.ContainsFunc(results, func(r *sim.Result) bool {
		return slices.ContainsFunc(r.Assertions, func(a sim.Assertion) bool { return !a.Passed && a.Severity == sim.SeverityError })
	})
}
