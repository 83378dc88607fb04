package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/report"
	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"
)

type runFlags struct {
	replay     replayFlags
	out        outputFlags
	autoscaler string
	chaos      int
}

func newRun() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run SCENARIO",
		Short: "Replay a scenario with one autoscaler",
		Long: `Run replays a scenario's traffic against one of its autoscalers and shows what
became of the requests, how long they took, how many pods there were, and why.
The exit code is 3 when one of the scenario's assertions does not hold.

With --chaos it draws schedules of faults instead, replays the scenario with
each of them and an hour of silence, and holds every run to what has to be true:
the requests balance, counts stay within their limits, and in the end there are
as many pods as without faults. A schedule that breaks this is made as small as
it can be and printed as a scenario; the exit code is 3 then.`,
		Example: example(
			"scalelab run flash-crowd",
			"scalelab run flash-crowd --autoscaler hpa-fast -o wide",
			"scalelab run flash-crowd --set traffic[0].rps=120 --seed 7",
			"scalelab run night-off --chaos 5 --seed 7",
			"scalelab run night-off -o table -o json=result.json -o csv=timeline.csv",
		),
		Args:              oneArg(scenarioArg),
		ValidArgsFunction: completeScenario,
		RunE:              f.run,
	}
	c.Flags().StringVarP(&f.autoscaler, "autoscaler", "a", "", "`name` of one of the scenario's autoscalers; oracle is always there (default: the first)")
	c.RegisterFlagCompletionFunc("autoscaler", completeAutoscaler)
	c.Flags().IntVar(&f.chaos, "chaos", 0, "draw `N` schedules of faults and look for one that the strategy does not get over")
	f.replay.register(c)
	f.out.register(c, report.Formats())
	return c
}

func (f *runFlags) run(c *cobra.Command, args []string) error {
	if c.Flags().Changed("chaos") {
		return f.searchChaos(c, args[0])
	}
	outputs, err := f.out.parse(report.Formats())
	if err != nil {
		return err
	}
	if err := checkPrintable(outputs, c.OutOrStdout()); err != nil {
		return err
	}
	result, err := f.result(c, scenarios.Load, args[0])
	if err != nil {
		return err
	}
	err = f.out.write(c.OutOrStdout(), outputs, func(w io.Writer, format string, o report.Options) error {
		return report.Run(w, result, format, sign(o, c, args))
	})
	if err == nil && bench.Failed([]*sim.Result{result}) {
		return ended{exitAsserted}
	}
	return err
}

// result loads and replays a scenario.
func (f *runFlags) result(c *cobra.Command, read reader, name string) (*sim.Result, error) {
	s, seed, err := f.replay.load(c, read, name)
	if err != nil {
		return nil, err
	}
	autoscaler, err := f.chosen(s)
	if err != nil {
		return nil, err
	}
	move, finish := newProgress(c.ErrOrStderr(), f.replay.quiet, s.Name())
	result, err := f.play(c.Context(), s, autoscaler, seed, move)
	finish()
	if err != nil {
		return nil, fmt.Errorf("run %s with %w", s.Name(), err)
	}
	return result, nil
}

// chosen is the autoscaler that the command line asks for, or the first.
func (f *runFlags) chosen(s *scenarios.Scenario) (string, error) {
	if f.autoscaler == "" {
		return strategies(s)[0], nil
	}
	return f.autoscaler, oneOf("--autoscaler", f.autoscaler, strategies(s))
}

// play replays one autoscaler, and those that its assertions mention; move may
// be nil.
func (f *runFlags) play(ctx context.Context, s *scenarios.Scenario, autoscaler string, seed uint64, move func(perMille int)) (*sim.Result, error) {
	matrix := bench.Matrix{
		Scenario:    s,
		Autoscalers: []string{autoscaler},
		Seeds:       []uint64{seed},
		Actuator:    f.replay.newActuator(s),
		Workers:     f.replay.workers,
	}
	if move != nil {
		matrix.Progress = func(share float64) { move(int(share * 1000)) }
	}
	results, err := matrix.Replay(ctx)
	if err != nil {
		return nil, err
	}
	return results[0], nil
}
