package main

import (
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/scalelab/scalelab/report"
	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"
)

type explainFlags struct {
	replay     replayFlags
	out        outputFlags
	autoscaler string
	at         string
}

func newExplain() *cobra.Command {
	var f explainFlags
	c := &cobra.Command{
		Use:   "explain RESULT|SCENARIO",
		Short: "Say why there were as many replicas at an instant, step by step",
		Long: `Explain shows the decision that was in force at an instant: what the autoscaler
saw, what it made of that stage by stage with the figures to work it out by
hand, and what was true at the same time. Without --at it lists the decisions
that changed the count, and explains the instant of the worst latency.

RESULT is what 'run' or 'compare' wrote as JSON, or - for standard input; of a
comparison, --autoscaler and --seed choose the run. A SCENARIO is replayed.`,
		Example: example(
			"scalelab run flash-crowd -o table -o json=result.json",
			"scalelab explain result.json --at 11m15s",
			"scalelab explain result.json -o markdown",
			"scalelab explain bursty-idle --autoscaler elasti --at worst",
		),
		Args:              oneArg("RESULT or SCENARIO, a file, - or a name that 'scalelab scenarios' lists"),
		ValidArgsFunction: completeScenario,
		RunE:              f.run,
	}
	c.Flags().StringVar(&f.at, "at", "", "`instant` after the start, such as 34m15s, or worst: that of the worst latency (default: worst, with a list of all changes)")
	c.Flags().StringVarP(&f.autoscaler, "autoscaler", "a", "", "`name` of the autoscaler (default: the only one of a result, the first of a scenario)")
	c.RegisterFlagCompletionFunc("autoscaler", completeAutoscaler)
	f.replay.register(c)
	f.out.register(c, report.ExplainFormats())
	return c
}

func (f *explainFlags) run(c *cobra.Command, args []string) error {
	outputs, err := f.out.parse(report.ExplainFormats())
	if err != nil {
		return err
	}
	at, err := instant(f.at)
	if err != nil {
		return err
	}
	r, err := f.result(c, args[0])
	if err != nil {
		return err
	}
	if at != nil && *at > r.DurationS {
		return usagef("--at: found %s, expected 0s to %s, the end of the run", f.at, report.Clock(r.DurationS))
	}
	e, err := f.explain(r, at)
	if err != nil {
		return err
	}
	return f.out.write(c.OutOrStdout(), outputs, func(w io.Writer, format string, o report.Options) error {
		return report.WriteExplanation(w, e, format, o)
	})
}

func (f *explainFlags) explain(r *sim.Result, at *float64) (*report.Explanation, error) {
	if at != nil {
		return report.Explain(r, *at)
	}
	e, err := report.ExplainWorst(r)
	if err != nil || f.at != "" {
		return e, err
	}
	e.ListChanges(r)
	return e, nil
}

// result is read from a file of results, or replayed where the file is none.
func (f *explainFlags) result(c *cobra.Command, name string) (*sim.Result, error) {
	if isFile(name) {
		text, err := readFile(name)
		if err != nil {
			return nil, err
		}
		if report.IsResult(text) {
			return f.written(c, name, text)
		}
		if name == "-" {
			return f.replayed(c, name, func(name string, overrides ...string) (*scenarios.Scenario, error) {
				return scenarios.Parse(name, text, scenarios.Files("."), overrides...)
			})
		}
	}
	return f.replayed(c, name, scenarios.Load)
}

func (f *explainFlags) written(c *cobra.Command, name string, text []byte) (*sim.Result, error) {
	for _, flag := range []string{"set", "actuator", "workers"} {
		if c.Flags().Changed(flag) {
			return nil, usagef("--%s: found beside the result %s, expected a scenario, which can be replayed", flag, name)
		}
	}
	results, err := report.Read(name, text)
	if err != nil {
		return nil, invalidInput{err}
	}
	pick := pickFlags{autoscaler: f.autoscaler, seed: f.replay.seed, seeded: c.Flags().Changed("seed")}
	return pick.one(results.Runs)
}

func (f *explainFlags) replayed(c *cobra.Command, name string, read reader) (*sim.Result, error) {
	replay := runFlags{replay: f.replay, autoscaler: f.autoscaler}
	return replay.result(c, read, name)
}

// instant reads --at; nil is the worst one. Days are allowed, as results show them.
func instant(text string) (*float64, error) {
	if text == "" || text == "worst" {
		return nil, nil
	}
	refused := usagef("--at: found %q, expected an instant after the start such as 34m15s, or worst", text)
	days, rest := 0.0, text
	if before, after, found := strings.Cut(text, "d"); found {
		n, err := strconv.ParseUint(before, 10, 20)
		if err != nil {
			return nil, refused
		}
		days, rest = float64(n), after
	}
	var d time.Duration
	if rest != "" || days == 0 {
		var err error
		if d, err = time.ParseDuration(rest); err != nil || d < 0 {
			return nil, refused
		}
	}
	return new(float64(days*86400) + d.Seconds()), nil
}
