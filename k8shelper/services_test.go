package k8shelper_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"

	"github.com/scalelab/scalelab/k8shelper"
)

// service is a Service of shop with an http, a grpc and a UDP port.
func service(name string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop"},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeNodePort, Selector: map[string]string{"app": name}, ClusterIP: "10.96.0.7", ClusterIPs: []string{"10.96.0.7"},
			Ports: []corev1.ServicePort{
				{Name: "http", Port: 80, TargetPort: intstr.FromString("web"), NodePort: 30080},
				{Name: "grpc", Port: 90, Protocol: corev1.ProtocolTCP, AppProtocol: ptr.To("kubernetes.io/h2c")},
				{Name: "dns", Port: 53, Protocol: corev1.ProtocolUDP},
			},
		},
	}
}

var owner = &metav1.OwnerReference{APIVersion: "elasti.truefoundry.com/v1alpha1", Kind: "ElastiService", Name: "web", UID: "e"}

func TestNames(t *testing.T) {
	// echo -n web | sha256sum begins with 4b5e57f6eb.
	assert.Equal(t, "elasti-web-pvt-4b5e57f6eb", k8shelper.PrivateServiceName("web"))
	assert.Equal(t, "elasti-web-endpointslice-to-resolver-4b5e57f6eb", k8shelper.ResolverSliceName("web"))

	longest := strings.Repeat("a", 41)
	assert.Len(t, k8shelper.PrivateServiceName(longest), 63)
	assert.True(t, strings.HasPrefix(k8shelper.PrivateServiceName(longest), "elasti-"+longest+"-pvt-"), "41 characters fit")
	cut := strings.Repeat("a", 40) + "-b"
	assert.Len(t, k8shelper.PrivateServiceName(cut), 62)
	assert.True(t, strings.HasPrefix(k8shelper.PrivateServiceName(cut), "elasti-"+strings.Repeat("a", 40)+"-pvt-"))
	assert.NotEqual(t, k8shelper.PrivateServiceName(longest+"b"), k8shelper.PrivateServiceName(longest+"c"))
}

func FuzzNames(f *testing.F) {
	f.Add("web", "api")
	f.Add(strings.Repeat("a", 63), strings.Repeat("a", 62)+"b")
	f.Add(strings.Repeat("-", 42)+"a", "a--b")
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(validation.IsDNS1123Label(a)) > 0 || len(validation.IsDNS1123Label(b)) > 0 {
			return
		}
		assert.Empty(t, validation.IsDNS1035Label(k8shelper.PrivateServiceName(a)), a)
		assert.Empty(t, validation.IsDNS1123Subdomain(k8shelper.ResolverSliceName(a)), a)
		if a != b {
			assert.NotEqual(t, k8shelper.PrivateServiceName(a), k8shelper.PrivateServiceName(b))
			assert.NotEqual(t, k8shelper.ResolverSliceName(a), k8shelper.ResolverSliceName(b))
		}
	})
}

func TestPrivateService(t *testing.T) {
	public := service("web")
	ops, c := newOps(t, public)
	name, err := ops.EnsurePrivateService(ctx, "shop", "web", owner)
	require.NoError(t, err)
	assert.Equal(t, k8shelper.PrivateServiceName("web"), name)
	client := c.Client.CoreV1().Services("shop")
	private, err := client.Get(ctx, name, metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"app.kubernetes.io/managed-by": "elasti.truefoundry.com", "elasti.truefoundry.com/service": "web"}, private.Labels)
	assert.Equal(t, []metav1.OwnerReference{*owner}, private.OwnerReferences)
	ports := service("web").Spec.Ports
	ports[0].NodePort = 0
	assert.Equal(t, corev1.ServiceSpec{Type: corev1.ServiceTypeClusterIP, Selector: map[string]string{"app": "web"}, Ports: ports}, private.Spec)

	calls(c)
	_, err = ops.EnsurePrivateService(ctx, "shop", "web", owner)
	require.NoError(t, err)
	assert.Equal(t, []string{"get services shop/web: ok", "get services shop/" + name + ": ok"}, calls(c), "nothing differs")

	private.Labels, private.Spec.ClusterIP, private.OwnerReferences = nil, "10.96.0.8", nil
	_, err = client.Update(ctx, private, metav1.UpdateOptions{})
	require.NoError(t, err)
	public.Spec.Selector["tier"] = "front"
	require.NoError(t, c.Put(public))
	_, err = ops.EnsurePrivateService(ctx, "shop", "web", owner)
	require.NoError(t, err)
	private, err = client.Get(ctx, name, metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"app": "web", "tier": "front"}, private.Spec.Selector)
	assert.Equal(t, "10.96.0.8", private.Spec.ClusterIP, "the cluster's choice stays")
	assert.Equal(t, "web", private.Labels[k8shelper.LabelPublicService])
	assert.Equal(t, []metav1.OwnerReference{*owner}, private.OwnerReferences)

	require.NoError(t, ops.DeletePrivateService(ctx, "shop", "web"))
	_, err = client.Get(ctx, name, metav1.GetOptions{})
	assert.Error(t, err)
	assert.NoError(t, ops.DeletePrivateService(ctx, "shop", "web"), "it may be gone already")
}

