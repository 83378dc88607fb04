package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"
	"github.com/scalelab/scalelab/sim/random"
)

// Chaos looks for faults that a strategy does not get over. Of a seed it draws
// schedules of faults, replays the scenario with each of them and with an hour of
// silence after its end, and holds every run to what has to be true whatever befalls:
//
//   - the requests balance, in all and in every phase
//   - no count is negative, and no more pods are Ready than there are
//   - the count wanted stays within the limits of the autoscaler
//   - after the silence there are as many pods as without any faults, all of them
//     Ready, and nothing waits; this only where the run without faults ends so
//   - some of the schedules are replayed twice, and the fingerprints are the same
//   - nothing panics
//
// A schedule that breaks one of these is made smaller as long as the same is broken.
type Chaos struct {
	Scenario   *scenarios.Scenario
	Autoscaler string
	Seed       uint64 // of the run and of the schedules
	Schedules  int
	Workers    int                                                          // 0: one
	Actuator   func(autoscaler string, spec sim.Spec) (sim.Actuator, error) // nil: direct
	Progress   func(share float64)                                          // nil: none
	// AnyRest lets a run end as it may: where nobody scales any more by then, the count
	// is what it happened to be.
	AnyRest bool
}

// ChaosReport is what a search has found.
type ChaosReport struct {
	Schedules int
	Faults    int
	Kinds     map[string]int // faults drawn, by kind
	Twice     int            // schedules replayed twice
	Settles   bool           // the run without faults ends quietly, so that the others have to
	Failure   *ChaosFailure  // the one of the first schedule that fails; nil: none does
}

// ChaosFailure is a schedule that breaks an invariant.
type ChaosFailure struct {
	Schedule int         // its number, from 0
	Broken   string      // what is not true
	Drawn    []sim.Fault // as it was drawn
	Faults   []sim.Fault // the smallest found that breaks the same
	Scenario []byte      // with those faults, as YAML
}

// silence is how long a run goes on without traffic: longer than the kubelet's
// longest back-off, an eviction, and any window that is usual.
const silence = time.Hour

// mostDrawn are the faults of one schedule at most, beside those that the scenario has.
const mostDrawn = 6

// twiceEvery is how many schedules there are to one that is replayed twice.
const twiceEvery = 8

// Search looks through all schedules. It stops at the first that fails.
func (c Chaos) Search(ctx context.Context) (*ChaosReport, error) {
	base, err := c.spec()
	if err != nil {
		return nil, err
	}
	calm, err := c.replay(ctx, base)
	if err != nil {
		return nil, err
	}
	rules := newRules(base, calm)
	rules.settles = rules.settles && !c.AnyRest
	if broken := rules.broken(calm); broken != "" {
		return nil, fmt.Errorf("the run without further faults does not hold: %s", broken)
	}
	report := &ChaosReport{Kinds: map[string]int{}, Settles: rules.settles}
	d := newDrawer(base)
	outcomes := c.tryAll(ctx, base, d, rules)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for n, o := range outcomes {
		faults := d.draw(random.Seed(c.Seed), n)
		report.Schedules++
		report.Faults += len(faults)
		for i := range faults {
			report.Kinds[faults[i].Kind()]++
		}
		if n%twiceEvery == 0 {
			report.Twice++
		}
		switch {
		case o.err != nil:
			return nil, fmt.Errorf("schedule %d: %w", n, o.err)
		case o.broken != "":
			report.Failure, err = c.failure(ctx, base, n, faults, o.broken, rules)
			return report, err
		}
	}
	return report, nil
}

// outcome is what came of a schedule.
type outcome struct {
	broken string // empty: nothing
	err    error  // the run could not be made
}

