package hpa

import (
	"fmt"
	"math"
	"strings"

	"github.com/scalelab/scalelab/messages"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
)

// The condition types of a HorizontalPodAutoscaler.
const (
	ableToScale    = string(autoscalingv2.AbleToScale)
	scalingActive  = string(autoscalingv2.ScalingActive)
	scalingLimited = string(autoscalingv2.ScalingLimited)
	scaledToZero   = string(autoscalingv2.ScaledToZero)
)

const (
	yes = string(corev1.ConditionTrue)
	no  = string(corev1.ConditionFalse)
)

// report is what the controller tells the API about its HPA. Conditions are
// kept from one sync to the next: one that a sync does not touch stays.
type report struct {
	conditions []messages.Condition
	events     []messages.Event
	readings   []messages.Reading
	quiet      bool
}

// set makes a condition say something, which in quiet leaves out the message.
func (r *report) set(kind, status, reason, message string) {
	if r.quiet {
		message = ""
	}
	said := messages.Condition{Type: kind, Status: status, Reason: reason, Message: message}
	for i := range r.conditions {
		if r.conditions[i].Type == kind {
			r.conditions[i] = said
			return
		}
	}
	r.conditions = append(r.conditions, said)
}

func (r *report) emit(kind, reason, message string) {
	r.events = append(r.events, messages.Event{Type: kind, Reason: reason, Message: message})
}

// begin starts a sync; the scale is there to be read in every Observation.
func (r *report) begin() {
	r.events, r.readings = r.events[:0], r.readings[:0]
	r.set(ableToScale, yes, "SucceededGetScale", "the HPA controller was able to get the target's current scale")
}

// metricFailed is the event of one metric without a proposal.
func (r *report) metricFailed(p proposal) {
	message := ""
	if !r.quiet {
		message = p.source.says.failure(p)
	}
	r.emit(corev1.EventTypeWarning, p.source.says.reason, message)
}

// allFailed is an abort for want of metrics, of which first failed first.
func (r *report) allFailed(first proposal, failed, all int) {
	says := &first.source.says
	var condition, event string
	if !r.quiet {
		condition = "the HPA was unable to compute the replica count: " + says.failure(first)
		event = fmt.Sprintf("invalid metrics (%d invalid out of %d), first error is: %s", failed, all, says.outer+says.failure(first))
	}
	r.set(scalingActive, no, says.reason, condition)
	r.emit(corev1.EventTypeWarning, "FailedComputeMetricsReplicas", event)
}

// stabilized tells what the windows made of the wanted count. Without a
// behavior they only ever raise it.
func (r *report) stabilized(cur, want, stable int32, hasBehavior bool) {
	switch {
	case stable == want:
		r.set(ableToScale, yes, "ReadyForNewScale", "recommended size matches current size")
	case hasBehavior && want >= cur:
		r.set(ableToScale, yes, "ScaleUpStabilized", "recent recommendations were lower than current one, applying the lowest recent recommendation")
	default:
		r.set(ableToScale, yes, "ScaleDownStabilized", "recent recommendations were higher than current one, applying the highest recent recommendation")
	}
}

// limited tells what policies and limits made of the stable count. A limit
// that the policies reach as well is named, not the policies.
func (r *report) limited(stable, final, lowest, highest int32) {
	switch {
	case final == stable:
		r.set(scalingLimited, no, "DesiredWithinRange", "the desired count is within the acceptable range")
	case final > stable && final == lowest:
		r.set(scalingLimited, yes, "TooFewReplicas", "the desired replica count is less than the minimum replica count")
	case final > stable:
		r.set(scalingLimited, yes, "ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate")
	case final == highest:
		r.set(scalingLimited, yes, "TooManyReplicas", "the desired replica count is more than the maximum replica count")
	default:
		r.set(scalingLimited, yes, "ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate")
	}
}

// rescaled tells that the scale was written. why is empty where the metrics
// ask for the count that is there.
func (r *report) rescaled(to int32, why string) {
	var condition, event string
	if !r.quiet {
		condition = fmt.Sprintf("the HPA controller was able to update the target scale to %d", to)
		event = fmt.Sprintf("New size: %d; reason: %s", to, why)
	}
	r.set(ableToScale, yes, "SucceededRescale", condition)
	r.emit(corev1.EventTypeNormal, "SuccessfulRescale", event)
}

// asleep tells at a rescale whether it was the HPA's own way to zero.
func (r *report) asleep(itself bool) {
	if itself {
		r.set(scaledToZero, yes, "ScaledToZero", "the HPA controller scaled the workload to zero")
	} else {
		r.set(scaledToZero, no, "NotScaledToZero", "the HPA controller did not scale the workload to zero")
	}
}

