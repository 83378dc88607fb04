package bench

import (
	"fmt"
	"strings"

	"github.com/scalelab/scalelab/sim"
)

// runs is a matrix of results: every autoscaler with every seed.
type runs struct {
	names   []string // in order of appearance
	seeds   []uint64 // in order of appearance
	known   map[uint64]bool
	results map[string]map[uint64]*sim.Result
}

// arrange checks that the matrix is full.
func arrange(results []*sim.Result) (*runs, error) {
	if len(results) == 0 {
		return nil, errNoResults
	}
	r := &runs{known: map[uint64]bool{}, results: map[string]map[uint64]*sim.Result{}}
	for _, result := range results {
		if err := r.add(result); err != nil {
			return nil, err
		}
		if first := results[0]; result.Scenario != first.Scenario {
			return nil, fmt.Errorf("found scenarios %q and %q, expected one", first.Scenario, result.Scenario)
		}
	}
	for _, name := range r.names {
		for _, seed := range r.seeds {
			if r.results[name][seed] == nil {
				return nil, fmt.Errorf("autoscaler %q has no result for seed %d, which others have", name, seed)
			}
		}
	}
	return r, nil
}

func (r *runs) add(result *sim.Result) error {
	if result == nil {
		return fmt.Errorf("a result is nil")
	}
	bySeed := r.results[result.Autoscaler]
	if bySeed == nil {
		bySeed = map[uint64]*sim.Result{}
		r.results[result.Autoscaler] = bySeed
		r.names = append(r.names, result.Autoscaler)
	}
	if bySeed[result.Seed] != nil {
		return fmt.Errorf("autoscaler %q has two results for seed %d", result.Autoscaler, result.Seed)
	}
	bySeed[result.Seed] = result
	if !r.known[result.Seed] {
		r.known[result.Seed] = true
		r.seeds = append(r.seeds, result.Seed)
	}
	return nil
}

func (r *runs) defaultBaseline() string {
	for _, name := range r.names {
		if name != Oracle {
			return name
		}
	}
	return r.names[0]
}

// values of a metric of an autoscaler, seed by seed, nil where absent.
func (r *runs) values(name string, m Metric) []*float64 {
	values := make([]*float64, len(r.seeds))
	for i, seed := range r.seeds {
		values[i] = m.value(r.results[name][seed], r.results[Oracle][seed])
	}
	return values
}

func (r *runs) difference(m Metric, name, baseline string) *Difference {
	return difference(r.values(name, m), r.values(baseline, m))
}

// pricedApart says that a bill has more in it than pods by the hour, so that
// the cheapest need not be the one with the fewest pod-hours.
func (r *runs) pricedApart() bool {
	for _, name := range r.names {
		for _, seed := range r.seeds {
			if c := r.results[name][seed].Cost; c != nil && (c.Pods == nil || *c.Pods != c.Total) {
				return true
			}
		}
	}
	return false
}

// warnings say what the figures cannot show.
func (r *runs) warnings() []string {
	found := []string{}
	switch n := len(r.seeds); {
	case n == 1:
		found = append(found, fmt.Sprintf("one seed (%d): the figures have no interval and hold for this seed only; "+
			"%d seeds or more give 95 %% intervals", r.seeds[0], MinSeeds))
	case n < MinSeeds:
		found = append(found, fmt.Sprintf("%d seeds: a 95 %% interval needs at least %d, "+
			"so no difference can be told from chance", n, MinSeeds))
	}
	for _, name := range r.names {
		switch absent := r.absentLatency(name); {
		case absent == len(r.seeds):
			found = append(found, name+": no latency, because no request was completed")
		case absent > 0:
			found = append(found, fmt.Sprintf("%s: no latency for %d of %d seeds, because no request was completed",
				name, absent, len(r.seeds)))
		}
	}
	return append(found, r.unequalTraffic()...)
}

func (r *runs) absentLatency(name string) int {
	absent := 0
	for _, seed := range r.seeds {
		if r.results[name][seed].LatencyS == nil {
			absent++
		}
	}
	return absent
}

// unequalTraffic finds seeds for which the pairing does not hold.
func (r *runs) unequalTraffic() []string {
	first, more := "", 0
	for _, seed := range r.seeds {
		reference := r.results[r.names[0]][seed]
		var others []string
		for _, name := range r.names[1:] {
			if other := r.results[name][seed]; other.Requests.Arrived != reference.Requests.Arrived {
				others = append(others, fmt.Sprintf("%s %d", name, other.Requests.Arrived))
			}
		}
		switch {
		case len(others) > 0 && first == "":
			first = fmt.Sprintf("seed %d: the traffic differs: %s got %d requests, %s",
				seed, r.names[0], reference.Requests.Arrived, strings.Join(others, ", "))
		case len(others) > 0:
			more++
		}
	}
	switch {
	case first == "":
		return nil
	case more > 0:
		first += fmt.Sprintf("; it differs for %d seeds", more+1)
	}
	return []string{first}
}
