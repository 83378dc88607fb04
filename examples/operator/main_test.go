package main

import (
	"context"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"

	"github.com/scalelab/scalelab/config"
	"github.com/scalelab/scalelab/k8shelper"
	"github.com/scalelab/scalelab/k8shelper/fakecluster"
	"github.com/scalelab/scalelab/messages/notify"
)

var variables = map[string]string{
	"ELASTI_RESOLVER_NAMESPACE": "elasti", "ELASTI_RESOLVER_DEPLOYMENT_NAME": "resolver", "ELASTI_RESOLVER_SERVICE_NAME": "resolver",
	"ELASTI_RESOLVER_PORT": "8013", "ELASTI_RESOLVER_PROXY_PORT": "8012",
	"ELASTI_OPERATOR_NAMESPACE": "elasti", "ELASTI_OPERATOR_DEPLOYMENT_NAME": "operator", "ELASTI_OPERATOR_SERVICE_NAME": "operator",
	"ELASTI_OPERATOR_PORT": "8013", "KUBERNETES_CLUSTER_DOMAIN": "cluster.local", "POLLING_INTERVAL": "never",
}

func load(t *testing.T) config.Config {
	t.Helper()
	c, err := config.Load(config.Sources{Lookup: func(name string) (string, bool) {
		value, ok := variables[name]
		return value, ok
	}})
	require.NoError(t, err)
	return c
}

func cluster(t *testing.T) *fakecluster.Cluster {
	t.Helper()
	labels := map[string]string{"app": "web"}
	c, err := fakecluster.New(fakecluster.Options{Clock: clock.RealClock{}})
	require.NoError(t, err)
	require.NoError(t, c.Put(
		&appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"},
			Spec:       appsv1.DeploymentSpec{Replicas: ptr.To[int32](0), Selector: &metav1.LabelSelector{MatchLabels: labels}},
		},
		&unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "elasti.truefoundry.com/v1alpha1", "kind": "ElastiService",
			"metadata": map[string]any{"namespace": "shop", "name": "web"},
			"spec": map[string]any{
				"scaleTargetRef":    map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
				"service":           "web",
				"minTargetReplicas": int64(2),
				"triggers": []any{map[string]any{"type": "prometheus", "metadata": map[string]any{
					"serverAddress": "http://prometheus:9090", "query": "up", "threshold": "1",
				}}},
			},
		}}))
	return c
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return l
}

func TestRunWakesATargetOnANotification(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	c, listener := cluster(t), listen(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	log := &strings.Builder{}
	go func() { ended <- run(ctx, program{load(t), "shop", c.Clients(), listener, log}) }()

	post := func(body string) int {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+listener.Addr().String()+notify.Path, strings.NewReader(body))
		require.NoError(t, err)
		answer, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		return answer.StatusCode
	}
	assert.Equal(t, http.StatusOK, post(`{"count":1,"svc":"web","namespace":"shop"}`))
	d, err := c.Client.AppsV1().Deployments("shop").Get(ctx, "web", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, int32(2), *d.Spec.Replicas)
	assert.Equal(t, http.StatusInternalServerError, post(`{"count":1,"svc":"other","namespace":"shop"}`))
	assert.Equal(t, http.StatusBadRequest, post(`{}`))

	http.DefaultClient.CloseIdleConnections()
	stop()
	assert.NoError(t, <-ended)
	assert.Contains(t, log.String(), "POLLING_INTERVAL", "the warning of the settings")
	assert.Contains(t, log.String(), "operator runs")
}

func TestRunEndsWithItsListener(t *testing.T) {
	listener := listen(t)
	require.NoError(t, listener.Close())
	err := run(t.Context(), program{load(t), "", cluster(t).Clients(), listener, io.Discard})
	assert.ErrorIs(t, err, net.ErrClosed)
}

func TestRunRefusesMissingClients(t *testing.T) {
	assert.ErrorContains(t, run(t.Context(), program{load(t), "", k8shelper.Clients{}, listen(t), io.Discard}), "Clients")
}

func TestStart(t *testing.T) {
	assert.ErrorIs(t, start(t.Context(), []string{"-h"}, io.Discard), flag.ErrHelp)
	assert.ErrorContains(t, start(t.Context(), nil, io.Discard), "ELASTI_OPERATOR_PORT")
	for name, value := range variables {
		t.Setenv(name, value)
	}
	assert.ErrorIs(t, start(t.Context(), []string{"-kubeconfig", filepath.Join(t.TempDir(), "none")}, io.Discard), k8shelper.ErrInvalid)

	file := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(file, []byte(`{"current-context":"a","contexts":[{"name":"a","context":{"cluster":"a"}}],
		"clusters":[{"name":"a","cluster":{"server":"http://127.0.0.1:1"}}]}`), 0o600))
	l := listen(t)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	t.Setenv("ELASTI_OPERATOR_PORT", port)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	assert.Error(t, start(ended, []string{"-kubeconfig", file}, io.Discard))
}
