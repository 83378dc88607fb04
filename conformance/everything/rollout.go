package everything

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"

	"github.com/scalelab/scalelab/k8shelper/fakecluster"
	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/cluster"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
	defaultsapps "k8s.io/kubernetes/pkg/apis/apps/v1"
	"k8s.io/kubernetes/pkg/controller/deployment"
	deploymentutil "k8s.io/kubernetes/pkg/controller/deployment/util"
	"k8s.io/kubernetes/pkg/controller/replicaset"
	"k8s.io/utils/clock"
)

// change is what is done to a Deployment at an instant.
type change struct {
	at       time.Duration
	replicas int32
	template int // 0 at first
}

// script is a Deployment and what is done to it until the end.
type script struct {
	spec    cluster.Spec
	changes []change
	end     time.Duration
}

// rolled are the counts of every template's ReplicaSet over time.
type rolled [][]counts

// count appends the counts of a template.
func (r *rolled) count(template int, at time.Duration, n messages.Replicas) {
	for len(*r) <= template {
		*r = append(*r, []counts{{}})
	}
	(*r)[template] = add((*r)[template], counts{at, n})
}

// simulateRollout plays a script with our Deployment.
func simulateRollout(s script) (rolled, error) {
	c, err := cluster.New(s.spec, 1, nobody{}, cluster.NewTally([]time.Duration{0}, 0))
	if err != nil {
		return nil, err
	}
	var r rolled
	template := 0
	note := func() {
		var templates []messages.Replicas
		for range template + 1 {
			templates = append(templates, messages.Replicas{})
		}
		for _, p := range c.Pods(nil) {
			n := &templates[p.Template]
			if p.State < cluster.Draining { // a ReplicaSet of ours has what it wants at once
				n.Desired++
				n.Created++
			}
			if p.State == cluster.Ready {
				n.Ready++
			}
		}
		for t, n := range templates {
			r.count(t, c.Now(), n)
		}
	}
	note()
	for now := time.Duration(0); now < s.end; now += time.Millisecond {
		c.Advance(now)
		for len(s.changes) > 0 && s.changes[0].at == now {
			if s.changes[0].template != template {
				template++
				c.Rollout()
			}
			c.Scale(s.changes[0].replicas)
			s.changes = s.changes[1:]
			c.Advance(now)
		}
		note()
	}
	return r, nil
}

// nobody sends requests.
type nobody struct{}

func (nobody) Fill([]time.Duration) int { return 0 }

// rolling is the real Deployment with what watches it.
type rolling struct {
	start time.Time

	mu     sync.Mutex
	rolled rolled
	begun  bool
	errs   []error
}

// realizeRollout plays a script with the real controllers. It belongs into a bubble.
func realizeRollout(s script, latency fakecluster.Faults) (rolled, error) {
	p := &rolling{start: time.Now().Add(lead)}
	utilruntime.ErrorHandlers = []utilruntime.ErrorHandler{p.complain}
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: nodeName}}
	api, err := fakecluster.New(fakecluster.Options{Clock: clock.RealClock{}, Objects: []runtime.Object{node}, Watch: true, Faults: latency})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(klog.NewContext(context.Background(), logr.Discard()))
	defer stop()
	k, err := newKubelet(ctx, api.Client, s.spec.Lifecycle)
	if err != nil {
		return nil, err
	}
	factory := informers.NewSharedInformerFactory(api.Client, resync)
	pods, sets, deployments := factory.Core().V1().Pods(), factory.Apps().V1().ReplicaSets(), factory.Apps().V1().Deployments()
	deploy, err := deployment.NewDeploymentController(ctx, deployments, sets, pods, api.Client)
	if err != nil {
		return nil, err
	}
	replicate := replicaset.NewReplicaSetController(ctx, sets, pods, api.Client, burstReplicas)
	see := cache.ResourceEventHandlerFuncs{AddFunc: p.see, UpdateFunc: func(_, obj any) { p.see(obj) }}
	for _, err := range []error{second(pods.Informer().AddEventHandler(k.handler())), second(sets.Informer().AddEventHandler(see))} {
		if err != nil {
			return nil, err
		}
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	synctest.Wait()
	var running sync.WaitGroup
	for _, controller := range []interface{ Run(context.Context, int) }{deploy, replicate} {
		running.Go(func() { controller.Run(ctx, workers) })
	}
	err = p.play(ctx, s, api, k)
	stop()
	running.Wait()
	factory.Shutdown()
	k.lives.Wait()
	return p.rolled, errors.Join(append(append(p.errs, k.errs...), err)...)
}

