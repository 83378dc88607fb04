package everything

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"

	"github.com/scalelab/scalelab/k8shelper/fakecluster"
	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/informers"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
	defaultsapps "k8s.io/kubernetes/pkg/apis/apps/v1"
	defaultshpa "k8s.io/kubernetes/pkg/apis/autoscaling/v2"
	defaultscore "k8s.io/kubernetes/pkg/apis/core/v1"
	"k8s.io/kubernetes/pkg/controller/deployment"
	deploymentutil "k8s.io/kubernetes/pkg/controller/deployment/util"
	"k8s.io/kubernetes/pkg/controller/endpointslice"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	upstreammetrics "k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
	"k8s.io/kubernetes/pkg/controller/replicaset"
	external "k8s.io/metrics/pkg/apis/external_metrics/v1beta1"
	customclient "k8s.io/metrics/pkg/client/custom_metrics"
	externalclient "k8s.io/metrics/pkg/client/external_metrics"
	"k8s.io/utils/clock"
)

// What kube-controller-manager runs its controllers with.
const (
	workers           = 5
	burstReplicas     = 500
	endpointsPerSlice = 100
	resync            = 12 * time.Hour
)

// lead is how long the Deployment and its first pods exist before the HPA does,
// which is time 0.
const lead = time.Minute

// plane is the real control plane with what watches it.
type plane struct {
	api   *fakecluster.Cluster
	start time.Time // the instant of time 0
	tape  []reading

	mu     sync.Mutex
	side   side
	ready  map[string]int  // ready endpoints, by slice
	slices []counts        // Ready: the ready endpoints of all slices
	stale  int             // times that a controller tried again because its cache was behind
	errs   []error         // whatever else controllers complained about
	begun  []time.Duration // when the HPA was synced
}

// realize plays a scenario with the real controllers. It belongs into a bubble.
// Latency delays the calls of all but the HPA controller, whose syncs have to
// stay at the instants of ours.
func realize(s *scenarios.Scenario, tape []reading, latency fakecluster.Faults) (*plane, error) {
	spec, err := s.Spec(autoscaler, s.Document.Seed)
	if err != nil {
		return nil, err
	}
	objects, err := s.Objects(autoscaler)
	if err != nil {
		return nil, err
	}
	setDefaults(objects)

	p := &plane{start: spec.Start, tape: tape, ready: map[string]int{}}
	// The default handlers back off in real time, which would be years of the bubble's.
	utilruntime.ErrorHandlers = []utilruntime.ErrorHandler{p.complain}
	time.Sleep(time.Until(p.start.Add(-lead)))
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: nodeName}}
	p.api, err = fakecluster.New(fakecluster.Options{Clock: clock.RealClock{}, Objects: []runtime.Object{node}, Watch: true, Faults: latency})
	if err != nil {
		return nil, err
	}
	p.api.Scales.PrependReactor("get", "deployments", p.noteSync)

	ctx, stop := context.WithCancel(klog.NewContext(context.Background(), logr.Discard()))
	k, err := newKubelet(ctx, p.api.Client, spec.Cluster.Lifecycle)
	if err != nil {
		stop()
		return nil, err
	}
	ended, err := p.run(ctx, spec, k)
	if err == nil {
		err = p.play(ctx, spec, objects, k)
	}
	stop()
	ended()
	return p, errors.Join(append(append(p.errs, k.errs...), err)...)
}

