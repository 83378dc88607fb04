package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/scalelab/scalelab/scenarios/strict"
)

// usageError is a command line that cannot be carried out.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// oneOf refuses a value that is none of those known.
func oneOf(what, found string, known []string) error {
	if slices.Contains(known, found) {
		return nil
	}
	return usagef("%s: found %q, expected one of %s%s", what, found, strings.Join(known, ", "), strict.DidYouMean(found, known))
}

// flagError puts what is wrong with a flag into our words.
func flagError(c *cobra.Command, err error) error {
	var (
		unknown *pflag.NotExistError
		empty   *pflag.ValueRequiredError
		wrong   *pflag.InvalidValueError
	)
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		return usagef("found the unknown flag -%s", unknown.GetSpecifiedName())
	case errors.As(err, &unknown):
		var known []string
		c.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, "--"+f.Name) })
		typed := "--" + unknown.GetSpecifiedName()
		return usagef("found the unknown flag %s%s", typed, strict.DidYouMean(typed, known))
	case errors.As(err, &empty):
		return usagef("--%s: found nothing, expected a value", empty.GetFlag().Name)
	case errors.As(err, &wrong):
		f := wrong.GetFlag()
		return usagef("--%s: found %q, expected %s", f.Name, wrong.GetValue(), expected[f.Value.Type()])
	}
	return usageError{err}
}

// expected says what a flag takes, by its type.
var expected = map[string]string{
	"bool":        "true or false",
	"duration":    "a duration such as 5m",
	"int":         "a whole number",
	"stringSlice": "names separated by commas",
	"uint64":      "a whole number from 0 to 18446744073709551615",
}

func noArgs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if c.HasAvailableSubCommands() {
		return unknownCommand(c, args[0])
	}
	return usagef("found the argument %q, expected none", args[0])
}

func unknownCommand(c *cobra.Command, typed string) error {
	var known []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			known = append(known, sub.Name())
		}
	}
	return oneOf("command", typed, known)
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

// scenarioArg is what a command that reads a scenario says of its argument.
const scenarioArg = "SCENARIO, a file, - or a name that 'scalelab scenarios' lists"