// tryAll replays the schedules in their order, several at a time, up to the first that
// fails, and gives the outcomes up to that one.
func (c Chaos) tryAll(ctx context.Context, base sim.Spec, d drawer, r rules) []outcome {
	outcomes := make([]outcome, c.Schedules)
	next, done, end := 0, 0, c.Schedules
	var mutex sync.Mutex
	var group sync.WaitGroup
	take := func() (n int, more bool) {
		mutex.Lock()
		defer mutex.Unlock()
		n = next
		next++
		return n, n < end && ctx.Err() == nil
	}
	finish := func(n int, o outcome) {
		mutex.Lock()
		defer mutex.Unlock()
		outcomes[n] = o
		if o.broken != "" || o.err != nil {
			end = min(end, n+1)
		}
		if done++; c.Progress != nil {
			c.Progress(float64(done) / float64(c.Schedules))
		}
	}
	for range max(1, c.Workers) {
		group.Go(func() {
			for n, more := take(); more; n, more = take() {
				broken, err := c.try(ctx, base, d.draw(random.Seed(c.Seed), n), r, n%twiceEvery == 0)
				finish(n, outcome{broken, err})
			}
		})
	}
	group.Wait()
	return outcomes[:end]
}

// spec is the run with its silence.
func (c Chaos) spec() (sim.Spec, error) {
	spec, err := c.Scenario.Spec(c.Autoscaler, c.Seed)
	if err != nil {
		return spec, err
	}
	if spec.Fleet != nil {
		return spec, errors.New("found a fleet, expected one service: faults befall one")
	}
	spec.Duration = spec.End() + silence
	return spec, nil
}

// broke is what a run has not held, found by a panic.
type broke struct{ what string }

func (b broke) Error() string { return b.what }

// replay runs a Spec; a panic is a *broke.
func (c Chaos) replay(ctx context.Context, spec sim.Spec) (result *sim.Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = broke{fmt.Sprintf("panic: %v", p)}
		}
	}()
	var options []sim.Option
	if c.Actuator != nil {
		options = append(options, sim.WithActuators(func(spec sim.Spec) (sim.Actuator, error) { return c.Actuator(c.Autoscaler, spec) }))
	}
	return sim.Run(ctx, spec, options...)
}

// try replays a schedule, and says what does not hold.
func (c Chaos) try(ctx context.Context, base sim.Spec, faults []sim.Fault, r rules, twice bool) (broken string, err error) {
	spec := base
	spec.Faults = slices.Concat(base.Faults, faults)
	result, err := c.replay(ctx, spec)
	if err != nil {
		return panicked(err)
	}
	if broken := r.broken(result); broken != "" || !twice {
		return broken, nil
	}
	again, err := c.replay(ctx, spec)
	if err != nil {
		return panicked(err)
	}
	if again.Fingerprint != result.Fingerprint {
		return fmt.Sprintf("the same schedule gave the fingerprints %s and %s", result.Fingerprint, again.Fingerprint), nil
	}
	return "", nil
}

// panicked tells what a run has broken from what keeps it from running.
func panicked(err error) (broken string, _ error) {
	var b broke
	if errors.As(err, &b) {
		return b.what, nil
	}
	return "", err
}

// rules are what has to hold.
type rules struct {
	least, most int32 // of the count wanted
	settles     bool
	replicas    int32 // then
}

func newRules(base sim.Spec, calm *sim.Result) rules {
	r := rules{least: 0, most: math.MaxInt32}
	if least, most, ok := base.Strategy.Limits(); ok {
		// What the workload has before the autoscaler's first word may lie outside.
		r.least, r.most = min(least, base.InitialReplicas()), max(most, base.InitialReplicas())
	}
	t, n := calm.Timeline, len(calm.Timeline.TS)-1
	r.replicas = t.Desired[n]
	r.settles = calm.Requests.InFlight == 0 && t.Queue[n] == 0 && t.Ready[n] == t.Desired[n] && t.Created[n] == t.Desired[n]
	for i := n; i >= 0 && t.TS[i] > calm.DurationS-silence.Seconds()/4; i-- {
		r.settles = r.settles && t.Desired[i] == t.Desired[n]
	}
	return r
}

