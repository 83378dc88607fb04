package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/scalelab/scalelab/report"
	"github.com/scalelab/scalelab/scenarios"
)

func newValidate() *cobra.Command {
	var (
		out outputFlags
		set []string
	)
	formats := []string{report.Table, report.YAML}
	c := &cobra.Command{
		Use:   "validate SCENARIO",
		Short: "Check a scenario, its manifests and its traces",
		Long: `Validate reads a scenario with everything it names and reports all that is
wrong, one problem per line with file:line:column. PromQL that selects no
series is only warned of, on standard error. With -o yaml it prints the
scenario with every default filled in.`,
		Example: example(
			"scalelab validate scenario.yaml",
			"scalelab validate flash-crowd -o yaml",
		),
		Args:              oneArg(scenarioArg),
		ValidArgsFunction: completeScenario,
		RunE: func(c *cobra.Command, args []string) error {
			outputs, err := out.parse(formats)
			if err != nil {
				return err
			}
			s, err := loadScenario(scenarios.Load, args[0], set)
			if err != nil {
				return err
			}
			warn(c, s)
			return out.write(c.OutOrStdout(), outputs, func(w io.Writer, format string, o report.Options) error {
				if format == report.YAML {
					resolved, err := s.Resolved()
					if err != nil {
						return err
					}
					_, err = w.Write(resolved)
					return err
				}
				return report.Valid(w, report.Scenario{
					Name: s.Name(), Description: s.Description(),
					DurationS: s.Document.Duration.Seconds(), Autoscalers: s.AutoscalerNames(),
				}, o)
			})
		},
	}
	registerSet(c, &set)
	out.register(c, formats)
	return c
}
