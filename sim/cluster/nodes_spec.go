package cluster

import (
	"cmp"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/random"
)

// Nodes are what pods run on, and who makes them. A pod is bound to a node that has
// room for its requests, as soon as there is one.
//
// It ignores affinities, taints and zones, other workloads (what they take is to be
// left out of a pool's size), the scheduler's back-off, and the time that an API
// object takes to be seen.
type Nodes struct {
	Pools   []Pool `yaml:"pools" required:"true" doc:"groups of equal nodes; new ones are taken from the first pool that may grow and whose nodes are large enough"`
	Packing string `yaml:"packing,omitempty" enum:"spread|pack" doc:"which of the nodes with room a pod gets: spread, the least allocated, as by default in Kubernetes; pack, the most allocated; default spread"`
	// Headroom are pods of low priority that only keep room: a pod that finds no other
	// takes theirs.
	Headroom int            `yaml:"headroom,omitempty" min:"0" max:"10000" doc:"placeholder pods, as large as the workload's, whose room a pod takes that finds no other; default 0"`
	Scaler   NodeAutoscaler `yaml:"autoscaler,omitempty" doc:"who adds and removes nodes of pools whose min and max differ"`
	// MinAvailable is that of the PodDisruptionBudget.
	MinAvailable  *int32         `yaml:"minAvailable,omitempty" min:"0" max:"100000" doc:"PodDisruptionBudget: Ready pods below which none is evicted; default: no budget"`
	NotReadyAfter *time.Duration `yaml:"notReadyAfter,omitempty" doc:"loss of a node to its being NotReady, when its pods get no more requests (--node-monitor-grace-period); default 50s"`
	EvictAfter    *time.Duration `yaml:"evictAfter,omitempty" doc:"NotReady to the deletion of the node's pods (tolerationSeconds); default 5m"`
}

// Pool is a group of equal nodes.
type Pool struct {
	Name      string      `yaml:"name" required:"true" doc:"what the pool is called"`
	CPU       float64     `yaml:"cpu" required:"true" min:"0.001" max:"10000" doc:"cores of a node that the workload's pods can request"`
	Memory    Bytes       `yaml:"memory" required:"true" doc:"memory of a node that they can request, such as 14Gi"`
	Pods      int         `yaml:"pods,omitempty" min:"1" max:"1000" doc:"pods that a node can have; default 110"`
	Count     int         `yaml:"count" required:"true" min:"0" max:"10000" doc:"nodes at time 0"`
	Min       *int        `yaml:"min,omitempty" min:"0" max:"10000" doc:"nodes that stay in any case; default: count"`
	Max       *int        `yaml:"max,omitempty" min:"0" max:"10000" doc:"nodes that there may be; default: count"`
	Provision random.Spec `yaml:"provision,omitempty" doc:"the request of a node to its being Ready; default 2m"`
	HourPrice *float64    `yaml:"hourPrice,omitempty" min:"0" doc:"price of a node for one hour; with one, nodes are billed instead of pods"`
}

// NodeAutoscaler is the cluster autoscaler.
type NodeAutoscaler struct {
	Scan        time.Duration  `yaml:"scan,omitempty" doc:"how often it looks (--scan-interval); default 10s"`
	Unneeded    *time.Duration `yaml:"unneeded,omitempty" doc:"how long a node has to be unneeded before it is removed (--scale-down-unneeded-time); default 10m"`
	AfterAdd    *time.Duration `yaml:"afterAdd,omitempty" doc:"how long no node is removed after one has been added (--scale-down-delay-after-add); default 10m"`
	Utilization *float64       `yaml:"utilization,omitempty" min:"0" max:"1" doc:"share of its allocatable CPU and memory below which a node is unneeded, if its pods fit elsewhere (--scale-down-utilization-threshold); default 0.5"`
}

// Bytes is an amount of memory, written as a quantity.
type Bytes int64

// UnmarshalText reads a quantity such as 14Gi.
func (b *Bytes) UnmarshalText(text []byte) error {
	q, err := resource.ParseQuantity(string(text))
	if err != nil || q.Sign() <= 0 {
		return messages.Invalidf("", "found %q, expected an amount of memory, such as 14Gi", text)
	}
	*b = Bytes(q.Value())
	return nil
}

