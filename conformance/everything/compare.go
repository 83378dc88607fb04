package everything

import (
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/scalelab/scalelab/k8shelper/fakecluster"
	"github.com/scalelab/scalelab/scenarios"

	"k8s.io/apimachinery/pkg/api/resource"
)

// comparison is one scenario on both sides.
type comparison struct {
	name, description string
	end               time.Duration // of what is compared: the last sync
	slow              bool          // the API takes its time
	real, ours        side
	parts             []part
	stale             int // times that a real controller found its cache behind
	simulated         time.Duration
}

// part is a count that is compared.
type part struct {
	name        string
	real, ours  int // changes
	differences []difference
}

// longest is how long the count differs at most.
func (p part) longest() (longest time.Duration) {
	for _, d := range p.differences {
		longest = max(longest, d.to-d.from)
	}
	return longest
}

// compare plays a scenario with the real controllers, and what should be the
// same with ours. It belongs into a bubble.
func compare(s, same *scenarios.Scenario, latency fakecluster.Faults) (*comparison, error) {
	c := &comparison{name: s.Name(), description: s.Description(), slow: latency != nil, simulated: *s.Document.Duration}
	tape, err := offered(s)
	if err != nil {
		return nil, err
	}
	var ours *tap
	c.ours.cost, err = timed(func() error { ours, err = simulate(same); return err })
	if err != nil {
		return nil, fmt.Errorf("simulate: %w", err)
	}
	if err := ours.read(tape); err != nil {
		return nil, err
	}
	var real *plane
	c.real.cost, err = timed(func() error { real, err = realize(s, tape, latency); return err })
	if err != nil {
		return nil, fmt.Errorf("run the real controllers: %w", err)
	}
	c.real.syncs, c.real.curve = real.side.syncs, real.side.curve
	c.ours.syncs, c.ours.curve = ours.syncs, ours.curve
	c.stale = real.stale
	c.end = c.ours.syncs[len(c.ours.syncs)-1].at
	for _, column := range columns {
		c.parts = append(c.parts, part{column.name, column.changes(c.real.curve, c.end), column.changes(c.ours.curve, c.end),
			column.differences(c.real.curve, c.ours.curve, c.end)})
	}
	ready := columns[len(columns)-1]
	c.parts = append(c.parts, part{"endpoints", ready.changes(real.slices, c.end), ready.changes(c.ours.curve, c.end),
		ready.differences(real.slices, c.ours.curve, c.end)})
	return c, nil
}

// read checks that the run saw the metric that is on the tape.
func (t *tap) read(tape []reading) error {
	if len(tape) != len(t.syncs) {
		return fmt.Errorf("found %d readings for %d syncs", len(tape), len(t.syncs))
	}
	for i, r := range tape {
		seen := r.err
		if seen == "" {
			seen = " " + resource.NewMilliQuantity(r.milli, resource.DecimalSI).String() + " for "
		}
		if r.at != t.syncs[i].at || !strings.Contains(t.first[i], seen) {
			return fmt.Errorf("at %s the run read %q, the tape has %+v", t.syncs[i].at, t.first[i], r)
		}
	}
	return nil
}

// timed is what a call costs, in real time: inside of a bubble clocks do not
// tell it, but the process's CPU time does.
func timed(call func() error) (cost, error) {
	wall, cpu := realTime(), cpuTime()
	err := call()
	return cost{realTime() - wall, cpuTime() - cpu}, err
}

func realTime() time.Duration {
	var now syscall.Timeval
	if err := syscall.Gettimeofday(&now); err != nil {
		panic(err)
	}
	return time.Duration(now.Nano())
}

func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// api says how fast the API server is.
func (c *comparison) api() string {
	if c.slow {
		return "2 to 20 ms a call"
	}
	return "at once"
}

// equal is the number of syncs at which both sides decide the same.
func (c *comparison) equal() (n int) {
	for i := range min(len(c.real.syncs), len(c.ours.syncs)) {
		if c.real.syncs[i] == c.ours.syncs[i] {
			n++
		}
	}
	return n
}

func (c cost) String() string {
	return fmt.Sprintf("%.0f ms wall, %.0f ms CPU", c.wall.Seconds()*1000, c.cpu.Seconds()*1000)
}

func (c *comparison) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s, API answers %s): %d of %d syncs equal, %d to %d pods; real %s, ours %s; caches behind %d times\n",
		c.name, c.simulated, c.api(), c.equal(), len(c.ours.syncs), at(c.ours.curve, 0).Desired, columns[0].most(c.ours.curve),
		c.real.cost, c.ours.cost, c.stale)
	for _, p := range c.parts {
		fmt.Fprintf(&b, "  %-9s changes: real %d, ours %d; differs %d times, longest %s", p.name, p.real, p.ours, len(p.differences), p.longest())
		for i, d := range p.differences {
			if i == 5 {
				fmt.Fprintf(&b, " ...")
				break
			}
			fmt.Fprintf(&b, " [%s to +%s: real %d, ours %d]", d.from, d.to-d.from, d.real, d.ours)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