func second[T any](_ T, err error) error { return err }

// play creates the Deployment, and changes it.
func (p *rolling) play(ctx context.Context, s script, api *fakecluster.Cluster, k *kubelet) error {
	deployments := api.Client.AppsV1().Deployments(metav1.NamespaceDefault)
	if _, err := deployments.Create(ctx, s.deployment(), metav1.CreateOptions{}); err != nil {
		return err
	}
	time.Sleep(time.Until(p.start))
	synctest.Wait()
	k.mu.Lock()
	k.instant = false
	k.mu.Unlock()
	p.mu.Lock()
	p.begun = true
	p.rolled = nil
	p.rolled.count(0, 0, messages.Replicas{Desired: s.spec.Replicas, Created: s.spec.Replicas, Ready: s.spec.Replicas})
	p.mu.Unlock()
	for _, c := range s.changes {
		time.Sleep(time.Until(p.start.Add(c.at)))
		d, err := deployments.Get(ctx, "web", metav1.GetOptions{})
		if err != nil {
			return err
		}
		d.Spec.Replicas = &c.replicas
		d.Spec.Template.Annotations = map[string]string{"template": strconv.Itoa(c.template)}
		if _, err := deployments.Update(ctx, d, metav1.UpdateOptions{}); err != nil {
			return err
		}
	}
	time.Sleep(time.Until(p.start.Add(s.end)))
	synctest.Wait()
	return nil
}

// deployment is the script's.
func (s script) deployment() *appsv1.Deployment {
	labels := map[string]string{"app": "web"}
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: metav1.NamespaceDefault, Generation: 1,
			Annotations: map[string]string{deploymentutil.RevisionAnnotation: "1"}},
		Spec: appsv1.DeploymentSpec{
			Replicas: &s.spec.Replicas, Selector: &metav1.LabelSelector{MatchLabels: labels},
			MinReadySeconds: int32(s.spec.Update.MinReady / time.Second),
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels, Annotations: map[string]string{"template": "0"}},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "web"}}},
			},
		},
	}
	u := s.spec.Update
	if u.Recreate {
		d.Spec.Strategy.Type = appsv1.RecreateDeploymentStrategyType
	} else {
		surge, unavailable := written(u.MaxSurge), written(u.MaxUnavailable)
		d.Spec.Strategy = appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType,
			RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: &surge, MaxUnavailable: &unavailable}}
	}
	defaultsapps.SetObjectDefaults_Deployment(d)
	return d
}

func written(s cluster.Share) intstr.IntOrString {
	if s.Percent {
		return intstr.FromString(fmt.Sprintf("%d%%", s.Number))
	}
	return intstr.FromInt32(s.Number)
}

func (p *rolling) complain(_ context.Context, err error, _ string, _ ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !isBehind(err) {
		p.errs = append(p.errs, err)
	}
}

// see takes down the counts of a ReplicaSet.
func (p *rolling) see(obj any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := obj.(*appsv1.ReplicaSet)
	template, err := strconv.Atoi(s.Spec.Template.Annotations["template"])
	if err != nil {
		p.errs = append(p.errs, err)
		return
	}
	if p.begun {
		p.rolled.count(template, time.Since(p.start), messages.Replicas{Desired: *s.Spec.Replicas, Created: s.Status.Replicas, Ready: s.Status.ReadyReplicas})
	}
}
