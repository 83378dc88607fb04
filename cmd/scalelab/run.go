package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/scalelab/scalelab/report"
	"github.com/scalelab/scalelab/sim"
)

func newRun() *cobra.Command {
	var (
		replay     replayFlags
		out        outputFlags
		autoscaler string
	)
	c := &cobra.Command{
		Use:   "run SCENARIO",
		Short: "Replay a scenario with one autoscaler",
		Long: `Run replays a scenario's traffic against one of its autoscalers and shows what
became of the requests, how long they took, how many pods there were, and why.`,
		Example: example(
			"scalelab run flash-crowd",
			"scalelab run flash-crowd --autoscaler hpa-fast -o wide",
			"scalelab run flash-crowd --set traffic[0].rps=120 --seed 7",
			"scalelab run diurnal --actuator direct -o table -o json=result.json -o csv=timeline.csv",
		),
		Args:              oneArg("SCENARIO, a file, - or a name that 'scalelab scenarios' lists"),
		ValidArgsFunction: completeScenario,
		RunE: func(c *cobra.Command, args []string) error {
			outputs, err := out.parse(report.Formats())
			if err != nil {
				return err
			}
			s, seed, err := replay.load(c, args[0])
			if err != nil {
				return err
			}
			if autoscaler == "" {
				autoscaler = strategies(s)[0]
			}
			if err := checkAutoscaler(s, autoscaler); err != nil {
				return err
			}
			spec, err := s.Spec(autoscaler, seed)
			if err != nil {
				return err
			}
			move, finish := newProgress(c.ErrOrStderr(), replay.quiet, s.Name())
			options := []sim.Option{}
			if move != nil {
				options = append(options, sim.WithProgress(func(now, end time.Duration) { move(int(now * 1000 / end)) }))
			}
			if newActuator := replay.newActuator(s); newActuator != nil {
				act, err := newActuator(autoscaler, spec)
				if err != nil {
					return err
				}
				options = append(options, sim.WithActuator(act))
			}
			result, err := sim.Run(c.Context(), spec, options...)
			finish()
			if err != nil {
				return fmt.Errorf("run %s with %s: %w", s.Name(), autoscaler, err)
			}
			return out.write(c.OutOrStdout(), outputs, func(w io.Writer, format string, o report.Options) error {
				return report.Run(w, result, format, o)
			})
		},
	}
	c.Flags().StringVarP(&autoscaler, "autoscaler", "a", "", "which of the scenario's autoscalers; oracle is always there (default: the first)")
	c.RegisterFlagCompletionFunc("autoscaler", completeAutoscaler)
	replay.register(c)
	out.register(c, report.Formats())
	return c
}
