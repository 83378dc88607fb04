package clientset

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"

	"github.com/scalelab/scalelab/k8shelper"
	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/elasti"
	"github.com/scalelab/scalelab/sim"
	"github.com/scalelab/scalelab/sim/cluster"
)

var (
	ctx   = context.Background()
	start = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
)

// web is a Deployment and a Service of that name, without a namespace.
func web(replicas int32) sim.Objects {
	app := map[string]string{"app": "web"}
	return sim.Objects{
		Deployment: &appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Name: "web"},
			Spec: appsv1.DeploymentSpec{
				Replicas: &replicas,
				Selector: &metav1.LabelSelector{MatchLabels: app},
				Template: corev1.PodTemplateSpec{
					ObjectMeta: metav1.ObjectMeta{Labels: app},
					Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "web"}}},
				},
			},
		},
		Service: &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Name: "web"},
			Spec:       corev1.ServiceSpec{Selector: app, Ports: []corev1.ServicePort{{Name: "http", Port: 80}}},
		},
	}
}

// rescaled is a decision with the event that tells of it.
func rescaled(desired int32) messages.Decision {
	return messages.Decision{Desired: desired, Events: []messages.Event{
		{Type: "Normal", Reason: "SuccessfulRescale", Message: fmt.Sprintf("New size: %d; reason: test", desired)}}}
}

func newActuator(t *testing.T, o sim.Objects) *Actuator {
	t.Helper()
	a, err := New(o, start)
	require.NoError(t, err)
	return a
}

func getPod(t *testing.T, a *Actuator, id int32) *corev1.Pod {
	t.Helper()
	p, err := a.Cluster().Client.CoreV1().Pods("default").Get(ctx, cluster.PodName("web", id), metav1.GetOptions{})
	require.NoError(t, err)
	return p
}

// slicesOf are the slices of the pods, without the one that leads to the resolver.
func slicesOf(t assert.TestingT, a *Actuator) []discoveryv1.EndpointSlice {
	list, err := a.Cluster().Client.DiscoveryV1().EndpointSlices(a.target.Namespace).List(ctx, metav1.ListOptions{
		LabelSelector: discoveryv1.LabelServiceName + "=web," + discoveryv1.LabelManagedBy + "!=" + k8shelper.ManagedBy,
	})
	assert.NoError(t, err)
	return list.Items
}

func at(seconds float64, pod int32, to cluster.State) cluster.Transition {
	return cluster.Transition{At: time.Duration(seconds * float64(time.Second)), Pod: pod, To: to}
}

func TestLifeOfAPod(t *testing.T) {
	a := newActuator(t, web(1))
	mirror := func(now float64, created, ready int32, changes ...cluster.Transition) {
		t.Helper()
		require.NoError(t, a.Mirror(time.Duration(now*float64(time.Second)), changes, messages.Replicas{Created: created, Ready: ready}))
	}
	condition := func(p *corev1.Pod, kind corev1.PodConditionType) corev1.PodCondition {
		for _, c := range p.Status.Conditions {
			if c.Type == kind {
				return c
			}
		}
		return corev1.PodCondition{}
	}
	second := func(n int) time.Time { return start.Add(time.Duration(n) * time.Second) }

	mirror(15, 1, 0, at(3.9, 0, cluster.Pending))
	p := getPod(t, a, 0)
	assert.Equal(t, second(3), p.CreationTimestamp.UTC(), "its own instant, in whole seconds")
	assert.Equal(t, corev1.PodPending, p.Status.Phase)
	assert.Nil(t, p.Status.StartTime)
	assert.Empty(t, p.Status.Conditions)

	mirror(30, 1, 0, at(20, 0, cluster.Scheduled))
	p = getPod(t, a, 0)
	assert.Equal(t, nodeName, p.Spec.NodeName)
	assert.Equal(t, corev1.PodPending, p.Status.Phase)
	assert.Equal(t, second(20), p.Status.StartTime.UTC())
	ready := condition(p, corev1.PodReady)
	assert.Equal(t, corev1.ConditionFalse, ready.Status)
	assert.Equal(t, second(20), ready.LastTransitionTime.UTC())
	assert.Equal(t, corev1.ConditionTrue, condition(p, corev1.PodScheduled).Status)

	mirror(45, 1, 0, at(40, 0, cluster.Starting))
	p = getPod(t, a, 0)
	assert.Equal(t, corev1.PodRunning, p.Status.Phase)
	assert.Equal(t, "10.0.0.1", p.Status.PodIP)
	assert.Equal(t, second(20), condition(p, corev1.PodReady).LastTransitionTime.UTC())
	assert.Empty(t, slicesOf(t, a)[0].Endpoints)

	mirror(60, 1, 1, at(50.5, 0, cluster.Ready))
	p = getPod(t, a, 0)
	ready = condition(p, corev1.PodReady)
	assert.Equal(t, corev1.ConditionTrue, ready.Status)
	assert.Equal(t, second(50), ready.LastTransitionTime.UTC())
	endpoint := slicesOf(t, a)[0].Endpoints[0]
	assert.Equal(t, []string{"10.0.0.1"}, endpoint.Addresses)
	assert.Equal(t, p.UID, endpoint.TargetRef.UID)
	assert.Equal(t, discoveryv1.EndpointConditions{Ready: ptr.To(true), Serving: ptr.To(true), Terminating: ptr.To(false)}, endpoint.Conditions)
	has, err := a.ops.HasReadyEndpoint(ctx, "default", "web")
	require.NoError(t, err)
	assert.True(t, has)

	mirror(75, 0, 0, at(70, 0, cluster.Draining))
	p = getPod(t, a, 0)
	assert.Equal(t, second(100), p.DeletionTimestamp.UTC(), "after the grace period of 30 s")
	endpoint = slicesOf(t, a)[0].Endpoints[0]
	assert.Equal(t, discoveryv1.EndpointConditions{Ready: ptr.To(false), Serving: ptr.To(true), Terminating: ptr.To(true)}, endpoint.Conditions)

	mirror(90, 0, 0, at(80, 0, cluster.Gone))
	pods, err := a.Cluster().Client.CoreV1().Pods("default").List(ctx, metav1.ListOptions{})
	require.NoError(t, err)
	assert.Empty(t, pods.Items)
	assert.Empty(t, slicesOf(t, a)[0].Endpoints)
}

