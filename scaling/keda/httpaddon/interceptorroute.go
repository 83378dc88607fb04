package httpaddon

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// InterceptorRoute is http.keda.sh/v1beta1. It comes with a ScaledObject that has an
// external-push trigger for it.
type InterceptorRoute struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              InterceptorRouteSpec `json:"spec"`
}

// InterceptorRouteSpec says which requests go to which Service, and what is counted.
type InterceptorRouteSpec struct {
	Target        Target        `json:"target"`
	ColdStart     *ColdStart    `json:"coldStart,omitempty"`
	Timeouts      RouteTimeouts `json:"timeouts,omitzero"`
	Rules         []Rule        `json:"rules,omitempty"`
	ScalingMetric ScalingMetric `json:"scalingMetric"`
}

// Target is a Service and one of its ports.
type Target struct {
	Service  string `json:"service"`
	Port     *int32 `json:"port,omitempty"`
	PortName string `json:"portName,omitempty"`
}

// ColdStart is what happens while no pod is ready.
type ColdStart struct {
	Fallback *Fallback `json:"fallback,omitempty"`
}

// Fallback gets the requests for which no pod became ready in time.
type Fallback struct {
	Service *FallbackService `json:"service,omitempty"`
}

// FallbackService is a Service and one of its ports.
type FallbackService struct {
	Name     string `json:"name"`
	Port     *int32 `json:"port,omitempty"`
	PortName string `json:"portName,omitempty"`
}

// RouteTimeouts come before those of the interceptor; 0s switches one off.
type RouteTimeouts struct {
	Readiness      *metav1.Duration `json:"readiness,omitempty"`
	Request        *metav1.Duration `json:"request,omitempty"`
	ResponseHeader *metav1.Duration `json:"responseHeader,omitempty"`
}

// Rule is a set of matches, all of which a request has to meet.
type Rule struct {
	Hosts   []string      `json:"hosts,omitempty"`
	Paths   []PathMatch   `json:"paths,omitempty"`
	Headers []HeaderMatch `json:"headers,omitempty"`
}

// PathMatch is the beginning of a path.
type PathMatch struct {
	Value string `json:"value"`
}
