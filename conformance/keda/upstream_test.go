package keda

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/scale"
	scalefake "k8s.io/client-go/scale/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	clientfake "sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	"github.com/kedacore/keda/v2/pkg/scalers/authentication"
	"github.com/kedacore/keda/v2/pkg/scaling"
)

// upstream is KEDA over a fake cluster with one Deployment web.
type upstream struct {
	client  client.Client
	scales  scale.ScalesGetter
	handler scaling.ScaleHandler
	object  *v1alpha1.ScaledObject
	ready   int32 // pods
	cancel  context.CancelFunc
}

var key = client.ObjectKey{Namespace: "shop", Name: "web"}

func newScheme() *runtime.Scheme {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(s); err != nil {
			panic(err)
		}
	}
	return s
}

// newUpstream puts the ScaledObject and its HPA into the cluster as the reconciler
// does, without starting the loop.
func newUpstream(object *v1alpha1.ScaledObject, hpa *autoscalingv2.HorizontalPodAutoscaler, replicas int32) *upstream {
	u := &upstream{object: object, ready: replicas}
	labels := map[string]string{"app": "web"}
	cpu := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1"), corev1.ResourceMemory: resource.MustParse("1Gi")}
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name},
		Spec: appsv1.DeploymentSpec{Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{
				Containers: []corev1.Container{{Name: "app", Resources: corev1.ResourceRequirements{Requests: cpu}}}}}}}
	objects := []client.Object{deployment, object}
	if hpa != nil {
		objects = append(objects, hpa)
	}
	u.client = clientfake.NewClientBuilder().WithScheme(newScheme()).
		WithStatusSubresource(&v1alpha1.ScaledObject{}, &autoscalingv2.HorizontalPodAutoscaler{}).
		WithObjects(objects...).
		WithInterceptorFuncs(interceptor.Funcs{List: u.list}).Build()
	u.scales = u.newScales()
	u.handler = scaling.NewScaleHandler(u.client, u.scales, newScheme(), 3*time.Second, 3*time.Second, &events.FakeRecorder{}, &authentication.AuthClientSet{})
	return u
}

// list answers for pods, which are not kept as objects.
func (u *upstream) list(ctx context.Context, c client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
	pods, ok := list.(*corev1.PodList)
	if !ok {
		return c.List(ctx, list, options...)
	}
	for range u.ready {
		pods.Items = append(pods.Items, corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodRunning,
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}}})
	}
	return nil
}

// newScales is the scale subresource of the Deployment.
func (u *upstream) newScales() scale.ScalesGetter {
	fake := &scalefake.FakeScaleClient{}
	fake.AddReactor("get", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, &autoscalingv1.Scale{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name},
			Spec: autoscalingv1.ScaleSpec{Replicas: u.replicas()}, Status: autoscalingv1.ScaleStatus{Selector: "app=web"}}, nil
	})
	fake.AddReactor("update", "*", func(a clienttesting.Action) (bool, runtime.Object, error) {
		written := a.(clienttesting.UpdateAction).GetObject().(*autoscalingv1.Scale)
		u.setReplicas(written.Spec.Replicas)
		return true, written, nil
	})
	return fake
}

func (u *upstream) deployment() *appsv1.Deployment {
	var d appsv1.Deployment
	if err := u.client.Get(context.Background(), key, &d); err != nil {
		panic(err)
	}
	return &d
}

func (u *upstream) replicas() int32 { return *u.deployment().Spec.Replicas }

func (u *upstream) setReplicas(n int32) {
	d := u.deployment()
	d.Spec.Replicas = &n
	if err := u.client.Update(context.Background(), d); err != nil {
		panic(err)
	}
}

// setActive writes the HPA's condition ScalingActive.
func (u *upstream) setActive(hpa string, active bool) error {
	var h autoscalingv2.HorizontalPodAutoscaler
	if err := u.client.Get(context.Background(), client.ObjectKey{Namespace: key.Namespace, Name: hpa}, &h); err != nil {
		return err
	}
	status := corev1.ConditionFalse
	if active {
		status = corev1.ConditionTrue
	}
	h.Status.Conditions = []autoscalingv2.HorizontalPodAutoscalerCondition{{Type: autoscalingv2.ScalingActive, Status: status}}
	return u.client.Status().Update(context.Background(), &h)
}

// status is that of the ScaledObject.
func (u *upstream) status() v1alpha1.ScaledObjectStatus {
	var o v1alpha1.ScaledObject
	if err := u.client.Get(context.Background(), key, &o); err != nil {
		panic(err)
	}
	return o.Status
}

// metric asks KEDA as its adapter does: the sum in thousandths.
func (u *upstream) metric(name string) (milli int64, err error) {
	list, err := u.handler.GetScaledObjectMetrics(context.Background(), key.Name, key.Namespace, name)
	if err != nil {
		return 0, err
	}
	if len(list.Items) == 0 {
		return 0, fmt.Errorf("no metrics returned from external metrics API")
	}
	for _, item := range list.Items {
		milli += item.Value.MilliValue()
	}
	return milli, nil
}

// prometheus is a server that gives the answers it is told to.
type prometheus struct {
	*httptest.Server
	mu      sync.Mutex
	answers map[string]string // by query: a number, NaN, empty or error
}

func newPrometheus() *prometheus {
	p := &prometheus{answers: map[string]string{}}
	p.Server = httptest.NewServer(http.HandlerFunc(p.query))
	// A connection that stays open would keep time from passing in a bubble.
	p.Config.SetKeepAlivesEnabled(false)
	return p
}

func (p *prometheus) set(query, answer string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers[query] = answer
}

func (p *prometheus) query(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	answer := p.answers[r.URL.Query().Get("query")]
	p.mu.Unlock()
	result := []any{map[string]any{"metric": map[string]any{}, "value": []any{0, answer}}}
	switch answer {
	case "error":
		http.Error(w, "no", http.StatusServiceUnavailable)
		return
	case "empty":
		result = []any{}
	}
	json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": map[string]any{"resultType": "vector", "result": result}})
}