func TestAPodThatStartsAgainLeavesTheEndpoints(t *testing.T) {
	a := newActuator(t, web(1))
	require.NoError(t, a.Mirror(0, []cluster.Transition{at(0, 0, cluster.Ready)}, messages.Replicas{Created: 1, Ready: 1}))
	require.NoError(t, a.Mirror(10*time.Second, []cluster.Transition{at(5, 0, cluster.Starting)}, messages.Replicas{Created: 1}))
	assert.Empty(t, slicesOf(t, a)[0].Endpoints)
	for _, c := range getPod(t, a, 0).Status.Conditions {
		if c.Type == corev1.PodReady {
			assert.Equal(t, corev1.ConditionFalse, c.Status)
			assert.Equal(t, start.Add(5*time.Second), c.LastTransitionTime.UTC())
		}
	}
}

func TestAPodWithoutGraceIsGoneAtOnce(t *testing.T) {
	o := web(1)
	o.Deployment.Spec.Template.Spec.TerminationGracePeriodSeconds = ptr.To[int64](0)
	a := newActuator(t, o)
	require.NoError(t, a.Mirror(time.Second, []cluster.Transition{
		at(0, 0, cluster.Ready), at(1, 0, cluster.Draining), at(1, 0, cluster.Gone),
	}, messages.Replicas{}))
	assert.Empty(t, a.pods)
}

func TestMirrorFailsOnUnknownPods(t *testing.T) {
	a := newActuator(t, web(0))
	err := a.Mirror(0, []cluster.Transition{at(0, 4, cluster.Gone)}, messages.Replicas{})
	assert.EqualError(t, err, "mirror pod 4 becoming Gone at 0s: the pod does not exist")
}

func TestDeploymentStatusFollows(t *testing.T) {
	a := newActuator(t, web(0))
	status := func() appsv1.DeploymentStatus {
		d, err := a.Cluster().Client.AppsV1().Deployments("default").Get(ctx, "web", metav1.GetOptions{})
		require.NoError(t, err)
		return d.Status
	}
	require.NoError(t, a.Mirror(0, nil, messages.Replicas{}))
	assert.Equal(t, appsv1.DeploymentStatus{ObservedGeneration: 1}, status())

	stands, err := a.Carry(0, "oracle", messages.Decision{Desired: 2})
	require.NoError(t, err)
	assert.Equal(t, int32(2), stands)
	assert.Equal(t, int64(1), status().ObservedGeneration, "its controller has not looked yet")
	require.NoError(t, a.Mirror(time.Second, []cluster.Transition{at(0, 0, cluster.Pending), at(0, 1, cluster.Ready)},
		messages.Replicas{Created: 2, Ready: 1}))
	assert.Equal(t, appsv1.DeploymentStatus{
		ObservedGeneration: 2, Replicas: 2, UpdatedReplicas: 2, ReadyReplicas: 1, AvailableReplicas: 1, UnavailableReplicas: 1,
	}, status())
}

