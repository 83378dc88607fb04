package config_test

import (
	"errors"
	"log/slog"
	"maps"
	"testing"
	"time"

	"github.com/scalelab/scalelab/config"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// required are the variables without a default, as a Helm chart sets them.
var required = map[string]string{
	"ELASTI_OPERATOR_NAMESPACE":       "elasti",
	"ELASTI_OPERATOR_DEPLOYMENT_NAME": "elasti-operator-controller-manager",
	"ELASTI_OPERATOR_SERVICE_NAME":    "elasti-operator-controller-service",
	"ELASTI_OPERATOR_PORT":            "8013",
	"ELASTI_RESOLVER_NAMESPACE":       "elasti",
	"ELASTI_RESOLVER_DEPLOYMENT_NAME": "elasti-resolver",
	"ELASTI_RESOLVER_SERVICE_NAME":    "elasti-resolver-service",
	"ELASTI_RESOLVER_PORT":            "8013",
	"ELASTI_RESOLVER_PROXY_PORT":      "8012",
	"KUBERNETES_CLUSTER_DOMAIN":       "cluster.local",
}

// environment is the required variables, changed by pairs of name and value; a
// value of "unset" removes the variable.
func environment(changes ...string) config.Lookup {
	variables := maps.Clone(required)
	for i := 0; i < len(changes); i += 2 {
		variables[changes[i]] = changes[i+1]
		if changes[i+1] == "unset" {
			delete(variables, changes[i])
		}
	}
	return func(name string) (string, bool) {
		value, found := variables[name]
		return value, found
	}
}

func general() config.General {
	return config.General{
		Operator: config.Component{Namespace: "elasti", Deployment: "elasti-operator-controller-manager", Service: "elasti-operator-controller-service", Port: 8013},
		Resolver: config.Proxy{
			Component: config.Component{Namespace: "elasti", Deployment: "elasti-resolver", Service: "elasti-resolver-service", Port: 8013},
			ProxyPort: 8012,
		},
		ClusterDomain: "cluster.local",
		Log:           config.Log{Level: slog.LevelInfo, Format: "json"},
	}
}

func TestDefaultsAreKubeElastis(t *testing.T) {
	operator, err := config.Load(config.Sources{Lookup: environment()})
	require.NoError(t, err)
	assert.Equal(t, config.Config{General: general(), PollingInterval: 30 * time.Second}, operator)
	assert.Equal(t, "http://elasti-operator-controller-service.elasti.svc.cluster.local:8013", operator.OperatorAddress())

	resolver, err := config.LoadResolver(config.Sources{Lookup: environment()})
	require.NoError(t, err)
	assert.Equal(t, config.ResolverConfig{
		General:                     general(),
		MaxIdleProxyConns:           1000,
		MaxIdleProxyConnsPerHost:    100,
		ReqTimeout:                  600 * time.Second,
		TrafficReEnableDuration:     30 * time.Second,
		TrafficDisableGraceDuration: 15 * time.Second,
		OperatorRetryDuration:       30 * time.Second,
		QueueRetryDuration:          5 * time.Second,
		QueueSize:                   100,
		MaxQueueConcurrency:         10,
		InitialCapacity:             100,
		HeaderForHost:               "Host",
	}, resolver)
	assert.NoError(t, operator.Validate())
	assert.NoError(t, resolver.Validate())
}

func TestEveryVariableIsTakenOver(t *testing.T) {
	operator, err := config.Load(config.Sources{Lookup: environment(
		"POLLING_INTERVAL", "10s",
		"PROMETHEUS_TRIGGER_SERVER_ADDRESS", "https://me:pw@prometheus:9090/a@b",
		"PROMETHEUS_TRIGGER_AUTHORIZATION_HEADER", "Bearer abc",
		"KUBECONFIG", "/home/me/.kube/config",
		"LOG_LEVEL", "WARN", "LOG_FORMAT", "console", "LOG_ERROR_FILE", "errors.jsonl",
	)})
	require.NoError(t, err)
	assert.Equal(t, 10*time.Second, operator.PollingInterval)
	assert.Equal(t, "https://me:pw@prometheus:9090/a@b", operator.Prometheus.ServerAddress.Reveal())
	assert.Equal(t, "Bearer abc", operator.Prometheus.AuthorizationHeader.Reveal())
	assert.Equal(t, "/home/me/.kube/config", operator.Kubeconfig)
	assert.Equal(t, config.Log{Level: slog.LevelWarn, Format: "console", ErrorFile: "errors.jsonl"}, operator.Log)

	resolver, err := config.LoadResolver(config.Sources{Lookup: environment(
		"MAX_IDLE_PROXY_CONNS", "1", "MAX_IDLE_PROXY_CONNS_PER_HOST", "2", "REQ_TIMEOUT", "3",
		"TRAFFIC_RE_ENABLE_DURATION", "0", "TRAFFIC_DISABLE_GRACE_DURATION", "0s", "OPERATOR_RETRY_DURATION", "6",
		"QUEUE_RETRY_DURATION", "700ms", "QUEUE_SIZE", "8", "MAX_QUEUE_CONCURRENCY", "9", "INITIAL_CAPACITY", "2147483647",
		"HEADER_FOR_HOST", "X-Forwarded-Host",
	)})
	require.NoError(t, err)
	assert.Equal(t, config.ResolverConfig{
		General:                  general(),
		MaxIdleProxyConns:        1,
		MaxIdleProxyConnsPerHost: 2,
		ReqTimeout:               3 * time.Second,
		OperatorRetryDuration:    6 * time.Second,
		QueueRetryDuration:       700 * time.Millisecond,
		QueueSize:                8,
		MaxQueueConcurrency:      9,
		InitialCapacity:          2147483647,
		HeaderForHost:            "X-Forwarded-Host",
	}, resolver)
}

func TestValuesThatCannotBeUsed(t *testing.T) {
	const (
		port     = "a port from 1 to 65535"
		label    = "a DNS label (at most 63 of a-z, 0-9 and inner -)"
		count    = "a whole number from 1 to 2147483647"
		duration = "a positive duration such as 30s, or whole seconds"
		pause    = "a duration such as 30s, or whole seconds, not negative"
		url      = "an http or https URL without query and fragment"
		secret   = "a header's value: visible ASCII and inner spaces"
		unshown  = "a value that is not shown"
	)
	long := "a123456789b123456789c123456789d123456789e123456789f123456789g123456789"
	for _, c := range []struct{ name, variable, value, found, expected string }{
		{"port 0", "ELASTI_OPERATOR_PORT", "0", `"0"`, port},
		{"port above the last", "ELASTI_RESOLVER_PROXY_PORT", "65536", `"65536"`, port},
		{"port that is no number", "ELASTI_RESOLVER_PORT", "http", `"http"`, port},
		{"port with a space", "ELASTI_RESOLVER_PORT", " 80", `" 80"`, port},
		{"required, absent", "ELASTI_OPERATOR_PORT", "unset", "nothing", port},
		{"required, set to nothing", "ELASTI_OPERATOR_NAMESPACE", "", "nothing", label},
		{"upper case in a namespace", "ELASTI_OPERATOR_NAMESPACE", "Elasti", `"Elasti"`, label},
		{"a label too long", "ELASTI_RESOLVER_SERVICE_NAME", long, `"` + long[:64] + `"...`, label},
		{"a domain with a dot at its end", "KUBERNETES_CLUSTER_DOMAIN", "cluster.local.", `"cluster.local."`, "a DNS name (labels of a-z, 0-9 and inner -, with dots between them)"},
		{"a count of 0", "QUEUE_SIZE", "0", `"0"`, count},
		{"a count too large", "QUEUE_SIZE", "2147483648", `"2147483648"`, count},
		{"a negative count", "INITIAL_CAPACITY", "-1", `"-1"`, count},
		{"a fraction of a connection", "MAX_IDLE_PROXY_CONNS", "1.5", `"1.5"`, count},
		{"no time at all for a request", "REQ_TIMEOUT", "0", `"0"`, duration},
		{"seconds that overflow", "REQ_TIMEOUT", "9223372037", `"9223372037"`, duration},
		{"seconds that overflow from below", "REQ_TIMEOUT", "-9223372036854775807", `"-9223372036854775807"`, duration},
		{"a duration in words", "QUEUE_RETRY_DURATION", "soon", `"soon"`, duration},
		{"a negative pause", "TRAFFIC_RE_ENABLE_DURATION", "-1s", `"-1s"`, pause},
		{"a header with a space", "HEADER_FOR_HOST", "X Host", `"X Host"`, "the name of an HTTP header"},
		{"an unknown level", "LOG_LEVEL", "loud", `"loud"`, "one of debug, info, warn, error"},
		{"an unknown format", "LOG_FORMAT", "xml", `"xml"`, "one of json, console"},
		{"a path with a zero", "KUBECONFIG", "a\x00b", `"a\x00b"`, "the path of a file"},
		{"an address without a scheme", "PROMETHEUS_TRIGGER_SERVER_ADDRESS", "prometheus:9090", `"prometheus:9090"`, url},
		{"an address without a host", "PROMETHEUS_TRIGGER_SERVER_ADDRESS", "http://", `"http://"`, url},
		{"an address with a bad port", "PROMETHEUS_TRIGGER_SERVER_ADDRESS", "http://prometheus:70000", `"http://prometheus:70000"`, url},
		{"an address with a control character", "PROMETHEUS_TRIGGER_SERVER_ADDRESS", "http://p\n", `"http://p\n"`, url},
		{"an address with a password", "PROMETHEUS_TRIGGER_SERVER_ADDRESS", "ftp://me:pw@prometheus", unshown, url},
		{"an address with a token", "PROMETHEUS_TRIGGER_SERVER_ADDRESS", "http://prometheus?token=pw", unshown, url},
		{"a secret with a newline", "PROMETHEUS_TRIGGER_AUTHORIZATION_HEADER", "Bearer pw\n", unshown, secret},
		{"a secret with a space at its end", "PROMETHEUS_TRIGGER_AUTHORIZATION_HEADER", "Bearer pw ", unshown, secret},
	} {
		t.Run(c.name, func(t *testing.T) {
			from := config.Sources{Lookup: environment(c.variable, c.value)}
			_, err := config.Load(from)
			if err == nil {
				_, err = config.LoadResolver(from)
			}
			assert.EqualError(t, err, c.variable+": found "+c.found+", expected "+c.expected)
			var problem *config.Problem
			require.ErrorAs(t, err, &problem)
			assert.Equal(t, c.variable, problem.Variable)
		})
	}
}

func TestEveryProblemAtOnce(t *testing.T) {
	_, err := config.Load(config.Sources{})
	var problems config.Problems
	require.True(t, errors.As(err, &problems))
	var missing []string
	for _, p := range problems {
		missing = append(missing, p.Variable)
		assert.Equal(t, "nothing", p.Found)
	}
	assert.Equal(t, []string{
		"ELASTI_OPERATOR_NAMESPACE", "ELASTI_OPERATOR_DEPLOYMENT_NAME", "ELASTI_OPERATOR_SERVICE_NAME", "ELASTI_OPERATOR_PORT",
		"ELASTI_RESOLVER_NAMESPACE", "ELASTI_RESOLVER_DEPLOYMENT_NAME", "ELASTI_RESOLVER_SERVICE_NAME", "ELASTI_RESOLVER_PORT", "ELASTI_RESOLVER_PROXY_PORT",
		"KUBERNETES_CLUSTER_DOMAIN",
	}, missing)

	_, err = config.LoadResolver(config.Sources{Lookup: environment("ELASTI_OPERATOR_PORT", "x", "QUEUE_SIZE", "y")})
	assert.EqualError(t, err, `ELASTI_OPERATOR_PORT: found "x", expected a port from 1 to 65535
QUEUE_SIZE: found "y", expected a whole number from 1 to 2147483647`)
}

func TestPollingIntervalThatCannotBeUsedIsAWarning(t *testing.T) {
	const expected = "expected a positive duration such as 30s, or whole seconds; using 30s"
	for _, c := range []struct {
		name, value string
		want        time.Duration
		warnings    []string
	}{
		{"seconds", "45", 45 * time.Second, nil},
		{"a duration", "1m", time.Minute, nil},
		{"words", "often", 30 * time.Second, []string{`POLLING_INTERVAL: found "often", ` + expected}},
		{"zero", "0s", 30 * time.Second, []string{`POLLING_INTERVAL: found "0s", ` + expected}},
		{"negative", "-5s", 30 * time.Second, []string{`POLLING_INTERVAL: found "-5s", ` + expected}},
		{"nothing", "", 30 * time.Second, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := config.Load(config.Sources{Lookup: environment("POLLING_INTERVAL", c.value)})
			require.NoError(t, err)
			assert.Equal(t, c.want, got.PollingInterval)
			assert.Equal(t, c.warnings, got.Warnings)
		})
	}
}

func TestValidateOfConfigsFilledInByHand(t *testing.T) {
	c := config.Config{General: general()}
	assert.EqualError(t, c.Validate(), `POLLING_INTERVAL: found "0s", expected a positive duration such as 30s, or whole seconds`)
	c.PollingInterval = time.Second
	assert.NoError(t, c.Validate())
	c.Operator.Port, c.ClusterDomain = 0, ""
	c.Prometheus.AuthorizationHeader = config.NewSecret("pw\r\n")
	assert.EqualError(t, c.Validate(), `ELASTI_OPERATOR_PORT: found "0", expected a port from 1 to 65535
KUBERNETES_CLUSTER_DOMAIN: found nothing, expected a DNS name (labels of a-z, 0-9 and inner -, with dots between them)
PROMETHEUS_TRIGGER_AUTHORIZATION_HEADER: found a value that is not shown, expected a header's value: visible ASCII and inner spaces`)

	r := config.ResolverConfig{General: general()}
	var problems config.Problems
	require.ErrorAs(t, r.Validate(), &problems)
	assert.Len(t, problems, 8, "two pauses may be 0, and so may the third; everything else must be set")
}
