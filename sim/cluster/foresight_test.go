package cluster

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/scalelab/scalelab/scaling/elasti/hold"
)

// Foresight is for worlds in which nothing later changes how long a request waits.
func TestForesees(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Spec)
		want   bool
	}{
		"the defaults":                  {func(*Spec) {}, true},
		"round-robin":                   {func(s *Spec) { s.Routing.Policy = "round-robin" }, true},
		"least-request":                 {func(s *Spec) { s.Routing.Policy = "least-request" }, true},
		"p2c":                           {func(s *Spec) { s.Routing.Policy = "p2c" }, true},
		"p2c with many slots":           {func(s *Spec) { s.Routing.Policy, s.PerPod.Concurrency = "p2c", 33 }, false},
		"a great many slots":            {func(s *Spec) { s.PerPod.Concurrency = 4097 }, false},
		"a central queue":               {func(s *Spec) { s.Routing.Policy = "central-queue" }, false},
		"a central queue, fixed":        {func(s *Spec) { s.Routing.Policy, s.Fixed = "central-queue", true }, true},
		"one for nobody":                {func(s *Spec) { s.Routing.Policy, s.Fixed, s.Replicas = "central-queue", true, 0 }, false},
		"one for too many":              {func(s *Spec) { s.Routing.Policy, s.Fixed, s.Replicas = "central-queue", true, 100_000 }, false},
		"a front":                       {func(s *Spec) { s.Front = &hold.Settings{} }, false},
		"processor sharing":             {func(s *Spec) { s.PerPod.Discipline = "ps" }, false},
		"the oracle":                    {func(s *Spec) { s.Elastic = true }, false},
		"a serverless platform":         {func(s *Spec) { s.Serverless = &Serverless{} }, false},
		"retries that are switched off": {func(s *Spec) { s.Retries = &Retries{Attempts: 1} }, true},
		"retries":                       {func(s *Spec) { s.Retries = &Retries{Attempts: 2} }, false},
		"an attempt's own timeout":      {func(s *Spec) { s.Retries = &Retries{Attempts: 1, PerAttemptTimeout: time.Second} }, false},
		"users":                         {func(s *Spec) { s.Users = []Users{{}} }, false},
		"services that are cancelled":   {func(s *Spec) { s.OnTimeout = "cancel" }, false},
		"an activator":                  {func(s *Spec) { s.Activators = &Activators{Count: 1} }, true},
		"an activator that holds":       {func(s *Spec) { s.Activators = &Activators{Count: 1, ContainerConcurrency: 1} }, false},
		"activators":                    {func(s *Spec) { s.Activators = &Activators{Count: 2} }, false},
		"a central queue, fresh":        {func(s *Spec) { s.Routing.Policy, s.Fixed, s.Fresh = "central-queue", true, true }, false},
		"messages":                      {func(s *Spec) { s.Routing.Policy, s.Fixed, s.Consumes = "central-queue", true, &Consumption{} }, false},
	} {
		spec := Defaults()
		c.change(&spec)
		assert.Equal(t, c.want, spec.foresees(), name)
	}
}

func TestFixedPodsStayFixed(t *testing.T) {
	spec := Defaults()
	spec.Fixed = true
	c, err := New(spec, 1, &instantsOf{}, NewTally([]time.Duration{0}, 0))
	assert.NoError(t, err)
	c.Scale(1)
	assert.PanicsWithValue(t, "cluster: scaled from 1 to 2 pods, which are fixed", func() { c.Scale(2) })
}
