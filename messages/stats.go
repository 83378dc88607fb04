package messages

import "time"

// Stats is what the proxies on the way of the requests have counted in their
// last reporting period: one in every pod, and those that stand before all pods.
type Stats struct {
	Pods    []PodStats   // of the pods that are Ready and not terminating, oldest first
	Proxies []ProxyStats // of the proxies that had anything to report
}

// PodStats is the report of a pod's own proxy. A request that came by way of a
// proxy before all pods is counted as proxied as well.
type PodStats struct {
	Age                time.Duration // since status.startTime
	Concurrency        float64       // requests in the pod, the mean over the period
	ProxiedConcurrency float64
	Requests           float64 // arrivals per second
	ProxiedRequests    float64
}

// ProxyStats is the report of a proxy before all pods.
type ProxyStats struct {
	Concurrency float64 // requests that it holds or has passed on, the mean over the period
	Requests    float64 // arrivals per second
}

// Path is the way of requests to the pods.
type Path string

// The ways. The empty Path says nothing.
const (
	PathDirect Path = "direct" // from the ingress to the pods
	PathProxy  Path = "proxy"  // by way of a proxy that can hold them
)
