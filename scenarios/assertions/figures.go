package assertions

import (
	"strings"

	"github.com/scalelab/scalelab/sim"
)

// Unit is what a value counts.
type Unit string

// The units. A bare number has none and goes with each of them.
const (
	None    Unit = ""
	Seconds Unit = "s"
	Share   Unit = "share" // 1 is all
)

// source is where a figure is read: a whole run, or what it tells of one phase.
type source struct {
	run      *sim.Result
	requests sim.Requests
	latency  *sim.Distribution
	wait     *sim.Distribution
}

// figure is one number of a result.
type figure struct {
	name    string
	unit    Unit
	phased  bool // it can be asked of one phase
	priced  bool // it needs prices
	read    func(source) *float64
	missing string // why it is absent when it is
}

// figures are all of them, in the order of the reference.
var figures = all()

func all() []figure {
	list := append(times("latency", "no request completed", func(s source) *sim.Distribution { return s.latency }),
		times("wait", "no request was served", func(s source) *sim.Distribution { return s.wait })...)
	for i := range list {
		list[i].phased = true
	}
	list = append(list, requests()...)
	list = append(list,
		plain("replicas.mean_ready", func(r *sim.Result) float64 { return r.Replicas.MeanReady }),
		plain("replicas.mean_desired", func(r *sim.Result) float64 { return r.Replicas.MeanDesired }),
		plain("replicas.max_desired", func(r *sim.Result) float64 { return float64(r.Replicas.MaxDesired) }),
		plain("replicas.min_ready", func(r *sim.Result) float64 { return float64(r.Replicas.MinReady) }),
		plain("replicas.scale_ups", func(r *sim.Result) float64 { return float64(r.Replicas.ScaleUps) }),
		plain("replicas.scale_downs", func(r *sim.Result) float64 { return float64(r.Replicas.ScaleDowns) }),
		plain("replicas.flaps", func(r *sim.Result) float64 { return float64(r.Replicas.Flaps) }),
		plain("pod_seconds", func(r *sim.Result) float64 { return r.PodSeconds }),
		plain("pod_hours", func(r *sim.Result) float64 { return r.PodSeconds / 3600 }),
		plain("idle_pod_seconds", func(r *sim.Result) float64 { return r.IdlePodSeconds }),
		figure{name: "cost.total", priced: true, missing: "there is no price", read: total},
		figure{name: "cost", priced: true, missing: "there is no price", read: total},
		bill("cost.pods", func(c *sim.Cost) *float64 { return c.Pods }),
		bill("cost.vcpu", func(c *sim.Cost) *float64 { return c.VCPU }),
		bill("cost.memory", func(c *sim.Cost) *float64 { return c.Memory }),
		bill("cost.requests", func(c *sim.Cost) *float64 { return c.Requests }),
		bill("cost.lost", func(c *sim.Cost) *float64 { return c.Lost }),
		bill("cost.late", func(c *sim.Cost) *float64 { return c.Late }),
		figure{name: "idle_share", unit: Share, missing: "there was no pod", read: func(s source) *float64 { return s.run.IdleShare }},
		figure{name: "cpu_core_hours", missing: "pods request no CPU", read: func(s source) *float64 { return s.run.CPUCoreHours }},
		figure{name: "memory_gib_hours", missing: "pods request no memory", read: func(s source) *float64 { return s.run.MemoryGiBHours }},
		activator("activator.requests", func(a *sim.Activator) float64 { return float64(a.Requests) }),
		activator("activator.buffered", func(a *sim.Activator) float64 { return float64(a.Buffered) }),
	)
	return append(list, times("activator.wait", "no activator held a request", func(s source) *sim.Distribution {
		if s.run.Activator == nil {
			return nil
		}
		return s.run.Activator.WaitS
	})...)
}

// times are the figures of one distribution.
func times(name, missing string, of func(source) *sim.Distribution) []figure {
	var list []figure
	for _, f := range sim.DistributionFigures {
		list = append(list, figure{name: name + "." + f.Name, unit: Seconds, missing: missing, read: func(s source) *float64 {
			if d := of(s); d != nil {
				return new(f.Of(d))
			}
			return nil
		}})
	}
	return list
}

// requests are the counters, and the share of the arrivals that was lost.
func requests() []figure {
	counter := func(name string, read func(sim.Requests) uint64) figure {
		return figure{name: "requests." + name, phased: true, read: func(s source) *float64 { return new(float64(read(s.requests))) }}
	}
	return []figure{
		counter("arrived", func(q sim.Requests) uint64 { return q.Arrived }),
		counter("completed", func(q sim.Requests) uint64 { return q.Completed }),
		counter("timed_out", func(q sim.Requests) uint64 { return q.TimedOut }),
		counter("rejected", func(q sim.Requests) uint64 { return q.Rejected }),
		counter("failed", func(q sim.Requests) uint64 { return q.Failed }),
		counter("in_flight", func(q sim.Requests) uint64 { return q.InFlight }),
		counter("retried", func(q sim.Requests) uint64 { return q.Retried }),
		counter("cold", func(q sim.Requests) uint64 { return q.Cold }),
		counter("lost", sim.Requests.Lost),
		{name: "requests.lost_share", unit: Share, phased: true, missing: "no request arrived", read: func(s source) *float64 {
			if s.requests.Arrived == 0 {
				return nil
			}
			return new(float64(s.requests.Lost()) / float64(s.requests.Arrived))
		}},
	}
}

// plain is a figure of the whole run that is never absent.
func plain(name string, read func(*sim.Result) float64) figure {
	return figure{name: name, read: func(s source) *float64 { return new(read(s.run)) }}
}

func activator(name string, read func(*sim.Activator) float64) figure {
	return figure{name: name, missing: "there is no activator", read: func(s source) *float64 {
		if s.run.Activator == nil {
			return nil
		}
		return new(read(s.run.Activator))
	}}
}

// bill is a part of the cost, absent where nothing of that kind has a price.
func bill(name string, read func(*sim.Cost) *float64) figure {
	return figure{name: name, priced: true, missing: "it has no price here", read: func(s source) *float64 {
		if s.run.Cost == nil {
			return nil
		}
		return read(s.run.Cost)
	}}
}

func total(s source) *float64 {
	if s.run.Cost == nil {
		return nil
	}
	return new(s.run.Cost.Total)
}

func figureOf(name string) (figure, bool) {
	for _, f := range figures {
		if f.name == name {
			return f, true
		}
	}
	return figure{}, false
}

// Figures are the names of all figures.
func Figures() []string {
	names := make([]string, len(figures))
	for i, f := range figures {
		names[i] = f.name
	}
	return names
}

// within are the figures of a group, such as p99 of latency, without its name.
func within(group string) []string {
	var names []string
	for _, f := range figures {
		if name, ok := strings.CutPrefix(f.name, group+"."); ok {
			names = append(names, name)
		}
	}
	return names
}
