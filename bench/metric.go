package bench

import (
	"slices"

	"github.com/scalelab/scalelab/sim"
)

// Metric is a figure by which autoscalers are compared. Its name is the path of
// the figure in the result, or says how it is derived.
type Metric struct {
	Name string `json:"name"`
	Unit string `json:"unit"` // s, requests, share, replicas, changes, pod-seconds, price, ratio
	// value is nil where absent. oracle is the oracle's result on the same
	// traffic, or nil.
	value func(result, oracle *sim.Result) *float64
}

// The metrics that tables and conclusions are made of.
const (
	LatencyP50  = "latency_s.p50"
	LatencyP99  = "latency_s.p99"
	WaitP99     = "wait_s.p99"
	LostShare   = "requests.lost_share"
	Cold        = "requests.cold"
	MeanReady   = "replicas.mean_ready"
	MaxDesired  = "replicas.max_desired"
	PodSeconds  = "pod_seconds"
	CostTotal   = "cost.total"
	OracleRatio = "oracle_ratio"
	RegretP99   = "regret.latency_s.p99"
	RegretPods  = "regret.pod_seconds"
	RegretCost  = "regret.cost.total"
)

// Metrics are all metrics of a Comparison, in order. requests.lost_share is
// (timed out + rejected + failed) / arrived; oracle_ratio is pod_seconds over
// those of the oracle on the same traffic, and regret is a figure minus the
// oracle's on the same traffic.
func Metrics() []Metric {
	latencies := durations("latency_s", func(r *sim.Result) *sim.Distribution { return r.LatencyS })
	waits := durations("wait_s", func(r *sim.Result) *sim.Distribution { return r.WaitS })
	podSeconds := figure(PodSeconds, "pod-seconds", func(r *sim.Result) float64 { return r.PodSeconds })
	total := Metric{Name: CostTotal, Unit: "price", value: cost}
	return append(append(latencies, waits...),
		Metric{Name: LostShare, Unit: "share", value: lostShare},
		figure("requests.lost", "requests", func(r *sim.Result) float64 { return float64(r.Requests.Lost()) }),
		figure("requests.timed_out", "requests", func(r *sim.Result) float64 { return float64(r.Requests.TimedOut) }),
		figure("requests.rejected", "requests", func(r *sim.Result) float64 { return float64(r.Requests.Rejected) }),
		figure("requests.failed", "requests", func(r *sim.Result) float64 { return float64(r.Requests.Failed) }),
		figure("requests.in_flight", "requests", func(r *sim.Result) float64 { return float64(r.Requests.InFlight) }),
		figure("requests.retried", "requests", func(r *sim.Result) float64 { return float64(r.Requests.Retried) }),
		figure(Cold, "requests", func(r *sim.Result) float64 { return float64(r.Requests.Cold) }),
		figure(MeanReady, "replicas", func(r *sim.Result) float64 { return r.Replicas.MeanReady }),
		figure("replicas.mean_desired", "replicas", func(r *sim.Result) float64 { return r.Replicas.MeanDesired }),
		figure(MaxDesired, "replicas", func(r *sim.Result) float64 { return float64(r.Replicas.MaxDesired) }),
		figure("replicas.min_ready", "replicas", func(r *sim.Result) float64 { return float64(r.Replicas.MinReady) }),
		figure("replicas.scale_ups", "changes", func(r *sim.Result) float64 { return float64(r.Replicas.ScaleUps) }),
		figure("replicas.scale_downs", "changes", func(r *sim.Result) float64 { return float64(r.Replicas.ScaleDowns) }),
		figure("replicas.flaps", "changes", func(r *sim.Result) float64 { return float64(r.Replicas.Flaps) }),
		podSeconds,
		figure("idle_pod_seconds", "pod-seconds", func(r *sim.Result) float64 { return r.IdlePodSeconds }),
		total,
		Metric{Name: OracleRatio, Unit: "ratio", value: oracleRatio},
		regret(named(latencies, LatencyP99)),
		regret(podSeconds),
		regret(total),
	)
}

func named(metrics []Metric, name string) Metric {
	return metrics[slices.IndexFunc(metrics, func(m Metric) bool { return m.Name == name })]
}

// durations are the metrics of one distribution.
func durations(name string, of func(*sim.Result) *sim.Distribution) []Metric {
	var metrics []Metric
	for _, f := range sim.DistributionFigures {
		metrics = append(metrics, Metric{Name: name + "." + f.Name, Unit: "s", value: func(r, _ *sim.Result) *float64 {
			if d := of(r); d != nil {
				return new(f.Of(d))
			}
			return nil
		}})
	}
	return metrics
}

// figure is a metric that is never absent.
func figure(name, unit string, read func(*sim.Result) float64) Metric {
	return Metric{Name: name, Unit: unit, value: func(r, _ *sim.Result) *float64 { return new(read(r)) }}
}

func lostShare(r, _ *sim.Result) *float64 {
	if r.Requests.Arrived == 0 {
		return nil
	}
	return new(float64(r.Requests.Lost()) / float64(r.Requests.Arrived))
}

// regret is what a strategy has more of a metric than the oracle.
func regret(m Metric) Metric {
	return Metric{Name: "regret." + m.Name, Unit: m.Unit, value: func(r, oracle *sim.Result) *float64 {
		if oracle == nil {
			return nil
		}
		own, least := m.value(r, nil), m.value(oracle, nil)
		if own == nil || least == nil {
			return nil
		}
		return new(*own - *least)
	}}
}

func cost(r, _ *sim.Result) *float64 {
	if r.Cost == nil {
		return nil
	}
	return new(r.Cost.Total)
}

func oracleRatio(r, oracle *sim.Result) *float64 {
	if oracle == nil || oracle.PodSeconds == 0 {
		return nil
	}
	return new(r.PodSeconds / oracle.PodSeconds)
}
