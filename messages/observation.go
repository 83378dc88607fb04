package messages

import "time"

// Observation is everything an autoscaler can see at one instant. Its slices
// belong to the sender and stay valid until the next Observation.
type Observation struct {
	Replicas Replicas
	// Pods are the workload's pods that exist as API objects, terminating ones
	// included, oldest first.
	Pods []Pod
	// Metrics answer the autoscaler's Queries, index by index.
	Metrics []Metric
	// Path is the way that requests take.
	Path Path
}

// Replicas counts the workload's pods the way its scale subresource and its
// Deployment report them.
type Replicas struct {
	Desired int32 // spec.replicas
	Created int32 // status.replicas: pods that exist and are not terminating
	Ready   int32 // status.readyReplicas
}

// PodPhase is the phase of a pod in the API.
type PodPhase uint8

// The phases a simulated or real pod reports.
const (
	PodPending PodPhase = iota
	PodRunning
	PodFailed
)

func (p PodPhase) String() string {
	return [...]string{"Pending", "Running", "Failed"}[p]
}

// Pod is what the API says about one pod. Instants have the API's resolution
// of one second; a zero Time is an absent field.
type Pod struct {
	Name         string
	Phase        PodPhase
	Ready        bool
	HasCondition bool      // a Ready condition exists at all
	ReadyChanged time.Time // lastTransitionTime of the Ready condition
	Started      time.Time // status.startTime
	Deleting     bool      // deletionTimestamp is set
	// Requests are the resource requests of the pod's containers, and of the pod
	// as a whole. Pods of one template share the slice.
	Requests []ResourceRequest
}

// ResourceRequest is what one container requests of one resource, in
// thousandths (millicores for cpu, thousandths of a byte for memory). A
// container that requests nothing has one entry without a Resource; what a pod
// requests as a whole has no Container.
type ResourceRequest struct {
	Container string
	Resource  string
	Milli     int64
}

// QueryKind says which door a metric is asked at.
type QueryKind uint8

// The doors: the resource, custom and external metrics APIs of Kubernetes, and
// Prometheus itself.
const (
	QueryResource QueryKind = iota // metrics.k8s.io; Container narrows it
	QueryPods                      // custom.metrics.k8s.io, one value per pod
	QueryObject                    // custom.metrics.k8s.io, one value for an object
	QueryExternal                  // external.metrics.k8s.io, summed over series
	QueryPromQL                    // an instant query to a Prometheus server
	QueryQueue                     // the length of a queue, asked at its broker at once
)

func (k QueryKind) String() string {
	return [...]string{"Resource", "Pods", "Object", "External", "PromQL", "Queue"}[k]
}

// Query names one metric that an autoscaler wants to see at every decision.
type Query struct {
	Kind QueryKind
	// Name is the metric's name, the resource's name, the PromQL expression, or
	// the source that a queue's length is.
	Name      string
	Container string // QueryResource only: one container instead of the whole pod
	Object    string // QueryObject only: Kind/name
	Selector  string // the metric's label selector, as kubectl prints it
	// Field is where the manifest names the metric, for messages about it,
	// such as "spec.metrics[0].external.metric.name".
	Field string
}

// Metric is one Query's answer. Absent is explicit: Err says why, and then
// nothing else holds.
type Metric struct {
	Err    string        // what the metrics API answers, without its client's words
	At     time.Time     // when the newest sample in the answer was taken
	Window time.Duration // what the samples were averaged over; 0: an instant
	// Milli is the value of QueryObject, QueryExternal and QueryQueue in
	// thousandths, as the metrics API serves it.
	Milli int64
	// Partitions are those of the queue of a QueryQueue, by their number; none: it
	// has none.
	Partitions []Partition
	// Value is the value of QueryPromQL, unrounded; Scalar says that it is no element
	// of a vector.
	Value  float64
	Scalar bool
	// Pods are the answers of QueryResource and QueryPods, one for every pod
	// that has a sample, in the order of Observation.Pods; then those of pods
	// that are Unlisted.
	Pods []PodMetric
}

// Partition is what a broker knows of one partition of a topic and the group that
// reads it.
type Partition struct {
	Committed int64 // messages that have been processed, which is the group's offset
	Lag       int64 // messages that have not
}

// EmptyResult is the Err of a QueryPromQL whose result has no element.
const EmptyResult = "the query's result is empty"

// Unlisted is the index of a pod that the metrics API still knows and the API
// server does not.
const Unlisted = -1

// PodMetric is one pod's value of a metric.
type PodMetric struct {
	Pod    int // index into Observation.Pods, or Unlisted
	Milli  int64
	At     time.Time
	Window time.Duration
}
