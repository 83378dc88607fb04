package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/scalelab/scalelab/report"
	"github.com/scalelab/scalelab/scenarios"
)

func newScenarios() *cobra.Command {
	var out outputFlags
	c := &cobra.Command{
		Use:   "scenarios [NAME]",
		Short: "List the embedded scenarios, or print one as a starting point",
		Long: `Scenarios lists the scenarios that are built in; every command takes their
names. With a name it prints that scenario's YAML: a starting point for your
own.`,
		Example: example(
			"scalelab scenarios",
			"scalelab scenarios -o json",
			"scalelab scenarios flash-crowd > my-scenario.yaml",
		),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("found %d arguments, expected at most one: the name of a scenario", len(args))
			}
			return nil
		},
		ValidArgsFunction: completeCatalogue,
		RunE: func(c *cobra.Command, args []string) error {
			outputs, err := out.parse(report.ListFormats())
			if err != nil {
				return err
			}
			if len(args) == 1 {
				return printScenario(c, args[0])
			}
			summaries, err := scenarios.Describe()
			if err != nil {
				return err
			}
			var list []report.Scenario
			for _, s := range summaries {
				list = append(list, report.Scenario(s))
			}
			return out.write(c.OutOrStdout(), outputs, func(w io.Writer, format string, o report.Options) error {
				return report.Scenarios(w, list, format, o)
			})
		},
	}
	out.register(c, report.ListFormats())
	return c
}

func printScenario(c *cobra.Command, name string) error {
	for _, flag := range []string{"output", "color"} {
		if c.Flags().Changed(flag) {
			return usagef("found --%s with the name of a scenario, which is printed as it stands", flag)
		}
	}
	if err := oneOf("NAME", name, scenarios.Names()); err != nil {
		return err
	}
	source, err := scenarios.Source(name)
	if err != nil {
		return err
	}
	return printText(c, source)
}
