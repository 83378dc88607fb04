// Package config reads the settings of an operator and of a request-holding
// resolver: from environment variables, from a YAML file, and from defaults, in
// that order of precedence. Names and defaults are KubeElasti's v0.1.30; every
// setting, with its variable, its key in the file, its default and what it
// accepts, is a row of Reference and ResolverReference.
//
// Nothing is read from the process except by FromEnvironment. Every problem is
// reported at once, each with the variable's name, what was found and what is
// expected; a file's problems also have file:line:column. Values of secrets are
// never shown, neither by errors nor by String, fmt, JSON, YAML or slog.
//
// Where it differs from KubeElasti: a problem is an error and no panic;
// durations are accepted both as whole seconds ("30", which is all that
// KubeElasti's resolver takes) and as Go durations ("30s", which is all that its
// POLLING_INTERVAL takes); names, headers and addresses are checked; settings of
// Sentry, HTTP/2 and the CRD cache do not exist here. It is the same in that a
// variable set to nothing counts as not set, and that a POLLING_INTERVAL that
// cannot be used is a warning.
package config

import (
	"fmt"
	"log/slog"
	"time"
)

// Component is where a Deployment and its Service are found.
type Component struct {
	Namespace  string `env:"NAMESPACE" yaml:"namespace" is:"label" doc:"namespace it runs in"`
	Deployment string `env:"DEPLOYMENT_NAME" yaml:"deployment" is:"name" doc:"name of its Deployment"`
	Service    string `env:"SERVICE_NAME" yaml:"service" is:"label" doc:"name of its Service"`
	Port       int32  `env:"PORT" yaml:"port" is:"port" doc:"port of its own API, health and metrics"`
}

// Proxy is the resolver: a Component that has a second port for held requests.
type Proxy struct {
	Component
	ProxyPort int32 `env:"PROXY_PORT" yaml:"proxyPort" is:"port" doc:"port that receives the requests to hold"`
}

// Log is how much is written, and how.
type Log struct {
	Level     slog.Level `env:"LEVEL" yaml:"level" is:"level" default:"info" doc:"least level that is written"`
	Format    string     `env:"FORMAT" yaml:"format" is:"format" default:"json" doc:"form of the log"`
	ErrorFile string     `env:"ERROR_FILE" yaml:"errorFile" is:"path" default:"" doc:"file that errors are appended to as OpenTelemetry JSON lines; none if empty"`
}

// General is what operator and resolver share. Each needs to know where the
// other one is.
type General struct {
	Operator      Component `env:"ELASTI_OPERATOR_" yaml:"operator" doc:"the operator"`
	Resolver      Proxy     `env:"ELASTI_RESOLVER_" yaml:"resolver" doc:"the resolver"`
	ClusterDomain string    `env:"KUBERNETES_CLUSTER_DOMAIN" yaml:"clusterDomain" is:"name" doc:"DNS domain of the cluster, such as cluster.local"`
	Kubeconfig    string    `env:"KUBECONFIG" yaml:"kubeconfig" is:"path" default:"" doc:"kubeconfig file; the Pod's own service account if empty"`
	Log           Log       `env:"LOG_" yaml:"log" doc:"the log"`
}

// Prometheus is what prometheus triggers use that say nothing themselves.
type Prometheus struct {
	ServerAddress       URL    `env:"SERVER_ADDRESS" yaml:"serverAddress" is:"url" default:"" doc:"server that triggers without a serverAddress ask"`
	AuthorizationHeader Secret `env:"AUTHORIZATION_HEADER" yaml:"authorizationHeader" is:"secret" default:"" doc:"Authorization header of every query"`
}

// Config is everything the operator reads.
type Config struct {
	General
	PollingInterval time.Duration `env:"POLLING_INTERVAL" yaml:"pollingInterval" is:"duration" default:"30s" wrong:"warning" doc:"time between two checks of the triggers"`
	Prometheus      Prometheus    `env:"PROMETHEUS_TRIGGER_" yaml:"prometheusTrigger" doc:"prometheus triggers"`

	// Warnings are settings that were not used, and what is used instead.
	Warnings []string
}

