package bench_test

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkFloor is what a person would write who wants M/M/c and nothing else:
// arrivals, c servers, one queue, departures in the standard library's heap, a
// sum of waits. No timeouts, pods, percentiles, autoscaler or fingerprint. The
// benchmarks of the data plane are held against it, in the same run.
func BenchmarkFloor(b *testing.B) {
	for _, servers := range []int{10, 100, 400} {
		b.Run(fmt.Sprintf("c=%d", servers), func(b *testing.B) {
			m := measure(b)
			for b.Loop() {
				const requests = 1_000_000
				floor(requests, servers)
				m.requests += requests
			}
			m.stop()
		})
	}
}

// floor serves n requests at 80 % utilization and returns the sum of their waits
// in service times.
func floor(n uint64, servers int) (waits float64) {
	dice := rand.New(rand.NewPCG(1, 2))
	rate := 0.8 * float64(servers)
	var departures instants
	var waiting []float64
	arrival, arrived := dice.ExpFloat64()/rate, uint64(1)
	for {
		if len(departures) > 0 && departures[0] <= arrival {
			now := heap.Pop(&departures).(float64)
			if len(waiting) > 0 {
				waits += now - waiting[0]
				waiting = waiting[1:]
				heap.Push(&departures, now+dice.ExpFloat64())
			}
			continue
		}
		if arrived > n {
			return waits
		}
		if len(departures) < servers {
			heap.Push(&departures, arrival+dice.ExpFloat64())
		} else {
			waiting = append(waiting, arrival)
		}
		arrival += dice.ExpFloat64() / rate
		arrived++
	}
}

type instants []float64

func (h instants) Len() int           { return len(h) }
func (h instants) Less(i, j int) bool { return h[i] < h[j] }
func (h instants) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *instants) Push(x any)        { *h = append(*h, x.(float64)) }
func (h *instants) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