// run starts the controllers, the kubelet and the observers. The function it
// returns waits for their end.
func (p *plane) run(ctx context.Context, spec sim.Spec, k *kubelet) (ended func(), err error) {
	flags := spec.Strategy.HPA.Controller
	client := p.api.Client
	factory := informers.NewSharedInformerFactory(client, resync)
	pods, sets, deployments := factory.Core().V1().Pods(), factory.Apps().V1().ReplicaSets(), factory.Apps().V1().Deployments()
	slices := factory.Discovery().V1().EndpointSlices()

	deploy, err := deployment.NewDeploymentController(ctx, deployments, sets, pods, client)
	if err != nil {
		return func() {}, err
	}
	replicate := replicaset.NewReplicaSetController(ctx, sets, pods, client, burstReplicas)
	slice := endpointslice.NewController(ctx, pods, factory.Core().V1().Services(), factory.Core().V1().Nodes(), slices,
		endpointsPerSlice, client, 0)
	scale := podautoscaler.NewHorizontalController(ctx, client.CoreV1(), p.api.Scales, client.AutoscalingV2(), p.api.Clients().Mapper,
		upstreammetrics.NewRESTMetricsClient(p.api.Metrics.MetricsV1beta1(), noCustomMetrics{}, externalMetrics{p}),
		factory.Autoscaling().V2().HorizontalPodAutoscalers(), pods,
		flags.SyncPeriod, flags.DownscaleStabilization, flags.Tolerance, flags.CPUInitializationPeriod, flags.InitialReadinessDelay)

	for _, watched := range []struct {
		informer cache.SharedIndexInformer
		handler  cache.ResourceEventHandler
	}{
		{pods.Informer(), k.handler()},
		{deployments.Informer(), cache.ResourceEventHandlerFuncs{
			AddFunc: p.seeDeployment, UpdateFunc: func(_, obj any) { p.seeDeployment(obj) }}},
		{slices.Informer(), cache.ResourceEventHandlerFuncs{
			AddFunc: p.seeSlice, UpdateFunc: func(_, obj any) { p.seeSlice(obj) }, DeleteFunc: p.loseSlice}},
	} {
		if _, err := watched.informer.AddEventHandler(watched.handler); err != nil {
			return func() {}, err
		}
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	synctest.Wait()

	var running sync.WaitGroup
	for _, controller := range []interface{ Run(context.Context, int) }{deploy, replicate, slice, scale} {
		running.Go(func() { controller.Run(ctx, workers) })
	}
	return func() {
		running.Wait()
		factory.Shutdown()
		k.lives.Wait()
	}, nil
}

// play creates the objects and lets time pass.
func (p *plane) play(ctx context.Context, spec sim.Spec, o sim.Objects, k *kubelet) error {
	if _, err := p.api.Client.CoreV1().Services(o.Service.Namespace).Create(ctx, o.Service, metav1.CreateOptions{}); err != nil {
		return err
	}
	deployments := p.api.Client.AppsV1().Deployments(o.Deployment.Namespace)
	if _, err := deployments.Create(ctx, o.Deployment, metav1.CreateOptions{}); err != nil {
		return err
	}
	time.Sleep(time.Until(p.start) - time.Second)
	d, err := deployments.Get(ctx, o.Deployment.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	if d.Status.ReadyReplicas != spec.Cluster.Replicas {
		return fmt.Errorf("found %d pods Ready after %s, expected %d", d.Status.ReadyReplicas, lead, spec.Cluster.Replicas)
	}
	time.Sleep(time.Until(p.start))
	synctest.Wait()
	k.mu.Lock()
	k.instant = false
	k.mu.Unlock()
	p.mu.Lock()
	p.side.curve = add(nil, counts{0, replicasOf(d)})
	p.slices = p.slices[len(p.slices)-1:]
	p.mu.Unlock()
	if _, err := p.api.Client.AutoscalingV2().HorizontalPodAutoscalers(o.HPA.Namespace).Create(ctx, o.HPA, metav1.CreateOptions{}); err != nil {
		return err
	}
	time.Sleep(spec.End() + spec.Strategy.HPA.Controller.SyncPeriod) // one more sync shows what the last one left
	synctest.Wait()
	p.decide(spec.End())
	return nil
}

// setDefaults does what the API server does to objects that are created.
func setDefaults(o sim.Objects) {
	for _, meta := range []*metav1.ObjectMeta{&o.Deployment.ObjectMeta, &o.Service.ObjectMeta, &o.HPA.ObjectMeta} {
		if meta.Namespace == "" {
			meta.Namespace = metav1.NamespaceDefault
		}
	}
	defaultsapps.SetObjectDefaults_Deployment(o.Deployment)
	defaultscore.SetObjectDefaults_Service(o.Service)
	defaultshpa.SetDefaults_HorizontalPodAutoscaler(o.HPA)
	// Its controller writes this through the status, in which fakecluster takes no
	// annotations; without it, it would try for ever.
	metav1.SetMetaDataAnnotation(&o.Deployment.ObjectMeta, deploymentutil.RevisionAnnotation, "1")
	o.Service.Spec.IPFamilies = []corev1.IPFamily{corev1.IPv4Protocol}
	o.Service.Spec.ClusterIP = "10.96.0.1"
}

func (p *plane) elapsed() time.Duration { return time.Since(p.start) }

// complain takes an error that a controller reported and went on after. That
// its cache lags behind is what controllers count on. An HPA without a metric
// says so, too: both sides are to decide the same on that.
func (p *plane) complain(_ context.Context, err error, _ string, _ ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case isBehind(err):
		p.stale++
	case !strings.Contains(err.Error(), "unable to fetch metrics from external metrics API"):
		p.errs = append(p.errs, err)
	}
}

// isBehind says whether a controller complains that its cache lags behind.
func isBehind(err error) bool {
	return apierrors.IsConflict(err) || strings.Contains(err.Error(), "is not as new as written version") ||
		strings.Contains(err.Error(), "informer cache is out of date")
}

// noteSync takes down that the HPA controller reads the scale, as it does once
// at the beginning of a sync.
func (p *plane) noteSync(clienttesting.Action) (bool, runtime.Object, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begun = append(p.begun, p.elapsed())
	return false, nil, nil
}

// decide reads from the curve what every sync before the end left, just before
// the next one.
func (p *plane) decide(end time.Duration) {
	for i := 1; i < len(p.begun) && p.begun[i-1] < end; i++ {
		p.side.syncs = append(p.side.syncs, decision{p.begun[i-1], at(p.side.curve, p.begun[i]-1).Desired})
	}
}

func replicasOf(d *appsv1.Deployment) messages.Replicas {
	return messages.Replicas{Desired: *d.Spec.Replicas, Created: d.Status.Replicas, Ready: d.Status.ReadyReplicas}
}

func (p *plane) seeDeployment(obj any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.side.curve = add(p.side.curve, counts{p.elapsed(), replicasOf(obj.(*appsv1.Deployment))})
}

func (p *plane) seeSlice(obj any) {
	s := obj.(*discoveryv1.EndpointSlice)
	n := 0
	for _, e := range s.Endpoints {
		if *e.Conditions.Ready {
			n++
		}
	}
	p.countEndpoints(s.Name, n)
}

func (p *plane) loseSlice(obj any) {
	if gone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		obj = gone.Obj
	}
	p.countEndpoints(obj.(*discoveryv1.EndpointSlice).Name, 0)
}

func (p *plane) countEndpoints(slice string, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ready[slice] = n
	var sum int32
	for _, n := range p.ready {
		sum += int32(n)
	}
	p.slices = add(p.slices, counts{p.elapsed(), messages.Replicas{Ready: sum}})
}

// noCustomMetrics is a custom metrics API that nobody asks.
type noCustomMetrics struct {
	customclient.CustomMetricsClient
}

// externalMetrics is the external metrics API: it plays the tape.
type externalMetrics struct{ p *plane }

func (e externalMetrics) NamespacedMetrics(string) externalclient.MetricsInterface { return e }

func (e externalMetrics) List(name string, _ labels.Selector) (*external.ExternalMetricValueList, error) {
	now := e.p.elapsed()
	var r reading
	for _, r2 := range e.p.tape {
		if r2.at > now {
			break
		}
		r = r2
	}
	if r.err != "" {
		return nil, errors.New(r.err)
	}
	return &external.ExternalMetricValueList{Items: []external.ExternalMetricValue{{
		MetricName: name, Timestamp: metav1.Now(), Value: *resource.NewMilliQuantity(r.milli, resource.DecimalSI)}}}, nil
}
