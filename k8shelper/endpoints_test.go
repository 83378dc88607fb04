package k8shelper_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"

	"github.com/scalelab/scalelab/k8shelper"
)

func endpoints(name, service string, ready ...*bool) *discoveryv1.EndpointSlice {
	s := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{
		Name: name, Namespace: "shop", Labels: map[string]string{discoveryv1.LabelServiceName: service},
	}}
	for _, r := range ready {
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{"10.0.0.1"}, Conditions: discoveryv1.EndpointConditions{Ready: r},
		})
	}
	return s
}

func TestHasReadyEndpoint(t *testing.T) {
	yes, no := ptr.To(true), ptr.To(false)
	ops, _ := newOps(t,
		endpoints("a-1", "ready", no, yes),
		endpoints("b-1", "unknown", nil),
		endpoints("c-1", "starting", no, no),
		endpoints("d-1", "empty"),
		endpoints("e-1", "second", no), endpoints("e-2", "second", yes),
	)
	for service, want := range map[string]bool{
		"ready": true, "unknown": true, "starting": false, "empty": false, "second": true, "missing": false,
	} {
		got, err := ops.HasReadyEndpoint(ctx, "shop", service)
		require.NoError(t, err, service)
		assert.Equal(t, want, got, service)
	}
	got, err := ops.HasReadyEndpoint(ctx, "elsewhere", "ready")
	require.NoError(t, err)
	assert.False(t, got, "another namespace")
}

func TestHasReadyEndpointFails(t *testing.T) {
	ops, c := newOps(t)
	broken := errors.New("connection refused")
	c.Client.PrependReactor("list", "endpointslices", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, broken
	})
	_, err := ops.HasReadyEndpoint(ctx, "shop", "web")
	assert.ErrorIs(t, err, broken)
	assert.EqualError(t, err, "list endpoints of service shop/web: connection refused")
}

// address is an endpoint with its conditions.
func address(ip string, ready, terminating *bool) discoveryv1.Endpoint {
	return discoveryv1.Endpoint{
		Addresses: []string{ip, "second-of-" + ip}, Conditions: discoveryv1.EndpointConditions{Ready: ready, Terminating: terminating},
	}
}

func TestTerminatingEndpointsTakeNoTraffic(t *testing.T) {
	yes, no := ptr.To(true), ptr.To(false)
	going := endpoints("a", "going")
	going.Endpoints = []discoveryv1.Endpoint{address("10.0.0.1", yes, yes), address("10.0.0.2", nil, yes)}
	staying := endpoints("b", "staying")
	staying.Endpoints = []discoveryv1.Endpoint{address("10.0.0.1", yes, yes), address("10.0.0.2", nil, no)}
	ops, _ := newOps(t, going, staying)
	for service, want := range map[string]bool{"going": false, "staying": true} {
		got, err := ops.HasReadyEndpoint(ctx, "shop", service)
		require.NoError(t, err)
		assert.Equal(t, want, got, service)
	}
}

func TestSlicesOfAManagerAreLeftOut(t *testing.T) {
	resolver := endpoints("to-resolver", "web", nil)
	resolver.Labels[discoveryv1.LabelManagedBy] = k8shelper.ManagedBy
	unlabeled := endpoints("by-hand", "hand", nil)
	ops, _ := newOps(t, resolver, unlabeled)
	for _, test := range []struct {
		service  string
		managers []string
		want     bool
	}{
		{"web", nil, true},
		{"web", []string{"somebody-else"}, true},
		{"web", []string{"somebody-else", k8shelper.ManagedBy}, false},
		{"hand", []string{k8shelper.ManagedBy, ""}, true},
	} {
		got, err := ops.HasReadyEndpoint(ctx, "shop", test.service, test.managers...)
		require.NoError(t, err)
		assert.Equal(t, test.want, got, "%s without %q", test.service, test.managers)
	}
}

func TestReadyAddresses(t *testing.T) {
	yes, no := ptr.To(true), ptr.To(false)
	of := func(name, service string, family discoveryv1.AddressType, list ...discoveryv1.Endpoint) *discoveryv1.EndpointSlice {
		s := endpoints(name, service)
		s.AddressType, s.Endpoints = family, list
		return s
	}
	ops, _ := newOps(t,
		of("v6", "dual", discoveryv1.AddressTypeIPv6, address("fd00::1", yes, nil)),
		of("v4-1", "dual", discoveryv1.AddressTypeIPv4, address("10.0.0.9", yes, no), address("10.0.0.1", nil, nil)),
		of("v4-2", "dual", discoveryv1.AddressTypeIPv4, address("10.0.0.9", yes, no), address("10.0.0.3", no, nil), discoveryv1.Endpoint{}),
		of("only-6", "six", discoveryv1.AddressTypeIPv6, address("fd00::2", yes, nil), address("fd00::1", yes, nil)),
		of("names", "named", discoveryv1.AddressTypeFQDN, address("example.com", yes, nil)),
	)
	for service, want := range map[string][]string{
		"dual": {"10.0.0.1", "10.0.0.9"}, "six": {"fd00::1", "fd00::2"}, "named": nil, "missing": nil,
	} {
		got, err := ops.ReadyAddresses(ctx, "shop", service)
		require.NoError(t, err)
		assert.Equal(t, want, got, service)
	}
	_, err := ops.ReadyAddresses(ctx, "shop", "No Service")
	assert.ErrorIs(t, err, k8shelper.ErrInvalid)
	_, err = ops.HasReadyEndpoint(ctx, "", "web")
	assert.ErrorIs(t, err, k8shelper.ErrInvalid)
	assert.ErrorContains(t, err, `list endpoints of service /web: namespace: found "": a lowercase RFC 1123 label`)
}

func TestPodsAreCounted(t *testing.T) {
	pod := func(name string, phase corev1.PodPhase, ready corev1.ConditionStatus) *corev1.Pod {
		p := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop", Labels: map[string]string{"app": "web"}},
			Spec:       corev1.PodSpec{NodeName: "n"},
			Status:     corev1.PodStatus{Phase: phase, Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionTrue}}},
		}
		if ready != "" {
			p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: corev1.PodReady, Status: ready})
		}
		return p
	}
	other := pod("other", corev1.PodRunning, corev1.ConditionTrue)
	other.Labels["app"] = "other"
	ops, c := newOps(t, other,
		pod("ready", corev1.PodRunning, corev1.ConditionTrue), pod("not-ready", corev1.PodRunning, corev1.ConditionFalse),
		pod("unknown", corev1.PodRunning, corev1.ConditionUnknown), pod("pending", corev1.PodPending, ""),
		pod("going", corev1.PodRunning, corev1.ConditionTrue),
		pod("failed", corev1.PodFailed, corev1.ConditionFalse), pod("done", corev1.PodSucceeded, corev1.ConditionTrue),
	)
	require.NoError(t, c.Client.CoreV1().Pods("shop").Delete(ctx, "going", metav1.DeleteOptions{}))
	got, err := ops.Pods(ctx, "shop", "app=web")
	require.NoError(t, err)
	assert.Equal(t, k8shelper.Pods{Total: 5, Ready: 1, Terminating: 1}, got)
	got, err = ops.Pods(ctx, "elsewhere", "app=web")
	require.NoError(t, err)
	assert.Equal(t, k8shelper.Pods{}, got)
	for selector, namespace := range map[string]string{"": "shop", "a in": "shop", "app=web": "No Namespace"} {
		_, err = ops.Pods(ctx, namespace, selector)
		assert.ErrorIs(t, err, k8shelper.ErrInvalid, "%q", selector)
	}
}
