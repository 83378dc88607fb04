package cluster

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/event"
	"github.com/scalelab/scalelab/sim/random"
)

// Serverless is a platform that starts an instance for a request that finds
// none idle, and keeps it for the requests that follow. An instance serves one
// request at a time. A request goes to the instance that became idle last; one
// that stays idle for KeepAlive is reclaimed. It exists from the arrival that
// starts it.
//
// As the newest idle instance goes first, there are at every instant as many as
// requests were in service at the busiest instant of the last KeepAlive:
//
//	instances(t) = max of in service(s), t - KeepAlive <= s <= t
//
// Source: N. Mahmoudi and H. Khazaei, SimFaaS: A Performance Simulator for
// Serverless Computing Platforms, CLOSER 2021, which holds the same model
// against measurements of AWS Lambda.
type Serverless struct {
	KeepAlive       *time.Duration `yaml:"keepAlive,omitempty" doc:"how long an instance stays idle until it is reclaimed; 0s: it serves one request only; default 10m"`
	ColdServiceTime random.Spec    `yaml:"coldServiceTime" doc:"time from the arrival that starts an instance to the last byte, in place of perPod.serviceTime"`
	MaxInstances    *int32         `yaml:"maxInstances,omitempty" min:"1" max:"100000" doc:"requests that find so many instances, all busy, are rejected; default: no limit"`
}

// WithDefaults fills in what was left out. AWS Lambda keeps an idle instance for
// ten minutes in the measurements that SimFaaS was held against.
func (s Serverless) WithDefaults() Serverless {
	if s.KeepAlive == nil {
		tenMinutes := 10 * time.Minute
		s.KeepAlive = &tenMinutes
	}
	return s
}

// Validate reports everything in a section `serverless` that cannot be used.
func (s Serverless) Validate() error {
	var problems messages.Problems
	if s.KeepAlive != nil {
		problems.Add(checkDelay("keepAlive", *s.KeepAlive))
	}
	problems.Add(messages.Under("coldServiceTime", s.ColdServiceTime.Validate()))
	if n := s.MaxInstances; n != nil && (*n < 1 || *n > maxReplicas) {
		problems.Addf("maxInstances", "found %d, expected 1 to %d", *n, maxReplicas)
	}
	return problems.Err()
}

// instances are those of a serverless platform. Memory grows with the most that
// ever existed together.
type instances struct {
	cold      Demand // of the requests that start an instance
	keepAlive time.Duration
	most      int32
	started   int32 // how many ever
	invoked   uint64

	slab []instance
	free []int32 // entries of the slab
	// idle[oldest:] are the idle ones in the order of becoming so: requests take
	// from the end, reclaiming from the front.
	idle   []idler
	oldest int
}

// instance is one instance; its entry of the slab is used again once it is Gone.
type instance struct {
	PodStatus
	request int32 // in service, or none
}

// idler is an idle instance and the instant at which it is reclaimed.
type idler struct {
	until    time.Duration
	instance int32
}

// openInstances makes the platform, without any instance.
func (c *Cluster) openInstances(seed random.Seed) error {
	spec := c.spec.Serverless.WithDefaults()
	cold, err := random.New(spec.ColdServiceTime)
	if err != nil {
		return fmt.Errorf("cold service time: %w", err)
	}
	c.desired = 0
	c.spec.PerPod.Concurrency = 1 // an instance in service uses all of its CPU request
	c.instances = instances{
		cold:      Demand{key: seed.Key("service.cold", 0), dist: cold},
		keepAlive: *spec.KeepAlive,
		most:      math.MaxInt32,
	}
	if spec.MaxInstances != nil {
		c.instances.most = *spec.MaxInstances
	}
	return nil
}

// nextReclaim is when the instance that is idle for longest goes.
func (s *instances) nextReclaim() time.Duration {
	if s.oldest == len(s.idle) {
		return event.Never
	}
	return s.idle[s.oldest].until
}

// idling is the number of idle instances.
func (s *instances) idling() int { return len(s.idle) - s.oldest }

