package clientset

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/scalelab/scalelab/k8shelper"
	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/elasti"
	"github.com/scalelab/scalelab/sim"
	"github.com/scalelab/scalelab/sim/cluster"
)

func TestNewStandsAtTimeZero(t *testing.T) {
	a := newActuator(t, web(2))
	assert.Equal(t, "clientset", a.Name())
	d, err := a.Cluster().Client.AppsV1().Deployments("default").Get(ctx, "web", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, ptr.To[int32](2), d.Spec.Replicas)
	assert.Equal(t, start, d.CreationTimestamp.UTC())
	s, err := a.Cluster().Client.CoreV1().Services("default").Get(ctx, "web", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"app": "web"}, s.Spec.Selector)
	slices := slicesOf(t, a)
	require.Len(t, slices, 1)
	assert.Empty(t, slices[0].Endpoints)
	assert.Equal(t, s.UID, slices[0].OwnerReferences[0].UID)
	got, err := a.Replicas(0)
	require.NoError(t, err)
	assert.Equal(t, messages.Replicas{Desired: 2}, got)
}

func TestADeploymentWithoutACountHasOne(t *testing.T) {
	o := web(0)
	o.Deployment.Spec.Replicas = nil
	got, err := newActuator(t, o).Replicas(0)
	require.NoError(t, err)
	assert.Equal(t, messages.Replicas{Desired: 1}, got)
}

// shop is a workload as read from a cluster: in a namespace of its own, with
// versions. What may be left out beside the Deployment is left out.
func shop() sim.Objects {
	o := web(3)
	o.Deployment.ObjectMeta = metav1.ObjectMeta{Name: "front", Namespace: "shop", ResourceVersion: "123"}
	o.Deployment.Spec.Template.Spec.Containers = []corev1.Container{{
		Name: "c", Ports: []corev1.ContainerPort{{Name: "metrics", ContainerPort: 9090}, {Name: "web", ContainerPort: 8443}},
	}}
	o.Service.Spec.Ports = []corev1.ServicePort{
		{Name: "https", TargetPort: intstr.FromString("web"), Port: 443},
		{Name: "number", TargetPort: intstr.FromInt32(8080), Port: 80, Protocol: corev1.ProtocolUDP},
		{Name: "same", Port: 81},
		{Name: "lost", TargetPort: intstr.FromString("nowhere"), Port: 82},
	}
	o.HPA = &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{ResourceVersion: "124"}}
	o.Elasti = &elasti.ElastiService{
		ObjectMeta: metav1.ObjectMeta{ResourceVersion: "125", Labels: map[string]string{"team": "a"}},
		Spec: elasti.ElastiServiceSpec{Service: "web", Triggers: []elasti.Trigger{
			{Type: "prometheus", Metadata: elasti.TriggerMetadata{Headers: map[string]string{"X-Team": "a"}}},
		}},
	}
	return o
}

func TestNewTakesManifests(t *testing.T) {
	a := newActuator(t, shop())
	client := a.Cluster().Client
	d, err := client.AppsV1().Deployments("shop").Get(ctx, "front", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, ptr.To[int32](3), d.Spec.Replicas)
	_, err = client.AutoscalingV2().HorizontalPodAutoscalers("shop").Get(ctx, "front", metav1.GetOptions{})
	require.NoError(t, err)
	u, err := a.Cluster().Dynamic.Resource(k8shelper.ElastiServices).Namespace("shop").Get(ctx, "front", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, "ElastiService", u.GetKind())
	slices, err := client.DiscoveryV1().EndpointSlices("shop").List(ctx, metav1.ListOptions{})
	require.NoError(t, err)
	ports := map[string]int32{}
	for _, p := range slices.Items[0].Ports {
		ports[*p.Name+"/"+string(*p.Protocol)] = *p.Port
	}
	assert.Equal(t, map[string]int32{"https/TCP": 8443, "number/UDP": 8080, "same/TCP": 81}, ports)
}

