package everything

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/scalelab/scalelab/sim/cluster"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"
)

// nodeName is the node that all pods are bound to.
const nodeName = "node"

// termination is how long a deleted pod stays.
const termination = time.Second

// kubelet plays the scheduler and the kubelet.
type kubelet struct {
	ctx    context.Context
	client kubernetes.Interface
	steps  [3]time.Duration // to the node, to a running container, to Ready

	mu      sync.Mutex
	instant bool               // pods are Ready at once: those of time 0
	pods    map[types.UID]bool // that it knows; true: being terminated
	errs    []error
	lives   sync.WaitGroup
}

func newKubelet(ctx context.Context, client kubernetes.Interface, l cluster.Lifecycle) (*kubelet, error) {
	k := &kubelet{ctx: ctx, client: client, instant: true, pods: map[types.UID]bool{}}
	for i, stage := range []struct {
		name string
		dist string
		mean *time.Duration
	}{
		{"schedule", l.Schedule.Dist, l.Schedule.Value},
		{"imagePull", l.ImagePull.Dist, l.ImagePull.Value},
		{"start", l.Start.Dist, l.Start.Value},
	} {
		if stage.dist != "constant" {
			return nil, fmt.Errorf("lifecycle.%s: found a distribution of type %s, expected a constant", stage.name, stage.dist)
		}
		k.steps[i] = *stage.mean
	}
	return k, nil
}

// handler is what an informer of pods tells.
func (k *kubelet) handler() cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(obj any) { k.see(obj.(*corev1.Pod)) },
		UpdateFunc: func(_, obj any) { k.see(obj.(*corev1.Pod)) },
	}
}

// see begins the life of a pod, or its end.
func (k *kubelet) see(p *corev1.Pod) {
	k.mu.Lock()
	defer k.mu.Unlock()
	ending, known := k.pods[p.UID]
	switch {
	case !known:
		steps := k.steps
		if k.instant {
			steps = [3]time.Duration{}
		}
		k.pods[p.UID] = false
		ip := fmt.Sprintf("10.0.%d.%d", len(k.pods)>>8, len(k.pods)&0xff)
		k.lives.Go(func() { k.note(k.start(p, ip, steps)) })
	case p.DeletionTimestamp != nil && !ending:
		k.pods[p.UID] = true
		k.lives.Go(func() {
			if k.sleep(termination) {
				k.note(k.client.CoreV1().Pods(p.Namespace).Delete(k.ctx, p.Name, metav1.DeleteOptions{GracePeriodSeconds: ptr.To[int64](0)}))
			}
		})
	}
}

// note keeps an error, unless it says that the pod has been deleted meanwhile.
func (k *kubelet) note(err error) {
	if err == nil || apierrors.IsNotFound(err) {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.errs = append(k.errs, err)
}

// sleep says whether the time has passed; otherwise it is the end of the run.
func (k *kubelet) sleep(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-k.ctx.Done():
		return false
	}
}

// start brings a pod to its node, to a running container, and to readiness.
func (k *kubelet) start(p *corev1.Pod, ip string, steps [3]time.Duration) error {
	pods := k.client.CoreV1().Pods(p.Namespace)
	if !k.sleep(steps[0]) {
		return nil
	}
	if err := pods.Bind(k.ctx, &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Name: p.Name, Namespace: p.Namespace},
		Target:     corev1.ObjectReference{Kind: "Node", Name: nodeName},
	}, metav1.CreateOptions{}); err != nil {
		return err
	}
	scheduled := metav1.Now().Rfc3339Copy()
	for _, stage := range []struct {
		after time.Duration
		ready corev1.ConditionStatus
	}{{steps[1], corev1.ConditionFalse}, {steps[2], corev1.ConditionTrue}} {
		if !k.sleep(stage.after) {
			return nil
		}
		now := metav1.Now().Rfc3339Copy()
		status := corev1.PodStatus{
			Phase: corev1.PodRunning, StartTime: &scheduled, PodIP: ip, PodIPs: []corev1.PodIP{{IP: ip}},
			Conditions: []corev1.PodCondition{
				{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: scheduled},
				{Type: corev1.PodInitialized, Status: corev1.ConditionTrue, LastTransitionTime: scheduled},
				{Type: corev1.ContainersReady, Status: stage.ready, LastTransitionTime: now},
				{Type: corev1.PodReady, Status: stage.ready, LastTransitionTime: now},
			},
		}
		object := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: p.Name, Namespace: p.Namespace, UID: p.UID}, Status: status}
		if _, err := pods.UpdateStatus(k.ctx, object, metav1.UpdateOptions{}); err != nil {
			return err
		}
	}
	return nil
}
