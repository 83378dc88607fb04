package httpaddon

import (
	"cmp"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scalelab/scalelab/messages"
)

// Where a manifest leaves something out.
const (
	defaultTarget      = 100
	defaultMax         = 100
	defaultWindow      = time.Minute
	defaultGranularity = time.Second
	// defaultFailover is how long a request waits for a pod where a failover Service
	// stands by.
	defaultFailover = 30 * time.Second
)

// How the interceptor connects to a pod that does not take connections: it tries
// again every DialEvery and, where a request has no deadline of its own, gives up
// after DialFor.
const (
	DialEvery = 50 * time.Millisecond
	DialFor   = time.Minute
)

func or(given *int32, otherwise int32) int32 {
	if given != nil {
		return *given
	}
	return otherwise
}

// Controller has the settings of the add-on's own Deployments, which are variables
// of their environment. A timeout of 0 is none.
type Controller struct {
	Readiness      time.Duration `yaml:"readinessTimeout" doc:"interceptor, KEDA_HTTP_READINESS_TIMEOUT: how long a request waits for a pod to be ready; default 0s, for ever"`
	Request        time.Duration `yaml:"requestTimeout" doc:"interceptor, KEDA_HTTP_REQUEST_TIMEOUT: how long a request may take in all; default 0s, for ever"`
	ResponseHeader time.Duration `yaml:"responseHeaderTimeout" doc:"interceptor, KEDA_HTTP_RESPONSE_HEADER_TIMEOUT: how long a pod may take to answer; default 300s"`
	QueueTick      time.Duration `yaml:"queueTick" doc:"scaler, KEDA_HTTP_QUEUE_TICK_DURATION: how often it asks the interceptors; default 500ms"`
	StreamInterval time.Duration `yaml:"streamInterval" doc:"scaler, KEDA_HTTP_SCALER_STREAM_INTERVAL_MS: how often it tells KEDA whether there is work; default 200ms"`
}

// DefaultController is the add-on as its chart installs it.
func DefaultController() Controller {
	return Controller{ResponseHeader: 300 * time.Second, QueueTick: 500 * time.Millisecond, StreamInterval: 200 * time.Millisecond}
}

// Validate reports settings that cannot be used.
func (c Controller) Validate() error {
	var problems messages.Problems
	for _, d := range []struct {
		field string
		value time.Duration
	}{{"readinessTimeout", c.Readiness}, {"requestTimeout", c.Request}, {"responseHeaderTimeout", c.ResponseHeader}} {
		if d.value < 0 {
			problems.Addf(d.field, "found %s, expected at least 0s", d.value)
		}
	}
	for _, d := range []struct {
		field string
		value time.Duration
	}{{"queueTick", c.QueueTick}, {"streamInterval", c.StreamInterval}} {
		if d.value < time.Millisecond || d.value > time.Hour {
			problems.Addf(d.field, "found %s, expected 1ms to 1h", d.value)
		}
	}
	return problems.Err()
}

// Route is what interceptor and scaler make of a valid manifest.
type Route struct {
	Name   string // of the manifest
	Metric string // as the scaler calls it
	Target int32  // of it, for each pod
	Rate   bool   // it is the rate of requests, not the number of pending ones
	// Window and Granularity are those of the rate.
	Window, Granularity time.Duration

	whole    bool // the rate is rounded up to a whole number
	timeouts RouteTimeouts
	failover bool
}

// Route reads a valid HTTPScaledObject.
func (o *HTTPScaledObject) Route() Route {
	r := Route{
		Name: o.Name, Metric: "http-" + cmp.Or(o.Namespace, metav1.NamespaceDefault) + "_002F" + o.Name, // the slash in between, escaped
		Target: or(o.Spec.TargetPendingRequests, defaultTarget), whole: true,
		failover: o.Spec.ColdStartTimeoutFailoverRef != nil,
	}
	if m := o.Spec.ScalingMetric; m != nil {
		r.measure(m)
	}
	if t := o.Spec.Timeouts; t != nil {
		r.timeouts.Readiness, r.timeouts.ResponseHeader = given(t.ConditionWait), given(t.ResponseHeader)
	}
	if r.failover {
		after := time.Duration(or(o.Spec.ColdStartTimeoutFailoverRef.TimeoutSeconds, int32(defaultFailover/time.Second))) * time.Second
		if after > 0 {
			r.timeouts.Readiness = &metav1.Duration{Duration: after}
		}
	}
	return r
}

// given is a duration that is not 0.
func given(d *metav1.Duration) *metav1.Duration {
	if d != nil && d.Duration == 0 {
		return nil
	}
	return d
}

// Route reads a valid InterceptorRoute.
func (o *InterceptorRoute) Route() Route {
	r := Route{Name: o.Name, timeouts: o.Spec.Timeouts, failover: o.Spec.ColdStart != nil}
	r.measure(&o.Spec.ScalingMetric)
	r.Metric = "http_" + o.Name + "_concurrency"
	if r.Rate {
		r.Metric = "http_" + o.Name + "_rate"
	}
	return r
}

// measure reads what is counted.
func (r *Route) measure(m *ScalingMetric) {
	if c := m.Concurrency; c != nil {
		r.Target = or(c.TargetValue, defaultTarget)
	}
	if rate := m.RequestRate; rate != nil {
		r.Rate, r.Target = true, or(rate.TargetValue, defaultTarget)
		r.Window, r.Granularity = defaultWindow, defaultGranularity
		if w := given(rate.Window); w != nil {
			r.Window = w.Duration
		}
		if g := given(rate.Granularity); g != nil {
			r.Granularity = g.Duration
		}
	}
}

// Patience is how long the interceptor waits; 0 is for ever.
type Patience struct {
	Readiness      time.Duration // for a pod to be ready
	Request        time.Duration // in all
	ResponseHeader time.Duration // for a pod to answer
}

// Patience are the timeouts of the route, over those of the interceptor.
func (r *Route) Patience(c Controller) Patience {
	p := Patience{Readiness: c.Readiness, Request: c.Request, ResponseHeader: c.ResponseHeader}
	for _, t := range []struct {
		given *metav1.Duration
		of    *time.Duration
	}{{r.timeouts.Readiness, &p.Readiness}, {r.timeouts.Request, &p.Request}, {r.timeouts.ResponseHeader, &p.ResponseHeader}} {
		if t.given != nil {
			*t.of = t.given.Duration
		}
	}
	if r.failover && p.Readiness == 0 {
		p.Readiness = defaultFailover
	}
	return p
}
