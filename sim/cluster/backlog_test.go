package cluster

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/random"
)

// consumers are pods with fixed times that consume: service of a second, and a pod
// that starts in 1 + 2 + 4 s.
func consumers(pods int32, concurrency int, m Consumption) Spec {
	spec := small()
	spec.Replicas, spec.PerPod.Concurrency, spec.PerPod.Queue = pods, concurrency, 0
	spec.Routing.Policy = "central-queue"
	spec.Lifecycle.EndpointPropagation = random.Constant(0)
	spec.Consumes = &m
	return spec
}

// drained is when the cluster has processed everything, to the nanosecond.
func drained(t *testing.T, c *Cluster) time.Duration {
	t.Helper()
	last := time.Duration(0)
	c.tally.observe = func(_ *request, now time.Duration, f fate) {
		require.Equal(t, completed, f)
		last = max(last, now)
	}
	c.Advance(24 * time.Hour)
	balanced(t, c.Counters())
	require.Equal(t, c.Counters().Arrived, c.Counters().Completed)
	return last
}

// drainTime of n messages, of which the same number is in every partition, give or
// take one, by consumers that all take the same time for one: every slot processes
// one message after the other, and of p pods that have partitions the first has the
// most messages,
//
//	ceil(ceil(n/p) / concurrency) service
//
// without partitions with the slots of all pods, ceil(n / (p concurrency)) service.
func drainTime(n, pods, concurrency, partitions int, service time.Duration) time.Duration {
	up := func(a, b int) int { return (a + b - 1) / b }
	if partitions == 0 {
		return time.Duration(up(n, pods*concurrency)) * service
	}
	largest := 0
	for pod := range min(pods, partitions) {
		mine := 0
		for k := pod; k < partitions; k += pods {
			mine += up(n-k, partitions)
		}
		largest = max(largest, mine)
	}
	return time.Duration(up(largest, concurrency)) * service
}

func TestDrainTime(t *testing.T) {
	assert.Equal(t, 25*time.Second, drainTime(100, 4, 1, 0, time.Second))
	assert.Equal(t, 13*time.Second, drainTime(100, 4, 2, 0, time.Second), "the last slots stay empty")
	assert.Equal(t, 50*time.Second, drainTime(100, 4, 1, 2, time.Second), "two of four pods have a partition")
	assert.Equal(t, 50*time.Second, drainTime(150, 2, 1, 3, 500*time.Millisecond), "one pod has two of three partitions")
}

// A backlog of n messages takes as long as the closed form says.
func TestABacklogDrains(t *testing.T) {
	const n = 840 // divisible by 1 to 8
	for _, discipline := range []string{"fifo", "ps"} {
		for _, partitions := range []int{0, 1, 3, 6, 12} {
			for pods := 1; pods <= 14; pods++ {
				for concurrency := 1; concurrency <= 3; concurrency++ {
					name := fmt.Sprintf("%s, %d pods with %d slots, %d partitions", discipline, pods, concurrency, partitions)
					spec := consumers(int32(pods), concurrency, Consumption{Partitions: partitions})
					spec.PerPod.Discipline, spec.PerPod.Cores = discipline, nil
					if discipline == "ps" { // a core for every slot: nobody disturbs anybody
						spec.PerPod.Cores = new(float64(concurrency))
					}
					c := newCluster(t, spec, arrivals(n, 0))
					assert.Equal(t, drainTime(n, pods, concurrency, partitions, time.Second), drained(t, c), name)
					worked := 0
					for i := range c.pods {
						if c.pods[i].Received > 0 {
							worked++
						}
					}
					useful := pods
					if partitions > 0 {
						useful = min(pods, partitions)
					}
					assert.Equal(t, useful, worked, name)
				}
			}
		}
	}
}

func TestWhatIsLeftOfABacklog(t *testing.T) {
	c := newCluster(t, consumers(4, 2, Consumption{}), arrivals(100, time.Second))
	c.Advance(2500 * time.Millisecond)
	assert.Equal(t, 100-16, c.Held(), "eight are processed, eight are taken")
	assert.Equal(t, int64(100-16), c.Waiting())
	assert.Equal(t, time.Second+13*time.Second, drained(t, c))
}

