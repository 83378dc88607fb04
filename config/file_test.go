package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/scalelab/scalelab/config"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const operatorFile = `# what a ConfigMap may hold
operator: {namespace: elasti, deployment: elasti-operator-controller-manager, service: elasti-operator-controller-service, port: 8013}
resolver:
  namespace: elasti
  deployment: elasti-resolver
  service: elasti-resolver-service
  port: "8013"
  proxyPort: 8012
clusterDomain: cluster.local
pollingInterval: 10
log: {level: debug}
prometheusTrigger:
  serverAddress: http://prometheus:9090
  authorizationHeader: Bearer abc
`

func file(text string) config.File { return config.File{Name: "operator.yaml", Text: []byte(text)} }

func TestEnvironmentWinsOverFileWinsOverDefault(t *testing.T) {
	variables := map[string]string{"POLLING_INTERVAL": "20s", "ELASTI_OPERATOR_PORT": "9000"}
	lookup := func(name string) (string, bool) { v, ok := variables[name]; return v, ok }
	got, err := config.Load(config.Sources{Lookup: lookup, File: file(operatorFile)})
	require.NoError(t, err)
	want := general()
	want.Operator.Port = 9000
	want.Log.Level = -4
	assert.Equal(t, want, got.General)
	assert.Equal(t, 20*time.Second, got.PollingInterval)
	assert.Equal(t, "http://prometheus:9090", got.Prometheus.ServerAddress.Reveal())
	assert.Equal(t, "Bearer abc", got.Prometheus.AuthorizationHeader.Reveal())

	variables["POLLING_INTERVAL"] = "never"
	got, err = config.Load(config.Sources{Lookup: lookup, File: file(operatorFile)})
	require.NoError(t, err)
	assert.Equal(t, 10*time.Second, got.PollingInterval)
	assert.Equal(t, []string{`POLLING_INTERVAL: found "never", expected a positive duration such as 30s, or whole seconds; using 10s`}, got.Warnings)
}

func TestFilesThatCannotBeUsed(t *testing.T) {
	const port = "expected a port from 1 to 65535"
	keys := "expected one of operator, resolver, clusterDomain, kubeconfig, log, pollingInterval, prometheusTrigger"
	for _, c := range []struct{ name, text, want string }{
		{"unknown key", "clusterDomian: x", "operator.yaml:1:1: clusterDomian: found an unknown key, " + keys},
		{"unknown key in a section", "operator:\n  prot: 1", "operator.yaml:2:3: operator.prot: found an unknown key, expected one of namespace, deployment, service, port"},
		{"key of the other component", "queueSize: 5", "operator.yaml:1:1: queueSize: found an unknown key, " + keys},
		{"key with dots", "operator.port: 5", "operator.yaml:1:1: operator.port (ELASTI_OPERATOR_PORT): found an unknown key, " + keys},
		{"key that is a list", "[a, b]: 5", "operator.yaml:1:1: found an unknown key, " + keys},
		{"key twice", "log: {}\nlog: {}", "operator.yaml:2:1: log: found the key a second time, expected it once"},
		{"a list", "- a", "operator.yaml:1:1: found a list, expected a mapping with operator, resolver, clusterDomain, kubeconfig, log, pollingInterval, prometheusTrigger"},
		{"a scalar for a section", "log: loud", "operator.yaml:1:6: log: found text, expected a mapping with level, format, errorFile"},
		{"nothing for a section", "log:", "operator.yaml:1:5: log: found nothing, expected a mapping with level, format, errorFile"},
		{"a bad port", "operator:\n  port: 0", `operator.yaml:2:9: operator.port (ELASTI_OPERATOR_PORT): found "0", ` + port},
		{"a port in octal", "operator: {port: 010}", `operator.yaml:1:18: operator.port (ELASTI_OPERATOR_PORT): found a value of type int (text needs quotes), ` + port},
		{"a port with a fraction", "operator: {port: 80.5}", `operator.yaml:1:18: operator.port (ELASTI_OPERATOR_PORT): found a value of type float (text needs quotes), ` + port},
		{"no port", "operator: {port: }", `operator.yaml:1:18: operator.port (ELASTI_OPERATOR_PORT): found nothing, ` + port},
		{"a list of ports", "operator: {port: [1]}", `operator.yaml:1:18: operator.port (ELASTI_OPERATOR_PORT): found a list, ` + port},
		{"a mapping for a port", "operator: {port: {a: b}}", `operator.yaml:1:18: operator.port (ELASTI_OPERATOR_PORT): found a mapping, ` + port},
		{"an alias", "kubeconfig: &a x\noperator: {port: *a}", `operator.yaml:2:18: operator.port (ELASTI_OPERATOR_PORT): found an alias, ` + port},
		{"a number for a text", "kubeconfig: 5", `operator.yaml:1:13: kubeconfig (KUBECONFIG): found a value of type int (text needs quotes), expected the path of a file`},
		{"an own tag", "prometheusTrigger: {authorizationHeader: !pw x}", `operator.yaml:1:42: prometheusTrigger.authorizationHeader (PROMETHEUS_TRIGGER_AUTHORIZATION_HEADER): found a value of another type, expected a header's value: visible ASCII and inner spaces`},
		{"a secret that is not accepted", "prometheusTrigger: {authorizationHeader: \"pw\\n\"}", `operator.yaml:1:42: prometheusTrigger.authorizationHeader (PROMETHEUS_TRIGGER_AUTHORIZATION_HEADER): found a value that is not shown, expected a header's value: visible ASCII and inner spaces`},
		{"a secret that looks like an alias", "prometheusTrigger: {authorizationHeader: *pw }", "operator.yaml:1:1: found broken syntax (an alias without an anchor), expected valid YAML"},
		{"broken syntax", "a: b\nc: [}\n\n", "operator.yaml:2:1: found broken syntax (did not find expected node content), expected valid YAML"},
		{"two documents", "log: {}\n---\nlog: {}", "operator.yaml:2:1: found a second document, expected one"},
		{"a broken second document", "log: {}\n---\n[", "operator.yaml:3:1: found broken syntax (did not find expected node content), expected valid YAML"},
		{"too long", "#" + strings.Repeat("x", 1<<20), "operator.yaml:1:1: found 1048577 bytes, expected at most 1048576"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := config.Load(config.Sources{Lookup: environment(), File: file(c.text)})
			assert.EqualError(t, err, c.want)
			var problem *config.Problem
			require.ErrorAs(t, err, &problem)
			assert.Contains(t, problem.At, "operator.yaml:")
		})
	}
}

