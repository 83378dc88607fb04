package sim

import (
	"slices"
	"time"

	"github.com/scalelab/scalelab/messages"
)

// Schema names the format of a Result.
const Schema = "scalelab/result/v1"

// Result is what came out of one run: the object that `-o json` prints. Units
// are the last word of a name; what is absent is null, never 0.
type Result struct {
	Schema      string         `json:"schema"`
	Scenario    string         `json:"scenario"`
	Description string         `json:"description,omitempty"` // of the scenario
	Autoscaler  string         `json:"autoscaler"`
	Seed        uint64         `json:"seed"`
	Actuator    string         `json:"actuator"`
	Fingerprint string         `json:"fingerprint"` // SHA-256 of the trajectory, in hex
	Start       string         `json:"start"`       // RFC 3339
	DurationS   float64        `json:"duration_s"`
	Requests    Requests       `json:"requests"`
	LatencyS    *Distribution  `json:"latency_s"` // arrival to last byte, completed requests
	WaitS       *Distribution  `json:"wait_s"`    // arrival to start of service
	Replicas    ReplicaSummary `json:"replicas"`

	PodSeconds     float64 `json:"pod_seconds"`      // created to gone
	IdlePodSeconds float64 `json:"idle_pod_seconds"` // of these: Ready with nothing in service
	// IdleShare is the second over the first; null without pods.
	IdleShare *float64 `json:"idle_share"`
	// Requested by pods, added up over their time; null where they request none.
	CPUCoreHours   *float64 `json:"cpu_core_hours"`
	MemoryGiBHours *float64 `json:"memory_gib_hours"`
	Cost           *Cost    `json:"cost"`

	// Activator is of Knative's activators, where there are any.
	Activator *Activator `json:"activator,omitempty"`
	// Nodes is of the nodes, where the scenario has any.
	Nodes *NodeSummary `json:"nodes,omitempty"`

	Phases     []Phase       `json:"phases"`
	Timeline   Timeline      `json:"timeline"`
	Metrics    []MetricTrack `json:"metrics,omitempty"`
	PodStarts  *PodStarts    `json:"pod_starts,omitempty"`
	Latencies  *Quantiles    `json:"latency_quantiles,omitempty"` // of completed requests
	Bands      []Band        `json:"bands,omitempty"`
	Overload   *Overload     `json:"overload,omitempty"` // in which the latency was the worst
	Decisions  []Decision    `json:"decisions"`
	Assertions []Assertion   `json:"assertions"`

	// Manifest is what scaled, as YAML: the strategy with its patches applied.
	Manifest string `json:"manifest,omitempty"`

	// Fleet is of a run of many services, of which everything else is the sum.
	Fleet *FleetSummary `json:"fleet,omitempty"`
}

// Requests says what became of the requests:
// Arrived = Completed + TimedOut + Rejected + Failed + InFlight, always.
type Requests struct {
	Arrived   uint64 `json:"arrived"`
	Completed uint64 `json:"completed"`
	TimedOut  uint64 `json:"timed_out"`
	Rejected  uint64 `json:"rejected"`
	Failed    uint64 `json:"failed"`
	InFlight  uint64 `json:"in_flight"`
	Retried   uint64 `json:"retried"` // attempts after the first ones
	Cold      uint64 `json:"cold"`    // completed after waiting for a pod or an instance to start
}

// Lost counts the requests that got no answer in time.
func (r Requests) Lost() uint64 { return r.TimedOut + r.Rejected + r.Failed }

// Activator says what the activators did.
type Activator struct {
	Requests uint64        `json:"requests"` // that came by way of them
	Buffered uint64        `json:"buffered"` // of these: that waited there for a pod with room
	WaitS    *Distribution `json:"wait_s"`   // of those, until a pod got them or they were over
}

// NodeSummary says what the pods ran on.
type NodeSummary struct {
	NodeSeconds float64    `json:"node_seconds"` // requested to gone, all pools
	Requested   int        `json:"requested"`    // after time 0
	Pools       []NodePool `json:"pools"`
}

// NodePool is the part of a pool.
type NodePool struct {
	Name        string  `json:"name"`
	NodeSeconds float64 `json:"node_seconds"`
}