func TestMessagesWaitForPods(t *testing.T) {
	spec := consumers(0, 2, Consumption{})
	c := newCluster(t, spec, arrivals(5, time.Second))
	c.Advance(time.Hour)
	assert.Equal(t, Counters{Arrived: 5, InFlight: 5}, c.Counters(), "they wait without bound, and for ever")
	assert.Equal(t, 5, c.Held())
	c.Scale(1)
	c.Advance(time.Hour + 7*time.Second) // the pod is Ready
	assert.Equal(t, 3, c.Held())
	assert.Equal(t, time.Hour+10*time.Second, drained(t, c))
	p := c.tally.Phases()[0]
	assert.Equal(t, uint64(5), p.Cold, "all found no pod")
	assert.Equal(t, time.Hour+9*time.Second, p.Latency.Max(), "from the arrival to the end of the service")
	assert.Equal(t, time.Hour+8*time.Second, p.Wait.Max())
}

// A pod that dies with a message that it took at t gives it back at the end of its
// visibility timeout.
func TestRedelivery(t *testing.T) {
	for name, c := range map[string]struct {
		visibility, service, grace time.Duration
		again                      time.Duration // when it is delivered again
	}{
		// Taken at 1 s, deleted at 2 s, killed at the end of the grace period.
		"at the end of the timeout":           {30 * time.Second, time.Minute, 10 * time.Second, 31 * time.Second},
		"of the timeout that was asked for":   {5 * time.Second, time.Minute, 10 * time.Second, 16 * time.Second},
		"which may be the moment of its loss": {11 * time.Second, time.Minute, 10 * time.Second, 12 * time.Second},
		"at once":                             {0, time.Minute, 10 * time.Second, 12 * time.Second},
		"without a grace period":              {30 * time.Second, time.Minute, 0, 31 * time.Second},
	} {
		for _, discipline := range []string{"fifo", "ps"} {
			t.Run(name+", "+discipline, func(t *testing.T) {
				spec := consumers(1, 1, Consumption{VisibilityTimeout: &c.visibility})
				spec.GracePeriod, spec.PerPod.ServiceTime, spec.PerPod.Discipline = c.grace, random.Constant(c.service), discipline
				cluster := newCluster(t, spec, arrivals(1, time.Second))
				cluster.Advance(2 * time.Second)
				cluster.Scale(0)
				cluster.Scale(1) // Ready at 9 s
				cluster.Advance(c.again - 1)
				if c.visibility > 0 && c.again > 2*time.Second+c.grace {
					assert.Equal(t, 1, cluster.Hidden())
					assert.Equal(t, int64(1), cluster.Waiting())
					assert.Zero(t, cluster.Held(), "nobody can take it")
				}
				assert.Zero(t, cluster.Counters().Retried)
				cluster.Advance(c.again)
				assert.Zero(t, cluster.Hidden())
				assert.Equal(t, Counters{Arrived: 1, Retried: 1, InFlight: 1}, cluster.Counters())
				assert.Equal(t, c.again+time.Minute, drained(t, cluster))
				assert.Equal(t, Counters{Arrived: 1, Completed: 1, Retried: 1}, cluster.Counters())
				assert.Equal(t, c.again+time.Minute-time.Second, cluster.tally.Phases()[0].Latency.Max())
			})
		}
	}
}

func TestAMessageComesBackToItsPlace(t *testing.T) {
	// 0 and 1 are taken at 0 s and lost at 0.5 s, back at 10 s and 20 s. Meanwhile the
	// others are processed one by one; at 10 s and 20 s it is the oldest.
	spec := consumers(1, 2, Consumption{VisibilityTimeout: new(10 * time.Second)})
	spec.GracePeriod = 0
	c := newCluster(t, spec, arrivals(40, 0))
	c.Advance(500 * time.Millisecond)
	c.Scale(0)
	c.Scale(1) // Ready at 7.5 s
	ends := map[uint64]time.Duration{}
	c.tally.observe = func(q *request, now time.Duration, _ fate) { ends[q.index] = now }
	c.Advance(time.Minute)
	assert.Equal(t, 8500*time.Millisecond, ends[2], "the oldest that can be seen")
	assert.Equal(t, 10500*time.Millisecond, ends[6])
	assert.Equal(t, 11500*time.Millisecond, ends[0], "at the next free slot, before the younger ones")
	assert.Equal(t, 11500*time.Millisecond, ends[1])
	assert.Equal(t, 12500*time.Millisecond, ends[8])
	assert.Equal(t, Counters{Arrived: 40, Completed: 40, Retried: 2}, c.Counters())
}

