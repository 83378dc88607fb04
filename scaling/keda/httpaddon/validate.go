package httpaddon

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scalelab/scalelab/messages"
)

const (
	maxPort = 65535
	// maxWindow keeps the buckets of a rate within bounds.
	maxWindow = 24 * time.Hour
)

// Validate reports everything that the CRD or the operator would refuse, as
// messages.Problems. What concerns the ScaledObject that is made of it, and the
// workload, is for others.
func (o *HTTPScaledObject) Validate() error {
	var problems messages.Problems
	checkKind(&problems, o.TypeMeta, o.Name, APIVersion, Kind)
	s := &o.Spec
	if s.ScaleTargetRef.Name == "" {
		problems.Addf("spec.scaleTargetRef.name", "found none, expected the name of the workload")
	}
	checkService(&problems, "spec.scaleTargetRef", "service", s.ScaleTargetRef.Service)
	checkPort(&problems, "spec.scaleTargetRef", s.ScaleTargetRef.Port, s.ScaleTargetRef.PortName)
	if f := s.ColdStartTimeoutFailoverRef; f != nil {
		const at = "spec.coldStartTimeoutFailoverRef"
		checkService(&problems, at, "service", f.Service)
		checkPort(&problems, at, f.Port, f.PortName)
		checkLeast(&problems, at+".timeoutSeconds", f.TimeoutSeconds, 0)
	}
	checkHeaders(&problems, "spec.headers", s.Headers)
	if r := s.Replicas; r != nil {
		checkLeast(&problems, "spec.replicas.min", r.Min, 0)
		checkLeast(&problems, "spec.replicas.max", r.Max, 1)
		if low, high := or(r.Min, 0), or(r.Max, defaultMax); low > high {
			problems.Addf("spec.replicas.min", "found %d, expected at most max, which is %d", low, high)
		}
	}
	checkLeast(&problems, "spec.targetPendingRequests", s.TargetPendingRequests, 1)
	checkLeast(&problems, "spec.scaledownPeriod", s.ScaledownPeriod, 0)
	checkLeast(&problems, "spec.initialCooldownPeriod", s.InitialCooldownPeriod, 0)
	if m := s.ScalingMetric; m != nil {
		m.check(&problems)
		if m.Concurrency != nil && m.RequestRate != nil {
			problems.Addf("spec.scalingMetric", "found concurrency and requestRate, expected one of the two")
		}
	}
	if t := s.Timeouts; t != nil {
		checkDuration(&problems, "spec.timeouts.conditionWait", t.ConditionWait)
		checkDuration(&problems, "spec.timeouts.responseHeader", t.ResponseHeader)
	}
	return problems.Err()
}

// Validate reports everything that the CRD would refuse, as messages.Problems, and
// two metrics at once.
func (o *InterceptorRoute) Validate() error {
	var problems messages.Problems
	checkKind(&problems, o.TypeMeta, o.Name, RouteAPIVersion, RouteKind)
	s := &o.Spec
	checkService(&problems, "spec.target", "service", s.Target.Service)
	checkPort(&problems, "spec.target", s.Target.Port, s.Target.PortName)
	s.ColdStart.check(&problems)
	checkDuration(&problems, "spec.timeouts.readiness", s.Timeouts.Readiness)
	checkDuration(&problems, "spec.timeouts.request", s.Timeouts.Request)
	checkDuration(&problems, "spec.timeouts.responseHeader", s.Timeouts.ResponseHeader)
	for i, rule := range s.Rules {
		at := fmt.Sprintf("spec.rules[%d]", i)
		for n, path := range rule.Paths {
			if path.Value == "" {
				problems.Addf(fmt.Sprintf("%s.paths[%d].value", at, n), "found none, expected the beginning of a path")
			}
		}
		checkHeaders(&problems, at+".headers", rule.Headers)
	}
	switch m := &s.ScalingMetric; {
	case m.Concurrency == nil && m.RequestRate == nil:
		problems.Addf("spec.scalingMetric", "found none, expected concurrency or requestRate")
	case m.Concurrency != nil && m.RequestRate != nil:
		problems.Addf("spec.scalingMetric", "found concurrency and requestRate, expected one of the two: both at once are not simulated")
	default:
		m.check(&problems)
		if c := m.Concurrency; c != nil && c.TargetValue == nil {
			problems.Addf("spec.scalingMetric.concurrency.targetValue", "found none, expected a number of requests")
		}
		if r := m.RequestRate; r != nil && r.TargetValue == nil {
			problems.Addf("spec.scalingMetric.requestRate.targetValue", "found none, expected a number of requests")
		}
	}
	return problems.Err()
}

