package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/scalelab/scalelab/sim"
)

// writeBenchmark writes one Go benchmark line per result, so that benchstat
// compares outcomes as it compares speeds:
//
//	benchstat -col /autoscaler outcomes.txt
//
// The seed is not in the name: results of one strategy are one sample.
// Format: golang.org/design/14313-benchmark-format.
func writeBenchmark(w io.Writer, results []*sim.Result) error {
	var out bytes.Buffer
	for _, u := range benchmarkUnits() {
		fmt.Fprintf(&out, "Unit %s better=lower\n", u.name)
	}
	for _, r := range results {
		// A number after the last dash is taken for GOMAXPROCS, so that hpa-70 and
		// hpa-50 would become one; after a 1 of our own it is left alone.
		fmt.Fprintf(&out, "BenchmarkScenario/%s/autoscaler=%s-1 1", benchmarkName(r.Scenario), benchmarkName(r.Autoscaler))
		for _, u := range benchmarkUnits() {
			if v := u.value(r); v != nil {
				fmt.Fprintf(&out, " %s %s", exact(*v), u.name)
			}
		}
		out.WriteByte('\n')
	}
	_, err := w.Write(out.Bytes())
	return err
}

// benchmarkUnit is a figure with the name that benchstat shows.
type benchmarkUnit struct {
	name  string
	value func(*sim.Result) *float64
}

func benchmarkUnits() []benchmarkUnit {
	latency := func(read func(*sim.Distribution) float64) func(*sim.Result) *float64 {
		return func(r *sim.Result) *float64 {
			if r.LatencyS == nil {
				return nil
			}
			return new(read(r.LatencyS))
		}
	}
	part := func(read func(sim.Requests) uint64) func(*sim.Result) *float64 {
		return func(r *sim.Result) *float64 {
			if r.Requests.Arrived == 0 {
				return nil
			}
			return new(100 * float64(read(r.Requests)) / float64(r.Requests.Arrived))
		}
	}
	return []benchmarkUnit{
		{"p50-s", latency(func(d *sim.Distribution) float64 { return d.P50 })},
		{"p99-s", latency(func(d *sim.Distribution) float64 { return d.P99 })},
		{"lost-%", part(sim.Requests.Lost)},
		{"cold-%", part(func(q sim.Requests) uint64 { return q.Cold })},
		{"pods", func(r *sim.Result) *float64 { return new(r.Replicas.MeanReady) }},
		{"pod-h", func(r *sim.Result) *float64 { return new(r.PodSeconds / 3600) }},
		{"cost", func(r *sim.Result) *float64 {
			if r.Cost == nil {
				return nil
			}
			return new(r.Cost.Total)
		}},
	}
}

// benchmarkName is a name without what the format gives a meaning. Other
// characters become %XX, byte by byte, so that different names stay different.
func benchmarkName(name string) string {
	var safe strings.Builder
	for _, r := range name {
		switch {
		case r == unicode.ReplacementChar:
			safe.WriteString("%EF%BF%BD")
		case unicode.IsLetter(r), unicode.IsDigit(r), strings.ContainsRune("-_.+", r):
			safe.WriteRune(r)
		default:
			for _, b := range []byte(string(r)) {
				fmt.Fprintf(&safe, "%%%02X", b)
			}
		}
	}
	return safe.String()
}
