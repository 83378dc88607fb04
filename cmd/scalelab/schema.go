package main

import (
	"github.com/spf13/cobra"

	"github.com/scalelab/scalelab/scenarios"
)

func newSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of scenarios, for editors",
		Long: `Schema prints the JSON Schema (draft-07) of the scenario format. Editors use it
to complete keys and to mark mistakes; for the YAML language server, put
  # yaml-language-server: $schema=scalelab.schema.json
on the first line of a scenario.`,
		Example: example("scalelab schema > scalelab.schema.json"),
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return printText(c, scenarios.Schema())
		},
	}
}
