package metrics

import (
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/cluster"
)

// Meter measures the workload as it truly is: what queries ask for, without the
// pipeline's delay, over the stretch between two readings.
type Meter struct {
	at       time.Duration
	counters cluster.Counters
	cpu      []cpuOf // of the pods at the last reading, in order of creation
	spare    []cpuOf

	rps, queue, concurrency, cores float64
	ready                          int
}

// cpuOf is the CPU time that a pod had used.
type cpuOf struct {
	id   int32
	used time.Duration
}

// Read takes a reading. The CPU time that a pod used after the last reading before
// its end is left out.
func (m *Meter) Read(now time.Duration, t Truth) {
	seconds := (now - m.at).Seconds()
	waiting, inService, cpu := int64(t.Held), int64(0), time.Duration(0)
	next, i := m.spare[:0], 0
	m.ready = 0
	for _, p := range t.Pods {
		for i < len(m.cpu) && m.cpu[i].id < p.ID {
			i++
		}
		before := time.Duration(0)
		if i < len(m.cpu) && m.cpu[i].id == p.ID {
			before = m.cpu[i].used
		}
		cpu += p.CPU - before
		next = append(next, cpuOf{p.ID, p.CPU})
		waiting, inService = waiting+int64(p.Queued), inService+int64(p.InService)
		if p.State == cluster.Ready {
			m.ready++
		}
	}
	attempts := func(c cluster.Counters) uint64 { return c.Arrived + c.Retried }
	m.rps = float64(attempts(t.Counters)-attempts(m.counters)) / seconds
	m.cores = cpu.Seconds() / seconds
	queue, concurrency := t.levels(waiting, inService)
	m.queue, m.concurrency = float64(queue), float64(concurrency)
	m.cpu, m.spare = next, m.cpu
	m.at, m.counters = now, t.Counters
}

// Of is the last reading of a source in all: a rate per second, cores, or a level
// at the instant.
func (m *Meter) Of(source string) float64 {
	switch source {
	case SourceRPS:
		return m.rps
	case SourceQueue:
		return m.queue
	case SourceConcurrency:
		return m.concurrency
	}
	return m.cores
}

// Ready is the number of Ready pods at the last reading.
func (m *Meter) Ready() int { return m.ready }

// Source is what a loop's query measures; empty where that is not one of the
// sources: a PromQL query, one of the adapter's, or a container that uses no CPU.
func (d *Door) Source(loop, query int) string {
	switch p := &d.loops[loop].plans[query]; {
	case p.query.Kind == messages.QueryPromQL || p.adapted != nil || p.sidecar || p.memory:
		return ""
	case p.query.Kind == messages.QueryResource:
		return SourceCPU
	case p.query.Kind == messages.QueryQueue:
		return p.query.Name
	default:
		return d.gauges[p.gauge].source
	}
}

// CoresRequested is what a pod requests of CPU, or the container that a query
// narrows to; 0 where that is not known.
func (d *Door) CoresRequested(q messages.Query) float64 {
	sum := int64(0)
	for _, r := range d.spec.Requests {
		if r.Resource == "cpu" && r.Container != "" && (q.Container == "" || r.Container == q.Container) {
			sum += r.Milli
		}
	}
	return float64(sum) / 1000
}