func TestCarryRecordsWhatTheHPAControllerRecords(t *testing.T) {
	o := web(2)
	o.HPA = &autoscalingv2.HorizontalPodAutoscaler{}
	a := newActuator(t, o)
	client := a.Cluster().Client
	hpa := func() *autoscalingv2.HorizontalPodAutoscaler {
		h, err := client.AutoscalingV2().HorizontalPodAutoscalers("default").Get(ctx, "web", metav1.GetOptions{})
		require.NoError(t, err)
		return h
	}
	carry := func(now time.Duration, d messages.Decision) {
		t.Helper()
		stands, err := a.Carry(now, "hpa", d)
		require.NoError(t, err)
		assert.Equal(t, d.Desired, stands)
	}
	carry(0, messages.Decision{Desired: 2, Reason: messages.ReasonSteady})
	assert.Equal(t, autoscalingv2.HorizontalPodAutoscalerStatus{
		ObservedGeneration: ptr.To[int64](1), CurrentReplicas: 2, DesiredReplicas: 2}, hpa().Status)
	seen := hpa().ResourceVersion

	carry(15500*time.Millisecond, rescaled(5))
	h := hpa()
	assert.Equal(t, int32(2), h.Status.CurrentReplicas, "what the decision was made on")
	assert.Equal(t, int32(5), h.Status.DesiredReplicas)
	assert.Equal(t, start.Add(15*time.Second), h.Status.LastScaleTime.UTC())
	events, err := client.CoreV1().Events("default").List(ctx, metav1.ListOptions{})
	require.NoError(t, err)
	require.Len(t, events.Items, 1)
	assert.Equal(t, "SuccessfulRescale", events.Items[0].Reason)
	assert.Equal(t, "New size: 5; reason: test", events.Items[0].Message)
	assert.Equal(t, corev1.ObjectReference{APIVersion: "autoscaling/v2", Kind: "HorizontalPodAutoscaler",
		Namespace: "default", Name: "web", UID: h.UID, ResourceVersion: seen}, events.Items[0].InvolvedObject)
	assert.Equal(t, "horizontal-pod-autoscaler", events.Items[0].Source.Component)
	assert.Equal(t, start.Add(15*time.Second), events.Items[0].LastTimestamp.UTC())

	carry(30*time.Second, messages.Decision{Desired: 5, Reason: messages.ReasonSteady})
	assert.Equal(t, int32(5), hpa().Status.CurrentReplicas)
	version := hpa().ResourceVersion
	carry(45*time.Second, messages.Decision{Desired: 5, Reason: messages.ReasonSteady})
	assert.Equal(t, version, hpa().ResourceVersion, "nothing new, nothing written")

	carry(60*time.Second, rescaled(1))
	carry(75*time.Second, messages.Decision{Desired: 1, Reason: messages.ReasonMetricFailed})
	assert.Equal(t, int32(1), hpa().Status.CurrentReplicas)
	assert.Equal(t, start.Add(60*time.Second), hpa().Status.LastScaleTime.UTC())
}

func TestCarryKeepsTheLastWishWithoutMetrics(t *testing.T) {
	o := web(2)
	o.HPA = &autoscalingv2.HorizontalPodAutoscaler{}
	a := newActuator(t, o)
	_, err := a.Carry(0, "hpa", messages.Decision{Desired: 2, Reason: messages.ReasonMetricFailed})
	require.NoError(t, err)
	h, err := a.Cluster().Client.AutoscalingV2().HorizontalPodAutoscalers("default").Get(ctx, "web", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, autoscalingv2.HorizontalPodAutoscalerStatus{ObservedGeneration: ptr.To[int64](1), CurrentReplicas: 2}, h.Status)
}

func TestCarryStampsWakeUps(t *testing.T) {
	o := web(0)
	o.Elasti = &elasti.ElastiService{Spec: elasti.ElastiServiceSpec{Service: "web"}}
	a := newActuator(t, o)
	status := func() any {
		u, err := a.Cluster().Dynamic.Resource(k8shelper.ElastiServices).Namespace("default").Get(ctx, "web", metav1.GetOptions{})
		require.NoError(t, err)
		return u.Object["status"]
	}
	for i, d := range []messages.Decision{
		{Desired: 0, Reason: messages.ReasonCooldown},
		{Desired: 1, Reason: messages.ReasonScaleFromZero},
		{Desired: 0, Reason: messages.ReasonScaleToZero},
	} {
		_, err := a.Carry(time.Duration(i)*time.Minute, "elasti", d)
		require.NoError(t, err)
		want := any(map[string]any{"lastScaledUpTime": "2026-01-05T00:01:00Z"})
		if i == 0 {
			want = nil
		}
		assert.Equal(t, want, status(), d.Reason)
	}
}