func (b Bytes) String() string { return resource.NewQuantity(int64(b), resource.BinarySI).String() }

// JSONSchema is that of a quantity.
func (Bytes) JSONSchema() map[string]any { return map[string]any{"type": "string"} }

// EncodeValue writes a quantity.
func (b Bytes) EncodeValue() any { return b.String() }

// WithDefaults fills in what was left out, with the defaults of Kubernetes 1.37 and
// of its cluster autoscaler.
func (n Nodes) WithDefaults() Nodes {
	pools := make([]Pool, len(n.Pools))
	for i, p := range n.Pools {
		p.Pods = cmp.Or(p.Pods, 110)
		p.Min = new(or(p.Min, min(p.Count, or(p.Max, p.Count))))
		p.Max = new(or(p.Max, max(p.Count, *p.Min)))
		if p.Provision.Dist == "" {
			p.Provision = random.Constant(2 * time.Minute)
		}
		pools[i] = p
	}
	n.Pools = pools
	n.Packing = cmp.Or(n.Packing, spreadPods)
	n.NotReadyAfter, n.EvictAfter = new(or(n.NotReadyAfter, 50*time.Second)), new(or(n.EvictAfter, 5*time.Minute))
	s := &n.Scaler
	s.Scan = cmp.Or(s.Scan, 10*time.Second)
	s.Unneeded, s.AfterAdd = new(or(s.Unneeded, 10*time.Minute)), new(or(s.AfterAdd, 10*time.Minute))
	s.Utilization = new(or(s.Utilization, 0.5))
	return n
}

func or[T any](value *T, otherwise T) T {
	if value == nil {
		return otherwise
	}
	return *value
}

// The ways to pack.
const (
	spreadPods = "spread"
	packPods   = "pack"
)

// The largest values that make sense.
const (
	maxPools      = 100
	maxNodes      = 10_000 // of a pool
	maxNodeCores  = 10_000
	maxPodsOnNode = 1000
	maxMemory     = 1 << 50 // 1 PiB
)

// Validate reports everything in the section `nodes` that cannot be used.
func (n Nodes) Validate() error {
	var problems messages.Problems
	n = n.WithDefaults()
	if len(n.Pools) == 0 || len(n.Pools) > maxPools {
		problems.Addf("pools", "found %d pools, expected 1 to %d", len(n.Pools), maxPools)
	}
	if n.Packing != spreadPods && n.Packing != packPods {
		problems.Addf("packing", "found %q, expected spread or pack", n.Packing)
	}
	names := map[string]bool{}
	for i, p := range n.Pools {
		at := fmt.Sprintf("pools[%d]", i)
		if names[p.Name] {
			problems.Addf(at+".name", "found a second pool %q, expected different names", p.Name)
		}
		names[p.Name] = true
		switch {
		case !(p.CPU >= 0.001 && p.CPU <= maxNodeCores):
			problems.Addf(at+".cpu", "found %g, expected 0.001 to %d", p.CPU, maxNodeCores)
		case !InThousandths(p.CPU):
			problems.Addf(at+".cpu", "found %g, expected at most three decimals", p.CPU)
		}
		if p.Memory < 1 || p.Memory > maxMemory {
			problems.Addf(at+".memory", "found %s, expected more than nothing, up to %s", written(int64(p.Memory)), written(maxMemory))
		}
		if p.Pods < 1 || p.Pods > maxPodsOnNode {
			problems.Addf(at+".pods", "found %d, expected 1 to %d", p.Pods, maxPodsOnNode)
		}
		if *p.Min < 0 || *p.Max > maxNodes {
			problems.Addf(at, "found %d to %d nodes, expected 0 to %d", *p.Min, *p.Max, maxNodes)
		}
		if p.HourPrice != nil && !(*p.HourPrice >= 0) {
			problems.Addf(at+".hourPrice", "found %g, expected 0 or more", *p.HourPrice)
		}
		if p.Count < *p.Min || p.Count > *p.Max {
			problems.Addf(at+".count", "found %d, expected min to max, which are %d and %d", p.Count, *p.Min, *p.Max)
		}
		problems.Add(messages.Under(at+".provision", p.Provision.Validate()))
	}
	for _, d := range []struct {
		field       string
		value, most time.Duration
		least       time.Duration
	}{
		{field: "autoscaler.scan", value: n.Scaler.Scan, least: time.Second},
		{field: "autoscaler.unneeded", value: *n.Scaler.Unneeded},
		{field: "autoscaler.afterAdd", value: *n.Scaler.AfterAdd},
		{field: "notReadyAfter", value: *n.NotReadyAfter},
		{field: "evictAfter", value: *n.EvictAfter},
	} {
		if d.value < d.least || d.value > maxDelay {
			problems.Addf(d.field, "found %s, expected %s to %s", d.value, d.least, maxDelay)
		}
	}
	if u := *n.Scaler.Utilization; !(u >= 0 && u <= 1) {
		problems.Addf("autoscaler.utilization", "found %g, expected 0 to 1", u)
	}
	if n.Headroom < 0 || n.Headroom > maxNodes {
		problems.Addf("headroom", "found %d, expected 0 to %d", n.Headroom, maxNodes)
	}
	if n.MinAvailable != nil && (*n.MinAvailable < 0 || *n.MinAvailable > maxReplicas) {
		problems.Addf("minAvailable", "found %d, expected 0 to %d", *n.MinAvailable, maxReplicas)
	}
	return problems.Err()
}

