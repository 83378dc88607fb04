package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/scalelab/scalelab/config"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// holder is somebody else's struct: fmt asks no methods of unexported fields.
type holder struct {
	secret  config.Secret
	address config.URL
	Secret  config.Secret
	Address config.URL
}

func TestNoWayOfWritingShowsASecret(t *testing.T) {
	const password = "tr0ub4dor"
	c, err := config.Load(config.Sources{Lookup: environment(
		"PROMETHEUS_TRIGGER_SERVER_ADDRESS", "http://me:"+password+"@prometheus:9090/x",
		"PROMETHEUS_TRIGGER_AUTHORIZATION_HEADER", "Bearer "+password)})
	require.NoError(t, err)
	h := holder{c.Prometheus.AuthorizationHeader, c.Prometheus.ServerAddress, c.Prometheus.AuthorizationHeader, c.Prometheus.ServerAddress}
	values := []any{c, &c, c.Prometheus, h, &h, []holder{h}, map[string]holder{"a": h},
		c.Prometheus.AuthorizationHeader, &c.Prometheus.AuthorizationHeader, c.Prometheus.ServerAddress, &c.Prometheus.ServerAddress}
	for _, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%10.3s"} {
			assert.NotContains(t, fmt.Sprintf(verb, value), password, verb)
			assert.NotContains(t, fmt.Sprintf(verb, value), fmt.Sprintf("%x", password), verb)
		}
		text, err := json.Marshal(value)
		require.NoError(t, err)
		assert.NotContains(t, string(text), password)
		text, err = yaml.Marshal(value)
		require.NoError(t, err)
		assert.NotContains(t, string(text), password)
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("config", "value", value)
		slog.New(slog.NewTextHandler(&log, nil)).Info("config", "value", value)
		assert.NotContains(t, log.String(), password)
	}

	assert.Equal(t, "*** http://***@prometheus:9090/x", fmt.Sprint(c.Prometheus.AuthorizationHeader, " ", c.Prometheus.ServerAddress))
	text, err := json.Marshal(c.Prometheus)
	require.NoError(t, err)
	assert.Equal(t, `{"ServerAddress":"http://***@prometheus:9090/x","AuthorizationHeader":"***"}`, string(text))
}

func TestStringOfAConfig(t *testing.T) {
	c, err := config.Load(config.Sources{Lookup: environment("PROMETHEUS_TRIGGER_AUTHORIZATION_HEADER", "Bearer abc")})
	require.NoError(t, err)
	assert.Equal(t, `ELASTI_OPERATOR_NAMESPACE=elasti
ELASTI_OPERATOR_DEPLOYMENT_NAME=elasti-operator-controller-manager
ELASTI_OPERATOR_SERVICE_NAME=elasti-operator-controller-service
ELASTI_OPERATOR_PORT=8013
ELASTI_RESOLVER_NAMESPACE=elasti
ELASTI_RESOLVER_DEPLOYMENT_NAME=elasti-resolver
ELASTI_RESOLVER_SERVICE_NAME=elasti-resolver-service
ELASTI_RESOLVER_PORT=8013
ELASTI_RESOLVER_PROXY_PORT=8012
KUBERNETES_CLUSTER_DOMAIN=cluster.local
KUBECONFIG=
LOG_LEVEL=info
LOG_FORMAT=json
LOG_ERROR_FILE=
POLLING_INTERVAL=30s
PROMETHEUS_TRIGGER_SERVER_ADDRESS=
PROMETHEUS_TRIGGER_AUTHORIZATION_HEADER=***
`, c.String())
	r, err := config.LoadResolver(config.Sources{Lookup: environment()})
	require.NoError(t, err)
	assert.Contains(t, r.String(), "REQ_TIMEOUT=10m0s\nTRAFFIC_RE_ENABLE_DURATION=30s\n")
}

func TestAddresses(t *testing.T) {
	for text, shown := range map[string]string{
		"http://prometheus":               "http://prometheus",
		"https://[::1]:9090/prom":         "https://[::1]:9090/prom",
		"http://token@prometheus":         "http://***@prometheus",
		"http://me:p@ss@prometheus/a@b/c": "http://***@prometheus/a@b/c",
	} {
		u, err := config.NewURL(text)
		require.NoError(t, err)
		assert.Equal(t, shown, u.String())
		assert.Equal(t, text, u.Reveal())
	}
	for _, text := range []string{"", "prometheus", "/a", "http:prometheus", "http://:80", "http://a:0", "http://a#b", "http://a?", "http://me:p/w@a"} {
		_, err := config.NewURL(text)
		assert.EqualError(t, err, "expected an http or https URL without query and fragment", text)
	}
	assert.Equal(t, "[]", fmt.Sprint([]config.URL{{}}))
	assert.Empty(t, config.URL{}.Reveal())
	assert.Empty(t, config.Secret{}.Reveal())
	assert.Empty(t, config.Secret{}.String(), "an empty secret is seen to be empty")
}
