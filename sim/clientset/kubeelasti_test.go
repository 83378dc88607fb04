package clientset

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scalelab/scalelab/k8shelper"
	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/elasti"
	"github.com/scalelab/scalelab/sim/cluster"
)

// TestTrafficFollowsThePods: through the resolver while no pod is ready, with
// the names that KubeElasti gives its objects.
func TestTrafficFollowsThePods(t *testing.T) {
	o := web(0)
	o.Elasti = &elasti.ElastiService{Spec: elasti.ElastiServiceSpec{Service: "web"}}
	a := newActuator(t, o)
	client := a.Cluster().Client
	mode := func() any {
		u, err := a.Cluster().Dynamic.Resource(k8shelper.ElastiServices).Namespace("default").Get(ctx, "web", metav1.GetOptions{})
		require.NoError(t, err)
		status, _ := u.Object["status"].(map[string]any)
		return status["mode"]
	}

	require.NoError(t, a.Mirror(0, nil, messages.Replicas{}))
	assert.Equal(t, "proxy", mode())
	slice, err := client.DiscoveryV1().EndpointSlices("default").Get(ctx, k8shelper.ResolverSliceName("web"), metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, []string{resolverAddress}, slice.Endpoints[0].Addresses)
	assert.Equal(t, int32(resolverPort), *slice.Ports[0].Port)
	private, err := client.CoreV1().Services("default").Get(ctx, k8shelper.PrivateServiceName("web"), metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, o.Service.Spec.Selector, private.Spec.Selector)

	require.NoError(t, a.Mirror(5*time.Second, []cluster.Transition{at(5, 0, cluster.Ready)}, messages.Replicas{Created: 1, Ready: 1}))
	assert.Equal(t, "serve", mode())
	_, err = client.DiscoveryV1().EndpointSlices("default").Get(ctx, k8shelper.ResolverSliceName("web"), metav1.GetOptions{})
	assert.True(t, apierrors.IsNotFound(err))
}
