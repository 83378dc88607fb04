package knative

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"knative.dev/networking/pkg/apis/networking/v1alpha1"
	autoscalingv1alpha1 "knative.dev/serving/pkg/apis/autoscaling/v1alpha1"
	"knative.dev/serving/pkg/reconciler/autoscaling/resources"
)

// createDeployment makes what the controller scales.
func (s *apiServer) createDeployment(ctx context.Context, replicas int32) error {
	s.said.Replicas = replicas
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name + "-deployment"},
		Spec:       appsv1.DeploymentSpec{Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}}},
	})
	if err != nil {
		return err
	}
	_, err = s.dynamic.Resource(deployments).Namespace(namespace).Create(ctx, &unstructured.Unstructured{Object: object}, metav1.CreateOptions{})
	return err
}

// showPods makes the API show these pods, and the endpoints of those that are
// ready.
func (s *apiServer) showPods(ctx context.Context, pods []pod, before []pod) error {
	client := s.kube.CoreV1().Pods(namespace)
	known := map[int]pod{}
	for _, p := range before {
		known[p.id] = p
	}
	ready := int32(0)
	for i := range pods {
		p := &pods[i]
		if p.isReady {
			ready++
		}
		old, exists := known[p.id]
		delete(known, p.id)
		if exists && old == *p {
			continue
		}
		var err error
		if exists {
			_, err = client.Update(ctx, p.object(), metav1.UpdateOptions{})
		} else {
			_, err = client.Create(ctx, p.object(), metav1.CreateOptions{})
		}
		if err != nil {
			return err
		}
	}
	for _, p := range known {
		if err := client.Delete(ctx, p.object().Name, metav1.DeleteOptions{}); err != nil {
			return err
		}
	}
	s.mu.Lock()
	s.ready = ready
	s.mu.Unlock()
	s.endpoints <- struct{}{}
	return nil
}

// createPodAutoscaler is what the revision's reconciler does.
func (s *apiServer) createPodAutoscaler(ctx context.Context, pa *autoscalingv1alpha1.PodAutoscaler) error {
	_, err := s.serving.AutoscalingV1alpha1().PodAutoscalers(namespace).Create(ctx, pa, metav1.CreateOptions{})
	return err
}

// restore gives the revision the past that it would have if the autoscaler
// started again now.
func (s *apiServer) restore(ctx context.Context, pa *autoscalingv1alpha1.PodAutoscaler, ready int32) error {
	status := &pa.Status
	status.InitializeConditions()
	status.MarkScaleTargetInitialized()
	mode := v1alpha1.SKSOperationModeProxy
	if ready > 0 {
		mode = v1alpha1.SKSOperationModeServe
		status.MarkSKSReady()
		status.MarkActive()
	} else {
		status.MarkSKSNotReady("K8s Service is not ready")
		status.MarkInactive("NoTraffic", "The target is not receiving traffic.")
	}
	status.ObservedGeneration, status.ServiceName, status.MetricsServiceName = pa.Generation, name, name+"-private"
	sks := resources.MakeSKS(pa, mode, 2)
	created, err := s.networking.NetworkingV1alpha1().ServerlessServices(namespace).Create(ctx, sks, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	followEndpoints(created, ready)
	_, err = s.networking.NetworkingV1alpha1().ServerlessServices(namespace).UpdateStatus(ctx, created, metav1.UpdateOptions{})
	return err
}
