package sim

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/random"
	"github.com/scalelab/scalelab/sim/traffic"
)

// fleetSpec is a fleet in which some services are overloaded, some idle.
func fleetSpec(t testing.TB, services int) Spec {
	spec := baseSpec(t)
	length, from, to := 5*time.Minute, 0.5, 1.5
	plan, err := traffic.New(traffic.Spec{{Name: "rise", For: &length, Ramp: &traffic.Ramp{From: from, To: to}}, {Name: "top", For: &length, RPS: &to}}, nil)
	require.NoError(t, err)
	spec.Traffic = plan
	spec.MeasureFrom = time.Minute
	spec.Prices = &Prices{PodHour: pointer(0.5), LateRequest: &LateRequest{After: time.Second, Price: 0.01}}
	spec.Cluster.Replicas = 1
	spec.Cluster.RequestTimeout = 3 * time.Second
	spec.Strategy = Strategy{Name: "hpa", HPA: cpuHPA(40)}
	spec.Fleet = &Fleet{Services: services, Popularity: &Popularity{Law: "zipf", Exponent: pointer(1.5)}}
	return spec
}

func TestFleetIsTheSumOfItsServices(t *testing.T) {
	for name, change := range map[string]func(*Spec){
		"hpa":       func(*Spec) {},
		"elasti":    func(s *Spec) { s.Strategy = Strategy{Name: "elasti", Elasti: elastiSpec()} },
		"oracle":    func(s *Spec) { s.Strategy = Strategy{Name: "oracle", Oracle: true} },
		"none":      func(s *Spec) { s.Strategy = Strategy{Name: "none"} },
		"lognormal": func(s *Spec) { s.Fleet.Popularity = &Popularity{Law: "lognormal", CV: pointer(2.0)} },
		"evenly":    func(s *Spec) { s.Fleet.Popularity = nil },
	} {
		t.Run(name, func(t *testing.T) {
			spec := fleetSpec(t, 6)
			change(&spec)
			fleet := play(t, spec)
			weights := spec.Fleet.Weights(spec.Seed)
			prints := sha256.New()
			sum, lost, slowest := &Result{}, []uint64{}, []float64{}
			late := uint64(0)
			latency, highest, lowest := cluster.NewHistogram(), int32(0), int32(1<<30)
			desired, ready := make([]int32, len(fleet.Timeline.TS)), make([]int32, len(fleet.Timeline.TS))
			for i, w := range weights {
				one := play(t, spec.named().ofService(i, w))
				add(&sum.Requests, one.Requests)
				late += *one.Cost.LateRequests
				sum.PodSeconds += one.PodSeconds
				sum.IdlePodSeconds += one.IdlePodSeconds
				sum.Replicas.MeanReady += one.Replicas.MeanReady
				sum.Replicas.MeanDesired += one.Replicas.MeanDesired
				sum.Replicas.ScaleUps += one.Replicas.ScaleUps
				sum.Replicas.ScaleDowns += one.Replicas.ScaleDowns
				sum.Replicas.Flaps += one.Replicas.Flaps
				print, err := hex.DecodeString(one.Fingerprint)
				require.NoError(t, err)
				prints.Write(print)
				for k := range desired {
					desired[k] += one.Timeline.Desired[k]
					ready[k] += one.Timeline.Ready[k]
				}
				for k := range one.Phases {
					if i == 0 {
						sum.Phases = append(sum.Phases, Phase{})
					}
					add(&sum.Phases[k].Requests, one.Phases[k].Requests)
				}
				if one.LatencyS != nil {
					latency.Record(time.Duration(one.LatencyS.Max * 1e9))
					slowest = append(slowest, one.LatencyS.P99)
				}
				if n := one.Requests.Lost(); n > 0 {
					lost = append(lost, n)
				}
			}
			assert.Equal(t, sum.Requests, fleet.Requests)
			assert.Equal(t, sum.PodSeconds, fleet.PodSeconds)
			assert.Equal(t, sum.IdlePodSeconds, fleet.IdlePodSeconds)
			assert.Equal(t, sum.PodSeconds/3600*0.5, *fleet.Cost.Pods)
			assert.Equal(t, late, *fleet.Cost.LateRequests)
			assert.Equal(t, hex.EncodeToString(prints.Sum(nil)), fleet.Fingerprint)
			assert.InDelta(t, latency.Max().Seconds(), fleet.LatencyS.Max, 2e-9)
			assert.Equal(t, desired, fleet.Timeline.Desired)
			assert.Equal(t, ready, fleet.Timeline.Ready)
			for k, at := range fleet.Timeline.TS {
				if at >= 60 {
					highest, lowest = max(highest, desired[k]), min(lowest, ready[k])
				}
			}
			sum.Replicas.MaxDesired, sum.Replicas.MinReady = highest, lowest
			assert.Equal(t, sum.Replicas, fleet.Replicas)
			for k := range sum.Phases {
				assert.Equal(t, sum.Phases[k].Requests, fleet.Phases[k].Requests)
			}
			slices.Sort(lost)
			slices.Reverse(lost)
			for i, s := range fleet.Fleet.WorstByLost {
				assert.Equal(t, lost[i], s.Requests.Lost())
			}
			assert.Len(t, fleet.Fleet.WorstByLost, len(lost))
			slices.Sort(slowest)
			slices.Reverse(slowest)
			for i, s := range fleet.Fleet.WorstByP99 {
				assert.Equal(t, slowest[i], *s.LatencyP99S)
			}
			assert.Len(t, fleet.Fleet.WorstByP99, len(slowest))
			assert.Empty(t, fleet.Decisions)
			assert.Equal(t, 6, fleet.Fleet.Services)
		})
	}
}

