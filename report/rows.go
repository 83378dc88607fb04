package report

import (
	"strconv"

	"github.com/scalelab/scalelab/sim"
)

// timelineRows is the timeline with one row per sample. Columns carry the
// names and units of the JSON; absent is empty.
func timelineRows(r *sim.Result) [][]string {
	t := r.Timeline
	rows := [][]string{{"t_s", "desired", "created", "ready", "arrived_rps", "completed_rps", "queue", "latency_p99_s"}}
	for i, at := range t.TS {
		rows = append(rows, []string{
			exact(at), whole(t.Desired[i]), whole(t.Created[i]), whole(t.Ready[i]),
			exact(t.ArrivedRPS[i]), exact(t.CompletedRPS[i]), whole(t.Queue[i]), exactOptional(t.LatencyP99S[i]),
		})
	}
	return rows
}

// summaryColumn is one column of the table of runs.
type summaryColumn struct {
	name string
	cell func(*sim.Result) string
}

// summaryRows is one row per autoscaler and seed, in the order of the results.
func summaryRows(results []*sim.Result) [][]string {
	table := summaryColumns()
	rows := make([][]string, 1, len(results)+1)
	for _, column := range table {
		rows[0] = append(rows[0], column.name)
	}
	for _, r := range results {
		row := make([]string, len(table))
		for i, column := range table {
			row[i] = column.cell(r)
		}
		rows = append(rows, row)
	}
	return rows
}

func summaryColumns() []summaryColumn {
	table := []summaryColumn{
		{"scenario", func(r *sim.Result) string { return r.Scenario }},
		{"autoscaler", func(r *sim.Result) string { return r.Autoscaler }},
		{"seed", func(r *sim.Result) string { return strconv.FormatUint(r.Seed, 10) }},
		{"actuator", func(r *sim.Result) string { return r.Actuator }},
		{"duration_s", func(r *sim.Result) string { return exact(r.DurationS) }},
		{"arrived", func(r *sim.Result) string { return unsigned(r.Requests.Arrived) }},
		{"completed", func(r *sim.Result) string { return unsigned(r.Requests.Completed) }},
		{"timed_out", func(r *sim.Result) string { return unsigned(r.Requests.TimedOut) }},
		{"rejected", func(r *sim.Result) string { return unsigned(r.Requests.Rejected) }},
		{"failed", func(r *sim.Result) string { return unsigned(r.Requests.Failed) }},
		{"in_flight", func(r *sim.Result) string { return unsigned(r.Requests.InFlight) }},
		{"retried", func(r *sim.Result) string { return unsigned(r.Requests.Retried) }},
		{"cold", func(r *sim.Result) string { return unsigned(r.Requests.Cold) }},
	}
	table = append(table, distributionColumns("latency_s", func(r *sim.Result) *sim.Distribution { return r.LatencyS })...)
	table = append(table, distributionColumns("wait_s", func(r *sim.Result) *sim.Distribution { return r.WaitS })...)
	return append(table,
		summaryColumn{"mean_ready", func(r *sim.Result) string { return exact(r.Replicas.MeanReady) }},
		summaryColumn{"mean_desired", func(r *sim.Result) string { return exact(r.Replicas.MeanDesired) }},
		summaryColumn{"max_desired", func(r *sim.Result) string { return whole(r.Replicas.MaxDesired) }},
		summaryColumn{"min_ready", func(r *sim.Result) string { return whole(r.Replicas.MinReady) }},
		summaryColumn{"scale_ups", func(r *sim.Result) string { return strconv.Itoa(r.Replicas.ScaleUps) }},
		summaryColumn{"scale_downs", func(r *sim.Result) string { return strconv.Itoa(r.Replicas.ScaleDowns) }},
		summaryColumn{"flaps", func(r *sim.Result) string { return strconv.Itoa(r.Replicas.Flaps) }},
		summaryColumn{"pod_seconds", func(r *sim.Result) string { return exact(r.PodSeconds) }},
		summaryColumn{"idle_pod_seconds", func(r *sim.Result) string { return exact(r.IdlePodSeconds) }},
		summaryColumn{"cpu_core_hours", func(r *sim.Result) string { return exactOptional(r.CPUCoreHours) }},
		summaryColumn{"memory_gib_hours", func(r *sim.Result) string { return exactOptional(r.MemoryGiBHours) }},
		summaryColumn{"cost_total", func(r *sim.Result) string { return costCell(r.Cost) }},
		summaryColumn{"fingerprint", func(r *sim.Result) string { return r.Fingerprint }},
	)
}

func distributionColumns(name string, of func(*sim.Result) *sim.Distribution) []summaryColumn {
	part := func(label string, read func(*sim.Distribution) float64) summaryColumn {
		return summaryColumn{name + "_" + label, func(r *sim.Result) string {
			if d := of(r); d != nil {
				return exact(read(d))
			}
			return ""
		}}
	}
	return []summaryColumn{
		part("mean", func(d *sim.Distribution) float64 { return d.Mean }),
		part("p50", func(d *sim.Distribution) float64 { return d.P50 }),
		part("p90", func(d *sim.Distribution) float64 { return d.P90 }),
		part("p95", func(d *sim.Distribution) float64 { return d.P95 }),
		part("p99", func(d *sim.Distribution) float64 { return d.P99 }),
		part("p999", func(d *sim.Distribution) float64 { return d.P999 }),
		part("max", func(d *sim.Distribution) float64 { return d.Max }),
	}
}

func costCell(c *sim.Cost) string {
	if c == nil {
		return ""
	}
	return exact(c.Total)
}

func whole[T int32 | int64](n T) string { return strconv.FormatInt(int64(n), 10) }
func unsigned(n uint64) string          { return strconv.FormatUint(n, 10) }