// broken says what of a run does not hold; empty: all of it does.
func (r rules) broken(result *sim.Result) string {
	if !balanced(result.Requests) {
		return fmt.Sprintf("the requests do not balance: %+v", result.Requests)
	}
	for _, p := range result.Phases {
		if !balanced(p.Requests) {
			return fmt.Sprintf("the requests of phase %s do not balance: %+v", p.Name, p.Requests)
		}
	}
	t := result.Timeline
	for i := range t.TS {
		switch {
		case t.Desired[i] < 0 || t.Created[i] < 0 || t.Ready[i] < 0 || t.Queue[i] < 0:
			return fmt.Sprintf("a count is negative at %gs: %d wanted, %d created, %d ready, %d requests wait", t.TS[i], t.Desired[i], t.Created[i], t.Ready[i], t.Queue[i])
		case t.Ready[i] > t.Created[i]:
			return fmt.Sprintf("%d pods are ready at %gs, of %d", t.Ready[i], t.TS[i], t.Created[i])
		case t.Desired[i] < r.least || t.Desired[i] > r.most:
			return fmt.Sprintf("%d replicas are wanted at %gs, beyond the limits of %d to %d", t.Desired[i], t.TS[i], r.least, r.most)
		}
	}
	if result.IdlePodSeconds < 0 || result.IdlePodSeconds > result.PodSeconds {
		return fmt.Sprintf("%g pod-seconds are idle, of %g", result.IdlePodSeconds, result.PodSeconds)
	}
	if !r.settles {
		return ""
	}
	n := len(t.TS) - 1
	if t.Desired[n] != r.replicas || t.Created[n] != r.replicas || t.Ready[n] != r.replicas {
		return fmt.Sprintf("after %s of silence %d replicas are wanted, %d created and %d ready, where it is %d without faults",
			silence, t.Desired[n], t.Created[n], t.Ready[n], r.replicas)
	}
	if result.Requests.InFlight > 0 || t.Queue[n] > 0 {
		return fmt.Sprintf("after %s of silence %d requests are in flight, and %d wait", silence, result.Requests.InFlight, t.Queue[n])
	}
	return ""
}

func balanced(r sim.Requests) bool {
	return r.Arrived == r.Completed+r.TimedOut+r.Rejected+r.Failed+r.InFlight
}

// drawer draws schedules of faults.
type drawer struct {
	end   time.Duration // of the traffic
	kinds []string
	given []sim.Fault
	nodes bool
	pods  int
}

func newDrawer(base sim.Spec) drawer {
	d := drawer{end: base.End() - silence, given: base.Faults, nodes: base.Cluster.Nodes != nil, pods: max(4, int(base.InitialReplicas()))}
	scalable := base.Traffic.CheckScalable() == nil
	for _, kind := range sim.Kinds() {
		needsNodes := kind == "nodeLoss" || kind == "nodeDrain" || kind == "spotInterruption"
		if (!needsNodes || d.nodes) && (kind != "surge" || scalable) {
			d.kinds = append(d.kinds, kind)
		}
	}
	return d
}

// draw is the n-th schedule of a seed. What cannot stand beside the rest is left out.
func (d drawer) draw(seed random.Seed, n int) (faults []sim.Fault) {
	s := seed.Key("chaos", uint64(n)).Stream()
	for range 1 + s.IntN(mostDrawn) {
		f := d.fault(&s)
		if sim.ValidateFaults(slices.Concat(d.given, faults, []sim.Fault{f}), d.nodes) == nil {
			faults = append(faults, f)
		}
	}
	return faults
}

