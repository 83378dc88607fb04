package sim

import (
	"math"
	"slices"
	"time"

	"github.com/scalelab/scalelab/messages"
)

// Overload is the stretch of a run in which the p99 latency was the worst, where
// it was one in which the ready pods could not serve what arrived, and says what
// the time until relief was spent on. It is as exact as the Timeline's intervals.
type Overload struct {
	WorstS      float64 `json:"worst_s"` // end of the interval
	LatencyP99S float64 `json:"latency_p99_s"`
	// FromS is the begin of the first interval whose rate exceeded the pods, or the
	// request that found no pod.
	FromS float64 `json:"from_s"`
	// ToS is the end of the last interval that left requests waiting, or when the
	// pod that brought relief took requests, if that was later.
	ToS float64 `json:"to_s"`
	// Relief is why it ended: pods, load (less of it), or none by the end of the run.
	Relief Relief `json:"relief"`
	// Stages follow one another without a gap from FromS to ToS.
	Stages []Delay `json:"stages"`
}

// Relief is how an Overload ended.
type Relief string

// The ends of an Overload.
const (
	ReliefPods Relief = "pods"
	ReliefLoad Relief = "load"
	ReliefNone Relief = "none"
)

// Delay is one stage of an Overload.
type Delay struct {
	Stage   DelayStage `json:"stage"`
	Seconds float64    `json:"seconds"`
	UntilS  float64    `json:"until_s"`
}

// DelayStage says what an Overload waited for.
type DelayStage string

// The stages, in the order in which they come. Those up to DelayLimit are the
// autoscaler's, those from DelayCreate to DelayRoute are of the pod that made the
// ready pods enough.
const (
	DelayMetric  DelayStage = "metric"  // for a measurement that asks for more pods to be collected
	DelaySync    DelayStage = "sync"    // for the autoscaler to look at it
	DelayWindow  DelayStage = "window"  // for the stabilization window
	DelayPolicy  DelayStage = "policy"  // for the policies to allow enough
	DelayLimit   DelayStage = "limit"   // at the limit of replicas
	DelaySteps   DelayStage = "steps"   // for further syncs to ask for enough
	DelayCreate  DelayStage = "create"  // for the pod to be made
	DelayNode    DelayStage = "node"    // for a node
	DelayImage   DelayStage = "image"   // for the image
	DelayStart   DelayStage = "start"   // for the container to be ready
	DelayRoute   DelayStage = "route"   // for requests to be sent there
	DelayQueue   DelayStage = "queue"   // for the queue to drain
	DelayWaiting DelayStage = "waiting" // for relief that came without the autoscaler, or not at all
)

// overloadOf finds the worst stretch of a finished result, after the warm-up. It
// is nil where the pods were enough, and where nothing scales.
func overloadOf(r *Result, measureFrom time.Duration) *Overload {
	t := stretches{&r.Timeline}
	worst := t.worst(measureFrom.Seconds())
	if worst < 0 || len(r.Decisions) == 0 || len(t.Ideal) != len(t.TS) {
		return nil
	}
	first, last, ok := t.around(worst)
	if !ok {
		return nil
	}
	o := &Overload{WorstS: t.TS[worst], LatencyP99S: *t.LatencyP99S[worst], FromS: t.begin(first)}
	asked := firstToAsk(r.Decisions, nanos(o.FromS), nanos(t.TS[last]))
	if asked >= 0 && r.Decisions[asked].woken { // the request that finds nobody begins it
		o.FromS = r.Decisions[asked].TS
	}
	var pod *PodStart
	pod, o.Relief = t.relief(first, last, r.PodStarts)
	o.ToS = max(o.FromS, t.end(first, last, o.Relief, pod))
	o.Stages = stages(r.Decisions, asked, pod, nanos(o.FromS), nanos(o.ToS))
	return o
}

