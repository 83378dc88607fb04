package k8shelper_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/scalelab/scalelab/k8shelper"
	"github.com/scalelab/scalelab/k8shelper/fakecluster"
)

// kubeconfig writes a file with the contexts "here", which is current and leads
// to the server, and "nowhere".
func kubeconfig(t *testing.T, server *httptest.Server) string {
	t.Helper()
	config := clientcmdapi.NewConfig()
	config.Clusters["here"] = &clientcmdapi.Cluster{
		Server: server.URL, CertificateAuthorityData: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
	}
	config.Clusters["nowhere"] = &clientcmdapi.Cluster{Server: "http://127.0.0.1:1"}
	config.AuthInfos["me"] = &clientcmdapi.AuthInfo{Token: "secret"}
	config.Contexts["here"] = &clientcmdapi.Context{Cluster: "here", AuthInfo: "me"}
	config.Contexts["nowhere"] = &clientcmdapi.Context{Cluster: "nowhere", AuthInfo: "me"}
	config.CurrentContext = "here"
	file := filepath.Join(t.TempDir(), "config")
	require.NoError(t, clientcmd.WriteToFile(*config, file))
	return file
}

// served is a cluster over HTTP, and the headers of the last request to it.
func served(t *testing.T, wrap func(http.Handler) http.Handler) (*fakecluster.Cluster, *httptest.Server, func() http.Header) {
	t.Helper()
	c, err := fakecluster.New(fakecluster.Options{
		Clock: clocktesting.NewFakePassiveClock(start), LogCalls: 100,
	})
	require.NoError(t, err)
	require.NoError(t, c.Put(deployment(), service("web"),
		custom(k8shelper.Rollouts, "Rollout", "web", map[string]any{"spec": map[string]any{"replicas": int64(0)}}),
		custom(k8shelper.ScaledObjects, "ScaledObject", "web", map[string]any{"spec": map[string]any{}}),
		custom(k8shelper.ElastiServices, "ElastiService", "web", map[string]any{"spec": map[string]any{}}),
	))
	headers := make(chan http.Header, 1)
	handler := c.Handler()
	if wrap != nil {
		handler = wrap(handler)
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-headers:
		default:
		}
		headers <- r.Header.Clone()
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return c, server, func() http.Header { return <-headers }
}

func connected(t *testing.T, options k8shelper.Options) (*k8shelper.Clients, *k8shelper.Ops) {
	t.Helper()
	clients, err := k8shelper.Connect(options)
	require.NoError(t, err)
	ops, err := k8shelper.New(*clients)
	require.NoError(t, err)
	return clients, ops
}

// The whole of Ops through real clients, over real HTTP.
func TestOpsOverHTTP(t *testing.T) {
	c, server, headers := served(t, nil)
	clients, ops := connected(t, k8shelper.Options{Kubeconfig: kubeconfig(t, server), UserAgent: "operator/1", QPS: -1})

	read, err := ops.Scale(ctx, web)
	require.NoError(t, err)
	assert.Equal(t, []any{int32(3), int32(2), "app=web"}, []any{read.Desired, read.Created, read.Selector})
	header := headers()
	assert.Equal(t, "operator/1", header.Get("User-Agent"))
	assert.Equal(t, "Bearer secret", header.Get("Authorization"))
	written, err := ops.SetScale(ctx, web, 5)
	require.NoError(t, err)
	assert.Equal(t, int32(5), written.Desired)
	_, err = ops.SetScaleAt(ctx, web, 6, read.ResourceVersion)
	assert.ErrorIs(t, err, k8shelper.ErrConflict)

	rollout := k8shelper.Target{APIVersion: "argoproj.io/v1alpha1", Kind: "rollouts", Namespace: "shop", Name: "web"}
	written, err = ops.SetScale(ctx, rollout, 2)
	require.NoError(t, err)
	assert.Equal(t, int32(2), written.Desired)
	_, err = ops.Scale(ctx, k8shelper.Target{APIVersion: "x.io/v1", Kind: "X", Namespace: "shop", Name: "web"})
	assert.ErrorIs(t, err, k8shelper.ErrNoMatch)
	_, err = ops.Scale(ctx, k8shelper.Deployment("shop", "gone"))
	assert.ErrorIs(t, err, k8shelper.ErrNotFound)

	require.NoError(t, ops.Annotate(ctx, scaledObject, k8shelper.Annotations{Set: map[string]string{"autoscaling.keda.sh/paused": "true"}}))
	require.NoError(t, ops.PatchElastiStatus(ctx, "shop", "web", k8shelper.ElastiStatus{Mode: "proxy"}))
	u, err := ops.Get(ctx, elasti)
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"mode": "proxy"}, u.Object["status"])
	list, err := ops.List(ctx, k8shelper.ElastiServices, "")
	require.NoError(t, err)
	assert.Len(t, list, 1)

	name, err := ops.EnsurePrivateService(ctx, "shop", "web", owner)
	require.NoError(t, err)
	require.NoError(t, ops.EnsureResolverSlice(ctx, k8shelper.ResolverSlice{
		Namespace: "shop", Service: "web", Addresses: []string{"10.0.0.9"}, Port: 8012}))
	has, err := ops.HasReadyEndpoint(ctx, "shop", "web")
	require.NoError(t, err)
	assert.True(t, has)
	pods, err := ops.Pods(ctx, "shop", read.Selector)
	require.NoError(t, err)
	assert.Equal(t, k8shelper.Pods{}, pods)
	recorder, err := k8shelper.NewRecorder(*clients, "operator", clocktesting.NewFakePassiveClock(start))
	require.NoError(t, err)
	require.NoError(t, recorder.Record(ctx, web.Reference(read.UID), k8shelper.Event{Reason: "ScaledUp"}))
	assert.Len(t, events(t, c, "shop"), 1)

	require.NoError(t, ops.DeleteResolverSlice(ctx, "shop", "web"))
	require.NoError(t, ops.DeletePrivateService(ctx, "shop", "web"))
	_, err = c.Client.CoreV1().Services("shop").Get(ctx, name, metav1.GetOptions{})
	assert.Error(t, err)
}

