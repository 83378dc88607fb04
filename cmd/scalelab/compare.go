package main

import (
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/spf13/cobra"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/report"
	"github.com/scalelab/scalelab/scenarios"
)

// demo is the scenario of compare --demo.
const demo = "flash-crowd"

const maxSeeds = 100_000

type compareFlags struct {
	replay      replayFlags
	out         outputFlags
	autoscalers []string
	baseline    string
	seeds       int
	demo        bool
}

func newCompare() *cobra.Command {
	var f compareFlags
	c := &cobra.Command{
		Use:   "compare SCENARIO",
		Short: "Replay a scenario with several autoscalers on identical traffic",
		Long: `Compare replays the same requests against every autoscaler of a scenario and
against the oracle, which scales perfectly and without delay: the lower bound.
With several seeds it gives medians, 95 % intervals, and differences against the
baseline; ~ marks a difference that the seeds cannot tell from chance. The exit
code is 3 when one of the scenario's assertions does not hold.`,
		Example: example(
			"scalelab compare --demo",
			"scalelab compare bursty-idle --seeds 8 --baseline hpa-70",
			"scalelab compare bursty-idle --autoscalers elasti,fixed-1 -o markdown",
			"scalelab compare steady --actuator direct -o table -o json=comparison.json",
		),
		Args:              f.args,
		ValidArgsFunction: completeScenario,
		RunE:              f.run,
	}
	c.Flags().StringSliceVar(&f.autoscalers, "autoscalers", nil, "`names` of autoscalers, separated by commas (default: all of the scenario, and the oracle)")
	c.Flags().StringVar(&f.baseline, "baseline", "", "`name` of the autoscaler that the others are compared with (default: the first)")
	c.Flags().IntVar(&f.seeds, "seeds", 1, "how many seeds, from the first on; 6 and more give 95 % intervals")
	c.Flags().BoolVar(&f.demo, "demo", false, "compare an embedded scenario: no file, no cluster")
	c.RegisterFlagCompletionFunc("autoscalers", completeAutoscaler)
	c.RegisterFlagCompletionFunc("baseline", completeAutoscaler)
	f.replay.register(c)
	f.out.register(c, report.Formats())
	return c
}

func (f *compareFlags) args(_ *cobra.Command, args []string) error {
	if f.demo && len(args) > 0 {
		return usagef("found --demo and the scenario %q, expected one of them", args[0])
	}
	if !f.demo && len(args) != 1 {
		return usagef("found %d arguments, expected one: %s (or --demo)", len(args), scenarioArg)
	}
	return nil
}

func (f *compareFlags) run(c *cobra.Command, args []string) error {
	outputs, err := f.out.parse(report.Formats())
	if err != nil {
		return err
	}
	if err := checkPrintable(outputs, c.OutOrStdout()); err != nil {
		return err
	}
	read, name := scenarios.Embedded, demo
	if !f.demo {
		read, name = scenarios.Load, args[0]
	}
	s, seed, err := f.replay.load(c, read, name)
	if err != nil {
		return err
	}
	if err := f.check(seed); err != nil {
		return err
	}
	names, baseline, err := f.chosen(s)
	if err != nil {
		return err
	}
	move, finish := newProgress(c.ErrOrStderr(), f.replay.quiet, s.Name())
	matrix := bench.Matrix{
		Scenario:    s,
		Autoscalers: names,
		Seeds:       bench.Seeds(seed, f.seeds),
		Actuator:    f.replay.newActuator(s),
		Workers:     f.replay.workers,
	}
	if move != nil {
		matrix.Progress = func(share float64) { move(int(share * 1000)) }
	}
	results, err := matrix.Replay(c.Context())
	finish()
	if err != nil {
		return fmt.Errorf("compare %s: %w", s.Name(), err)
	}
	outcome, err := bench.NewOutcome(results, baseline)
	if err != nil {
		return err
	}
	err = f.out.write(c.OutOrStdout(), outputs, func(w io.Writer, format string, o report.Options) error {
		return report.Compare(w, outcome, format, sign(o, c, args))
	})
	if err == nil && bench.Failed(results) {
		return ended{exitAsserted}
	}
	return err
}

// check refuses numbers that make no sense.
func (f *compareFlags) check(seed uint64) error {
	if f.seeds < 1 || f.seeds > maxSeeds {
		return usagef("--seeds: found %d, expected 1 to %d", f.seeds, maxSeeds)
	}
	if last := math.MaxUint64 - uint64(f.seeds-1); seed > last {
		return usagef("--seed: found %d, expected at most %d with %d seeds", seed, last, f.seeds)
	}
	return nil
}

// chosen are the autoscalers to compare, and the baseline, which is among them.
func (f *compareFlags) chosen(s *scenarios.Scenario) (names []string, baseline string, err error) {
	names = f.autoscalers
	if len(names) == 0 {
		names = strategies(s)
	}
	for i, name := range names {
		if err := oneOf("--autoscalers", name, strategies(s)); err != nil {
			return nil, "", err
		}
		if slices.Contains(names[:i], name) {
			return nil, "", usagef("--autoscalers: found %q twice", name)
		}
	}
	baseline = f.baseline
	if baseline == "" {
		return names, names[0], nil
	}
	if err := oneOf("--baseline", baseline, strategies(s)); err != nil {
		return nil, "", err
	}
	if !slices.Contains(names, baseline) {
		names = append([]string{baseline}, names...)
	}
	return names, baseline, nil
}