// Distribution summarizes durations in seconds. Percentiles have a relative
// error below 1 %; mean and max are exact.
type Distribution struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P95  float64 `json:"p95"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

// DistributionFigures are the figures of a Distribution in order, by their names.
var DistributionFigures = []struct {
	Name string
	Of   func(*Distribution) float64
}{
	{"mean", func(d *Distribution) float64 { return d.Mean }},
	{"p50", func(d *Distribution) float64 { return d.P50 }},
	{"p90", func(d *Distribution) float64 { return d.P90 }},
	{"p95", func(d *Distribution) float64 { return d.P95 }},
	{"p99", func(d *Distribution) float64 { return d.P99 }},
	{"p999", func(d *Distribution) float64 { return d.P999 }},
	{"max", func(d *Distribution) float64 { return d.Max }},
}

// ReplicaSummary describes the replica curve; means are weighted by time.
type ReplicaSummary struct {
	MeanReady   float64 `json:"mean_ready"`
	MeanDesired float64 `json:"mean_desired"`
	MaxDesired  int32   `json:"max_desired"`
	MinReady    int32   `json:"min_ready"`
	ScaleUps    int     `json:"scale_ups"`
	ScaleDowns  int     `json:"scale_downs"`
	// Flaps counts changes of direction: a scale-up after a scale-down or the
	// other way round.
	Flaps int `json:"flaps"`
}

// Phase gives the figures of the requests that arrived in one traffic phase.
type Phase struct {
	Name     string        `json:"name"`
	FromS    float64       `json:"from_s"`
	ToS      float64       `json:"to_s"`
	Requests Requests      `json:"requests"`
	LatencyS *Distribution `json:"latency_s"`
	WaitS    *Distribution `json:"wait_s"`
}

// Timeline has one entry per interval, at its end. Rates are of the interval,
// counts of the instant, and latencies of the requests completed in the interval.
type Timeline struct {
	IntervalS    float64    `json:"interval_s"`
	TS           []float64  `json:"t_s"`
	Desired      []int32    `json:"desired"`
	Created      []int32    `json:"created"`
	Ready        []int32    `json:"ready"`
	Ideal        []int32    `json:"ideal,omitempty"`   // pods that the rate would just fill, by Little's law
	Nodes        []int32    `json:"nodes,omitempty"`   // Ready ones, where there are any
	Pending      []int32    `json:"pending,omitempty"` // pods that no node has room for
	ArrivedRPS   []float64  `json:"arrived_rps"`
	CompletedRPS []float64  `json:"completed_rps"`
	LostRPS      []float64  `json:"lost_rps,omitempty"`
	Queue        []int64    `json:"queue"` // requests waiting: in pods, at the front, as messages
	LatencyP50S  []*float64 `json:"latency_p50_s,omitempty"`
	LatencyP90S  []*float64 `json:"latency_p90_s,omitempty"`
	LatencyP99S  []*float64 `json:"latency_p99_s"`
}

// MetricTrack is one metric as a control loop saw it, beside what it truly was, at
// the instants of the Timeline. What is not known is null.
type MetricTrack struct {
	Loop   string     `json:"loop"` // hpa, knative
	Name   string     `json:"name"` // as the loop's decisions call it
	Unit   string     `json:"unit"` // such as %; empty for a plain number
	Target *float64   `json:"target"`
	Seen   []*float64 `json:"seen"`  // by the newest decision
	AgeS   []*float64 `json:"age_s"` // of the newest sample in what was seen
	Truth  []*float64 `json:"truth"` // over the interval, or at the instant for a level
}

// PodStarts are the lives of the pods that were created during the run, in order
// of creation: the first MaxPodStarts of Count.
type PodStarts struct {
	Count int        `json:"count"`
	Pods  []PodStart `json:"pods"`
}

// MaxPodStarts is how many pods' lives a Result tells of.
const MaxPodStarts = 500

// PodStart is when one pod reached each stage of its life; null for what it did
// not live to see.
type PodStart struct {
	Pod        int32    `json:"pod"`
	CreatedS   float64  `json:"created_s"`
	ScheduledS *float64 `json:"scheduled_s"` // it has a node; its image is pulled
	StartedS   *float64 `json:"started_s"`   // its container runs
	ReadyS     *float64 `json:"ready_s"`
	RoutableS  *float64 `json:"routable_s"` // requests are sent to it
	DeletedS   *float64 `json:"deleted_s"`
}

// Quantiles is a latency curve: the share Q of the requests took S seconds at most.
type Quantiles struct {
	Q []float64 `json:"q"`
	S []float64 `json:"s"`
}

// Band is a stretch of time in which something was so: an autoscaler panicked,
// or requests went by way of a proxy.
type Band struct {
	Name  string  `json:"name"`
	FromS float64 `json:"from_s"`
	ToS   float64 `json:"to_s"`
	open  bool
}

// Decision is one entry of the decision log.
type Decision struct {
	TS         float64         `json:"t_s"`
	Autoscaler string          `json:"autoscaler"` // the loop: hpa, elasti, oracle
	Current    int32           `json:"current"`
	Desired    int32           `json:"desired"`
	Reason     messages.Reason `json:"reason"`
	Message    string          `json:"message"`
	Steps      []messages.Step `json:"steps"`
	// Signals are numbers beside the count, where the autoscaler has any.
	Signals []messages.Signal `json:"signals,omitempty"`
	// Again is how often the loop then said exactly the same, each time one of its
	// periods later and the last time at UntilS. Where it did not, both are left out.
	Again  int     `json:"again,omitempty"`
	UntilS float64 `json:"until_s,omitempty"`

	said      time.Duration // the last time
	collected time.Duration // when what it was made from was
	woken     bool          // a request that found nobody home asked for it
}

// repeats says whether a decision holds, and says what another one said.
func (d *Decision) repeats(before *Decision) bool {
	return d.Desired == d.Current && d.Current == before.Current && d.Desired == before.Desired &&
		d.Reason == before.Reason && d.Message == before.Message &&
		slices.Equal(d.Steps, before.Steps) && slices.Equal(d.Signals, before.Signals)
}

// The severities of an Assertion.
const (
	SeverityError = "error" // the run has failed
	SeverityWarn  = "warn"  // it is worth a look
)

// Assertion is one checked expectation.
type Assertion struct {
	Expression string   `json:"expression"`
	Severity   string   `json:"severity"`
	Passed     bool     `json:"passed"`
	Observed   *float64 `json:"observed"` // the left side of the comparison that decided
	Limit      *float64 `json:"limit"`    // its right side
	Unit       string   `json:"unit"`     // of both: s, share, or "" for numbers
	// Part is the comparison that decided, where the expression has several.
	Part string `json:"part,omitempty"`
	// Message says why there is nothing to compare.
	Message string `json:"message,omitempty"`
}
