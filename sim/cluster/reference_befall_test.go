package cluster

import (
	"fmt"
	"time"

	"github.com/scalelab/scalelab/sim/random"
)

// weather draws what a world's pods can go through.
func (d *die) weather(s *Spec) {
	if d.chance(40) {
		return
	}
	s.Unsteady = d.chance(75)
	if d.chance(40) && s.Consumes == nil {
		s.Lifecycle.Deregister = d.stage(5)
	}
	if d.chance(40) {
		s.PreStop = d.upTo(5)
	}
	if d.chance(30) {
		s.Lifecycle.StartCPU = float64(1+d.IntN(4000)) / 1000
	}
	for at := time.Duration(0); d.chance(30); {
		from := at + d.upTo(8)
		at = from + d.upTo(8)
		s.Slow = append(s.Slow, Slow{From: from, To: at, Factor: float64(1000+d.IntN(4000)) / 1000})
	}
	s.Update = Update{Recreate: d.chance(20), MaxSurge: d.portion(), MaxUnavailable: d.portion()}
	if d.chance(40) {
		s.Update.MinReady = d.upTo(4)
	}
	d.probes(s)
	if d.chance(40) {
		s.Nodes = d.nodes(s)
	}
}

// foreseeable makes a world whose requests can be settled when they arrive.
func (d *die) foreseeable(s *Spec) {
	s.PerPod.Discipline, s.PerPod.Cores, s.OnTimeout, s.Retries, s.Users = "fifo", nil, "", nil, nil
	s.Front, s.Handover, s.Consumes = nil, 0, nil
	if a := s.Activators; a != nil {
		a.Count, a.ContainerConcurrency = 1, 0
	}
	if s.Routing.Policy == "central-queue" && d.chance(70) {
		s.Routing.Policy = "p2c"
	}
}

func (d *die) portion() Share {
	if d.chance(50) {
		return Share{Number: int32(d.IntN(101)), Percent: true}
	}
	return Share{Number: int32(d.IntN(3))}
}

func (d *die) probes(s *Spec) {
	for i, probe := range []**Probe{&s.Probes.Startup, &s.Probes.Readiness, &s.Probes.Liveness} {
		if !d.chance(30) {
			continue
		}
		*probe = &Probe{InitialDelay: d.upTo(3), Period: 250*time.Millisecond + d.upTo(4), Timeout: 1 + d.upTo(2), Failures: 1 + d.IntN(3), Successes: 1}
		if i == 1 {
			(*probe).Successes += d.IntN(3)
		}
		if d.tick%time.Millisecond == 0 { // so that instants meet
			(*probe).Period, (*probe).Timeout = 500*time.Millisecond+d.upTo(4), 500*time.Millisecond
		}
	}
	s.Probes.Queued = s.Routing.Policy != "central-queue" && d.chance(50)
}

func (d *die) nodes(s *Spec) *Nodes {
	n := &Nodes{Packing: []string{"", "spread", "pack"}[d.IntN(3)], Headroom: d.IntN(2) * d.IntN(4)}
	s.MemoryRequestBytes = int64(d.IntN(3)) * 1000
	room := 0
	for i := range 1 + d.IntN(2) {
		p := Pool{Name: fmt.Sprint(i), CPU: 0.7 + float64(d.IntN(1500))/1000, Memory: Bytes(2000 + d.IntN(4000)), Pods: 1 + d.IntN(4), Count: d.IntN(3)}
		p.CPU = float64(thousandths(p.CPU)) / 1000
		each := int(p.size().fits(s.podSize()))
		if i == 0 {
			p.Count += (int(s.Replicas) + each - 1) / each
		}
		room += each * p.Count
		if d.chance(70) {
			p.Min, p.Max = new(d.IntN(p.Count+1)), new(p.Count+d.IntN(4))
		}
		p.Provision = d.stage(8)
		n.Pools = append(n.Pools, p)
	}
	n.Scaler = NodeAutoscaler{Scan: time.Second + d.upTo(4), Unneeded: new(d.upTo(6)), AfterAdd: new(d.upTo(6)), Utilization: new(float64(d.IntN(101)) / 100)}
	if d.chance(50) {
		n.MinAvailable = new(int32(d.IntN(int(s.Replicas) + 2)))
	}
	n.NotReadyAfter, n.EvictAfter = new(d.upTo(5)), new(d.upTo(5))
	return n
}

// befall does something to the pods or nodes of both.
func (d *duel) befall() {
	if !d.spec.Unsteady || !d.chance(60) {
		return
	}
	n, draws := 1+d.IntN(3*d.crowd), uint64(d.IntN(1<<30))
	stream := func() *random.Stream { s := d.seed.Key("fault", draws).Stream(); return &s }
	until := d.plain.now + d.upTo(12)
	switch d.IntN(8) {
	case 0, 1:
		d.note("crash %d", n)
		d.fast.Crash(n, stream())
		d.plain.crashSome(n, stream())
	case 2:
		d.note("unready %d until %s", n, until)
		d.fast.Unready(n, until, stream())
		d.plain.breakSome(n, until, stream())
	case 3:
		factor := float64(1000+d.IntN(3000)) / 1000
		d.note("slow start %g", factor)
		d.fast.SlowStart(factor)
		d.plain.weather.slowStart = factor
	case 4:
		d.note("rollout")
		d.fast.Rollout()
		d.plain.rollout()
	case 5:
		d.note("lose %d nodes", n)
		d.fast.LoseNodes(n, stream())
		d.plain.loseNodes(n, stream())
	case 6:
		notice := d.upTo(6)
		d.note("interrupt %d nodes, notice %s", n, notice)
		d.fast.InterruptNodes(n, notice, stream())
		d.plain.interruptNodes(n, notice, stream())
	case 7:
		d.note("drain %d nodes", n)
		d.fast.DrainNodes(n, stream())
		d.plain.drainNodes(n, stream())
	}
}

func (d *duel) note(format string, args ...any) { d.log = append(d.log, fmt.Sprintf(format, args...)) }

// weatherReport describes what a Spec's pods can go through.
func (s *Spec) weatherReport() string {
	report := fmt.Sprintf("unsteady %t, slow %v, update %+v, preStop %s, queued probes %t", s.Unsteady, s.Slow, s.Update, s.PreStop, s.Probes.Queued)
	for i, p := range []*Probe{s.Probes.Startup, s.Probes.Readiness, s.Probes.Liveness} {
		if p != nil {
			report += fmt.Sprintf("\n%s probe %+v", []string{"startup", "readiness", "liveness"}[i], *p)
		}
	}
	if s.Nodes != nil {
		n := s.Nodes.WithDefaults()
		report += fmt.Sprintf("\nnodes: packing %s, headroom %d, scan %s, unneeded %s, after add %s, utilization %g, not ready %s, evict %s", n.Packing, n.Headroom,
			n.Scaler.Scan, *n.Scaler.Unneeded, *n.Scaler.AfterAdd, *n.Scaler.Utilization, *n.NotReadyAfter, *n.EvictAfter)
		if n.MinAvailable != nil {
			report += fmt.Sprintf(", min available %d", *n.MinAvailable)
		}
		for _, p := range n.Pools {
			report += fmt.Sprintf("\npool %g cores, %d bytes, %d pods, %d nodes of %d to %d", p.CPU, p.Memory, p.Pods, p.Count, *p.Min, *p.Max)
		}
	}
	return report
}
