package handler

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/clock"

	"github.com/scalelab/scalelab/k8shelper"
	"github.com/scalelab/scalelab/k8shelper/fakecluster"
	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling"
)

const (
	dayCooldown = 300 * time.Second
	dayMinimum  = 2
	// dayLag is how far the trigger is behind the traffic.
	dayLag = 15 * time.Second
	// daySlack is how long a decision may be under way: traffic that began so
	// shortly before a write of zero was not there when that was decided.
	daySlack = 30 * time.Second
)

// day is the cluster, the services, and who plays the rest of the world.
type day struct {
	t        *testing.T
	start    time.Time
	cluster  *fakecluster.Cluster
	handler  *Handler
	services []*dayService
	tasks    sync.WaitGroup
}

// isWorld says whether a call is one of the world's: the handler only touches
// the scale of workloads. The world has no faults.
func isWorld(c fakecluster.Call) bool {
	return c.Subresource != "scale" && slices.Contains([]string{"deployments", "statefulsets", "rollouts"}, c.Resource.Resource)
}

func newDay(t *testing.T, seed uint64) *day {
	d := &day{t: t, start: time.Now()}
	faults, err := fakecluster.RandomFaults{
		Seed: seed, Stream: "api", Conflicts: 0.03, Timeouts: 0.02, ServerErrors: 0.02, LostAnswers: 0.5,
		LatencyMin: 200 * time.Millisecond, LatencyMax: 2 * time.Second,
	}.Faults()
	require.NoError(t, err)
	d.cluster, err = fakecluster.New(fakecluster.Options{
		Clock: clock.RealClock{}, LogCalls: 1 << 19,
		Faults: func(c fakecluster.Call) fakecluster.Fault {
			if isWorld(c) {
				return fakecluster.Fault{}
			}
			return faults(c)
		},
	})
	require.NoError(t, err)
	require.NoError(t, d.cluster.Put(resolverSlice("10.0.0.9", "10.0.0.10")))
	dice := rand.New(rand.NewPCG(seed, 1))
	for i, kind := range []string{"Deployment", "StatefulSet", "Rollout", "Deployment", "Deployment"} {
		s := &dayService{kind: kind, name: fmt.Sprintf("svc-%d", i), keda: i >= 3, ready: true, raised: d.start}
		s.draw(d.start, dice)
		d.add(s)
	}
	d.handler, err = New(Options{
		Clients: d.cluster.Clients(), Clock: clock.RealClock{}, Log: slog.New(slog.DiscardHandler),
		Resolver: Resolver{Namespace: "elasti", Service: "resolver", Port: 8012},
		Scalers: func(from Source) (scaling.Scaler, error) {
			for _, s := range d.services {
				if s.name == from.Name {
					return s, nil
				}
			}
			return nil, errTest
		},
	})
	require.NoError(t, err)
	return d
}

func (d *day) add(s *dayService) {
	d.services = append(d.services, s)
	meta := metav1.ObjectMeta{Name: s.name, Namespace: "shop"}
	require.NoError(d.t, d.cluster.Put(
		workload(s.kind, "shop", s.name, dayMinimum, dayMinimum),
		&corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app": s.name}, Ports: []corev1.ServicePort{{Port: 80, Protocol: corev1.ProtocolTCP}},
		}},
		elastiService("shop", s.name, func(spec map[string]any) {
			spec["cooldownPeriod"] = int64(dayCooldown / time.Second)
			if s.kind == "Rollout" {
				rollout(spec)
			}
			spec["scaleTargetRef"].(map[string]any)["kind"] = s.kind
			spec["scaleTargetRef"].(map[string]any)["name"] = s.name
			if s.keda {
				spec["autoscaler"] = map[string]any{"type": "keda", "name": s.name}
			}
		})))
	if s.keda {
		require.NoError(d.t, d.cluster.Put(&unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": map[string]any{"namespace": "shop", "name": s.name},
		}}))
	}
	d.putPods(s)
}

func (d *day) putPods(s *dayService) {
	status := corev1.ConditionFalse
	if s.ready {
		status = corev1.ConditionTrue
	}
	require.NoError(d.t, d.cluster.Put(&corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: s.name + "-0", Namespace: "shop", Labels: map[string]string{"app": s.name}},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: status}}},
	}))
}

// step is one second of the world around a service: its controllers follow
// spec.replicas, and the resolver asks for pods if there are requests but none.
func (d *day) step(ctx context.Context, s *dayService, now time.Time) {
	desired := d.follow(ctx, s)
	switch {
	case desired == 0:
		s.raised = time.Time{}
	case s.raised.IsZero():
		s.raised = now
	}
	if ready := desired > 0 && now.Sub(s.raised) >= s.startup; ready != s.ready {
		s.ready = ready
		d.putPods(s)
	}
	busy, active := covers(s.active, now)
	if active && s.ready {
		s.slowest = max(s.slowest, s.raised.Add(s.startup).Sub(busy.from))
	}
	s.mu.Lock()
	notify := active && !s.ready && !s.asking && now.Sub(s.asked) >= 30*time.Second
	if notify {
		s.asking = true
	}
	s.mu.Unlock()
	if notify {
		d.tasks.Go(func() { d.notify(ctx, s) })
	}
}