func TestFilesThatSayNothing(t *testing.T) {
	for _, text := range []string{"", "# only a comment", "---\n", "null", "{}"} {
		got, err := config.Load(config.Sources{Lookup: environment(), File: file(text)})
		require.NoError(t, err, text)
		assert.Equal(t, general(), got.General, text)
	}
}

func TestAFaultInTheFileExplainsWhatIsMissing(t *testing.T) {
	_, err := config.Load(config.Sources{File: file("operator: [a]\nresolver: {port: x, proxyPort: 1, namespace: a, service: b}")})
	assert.EqualError(t, err, `operator.yaml:1:11: operator: found a list, expected a mapping with namespace, deployment, service, port
ELASTI_RESOLVER_DEPLOYMENT_NAME: found nothing, expected a DNS name (labels of a-z, 0-9 and inner -, with dots between them)
operator.yaml:2:18: resolver.port (ELASTI_RESOLVER_PORT): found "x", expected a port from 1 to 65535
KUBERNETES_CLUSTER_DOMAIN: found nothing, expected a DNS name (labels of a-z, 0-9 and inner -, with dots between them)`)
	_, err = config.Load(config.Sources{File: file("%")})
	assert.EqualError(t, err, "operator.yaml:1:1: found broken syntax (could not find expected directive name), expected valid YAML")
}

func TestFromEnvironment(t *testing.T) {
	for name, value := range required {
		t.Setenv(name, value)
	}
	t.Setenv(config.FileVariable, "")
	from, err := config.FromEnvironment()
	require.NoError(t, err)
	got, err := config.Load(from)
	require.NoError(t, err)
	assert.Equal(t, 30*time.Second, got.PollingInterval)

	name := filepath.Join(t.TempDir(), "operator.yaml")
	require.NoError(t, os.WriteFile(name, []byte("pollingInterval: 7s"), 0o600))
	t.Setenv(config.FileVariable, name)
	from, err = config.FromEnvironment()
	require.NoError(t, err)
	got, err = config.Load(from)
	require.NoError(t, err)
	assert.Equal(t, 7*time.Second, got.PollingInterval)

	t.Setenv(config.FileVariable, name+".absent")
	_, err = config.FromEnvironment()
	assert.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorContains(t, err, "reading the file that ELASTI_CONFIG_FILE names: ")
}
