package clientset

import (
	"encoding/json"
	"sort"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/scalelab/scalelab/k8shelper"
	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/elasti"
	"github.com/scalelab/scalelab/sim"
	"github.com/scalelab/scalelab/sim/cluster"
)

// world is a cluster's pods, changing at random but lawfully.
type world struct {
	now   time.Duration
	pods  []cluster.State // by id
	fresh []cluster.Transition
}

var lawful = map[cluster.State][]cluster.State{
	cluster.Pending:   {cluster.Scheduled, cluster.Gone},
	cluster.Scheduled: {cluster.Starting, cluster.Gone},
	cluster.Starting:  {cluster.Ready, cluster.Gone},
	cluster.Ready:     {cluster.Draining},
	cluster.Draining:  {cluster.Gone},
}

func (w *world) become(id int, to cluster.State) {
	if id == len(w.pods) {
		w.pods = append(w.pods, to)
	}
	w.pods[id] = to
	w.fresh = append(w.fresh, cluster.Transition{At: w.now, Pod: int32(id), To: to})
}

// change moves up to n pods on, or creates some.
func (w *world) change(t *rapid.T, n int) {
	for range n {
		w.now += time.Duration(rapid.IntRange(0, 3000).Draw(t, "pause_ms")) * time.Millisecond
		id := rapid.IntRange(0, len(w.pods)+1).Draw(t, "pod")
		if id >= len(w.pods) {
			w.become(len(w.pods), rapid.SampledFrom([]cluster.State{cluster.Pending, cluster.Ready}).Draw(t, "born"))
			continue
		}
		if next := lawful[w.pods[id]]; next != nil {
			w.become(id, rapid.SampledFrom(next).Draw(t, "next"))
		}
	}
}

func (w *world) counts() messages.Replicas {
	var c messages.Replicas
	for _, s := range w.pods {
		if s < cluster.Draining {
			c.Created++
		}
		if s == cluster.Ready {
			c.Ready++
		}
	}
	return c
}

// in names the pods in a state, sorted.
func (w *world) in(states ...cluster.State) []string {
	names := []string{}
	for id, s := range w.pods {
		for _, want := range states {
			if s == want {
				names = append(names, cluster.PodName("web", int32(id)))
			}
		}
	}
	return names
}

// checkPods holds the Pods in the API against the world.
func checkPods(t *rapid.T, a *Actuator, w *world) {
	list, err := a.Cluster().Client.CoreV1().Pods(a.target.Namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=web"})
	require.NoError(t, err)
	all, alive, ready := []string{}, int32(0), []string{}
	for _, p := range list.Items {
		all = append(all, p.Name)
		if p.DeletionTimestamp != nil {
			continue
		}
		alive++
		for _, c := range p.Status.Conditions {
			if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
				ready = append(ready, p.Name)
			}
		}
	}
	assert.Equal(t, w.in(cluster.Pending, cluster.Scheduled, cluster.Starting, cluster.Ready, cluster.Draining), all)
	assert.Equal(t, w.counts().Created, alive, "pods that are not terminating")
	assert.Equal(t, w.in(cluster.Ready), ready)
}

// checkEndpoints holds the EndpointSlices against the world.
func checkEndpoints(t *rapid.T, a *Actuator, w *world) {
	ready, terminating := []string{}, []string{}
	slices := slicesOf(t, a)
	for _, s := range slices {
		assert.LessOrEqual(t, len(s.Endpoints), maxEndpoints)
		assert.True(t, len(s.Endpoints) > 0 || len(slices) == 1, "an empty slice among others")
		for _, e := range s.Endpoints {
			if *e.Conditions.Ready {
				ready = append(ready, e.TargetRef.Name)
			}
			if *e.Conditions.Terminating {
				terminating = append(terminating, e.TargetRef.Name)
			}
		}
	}
	sort.Strings(ready)
	sort.Strings(terminating)
	assert.Equal(t, w.in(cluster.Ready), ready)
	assert.Equal(t, w.in(cluster.Draining), terminating)
	has, err := a.ops.HasReadyEndpoint(ctx, a.target.Namespace, "web", k8shelper.ManagedBy)
	require.NoError(t, err)
	assert.Equal(t, len(ready) > 0, has)
}

