package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/report"
)

type reportFlags struct {
	out      outputFlags
	pick     pickFlags
	baseline string
}

func newReport() *cobra.Command {
	var f reportFlags
	c := &cobra.Command{
		Use:   "report RESULT...",
		Short: "Show results that were written earlier",
		Long: `Report reads what 'run' and 'compare' wrote as JSON or JSON lines, and shows it
in any of their formats without replaying anything. Several runs of a scenario
are compared; where two files have the same one, autoscalers are called after
the files too: hpa@main and hpa@proposal for main.json and proposal.json.

RESULT is a file or - for standard input.`,
		Example: example(
			"scalelab run night-off -o table -o json=result.json",
			"scalelab report result.json -o markdown",
			"scalelab compare steady -o table -o json=comparison.json",
			"scalelab report comparison.json --autoscaler hpa-70",
		),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("found no arguments, expected one or more: RESULT, a file or -")
			}
			return nil
		},
		RunE: f.run,
	}
	c.Flags().StringVarP(&f.pick.autoscaler, "autoscaler", "a", "", "`name` of the only autoscaler to show (default: all)")
	c.Flags().Uint64Var(&f.pick.seed, "seed", 0, "the only seed to show (default: all)")
	c.Flags().StringVar(&f.baseline, "baseline", "", "`name` of the autoscaler that the others are compared with (default: the comparison's, or the first)")
	f.out.register(c, report.Formats())
	return c
}

func (f *reportFlags) run(c *cobra.Command, args []string) error {
	outputs, err := f.out.parse(report.Formats())
	if err != nil {
		return err
	}
	if err := checkPrintable(outputs, c.OutOrStdout()); err != nil {
		return err
	}
	all, err := gather(args)
	if err != nil {
		return err
	}
	f.pick.seeded = c.Flags().Changed("seed")
	runs, err := f.pick.pick(all.Runs)
	if err != nil {
		return err
	}
	narrowed := f.pick.autoscaler != "" || f.pick.seeded
	if len(runs) == 1 && (narrowed || !all.Compared) {
		if f.baseline != "" {
			return usagef("--baseline: found one run, expected several to compare")
		}
		return f.out.write(c.OutOrStdout(), outputs, func(w io.Writer, format string, o report.Options) error {
			return report.Run(w, runs[0], format, sign(o, c, args))
		})
	}
	baseline := f.baseline
	if baseline != "" {
		if err := oneOf("--baseline", baseline, autoscalersOf(runs)); err != nil {
			return err
		}
	} else if f.pick.autoscaler == "" {
		baseline = all.Baseline
	}
	if err := report.Comparable(runs); err != nil {
		return invalidInput{err}
	}
	outcome, err := bench.NewOutcome(runs, baseline)
	if err != nil {
		return invalidInput{err}
	}
	return f.out.write(c.OutOrStdout(), outputs, func(w io.Writer, format string, o report.Options) error {
		return report.Compare(w, outcome, format, sign(o, c, args))
	})
}
