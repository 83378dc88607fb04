// Package httpaddon is KEDA's HTTP add-on: the manifests that put its interceptor
// on the way of an application's requests, and its scaler, which tells KEDA how
// many requests are pending there or come in.
//
// It models HTTPScaledObject v1alpha1 and InterceptorRoute v1beta1 as their CRDs and
// the operator take them, the scaler's polls of the interceptors, its rate over a
// window of buckets, and what it answers. It ignores which host, path and headers a
// request has to have (every request of the workload is for the route), and the
// scaling of the interceptors themselves. How requests wait is for the cluster.
//
// Source: kedacore/http-add-on v0.14: operator/apis/http, operator/controllers/http,
// pkg/queue, pkg/routing, scaler and interceptor.
package httpaddon

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What the manifests say of themselves.
const (
	APIVersion      = "http.keda.sh/v1alpha1"
	Kind            = "HTTPScaledObject"
	RouteAPIVersion = "http.keda.sh/v1beta1"
	RouteKind       = "InterceptorRoute"
)

// HTTPScaledObject is http.keda.sh/v1alpha1. The operator makes a ScaledObject of it.
type HTTPScaledObject struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              HTTPScaledObjectSpec `json:"spec"`
}

// HTTPScaledObjectSpec says which requests go to which workload, and how far it is
// scaled. Periods are in seconds; a pointer that is nil stands for the default.
type HTTPScaledObjectSpec struct {
	Hosts                       []string       `json:"hosts,omitempty"`
	PathPrefixes                []string       `json:"pathPrefixes,omitempty"`
	Headers                     []HeaderMatch  `json:"headers,omitempty"`
	ScaleTargetRef              ScaleTarget    `json:"scaleTargetRef"`
	ColdStartTimeoutFailoverRef *Failover      `json:"coldStartTimeoutFailoverRef,omitempty"`
	Replicas                    *Replicas      `json:"replicas,omitempty"`
	TargetPendingRequests       *int32         `json:"targetPendingRequests,omitempty"` // deprecated: scalingMetric comes before it
	ScaledownPeriod             *int32         `json:"scaledownPeriod,omitempty"`
	InitialCooldownPeriod       *int32         `json:"initialCooldownPeriod,omitempty"`
	ScalingMetric               *ScalingMetric `json:"scalingMetric,omitempty"`
	Timeouts                    *Timeouts      `json:"timeouts,omitempty"`
}

// ScaleTarget is the workload, and the Service that leads to it.
type ScaleTarget struct {
	Name       string `json:"name"`
	APIVersion string `json:"apiVersion,omitempty"`
	Kind       string `json:"kind,omitempty"`
	Service    string `json:"service"`
	Port       *int32 `json:"port,omitempty"`
	PortName   string `json:"portName,omitempty"`
}

// Failover is the Service that gets the requests for which no pod became ready in
// time.
type Failover struct {
	Service        string `json:"service"`
	Port           *int32 `json:"port,omitempty"`
	PortName       string `json:"portName,omitempty"`
	TimeoutSeconds *int32 `json:"timeoutSeconds,omitempty"`
}

// Replicas are the limits of the count.
type Replicas struct {
	Min *int32 `json:"min,omitempty"`
	Max *int32 `json:"max,omitempty"`
}

// ScalingMetric is what the workload is scaled by.
type ScalingMetric struct {
	Concurrency *Concurrency `json:"concurrency,omitempty"`
	RequestRate *RequestRate `json:"requestRate,omitempty"`
}

// Concurrency is the number of pending requests, of which a pod should have
// targetValue.
type Concurrency struct {
	TargetValue *int32 `json:"targetValue,omitempty"`
}

// RequestRate is the number of requests per second, of which a pod should get
// targetValue, as the mean over a window of buckets.
type RequestRate struct {
	TargetValue *int32           `json:"targetValue,omitempty"`
	Window      *metav1.Duration `json:"window,omitempty"`
	Granularity *metav1.Duration `json:"granularity,omitempty"`
}

// Timeouts come before those of the interceptor.
type Timeouts struct {
	ConditionWait  *metav1.Duration `json:"conditionWait,omitempty"`
	ResponseHeader *metav1.Duration `json:"responseHeader,omitempty"`
}

// HeaderMatch is a header that a request has to have, with any value where none is
// given.
type HeaderMatch struct {
	Name  string  `json:"name"`
	Value *string `json:"value,omitempty"`
}

// skipAnnotation leaves the ScaledObject to the user.
const skipAnnotation = "httpscaledobject.keda.sh/skip-scaledobject-creation"

// LeavesScaledObject says that the operator makes no ScaledObject, because the user
// has one with a trigger for this object.
func (o *HTTPScaledObject) LeavesScaledObject() bool { return o.Annotations[skipAnnotation] == "true" }