func TestDeadLetters(t *testing.T) {
	spec := consumers(1, 1, Consumption{VisibilityTimeout: new(10 * time.Second), MaxDeliveries: 2})
	spec.GracePeriod, spec.PerPod.ServiceTime = 0, random.Constant(time.Minute)
	c := newCluster(t, spec, arrivals(1, 0))
	for at := 9 * time.Second; at <= 36*time.Second; at += 9 * time.Second {
		c.Advance(at) // a minute's work, and pods that live for two seconds
		c.Scale(0)
		c.Scale(1)
	}
	// Taken at 0 s, lost at 9 s, back at 10 s, taken at 16 s, lost at 18 s, and its
	// timeout ends at 26 s.
	assert.Equal(t, Counters{Arrived: 1, Failed: 1, Retried: 1}, c.Counters())
	assert.Zero(t, c.Hidden()+c.Held())
}

func TestARebalanceStopsEverybody(t *testing.T) {
	// Two pods with three partitions each process two messages a second. The third is
	// Ready at 7 s: for 5 s nobody takes anything, what was taken at 7 s is done at 8 s.
	spec := consumers(2, 1, Consumption{Partitions: 6, Rebalance: new(5 * time.Second)})
	c := newCluster(t, spec, arrivals(60, 0))
	c.Scale(3)
	c.Advance(6999 * time.Millisecond)
	assert.Equal(t, uint64(12), c.Counters().Completed)
	c.Advance(11999 * time.Millisecond)
	assert.Equal(t, uint64(14), c.Counters().Completed)
	assert.Equal(t, 46, c.Held())
	c.Advance(12 * time.Second)
	assert.Equal(t, 43, c.Held())
	// The first pod has processed 0, 2, 4, 6, 8, 10 and 12, the second one the numbers
	// after them. Of ten messages each, the partitions 0 to 5 are left with 7, 7, 8, 8,
	// 8 and 8; three pods have 0 and 3, 1 and 4, 2 and 5: 15, 15 and 16.
	assert.Equal(t, 28*time.Second, drained(t, c))
}

func TestAPauseBeginsAnew(t *testing.T) {
	spec := consumers(2, 1, Consumption{Partitions: 2, Rebalance: new(5 * time.Second)})
	c := newCluster(t, spec, arrivals(4, 2*time.Second))
	c.Advance(time.Second)
	c.Scale(1)
	c.Advance(3 * time.Second)
	c.Scale(0)
	c.Advance(4 * time.Second)
	c.Scale(1) // Ready at 11 s, and a pause until 16 s
	c.Advance(16*time.Second - 1)
	assert.Equal(t, 4, c.Held())
	assert.Equal(t, 20*time.Second, drained(t, c))
}

func TestPodsOfTimeZeroAreAGroup(t *testing.T) {
	c := newCluster(t, consumers(3, 1, Consumption{Partitions: 3}), arrivals(3, 0))
	assert.Equal(t, time.Second, drained(t, c))
}

// Pods that are deleted together take nothing from each other.
func TestASmallerGroupIsMadeOnce(t *testing.T) {
	spec := consumers(4, 1, Consumption{Partitions: 4, Rebalance: new(time.Duration)})
	c := newCluster(t, spec, arrivals(40, 0))
	c.Advance(500 * time.Millisecond)
	c.Scale(1)
	c.Advance(500 * time.Millisecond)
	assert.Equal(t, 36, c.Held(), "each of the four goes on with what it has")
	c.Advance(time.Second)
	assert.Equal(t, 35, c.Held(), "one takes the next")
	assert.Equal(t, 37*time.Second, drained(t, c))
}

