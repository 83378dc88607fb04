package everything

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
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

func TestMain(m *testing.M) {
	klog.SetLogger(logr.Discard())
	os.Exit(m.Run())
}

func load(t *testing.T, name string, overrides ...string) *scenarios.Scenario {
	t.Helper()
	s, err := scenarios.Load(filepath.Join("testdata", name+".yaml"), overrides...)
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

// TestScenarios plays every scenario on both sides, with an API server that
// answers at once and with one that takes its time.
func TestScenarios(t *testing.T) {
	var all []*comparison
	for _, name := range []string{"step", "flash-crowd", "slow-start"} {
		s := load(t, name)
		for _, latency := range []fakecluster.Faults{nil, slowly(t)} {
			all = append(all, comparing(t, s, latency))
		}
	}
	if t.Failed() {
		return
	}
	if *write {
		if err := writeDocument("../../docs", all); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range all {
		drawn, err := os.ReadFile(filepath.Join("../../docs/controllers", c.name+".svg"))
		if err != nil {
			t.Fatal(err)
		}
		if !c.slow && c.picture() != string(drawn) {
			t.Errorf("the picture of %s in docs/controllers is another: run this with -write", c.name)
		}
	}
}

// comparing plays a scenario on both sides and fails where they are apart.
func comparing(t *testing.T, s *scenarios.Scenario, latency fakecluster.Faults) *comparison {
	var c *comparison
	synctest.Test(t, func(t *testing.T) {
		var err error
		if c, err = compare(s, s, latency); err != nil {
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

// TestDeviationsAreFound plays scenarios on our side that differ a little from
// those of the real side.
func TestDeviationsAreFound(t *testing.T) {
	for _, test := range []struct {
		scenario, override string
		want               map[string]time.Duration // the longest difference, by count
	}{
		{"step", "lifecycle.start=7s", map[string]time.Duration{"ready": 2 * time.Second}},
		{"step", "controllers.hpa.downscaleStabilization=4m45s", map[string]time.Duration{
			"desired": 15 * time.Second, "created": 15 * time.Second, "ready": 15 * time.Second}},
		{"slow-start", "controllers.hpa.tolerance=0.15", map[string]time.Duration{
			"desired": 330 * time.Second, "created": 330 * time.Second, "ready": 243 * time.Second}},
	} {
		t.Run(test.override, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, err := compare(load(t, test.scenario), load(t, test.scenario, test.override), nil)
				if err != nil {
					t.Fatal(err)
				}
				t.Log(c)
				for _, p := range c.parts[:len(columns)] {
					if p.longest().Truncate(time.Second) != test.want[p.name] {
						t.Errorf("%s differs for %s, expected %s", p.name, p.longest(), test.want[p.name])
					}
				}
			})
		})
	}
}

func TestBadScenarios(t *testing.T) {
	for _, test := range []struct{ what, old, new, want string }{
		{"a distribution", "start: 5s", "start: {dist: exponential, mean: 5s}",
			"run the real controllers: lifecycle.start: found a distribution of type exponential, expected a constant"},
		{"a metric of pods", `type: External
              external:
                metric: {name: http_requests_per_second}
                target: {type: AverageValue, averageValue: "10"}`, `type: Resource
              resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}`,
			"scenario step: found 1 metrics, the first of type Resource, expected one of type External"},
		{"no HPA", "  hpa:\n    manifests", "  hpa: {replicas: 4}\n  other:\n    manifests",
			"scenario step: autoscaler hpa: expected a HorizontalPodAutoscaler, found none"},
		{"another autoscaler", "  hpa:\n    manifests", "  other:\n    manifests",
			"scenario step: autoscaler: found hpa, expected one of [other oracle]"},
	} {
		t.Run(test.what, func(t *testing.T) {
			text, err := os.ReadFile("testdata/step.yaml")
			if err != nil {
				t.Fatal(err)
			}
			changed := strings.Replace(string(text), test.old, test.new, 1)
			s, err := scenarios.Parse("step.yaml", []byte(changed), scenarios.Files("testdata"))
			if err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				if _, err := compare(s, s, nil); err == nil || err.Error() != test.want {
					t.Errorf("found %v, expected %s", err, test.want)
				}
			})
		})
	}
}

// TestTheTapeIsWhatTheRunRead: a metric that the run did not see is noticed.
func TestTheTapeIsWhatTheRunRead(t *testing.T) {
	ran := &tap{side: side{syncs: []decision{{0, 4}, {15 * time.Second, 4}}}, first: []string{
		"external metric rps: no two scrapes", "external metric rps: seen 0s ago, 40933m for 4 pods / target 10 = 1.0233"}}
	good := []reading{{err: "no two scrapes"}, {at: 15 * time.Second, milli: 40933}}
	if err := ran.read(good); err != nil {
		t.Error(err)
	}
	for _, bad := range [][]reading{good[:1], {good[0], {at: 15 * time.Second, milli: 933}}, {good[0], {at: 16 * time.Second, milli: 40933}}} {
		if ran.read(bad) == nil {
			t.Errorf("%v is not what the run read", bad)
		}
	}
}
