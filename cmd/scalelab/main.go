// Command scalelab is a wind tunnel for Kubernetes autoscalers.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/spf13/cobra"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scenarios"
)

// The exit codes. 3, a failed assertion, belongs to the assertions.
const (
	exitOK      = 0
	exitFailed  = 1 // failed at run time
	exitInvalid = 4 // invalid scenario or usage
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// execute runs the command line and gives its exit code.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(stderr, complaint(err))
	if errors.As(err, new(usageError)) {
		fmt.Fprintf(stderr, "Run '%s --help' for usage.\n", command.CommandPath())
	}
	return exitCode(err)
}

// complaint is the text of an error: a scenario's problems stand for
// themselves, a line each; everything else says who speaks.
func complaint(err error) string {
	if errors.As(err, new(*scenarios.Error)) {
		return err.Error()
	}
	return "scalelab: " + err.Error()
}

// usageError is a command line that cannot be carried out.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// invalidInput is a file or a name that cannot be used.
type invalidInput struct{ error }

func (e invalidInput) Unwrap() error { return e.error }

func exitCode(err error) int {
	if errors.As(err, new(usageError)) || errors.As(err, new(invalidInput)) ||
		errors.As(err, new(*scenarios.Error)) || errors.As(err, new(*messages.Invalid)) {
		return exitInvalid
	}
	return exitFailed
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "scalelab",
		Short: "A wind tunnel for Kubernetes autoscalers",
		Long: `scalelab replays traffic, request by request and on a deterministic clock,
through your real autoscaling manifests, and shows the replica curve, the
latencies, the cold starts, the lost requests and the bill.

SCENARIO is a YAML file, - for standard input, or a name that 'scalelab
scenarios' lists.`,
		Example: example(
			"scalelab compare --demo",
			"scalelab run flash-crowd --autoscaler hpa-fast",
			"scalelab compare flash-crowd --seeds 8 --baseline hpa-70",
			"scalelab validate scenario.yaml",
		),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(newRun(), newCompare(), newValidate(), newScenarios(), newTrace(), newSchema(), newVersion())
	return root
}

// example indents runnable command lines for a help text.
func example(lines ...string) string { return "  " + strings.Join(lines, "\n  ") }

func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("found the argument %q, expected none%s", args[0], commandHint(c, args[0]))
	}
	return nil
}

// commandHint suggests a subcommand.
func commandHint(c *cobra.Command, typed string) string {
	if near := c.SuggestionsFor(typed); len(near) > 0 {
		return fmt.Sprintf(" (did you mean %q?)", near[0])
	}
	return ""
}

// oneArg takes exactly one argument, called what in messages.
func oneArg(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usagef("found %d arguments, expected one: %s", len(args), what)
		}
		return nil
	}
}
