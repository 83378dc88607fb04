package cluster

import (
	"math"
	"time"

	"github.com/scalelab/scalelab/messages"
)

// The largest values that make sense; beyond them a number is a slip.
const (
	maxReplicas    = 100_000
	maxConcurrency = 1_000_000
	maxActivators  = 100
	maxQueue       = 100_000_000
	maxDelay       = 30 * 24 * time.Hour
	maxCores       = 1000
)

// Validate reports everything in the section `perPod` that cannot be used.
func (p PerPod) Validate() error {
	var problems messages.Problems
	if p.Concurrency < 1 || p.Concurrency > maxConcurrency {
		problems.Addf("concurrency", "found %d, expected 1 to %d", p.Concurrency, maxConcurrency)
	}
	if p.Queue < 0 || p.Queue > maxQueue {
		problems.Addf("queue", "found %d, expected 0 to %d", p.Queue, maxQueue)
	}
	if p.Discipline != "fifo" && p.Discipline != "ps" {
		problems.Addf("discipline", "found %q, expected fifo or ps", p.Discipline)
	}
	problems.Add(p.validateCores())
	if m := p.Memory; m != nil && (m.PerRequest > math.MaxInt64/2/maxQueue || m.Base > maxMemory) {
		problems.Addf("memory", "found %s and %s per request, expected at most %s and %s", written(int64(m.Base)), written(int64(m.PerRequest)),
			written(int64(maxMemory)), written(math.MaxInt64/2/maxQueue))
	}
	if p.CPUPerRequest != nil {
		problems.Add(checkDelay("cpuPerRequest", *p.CPUPerRequest))
	}
	problems.Add(messages.Under("serviceTime", p.ServiceTime.Validate()))
	return problems.Err()
}

// Validate reports an unknown policy.
func (r Routing) Validate() error {
	if _, known := policies[r.Policy]; !known {
		return messages.Invalidf("policy", "found %q, expected random, round-robin, least-request, p2c or central-queue", r.Policy)
	}
	return nil
}

// Validate reports everything in the section `lifecycle` that cannot be used.
func (l Lifecycle) Validate() error {
	var problems messages.Problems
	problems.Add(messages.Under("schedule", l.Schedule.Validate()))
	problems.Add(messages.Under("imagePull", l.ImagePull.Validate()))
	problems.Add(messages.Under("start", l.Start.Validate()))
	problems.Add(messages.Under("listen", l.Listen.Validate()))
	problems.Add(messages.Under("endpointPropagation", l.EndpointPropagation.Validate()))
	problems.Add(messages.Under("deregister", l.leaving().Validate()))
	if !(l.StartCPU >= 0 && l.StartCPU <= maxCores && InThousandths(l.StartCPU)) {
		problems.Addf("startCPU", "found %g, expected 0 to %d with at most three decimals", l.StartCPU, maxCores)
	}
	if l.WarmUp != nil {
		problems.Add(messages.Under("warmUp", l.WarmUp.Validate()))
	}
	return problems.Err()
}

// Validate reports everything in the workload that cannot be used.
func (s Spec) Validate() error {
	var problems messages.Problems
	if s.Replicas < 0 || s.Replicas > maxReplicas {
		problems.Addf("replicas", "found %d, expected 0 to %d", s.Replicas, maxReplicas)
	}
	problems.Add(messages.Under("perPod", s.PerPod.Validate()))
	problems.Add(messages.Under("routing", s.Routing.Validate()))
	problems.Add(checkDelay("requestTimeout", s.RequestTimeout))
	problems.Add(s.validateClients())
	problems.Add(checkDelay("gracePeriod", s.GracePeriod))
	problems.Add(checkDelay("preStop", s.PreStop))
	problems.Add(checkDelay("handover", s.Handover))
	problems.Add(messages.Under("probes", s.Probes.validate()))
	if s.Probes.Queued && s.Routing.Policy == "central-queue" {
		problems.Addf("probes", "found queued with routing by central-queue, expected another policy: nothing waits in a pod then")
	}
	problems.Add(s.validateSlow())
	problems.Add(messages.Under("lifecycle", s.Lifecycle.Validate()))
	problems.Add(s.validateConsumption())
	problems.Add(messages.Under("update", s.Update.validate()))
	problems.Add(s.validateNodes())
	if s.Serverless != nil {
		problems.Add(messages.Under("serverless", s.Serverless.Validate()))
		if s.Elastic {
			problems.Addf("serverless", "found it beside an elastic number of pods, expected one of the two")
		}
	}
	if s.Front != nil {
		problems.Add(messages.Under("front", s.Front.Validate()))
	}
	if s.Interceptor != nil {
		problems.Add(messages.Under("interceptor", s.Interceptor.Validate()))
		if s.Front != nil || s.Activators != nil || s.Elastic || s.Serverless != nil || s.Consumes != nil {
			problems.Addf("interceptor", "found it beside another proxy, messages, or pods that nobody scales, expected it alone")
		}
	}
	if s.Activators != nil {
		problems.Add(messages.Under("activators", s.Activators.Validate()))
		if s.Front != nil || s.Elastic || s.Serverless != nil || s.Routing.Policy == "central-queue" {
			problems.Addf("activators", "found them beside a front, a central queue, or pods that nobody scales, expected them alone")
		}
	}
	return problems.Err()
}

func checkDelay(field string, d time.Duration) error {
	if d < 0 || d > maxDelay {
		return messages.Invalidf(field, "found %s, expected 0s to %s", d, maxDelay)
	}
	return nil
}