func TestPrivateServiceOfAHeadlessOne(t *testing.T) {
	headless := service("db")
	headless.Spec.ClusterIP = corev1.ClusterIPNone
	ops, c := newOps(t, headless)
	name, err := ops.EnsurePrivateService(ctx, "shop", "db", nil)
	require.NoError(t, err)
	private, err := c.Client.CoreV1().Services("shop").Get(ctx, name, metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, corev1.ClusterIPNone, private.Spec.ClusterIP)
	assert.Empty(t, private.OwnerReferences)
}

func TestPrivateServiceThatCannotBe(t *testing.T) {
	blind, external := service("blind"), service("external")
	blind.Spec.Selector = nil
	external.Spec.Type = corev1.ServiceTypeExternalName
	ops, _ := newOps(t, blind, external)
	for name, want := range map[string]error{
		"blind": k8shelper.ErrInvalid, "external": k8shelper.ErrInvalid, "missing": k8shelper.ErrNotFound,
		"Not A Name": k8shelper.ErrInvalid, strings.Repeat("a", 64): k8shelper.ErrInvalid,
	} {
		_, err := ops.EnsurePrivateService(ctx, "shop", name, nil)
		assert.ErrorIs(t, err, want, name)
	}
	assert.ErrorIs(t, ops.DeletePrivateService(ctx, "Shop", "web"), k8shelper.ErrInvalid)
	assert.ErrorIs(t, ops.DeleteResolverSlice(ctx, "shop", ""), k8shelper.ErrInvalid)
}

