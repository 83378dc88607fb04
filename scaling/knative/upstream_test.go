package knative

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/trail"
)

// TestUpstreamCases runs the cases of Knative's own tests, as testdata/upstream
// has them, and counts that none is forgotten.
func TestUpstreamCases(t *testing.T) {
	var list caseList
	testAverages(t, &list)
	testTicks(t, &list)
	testConfigs(t, &list)
	testAnnotations(t, &list)
	testSettings(t, &list)
	testScales(t, &list)

	var leftOut []struct {
		Reason string
		Cases  []string
	}
	loadUpstream(t, "left-out.yaml", &leftOut)
	covered := len(list)
	for _, group := range leftOut {
		require.NotEmpty(t, group.Reason)
		list = append(list, group.Cases...)
		t.Logf("%2d left out: %s", len(group.Cases), group.Reason)
	}
	var all caseList
	var files map[string]map[string]int
	loadUpstream(t, "cases.yaml", &files)
	for _, functions := range files {
		for function, n := range functions {
			for i := range n {
				all = append(all, fmt.Sprintf("%s/%d", function, i+1))
			}
		}
	}
	require.ElementsMatch(t, all, list, "every case once, covered or left out")
	t.Logf("%d of %d upstream cases covered", covered, len(all))
}

// caseList names the cases that have been run.
type caseList []string

func (l *caseList) run(t *testing.T, id string, test func(t *testing.T)) {
	*l = append(*l, id)
	t.Run(id, test)
}

func loadUpstream(t *testing.T, name string, into any) {
	data, err := os.ReadFile(filepath.Join("testdata", "upstream", name))
	require.NoError(t, err)
	require.NoError(t, yaml.UnmarshalStrict(data, into), name)
}

// upstreamWindows is windows.yaml.
type upstreamWindows struct {
	Averages []struct {
		ID       string
		Window   int
		Weighted bool
		Steps    []struct {
			At      float64
			Record  []float64
			Average *float64
			Total   *float64
			Empty   *bool
			Buckets map[int64]float64
		}
	}
	Decays [][3]any
	Maxima []struct {
		ID      string
		Window  int
		Records [][2]float64
		Want    []int32
	}
	Samples [][3]any
}

// testAverages runs the windows and the sizes of samples.
func testAverages(t *testing.T, list *caseList) {
	var cases upstreamWindows
	loadUpstream(t, "windows.yaml", &cases)
	for _, c := range cases.Averages {
		list.run(t, c.ID, func(t *testing.T) {
			b := newBuckets(time.Duration(c.Window)*time.Second, c.Weighted)
			for _, step := range c.Steps {
				second := after(step.At).Unix()
				for _, value := range step.Record {
					b.record(second, value)
				}
				switch {
				case step.Average != nil && c.Weighted: // added up in another order
					assert.InDelta(t, *step.Average, b.average(second), 1e-12, "at %v", step.At)
				case step.Average != nil:
					assert.Equal(t, *step.Average, b.average(second), "at %v", step.At)
				case step.Total != nil:
					assert.Equal(t, *step.Total, b.total, "at %v", step.At)
				case step.Empty != nil:
					assert.Equal(t, *step.Empty, b.empty(second), "at %v", step.At)
				case step.Buckets != nil:
					found := map[int64]float64{}
					for s := start.Unix(); s <= second; s++ {
						if sum := *b.at(s); sum != 0 {
							found[s-start.Unix()] = sum
						}
					}
					assert.Equal(t, step.Buckets, found, "at %v", step.At)
				}
			}
		})
	}
	for _, c := range cases.Decays {
		list.run(t, c[0].(string), func(t *testing.T) {
			b := newBuckets(time.Duration(c[1].(float64))*time.Second, true)
			assert.InDelta(t, c[2].(float64), b.decay, 5e-6)
		})
	}
	list.run(t, "TestRoundToNDigits/1", func(t *testing.T) { assert.Equal(t, 0.0, round6(3.6e-17)) })
	list.run(t, "TestRoundToNDigits/6", func(t *testing.T) { assert.Equal(t, 12345.0, round6(12345)) })
	for _, c := range cases.Maxima {
		list.run(t, c.ID, func(t *testing.T) {
			m := newMaxima(time.Duration(c.Window)*time.Second, time.Second)
			var largest []int32
			for _, r := range c.Records {
				largest = append(largest, m.record(after(r[0]), int32(r[1])))
			}
			assert.Equal(t, c.Want, largest)
		})
	}
	for _, c := range cases.Samples {
		list.run(t, c[0].(string), func(t *testing.T) {
			assert.EqualValues(t, c[2], sampleSize(int(c[1].(float64))))
		})
	}
}

