package knative

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/scalelab/scalelab/messages"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"knative.dev/networking/pkg/apis/networking/v1alpha1"
	"knative.dev/serving/pkg/activator"
)

// runEndpoints is the controller of ServerlessServices, as far as the KPA reads
// its status.
func (s *apiServer) runEndpoints(ctx context.Context) {
	services := s.networking.NetworkingV1alpha1().ServerlessServices(namespace)
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.endpoints:
		}
		stored, err := services.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			continue // not yet created
		}
		s.mu.Lock()
		ready := s.ready
		s.mu.Unlock()
		sks := stored.DeepCopy()
		followEndpoints(sks, ready)
		if !equality.Semantic.DeepEqual(stored.Status, sks.Status) {
			_, _ = services.UpdateStatus(ctx, sks, metav1.UpdateOptions{})
		}
	}
}

func followEndpoints(sks *v1alpha1.ServerlessService, ready int32) {
	status := &sks.Status
	status.InitializeConditions()
	status.ServiceName, status.PrivateServiceName = name, name+"-private"
	if ready > 0 {
		status.MarkEndpointsReady()
	} else {
		status.MarkEndpointsNotReady("NoHealthyBackends")
	}
	if ready == 0 || sks.Spec.Mode == v1alpha1.SKSOperationModeProxy {
		status.MarkActivatorEndpointsPopulated()
	} else {
		status.MarkActivatorEndpointsRemoved()
	}
	status.ObservedGeneration = sks.Generation
	wholeSeconds(status.Conditions)
}

// ingress answers probes as whoever stands behind it.
type ingress struct {
	mu   sync.Mutex
	path messages.Path
}

func (i *ingress) set(path messages.Path) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.path = path
}

// RoundTrip is a probe: the activator says its name.
func (i *ingress) RoundTrip(*http.Request) (*http.Response, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	r := &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("queue"))}
	if i.path == messages.PathProxy {
		r.Body = io.NopCloser(strings.NewReader(activator.Name))
	}
	return r, nil
}
