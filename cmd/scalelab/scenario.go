package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"
	"github.com/scalelab/scalelab/sim/clientset"
)

// replayFlags are the flags of every command that replays a scenario.
type replayFlags struct {
	seed     uint64
	set      []string
	actuator string
	quiet    bool
}

func (f *replayFlags) register(c *cobra.Command) {
	c.Flags().Uint64Var(&f.seed, "seed", 0, "seed of all random numbers (default: the scenario's)")
	c.Flags().StringVar(&f.actuator, "actuator", "clientset", "who carries decisions out: clientset (a fake Kubernetes API) or direct")
	c.Flags().BoolVar(&f.quiet, "quiet", false, "no progress on standard error")
	registerSet(c, &f.set)
	c.RegisterFlagCompletionFunc("actuator", cobra.FixedCompletions([]string{"clientset", "direct"}, cobra.ShellCompDirectiveNoFileComp))
}

func registerSet(c *cobra.Command, set *[]string) {
	c.Flags().StringArrayVar(set, "set", nil, "set a value of the scenario before it is read, such as traffic[0].rps=120; can be repeated")
}

// load reads the scenario and puts the seed of the command line into it.
func (f *replayFlags) load(c *cobra.Command, name string) (*scenarios.Scenario, uint64, error) {
	if f.actuator != "clientset" && f.actuator != "direct" {
		return nil, 0, usagef("--actuator: found %q, expected clientset or direct", f.actuator)
	}
	s, err := loadScenario(name, f.set)
	if err != nil {
		return nil, 0, err
	}
	if c.Flags().Changed("seed") {
		return s, f.seed, nil
	}
	return s, s.Document.Seed, nil
}

// loadScenario reads a scenario; whatever is wrong with it is invalid input.
func loadScenario(name string, set []string) (*scenarios.Scenario, error) {
	s, err := scenarios.Load(name, set...)
	if err != nil {
		return nil, invalidInput{err}
	}
	return s, nil
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

// checkAutoscaler says whether the scenario has the autoscaler.
func checkAutoscaler(s *scenarios.Scenario, name string) error {
	if _, err := s.Spec(name, 0); err != nil {
		return invalidInput{err}
	}
	return nil
}

// strategies are the scenario's autoscalers, the oracle last.
func strategies(s *scenarios.Scenario) []string {
	names := s.AutoscalerNames()
	if !slices.Contains(names, "oracle") {
		names = append(names, "oracle")
	}
	return names
}

// completeScenario completes catalogue names beside files.
func completeScenario(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return scenarios.Names(), cobra.ShellCompDirectiveDefault
}

// completeAutoscaler completes the autoscalers of the scenario on the line.
func completeAutoscaler(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	s, err := scenarios.Load(args[0])
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return strategies(s), cobra.ShellCompDirectiveNoFileComp
}