// saying is how the controller speaks of one metric.
type saying struct {
	name   string // in a sentence: "cpu resource utilization (percentage of request)"
	found  string // the message of ScalingActive when this metric decides
	above  string // the reason of a rise that it asks for
	reason string // of the condition and the event when it fails
	api    string // the metrics API that is asked
	asking string // before an answer that is an error
	using  string // before a problem with the pods
	event  string // before both, in the event
	outer  string // before that, in the event of an abort
}

// newSaying reads a validated entry of spec.metrics; broken is its source's.
func newSaying(m autoscalingv2.MetricSpec, broken, namespace string, version Version) saying {
	s := saying{using: "unable to calculate ready pods: "}
	switch m.Type {
	case autoscalingv2.ResourceMetricSourceType:
		s = resourceSaying(m.Resource.Name, m.Resource.Target, "resource")
		s.reason = "FailedGetResourceMetric"
		s.outer = fmt.Sprintf("failed to get %s resource metric value: ", m.Resource.Name)
	case autoscalingv2.ContainerResourceMetricSourceType:
		c := m.ContainerResource
		s = resourceSaying(c.Name, c.Target, "container resource")
		s.reason = "FailedGetContainerResourceMetric"
		s.outer = fmt.Sprintf("failed to get %s container metric value: ", c.Container)
	case autoscalingv2.PodsMetricSourceType:
		name := m.Pods.Metric.Name
		s = saying{name: "pods metric " + name, reason: "FailedGetPodsMetric", api: "custom"}
		s.asking = fmt.Sprintf("unable to get metric %s: ", name)
		s.outer = "failed to get pods metric value: "
	case autoscalingv2.ObjectMetricSourceType:
		name, object := m.Object.Metric.Name, m.Object.DescribedObject
		s.reason, s.api = "FailedGetObjectMetric", "custom"
		s.asking = fmt.Sprintf("unable to get metric %s on %s %s/%s: ", name, object.Kind, namespace, object.Name)
		if !version.has(ordersWords) {
			s.asking = fmt.Sprintf("unable to get metric %s: %s on %s %s/", name, object.Kind, namespace, object.Name)
		}
		s.name = object.Kind + " metric " + name
		s.outer = "failed to get object metric value: "
		if m.Object.Target.Type == autoscalingv2.AverageValueMetricType && broken == "" {
			s.name = fmt.Sprintf("external metric %s(%+v)", name, m.Object.Metric.Selector) // upstream's own mistake
			s.outer += fmt.Sprintf("failed to get %s object metric: ", name)
		}
	default:
		name := m.External.Metric.Name
		s.reason, s.api = "FailedGetExternalMetric", "external"
		s.asking = fmt.Sprintf("unable to get external metric %s/%s/%+v: ", namespace, name, m.External.Metric.Selector)
		s.name = fmt.Sprintf("external metric %s(%+v)", name, m.External.Metric.Selector)
		s.outer = fmt.Sprintf("failed to get %s external metric value: ", name)
		if m.External.Target.AverageValue != nil {
			s.outer += fmt.Sprintf("failed to get %s external metric: ", name)
		} else {
			s.outer += fmt.Sprintf("failed to get external metric %s: ", name)
		}
	}
	s.above = s.name + " above target"
	s.found = "the HPA was able to successfully calculate a replica count from " + s.name
	return s
}

// resourceSaying is what both kinds of resource metrics have in common; kind is
// what utilization calls them, while an average never names the container's.
func resourceSaying(name corev1.ResourceName, target autoscalingv2.MetricTarget, kind string) saying {
	s := saying{api: "resource", asking: fmt.Sprintf("unable to get metrics for resource %s: ", name)}
	if target.AverageValue != nil {
		s.name = fmt.Sprintf("%s resource", name)
		s.event = fmt.Sprintf("failed to get %s usage: ", name)
	} else {
		s.name = fmt.Sprintf("%s %s utilization (percentage of request)", name, kind)
		s.event = fmt.Sprintf("failed to get %s utilization: ", name)
	}
	return s
}

// failure is why the metric has no proposal, in the words of its event. An
// empty answer is told by the metrics client, an error by the API.
func (s *saying) failure(p proposal) string {
	switch {
	case p.source.broken != "":
		return p.problem
	case !p.unanswered:
		return s.event + s.using + p.problem
	case strings.HasPrefix(p.problem, "no metrics returned"):
		return s.event + s.asking + "no metrics returned from " + s.api + " metrics API"
	}
	return s.event + s.asking + "unable to fetch metrics from " + s.api + " metrics API: " + p.problem
}

// spread is a total divided by the pods that exist, rounded up, as the status
// shows it. Without pods it is what amd64 makes of infinity: the famous
// -9223372036854775808m.
func spread(milli int64, pods int32) int64 {
	switch {
	case milli == math.MaxInt64: // a sum that did not fit
		return milli
	case pods == 0:
		return math.MinInt64
	}
	return int64(math.Ceil(float64(milli) / float64(pods)))
}