func TestTheContextIsChosen(t *testing.T) {
	_, server, headers := served(t, nil)
	file := kubeconfig(t, server)
	_, ops := connected(t, k8shelper.Options{Kubeconfig: file, Context: "nowhere"})
	_, err := ops.Pods(ctx, "shop", "app=web")
	assert.ErrorIs(t, err, k8shelper.ErrUnavailable, "nobody listens there")
	assert.True(t, k8shelper.Transient(err))

	_, ops = connected(t, k8shelper.Options{Kubeconfig: file, Context: "here", QPS: 5, Burst: 7})
	_, err = ops.Pods(ctx, "shop", "app=web")
	require.NoError(t, err)
	assert.Equal(t, "scalelab", headers().Get("User-Agent"))
}

func TestAServerThatRefuses(t *testing.T) {
	status := http.StatusForbidden
	_, server, _ := served(t, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(metav1.Status{
				TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: "Failure", Code: int32(status), Message: "no"})
		})
	})
	_, ops := connected(t, k8shelper.Options{Kubeconfig: kubeconfig(t, server)})
	for code, want := range map[int]error{
		http.StatusForbidden: k8shelper.ErrForbidden, http.StatusUnauthorized: k8shelper.ErrForbidden,
		http.StatusNotFound: k8shelper.ErrNotFound, http.StatusConflict: k8shelper.ErrConflict,
		http.StatusGatewayTimeout: k8shelper.ErrTimeout, http.StatusBadGateway: k8shelper.ErrUnavailable,
	} {
		status = code
		_, err := ops.Pods(ctx, "shop", "app=web")
		assert.ErrorIs(t, err, want, code)
	}
}

func TestACallThatIsGivenUp(t *testing.T) {
	asked := make(chan struct{}, 1)
	_, server, _ := served(t, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			asked <- struct{}{}
			<-r.Context().Done()
		})
	})
	_, ops := connected(t, k8shelper.Options{Kubeconfig: kubeconfig(t, server)})
	canceled, cancel := context.WithCancel(ctx)
	go func() {
		<-asked
		cancel()
	}()
	_, err := ops.Pods(canceled, "shop", "app=web")
	assert.ErrorIs(t, err, context.Canceled)
	assert.False(t, k8shelper.Transient(err))

	_, ops = connected(t, k8shelper.Options{Kubeconfig: kubeconfig(t, server), Timeout: time.Millisecond})
	_, err = ops.Pods(ctx, "shop", "app=web")
	assert.ErrorIs(t, err, k8shelper.ErrTimeout)
	assert.True(t, k8shelper.Transient(err))
}

func TestOptionsThatCannotBe(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	dir := t.TempDir()
	broken, certificate := filepath.Join(dir, "broken"), filepath.Join(dir, "certificate")
	require.NoError(t, os.WriteFile(broken, []byte("{"), 0o600))
	config := clientcmdapi.NewConfig()
	config.Clusters["c"] = &clientcmdapi.Cluster{Server: "https://127.0.0.1:1", CertificateAuthorityData: []byte("no certificate")}
	config.Contexts["c"] = &clientcmdapi.Context{Cluster: "c"}
	config.CurrentContext = "c"
	require.NoError(t, clientcmd.WriteToFile(*config, certificate))
	for name, test := range map[string]struct {
		options k8shelper.Options
		want    string
	}{
		"nothing":           {k8shelper.Options{}, "found no kubeconfig and not in-cluster, expected one of them"},
		"both":              {k8shelper.Options{InCluster: true, Kubeconfig: "x"}, "expected one way in"},
		"context inside":    {k8shelper.Options{InCluster: true, Context: "x"}, "expected one way in"},
		"not in a cluster":  {k8shelper.Options{InCluster: true}, "unable to load in-cluster configuration"},
		"negative burst":    {k8shelper.Options{Kubeconfig: broken, Burst: -1}, "found burst -1 and timeout 0s, expected none below 0"},
		"no such file":      {k8shelper.Options{Kubeconfig: filepath.Join(dir, "none")}, "no such file or directory"},
		"not a kubeconfig":  {k8shelper.Options{Kubeconfig: broken}, "error loading config file"},
		"no such context":   {k8shelper.Options{Kubeconfig: certificate, Context: "x"}, `context "x" does not exist`},
		"a bad certificate": {k8shelper.Options{Kubeconfig: certificate}, "connect to https://127.0.0.1:1: unable to load root certificates"},
	} {
		clients, err := k8shelper.Connect(test.options)
		assert.Nil(t, clients, name)
		assert.ErrorIs(t, err, k8shelper.ErrInvalid, name)
		assert.ErrorContains(t, err, test.want, name)
	}
}

// In a cluster the address comes from the environment and the token from a
// fixed path, which is only there in a pod.
func TestInCluster(t *testing.T) {
	if _, err := os.Stat("/var/run/secrets/kubernetes.io/serviceaccount/token"); err == nil {
		t.Skip("runs in a cluster")
	}
	t.Setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
	t.Setenv("KUBERNETES_SERVICE_PORT", "443")
	_, err := k8shelper.Connect(k8shelper.Options{InCluster: true})
	assert.ErrorIs(t, err, k8shelper.ErrInvalid)
	assert.ErrorIs(t, err, os.ErrNotExist, "the token is missing")
}