// follow writes status.replicas and returns spec.replicas.
func (d *day) follow(ctx context.Context, s *dayService) int32 {
	apps, meta := d.cluster.Client.AppsV1(), metav1.GetOptions{}
	var desired int32
	var err error
	switch s.kind {
	case "StatefulSet":
		var w *appsv1.StatefulSet
		if w, err = apps.StatefulSets("shop").Get(ctx, s.name, meta); err == nil && w.Status.Replicas != *w.Spec.Replicas {
			w.Status.Replicas = *w.Spec.Replicas
			_, _ = apps.StatefulSets("shop").UpdateStatus(ctx, w, metav1.UpdateOptions{})
		}
		require.NoError(d.t, err)
		desired = *w.Spec.Replicas
	case "Rollout":
		rollouts := d.cluster.Dynamic.Resource(k8shelper.Rollouts).Namespace("shop")
		w, err := rollouts.Get(ctx, s.name, meta)
		require.NoError(d.t, err)
		count, _, _ := unstructured.NestedInt64(w.Object, "spec", "replicas")
		if created, _, _ := unstructured.NestedInt64(w.Object, "status", "HPAReplicas"); created != count {
			require.NoError(d.t, unstructured.SetNestedField(w.Object, count, "status", "HPAReplicas"))
			_, _ = rollouts.UpdateStatus(ctx, w, metav1.UpdateOptions{})
		}
		desired = int32(count)
	default:
		var w *appsv1.Deployment
		if w, err = apps.Deployments("shop").Get(ctx, s.name, meta); err == nil && w.Status.Replicas != *w.Spec.Replicas {
			w.Status.Replicas = *w.Spec.Replicas
			_, _ = apps.Deployments("shop").UpdateStatus(ctx, w, metav1.UpdateOptions{})
		}
		require.NoError(d.t, err)
		desired = *w.Spec.Replicas
	}
	return desired
}

// notify is the resolver's message, which opens its window only if it succeeds.
func (d *day) notify(ctx context.Context, s *dayService) {
	err := d.handler.Wake(ctx, messages.RequestCount{Count: 1, Svc: s.name, Namespace: "shop"})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asking = false
	s.wakes++
	if err != nil {
		s.failed++
		return
	}
	s.asked = time.Now()
}

// live runs a day and a bit.
func (d *day) live() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.handler.Run(ctx) }()
	time.Sleep(100 * time.Millisecond) // apart from the polls
	for time.Since(d.start) < 24*time.Hour {
		for _, s := range d.services {
			d.step(ctx, s, time.Now())
		}
		if time.Since(d.start)%time.Minute < time.Second {
			d.cluster.ClearActions()
		}
		time.Sleep(time.Second)
	}
	cancel()
	require.NoError(d.t, <-ended)
	d.tasks.Wait()
}

// TestDayOfFaults is a day of five services while the API server fails 5 % of
// the calls and takes 200 ms to 2 s for each.
func TestDayOfFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDay(t, 42)
		d.live()
		tally := d.cluster.Tally()
		calls, dropped := d.cluster.Calls()
		require.Zero(t, dropped)
		calls = slices.DeleteFunc(calls, func(r fakecluster.Record) bool { return isWorld(r.Call) })
		injected := 0
		for _, n := range tally.Injected {
			injected += n
		}

		var b strings.Builder
		fmt.Fprintf(&b, "a day of %d services, seed 42\n", len(d.services))
		fmt.Fprintf(&b, "injected: %d of %d calls fail (%.1f %%)", injected, len(calls), 100*float64(injected)/float64(len(calls)))
		for _, reason := range slices.Sorted(maps.Keys(tally.Injected)) {
			fmt.Fprintf(&b, ", %s %d", reason, tally.Injected[reason])
		}
		fmt.Fprintf(&b, ", writes that took effect all the same %d; latency mean %v, most %v\n",
			tally.Lost, (tally.Latency / time.Duration(len(calls))).Round(time.Millisecond), tally.LatencyMax.Round(time.Millisecond))
		fmt.Fprintf(&b, "%-6s %-11s %-4s %6s %8s %8s %7s %5s %8s %7s %10s %9s  %s\n", "name", "kind", "keda", "active",
			"troubles", "to zero", "from 0", "raced", "wrong 0", "above", "wake-ups", "slowest", "at the end")
		verdicts := d.judge(calls)
		for _, s := range d.services {
			v, end := verdicts[s.name], d.settled(s)
			fmt.Fprintf(&b, "%-6s %-11s %-4t %6d %8d %8d %7d %5d %8d %7d %4d/%-5d %9v  %s\n", s.name, s.kind, s.keda, len(s.active),
				len(s.troubles), v.toZero, v.fromZero, v.raced, v.wrongZero, v.tooMany, s.wakes, s.failed, s.slowest.Round(100*time.Millisecond), end)
			assert.Zero(t, v.wrongZero, "%s: to zero while active", s.name)
			assert.Zero(t, v.tooMany, "%s: above its minimum", s.name)
			assert.Equal(t, "at zero", end, s.name)
			assert.Positive(t, v.toZero, s.name)
			assert.Positive(t, v.fromZero, s.name)
			assert.Less(t, s.slowest, 2*time.Minute, s.name)
		}
		t.Log("\n" + b.String())
		assert.InDelta(t, 0.05, float64(injected)/float64(len(calls)), 0.01)
	})
}