// invoke serves a request by the newest idle instance, or by one of its own.
func (c *Cluster) invoke(i int32) {
	s, q := &c.instances, &c.requests.slab[i]
	if s.idling() == 0 && c.created == s.most {
		c.end(i, rejected)
		return
	}
	c.countInstances()
	s.invoked++
	if s.idling() > 0 {
		last := len(s.idle) - 1
		q.slot = s.idle[last].instance
		s.idle = s.idle[:last]
	} else {
		q.slot, q.service, q.held = c.launch(), s.cold.At(q.index), true
	}
	if c.now < c.spec.slowEnd() {
		q.service = c.spec.slowedAt(q.service, c.now)
	}
	p := &s.slab[q.slot]
	p.request = i
	p.Received++
	q.start, q.place, q.pod = c.now, inService, p.ID
	c.departAfter(i)
}

// Invocations are the requests that got an instance of a serverless platform,
// every attempt by itself.
func (c *Cluster) Invocations() uint64 { return c.instances.invoked }

// launch starts an instance and gives its entry of the slab.
func (c *Cluster) launch() (at int32) {
	s := &c.instances
	if last := len(s.free) - 1; last >= 0 {
		at, s.free = s.free[last], s.free[:last]
	} else {
		at = int32(len(s.slab))
		s.slab = append(s.slab, instance{})
	}
	s.slab[at] = instance{PodStatus: PodStatus{
		ID: s.started, State: Ready, DeletedAt: NotYet,
		CreatedAt: c.now, ScheduledAt: c.now, StartedAt: c.now, ReadyAt: c.now,
	}}
	c.transitions = append(c.transitions, Transition{At: c.now, Pod: s.started, To: Ready})
	s.started++
	c.haveInstances(c.created + 1)
	return at
}

// release ends a service; the instance is the newest idle one.
func (c *Cluster) release(i int32) {
	s, q := &c.instances, &c.requests.slab[i]
	c.countInstances()
	p := &s.slab[q.slot]
	p.request = none
	p.Completed++
	p.CPU += c.effort(q.service)
	s.idle = append(s.idle, idler{until: c.now + s.keepAlive, instance: q.slot})
	c.end(i, completed)
}

// reclaim ends the instance that is idle for longest.
func (c *Cluster) reclaim() {
	s := &c.instances
	c.countInstances()
	at := s.idle[s.oldest].instance
	p := &s.slab[at]
	p.State = Gone
	c.transitions = append(c.transitions, Transition{At: c.now, Pod: p.ID, From: Ready, To: Draining}, Transition{At: c.now, Pod: p.ID, From: Draining, To: Gone})
	s.free = append(s.free, at)
	if s.oldest++; 2*s.oldest >= len(s.idle) { // so that a reclaim moves one other at most, on average
		s.idle = s.idle[:copy(s.idle, s.idle[s.oldest:])]
		s.oldest = 0
	}
	c.haveInstances(c.created - 1)
}

// countInstances sums their time up to now, before their number or that of the
// idle ones changes.
func (c *Cluster) countInstances() {
	c.ended.existed, c.ended.idle = c.PodTime()
	c.resizedAt = c.now
}

func (c *Cluster) haveInstances(n int32) { c.created, c.ready, c.desired = n, n, n }

// status appends the status of every instance in order of creation to dst.
func (s *instances) status(c *Cluster, dst []PodStatus) []PodStatus {
	known := len(dst)
	for i := range s.slab {
		p := &s.slab[i]
		if p.State != Ready {
			continue
		}
		status := p.PodStatus
		if p.request != none {
			q := &c.requests.slab[p.request]
			status.InService = 1
			status.CPU += c.effortOf(q.service, c.now-q.start)
		}
		status.CPU = c.cpuTime(status.CPU)
		dst = append(dst, status)
	}
	slices.SortFunc(dst[known:], func(a, b PodStatus) int { return cmp.Compare(a.ID, b.ID) })
	return dst
}
