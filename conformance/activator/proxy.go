//lint:file-ignore SA1019 Knative watches Endpoints

package activator

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"sync"
	"unsafe"

	"go.uber.org/zap"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/rest"
	netcfg "knative.dev/networking/pkg/config"
	kubeclient "knative.dev/pkg/client/injection/kube/client"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/injection"
	"knative.dev/pkg/logging"
	"knative.dev/serving/pkg/activator/net"
	"knative.dev/serving/pkg/apis/serving"
	v1 "knative.dev/serving/pkg/apis/serving/v1"
	servingclient "knative.dev/serving/pkg/client/injection/client"
	"knative.dev/serving/pkg/networking"

	// The fake clients and informers that the Throttler is given.
	_ "knative.dev/pkg/client/injection/kube/client/fake"
	_ "knative.dev/pkg/client/injection/kube/informers/core/v1/endpoints/fake"
	_ "knative.dev/pkg/client/injection/kube/informers/core/v1/service/fake"
	_ "knative.dev/serving/pkg/client/injection/client/fake"
	_ "knative.dev/serving/pkg/client/injection/informers/serving/v1/revision/fake"
)

const (
	namespace = "default"
	name      = "checkout-00001"
)

var revision = types.NamespacedName{Namespace: namespace, Name: name}

func init() {
	// The fakes do not send the bookmark that the informers would wait for.
	os.Setenv("KUBE_FEATURE_WatchListClient", "false")
	// The default handlers back off in real time, which would be years of the
	// bubble's.
	utilruntime.ErrorHandlers = nil
}

// proxy is a real activator: its Throttler and what watches the revision's pods,
// over the fakes of an API server.
type proxy struct {
	throttler *net.Throttler
	breaker   interface{ Capacity() int } // of the revision

	ctx    context.Context
	cancel context.CancelFunc
	wait   func()
	begun  sync.WaitGroup
}

// startProxy starts the n-th of several activators, whose probes go to the pods.
func startProxy(n, of, limit int, probes http.RoundTripper) (*proxy, error) {
	ctx, cancel := context.WithCancel(logging.WithLogger(context.Background(), zap.NewNop().Sugar()))
	ctx = injection.WithConfig(ctx, &rest.Config{})
	ctx, informers := injection.Fake.SetupInformers(ctx, injection.GetConfig(ctx))
	p := &proxy{ctx: ctx, cancel: cancel, wait: func() {}}
	r := &v1.Revision{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	r.Spec.ContainerConcurrency = new(int64(limit))
	r.Spec.Containers = []corev1.Container{{Name: "user-container"}}
	if _, err := servingclient.Get(ctx).ServingV1().Revisions(namespace).Create(ctx, r, metav1.CreateOptions{}); err != nil {
		return p, err
	}
	p.throttler = net.NewThrottler(ctx, activatorIP(n))
	p.begun.Go(func() { p.throttler.Run(ctx, probes, false, netcfg.MeshCompatibilityModeAuto) })
	var err error
	if p.wait, err = controller.RunInformers(ctx.Done(), informers...); err != nil {
		return p, err
	}
	var all corev1.EndpointSubset
	all.Ports = []corev1.EndpointPort{{Name: "http", Port: podPort}}
	for i := range of {
		all.Addresses = append(all.Addresses, corev1.EndpointAddress{IP: activatorIP(i)})
	}
	return p, p.create(name, networking.ServiceTypePublic, []corev1.EndpointSubset{all})
}

func activatorIP(n int) string { return fmt.Sprintf("10.1.0.%03d", n) }

func endpoints(name string, kind networking.ServiceType, subsets []corev1.EndpointSubset) *corev1.Endpoints {
	return &corev1.Endpoints{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{
			serving.RevisionUID: "1", serving.RevisionLabelKey: revision.Name, networking.ServiceTypeKey: string(kind),
		}},
		Subsets: subsets,
	}
}

func (p *proxy) create(name string, kind networking.ServiceType, subsets []corev1.EndpointSubset) error {
	_, err := kubeclient.Get(p.ctx).CoreV1().Endpoints(namespace).Create(p.ctx, endpoints(name, kind, subsets), metav1.CreateOptions{})
	return err
}

// know has the activator see the pods for the first time.
func (p *proxy) know(subsets []corev1.EndpointSubset) error {
	return p.create(name+"-private", networking.ServiceTypePrivate, subsets)
}

// follow has it see that they have changed.
func (p *proxy) follow(subsets []corev1.EndpointSubset) error {
	changed := endpoints(name+"-private", networking.ServiceTypePrivate, subsets)
	_, err := kubeclient.Get(p.ctx).CoreV1().Endpoints(namespace).Update(p.ctx, changed, metav1.UpdateOptions{})
	return err
}

// hold puts passes before the choice of a pod, which stays the real one.
func (p *proxy) hold(passes func(context.Context)) error {
	throttlers := private(reflect.ValueOf(p.throttler), "revisionThrottlers")
	rt := throttlers.MapIndex(reflect.ValueOf(revision))
	if !rt.IsValid() {
		return fmt.Errorf("the activator has no throttler for the revision %s", revision)
	}
	p.breaker = private(rt, "breaker").Interface().(interface{ Capacity() int })
	policy := private(rt, "lbPolicy")
	original := reflect.New(policy.Type()).Elem()
	original.Set(policy)
	policy.Set(reflect.MakeFunc(policy.Type(), func(args []reflect.Value) []reflect.Value {
		passes(args[0].Interface().(context.Context))
		return original.Call(args)
	}))
	return nil
}

// private gives access to a field that its package keeps to itself.
func private(of reflect.Value, field string) reflect.Value {
	f := of.Elem().FieldByName(field)
	if !f.IsValid() {
		panic(fmt.Sprintf("%s has no field %s", of.Type(), field))
	}
	return reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem()
}

// close ends everything that was started.
func (p *proxy) close() {
	p.cancel()
	p.wait()
	p.begun.Wait()
}
