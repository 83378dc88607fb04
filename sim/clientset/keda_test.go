package clientset

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scalelab/scalelab/k8shelper"
	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/keda"
	"github.com/scalelab/scalelab/sim"
)

func scaled(annotations map[string]string) sim.Objects {
	o := web(0)
	o.Keda = &keda.ScaledObject{
		TypeMeta:   metav1.TypeMeta{APIVersion: keda.APIVersion, Kind: keda.Kind},
		ObjectMeta: metav1.ObjectMeta{Name: "jobs", Annotations: annotations},
	}
	o.Keda.Spec.ScaleTargetRef.Name = "web"
	o.Keda.Spec.Triggers = []keda.Trigger{{Type: "redis", Metadata: map[string]string{"listName": "jobs", "address": "r"}}}
	return o
}

// TestKedaObjectsFollowTheDecisions: the ScaledObject owns the HPA, and its status
// tells when it was last active.
func TestKedaObjectsFollowTheDecisions(t *testing.T) {
	a := newActuator(t, scaled(nil))
	read := func() map[string]any {
		u, err := a.Cluster().Dynamic.Resource(k8shelper.ScaledObjects).Namespace("default").Get(ctx, "jobs", metav1.GetOptions{})
		require.NoError(t, err)
		status, _ := u.Object["status"].(map[string]any)
		return status
	}
	u, err := a.Cluster().Dynamic.Resource(k8shelper.ScaledObjects).Namespace("default").Get(ctx, "jobs", metav1.GetOptions{})
	require.NoError(t, err)
	h, err := a.Cluster().Client.AutoscalingV2().HorizontalPodAutoscalers("default").Get(ctx, "keda-hpa-jobs", metav1.GetOptions{})
	require.NoError(t, err)
	require.Len(t, h.OwnerReferences, 1)
	assert.Equal(t, u.GetUID(), h.OwnerReferences[0].UID)
	assert.Equal(t, "s0-redis-jobs", h.Spec.Metrics[0].External.Metric.Name)

	said := func(active string, reason messages.Reason) messages.Decision {
		return messages.Decision{Desired: 1, Reason: reason, Conditions: []messages.Condition{
			{Type: "Ready", Status: "True", Reason: "ScaledObjectReady"}, {Type: "Active", Status: active, Reason: "Why"}}}
	}
	_, err = a.Carry(100*time.Millisecond, "keda", said("True", messages.ReasonScaleFromZero))
	require.NoError(t, err)
	status := read()
	assert.Equal(t, "2026-01-05T00:00:00Z", status["lastActiveTime"])
	assert.Equal(t, "keda-hpa-jobs", status["hpaName"])
	_, err = a.Carry(30*time.Second, "keda", said("False", messages.ReasonCooldown))
	require.NoError(t, err)
	status = read()
	assert.Equal(t, "2026-01-05T00:00:00Z", status["lastActiveTime"])
	assert.Equal(t, map[string]any{"type": "Active", "status": "False", "reason": "Why"}, status["conditions"].([]any)[1])
	_, err = a.Carry(60*time.Second, "keda", said("True", messages.ReasonDisabled))
	require.NoError(t, err)
	assert.Equal(t, "2026-01-05T00:00:00Z", read()["lastActiveTime"], "scaling out is paused, which is no activity")
}

func TestAPausedScaledObjectOwnsNothing(t *testing.T) {
	a := newActuator(t, scaled(map[string]string{"autoscaling.keda.sh/paused": "true"}))
	list, err := a.Cluster().Client.AutoscalingV2().HorizontalPodAutoscalers("default").List(ctx, metav1.ListOptions{})
	require.NoError(t, err)
	assert.Empty(t, list.Items)
}
