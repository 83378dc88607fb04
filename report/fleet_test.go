package report

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/scalelab/scalelab/sim"
)

// fleet is a run of 300 services, of which one lost requests and one has a name
// that must not reach a terminal.
func fleet() *sim.Result {
	r := strategies[0].result(42)
	r.Decisions = nil
	busy := sim.FleetService{Service: "web-0", Weight: 183.2, Requests: sim.Requests{Arrived: 861_200, Completed: 859_510, Rejected: 1690},
		LatencyP99S: new(2.13), MaxDesired: 31, PodSeconds: 61_200}
	idle := sim.FleetService{Service: "web-\x1b[2J|211", Weight: 0.0041, Requests: sim.Requests{Arrived: 12, Completed: 12, Cold: 9},
		LatencyP99S: new(9.4), MaxDesired: 1, PodSeconds: 1800}
	r.Fleet = &sim.FleetSummary{Services: 300, WorstByLost: []sim.FleetService{busy}, WorstByP99: []sim.FleetService{idle, busy}}
	return r
}

func TestFleet(t *testing.T) {
	r := fleet()
	text := runText(t, r, Table, Options{})
	golden(t, "fleet.table.txt", text)
	for _, width := range []int{60, 80, 131} {
		requireFits(t, runText(t, r, Table, Options{Width: width}), width)
	}
	assert.Contains(t, text, "Worst of 300 services, by lost requests\n")
	golden(t, "fleet.md", runText(t, r, Markdown, Options{}))

	r.Fleet.WorstByLost = []sim.FleetService{}
	assert.NotContains(t, runText(t, r, Wide, Options{}), "by lost requests")
	assert.Contains(t, runText(t, r, JSON, Options{}), `"worst_by_lost": [],`)
	assert.NotContains(t, runText(t, strategies[0].result(42), JSON, Options{}), "fleet")
	assert.Equal(t, 2, strings.Count(runText(t, r, YAML, Options{}), "latency_p99_s: ")-1, "of the services, and of the timeline")
}
