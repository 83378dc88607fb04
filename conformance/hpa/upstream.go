package hpa

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"

	"github.com/scalelab/scalelab/messages"
	ours "github.com/scalelab/scalelab/scaling/hpa"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	scalefake "k8s.io/client-go/scale/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
	upstreamv2 "k8s.io/kubernetes/pkg/apis/autoscaling/v2"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	upstreammetrics "k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
)

const (
	namespace = "default"
	name      = "web"
)

// selector is what the scale subresource says the pods' labels are.
var selector = map[string]string{"app": name}

func init() {
	// The default handlers back off in real time, which would be years of the
	// bubble's.
	utilruntime.ErrorHandlers = nil
}

// upstream is the real controller with the API server that it talks to.
type upstream struct {
	pods    cache.Indexer
	metrics *metricsAPI
	begin   func() // makes the controller run
	stop    context.CancelFunc
	client  *fake.Clientset
	scales  *scalefake.FakeScaleClient
	stopped sync.WaitGroup

	mu      sync.Mutex // what the reactors write
	desired int32      // scale.spec.replicas
	created int32      // scale.status.replicas
	syncs   []time.Time
	events  []messages.Event
	status  autoscalingv2.HorizontalPodAutoscalerStatus
	version int
}

// newUpstream is a controller that has not begun. It belongs to the bubble of
// its caller.
func newUpstream(manifest *autoscalingv2.HorizontalPodAutoscaler, flags ours.Controller) *upstream {
	u := &upstream{metrics: &metricsAPI{}}
	object := manifest.DeepCopy()
	object.Namespace, object.UID, object.ResourceVersion, object.Generation = namespace, "1", "1", 1
	upstreamv2.SetDefaults_HorizontalPodAutoscaler(object)
	u.version = 1

	u.client = fake.NewSimpleClientset(object)
	u.client.PrependReactor("update", "horizontalpodautoscalers", u.keepStatus)
	u.client.PrependReactor("create", "events", func(a clienttesting.Action) (bool, runtime.Object, error) {
		return true, a.(clienttesting.CreateAction).GetObject(), nil
	})
	u.client.PrependReactor("patch", "events", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, &corev1.Event{}, nil
	})
	u.scales = &scalefake.FakeScaleClient{}
	u.scales.AddReactor("get", "deployments", u.getScale)
	u.scales.AddReactor("update", "deployments", u.updateScale)

	mapper := apimeta.NewDefaultRESTMapper([]schema.GroupVersion{appsv1.SchemeGroupVersion})
	mapper.Add(appsv1.SchemeGroupVersion.WithKind("Deployment"), apimeta.RESTScopeNamespace)

	ctx, stop := context.WithCancel(klog.NewContext(context.Background(), logr.New(eventSink{u})))
	u.stop = stop
	factory := informers.NewSharedInformerFactory(u.client, flags.SyncPeriod)
	controller := podautoscaler.NewHorizontalController(ctx, u.client.CoreV1(), u.scales, u.client.AutoscalingV2(), mapper,
		upstreammetrics.NewRESTMetricsClient(u.metrics, customMetrics{u.metrics}, externalMetrics{u.metrics}),
		factory.Autoscaling().V2().HorizontalPodAutoscalers(), factory.Core().V1().Pods(),
		flags.SyncPeriod, flags.DownscaleStabilization, flags.Tolerance, flags.CPUInitializationPeriod, flags.InitialReadinessDelay)
	// Pods go straight into the store that the controller lists from.
	u.pods = factory.Core().V1().Pods().Informer().GetIndexer()
	u.begin = func() {
		u.stopped.Go(func() { controller.Run(ctx, 1) })
		u.stopped.Go(func() { <-ctx.Done(); factory.Shutdown() })
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	return u
}

// close ends the controller and everything it started.
func (u *upstream) close() {
	u.stop()
	u.stopped.Wait()
}

// show makes the API server show a scene.
func (u *upstream) show(s *scene) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.desired, u.created = s.seen.Replicas.Desired, s.seen.Replicas.Created
	u.metrics.show(s)
	objects := make([]any, len(s.seen.Pods))
	for i := range s.seen.Pods {
		objects[i] = s.podObject(i)
	}
	return u.pods.Replace(objects, strconv.Itoa(u.version))
}

// answer takes what has happened since the last answer: exactly one sync, at
// the instant now.
func (u *upstream) answer(now time.Time) (answer, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.syncs) != 1 || !u.syncs[0].Equal(now) {
		return answer{}, fmt.Errorf("the controller synced at %v, expected one sync at %v", u.syncs, now)
	}
	var conditions []messages.Condition
	for _, c := range u.status.Conditions {
		conditions = append(conditions, messages.Condition{Type: string(c.Type), Status: string(c.Status), Reason: c.Reason, Message: c.Message})
	}
	a := newAnswer(u.desired, conditions, u.events, u.status)
	u.syncs, u.events = nil, nil
	u.client.ClearActions()
	u.scales.ClearActions()
	return a, nil
}

func (u *upstream) getScale(clienttesting.Action) (bool, runtime.Object, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.syncs = append(u.syncs, time.Now())
	u.metrics.begin()
	scale := &autoscalingv1.Scale{}
	scale.Name, scale.Namespace = name, namespace
	scale.Spec.Replicas, scale.Status.Replicas = u.desired, u.created
	scale.Status.Selector = "app=" + name
	return true, scale, nil
}

func (u *upstream) updateScale(a clienttesting.Action) (bool, runtime.Object, error) {
	scale := a.(clienttesting.UpdateAction).GetObject().(*autoscalingv1.Scale)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.desired = scale.Spec.Replicas
	return true, scale, nil
}

// keepStatus gives every write a version, as an API server does: the controller
// waits for its own writes to come back.
func (u *upstream) keepStatus(a clienttesting.Action) (bool, runtime.Object, error) {
	if a.GetSubresource() != "status" {
		return true, nil, errors.New("the controller writes nothing but the status")
	}
	object := a.(clienttesting.UpdateAction).GetObject().(*autoscalingv2.HorizontalPodAutoscaler)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.version++
	object.ResourceVersion = strconv.Itoa(u.version)
	u.status = *object.Status.DeepCopy()
	return false, nil, nil
}

// eventSink takes events from the controller's log, where they come before the
// correlator that drops and merges them.
type eventSink struct{ u *upstream }

func (eventSink) Init(logr.RuntimeInfo)            {}
func (eventSink) Enabled(level int) bool           { return level == 3 }
func (eventSink) Error(error, string, ...any)      {}
func (s eventSink) WithValues(...any) logr.LogSink { return s }
func (s eventSink) WithName(string) logr.LogSink   { return s }
func (s eventSink) Info(_ int, text string, kv ...any) {
	if text != "Event occurred" {
		return
	}
	var e messages.Event
	for i := 0; i+1 < len(kv); i += 2 {
		switch kv[i] {
		case "type":
			e.Type = kv[i+1].(string)
		case "reason":
			e.Reason = kv[i+1].(string)
		case "message":
			e.Message = kv[i+1].(string)
		}
	}
	s.u.mu.Lock()
	defer s.u.mu.Unlock()
	s.u.events = append(s.u.events, e)
}
