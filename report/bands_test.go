package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/scalelab/scalelab/sim"
)

func bandRows(r *sim.Result, width int) []string {
	var p page
	p.bands(r, Options{Width: width})
	rows := []string{}
	for _, l := range p {
		rows = append(rows, l.text)
	}
	return rows
}

func TestBands(t *testing.T) {
	r := &sim.Result{DurationS: 100, Bands: []sim.Band{
		{Name: "proxied", FromS: 0, ToS: 25}, {Name: "panic", FromS: 30, ToS: 31}, {Name: "proxied", FromS: 90, ToS: 100},
	}}
	assert.Equal(t, []string{
		" proxied " + strings.Repeat("▄", 15) + strings.Repeat(" ", 39) + strings.Repeat("▄", 6),
		"   panic " + strings.Repeat(" ", 18) + "▄",
	}, bandRows(r, 69), "60 columns are 100 s")
	assert.Empty(t, bandRows(&sim.Result{DurationS: 100}, 80))
}

// Results come from files as well.
func TestBandsThatCannotBe(t *testing.T) {
	r := &sim.Result{DurationS: 100, Bands: []sim.Band{
		{Name: "before", FromS: -1e300, ToS: -5}, {Name: "after", FromS: 200, ToS: 1e300}, {Name: "backwards", FromS: 50, ToS: 40},
		{Name: "\x1b[31m" + strings.Repeat("long", 50), FromS: -1e300, ToS: 1e300}, {Name: "at once", FromS: 50, ToS: 50},
	}}
	for i := range 8 {
		r.Bands = append(r.Bands, sim.Band{Name: fmt.Sprint("more ", i), FromS: 0, ToS: 100})
	}
	r.Bands = append(r.Bands, r.Bands[len(r.Bands)-1])
	rows := bandRows(r, 69)
	assert.Len(t, rows, 11)
	assert.Equal(t, " at once "+strings.Repeat(" ", 30)+"▄", rows[4])
	assert.Equal(t, "         and 3 more", rows[10])
	for _, row := range rows {
		assert.LessOrEqual(t, columns(row), 69)
		assert.NotContains(t, row, "\x1b")
	}
	assert.Equal(t, strings.Repeat("▄", 60), rows[3][strings.Index(rows[3], "▄"):])
}

func TestActivatorAndRepeats(t *testing.T) {
	r := strategies[0].result(1)
	r.Activator = &sim.Activator{Requests: 1200, Buffered: 30, WaitS: &sim.Distribution{Mean: 1.5, P99: 2, Max: 2.5}}
	r.Decisions = []sim.Decision{{TS: 2, Autoscaler: "knative", Current: 1, Desired: 1, Message: "hold 1", Again: 29, UntilS: 60}}
	text := runText(t, r, Wide, Options{})
	assert.Contains(t, text, "Activator  1,200 requests by way of it, 30 of them buffered: 1.50 s on")
	assert.Contains(t, text, "30 decisions, of which 0 changed the count")
	assert.Contains(t, text, "hold 1 (and 29 times more until 1m)")
	r.Activator = &sim.Activator{Requests: 7}
	assert.Contains(t, runText(t, r, Table, Options{}), "Activator  7 requests by way of it, 0 of them buffered\n")
}

func TestNodesAreTold(t *testing.T) {
	r := strategies[0].result(1)
	r.Nodes = &sim.NodeSummary{NodeSeconds: 9000, Requested: 3}
	r.Timeline.Nodes, r.Timeline.Pending = []int32{2, 5, 4}, []int32{0, 1, 0}
	text := runText(t, r, Table, Options{})
	assert.Contains(t, text, "Nodes      2.50 node-hours, at most 5 ready; 3 requested after the start; at\n           most 1 pod waited for room\n")
}

func TestLongNamesOfBandsStandInTheirRows(t *testing.T) {
	blank := strings.Repeat(" ", 20)
	for row, want := range map[string]string{
		blank + "▄▄" + blank:            "               resolver-gone ▄▄",
		"▄▄▄" + blank:                   "         ▄▄▄ resolver-gone",
		strings.Repeat("▄", 30):         "resolve… " + strings.Repeat("▄", 30),
		"▄" + blank[:10] + "▄▄" + blank: "         ▄          ▄▄ resolver-gone",
	} {
		assert.Equal(t, want, bandRow("resolver-gone", row))
	}
	assert.Equal(t, "   panic ▄▄", bandRow("panic", "▄▄  "))
}