// upstreamTicks is a case of ticks.yaml.
type upstreamTicks struct {
	ID   string
	Spec struct {
		Target, Total, Burst, Up, Down, Threshold float64
		Delay, Window                             *float64
		Activation, Initial                       int32
		Unreachable                               bool
	}
	Begin    *int32
	Fresh    []int32
	Panicked *float64
	Floor    int32
	Ticks    []struct {
		At            float64
		Ready         *int32
		Stable, Panic *float64
		None, Calm    bool
		Want, Excess  int32
		Panicked      *float64
		Changed       *bool
	}
}

func or[T any](given *T, absent T) T {
	if given == nil {
		return absent
	}
	return *given
}

func (c *upstreamTicks) engine() engine {
	s := &settings{
		metric: concurrency, target: c.Spec.Target, total: c.Spec.Total, burst: c.Spec.Burst,
		up: c.Spec.Up, down: c.Spec.Down, threshold: c.Spec.Threshold,
		stable: time.Duration(or(c.Spec.Window, 60)) * time.Second, panic: 6 * time.Second,
		delay:      time.Duration(or(c.Spec.Delay, 0)) * time.Second,
		activation: c.Spec.Activation, initial: c.Spec.Initial, reachable: !c.Spec.Unreachable,
	}
	for field, absent := range map[*float64]float64{&s.total: s.target / 0.75, &s.up: 10, &s.down: 10, &s.threshold: 2} {
		if *field == 0 {
			*field = absent
		}
	}
	e := newEngine(s, first)
	e.begin(start, or(c.Begin, 1))
	return e
}

// see makes the windows of an engine give averages, or no data.
func (e *engine) see(now time.Time, stable, panic float64, none bool) {
	window := func(value float64) buckets {
		return buckets{sums: make([]float64, 60), total: value, first: now.Unix(), last: now.Unix(), any: !none}
	}
	e.collector.stable, e.collector.panic = window(stable), window(panic)
	e.collector.scrapes = none
}

// testTicks runs the engine.
func testTicks(t *testing.T, list *caseList) {
	var cases []upstreamTicks
	loadUpstream(t, "ticks.yaml", &cases)
	for _, c := range cases {
		list.run(t, c.ID, func(t *testing.T) { c.test(t) })
	}
	list.run(t, "TestAutoscalerStartMetrics/1", func(t *testing.T) {
		e := (&upstreamTicks{Begin: new(int32(2))}).engine()
		assert.Equal(t, 1.0, e.report(nil)[0].Value)
	})
	list.run(t, "TestStartInPanicMode/1", func(t *testing.T) {
		for _, ready := range []int32{0, 1, 2} {
			e := (&upstreamTicks{Begin: &ready}).engine()
			assert.Equal(t, ready == 2, e.panics())
			assert.Equal(t, ready, e.floor)
		}
	})
	list.run(t, "TestMultiScalerScaleFromZero/1", func(t *testing.T) {
		a, err := New(newSpec(), start)
		require.NoError(t, err)
		a.engine.desired = 0
		d, err := a.Wake(start, messages.RequestCount{Count: 1, Svc: "web", Namespace: "default"}, messages.Replicas{})
		require.NoError(t, err)
		assert.EqualValues(t, 1, d.Desired)
	})
	for i, c := range [][2]int32{{1982, 1984}, {-1984, -1988}, {-1988, 2006}, {-2006, 2009}, {0, 1}, {0, -42}} {
		list.run(t, fmt.Sprintf("TestSameSign/%d", i+1), func(t *testing.T) {
			assert.Equal(t, []bool{false, false, true, true, false, true}[i], signsDiffer(c[0], c[1]))
		})
	}
}

func (c *upstreamTicks) test(t *testing.T) {
	e := c.engine()
	if c.Fresh != nil {
		assert.Equal(t, c.Fresh, []int32{e.desired, e.excess})
	}
	if c.Panicked != nil {
		e.panicked, e.floor = after(*c.Panicked), c.Floor
	}
	ready, stable, panic := or(c.Begin, 1), 0.0, 0.0
	for _, tick := range c.Ticks {
		ready, stable, panic = or(tick.Ready, ready), or(tick.Stable, stable), or(tick.Panic, panic)
		now := after(tick.At)
		e.see(now, stable, panic, tick.None)
		changed := e.tick(now, ready, &trail.Trail{})
		assert.Equal(t, !tick.None, e.valid)
		if tick.None {
			continue
		}
		assert.Equal(t, tick.Want, e.desired, "count at %v", tick.At)
		assert.Equal(t, tick.Excess, e.excess, "excess at %v", tick.At)
		if tick.Panicked != nil {
			assert.Equal(t, after(*tick.Panicked), e.panicked, "at %v", tick.At)
		}
		assert.False(t, tick.Calm && e.panics(), "at %v", tick.At)
		assert.Equal(t, or(tick.Changed, changed), changed, "at %v", tick.At)
	}
}
