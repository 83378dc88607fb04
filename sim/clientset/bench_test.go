package clientset

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	autoscalingv2 "k8s.io/api/autoscaling/v2"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/cluster"
)

// benchActuator has n ready pods and an HPA.
func benchActuator(b *testing.B, n int32) *Actuator {
	b.Helper()
	o := web(n)
	o.HPA = &autoscalingv2.HorizontalPodAutoscaler{}
	a, err := New(o, start)
	require.NoError(b, err)
	var changes []cluster.Transition
	for i := range n {
		changes = append(changes, cluster.Transition{Pod: i, To: cluster.Ready})
	}
	require.NoError(b, a.Mirror(0, changes, messages.Replicas{Desired: n, Created: n, Ready: n}))
	_, err = a.Carry(0, "hpa", messages.Decision{Desired: n})
	require.NoError(b, err)
	return a
}

func BenchmarkCarryHold(b *testing.B) {
	a := benchActuator(b, 10)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Carry(time.Second, "hpa", messages.Decision{Desired: 10}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSync is everything a control loop costs that holds: mirror, read, carry.
func BenchmarkSync(b *testing.B) {
	a := benchActuator(b, 10)
	counts := messages.Replicas{Desired: 10, Created: 10, Ready: 10}
	b.ReportAllocs()
	for b.Loop() {
		if err := a.Mirror(time.Second, nil, counts); err != nil {
			b.Fatal(err)
		}
		if _, err := a.Replicas(time.Second); err != nil {
			b.Fatal(err)
		}
		if _, err := a.Carry(time.Second, "hpa", messages.Decision{Desired: 10}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCarryRescale(b *testing.B) {
	a := benchActuator(b, 10)
	now := time.Duration(0)
	desired := int32(10)
	b.ReportAllocs()
	for b.Loop() {
		now += 15 * time.Second
		desired = 30 - desired
		if _, err := a.Carry(now, "hpa", rescaled(desired)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTransition is the whole life of a pod, one Mirror for every
// transition, with its share of the endpoints' and the Deployment's updates.
func BenchmarkTransition(b *testing.B) {
	for _, pods := range []int32{10, 50, 100, 1000} {
		b.Run(cluster.PodName("pods", pods), func(b *testing.B) {
			a := benchActuator(b, pods)
			counts := messages.Replicas{Desired: pods, Created: pods, Ready: pods}
			life := []cluster.State{cluster.Pending, cluster.Scheduled, cluster.Starting, cluster.Ready, cluster.Draining, cluster.Gone}
			id, step := pods, 0
			b.ReportAllocs()
			for b.Loop() {
				if step == len(life) {
					id, step = id+1, 0
				}
				switch life[step] {
				case cluster.Pending:
					counts.Created++
				case cluster.Ready:
					counts.Ready++
				case cluster.Draining:
					counts.Created--
					counts.Ready--
				}
				if err := a.Mirror(0, []cluster.Transition{{Pod: id, To: life[step]}}, counts); err != nil {
					b.Fatal(err)
				}
				step++
			}
		})
	}
}

// BenchmarkBurst is 100 pods that come and go, a Mirror for every stage of
// them all. ns/op is per transition.
func BenchmarkBurst(b *testing.B) {
	const pods, burst = 10, 100
	a := benchActuator(b, pods)
	life := []cluster.State{cluster.Pending, cluster.Scheduled, cluster.Starting, cluster.Ready, cluster.Draining, cluster.Gone}
	first, step := int32(pods), 0
	changes := make([]cluster.Transition, burst)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if n%burst != 0 {
			continue
		}
		if step == len(life) {
			first, step = first+burst, 0
		}
		for i := range changes {
			changes[i] = cluster.Transition{Pod: first + int32(i), To: life[step]}
		}
		if err := a.Mirror(0, changes, messages.Replicas{Desired: pods, Created: pods, Ready: pods}); err != nil {
			b.Fatal(err)
		}
		step++
	}
}

func BenchmarkNew(b *testing.B) {
	o := web(1)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := New(o, start); err != nil {
			b.Fatal(err)
		}
	}
}
