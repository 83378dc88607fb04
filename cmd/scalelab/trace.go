package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/report"
	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim/traffic"
)

func newTrace() *cobra.Command {
	c := &cobra.Command{
		Use:     "trace",
		Short:   "Look at recorded traffic",
		Example: example("scalelab trace inspect traffic.csv --time timestamp --count value"),
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newTraceInspect())
	return c
}

func newTraceInspect() *cobra.Command {
	var (
		out   outputFlags
		trace traffic.Trace
	)
	c := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Say what a trace file holds",
		Long: `Inspect reads a CSV file the way a scenario's trace phase would and says what it
holds: how many requests over which time, how they vary, and where bins are
missing. Columns are given by name or by index from 0.`,
		Example: example(
			"scalelab trace inspect traffic.csv --time timestamp --count value",
			"scalelab trace inspect requests.csv --timestamps at -o json",
		),
		Args: oneArg("FILE, a CSV file"),
		RunE: func(c *cobra.Command, args []string) error {
			outputs, err := out.parse(report.ListFormats())
			if err != nil {
				return err
			}
			trace.File = args[0]
			summary, err := traffic.Inspect(trace, scenarios.Files("."))
			if err != nil {
				return inFlags(err)
			}
			return out.write(c.OutOrStdout(), outputs, func(w io.Writer, format string, o report.Options) error {
				return report.Trace(w, recording(trace.File, summary), format, o)
			})
		},
	}
	c.Flags().StringVar(&trace.Time, "time", "", "`column` with the start of each bin")
	c.Flags().StringVar(&trace.Count, "count", "", "`column` with the number of requests in each bin")
	c.Flags().StringVar(&trace.Value, "value", "", "`column` with the rate in each bin, in requests per second")
	c.Flags().StringVar(&trace.Timestamps, "timestamps", "", "`column` with the exact instant of each request")
	c.Flags().Var(optionalDuration{&trace.Bin}, "bin", "length of a bin (default: the distance of the rows)")
	c.Flags().Var(optionalDuration{&trace.Unit}, "unit", "what 1 means in a time column of plain numbers")
	out.register(c, report.ListFormats())
	return c
}

// inFlags names a flag where a scenario would have a key.
func inFlags(err error) error {
	switch e := err.(type) {
	case *messages.Invalid:
		switch e.Field {
		case "":
			return usageError{e}
		case "file":
			return invalidInput{errors.New(e.Problem)}
		}
		return usagef("--%s: %s", e.Field, e.Problem)
	case messages.Problems:
		var all []error
		for _, problem := range e {
			all = append(all, inFlags(problem))
		}
		return errors.Join(all...)
	}
	return invalidInput{err}
}

// recording puts a summary of a trace into the words of the report.
func recording(file string, s traffic.Summary) report.Recording {
	r := report.Recording{
		File: file, Kind: s.Kind, Rows: s.Rows, First: s.First, Last: s.Last, LengthS: s.Length.Seconds(),
		Requests: s.Requests, MeanRPS: s.MeanRate, PeakRPS: s.PeakRate,
		PeakToMean: s.PeakToMean, GapCV: s.GapCV, Dispersion: s.Dispersion,
	}
	if s.Bin > 0 {
		bin := s.Bin.Seconds()
		r.BinS = &bin
	}
	for _, h := range s.Holes {
		r.Holes = append(r.Holes, report.TraceHole{Line: h.Line, After: h.After, Before: h.Before, MissingBins: h.Missing})
	}
	return r
}

// optionalDuration is a flag for a duration that may be absent.
type optionalDuration struct{ to **time.Duration }

func (d optionalDuration) String() string {
	if d.to == nil || *d.to == nil {
		return ""
	}
	return (*d.to).String()
}

func (d optionalDuration) Set(text string) error {
	v, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("found %q, expected a duration such as 5m", text)
	}
	*d.to = &v
	return nil
}

func (d optionalDuration) Type() string { return "duration" }