func add(sum *Requests, r Requests) {
	sum.Arrived += r.Arrived
	sum.Completed += r.Completed
	sum.TimedOut += r.TimedOut
	sum.Rejected += r.Rejected
	sum.Failed += r.Failed
	sum.InFlight += r.InFlight
	sum.Retried += r.Retried
	sum.Cold += r.Cold
}

// Percentiles are over all requests: two services of one request a second each,
// evenly spaced, are one of two.
func TestPercentilesOfAFleet(t *testing.T) {
	spec := baseSpec(t)
	spec.Strategy = Strategy{Name: "fixed", Replicas: pointer(int32(1))}
	spec.Fleet = &Fleet{Services: 2}
	r := play(t, spec)
	assert.Equal(t, Requests{Arrived: 1200, Completed: 1200}, r.Requests)
	assert.Equal(t, 0.4, r.LatencyS.Mean)
	assert.Equal(t, &Distribution{}, r.WaitS)
	assert.Equal(t, ReplicaSummary{MeanReady: 2, MeanDesired: 2, MaxDesired: 2, MinReady: 2}, r.Replicas)
	assert.InDelta(t, 1200, r.PodSeconds, 1e-9)
	for i := range r.Timeline.TS {
		assert.Equal(t, 2.0, r.Timeline.ArrivedRPS[i])
		assert.InDelta(t, 0.4, *r.Timeline.LatencyP99S[i], 0.4/256)
	}
	assert.Equal(t, []FleetService{}, r.Fleet.WorstByLost)
	require.Len(t, r.Fleet.WorstByP99, 2)
	assert.Equal(t, "web-0", r.Fleet.WorstByP99[0].Service, "of equals the more popular one comes first")
	assert.Equal(t, int32(1), r.Fleet.WorstByP99[0].MaxDesired)
}

func TestServicesDifferInTheirDice(t *testing.T) {
	spec := fleetSpec(t, 100)
	seeds := map[uint64]bool{spec.Seed: true}
	for i := range 100 {
		one := spec.ofService(i, 1)
		assert.Nil(t, one.Fleet)
		seeds[one.Seed] = true
	}
	assert.Len(t, seeds, 101)
	assert.Equal(t, random.Seed(spec.Seed).Key("fleet", 7), random.Key(spec.ofService(7, 1).Seed))
}

// The number of workers and the order in which they finish change nothing.
func TestFleetSameBytes(t *testing.T) {
	spec := fleetSpec(t, 40)
	first := ""
	for _, workers := range []int{1, 2, 3, 7, 16, 100, 0} {
		text, err := json.Marshal(play(t, spec, WithWorkers(workers)))
		require.NoError(t, err)
		if first == "" {
			first = string(text)
		}
		require.Equal(t, first, string(text), "%d workers", workers)
	}
	loud, err := json.Marshal(play(t, spec, WithActuators(func(s Spec) (Actuator, error) { return Direct(s.InitialReplicas()), nil })))
	require.NoError(t, err)
	assert.Equal(t, first, string(loud), "a loop without words decides as one with them")
	spec.Seed++
	other, err := json.Marshal(play(t, spec, WithWorkers(2)))
	require.NoError(t, err)
	assert.NotEqual(t, first, string(other))
}

