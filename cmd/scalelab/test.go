package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/report"
	"github.com/scalelab/scalelab/scenarios"
)

type testFlags struct {
	replay    replayFlags
	out       outputFlags
	catalogue bool
}

func newTest() *cobra.Command {
	var f testFlags
	c := &cobra.Command{
		Use:   "test PATH...",
		Short: "Hold scenarios against their assertions",
		Long: `Test replays scenarios with every autoscaler that they list and holds the
results against their assertions. PATH is a scenario, as a file, - or a name
that 'scalelab scenarios' lists, or a directory: every .yaml and .yml file below
it that is a Scenario. DIR/... is the same as DIR.

A scenario that cannot be read is reported, and the others are tested all the
same. The exit code is 0 when every assertion holds or only warns, 3 when one
fails, and 4 when a scenario is invalid.

With -o github every failure becomes an annotation of the pull request, and
where $GITHUB_STEP_SUMMARY names a file, a summary is appended to it.`,
		Example: example(
			"scalelab test scenario.yaml",
			"scalelab test . --workers 2 -o table -o junit=junit.xml",
			"scalelab test museum-lost-wake-up museum-ghosts -o markdown",
		),
		Args:              f.args,
		ValidArgsFunction: completeScenarios,
		RunE:              f.run,
	}
	c.Flags().BoolVar(&f.catalogue, "catalogue", false, "test every scenario that 'scalelab scenarios' lists")
	f.replay.register(c)
	f.out.register(c, report.TestFormats())
	return c
}

func (f *testFlags) args(_ *cobra.Command, args []string) error {
	if len(args) == 0 && !f.catalogue {
		return usagef("found no argument, expected PATH...: scenarios, directories with scenarios, names that 'scalelab scenarios' lists (or --catalogue)")
	}
	return nil
}

func (f *testFlags) run(c *cobra.Command, args []string) error {
	outputs, err := f.out.parse(report.TestFormats())
	if err != nil {
		return err
	}
	if err := f.replay.check(); err != nil {
		return err
	}
	paths, err := findScenarios(args)
	if err != nil {
		return err
	}
	suite := bench.Suite{Workers: f.replay.workers}
	for _, path := range paths {
		suite.Cases = append(suite.Cases, f.load(c, scenarios.Load, path))
	}
	if f.catalogue {
		for _, name := range scenarios.Names() {
			if !slices.Contains(paths, name) {
				suite.Cases = append(suite.Cases, f.load(c, scenarios.Embedded, name))
			}
		}
	}
	start := time.Now()
	move, finish := newProgress(c.ErrOrStderr(), f.replay.quiet, "test")
	if move != nil {
		suite.Progress = func(share float64) { move(int(share * 1000)) }
	}
	tested, err := suite.Run(c.Context())
	finish()
	if err != nil {
		return fmt.Errorf("test: %w", err)
	}
	if move != nil {
		fmt.Fprintf(c.ErrOrStderr(), "tested in %s\n", time.Since(start).Round(time.Millisecond))
	}
	return f.report(c, outputs, tested)
}

// load reads one case; what is wrong with it is part of the report.
func (f *testFlags) load(c *cobra.Command, read reader, name string) bench.Case {
	tested := bench.Case{File: name}
	replay := f.replay // every scenario has an actuator of its own by default
	s, seed, err := replay.load(c, read, name)
	if err == nil {
		tested.Scenario, tested.Seed, tested.Actuator = s, seed, replay.newActuator(s)
		return tested
	}
	var invalid *scenarios.Error
	if !errors.As(err, &invalid) {
		tested.Problems = []bench.Problem{{File: name, Text: err.Error()}}
		return tested
	}
	for _, p := range invalid.Problems {
		text := p.Text
		if p.Path != "" {
			text = p.Path + ": " + text
		}
		tested.Problems = append(tested.Problems, bench.Problem{File: p.File, Line: p.Line, Column: p.Column, Text: text})
	}
	return tested
}

// report writes the outputs and says with the exit code how it went.
func (f *testFlags) report(c *cobra.Command, outputs []output, tested *bench.TestReport) error {
	err := f.out.write(c.OutOrStdout(), outputs, func(w io.Writer, format string, o report.Options) error {
		return report.Tested(w, tested, format, o)
	})
	if err != nil {
		return err
	}
	for _, o := range outputs {
		if o.format == report.GitHub {
			if err := appendStepSummary(os.Getenv("GITHUB_STEP_SUMMARY"), tested); err != nil {
				return err
			}
			break
		}
	}
	switch {
	case tested.Summary.Invalid > 0:
		return ended{exitInvalid}
	case !tested.OK():
		return ended{exitAsserted}
	}
	return nil
}

// appendStepSummary adds the report to the summary of a step of a workflow on
// GitHub, if it runs in one.
func appendStepSummary(file string, tested *bench.TestReport) error {
	if file == "" {
		return nil
	}
	var text bytes.Buffer
	if err := report.Tested(&text, tested, report.Markdown, report.Options{}); err != nil {
		return err
	}
	summary, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return cannotWrite(file, err)
	}
	_, err = summary.Write(text.Bytes())
	if closing := summary.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return cannotWrite(file, err)
	}
	return nil
}
