package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/scalelab/scalelab/scenarios"
)

func newCompletion() *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print a script that completes scalelab's command lines",
		Long: `Completion prints a script for bash, zsh, fish or powershell that completes
commands, flags, scenarios and their autoscalers. To have it in every session:

  scalelab completion bash > /etc/bash_completion.d/scalelab
  scalelab completion zsh > "${fpath[1]}/_scalelab"
  scalelab completion fish > ~/.config/fish/completions/scalelab.fish
  scalelab completion powershell >> $PROFILE

Bash needs the package bash-completion for it.`,
		Example: example(
			"scalelab completion bash > scalelab.bash",
			"scalelab completion zsh > _scalelab",
		),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("found %d arguments, expected one: SHELL", len(args))
			}
			return oneOf("SHELL", args[0], shells)
		},
		ValidArgs: shells,
		RunE: func(c *cobra.Command, args []string) error {
			write := map[string]func(io.Writer) error{
				"bash":       func(w io.Writer) error { return c.Root().GenBashCompletionV2(w, true) },
				"zsh":        c.Root().GenZshCompletion,
				"fish":       func(w io.Writer) error { return c.Root().GenFishCompletion(w, true) },
				"powershell": c.Root().GenPowerShellCompletionWithDesc,
			}[args[0]]
			if err := write(c.OutOrStdout()); err != nil {
				return fmt.Errorf("print: %w", err)
			}
			return nil
		},
	}
}

// completeScenario completes names of the catalogue beside files.
func completeScenario(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return scenarios.Names(), cobra.ShellCompDirectiveDefault
}

// completeScenarios completes any number of them.
func completeScenarios(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return scenarios.Names(), cobra.ShellCompDirectiveDefault
}

// completeCatalogue completes names of the catalogue alone.
func completeCatalogue(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return scenarios.Names(), cobra.ShellCompDirectiveNoFileComp
}

// completeAutoscaler completes the autoscalers of the scenario on the line.
func completeAutoscaler(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if demonstrate, err := c.Flags().GetBool("demo"); err == nil && demonstrate {
		args = []string{demo}
	}
	if len(args) == 0 || args[0] == "-" {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	s, err := scenarios.Load(args[0])
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return strategies(s), cobra.ShellCompDirectiveNoFileComp
}