func TestManifestsAreCopied(t *testing.T) {
	o := shop()
	a := newActuator(t, o)
	assert.Equal(t, shop(), o, "manifests are not changed")

	o.Deployment.Spec.Template.Labels["app"] = "changed"
	o.Deployment.Spec.Template.Spec.Containers[0].Ports[0].Name = "changed"
	o.Elasti.Labels["team"] = "changed"
	o.Elasti.Spec.Triggers[0].Metadata.Headers["X-Team"] = "changed"
	require.NoError(t, a.Mirror(0, []cluster.Transition{at(0, 0, cluster.Ready)}, messages.Replicas{Created: 1, Ready: 1}))
	p, err := a.Cluster().Client.CoreV1().Pods("shop").Get(ctx, "front-00000", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"app": "web"}, p.Labels)
	assert.Equal(t, shop().Deployment.Spec.Template.Spec.Containers, p.Spec.Containers)
	u, err := a.Cluster().Dynamic.Resource(k8shelper.ElastiServices).Namespace("shop").Get(ctx, "front", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"team": "a"}, u.GetLabels())
	trigger := u.Object["spec"].(map[string]any)["triggers"].([]any)[0].(map[string]any)
	assert.Equal(t, map[string]any{"X-Team": "a"}, trigger["metadata"].(map[string]any)["headers"])
}

func TestAWorkloadLivesInItsOwnNamespace(t *testing.T) {
	a := newActuator(t, shop())
	client := a.Cluster().Client
	require.NoError(t, a.Mirror(time.Second, []cluster.Transition{at(0, 0, cluster.Ready), at(1, 1, cluster.Pending)},
		messages.Replicas{Created: 2, Ready: 1}))
	got, err := a.Replicas(time.Second)
	require.NoError(t, err)
	assert.Equal(t, messages.Replicas{Desired: 3, Created: 2, Ready: 1}, got)
	pods, err := client.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
	require.NoError(t, err)
	require.Len(t, pods.Items, 2)
	for i, p := range pods.Items {
		assert.Equal(t, "shop/"+cluster.PodName("front", int32(i)), p.Namespace+"/"+p.Name)
	}
	endpoint := slicesOf(t, a)[0].Endpoints[0]
	assert.Equal(t, &corev1.ObjectReference{Kind: "Pod", Namespace: "shop", Name: "front-00000", UID: pods.Items[0].UID}, endpoint.TargetRef)

	stands, err := a.Carry(2*time.Second, "hpa", rescaled(0))
	require.NoError(t, err)
	assert.Equal(t, int32(0), stands)
	events, err := client.CoreV1().Events("shop").List(ctx, metav1.ListOptions{})
	require.NoError(t, err)
	assert.Len(t, events.Items, 1)
	_, err = a.Carry(3*time.Second, "elasti", messages.Decision{Desired: 1, Reason: messages.ReasonScaleFromZero})
	require.NoError(t, err)
	u, err := a.Cluster().Dynamic.Resource(k8shelper.ElastiServices).Namespace("shop").Get(ctx, "front", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, map[string]any{
		"mode": "serve", "lastReconciledTime": "2026-01-05T00:00:01Z", "lastScaledUpTime": "2026-01-05T00:00:03Z",
	}, u.Object["status"])

	require.NoError(t, a.Mirror(5*time.Second, []cluster.Transition{
		at(4, 0, cluster.Draining), at(4, 1, cluster.Gone), at(5, 0, cluster.Gone),
	}, messages.Replicas{}))
	pods, err = client.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
	require.NoError(t, err)
	assert.Empty(t, pods.Items)
}

func TestNewRefuses(t *testing.T) {
	selector := func(s *metav1.LabelSelector) func(*sim.Objects) {
		return func(o *sim.Objects) { o.Deployment.Spec.Selector = s }
	}
	for name, test := range map[string]struct {
		spoil func(*sim.Objects)
		want  string
	}{
		"no deployment":     {func(o *sim.Objects) { o.Deployment = nil }, "deployment: found none, expected one"},
		"no service":        {func(o *sim.Objects) { o.Service = nil }, "service: found none, expected one"},
		"no name":           {func(o *sim.Objects) { o.Deployment.Name = "" }, "deployment.metadata.name: found no name, expected one"},
		"negative replicas": {func(o *sim.Objects) { *o.Deployment.Spec.Replicas = -1 }, "deployment.spec.replicas: found -1, expected at least 0"},
		"no selector": {selector(nil),
			`deployment.spec.selector: found "<none>", expected a selector that matches the labels of the pod template, "app=web"`},
		"foreign selector": {selector(&metav1.LabelSelector{MatchLabels: map[string]string{"app": "db"}}),
			`deployment.spec.selector: found "app=db", expected a selector that matches the labels of the pod template, "app=web"`},
		"broken selector": {selector(&metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Like"}}}),
			`deployment.spec.selector: "Like" is not a valid label selector operator`},
	} {
		o := web(1)
		test.spoil(&o)
		_, err := New(o, start)
		assert.EqualError(t, err, test.want, name)
		var invalid *messages.Invalid
		assert.ErrorAs(t, err, &invalid, name)
	}
}
