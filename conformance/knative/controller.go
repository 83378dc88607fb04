package knative

import (
	"context"
	"errors"
	"os"
	"reflect"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/scalelab/scalelab/messages"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	netcfg "knative.dev/networking/pkg/config"
	"knative.dev/pkg/configmap"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/injection"
	"knative.dev/pkg/logging"
	"knative.dev/pkg/reconciler"
	"knative.dev/pkg/system"
	"knative.dev/serving/pkg/apis/serving"
	"knative.dev/serving/pkg/autoscaler/config"
	"knative.dev/serving/pkg/client/injection/ducks/autoscaling/v1alpha1/podscalable"
	"knative.dev/serving/pkg/deployment"
	"knative.dev/serving/pkg/reconciler/autoscaling/kpa"

	// The fake clients and informers that the controller is given.
	_ "knative.dev/networking/pkg/client/injection/client/fake"
	sksinformer "knative.dev/networking/pkg/client/injection/informers/networking/v1alpha1/serverlessservice"
	_ "knative.dev/networking/pkg/client/injection/informers/networking/v1alpha1/serverlessservice/fake"
	podinformer "knative.dev/pkg/client/injection/kube/informers/core/v1/pod/filtered"
	_ "knative.dev/pkg/client/injection/kube/informers/core/v1/pod/filtered/fake"
	filtered "knative.dev/pkg/client/injection/kube/informers/factory/filtered"
	_ "knative.dev/pkg/client/injection/kube/informers/factory/filtered/fake"
	_ "knative.dev/pkg/injection/clients/dynamicclient/fake"
	_ "knative.dev/pkg/system/testing"
	_ "knative.dev/serving/pkg/client/injection/client/fake"
	_ "knative.dev/serving/pkg/client/injection/ducks/autoscaling/v1alpha1/podscalable/fake"
	metricinformer "knative.dev/serving/pkg/client/injection/informers/autoscaling/v1alpha1/metric"
	_ "knative.dev/serving/pkg/client/injection/informers/autoscaling/v1alpha1/metric/fake"
	painformer "knative.dev/serving/pkg/client/injection/informers/autoscaling/v1alpha1/podautoscaler"
	_ "knative.dev/serving/pkg/client/injection/informers/autoscaling/v1alpha1/podautoscaler/fake"
)

func init() {
	// The fakes do not send the bookmark that the informers would wait for.
	os.Setenv("KUBE_FEATURE_WatchListClient", "false")
	// The default handlers back off in real time, which would be years of the
	// bubble's.
	utilruntime.ErrorHandlers = nil
}

// controllers are the real KPA controller and engine over the fakes of an API server.
type controllers struct {
	server *apiServer
	engine *upstream
	ctx    context.Context
	cancel context.CancelFunc
	begun  sync.WaitGroup
	wait   func()
}

// startControllers returns once everything listens.
func startControllers(data map[string]string, replicas int32) (*controllers, error) {
	ctx, cancel := context.WithCancel(logging.WithLogger(context.Background(), zap.NewNop().Sugar()))
	ctx = controller.WithEventRecorder(ctx, record.NewFakeRecorder(1000))
	ctx = filtered.WithSelectors(ctx, serving.RevisionUID)
	ctx = injection.WithConfig(ctx, &rest.Config{})
	ctx, informers := injection.Fake.SetupInformers(ctx, injection.GetConfig(ctx))
	c := &controllers{ctx: ctx, cancel: cancel, server: newAPIServer(ctx), wait: func() {}}
	c.engine = newUpstream(podinformer.Get(ctx, serving.RevisionUID).Informer().GetIndexer())
	impl := kpa.NewController(ctx, configMaps(data), c.engine.scaler)
	c.server.answerProbes(impl)
	var err error
	if c.wait, err = controller.RunInformers(ctx.Done(), informers...); err != nil {
		return c, err
	}
	if err := c.server.createDeployment(ctx, replicas); err != nil {
		return c, err
	}
	// Otherwise the first reconciliation waits for this informer, by polling.
	scalables, _, err := podscalable.Get(ctx).Get(ctx, deployments)
	if err != nil {
		return c, err
	}
	store := private(impl.Reconciler, "configStore")
	store.Set(reflect.ValueOf(&coherence{
		ConfigStore: store.Interface().(reconciler.ConfigStore), server: c.server, scalables: scalables.GetStore(),
		stores: map[string]cache.Store{
			"pods":               podinformer.Get(ctx, serving.RevisionUID).Informer().GetStore(),
			"podautoscalers":     painformer.Get(ctx).Informer().GetStore(),
			"metrics":            metricinformer.Get(ctx).Informer().GetStore(),
			"serverlessservices": sksinformer.Get(ctx).Informer().GetStore(),
		},
	}))
	c.begun.Go(func() { c.server.runEndpoints(ctx) })
	c.begun.Go(func() { _ = impl.RunContext(ctx, 1) })
	return c, nil
}

// collect starts the collection that the KPA has asked for; a controller of its
// own does that, at the same instant. Here it comes later, or scrapes and ticks
// would be simultaneous.
func (c *controllers) collect() error {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	if c.server.metric == nil {
		return errors.New("the controller has made no Metric")
	}
	return c.engine.collector.CreateOrUpdate(c.server.metric)
}

// close ends everything that was started.
func (c *controllers) close() {
	c.cancel()
	c.server.close()
	c.engine.close()
	c.wait()
	c.begun.Wait()
	// A probe under way ends with its first success.
	c.server.ingress.set(messages.PathProxy)
	time.Sleep(2 * time.Second)
}

func configMaps(data map[string]string) configmap.Watcher {
	named := func(name string, data map[string]string) *corev1.ConfigMap {
		return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: system.Namespace(), Name: name}, Data: data}
	}
	return configmap.NewStaticWatcher(named(config.ConfigName, data), named(netcfg.ConfigMapName, nil),
		named(deployment.ConfigName, map[string]string{deployment.QueueSidecarImageKey: "queue"}))
}

// answerProbes puts the server's ingress in the place of the network, for
// probes of the activator.
func (s *apiServer) answerProbes(impl *controller.Impl) {
	scaler := private(private(impl.Reconciler, "reconciler").Interface(), "scaler").Interface()
	ingress := reflect.ValueOf(&s.ingress)
	private(scaler, "transport").Set(ingress)
	private(private(scaler, "probeManager").Interface(), "transport").Set(ingress)
}
