package everything

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"

	"github.com/scalelab/scalelab/k8shelper/fakecluster"
	"github.com/scalelab/scalelab/scenarios"
)

var write = flag.Bool("write", false, "write docs/controllers.md and its pictures")

// The sides may be apart by one step of a controller: its way through queues,
// back-offs of milliseconds and its calls. The EndpointSlice controller waits a
// second before it looks again when its cache was behind.
const (
	step          = time.Second
	endpointsStep = 2 * time.Second
)

var names = []string{"step", "flash-crowd", "slow-start"}

func TestMain(m *testing.M) {
	klog.SetLogger(logr.Discard())
	os.Exit(m.Run())
}

func load(t *testing.T, name string) *scenarios.Scenario {
	s, err := scenarios.Load(filepath.Join("testdata", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// slowly is an API server that takes 2 to 20 ms for a call.
func slowly(t *testing.T) fakecluster.Faults {
	delay, err := fakecluster.RandomFaults{Seed: 1, LatencyMin: 2 * time.Millisecond, LatencyMax: 20 * time.Millisecond}.Faults()
	if err != nil {
		t.Fatal(err)
	}
	return func(c fakecluster.Call) fakecluster.Fault {
		if c.Resource.Resource == "horizontalpodautoscalers" || c.Subresource == "scale" {
			return fakecluster.Fault{}
		}
		return delay(c)
	}
}

func TestTheScenarios(t *testing.T) {
	var all []*comparison
	for _, name := range names {
		s := load(t, name)
		at := comparing(t, s, nil)
		late := comparing(t, s, slowly(t))
		all = append(all, at, late)
	}
	if *write && !t.Failed() {
		if err := writeDocument("../../docs", all); err != nil {
			t.Fatal(err)
		}
	}
}

// comparing plays a scenario on both sides and fails where they are apart.
func comparing(t *testing.T, s *scenarios.Scenario, latency fakecluster.Faults) *comparison {
	var c *comparison
	synctest.Test(t, func(t *testing.T) {
		var err error
		if c, err = compare(s, latency); err != nil {
			t.Fatal(err)
		}
	})
	t.Log(c)
	if !slices.Equal(c.real.syncs, c.ours.syncs) {
		t.Errorf("the syncs differ:\nreal %v\nours %v", c.real.syncs, c.ours.syncs)
	}
	for _, part := range c.parts {
		limit := step
		if part.name == "endpoints" {
			limit = endpointsStep
		}
		if part.longest() > limit {
			t.Errorf("%s is apart by more than %s: %+v", part.name, limit, part.differences)
		}
	}
	return c
}
