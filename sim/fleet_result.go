package sim

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"
)

// FleetSummary is what a fleet's result says about its services one by one.
type FleetSummary struct {
	Services int `json:"services"`
	// WorstByLost are the services that lost most requests, at most ten;
	// WorstByP99 those with the highest 99th percentile of latency. Of equals the
	// more popular one comes first.
	WorstByLost []FleetService `json:"worst_by_lost"`
	WorstByP99  []FleetService `json:"worst_by_latency_p99"`
}

// FleetService is one service of a fleet.
type FleetService struct {
	Service     string   `json:"service"` // the workload's name and the rank by popularity, from 0
	Weight      float64  `json:"weight"`  // factor on the traffic's rate
	Requests    Requests `json:"requests"`
	LatencyP99S *float64 `json:"latency_p99_s"`
	MaxDesired  int32    `json:"max_desired"`
	PodSeconds  float64  `json:"pod_seconds"`
}

const worstServices = 10

// result puts together what the services add up to. Replica statistics are of
// the sum over the services: means are exact; its highest and lowest values are
// those found at the samples of the timeline from MeasureFrom on. Changes and
// flaps are those of the single services. There is no log of decisions.
func (f *fleet) result() *Result {
	r := newRecorder(f.spec, f.end)
	for i := range f.cells {
		r.timeline.add(f.cells[i].entry, f.cells[i].latency)
	}
	existed, idle := 0.0, 0.0
	prints := sha256.New()
	for i := range f.served {
		s := &f.served[i]
		existed, idle = existed+s.existed, idle+s.idle
		prints.Write(s.print[:])
	}
	result := r.outcome(f.tally)
	result.Actuator = f.actuator
	result.Fingerprint = hex.EncodeToString(prints.Sum(nil))
	result.Replicas = f.replicas()
	r.charge(result, f.tally, existed, idle, f.invoked)
	result.Fleet = &FleetSummary{
		Services: len(f.served),
		WorstByLost: f.worst(func(s *served) (float64, bool) {
			return float64(s.requests.Lost()), s.requests.Lost() > 0
		}),
		WorstByP99: f.worst(func(s *served) (float64, bool) {
			if s.p99 == nil {
				return 0, false
			}
			return *s.p99, true
		}),
	}
	return result
}

func saturated(n int64) int32 { return int32(min(n, math.MaxInt32)) }

func (f *fleet) replicas() ReplicaSummary {
	sum := ReplicaSummary{MinReady: math.MaxInt32}
	for i := range f.served {
		s := &f.served[i].replicas
		sum.MeanReady += s.MeanReady
		sum.MeanDesired += s.MeanDesired
		sum.ScaleUps += s.ScaleUps
		sum.ScaleDowns += s.ScaleDowns
		sum.Flaps += s.Flaps
	}
	for i := range f.cells {
		if c := &f.cells[i]; c.now >= f.spec.MeasureFrom {
			sum.MaxDesired = max(sum.MaxDesired, saturated(c.desired))
			sum.MinReady = min(sum.MinReady, saturated(c.ready))
		}
	}
	return sum
}

// worst lists the services with the highest values; value says false for a
// service that has none.
func (f *fleet) worst(value func(*served) (float64, bool)) []FleetService {
	ranked := make([]int, 0, len(f.served))
	for i := range f.served {
		if _, ok := value(&f.served[i]); ok {
			ranked = append(ranked, i)
		}
	}
	slices.SortStableFunc(ranked, func(a, b int) int {
		va, _ := value(&f.served[a])
		vb, _ := value(&f.served[b])
		return cmp.Compare(vb, va)
	})
	list := []FleetService{}
	for _, i := range ranked[:min(worstServices, len(ranked))] {
		s := &f.served[i]
		list = append(list, FleetService{
			Service: f.spec.serviceName(i), Weight: f.weights[i], Requests: s.requests, LatencyP99S: s.p99,
			MaxDesired: s.replicas.MaxDesired, PodSeconds: s.existed,
		})
	}
	return list
}
