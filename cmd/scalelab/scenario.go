package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"
	"github.com/scalelab/scalelab/sim/clientset"
)

var actuators = []string{"clientset", "direct"}

// replayFlags are the flags of every command that replays a scenario.
type replayFlags struct {
	seed     uint64
	set      []string
	actuator string
	workers  int
	quiet    bool
}

func (f *replayFlags) register(c *cobra.Command) {
	c.Flags().Uint64Var(&f.seed, "seed", 0, "seed of all random numbers (default: the scenario's)")
	c.Flags().StringVar(&f.actuator, "actuator", "clientset", "`kind` of actuator that carries decisions out: clientset (a fake Kubernetes API) or direct, the default for fleets; changes no result")
	c.Flags().IntVar(&f.workers, "workers", 0, "how many runs, or services of a fleet, at the same time (0: as many as there are processors); changes no result")
	c.Flags().BoolVar(&f.quiet, "quiet", false, "no progress on standard error")
	registerSet(c, &f.set)
	c.RegisterFlagCompletionFunc("actuator", cobra.FixedCompletions(actuators, cobra.ShellCompDirectiveNoFileComp))
}

func registerSet(c *cobra.Command, set *[]string) {
	c.Flags().StringArrayVar(set, "set", nil, "set `path=value` in the scenario before it is read, such as traffic[0].rps=120; can be repeated")
}

// load reads the scenario with one of the readers of package scenarios, and
// gives the seed that the command line asks for.
func (f *replayFlags) load(c *cobra.Command, read reader, name string) (*scenarios.Scenario, uint64, error) {
	if err := f.check(); err != nil {
		return nil, 0, err
	}
	s, err := loadScenario(read, name, f.set)
	if err != nil {
		return nil, 0, err
	}
	warn(c, s)
	if s.Document.Fleet != nil && !c.Flags().Changed("actuator") {
		f.actuator = "direct"
	}
	if c.Flags().Changed("seed") {
		return s, f.seed, nil
	}
	return s, s.Document.Seed, nil
}

// check refuses values that no scenario could make right.
func (f *replayFlags) check() error {
	if f.workers < 0 {
		return usagef("--workers: found %d, expected 0 or more", f.workers)
	}
	return oneOf("--actuator", f.actuator, actuators)
}

// reader is scenarios.Load or scenarios.Embedded.
type reader func(name string, overrides ...string) (*scenarios.Scenario, error)

// loadScenario reads a scenario; whatever is wrong with it is invalid input.
func loadScenario(read reader, name string, set []string) (*scenarios.Scenario, error) {
	s, err := read(name, set...)
	if err != nil {
		return nil, invalidInput{err}
	}
	return s, nil
}

// warn tells on standard error what is probably not meant.
func warn(c *cobra.Command, s *scenarios.Scenario) {
	for _, w := range s.Warnings() {
		fmt.Fprintln(c.ErrOrStderr(), w.Warning())
	}
}

// newActuator gives the actuator of one run; nil where decisions are carried
// out directly.
func (f *replayFlags) newActuator(s *scenarios.Scenario) func(string, sim.Spec) (sim.Actuator, error) {
	if f.actuator == "direct" {
		return nil
	}
	return func(autoscaler string, spec sim.Spec) (sim.Actuator, error) {
		objects, err := s.Objects(autoscaler)
		if err != nil {
			return nil, err
		}
		return clientset.New(objects, spec.Start)
	}
}

// strategies are the scenario's autoscalers, the oracle last.
func strategies(s *scenarios.Scenario) []string {
	names := s.AutoscalerNames()
	if !slices.Contains(names, "oracle") {
		names = append(names, "oracle")
	}
	return names
}