// size is what a node has, or a pod takes.
type size struct {
	milli, bytes int64
	pods         int64
}

func (s size) minus(o size) size {
	return size{milli: s.milli - o.milli, bytes: s.bytes - o.bytes, pods: s.pods - o.pods}
}

func (s size) plus(o size) size {
	return size{milli: s.milli + o.milli, bytes: s.bytes + o.bytes, pods: s.pods + o.pods}
}

func (s size) times(n int64) size {
	return size{milli: s.milli * n, bytes: s.bytes * n, pods: s.pods * n}
}

// fits is how many pods of a size there is room for.
func (s size) fits(pod size) int64 {
	n := s.pods
	if pod.milli > 0 {
		n = min(n, s.milli/pod.milli)
	}
	if pod.bytes > 0 {
		n = min(n, s.bytes/pod.bytes)
	}
	return max(0, n)
}

func (p *Pool) size() size {
	return size{milli: int64(thousandths(p.CPU)), bytes: int64(p.Memory), pods: int64(p.Pods)}
}

// podSize is what a pod of the workload takes of a node.
func (s *Spec) podSize() size {
	return size{milli: s.CPURequestMilli, bytes: s.MemoryRequestBytes, pods: 1}
}

// Room is how many pods of the workload all pools have room for at their largest.
func (s *Spec) Room() int64 {
	room := int64(0)
	if s.Nodes != nil {
		for _, p := range s.Nodes.WithDefaults().Pools {
			room += int64(*p.Max) * p.size().fits(s.podSize())
		}
	}
	return room
}

func (s *Spec) validateNodes() error {
	if s.Nodes == nil {
		return nil
	}
	var problems messages.Problems
	problems.Add(messages.Under("nodes", s.Nodes.Validate()))
	if len(problems) > 0 || s.Elastic || s.Serverless != nil {
		return problems.Err()
	}
	room := int64(0)
	for i, p := range s.Nodes.WithDefaults().Pools {
		fits := p.size().fits(s.podSize())
		if fits == 0 {
			problems.Addf(fmt.Sprintf("nodes.pools[%d].cpu", i), "found %g cores and %s, expected room for a pod, which requests %dm and %s",
				p.CPU, written(int64(p.Memory)), s.CPURequestMilli, written(s.MemoryRequestBytes))
		}
		room += int64(p.Count) * fits
	}
	if len(problems) == 0 && !s.Fresh && int64(s.Replicas) > room {
		problems.Addf("nodes.pools", "found room for %d pods at time 0, expected it for %d, which are Ready then", room, s.Replicas)
	}
	return problems.Err()
}

func written(bytes int64) string { return Bytes(bytes).String() }
