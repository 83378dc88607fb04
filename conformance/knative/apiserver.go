package knative

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/scalelab/scalelab/messages"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apiruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	clienttesting "k8s.io/client-go/testing"
	"knative.dev/networking/pkg/apis/networking/v1alpha1"
	fakenetworking "knative.dev/networking/pkg/client/clientset/versioned/fake"
	networkingclient "knative.dev/networking/pkg/client/injection/client/fake"
	"knative.dev/pkg/apis"
	kubeclient "knative.dev/pkg/client/injection/kube/client/fake"
	dynamicclient "knative.dev/pkg/injection/clients/dynamicclient/fake"
	autoscalingv1alpha1 "knative.dev/serving/pkg/apis/autoscaling/v1alpha1"
	servingclient "knative.dev/serving/pkg/client/injection/client/fake"

	dynamicfake "k8s.io/client-go/dynamic/fake"
	kubefake "k8s.io/client-go/kubernetes/fake"
	servingfake "knative.dev/serving/pkg/client/clientset/versioned/fake"
)

var (
	deployments = appsv1.SchemeGroupVersion.WithResource("deployments")
	sksResource = v1alpha1.SchemeGroupVersion.WithResource("serverlessservices")
)

// apiServer makes the fake clients behave like one, and writes down what the
// controller does.
type apiServer struct {
	kube       *kubefake.Clientset
	serving    *servingfake.Clientset
	networking *fakenetworking.Clientset
	dynamic    *dynamicfake.FakeDynamicClient
	ingress    ingress
	endpoints  chan struct{} // something for the ServerlessService's controller to do

	mu       sync.Mutex
	watches  []watch.Interface // that nobody stops
	writes   int
	versions map[string]string // resource versions, by resource and name
	ready    int32
	said     said
	changes  []time.Time // instants of what was written since it was last taken
	metric   *autoscalingv1alpha1.Metric
}

// said is what the controller has written.
type said struct {
	Replicas   int32
	Path       messages.Path // by the mode of the ServerlessService
	Desired    int32         // the PodAutoscaler's desiredScale
	Activators int32
	Conditions []messages.Condition
	Writes     []write // of the scale, since it was last taken
}

// write is one write of the scale.
type write struct {
	At       time.Time
	Replicas int32
}

func newAPIServer(ctx context.Context) *apiServer {
	s := &apiServer{
		kube: kubeclient.Get(ctx), serving: servingclient.Get(ctx), networking: networkingclient.Get(ctx), dynamic: dynamicclient.Get(ctx),
		endpoints: make(chan struct{}, 1000), versions: map[string]string{},
	}
	s.kube.PrependReactor("*", "pods", s.onPod)
	s.serving.PrependReactor("*", "podautoscalers", s.onPodAutoscaler)
	s.serving.PrependReactor("create", "metrics", s.onMetric)
	s.networking.PrependReactor("create", "serverlessservices", s.onService)
	s.networking.PrependReactor("update", "serverlessservices", s.onService)
	s.dynamic.PrependReactor("patch", "deployments", s.onScale)
	s.dynamic.PrependWatchReactor("*", s.onWatch)
	return s
}

// onWatch remembers watches of the informer that leaves them open.
func (s *apiServer) onWatch(a clienttesting.Action) (bool, watch.Interface, error) {
	w, err := s.dynamic.Tracker().Watch(a.GetResource(), a.GetNamespace())
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.watches = append(s.watches, w)
	}
	return true, w, err
}

func (s *apiServer) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.watches {
		w.Stop()
	}
}

// version gives an object that is written its resource version.
func (s *apiServer) version(a clienttesting.Action, object metav1.Object) {
	s.writes++
	object.SetResourceVersion(strconv.Itoa(s.writes))
	s.versions[a.GetResource().Resource+"/"+object.GetName()] = object.GetResourceVersion()
}

