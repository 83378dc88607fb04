package messages

// Decision is what an autoscaler wants, and why. Holding still is a decision.
type Decision struct {
	Desired int32 // spec.replicas to be set; equal to the current count to hold
	Reason  Reason
	Message string // one human sentence
	Steps   []Step // how Desired came about, in order
	// Conditions are those of the autoscaler's object as they stand after the
	// decision, in the order in which its status lists them. The slice belongs
	// to the autoscaler and stays valid until the next decision.
	Conditions []Condition
	// Events are what the autoscaler's controller emits with the decision, in
	// order. The slice stays valid as long as Conditions.
	Events []Event
	// Readings are what the decision made of the metrics, one for every entry
	// of the manifest; none where no metric was asked. The slice stays valid as
	// long as Conditions.
	Readings []Reading
	// Path is the way that requests are to take from now on; empty where the
	// autoscaler has no say in it.
	Path Path
	// Signals are numbers that a person wants to see over time beside the count,
	// in the autoscaler's own order. The slice stays valid as long as Conditions.
	Signals []Signal
}

// Signal is the signal of a name; 0 where the decision has none.
func (d *Decision) Signal(name string) float64 {
	for _, s := range d.Signals {
		if s.Name == name {
			return s.Value
		}
	}
	return 0
}

// Signal is one named number of a decision.
type Signal struct {
	Name  string  `json:"name"` // such as panic
	Value float64 `json:"value"`
	Flag  bool    `json:"-"` // a yes or no: 1 or 0
}

// Reading is the value that a decision saw for one metric.
type Reading struct {
	Failed  bool  // the metric gave no proposal; nothing else holds
	Percent int32 // of the pods' requests, where the target is one of them
	Milli   int64 // thousandths: per pod, or in all where the target is a total
}

// Gauge is a metric that an autoscaler steers by.
type Gauge struct {
	Name   string // as its decisions call it, such as cpu utilization
	Unit   string // such as %; empty for a plain number
	Target *float64
	Per    Share
}

// Share says what a Gauge is divided by.
type Share uint8

// What a Gauge is.
const (
	InAll      Share = iota // a total over the workload
	PerPod                  // the mean over the pods
	PerRequest              // percent of what the pods request
)

// Condition is one condition of an autoscaler's object. Its transition time is
// kept by whoever writes the object.
type Condition struct {
	Type    string // such as AbleToScale
	Status  string // "True", "False" or "Unknown"
	Reason  string // one word, as upstream spells it
	Message string // empty where the autoscaler is kept from using words
}

// Event is what an autoscaler's controller tells the API about its object.
type Event struct {
	Type    string // "Normal" or "Warning"
	Reason  string // one word, as upstream spells it
	Message string
}

// Step is one stage of a decision: the count after the stage, and the
// arithmetic in words.
type Step struct {
	Stage    Stage  `json:"stage"`
	Replicas int32  `json:"replicas"`
	Detail   string `json:"detail"`
}

// Stage names a stage of a decision.
type Stage string

// The stages, in the order in which a decision passes them.
const (
	StageMetric    Stage = "metric"    // what one metric proposes
	StageTolerance Stage = "tolerance" // the proposal is too close to the current count
	StageReadiness Stage = "readiness" // corrections for unready and missing pods
	StageWindow    Stage = "window"    // stabilization over past recommendations
	StagePolicy    Stage = "policy"    // the rate of change allowed
	StageClamp     Stage = "clamp"     // minimum and maximum
	StageCooldown  Stage = "cooldown"  // waiting before scaling to zero
	StageTrigger   Stage = "trigger"   // a trigger's vote
	StagePanic     Stage = "panic"     // no scale-down after a surge
)

// Reason is why a Decision came out as it did.
type Reason string

// The reasons. The first four say what happened to the count; the others why a
// loop did not act.
const (
	ReasonScaleUp       Reason = "ScaleUp"
	ReasonScaleDown     Reason = "ScaleDown"
	ReasonScaleToZero   Reason = "ScaleToZero"
	ReasonScaleFromZero Reason = "ScaleFromZero"

	ReasonWithinTolerance Reason = "WithinTolerance" // the metric is near its target
	ReasonStabilized      Reason = "Stabilized"      // a stabilization window holds the count
	ReasonLimitedByPolicy Reason = "LimitedByPolicy" // a policy allows no change now
	ReasonAtLimit         Reason = "AtLimit"         // minimum or maximum reached
	ReasonSteady          Reason = "Steady"          // the proposal is the current count
	ReasonDisabled        Reason = "Disabled"        // the loop is switched off at this count
	ReasonAPIFailed       Reason = "APIFailed"       // the API server has failed the sync
	ReasonMetricFailed    Reason = "MetricFailed"    // no usable metric
	ReasonCooldown        Reason = "Cooldown"        // too early to scale to zero
	ReasonPanic           Reason = "Panic"           // a surge keeps the count up
	ReasonActive          Reason = "Active"          // a trigger wants the workload up
)
