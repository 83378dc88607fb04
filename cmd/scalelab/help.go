package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// example indents runnable command lines for a help text.
func example(lines ...string) string { return "  " + strings.Join(lines, "\n  ") }

// narrowHelp breaks the texts of flags so that help fits 80 columns.
func narrowHelp(root *cobra.Command) {
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages", ".FlagUsagesWrapped 80"))
}

func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]...",
		Short:   "Explain a command",
		Example: example("scalelab help compare", "scalelab help trace inspect"),
		ValidArgsFunction: func(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			if on, rest, err := c.Root().Find(args); err == nil && len(rest) == 0 {
				for _, sub := range on.Commands() {
					if sub.IsAvailableCommand() {
						names = append(names, cobra.CompletionWithDesc(sub.Name(), sub.Short))
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			on, rest, err := c.Root().Find(args)
			if err != nil {
				return usageError{err}
			}
			if len(rest) > 0 {
				return noArgs(on, rest)
			}
			on.InitDefaultHelpFlag()
			return on.Help()
		},
	}
}