func checkReplicas(t *rapid.T, a *Actuator, direct sim.Actuator, w *world) {
	want, err := direct.Replicas(w.now)
	require.NoError(t, err)
	got, err := a.Replicas(w.now)
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

func TestClientsetShowsWhatDirectShows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		initial := rapid.SampledFrom([]int32{0, 1, 5, 99, 101, 250}).Draw(t, "initial")
		o := web(initial)
		o.HPA = &autoscalingv2.HorizontalPodAutoscaler{}
		o.Elasti = &elasti.ElastiService{Spec: elasti.ElastiServiceSpec{Service: "web"}}
		o.Deployment.Namespace = rapid.SampledFrom([]string{"", "shop"}).Draw(t, "namespace")
		a, err := New(o, start)
		require.NoError(t, err)
		direct := sim.Direct(initial)
		w := &world{}
		for id := range initial {
			w.become(int(id), cluster.Ready)
		}
		for step := range rapid.IntRange(1, 12).Draw(t, "steps") {
			if step > 0 {
				w.change(t, rapid.SampledFrom([]int{0, 1, 5, 120}).Draw(t, "changes"))
			}
			for _, act := range []sim.Actuator{direct, a} {
				require.NoError(t, act.Mirror(w.now, w.fresh, w.counts()))
			}
			w.fresh = w.fresh[:0]
			checkReplicas(t, a, direct, w)
			checkPods(t, a, w)
			checkEndpoints(t, a, w)
			loop := rapid.SampledFrom([]string{"hpa", "elasti", "oracle"}).Draw(t, "loop")
			d := messages.Decision{
				Desired: rapid.Int32Range(0, 5).Draw(t, "desired"),
				Reason:  rapid.SampledFrom([]messages.Reason{messages.ReasonScaleFromZero, messages.ReasonSteady, messages.ReasonMetricFailed}).Draw(t, "reason"),
			}
			want, err := direct.Carry(w.now, loop, d)
			require.NoError(t, err)
			got, err := a.Carry(w.now, loop, d)
			require.NoError(t, err)
			assert.Equal(t, want, got)
			checkReplicas(t, a, direct, w)
		}
	})
}

// everything prints all objects of a run, for comparison.
func everything(t *testing.T, a *Actuator) string {
	client := a.Cluster().Client
	pods, err := client.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
	require.NoError(t, err)
	deployments, err := client.AppsV1().Deployments("").List(ctx, metav1.ListOptions{})
	require.NoError(t, err)
	events, err := client.CoreV1().Events("").List(ctx, metav1.ListOptions{})
	require.NoError(t, err)
	text, err := json.Marshal([]any{pods, deployments, events, slicesOf(t, a)})
	require.NoError(t, err)
	return string(text)
}

func TestEqualCallsLeaveEqualObjects(t *testing.T) {
	run := func() string {
		o := web(3)
		o.HPA = &autoscalingv2.HorizontalPodAutoscaler{}
		a := newActuator(t, o)
		for i := range 50 {
			now := time.Duration(i) * 15 * time.Second
			to := cluster.State(i % 5)
			require.NoError(t, a.Mirror(now, []cluster.Transition{{At: now, Pod: int32(i / 5), To: to}}, messages.Replicas{Created: int32(i), Ready: 1}))
			_, err := a.Carry(now, "hpa", rescaled(int32(i%7)))
			require.NoError(t, err)
		}
		return everything(t, a)
	}
	first := run()
	assert.Contains(t, first, "SuccessfulRescale")
	assert.Equal(t, first, run())
}