func TestResolverSlice(t *testing.T) {
	ops, c := newOps(t, service("web"))
	wanted := k8shelper.ResolverSlice{
		Namespace: "shop", Service: "web", Addresses: []string{"10.0.0.9", "10.0.0.8", "10.0.0.9"}, Port: 8012, Owner: owner,
	}
	require.NoError(t, ops.EnsureResolverSlice(ctx, wanted))
	client := c.Client.DiscoveryV1().EndpointSlices("shop")
	name := k8shelper.ResolverSliceName("web")
	get := func() *discoveryv1.EndpointSlice {
		t.Helper()
		s, err := client.Get(ctx, name, metav1.GetOptions{})
		require.NoError(t, err)
		return s
	}
	s := get()
	assert.Equal(t, map[string]string{
		"kubernetes.io/service-name": "web", "endpointslice.kubernetes.io/managed-by": "elasti.truefoundry.com",
	}, s.Labels)
	assert.Equal(t, []metav1.OwnerReference{*owner}, s.OwnerReferences)
	assert.Equal(t, discoveryv1.AddressTypeIPv4, s.AddressType)
	tcp := ptr.To(corev1.ProtocolTCP)
	assert.Equal(t, []discoveryv1.EndpointPort{
		{Name: ptr.To("http"), Port: ptr.To[int32](8012), Protocol: tcp},
		{Name: ptr.To("grpc"), Port: ptr.To[int32](8012), Protocol: tcp, AppProtocol: ptr.To("kubernetes.io/h2c")},
	}, s.Ports)
	ready := discoveryv1.EndpointConditions{Ready: ptr.To(true), Serving: ptr.To(true), Terminating: ptr.To(false)}
	assert.Equal(t, []discoveryv1.Endpoint{
		{Addresses: []string{"10.0.0.8"}, Conditions: ready}, {Addresses: []string{"10.0.0.9"}, Conditions: ready},
	}, s.Endpoints)

	has, err := ops.HasReadyEndpoint(ctx, "shop", "web")
	require.NoError(t, err)
	assert.True(t, has)
	has, err = ops.HasReadyEndpoint(ctx, "shop", "web", k8shelper.ManagedBy)
	require.NoError(t, err)
	assert.False(t, has, "the service's own pods do not answer yet")

	calls(c)
	require.NoError(t, ops.EnsureResolverSlice(ctx, wanted))
	assert.Equal(t, []string{"get services shop/web: ok", "get endpointslices.discovery.k8s.io shop/" + name + ": ok"}, calls(c), "nothing differs")

	s.Labels, s.OwnerReferences = nil, nil
	_, err = client.Update(ctx, s, metav1.UpdateOptions{})
	require.NoError(t, err)
	wanted.Addresses = nil
	require.NoError(t, ops.EnsureResolverSlice(ctx, wanted))
	s = get()
	assert.Empty(t, s.Endpoints, "no traffic to a resolver that is gone")
	assert.Equal(t, "web", s.Labels[discoveryv1.LabelServiceName])

	wanted.Addresses = []string{"fd00::1"}
	require.NoError(t, ops.EnsureResolverSlice(ctx, wanted))
	other := get()
	assert.Equal(t, discoveryv1.AddressTypeIPv6, other.AddressType)
	assert.NotEqual(t, s.UID, other.UID, "the type of the addresses cannot be changed")
	wanted.Addresses = nil
	require.NoError(t, ops.EnsureResolverSlice(ctx, wanted))
	assert.Equal(t, discoveryv1.AddressTypeIPv6, get().AddressType, "an empty slice may be of any")

	require.NoError(t, ops.DeleteResolverSlice(ctx, "shop", "web"))
	assert.NoError(t, ops.DeleteResolverSlice(ctx, "shop", "web"), "it may be gone already")
}

func TestResolverSliceThatCannotBe(t *testing.T) {
	ops, c := newOps(t)
	for name, test := range map[string]struct {
		change func(*k8shelper.ResolverSlice)
		want   string
	}{
		"no namespace":  {func(r *k8shelper.ResolverSlice) { r.Namespace = "" }, `namespace: found ""`},
		"a bad service": {func(r *k8shelper.ResolverSlice) { r.Service = "a.b" }, `service: found "a.b"`},
		"port 0":        {func(r *k8shelper.ResolverSlice) { r.Port = 0 }, "found port 0, expected 1 to 65535"},
		"port 65536":    {func(r *k8shelper.ResolverSlice) { r.Port = 65536 }, "found port 65536, expected 1 to 65535"},
		"a name":        {func(r *k8shelper.ResolverSlice) { r.Addresses = []string{"host"} }, `found address "host", expected an IP address`},
		"a zone":        {func(r *k8shelper.ResolverSlice) { r.Addresses = []string{"fe80::1%eth0"} }, "expected an IP address"},
		"two families":  {func(r *k8shelper.ResolverSlice) { r.Addresses = []string{"10.0.0.1", "fd00::1"} }, "found fd00::1 among IPv4 addresses, expected one family"},
	} {
		r := k8shelper.ResolverSlice{Namespace: "shop", Service: "web", Port: 1}
		test.change(&r)
		err := ops.EnsureResolverSlice(ctx, r)
		assert.ErrorIs(t, err, k8shelper.ErrInvalid, name)
		assert.ErrorContains(t, err, test.want, name)
	}
	assert.Empty(t, calls(c), "the server was not asked")
	assert.ErrorIs(t, ops.EnsureResolverSlice(ctx, k8shelper.ResolverSlice{Namespace: "shop", Service: "web", Port: 1}), k8shelper.ErrNotFound)
}
