package knative

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/random"
)

// busy is an autoscaler in its stride, beside so many pods with 70 requests each.
func busy(tb testing.TB, pods int, quiet bool, annotations ...string) (*Autoscaler, messages.Stats, messages.Observation) {
	stream := random.Seed(1).Key("bench", 0).Stream()
	spec := newSpec(annotations...)
	spec.Draw = stream.IntN
	a := newAutoscaler(tb, spec)
	if quiet {
		a.Quietly()
	}
	load := make([]float64, pods)
	for i := range load {
		load[i] = 70
	}
	return a, messages.Stats{Pods: podStats(load...), Proxies: []messages.ProxyStats{{Concurrency: 3}}}, seen(int32(pods), int32(pods), int32(pods))
}

// BenchmarkPeriod is one period: two collections and a decision.
func BenchmarkPeriod(b *testing.B) {
	for _, pods := range []int{1, 10, 20, 100} {
		for _, quiet := range []bool{false, true} {
			b.Run(fmt.Sprintf("pods=%d/quiet=%v", pods, quiet), func(b *testing.B) {
				a, stats, o := busy(b, pods, quiet)
				now := start
				b.ReportAllocs()
				for b.Loop() {
					a.Collect(now, stats)
					a.Collect(now.Add(time.Second), stats)
					now = now.Add(2 * time.Second)
					if _, err := a.Decide(now, o); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkCollect(b *testing.B) {
	for _, pods := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("pods=%d", pods), func(b *testing.B) {
			a, stats, _ := busy(b, pods, true)
			now := start
			b.ReportAllocs()
			for b.Loop() {
				a.Collect(now, stats)
				now = now.Add(time.Second)
			}
		})
	}
}

func BenchmarkDecide(b *testing.B) {
	for _, pods := range []int{1, 10, 100} {
		for _, quiet := range []bool{false, true} {
			b.Run(fmt.Sprintf("pods=%d/quiet=%v", pods, quiet), func(b *testing.B) {
				a, stats, o := busy(b, pods, quiet)
				a.Collect(start, stats)
				b.ReportAllocs()
				for b.Loop() {
					if _, err := a.Decide(start, o); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// In quiet, nothing is allocated once everything has been seen.
func TestQuietDecisionsAllocateNothing(t *testing.T) {
	for _, annotations := range [][]string{nil, {"metric-aggregation-algorithm", "weighted-exponential", "scale-down-delay", "10s"}} {
		a, stats, o := busy(t, 20, true, annotations...)
		now := start
		period := func() {
			a.Collect(now, stats)
			now = now.Add(time.Second)
			a.Collect(now, stats)
			now = now.Add(time.Second)
			_, err := a.Decide(now, o)
			assert.NoError(t, err)
			_, err = a.Wake(now, messages.RequestCount{Count: 1, Svc: "web", Namespace: "default"}, o.Replicas)
			assert.NoError(t, err)
			stats.Pods[0].Concurrency += 30
		}
		for range 100 {
			period()
		}
		assert.Zero(t, testing.AllocsPerRun(100, period))
	}
}
