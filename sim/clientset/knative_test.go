package clientset

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"

	"github.com/scalelab/scalelab/k8shelper"
	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/knative"
	"github.com/scalelab/scalelab/sim"
)

func revision() sim.Objects {
	o := web(2)
	o.Revision = &knative.Revision{
		Name: "web", ContainerConcurrency: 10, Annotations: map[string]string{"autoscaling.knative.dev/max-scale": "5"},
	}
	return o
}

// thought is a decision of Knative's autoscaler.
func thought(desired int32, proxies float64, active string) messages.Decision {
	return messages.Decision{
		Desired: desired,
		Conditions: []messages.Condition{
			{Type: "Active", Status: active, Reason: "Queued", Message: "wait"}, {Type: "SKSReady", Status: "True"},
		},
		Signals: []messages.Signal{{Name: "desired_scale", Value: float64(desired)}, {Name: "proxy_mode", Value: proxies}},
	}
}

func TestKnativeObjectsFollowTheDecisions(t *testing.T) {
	a := newActuator(t, revision())
	read := func(resource schema.GroupVersionResource) *unstructured.Unstructured {
		u, err := a.Cluster().Dynamic.Resource(resource).Namespace("default").Get(ctx, "web", metav1.GetOptions{})
		require.NoError(t, err)
		return u
	}
	mode := func() any { return read(k8shelper.ServerlessServices).Object["spec"].(map[string]any)["mode"] }
	carry := func(now time.Duration, d messages.Decision) map[string]any {
		_, err := a.Carry(now, "knative", d)
		require.NoError(t, err)
		return read(k8shelper.PodAutoscalers).Object["status"].(map[string]any)
	}
	pa := read(k8shelper.PodAutoscalers)
	assert.Equal(t, "PodAutoscaler", pa.GetKind())
	assert.Equal(t, map[string]string{"autoscaling.knative.dev/max-scale": "5"}, pa.GetAnnotations())
	assert.Equal(t, map[string]any{
		"scaleTargetRef": map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
		"protocolType":   "http1", "reachability": "Reachable", "containerConcurrency": int64(10),
	}, pa.Object["spec"])
	assert.Equal(t, "Proxy", mode())

	require.NoError(t, a.Mirror(0, nil, messages.Replicas{Created: 2, Ready: 1}))
	status := carry(0, thought(2, 0, "Unknown"))
	assert.Equal(t, "Serve", mode())
	assert.Equal(t, map[string]any{
		"observedGeneration": int64(1), "serviceName": "web", "metricsServiceName": "web-private",
		"desiredScale": int64(2), "actualScale": int64(1),
		"conditions": []any{
			map[string]any{"type": "Active", "status": "Unknown", "reason": "Queued", "message": "wait", "lastTransitionTime": "2026-01-05T00:00:00Z"},
			map[string]any{"type": "SKSReady", "status": "True", "lastTransitionTime": "2026-01-05T00:00:00Z"},
		},
	}, status)
	version := read(k8shelper.PodAutoscalers).GetResourceVersion()
	carry(2*time.Second, thought(2, 0, "Unknown"))
	assert.Equal(t, version, read(k8shelper.PodAutoscalers).GetResourceVersion(), "nothing new, nothing written")

	status = carry(4*time.Second, thought(3, 1, "True"))
	assert.Equal(t, "Proxy", mode())
	assert.Equal(t, int64(3), status["desiredScale"])
	assert.Equal(t, "2026-01-05T00:00:04Z", status["conditions"].([]any)[0].(map[string]any)["lastTransitionTime"])
	assert.Equal(t, "2026-01-05T00:00:00Z", status["conditions"].([]any)[1].(map[string]any)["lastTransitionTime"])
}

func TestKnativeObjectsThatCannotBeWritten(t *testing.T) {
	refused := errors.New("connection refused")
	for name, c := range map[string]struct{ verb, resource string }{
		"the mode":   {"patch", "serverlessservices"},
		"the status": {"patch", "podautoscalers"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newActuator(t, revision())
			a.Cluster().Dynamic.PrependReactor(c.verb, c.resource, func(clienttesting.Action) (bool, runtime.Object, error) {
				return true, nil, refused
			})
			_, err := a.Carry(0, "knative", thought(2, 0, "True"))
			assert.ErrorIs(t, err, refused)
		})
	}
}