// ResolverConfig is everything the resolver reads.
type ResolverConfig struct {
	General
	MaxIdleProxyConns           int           `env:"MAX_IDLE_PROXY_CONNS" yaml:"maxIdleProxyConns" is:"count" default:"1000" doc:"idle connections to pods that are kept"`
	MaxIdleProxyConnsPerHost    int           `env:"MAX_IDLE_PROXY_CONNS_PER_HOST" yaml:"maxIdleProxyConnsPerHost" is:"count" default:"100" doc:"idle connections to one pod that are kept"`
	ReqTimeout                  time.Duration `env:"REQ_TIMEOUT" yaml:"reqTimeout" is:"duration" default:"600s" doc:"longest time from receiving a request to its answer"`
	TrafficReEnableDuration     time.Duration `env:"TRAFFIC_RE_ENABLE_DURATION" yaml:"trafficReEnableDuration" is:"pause" default:"30s" doc:"time a host's readiness is remembered, and its traffic refused after the switch"`
	TrafficDisableGraceDuration time.Duration `env:"TRAFFIC_DISABLE_GRACE_DURATION" yaml:"trafficDisableGraceDuration" is:"pause" default:"15s" doc:"time after a success before a host's traffic is refused"`
	OperatorRetryDuration       time.Duration `env:"OPERATOR_RETRY_DURATION" yaml:"operatorRetryDuration" is:"pause" default:"30s" doc:"time between two messages to the operator about one service"`
	QueueRetryDuration          time.Duration `env:"QUEUE_RETRY_DURATION" yaml:"queueRetryDuration" is:"duration" default:"5s" doc:"time between two looks whether a held request's service is ready"`
	QueueSize                   int           `env:"QUEUE_SIZE" yaml:"queueSize" is:"count" default:"100" doc:"requests that wait for a slot"`
	MaxQueueConcurrency         int           `env:"MAX_QUEUE_CONCURRENCY" yaml:"maxQueueConcurrency" is:"count" default:"10" doc:"requests admitted beyond those that wait"`
	InitialCapacity             int           `env:"INITIAL_CAPACITY" yaml:"initialCapacity" is:"count" default:"100" doc:"slots, which is how many requests are looked after at once"`
	HeaderForHost               string        `env:"HEADER_FOR_HOST" yaml:"headerForHost" is:"header" default:"Host" doc:"header that names the host a request is for"`

	// Warnings are settings that were not used, and what is used instead.
	Warnings []string
}

// Load reads the operator's settings. The error is Problems, with everything
// that is wrong.
func Load(from Sources) (Config, error) {
	var c Config
	warnings, err := load(from, fieldsOf(&c))
	if err != nil {
		return Config{}, err
	}
	c.Warnings = warnings
	return c, nil
}

// LoadResolver reads the resolver's settings. The error is Problems, with
// everything that is wrong.
func LoadResolver(from Sources) (ResolverConfig, error) {
	var c ResolverConfig
	warnings, err := load(from, fieldsOf(&c))
	if err != nil {
		return ResolverConfig{}, err
	}
	c.Warnings = warnings
	return c, nil
}

// Validate reports, as Problems, everything that Load would not have let in. It
// is for a Config that was filled in by hand.
func (c Config) Validate() error { return validate(fieldsOf(&c)) }

// Validate reports, as Problems, everything that LoadResolver would not have let
// in. It is for a ResolverConfig that was filled in by hand.
func (c ResolverConfig) Validate() error { return validate(fieldsOf(&c)) }

// String is a line VARIABLE=value for every setting, with secrets hidden.
func (c Config) String() string { return listing(fieldsOf(&c)) }

// String is a line VARIABLE=value for every setting, with secrets hidden.
func (c ResolverConfig) String() string { return listing(fieldsOf(&c)) }

// OperatorAddress is the URL at which the resolver finds the operator, without
// a path.
func (g General) OperatorAddress() string {
	return fmt.Sprintf("http://%s.%s.svc.%s:%d", g.Operator.Service, g.Operator.Namespace, g.ClusterDomain, g.Operator.Port)
}
