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

// The exit codes.
const (
	exitOK       = 0
	exitFailed   = 1 // failed at run time
	exitAsserted = 3 // an assertion failed
	exitInvalid  = 4 // invalid scenario or usage
)

// ended is an exit code after everything has been said.
type ended struct{ code int }

func (e ended) Error() string { return fmt.Sprintf("exit code %d", e.code) }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
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
	if end := (ended{}); errors.As(err, &end) {
		return end.code
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
	switch {
	case errors.As(err, new(*scenarios.Error)):
		return err.Error()
	case errors.Is(err, context.Canceled):
		text := strings.TrimSuffix(err.Error(), context.Canceled.Error())
		return "scalelab: " + text + "interrupted, nothing was written"
	}
	return "scalelab: " + strings.ReplaceAll(err.Error(), "\n", "\nscalelab: ")
}

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
			"scalelab compare bursty-idle --seeds 8 --baseline hpa-70",
			"scalelab test scenario.yaml",
			"scalelab validate scenario.yaml",
		),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(flagError)
	root.SetHelpCommand(newHelp())
	root.AddCommand(newRun(), newCompare(), newTest(), newExplain(), newReport(), newValidate(), newScenarios(), newTrace(), newSchema(), newVersion(), newCompletion())
	narrowHelp(root)
	return root
}