func (c *ColdStart) check(problems *messages.Problems) {
	const at = "spec.coldStart.fallback"
	switch {
	case c == nil:
	case c.Fallback == nil:
		problems.Addf(at, "found none, expected a service")
	case c.Fallback.Service == nil:
		problems.Addf(at+".service", "found none, expected a name and a port")
	default:
		checkService(problems, at+".service", "name", c.Fallback.Service.Name)
		checkPort(problems, at+".service", c.Fallback.Service.Port, c.Fallback.Service.PortName)
	}
}

// check reports targets and windows that the HPA or the scaler could not use.
func (m *ScalingMetric) check(problems *messages.Problems) {
	if c := m.Concurrency; c != nil {
		checkLeast(problems, "spec.scalingMetric.concurrency.targetValue", c.TargetValue, 1)
	}
	r := m.RequestRate
	if r == nil {
		return
	}
	const at = "spec.scalingMetric.requestRate"
	checkLeast(problems, at+".targetValue", r.TargetValue, 1)
	checkDuration(problems, at+".window", r.Window)
	checkDuration(problems, at+".granularity", r.Granularity)
	if w := r.Window; w != nil && w.Duration > maxWindow {
		problems.Addf(at+".window", "found %s, expected at most %s", w.Duration, maxWindow)
	}
	if g := r.Granularity; g != nil && g.Duration > 0 && g.Duration < time.Second {
		problems.Addf(at+".granularity", "found %s, expected at least 1s: the scaler divides by its whole seconds", g.Duration)
	}
}

func checkKind(problems *messages.Problems, found metav1.TypeMeta, name, apiVersion, kind string) {
	if found.APIVersion != apiVersion {
		problems.Addf("apiVersion", "found %.70q, expected %s", found.APIVersion, apiVersion)
	}
	if found.Kind != kind {
		problems.Addf("kind", "found %.70q, expected %s", found.Kind, kind)
	}
	if name == "" {
		problems.Addf("metadata.name", "found none, expected a name")
	}
}

func checkService(problems *messages.Problems, at, key, name string) {
	if name == "" {
		problems.Addf(at+"."+key, "found none, expected the name of a Service")
	}
}

// checkPort wants a number or a name.
func checkPort(problems *messages.Problems, at string, port *int32, name string) {
	switch {
	case (port == nil) == (name == ""):
		problems.Addf(at, "found %s, expected one of port and portName", map[bool]string{true: "neither", false: "both"}[port == nil])
	case port != nil && (*port < 1 || *port > maxPort):
		problems.Addf(at+".port", "found %d, expected 1 to %d", *port, maxPort)
	}
}

func checkHeaders(problems *messages.Problems, at string, headers []HeaderMatch) {
	seen := map[string]bool{}
	for i, h := range headers {
		field := fmt.Sprintf("%s[%d].name", at, i)
		switch {
		case h.Name == "":
			problems.Addf(field, "found none, expected the name of a header")
		case seen[h.Name]:
			problems.Addf(field, "found %.70q a second time, expected each header once", h.Name)
		}
		seen[h.Name] = true
	}
}

func checkLeast(problems *messages.Problems, field string, value *int32, least int32) {
	if value != nil && *value < least {
		problems.Addf(field, "found %d, expected at least %d", *value, least)
	}
}

func checkDuration(problems *messages.Problems, field string, d *metav1.Duration) {
	if d != nil && d.Duration < 0 {
		problems.Addf(field, "found %s, expected at least 0s", d.Duration)
	}
}