// firstToAsk is the first decision that asked for more pods in a stretch of time,
// perhaps by saying so again; -1 where none did.
func firstToAsk(decisions []Decision, from, to time.Duration) int {
	return slices.IndexFunc(decisions, func(d Decision) bool {
		asked, _ := d.Asked()
		return nanos(max(d.TS, d.UntilS)) >= from && nanos(d.TS) <= to && max(asked, d.Desired) > d.Current
	})
}

// stages are what an overload was spent on, with the decision that asked for more
// first, -1 for none, and the pod that brought relief, if one did.
func stages(decisions []Decision, asked int, pod *PodStart, from, to time.Duration) []Delay {
	c := chain{at: from, end: to}
	if asked >= 0 {
		c.until(DelayMetric, decisions[asked].collected)
		c.until(DelaySync, nanos(decisions[asked].TS))
	}
	switch {
	case pod != nil:
		if asked >= 0 {
			c.wait(decisions, asked, nanos(pod.CreatedS))
		}
		c.start(pod)
		c.until(DelayQueue, to)
	case asked >= 0:
		c.hold(decisions[asked:])
	default:
		c.until(DelayWaiting, to)
	}
	return c.stages
}

// hold goes through the decisions of a loop, the first one's, to the end, where no
// pod brought relief: as long as a stage keeps one decision after the other from
// what it asks for, the time is that stage's.
func (c *chain) hold(decisions []Decision) {
	stage := DelayWaiting
	for i := range decisions {
		d := &decisions[i]
		if d.Autoscaler != decisions[0].Autoscaler || nanos(d.TS) >= c.end {
			continue
		}
		next, kept := keptBy(d)
		if !kept {
			next = DelayWaiting
		}
		if i > 0 && next != stage {
			c.until(stage, nanos(d.TS))
		}
		stage = next
	}
	c.until(stage, c.end)
}

func nanos(s float64) time.Duration { return time.Duration(math.Round(s * 1e9)) }

// chain makes stages that follow one another.
type chain struct {
	at, end time.Duration
	stages  []Delay
}

// until ends a stage at an instant, or at once where that is past or it would last
// beyond the overload.
func (c *chain) until(stage DelayStage, at time.Duration) {
	at = min(max(at, c.at), c.end)
	c.stages = append(c.stages, Delay{Stage: stage, Seconds: (at - c.at).Seconds(), UntilS: at.Seconds()})
	c.at = at
}

// wait goes from the first decision that asks for more to the one that a pod was
// created for, and says what kept it.
func (c *chain) wait(decisions []Decision, asked int, created time.Duration) {
	granted, stage := asked, DelaySteps
	for i := asked; i < len(decisions) && nanos(decisions[i].TS) <= created; i++ {
		if d := &decisions[i]; d.Desired > d.Current {
			granted = i
		}
	}
	for i := asked; i < granted; i++ {
		if kept, ok := keptBy(&decisions[i]); ok {
			stage = kept
			break
		}
	}
	c.until(stage, nanos(decisions[granted].TS))
	c.until(DelayCreate, created)
}

// keptBy is the stage that let a decision have less than it asked for: of several
// the last one that took something away.
func keptBy(d *Decision) (kept DelayStage, ok bool) {
	left, _ := d.Asked()
	if left <= d.Desired {
		return "", false
	}
	for _, s := range d.Steps {
		stage, limits := limiting[s.Stage]
		if limits && s.Replicas < left {
			left, kept = s.Replicas, stage
		}
	}
	return kept, kept != ""
}

// limiting are the stages of a decision that can take something away.
var limiting = map[messages.Stage]DelayStage{
	messages.StageWindow: DelayWindow, messages.StagePolicy: DelayPolicy, messages.StageClamp: DelayLimit,
}

// start follows a pod.
func (c *chain) start(p *PodStart) {
	for _, s := range []struct {
		stage DelayStage
		at    *float64
	}{{DelayNode, p.ScheduledS}, {DelayImage, p.StartedS}, {DelayStart, p.ReadyS}, {DelayRoute, p.RoutableS}} {
		if s.at != nil {
			c.until(s.stage, nanos(*s.at))
		}
	}
}