func TestProgressOfAFleet(t *testing.T) {
	var reached []time.Duration
	play(t, fleetSpec(t, 8), WithWorkers(3), WithProgress(func(now, end time.Duration) {
		assert.Equal(t, 10*time.Minute, end)
		reached = append(reached, now)
	}))
	assert.Len(t, reached, 8)
	assert.IsIncreasing(t, reached)
	assert.Equal(t, 10*time.Minute, reached[7])
}

func TestCancelledFleetStopsItsWorkers(t *testing.T) {
	defer goleak.VerifyNone(t)
	ctx, cancel := context.WithCancel(context.Background())
	done := 0
	_, err := Run(ctx, fleetSpec(t, 10_000), WithWorkers(4), WithProgress(func(time.Duration, time.Duration) {
		if done++; done == 5 {
			cancel()
		}
	}))
	assert.ErrorIs(t, err, context.Canceled)
	assert.Regexp(t, `^web-\d+: stopped at \S+ of simulated time: context canceled$`, err.Error())
	assert.Less(t, done, 20)

	_, err = Run(ctx, fleetSpec(t, 10))
	assert.EqualError(t, err, "web-0: stopped at 0s of simulated time: context canceled")
}

func TestErrorsOfAFleetNameTheService(t *testing.T) {
	defer goleak.VerifyNone(t)
	spec := fleetSpec(t, 50)
	refused := errors.New("refused")
	failing := map[uint64]int{}
	for _, i := range []int{31, 17, 40} {
		failing[spec.ofService(i, 1).Seed] = i
	}
	for _, workers := range []int{1, 2, 7} {
		_, err := Run(context.Background(), spec, WithWorkers(workers), WithActuators(func(s Spec) (Actuator, error) {
			if i, ok := failing[s.Seed]; ok {
				return nil, fmt.Errorf("service %d: %w", i, refused)
			}
			return Direct(s.InitialReplicas()), nil
		}))
		assert.EqualError(t, err, "web-17: service 17: refused", "the first in the services' order")
		assert.ErrorIs(t, err, refused)

		_, err = Run(context.Background(), spec, WithWorkers(workers), WithActuators(func(s Spec) (Actuator, error) {
			return broken{Actuator: Direct(s.InitialReplicas()), carry: refused}, nil
		}))
		assert.EqualError(t, err, "web-0: at 0s: carry out hpa's decision: refused")
	}
}

func TestBadFleetsAreRefused(t *testing.T) {
	const noLaw = `fleet.popularity.law: found "", expected zipf or lognormal`
	for want, change := range map[string]func(*Spec){
		"fleet.services: found 0, expected 1 to 100000":      func(s *Spec) { s.Fleet.Services = 0 },
		"fleet.services: found 100001, expected 1 to 100000": func(s *Spec) { s.Fleet.Services = 100_001 },
		noLaw: func(s *Spec) { s.Fleet.Popularity.Law = "" },
		"fleet.popularity.exponent: found none, expected 0 to 10":     func(s *Spec) { s.Fleet.Popularity.Exponent = nil },
		"fleet.popularity.exponent: found -1, expected 0 to 10":       func(s *Spec) { s.Fleet.Popularity.Exponent = pointer(-1.0) },
		"fleet.popularity.cv: found 2, expected none: zipf has no cv": func(s *Spec) { s.Fleet.Popularity.CV = pointer(2.0) },
		"fleet.popularity.cv: found none, expected 0.001 to 100":      func(s *Spec) { s.Fleet.Popularity = &Popularity{Law: "lognormal"} },
	} {
		t.Run(want, func(t *testing.T) {
			spec := fleetSpec(t, 3)
			change(&spec)
			_, err := Run(context.Background(), spec)
			assert.EqualError(t, err, want)
		})
	}
	spec := fleetSpec(t, 3)
	_, err := Run(context.Background(), spec, WithActuator(Direct(1)))
	assert.EqualError(t, err, "found one actuator for a fleet, expected one for every service")
	spec.MeasureFrom = 10 * time.Minute
	_, err = Run(context.Background(), spec)
	assert.EqualError(t, err, "web-0: measure.from: found 10m0s, expected an instant within the run of 10m0s")
}
