package sim

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/random"
)

func TestBill(t *testing.T) {
	u := usage{existed: 7200, idle: 1800, cpuMilli: 500, memoryBytes: 256 << 20,
		requests: Requests{Arrived: 1_000_000, TimedOut: 5, Rejected: 7, Failed: 8, Retried: 500_000}, late: 40}
	for _, c := range []struct {
		name   string
		prices *Prices
		want   *Cost
	}{
		{"no prices", nil, nil},
		{"pods", &Prices{PodHour: new(0.05)}, &Cost{Total: 0.1, Pods: new(0.1)}},
		{"pods for free", &Prices{PodHour: new(0.0)}, &Cost{Pods: new(0.0)}},
		{"what they request", &Prices{VCPUHour: new(0.04), GiBHour: new(0.004)}, &Cost{Total: 0.042, VCPU: new(0.04), Memory: new(0.002)}},
		{"a gateway", &Prices{PodHour: new(0.05), MillionRequests: new(0.2)}, &Cost{Total: 0.4, Pods: new(0.1), Requests: new(0.3)}},
		{"what goes wrong", &Prices{PodHour: new(0.05), LostRequest: new(0.01), LateRequest: &LateRequest{time.Second, 0.002}},
			&Cost{Total: 0.38, Pods: new(0.1), Lost: new(0.2), Late: new(0.08), LateRequests: new(uint64(40))}},
		{"a platform that it does not run on", &Prices{PodHour: new(0.05), Serverless: &ServerlessPrice{GiBSecond: 1, MillionRequests: 1}}, &Cost{Total: 0.1, Pods: new(0.1)}},
	} {
		t.Run(c.name, func(t *testing.T) { assertCost(t, c.want, c.prices.bill(u)) })
	}
}

func assertCost(t *testing.T, want, found *Cost) {
	t.Helper()
	if want == nil {
		assert.Nil(t, found)
		return
	}
	assert.InDelta(t, want.Total, found.Total, 1e-9)
	assert.Equal(t, want.LateRequests, found.LateRequests)
	parts := func(c *Cost) []*float64 { return []*float64{c.Pods, c.VCPU, c.Memory, c.Requests, c.Lost, c.Late} }
	sum := 0.0
	for i, part := range parts(found) {
		if parts(want)[i] == nil {
			assert.Nil(t, part, "part %d", i)
			continue
		}
		require.NotNil(t, part, "part %d", i)
		assert.InDelta(t, *parts(want)[i], *part, 1e-9, "part %d", i)
		sum += *part
	}
	assert.InDelta(t, found.Total, sum, 1e-9)
}

// lambda is the price list of the acceptance list's C1.
func lambda() *Prices {
	return &Prices{PodHour: new(0.05), Serverless: &ServerlessPrice{
		GiBSecond: 0.00001667, MillionRequests: 0.20, FreeGiBSeconds: new(400_000.0), FreeRequests: new(1_000_000.0)}}
}

func TestServerlessBill(t *testing.T) {
	// C1: 3 million requests of 1 s with 512 MB are 1.5 million GB-s.
	u := usage{serverless: true, memoryBytes: 512 << 20, existed: 5e6, idle: 2e6, invocations: 3e6}
	assertCost(t, &Cost{Total: 18.737, Memory: new(18.337), Requests: new(0.40)}, lambda().bill(u))

	u.existed, u.invocations = 2e6, 1000
	assertCost(t, &Cost{Memory: new(0.0), Requests: new(0.0)}, lambda().bill(u))

	prices := lambda()
	prices.Serverless.FreeGiBSeconds, prices.Serverless.FreeRequests, prices.MillionRequests = nil, nil, new(1.0)
	u = usage{serverless: true, memoryBytes: 1 << 30, existed: 1e6, invocations: 2e6, requests: Requests{Arrived: 2e6, Retried: 1e6}}
	assertCost(t, &Cost{Total: 16.67 + 0.4 + 3, Memory: new(16.67), Requests: new(3.4)}, prices.bill(u))

	prices.Serverless = nil
	assertCost(t, &Cost{Total: 1e6/3600*0.05 + 3, Pods: new(1e6 / 3600 * 0.05), Requests: new(3.0)}, prices.bill(u))
}

