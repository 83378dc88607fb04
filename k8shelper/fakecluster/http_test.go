package fakecluster

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"
)

// ask sends one request and returns the code and the answer's fields.
func ask(t *testing.T, c *Cluster, method, path, kind, body string) (int, map[string]any) {
	t.Helper()
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	request.Header.Set("Content-Type", kind)
	recorder := httptest.NewRecorder()
	c.Handler().ServeHTTP(recorder, request)
	var answer map[string]any
	if recorder.Header().Get("Content-Type") == "application/json" {
		require.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &answer))
	}
	return recorder.Code, answer
}

func TestRequestsThatCannotBe(t *testing.T) {
	c, _ := newCluster(t, deployment("web", ptr.To[int32](1)), widget("w"))
	const deployments, pods = "/apis/apps/v1/namespaces/default/deployments", "/api/v1/namespaces/default/pods"
	for name, test := range map[string]struct {
		method, path, kind, body string
		code                     int
	}{
		"the root":             {"GET", "/", "", "", 404},
		"no version":           {"GET", "/apis/apps", "", "", 404},
		"no group":             {"GET", "/apis/none/v1", "", "", 404},
		"no resource":          {"GET", "/apis/apps/v1/nothings", "", "", 404},
		"too deep":             {"GET", deployments + "/web/scale/more", "", "", 404},
		"missing":              {"GET", deployments + "/gone", "", "", 404},
		"watch":                {"GET", pods + "?watch=true", "", "", 405},
		"labels unreadable":    {"GET", pods + "?labelSelector=a+in", "", "", 400},
		"fields unreadable":    {"GET", pods + "?fieldSelector=a", "", "", 400},
		"fields not supported": {"GET", pods + "?fieldSelector=a%3Db", "", "", 400},
		"all at once":          {"DELETE", pods, "", "", 405},
		"another method":       {"HEAD", deployments + "/web", "", "", 405},
		"no object":            {"POST", pods, "application/json", "", 400},
		"no kind":              {"POST", pods, "application/json", "{}", 400},
		"not JSON":             {"PUT", deployments + "/web", "application/json", "{", 400},
		"not protobuf":         {"PUT", deployments + "/web", "application/vnd.kubernetes.protobuf", "k8s\x00\xff", 400},
		"no patch":             {"PATCH", deployments + "/web", "text/plain; charset=utf-8", "{}", 415},
		"bad options":          {"DELETE", deployments + "/web", "application/json", `{"kind":"Pod","apiVersion":"v1"}`, 400},
	} {
		t.Run(name, func(t *testing.T) {
			code, answer := ask(t, c, test.method, test.path, test.kind, test.body)
			assert.Equal(t, test.code, code, answer)
			assert.Equal(t, "Status", answer["kind"])
		})
	}
}

func TestRequests(t *testing.T) {
	c, _ := newCluster(t, deployment("web", ptr.To[int32](1)))
	const deployments = "/apis/apps/v1/namespaces/default/deployments"
	code, answer := ask(t, c, "GET", "/apis/apps/v1/deployments?labelSelector=app%3Dweb", "", "")
	assert.Equal(t, 200, code)
	assert.Empty(t, answer["items"], "the Deployment itself has no labels")
	code, answer = ask(t, c, "PATCH", deployments+"/web", "application/merge-patch+json", `{"spec":{"replicas":4}}`)
	assert.Equal(t, 200, code)
	assert.Equal(t, float64(4), answer["spec"].(map[string]any)["replicas"])
	code, answer = ask(t, c, "GET", deployments+"/web/scale", "", "")
	assert.Equal(t, 200, code)
	assert.Equal(t, "Scale", answer["kind"])
	code, _ = ask(t, c, "POST", "/apis/example.com/v1/namespaces/default/widgets", "", `{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"w"}}`)
	assert.Equal(t, 201, code)
	code, _ = ask(t, c, "DELETE", deployments+"/web", "application/json",
		`{"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"uid":"another"}}`)
	assert.Equal(t, 409, code)
	code, answer = ask(t, c, "DELETE", deployments+"/web", "", "")
	assert.Equal(t, 200, code)
	assert.Equal(t, "Success", answer["status"])
	code, _ = ask(t, c, "POST", "/api/v1/nodes", "", `{"apiVersion":"v1","kind":"Node","metadata":{"name":"n"}}`)
	assert.Equal(t, 201, code)
	code, _ = ask(t, c, "GET", "/api/v1/namespaces/default", "", "")
	assert.Equal(t, 404, code, "the namespace itself, which nobody made")
}

func TestDiscovery(t *testing.T) {
	c, _ := newCluster(t)
	code, answer := ask(t, c, "GET", "/version", "", "")
	assert.Equal(t, []any{200, "v1.37.2"}, []any{code, answer["gitVersion"]})
	_, answer = ask(t, c, "GET", "/api", "", "")
	assert.Equal(t, []any{"v1"}, answer["versions"])
	_, answer = ask(t, c, "GET", "/apis", "", "")
	preferred := map[string]any{}
	for _, group := range answer["groups"].([]any) {
		group := group.(map[string]any)
		preferred[group["name"].(string)] = group["preferredVersion"].(map[string]any)["version"]
	}
	for group, version := range map[string]string{
		"apps": "v1", "autoscaling": "v2", "argoproj.io": "v1alpha1", "example.com": "v1", "metrics.k8s.io": "v1beta1",
	} {
		if group == "autoscaling" {
			assert.Contains(t, preferred, group)
			continue
		}
		assert.Equal(t, version, preferred[group], group)
	}
	_, answer = ask(t, c, "GET", "/apis/argoproj.io/v1alpha1", "", "")
	var names []string
	for _, r := range answer["resources"].([]any) {
		names = append(names, r.(map[string]any)["name"].(string))
	}
	assert.Equal(t, []string{"rollouts", "rollouts/scale"}, names)
}

// broken is a body that breaks off.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("broken off") }

func TestBodiesThatBreakOff(t *testing.T) {
	c, _ := newCluster(t)
	recorder := httptest.NewRecorder()
	c.Handler().ServeHTTP(recorder, httptest.NewRequest("POST", "/api/v1/nodes", io.NopCloser(broken{})))
	assert.Equal(t, http.StatusBadRequest, recorder.Code)
}

func TestAnswersThatAreNoStatus(t *testing.T) {
	c, err := New(Options{Clock: fixed{}, Faults: func(Call) Fault { return Fault{Err: errors.New("cable cut")} }})
	require.NoError(t, err)
	code, _ := ask(t, c, "GET", "/api/v1/nodes/n", "", "")
	assert.Equal(t, 500, code)
	c.server.faults = func(Call) Fault { return Fault{Err: apierrors.NewTooManyRequests("later", 1)} }
	code, answer := ask(t, c, "GET", "/api/v1/nodes/n", "", "")
	assert.Equal(t, 429, code)
	assert.Equal(t, "later", answer["message"])
}

func FuzzPaths(f *testing.F) {
	for _, path := range []string{"/", "//", "/api", "/apis/apps/v1/namespaces/a/deployments/b/scale", "/api/v1/namespaces/", "/api/v1/%2f"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		a, ok := parsePath(path)
		if ok {
			assert.NotContains(t, a.gvr.Resource+a.namespace+a.name, "/")
		}
	})
}
