package knative

import "github.com/scalelab/scalelab/messages"

// ground is why a count is wanted: the reason where it is held, and words that
// fit behind a change as well.
type ground struct {
	reason messages.Reason
	words  string
}

// The engine's grounds.
var (
	noReports  = ground{messages.ReasonMetricFailed, "no reports to judge by"}
	asleep     = ground{messages.ReasonSteady, "asleep at the last tick"}
	stableAsks = ground{messages.ReasonSteady, "the stable window asks for it"}
	panicAsks  = ground{messages.ReasonPanic, "the panic window asks for it"}
	panicKeeps = ground{messages.ReasonPanic, "no scale-down in panic"}
	delayKeeps = ground{messages.ReasonStabilized, "scale-down-delay keeps the count"}
)

// The reconciler's grounds.
var (
	none = ground{} // the reconciler has nothing against the engine's count

	atMin     = ground{messages.ReasonAtLimit, "min-scale"}
	atMax     = ground{messages.ReasonAtLimit, "max-scale"}
	atInitial = ground{messages.ReasonAtLimit, "initial-scale"}
	neverZero = ground{messages.ReasonAtLimit, "enable-scale-to-zero is false"}

	starting      = ground{messages.ReasonCooldown, "idle, but the first pods are on their way"}
	gaveUp        = ground{messages.ReasonSteady, "the pods did not become ready in time"}
	lastlyActive  = ground{messages.ReasonCooldown, "idle, but active for less than the stable window"}
	deactivated   = ground{messages.ReasonCooldown, "idle, and inactive from now on"}
	notYetProxied = ground{messages.ReasonCooldown, "idle, but the activator is not yet in the way of requests"}
	retained      = ground{messages.ReasonCooldown, "idle, but the last pod is retained"}
	inGrace       = ground{messages.ReasonCooldown, "idle, but by the activator for less than the grace period"}
	idle          = ground{messages.ReasonSteady, "idle, and the activator stands in"}
)