// TestLambdaMonth simulates C1: a month of one-second requests.
func TestLambdaMonth(t *testing.T) {
	spec := baseSpec(t)
	month := 30 * 24 * time.Hour
	spec.Traffic = evenly(t, 3e6/month.Seconds(), month)
	spec.Duration = month + time.Minute
	spec.Cluster.PerPod.ServiceTime = random.Constant(time.Second)
	spec.Cluster.MemoryRequestBytes = 512 << 20
	spec.Strategy = Strategy{Name: "lambda", Serverless: &cluster.Serverless{ColdServiceTime: random.Constant(time.Second)}}
	spec.Prices = lambda()
	r := play(t, spec)
	require.Equal(t, Requests{Arrived: 3e6, Completed: 3e6, Cold: r.Requests.Cold}, r.Requests)
	assert.InDelta(t, 3e6, r.PodSeconds-r.IdlePodSeconds, 1e-3)
	assert.Equal(t, 18.74, math.Round(r.Cost.Total*100)/100)
	assert.Equal(t, 18.34, math.Round(*r.Cost.Memory*100)/100)
	assert.InDelta(t, 0.40, *r.Cost.Requests, 1e-9)
	assert.Nil(t, r.Cost.Pods)
}

func TestRequestsWithoutAnInstanceAreNotBilled(t *testing.T) {
	spec := baseSpec(t) // one request a second for ten minutes
	spec.Cluster.PerPod.ServiceTime = random.Constant(3500 * time.Millisecond)
	spec.Strategy = Strategy{Name: "lambda", Serverless: &cluster.Serverless{ColdServiceTime: random.Constant(3500 * time.Millisecond), MaxInstances: new(int32(2))}}
	spec.Prices = &Prices{PodHour: new(0.0), Serverless: &ServerlessPrice{MillionRequests: 1e6}}
	r := play(t, spec)
	// Two of four requests find an instance.
	assert.Equal(t, uint64(300), r.Requests.Rejected)
	assert.InDelta(t, 300, r.Cost.Total, 1e-9)
}

func TestLateRequestsInClosedForm(t *testing.T) {
	spec := baseSpec(t)
	spec.Strategy = Strategy{Name: "fixed", Replicas: new(int32(2))}
	for _, c := range []struct {
		service, after time.Duration
		late           uint64
	}{
		{400 * time.Millisecond, 399999999 * time.Nanosecond, 600},
		{400 * time.Millisecond, 400 * time.Millisecond, 0},
	} {
		spec.Cluster.PerPod.ServiceTime = random.Constant(c.service)
		spec.Prices = &Prices{PodHour: new(0.0), LateRequest: &LateRequest{After: c.after, Price: 0.5}}
		spec.MeasureFrom = time.Minute
		r := play(t, spec)
		assert.Equal(t, c.late, *r.Cost.LateRequests, "the whole run counts, to the nanosecond")
		assert.InDelta(t, float64(c.late)/2, r.Cost.Total, 1e-9)
	}
	spec.Prices.LateRequest = nil
	assert.Nil(t, play(t, spec).Cost.LateRequests)
}

func TestRequestedOverTime(t *testing.T) {
	spec := baseSpec(t)
	spec.Strategy = Strategy{Name: "fixed", Replicas: new(int32(2))}
	r := play(t, spec)
	assert.Nil(t, r.CPUCoreHours, "nothing is requested")
	assert.Nil(t, r.MemoryGiBHours)
	spec.Cluster.CPURequestMilli, spec.Cluster.MemoryRequestBytes = 250, 3<<29
	r = play(t, spec)
	assert.InDelta(t, 2*0.25/6, *r.CPUCoreHours, 1e-12) // two pods for ten minutes
	assert.InDelta(t, 2*1.5/6, *r.MemoryGiBHours, 1e-12)
	assert.InDelta(t, 0.8, *r.IdleShare, 1e-12) // each serves 0.4 s of every two
	spec.Strategy.Replicas = new(int32(0))
	assert.Nil(t, play(t, spec).IdleShare)
}

func TestPricesValidate(t *testing.T) {
	assert.NoError(t, Prices{PodHour: new(1.0)}.Validate())
	assert.NoError(t, Prices{VCPUHour: new(1.0), GiBHour: new(1.0)}.Validate())
	assert.EqualError(t, Prices{LateRequest: &LateRequest{}}.Validate(),
		"found no price of a pod, expected podHour, or vcpuHour and gibHour\nlateRequest.after: found 0s, expected more than 0s")
}
