package cluster

import (
	"slices"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/random"
)

// Consumption makes messages of a workload's requests. They wait in a queue without
// bound, also while there is no pod, and pods take them as slots get free, the
// oldest first. Nobody gives a message up; its latency is the time from its arrival
// until it has been processed. Routing has to be central-queue, and there are no
// timeouts and no retries.
//
// Without partitions the queue is like that of SQS or RabbitMQ: every pod takes
// from all of it. With partitions it is like a topic of Kafka read by one consumer
// group: a partition belongs to one pod, and a pod takes from its own partitions.
// The n pods that consume, in the order in which they joined, have the partitions
//
//	k, k + n, k + 2n, ...   pod k = 0 ... n-1
//
// so that pods beyond the number of partitions have none. A pod consumes while it is
// Ready, and then until its SIGTERM, which without a preStop hook is its deletion.
// Whenever the pods that consume change, nobody takes anything for Rebalance, and
// changes within a pause begin it anew (the eager protocol, the first of Kafka's default
// assignors); what has been taken is processed meanwhile.
//
// A pod that is deleted finishes what it has taken within its grace period. What it
// has not finished then comes back to its old place in the queue. That is when its
// visibility timeout ends, of which pods ask for another one whenever it ends while
// they are still at work: with V, for a message that was taken at t and lost at d, at
//
//	t + V * max(1, ceil((d - t) / V))
//
// It ignores prefetching, batches, and what commits the offsets of several messages
// at once: each is committed, or deleted, by itself when it has been processed.
type Consumption struct {
	Partitions        int            `yaml:"partitions,omitempty" min:"0" max:"1000" doc:"partitions, each read by one pod at a time; more pods than that have nothing to do; default 0: none, every pod takes from all of the queue"`
	Partitioner       string         `yaml:"partitioner,omitempty" enum:"round-robin|key-hash" doc:"with partitions: how messages are spread over them; key-hash: by the hash of a key that each message has to itself; default round-robin"`
	Rebalance         *time.Duration `yaml:"rebalance,omitempty" doc:"with partitions: how long nobody takes messages after the pods that consume have changed; default 3s"`
	VisibilityTimeout *time.Duration `yaml:"visibilityTimeout,omitempty" doc:"time from the taking of a message to its next delivery, when its pod is killed; default 30s, and 0s, at once, with partitions"`
	MaxDeliveries     int            `yaml:"maxDeliveries,omitempty" min:"0" max:"1000" doc:"deliveries after which a message that is lost again goes to the dead letters and has failed; default 0: no limit"`
}

// The partitioners.
const (
	roundRobinPartitions = "round-robin"
	keyHash              = "key-hash"
)

const (
	maxPartitions = 1000
	maxDeliveries = 1000
)

// WithDefaults fills in what was left out: the visibility timeout of SQS, and
// for the rebalance the interval of heartbeats of Kafka's consumers, by which they
// learn of one. What a member of a consumer group has not committed is read again
// by the next owner of the partition.
func (m Consumption) WithDefaults() Consumption {
	visibility := 30 * time.Second
	if m.Partitions > 0 {
		visibility = 0
		if m.Partitioner == "" {
			m.Partitioner = roundRobinPartitions
		}
		if m.Rebalance == nil {
			m.Rebalance = new(3 * time.Second)
		}
	}
	if m.VisibilityTimeout == nil {
		m.VisibilityTimeout = &visibility
	}
	return m
}

// Validate reports everything in a section `consumes` that cannot be used.
func (m Consumption) Validate() error {
	var problems messages.Problems
	if m.Partitions < 0 || m.Partitions > maxPartitions {
		problems.Addf("partitions", "found %d, expected 0 to %d", m.Partitions, maxPartitions)
	}
	if !slices.Contains([]string{"", roundRobinPartitions, keyHash}, m.Partitioner) {
		problems.Addf("partitioner", "found %q, expected %s or %s", m.Partitioner, roundRobinPartitions, keyHash)
	}
	if m.Partitions == 0 && m.Partitioner != "" {
		problems.Addf("partitioner", "found %s without partitions, expected it with them only", m.Partitioner)
	}
	if m.Rebalance != nil {
		problems.Add(checkDelay("rebalance", *m.Rebalance))
		if m.Partitions == 0 {
			problems.Addf("rebalance", "found %s without partitions, expected it with them only: pods join and leave a queue without a pause", *m.Rebalance)
		}
	}
	if m.VisibilityTimeout != nil {
		problems.Add(checkDelay("visibilityTimeout", *m.VisibilityTimeout))
	}
	if m.MaxDeliveries < 0 || m.MaxDeliveries > maxDeliveries {
		problems.Addf("maxDeliveries", "found %d, expected 0 to %d", m.MaxDeliveries, maxDeliveries)
	}
	return problems.Err()
}

// validateConsumption reports what makes no sense for a workload that consumes.
func (s Spec) validateConsumption() error {
	if s.Consumes == nil {
		return nil
	}
	var problems messages.Problems
	problems.Add(messages.Under("consumes", s.Consumes.Validate()))
	const nobody = "nobody waits for the messages of a workload that consumes"
	if s.Routing.Policy != "central-queue" {
		problems.Addf("routing.policy", "found %s, expected central-queue or none: the pods of a workload that consumes take messages themselves", s.Routing.Policy)
	}
	if s.RequestTimeout > 0 {
		problems.Addf("requestTimeout", "found %s, expected 0s: %s", s.RequestTimeout, nobody)
	}
	if s.OnTimeout == cancelService {
		problems.Addf("onTimeout", "found cancel, expected none: %s", nobody)
	}
	if s.Retries != nil && s.Retries.Attempts > 1 {
		problems.Addf("retries.attempts", "found %d, expected 1: messages are delivered again, see consumes.maxDeliveries", s.Retries.Attempts)
	}
	if s.Retries != nil && s.Retries.PerAttemptTimeout > 0 {
		problems.Addf("retries.perAttemptTimeout", "found %s, expected 0s: %s", s.Retries.PerAttemptTimeout, nobody)
	}
	if s.PerPod.Queue > 0 {
		problems.Addf("perPod.queue", "found %d, expected 0: messages wait in the queue, which has no bound", s.PerPod.Queue)
	}
	if s.Front != nil || s.Activators != nil || s.Serverless != nil || len(s.Users) > 0 {
		problems.Addf("consumes", "found it beside a front, activators, a serverless platform or users, expected it alone: nobody waits for messages")
	}
	problems.Add(messages.Under("lifecycle", s.Lifecycle.validateUnreached()))
	return problems.Err()
}

// validateUnreached refuses the stages that are about those who connect to a pod.
func (l Lifecycle) validateUnreached() error {
	var problems messages.Problems
	for _, stage := range []struct {
		field string
		spec  random.Spec
	}{{"listen", l.Listen}, {"endpointPropagation", l.EndpointPropagation}, {"deregister", l.leaving()}} {
		if dist, err := random.New(stage.spec); err == nil && dist.Mean() > 0 {
			problems.Addf(stage.field, "found %s, expected 0s: a pod consumes from Ready on, without anybody connecting to it", stage.spec)
		}
	}
	return problems.Err()
}
