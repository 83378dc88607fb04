package k8shelper

import (
	"time"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/scale"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/flowcontrol"
)

// Options say how to reach a cluster: with a kubeconfig, or from inside it.
type Options struct {
	Kubeconfig string // a file; not together with InCluster
	Context    string // of the kubeconfig; empty: its current one
	InCluster  bool   // with the pod's service account
	// QPS and Burst limit the calls per second; 0 is the default of 20 and 30,
	// a negative QPS is no limit.
	QPS   float32
	Burst int
	// UserAgent is what the API server's audit log calls us; empty: scalelab.
	UserAgent string
	// Timeout bounds every call, watches too; 0: only its context does.
	Timeout time.Duration
}

// The defaults of Options, those of controller-runtime.
const (
	defaultQPS       = 20
	defaultBurst     = 30
	defaultUserAgent = "scalelab"
)

// Connect makes the clients of a real cluster. Nothing is sent yet: a server
// that does not answer shows with the first call. What cannot be read or
// contradicts itself is ErrInvalid.
func Connect(options Options) (*Clients, error) {
	config, err := restConfig(options)
	if err != nil {
		return nil, err
	}
	clients, err := connect(config)
	if err != nil {
		return nil, &refusal{"connect to " + config.Host, ErrInvalid, err}
	}
	return clients, nil
}

// restConfig finds where the server is and who we are.
func restConfig(o Options) (*rest.Config, error) {
	const attempt = "read cluster options"
	var config *rest.Config
	var err error
	switch {
	case o.InCluster && (o.Kubeconfig != "" || o.Context != ""):
		return nil, invalid(attempt, "found a kubeconfig or context together with in-cluster, expected one way in")
	case o.Burst < 0 || o.Timeout < 0:
		return nil, invalid(attempt, "found burst %d and timeout %s, expected none below 0", o.Burst, o.Timeout)
	case o.InCluster:
		config, err = rest.InClusterConfig()
	case o.Kubeconfig == "":
		return nil, invalid(attempt, "found no kubeconfig and not in-cluster, expected one of them")
	default:
		config, err = clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
			&clientcmd.ClientConfigLoadingRules{ExplicitPath: o.Kubeconfig},
			&clientcmd.ConfigOverrides{CurrentContext: o.Context},
		).ClientConfig()
	}
	if err != nil {
		return nil, &refusal{attempt, ErrInvalid, err}
	}
	config.QPS, config.Burst, config.UserAgent, config.Timeout = defaultQPS, defaultBurst, defaultUserAgent, o.Timeout
	if o.QPS != 0 {
		config.QPS = o.QPS
	}
	if o.Burst != 0 {
		config.Burst = o.Burst
	}
	if o.UserAgent != "" {
		config.UserAgent = o.UserAgent
	}
	return config, nil
}

// connect makes all clients on one pool of connections and under one limit of
// calls.
func connect(config *rest.Config) (*Clients, error) {
	if config.QPS > 0 {
		config.RateLimiter = flowcontrol.NewTokenBucketRateLimiter(config.QPS, config.Burst)
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	typed, err := kubernetes.NewForConfigAndClient(config, client)
	if err != nil {
		return nil, err
	}
	dynamicClient, err := dynamic.NewForConfigAndClient(config, client)
	if err != nil {
		return nil, err
	}
	discoveryClient, err := discovery.NewDiscoveryClientForConfigAndClient(config, client)
	if err != nil {
		return nil, err
	}
	cached := memory.NewMemCacheClient(discoveryClient)
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(cached)
	scales := scale.New(typed.CoreV1().RESTClient(), mapper, dynamic.LegacyAPIPathResolverFunc, scale.NewDiscoveryScaleKindResolver(cached))
	return &Clients{Kubernetes: typed, Dynamic: dynamicClient, Scales: scales, Mapper: mapper}, nil
}
