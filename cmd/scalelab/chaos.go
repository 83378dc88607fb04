package main

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/scenarios"
)

// mostSchedules bounds a search.
const mostSchedules = 1_000_000

// searchChaos draws faults and holds the runs to what has to be true. A schedule
// that breaks it is written as a scenario, on standard output.
func (f *runFlags) searchChaos(c *cobra.Command, name string) error {
	switch {
	case f.chaos < 1 || f.chaos > mostSchedules:
		return usagef("--chaos: found %d, expected 1 to %d", f.chaos, mostSchedules)
	case c.Flags().Changed("output"):
		return usagef("--chaos: found it beside --output, expected one of the two: a search has no result to print")
	}
	s, seed, err := f.replay.load(c, scenarios.Load, name)
	if err != nil {
		return err
	}
	autoscaler, err := f.chosen(s)
	if err != nil {
		return err
	}
	move, finish := newProgress(c.ErrOrStderr(), f.replay.quiet, s.Name())
	search := bench.Chaos{
		Scenario: s, Autoscaler: autoscaler, Seed: seed, Schedules: f.chaos, Workers: f.replay.workers,
	}
	if search.Workers == 0 {
		search.Workers = runtime.GOMAXPROCS(0)
	}
	if c.Flags().Changed("actuator") {
		search.Actuator = f.replay.newActuator(s)
	}
	if move != nil {
		search.Progress = func(share float64) { move(int(share * 1000)) }
	}
	report, err := search.Search(c.Context())
	finish()
	if err != nil {
		return fmt.Errorf("search for faults of %s with %s: %w", s.Name(), autoscaler, err)
	}
	if failure := report.Failure; failure != nil {
		fmt.Fprintf(c.ErrOrStderr(), "schedule %d of seed %d breaks an invariant: %s\nof its %d faults %d are left in this scenario:\n",
			failure.Schedule, seed, failure.Broken, len(failure.Drawn), len(failure.Faults))
		if _, err := c.OutOrStdout().Write(failure.Scenario); err != nil {
			return err
		}
		return ended{exitAsserted}
	}
	_, err = fmt.Fprint(c.OutOrStdout(), chaosText(s.Name(), autoscaler, seed, report))
	return err
}

// chaosText says what a search without a find has looked at.
func chaosText(scenario, autoscaler string, seed uint64, r *bench.ChaosReport) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s / %s, seed %d: %d schedules of faults, and every invariant holds.\n", scenario, autoscaler, seed, r.Schedules)
	fmt.Fprintf(&b, "  %d faults:", r.Faults)
	for i, kind := range slices.Sorted(maps.Keys(r.Kinds)) {
		if i > 0 {
			b.WriteString(",")
		}
		if i > 0 && i%4 == 0 {
			b.WriteString("\n   ")
		}
		fmt.Fprintf(&b, " %s %d", kind, r.Kinds[kind])
	}
	fmt.Fprintf(&b, "\n  %d schedules were replayed twice, to the same fingerprint.\n", r.Twice)
	if !r.Settles {
		b.WriteString("  Without faults the run does not come to rest in an hour of silence, so that\n  nothing could be said of how it ends with them.\n")
	}
	return b.String()
}
