package hpa

import (
	"slices"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
)

// Version is a minor version of Kubernetes, such as "1.37". The empty one is
// the newest.
type Version string

// Versions are those whose behaviour is modelled, oldest first.
var Versions = []Version{"1.33", "1.34", "1.35", "1.36", "1.37"}

// The versions since which control planes act differently, feature gates at
// their defaults.
const (
	podResources    Version = "1.34" // gate PodLevelResources
	checksAPIGroup  Version = "1.34" // scaleTargetRef.apiVersion is validated
	fearsOverflow   Version = "1.34" // an external sum below 0 is taken for an overflow
	capsTotals      Version = "1.35" // a total that asks for more than an int32 asks for the largest
	binaryMemory    Version = "1.34" // status shows memory as 64Mi, before as 67108864
	ownTolerances   Version = "1.35" // gate HPAConfigurableTolerance
	missesMaximum   Version = "1.36" // before, a maxReplicas that is not given was an invalid 0
	scalesToZero    Version = "1.37" // gate HPAScaleToZero
	seesGenerations Version = "1.37" // gate HPAGeneration
	syncsNewAtOnce  Version = "1.37" // before, a new HPA waited for one period
	ordersWords     Version = "1.37" // before, a failing Object metric's message was garbled
)

// has says whether what came with a version is there.
func (v Version) has(since Version) bool { return v == "" || v >= since }

// KnowsPodResources says whether a pod can have resources as a whole.
func (v Version) KnowsPodResources() bool { return v.has(podResources) }

// problem is empty for a version that is modelled.
func (v Version) problem() string {
	if v == "" || slices.Contains(Versions, v) {
		return ""
	}
	names := make([]string, len(Versions))
	for i, known := range Versions {
		names[i] = string(known)
	}
	return "found " + string(v) + ", expected one of " + strings.Join(names, ", ")
}

// Defaults is the function of that name, for the version. An API server that
// does not know a tolerance of its own for each direction drops it.
func (v Version) Defaults(manifest *autoscalingv2.HorizontalPodAutoscaler) *autoscalingv2.HorizontalPodAutoscaler {
	m := Defaults(manifest)
	if b := m.Spec.Behavior; b != nil && !v.has(ownTolerances) {
		b.ScaleUp.Tolerance, b.ScaleDown.Tolerance = nil, nil
	}
	return m
}
