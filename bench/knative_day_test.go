package bench_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"
)

// The day of 100 Azure apps on a real Knative, as github.com/ubc-cirrus-lab/femux
// measured and published it. Its load generator spread the requests of a minute
// evenly over it, beginning half a gap after the minute. What it published is not
// how many came in which minute, but how many in all, and in which minutes anything
// ran at all; so the requests are shared out evenly over these.
const (
	dayFrom = 5    // the first minute that was replayed
	dayFor  = 1310 // minutes: for these, the minutes with requests of every app that has one at most add up to what was counted
)

// measuredApp is one of the apps.
type measuredApp struct {
	name                   string
	requests, cold, failed int
	exec                   float64 // seconds of a request, on average
	minutes                []int   // containers in each minute of the day
}

func measuredApps(t *testing.T) []measuredApp {
	read := func(name string) [][]string {
		data, err := os.ReadFile(traces + "/azure2019-femux-knative/" + name)
		if err != nil {
			t.Skipf("no real traces beside the checkout: %v", err)
		}
		rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
		require.NoError(t, err)
		return rows
	}
	number := func(s string) float64 {
		n, err := strconv.ParseFloat(cmp.Or(s, "0"), 64)
		require.NoError(t, err)
		return n
	}
	minutes := map[string][]int{}
	for _, row := range read("containers_per_min.csv")[1:] {
		for _, cell := range row[1:] {
			minutes[row[0]] = append(minutes[row[0]], int(number(cell)))
		}
	}
	rows := read("per_app.csv")
	column := func(row []string, name string) float64 { return number(row[slices.Index(rows[0], name)]) }
	var apps []measuredApp
	for _, row := range rows[1:] {
		app := measuredApp{
			name: row[0], minutes: minutes[row[0]],
			requests: int(column(row, "real_requests")), cold: int(column(row, "real_knative_cold")), failed: int(column(row, "real_knative_failed")),
			exec: 1000 * column(row, "used_gbs") / column(row, "avg_mem_mb") / column(row, "invocations"),
		}
		apps = append(apps, app)
	}
	return apps
}

// arrivals are the app's instants in seconds from the start of the replay. Apps
// that run for less than a millisecond have no minutes with anything running.
func (a *measuredApp) arrivals() []float64 {
	var busy []int
	for minute := range dayFor {
		if a.exec == 0 || a.minutes[dayFrom+minute] > 0 {
			busy = append(busy, minute)
		}
	}
	var all []float64
	for i, minute := range busy {
		n := (i+1)*a.requests/len(busy) - i*a.requests/len(busy)
		for k := range n {
			all = append(all, 60*(float64(minute)+(float64(k)+0.5)/float64(n)))
		}
	}
	return all
}

// TestKnativeHundredApps holds the requests of the day that waited for a pod or got
// no answer against those on the real cluster.
//
// The real count of cold starts falls with the time that a request takes: from one
// second on next to none was counted, though these apps were idle for as long as the
// others. So it was told from the response time. Ours counts every request that
// waited for a pod. What got no answer there took half a minute or longer, but for
// two apps of several functions, of which only the mean is published.
func TestKnativeHundredApps(t *testing.T) {
	type sum struct{ apps, requests, cold, failed, ours, lost int }
	var short, long, all sum
	for _, app := range measuredApps(t) {
		if app.requests == 0 {
			continue
		}
		r := app.replay(t)
		of := &short
		if app.exec >= 0.7 {
			of = &long
		}
		for _, s := range []*sum{of, &all} {
			s.apps++
			s.requests += app.requests
			s.cold += app.cold
			s.failed += app.failed
			s.ours += int(r.Requests.Cold)
			s.lost += int(r.Requests.Lost())
		}
		t.Logf("%.8s: %6d requests of %7.3f s; measured %4d cold, %4d failed; ours %4d cold, %3d lost",
			app.name, app.requests, app.exec, app.cold, app.failed, r.Requests.Cold, r.Requests.Lost())
	}
	for i, s := range []sum{short, long, all} {
		name := [...]string{"below 0.7 s", "longer", "all"}[i]
		t.Logf("%11s: %3d apps, %6d requests; measured %5d cold + %4d failed = %5d; ours %5d + %4d = %5d (%+.1f %%)",
			name, s.apps, s.requests, s.cold, s.failed, s.cold+s.failed, s.ours, s.lost, s.ours+s.lost,
			100*(float64(s.ours+s.lost)/float64(s.cold+s.failed)-1))
	}
	assert.Equal(t, 232_479, all.requests)
	assert.Equal(t, 10_213, all.cold+all.failed)
	assert.InEpsilon(t, all.cold+all.failed, all.ours+all.lost, 0.10)
	assert.InEpsilon(t, short.cold, short.ours, 0.10)
}

// replay plays the app's day with Knative's defaults. Its clients wait for half a
// minute.
func (a *measuredApp) replay(t *testing.T) *sim.Result {
	var trace bytes.Buffer
	fmt.Fprintln(&trace, "at")
	for _, at := range a.arrivals() {
		fmt.Fprintf(&trace, "%.6f\n", at)
	}
	s, err := scenarios.Parse("day.yaml", fmt.Appendf(nil, `apiVersion: scalelab/v1alpha1
kind: Scenario
metadata: {name: day}
workload:
  replicas: 0
  perPod: {concurrency: 100, queue: 10000, serviceTime: %.6fs}
  requestTimeout: 30s
lifecycle: {start: 500ms}
traffic: [{name: day, for: %dm, trace: {file: day.csv, timestamps: at, unit: 1s}}]
autoscalers: {kpa: {annotations: {autoscaling.knative.dev/class: kpa.autoscaling.knative.dev}}}
`, max(a.exec, 0.001), dayFor), func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(trace.Bytes())), nil })
	require.NoError(t, err)
	spec, err := s.Spec("kpa", 1)
	require.NoError(t, err)
	r, err := sim.Run(context.Background(), spec)
	require.NoError(t, err)
	conserved(t, r)
	return r
}