func TestKeysAreHashed(t *testing.T) {
	spec := consumers(3, 1, Consumption{Partitions: 3, Partitioner: "key-hash"})
	c := newCluster(t, spec, arrivals(3000, 0))
	c.Advance(0)
	again := newCluster(t, spec, arrivals(3000, 0))
	again.Advance(0)
	sum := 0
	for k := range c.backlog.partitions {
		n := int(c.backlog.partitions[k].length)
		sum += n
		assert.InDelta(t, 1000, n, 100, "a fair share, give or take four standard deviations")
		assert.NotEqual(t, 999, n, "and no turns")
		assert.Equal(t, n, int(again.backlog.partitions[k].length))
	}
	assert.Equal(t, 2997, sum)
}

func TestConsumptionValidates(t *testing.T) {
	second := time.Second
	for name, c := range map[string]struct {
		change func(*Spec)
		want   string
	}{
		"policy":          {func(s *Spec) { s.Routing.Policy = "p2c" }, "workload: routing.policy: found p2c, expected central-queue or none: the pods of a workload that consumes take messages themselves"},
		"timeout":         {func(s *Spec) { s.RequestTimeout = second }, "workload: requestTimeout: found 1s, expected 0s: nobody waits for the messages of a workload that consumes"},
		"cancel":          {func(s *Spec) { s.OnTimeout = "cancel" }, "workload: onTimeout: found cancel, expected none: nobody waits for the messages of a workload that consumes"},
		"retries":         {func(s *Spec) { s.Retries = trying(3, 0, 0, "failed") }, "workload: retries.attempts: found 3, expected 1: messages are delivered again, see consumes.maxDeliveries"},
		"queue":           {func(s *Spec) { s.PerPod.Queue = 7 }, "workload: perPod.queue: found 7, expected 0: messages wait in the queue, which has no bound"},
		"listen":          {func(s *Spec) { s.Lifecycle.Listen = random.Constant(second) }, "workload: lifecycle.listen: found 1s, expected 0s: a pod consumes from Ready on, without anybody connecting to it"},
		"serverless":      {func(s *Spec) { s.Serverless = &Serverless{ColdServiceTime: random.Constant(second)} }, "workload: consumes: found it beside a front, activators, a serverless platform or users, expected it alone: nobody waits for messages"},
		"partitions":      {func(s *Spec) { s.Consumes.Partitions = 1001 }, "workload: consumes.partitions: found 1001, expected 0 to 1000"},
		"partitioner":     {func(s *Spec) { s.Consumes.Partitions, s.Consumes.Partitioner = 2, "sticky" }, `workload: consumes.partitioner: found "sticky", expected round-robin or key-hash`},
		"nothing to hash": {func(s *Spec) { s.Consumes.Partitioner = "key-hash" }, "workload: consumes.partitioner: found key-hash without partitions, expected it with them only"},
		"no group":        {func(s *Spec) { s.Consumes.Rebalance = &second }, "workload: consumes.rebalance: found 1s without partitions, expected it with them only: pods join and leave a queue without a pause"},
		"visibility":      {func(s *Spec) { s.Consumes.VisibilityTimeout = new(-second) }, "workload: consumes.visibilityTimeout: found -1s, expected 0s to 720h0m0s"},
		"deliveries":      {func(s *Spec) { s.Consumes.MaxDeliveries = -1 }, "workload: consumes.maxDeliveries: found -1, expected 0 to 1000"},
	} {
		spec := consumers(1, 1, Consumption{})
		c.change(&spec)
		_, err := New(spec, 1, &instantsOf{}, NewTally([]time.Duration{0}, 0))
		assert.EqualError(t, err, c.want, name)
	}
}

// TestTopic: of four messages of one partition, the first has been processed, the
// second is in service, and two wait; the other partition has as many.
func TestTopic(t *testing.T) {
	spec := consumers(2, 1, Consumption{Partitions: 2})
	c := newCluster(t, spec, arrivals(8, 0))
	c.Advance(1500 * time.Millisecond)
	half := messages.Partition{Committed: 1, Lag: 3}
	assert.Equal(t, []messages.Partition{{Lag: 9}, half, half}, c.Topic([]messages.Partition{{Lag: 9}}))
	c.Advance(time.Minute)
	assert.Equal(t, []messages.Partition{{Committed: 4}, {Committed: 4}}, c.Topic(nil))

	plain := newCluster(t, consumers(2, 1, Consumption{}), arrivals(1, 0))
	assert.Empty(t, plain.Topic(nil), "a queue without partitions is no topic")
}