func TestCallsAreForgotten(t *testing.T) {
	a := newActuator(t, web(1))
	require.NoError(t, a.Mirror(0, []cluster.Transition{at(0, 0, cluster.Ready)}, messages.Replicas{Created: 1, Ready: 1}))
	_, err := a.Replicas(0)
	require.NoError(t, err)
	_, err = a.Carry(0, "hpa", messages.Decision{Desired: 4})
	require.NoError(t, err)
	assert.Empty(t, a.Cluster().Client.Actions())
	assert.Empty(t, a.Cluster().Scales.Actions())
}

func TestFailuresOfTheAPIAreReported(t *testing.T) {
	refused := errors.New("connection refused")
	ready := []cluster.Transition{at(0, 0, cluster.Ready)}
	counts := messages.Replicas{Created: 1, Ready: 1}
	mirror := func(a *Actuator) error { return a.Mirror(0, ready, counts) }
	carry := func(loop string, d messages.Decision) func(*Actuator) error {
		return func(a *Actuator) error { _, err := a.Carry(0, loop, d); return err }
	}
	rescale := rescaled(3)
	rescale.Reason = messages.ReasonScaleFromZero
	for name, test := range map[string]struct {
		verb, resource, subresource string
		do                          func(*Actuator) error
	}{
		"pod is not created":        {"create", "pods", "", mirror},
		"pod is not bound":          {"create", "pods", "binding", mirror},
		"pod status is not written": {"update", "pods", "status", mirror},
		"slice is not written":      {"update", "endpointslices", "", mirror},
		"deployment is not read":    {"get", "deployments", "", mirror},
		"status is not written":     {"update", "deployments", "status", mirror},
		"pod is not deleted": {"delete", "pods", "", func(a *Actuator) error {
			return a.Mirror(0, append(ready, at(0, 0, cluster.Draining)), messages.Replicas{})
		}},
		"scale is not read": {"get", "deployments", "scale", carry("hpa", rescale)},
		"scale is not read for the counts": {"get", "deployments", "scale", func(a *Actuator) error {
			_, err := a.Replicas(0)
			return err
		}},
		"status is not read": {"get", "deployments", "", func(a *Actuator) error {
			_, err := a.Replicas(0)
			return err
		}},
		"scale is not written":           {"update", "deployments", "scale", carry("oracle", rescale)},
		"hpa status is not written":      {"update", "horizontalpodautoscalers", "status", carry("hpa", rescale)},
		"event is not written":           {"create", "events", "", carry("hpa", rescale)},
		"elasti service is not written":  {"patch", "elastiservices", "status", carry("elasti", rescale)},
		"resolver slice is not written":  {"create", "endpointslices", "", func(a *Actuator) error { return a.Mirror(0, nil, messages.Replicas{}) }},
		"private service is not written": {"create", "services", "", func(a *Actuator) error { return a.Mirror(0, nil, messages.Replicas{}) }},
		"resolver slice is not deleted":  {"delete", "endpointslices", "", mirror},
	} {
		t.Run(name, func(t *testing.T) {
			o := web(0)
			o.HPA, o.Elasti = &autoscalingv2.HorizontalPodAutoscaler{}, &elasti.ElastiService{}
			a := newActuator(t, o)
			fail := func(action clienttesting.Action) (bool, runtime.Object, error) {
				return action.GetSubresource() == test.subresource, nil, refused
			}
			a.Cluster().Client.PrependReactor(test.verb, test.resource, fail)
			a.Cluster().Dynamic.PrependReactor(test.verb, test.resource, fail)
			a.Cluster().Scales.PrependReactor(test.verb, test.resource, fail)
			assert.ErrorIs(t, test.do(a), refused)
		})
	}
}

func TestAWriteThatIsNotReadBackFails(t *testing.T) {
	a := newActuator(t, web(0))
	reads := 0
	a.Cluster().Scales.PrependReactor("get", "deployments", func(clienttesting.Action) (bool, runtime.Object, error) {
		reads++
		return reads == 3, nil, errors.New("connection refused")
	})
	_, err := a.Carry(0, "oracle", messages.Decision{Desired: 1})
	assert.EqualError(t, err, "read scale of deployment default/web: connection refused")
}