// onPod gives pods their versions.
func (s *apiServer) onPod(a clienttesting.Action) (bool, apiruntime.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch a := a.(type) {
	case clienttesting.UpdateAction: // or a creation
		s.version(a, a.GetObject().(*corev1.Pod))
	case clienttesting.DeleteAction:
		delete(s.versions, "pods/"+a.GetName())
	}
	return false, nil, nil
}

// onPodAutoscaler keeps the status with whole seconds, as JSON does.
func (s *apiServer) onPodAutoscaler(a clienttesting.Action) (bool, apiruntime.Object, error) {
	write, ok := a.(clienttesting.UpdateAction) // or a creation
	if !ok {
		return false, nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	pa := write.GetObject().(*autoscalingv1alpha1.PodAutoscaler)
	s.version(a, pa)
	wholeSeconds(pa.Status.Conditions)
	s.said.Conditions, s.said.Desired = nil, 0
	if d := pa.Status.DesiredScale; d != nil {
		s.said.Desired = *d
	}
	for _, c := range pa.Status.Conditions {
		s.said.Conditions = append(s.said.Conditions, messages.Condition{Type: string(c.Type), Status: string(c.Status), Reason: c.Reason, Message: c.Message})
	}
	s.changes = append(s.changes, time.Now())
	return false, nil, nil
}

func wholeSeconds(conditions []apis.Condition) {
	for i := range conditions {
		at := &conditions[i].LastTransitionTime.Inner
		at.Time = at.Truncate(time.Second)
	}
}

// onMetric keeps what is to be collected.
func (s *apiServer) onMetric(a clienttesting.Action) (bool, apiruntime.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	metric := a.(clienttesting.CreateAction).GetObject().(*autoscalingv1alpha1.Metric)
	s.version(a, metric)
	s.metric = metric.DeepCopy()
	return false, nil, nil
}

// onService keeps the status apart from the spec, and counts generations.
func (s *apiServer) onService(a clienttesting.Action) (bool, apiruntime.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sks := a.(clienttesting.UpdateAction).GetObject().(*v1alpha1.ServerlessService)
	s.version(a, sks)
	if a.GetSubresource() == "status" {
		return false, nil, nil
	}
	sks.Generation = 1
	if stored, err := s.networking.Tracker().Get(sksResource, namespace, sks.Name); err == nil {
		before := stored.(*v1alpha1.ServerlessService)
		sks.Status, sks.Generation = *before.Status.DeepCopy(), before.Generation
		if !equality.Semantic.DeepEqual(before.Spec, sks.Spec) {
			sks.Generation++
		}
	}
	s.said.Path, s.said.Activators = messages.PathProxy, sks.Spec.NumActivators
	if sks.Spec.Mode == v1alpha1.SKSOperationModeServe {
		s.said.Path = messages.PathDirect
	}
	s.changes = append(s.changes, time.Now())
	s.endpoints <- struct{}{}
	return false, nil, nil
}

// onScale takes down a write of the scale; the fake carries it out.
func (s *apiServer) onScale(a clienttesting.Action) (bool, apiruntime.Object, error) {
	if a.GetSubresource() != "scale" {
		return true, nil, fmt.Errorf("the controller writes nothing but the scale")
	}
	var patch []struct{ Value int32 }
	if err := json.Unmarshal(a.(clienttesting.PatchAction).GetPatch(), &patch); err != nil {
		return true, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said.Replicas = patch[0].Value
	s.changes = append(s.changes, time.Now())
	// An informer that is behind makes the controller write the same again.
	w := write{time.Now(), patch[0].Value}
	if n := len(s.said.Writes); n == 0 || s.said.Writes[n-1] != w {
		s.said.Writes = append(s.said.Writes, w)
	}
	return false, nil, nil
}

// take gives what the controller has said by now, and when it has said something
// since it was last asked.
func (s *apiServer) take() (said, []time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, changes := s.said, s.changes
	s.said.Writes, s.changes = nil, nil
	return now, changes
}