func (d drawer) fault(s *random.Stream) sim.Fault {
	seconds := int(d.end / time.Second)
	between := func(least, most int) int { return least + s.IntN(max(1, most-least+1)) }
	count := func() *sim.Count { return &sim.Count{Count: between(1, d.pods)} }
	factor := func(most int) *float64 { return new(float64(between(11, 10*most)) / 10) }
	pick := func(of ...string) string { return of[s.IntN(len(of))] }
	f := sim.Fault{At: time.Duration(s.IntN(max(1, seconds))) * time.Second}
	lasting := time.Duration(between(1, max(1, seconds/4))) * time.Second
	lasting = max(time.Second, min(lasting, d.end-f.At)) // so that the silence is one
	kind := d.kinds[s.IntN(len(d.kinds))]
	switch kind {
	case "rollout":
		f.Rollout = &sim.Rollout{}
	case "podCrash":
		f.PodCrash = count()
	case "nodeLoss":
		f.NodeLoss = &sim.Count{Count: between(1, 2)}
	case "nodeDrain":
		f.NodeDrain = &sim.Count{Count: between(1, 2)}
	case "spotInterruption":
		f.SpotInterruption = &sim.Interruption{Count: between(1, 2), Notice: new(time.Duration(between(0, 120)) * time.Second)}
	case "unready":
		f.Unready = count()
	case "slowStart":
		f.SlowStart = factor(10)
	case "slowDown":
		f.SlowDown = factor(5)
	case "surge":
		f.Surge = factor(3)
	case "metricsOutage":
		f.MetricsOutage = pick("kubelet", "metrics-server", "prometheus")
	case "metricsFreeze":
		f.MetricsFreeze = pick("kubelet", "metrics-server", "prometheus")
	case "autoscalerDown":
		f.AutoscalerDown = pick("hpa", "keda", "elasti", "knative", "all")
	case "apiErrors":
		f.APIErrors = new(float64(between(1, 10)) / 10)
	case "apiLatency":
		f.APILatency = new(time.Duration(between(1, 60)) * time.Second)
	case "clockSkew":
		f.ClockSkew = &sim.Skew{Of: pick("hpa", "keda", "elasti", "knative")}
		by := time.Duration(between(1, 300)) * time.Second
		if s.IntN(2) == 0 {
			f.ClockSkew.Fast = by
		} else {
			f.ClockSkew.Slow = by
		}
	}
	if sim.Lasts(kind) {
		f.For = &lasting
	}
	return f
}

// failure makes a schedule that fails smaller.
func (c Chaos) failure(ctx context.Context, base sim.Spec, n int, faults []sim.Fault, broken string, r rules) (*ChaosFailure, error) {
	f := &ChaosFailure{Schedule: n, Broken: broken, Drawn: faults}
	fails := func(faults []sim.Fault) bool {
		if sim.ValidateFaults(slices.Concat(base.Faults, faults), base.Cluster.Nodes != nil) != nil {
			return false
		}
		what, err := c.try(ctx, base, faults, r, isFingerprint(broken))
		if err != nil || kindOf(what) != kindOf(broken) {
			return false
		}
		f.Broken = what
		return true
	}
	f.Faults = shrink(faults, fails)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := *c.Scenario
	s.Document.Faults = slices.Concat(base.Faults, f.Faults)
	s.Document.Duration, s.Document.Seed = &base.Duration, c.Seed
	var err error
	f.Scenario, err = s.Resolved()
	return f, err
}

// kindOf is what an invariant's message begins with, before its figures.
func kindOf(broken string) string {
	for i, r := range broken {
		if r >= '0' && r <= '9' || r == ':' {
			return broken[:i]
		}
	}
	return broken
}

func isFingerprint(broken string) bool { return kindOf(broken) == kindOf("the same schedule gave") }

// shrink makes a list of faults smaller that fails, as long as it goes on to fail:
// fewer faults, then shorter, earlier and milder ones.
func shrink(faults []sim.Fault, fails func([]sim.Fault) bool) []sim.Fault {
	for changed := true; changed; {
		changed = false
		for i := 0; i < len(faults); i++ {
			if fewer := slices.Delete(slices.Clone(faults), i, i+1); fails(fewer) {
				faults, changed = fewer, true
				i--
			}
		}
		for i := range faults {
			for _, milder := range faults[i].Milder() {
				candidate := slices.Clone(faults)
				candidate[i] = milder
				if fails(candidate) {
					faults, changed = candidate, true
					break
				}
			}
		}
	}
	return faults
}
