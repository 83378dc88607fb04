package sim

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/elasti"
	"github.com/scalelab/scalelab/scaling/hpa"
	"github.com/scalelab/scalelab/sim/cluster"
	"github.com/scalelab/scalelab/sim/metrics"
	"github.com/scalelab/scalelab/sim/random"
	"github.com/scalelab/scalelab/sim/traffic"
)

func pointer[T any](v T) *T { return &v }

// evenly is traffic of one phase with evenly spaced arrivals.
func evenly(t testing.TB, rps float64, length time.Duration) *traffic.Plan {
	t.Helper()
	plan, err := traffic.New(traffic.Spec{{
		Name: "even", For: &length, RPS: &rps, Arrivals: traffic.Process{Process: "uniform"},
	}}, nil)
	require.NoError(t, err)
	return plan
}

// baseSpec is a workload whose every time is fixed: one slot per pod, service
// of 400 ms, pods that get requests 5 s after they are asked for.
func baseSpec(t testing.TB) Spec {
	c := cluster.Defaults()
	c.PerPod.Concurrency = 1
	c.PerPod.ServiceTime = random.Constant(400 * time.Millisecond)
	c.Routing.Policy = "round-robin"
	c.Lifecycle = cluster.Lifecycle{
		Schedule:            random.Constant(time.Second),
		ImagePull:           random.Constant(0),
		Start:               random.Constant(3 * time.Second),
		Listen:              random.Constant(0),
		EndpointPropagation: random.Constant(time.Second),
	}
	return Spec{
		Scenario: "test",
		Workload: "web",
		Seed:     1,
		Start:    time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC),
		Cluster:  c,
		Traffic:  evenly(t, 1, 10*time.Minute),
		Pipeline: metrics.Defaults(),
		Requests: []messages.ResourceRequest{{Container: "app", Resource: "cpu", Milli: 500}},
		Strategy: Strategy{Name: "none"},
	}
}

func play(t testing.TB, spec Spec, options ...Option) *Result {
	t.Helper()
	r, err := Run(context.Background(), spec, options...)
	require.NoError(t, err)
	q := r.Requests
	require.Equal(t, q.Arrived, q.Completed+q.TimedOut+q.Rejected+q.Failed+q.InFlight)
	return r
}

func cpuHPA(target int32) *hpa.Spec {
	return &hpa.Spec{
		Controller: hpa.DefaultController(),
		Manifest: &autoscalingv2.HorizontalPodAutoscaler{
			ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "default"},
			Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
				ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"},
				MinReplicas:    pointer(int32(1)),
				MaxReplicas:    10,
				Metrics: []autoscalingv2.MetricSpec{{
					Type: autoscalingv2.ResourceMetricSourceType,
					Resource: &autoscalingv2.ResourceMetricSource{
						Name:   corev1.ResourceCPU,
						Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: &target},
					},
				}},
			},
		},
	}
}

func elastiSpec() *elasti.Spec {
	return &elasti.Spec{
		Controller: elasti.DefaultController(),
		Manifest: &elasti.ElastiService{
			TypeMeta:   metav1.TypeMeta{APIVersion: "elasti.truefoundry.com/v1alpha1", Kind: "ElastiService"},
			ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "default"},
			Spec: elasti.ElastiServiceSpec{
				ScaleTargetRef:    elasti.ScaleTargetRef{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"},
				Service:           "web",
				MinTargetReplicas: 1,
				CooldownPeriod:    60,
				Triggers: []elasti.Trigger{{Type: "prometheus", Metadata: elasti.TriggerMetadata{
					ServerAddress: "http://prometheus:9090",
					Query:         `sum(rate(http_requests_total{service="web"}[1m])) or vector(0)`,
					Threshold:     "0.01",
				}}},
			},
		},
	}
}

func TestFixedReplicasInClosedForm(t *testing.T) {
	spec := baseSpec(t)
	spec.Strategy = Strategy{Name: "fixed", Replicas: pointer(int32(2))}
	price := 0.36
	spec.Prices = &Prices{PodHour: &price}
	r := play(t, spec)
	// One request a second, at 0.5, 1.5, ... 599.5 s, each served in 0.4 s.
	assert.Equal(t, Requests{Arrived: 600, Completed: 600}, r.Requests)
	assert.InDelta(t, 0.4, r.LatencyS.Mean, 1e-12)
	assert.InDelta(t, 0.4, r.LatencyS.P99, 0.4/256)
	assert.Equal(t, &Distribution{}, r.WaitS)
	assert.Equal(t, ReplicaSummary{MeanReady: 2, MeanDesired: 2, MaxDesired: 2, MinReady: 2}, r.Replicas)
	assert.InDelta(t, 1200, r.PodSeconds, 1e-9)
	assert.InDelta(t, 1200-240, r.IdlePodSeconds, 1e-9)
	assert.InDelta(t, 0.12, r.Cost.Total, 1e-12) // 1,200 pod-seconds are a third of a pod-hour
	assert.Empty(t, r.Decisions)
	assert.Len(t, r.Timeline.TS, 120)
	assert.Equal(t, 5.0, r.Timeline.IntervalS)
	assert.Equal(t, 600.0, r.Timeline.TS[119])
	for i := range r.Timeline.TS {
		assert.Equal(t, 1.0, r.Timeline.ArrivedRPS[i])
		assert.Equal(t, int32(2), r.Timeline.Ready[i])
	}
}

func TestMeasureLeavesTheWarmUpOut(t *testing.T) {
	spec := baseSpec(t)
	spec.Strategy = Strategy{Name: "fixed", Replicas: pointer(int32(1))}
	spec.MeasureFrom = 9 * time.Minute
	r := play(t, spec)
	assert.Equal(t, uint64(600), r.Requests.Completed, "counters cover the whole run")
	assert.InDelta(t, 1.0, r.Replicas.MeanReady, 1e-12)
	spec.MeasureFrom = 10 * time.Minute
	_, err := Run(context.Background(), spec)
	assert.EqualError(t, err, "measure.from: found 10m0s, expected an instant within the run of 10m0s")
}

func TestShorterDurationCutsTheTraffic(t *testing.T) {
	spec := baseSpec(t)
	spec.Duration = 7 * time.Second
	spec.Strategy = Strategy{Name: "fixed", Replicas: pointer(int32(1))}
	r := play(t, spec)
	assert.Equal(t, Requests{Arrived: 7, Completed: 7}, r.Requests)
	spec.Duration = 6700 * time.Millisecond
	r = play(t, spec)
	assert.Equal(t, Requests{Arrived: 7, Completed: 6, InFlight: 1}, r.Requests)
	assert.Equal(t, []float64{1, 2, 3, 4, 5, 6, 6.7}, r.Timeline.TS)
	assert.InDelta(t, 1/0.7, r.Timeline.ArrivedRPS[6], 1e-9, "the last interval is shorter")
}

func TestHPAFollowsTheLoad(t *testing.T) {
	spec := baseSpec(t)
	spec.Traffic = evenly(t, 4, 10*time.Minute) // 1.6 busy slots on average
	spec.Strategy = Strategy{Name: "hpa", HPA: cpuHPA(40)}
	spec.Cluster.CPURequestMilli = 500
	spec.Cluster.Replicas = 2
	r := play(t, spec)
	// 1.6 busy slots at a target of 40 % need four pods.
	assert.Equal(t, int32(4), r.Timeline.Ready[len(r.Timeline.Ready)-1])
	assert.Equal(t, int32(4), r.Replicas.MaxDesired)
	assert.Zero(t, r.Replicas.ScaleDowns)
	first := r.Decisions[0]
	assert.Equal(t, 0.0, first.TS, "the controller reconciles a new HPA at once")
	assert.Equal(t, messages.ReasonMetricFailed, first.Reason)
	for i, d := range r.Decisions {
		assert.Equal(t, float64(15*i), d.TS)
		assert.Equal(t, "hpa", d.Autoscaler)
	}
	assert.Len(t, r.Decisions, 40)
}

func TestElastiSleepsAndWakes(t *testing.T) {
	spec := baseSpec(t)
	silence, rps := 10*time.Minute, 1.0
	burst := time.Minute
	plan, err := traffic.New(traffic.Spec{
		{Name: "burst", For: &burst, RPS: &rps, Arrivals: traffic.Process{Process: "uniform"}},
		{Name: "silence", For: &silence, RPS: pointer(0.0)},
		{Name: "again", For: &burst, RPS: &rps, Arrivals: traffic.Process{Process: "uniform"}},
	}, nil)
	require.NoError(t, err)
	spec.Traffic = plan
	spec.Strategy = Strategy{Name: "elasti", Elasti: elastiSpec()}
	spec.Cluster.Replicas = 1
	r := play(t, spec)
	assert.Equal(t, uint64(120), r.Requests.Completed)
	assert.Equal(t, int32(0), r.Replicas.MinReady)
	var up, down *Decision
	for i := range r.Decisions {
		switch d := &r.Decisions[i]; {
		case d.Desired == 0 && d.Current == 1 && down == nil:
			down = d
		case d.Desired == 1 && d.Current == 0 && up == nil:
			up = d
		}
	}
	require.NotNil(t, down)
	require.NotNil(t, up)
	assert.Equal(t, messages.ReasonScaleToZero, down.Reason)
	assert.Equal(t, messages.ReasonScaleFromZero, up.Reason)
	assert.Equal(t, 660.5, up.TS, "with the first request that finds nobody home")
	// The pod gets requests 5 s later; the requests look again every 3 s, so the
	// first waits 6 s, and six requests arrive until the pod is reachable.
	assert.InDelta(t, 6.0, r.Phases[2].WaitS.Max, 6.0/2)
	assert.GreaterOrEqual(t, r.Requests.Cold, uint64(5))
	assert.Equal(t, uint64(0), r.Phases[0].Requests.Cold)
}

// TestRetriesAndUsers has four users of one slot, who all begin at once.
func TestRetriesAndUsers(t *testing.T) {
	spec := baseSpec(t)
	length := 10 * time.Minute
	plan, err := traffic.New(traffic.Spec{
		{Name: "silence", For: &length, RPS: pointer(0.0)},
		{Name: "people", For: &length, Users: &traffic.Users{Count: 4, ThinkTime: random.Constant(3600 * time.Millisecond)}},
	}, nil)
	require.NoError(t, err)
	spec.Traffic = plan
	spec.Cluster.PerPod.Queue = 0
	plain := play(t, spec)
	// Those who are rejected think again, and are in step with one fewer each
	// time: 3 + 2 + 1. Everybody comes 150 times.
	assert.Equal(t, Requests{Arrived: 600, Completed: 594, Rejected: 6}, plain.Requests)

	spec.Cluster.Retries = &cluster.Retries{
		Attempts: 4, On: []string{"rejected"},
		Backoff: cluster.Backoff{Initial: 400 * time.Millisecond, Factor: 1, Max: time.Second, Jitter: "none"},
	}
	r := play(t, spec)
	// They are served one after the other, the last at its third retry; then
	// everybody has a time of his own in a cycle of 4 s. Who waited comes 149 times.
	assert.Equal(t, Requests{Arrived: 597, Completed: 597, Retried: 6}, r.Requests)
	assert.Equal(t, Requests{}, r.Phases[0].Requests)
	assert.Equal(t, r.Requests, r.Phases[1].Requests)
	assert.NotEqual(t, plain.Fingerprint, r.Fingerprint)
	assert.Equal(t, r.Fingerprint, play(t, spec).Fingerprint)
}

func TestOracleNeverMakesAnybodyWait(t *testing.T) {
	spec := baseSpec(t)
	length, rps := 10*time.Hour, 7.0
	plan, err := traffic.New(traffic.Spec{{Name: "p", For: &length, RPS: &rps}}, nil)
	require.NoError(t, err)
	spec.Traffic = plan
	mean := 700 * time.Millisecond
	spec.Cluster.PerPod.ServiceTime = random.Spec{Dist: "exponential", Mean: &mean}
	spec.Cluster.PerPod.Concurrency = 2
	spec.Strategy = Strategy{Name: "oracle", Oracle: true}
	r := play(t, spec)
	assert.Equal(t, r.Requests.Arrived, r.Requests.Completed+r.Requests.InFlight)
	assert.Equal(t, &Distribution{}, r.WaitS)
	assert.Empty(t, r.Decisions)
	// In service is Poisson with mean 4.9 (M/G/inf), two to a pod:
	// E[ceil(N/2)] = (4.9 + P(N odd)) / 2, P(N odd) = (1 - exp(-2*4.9)) / 2.
	assert.InDelta(t, (4.9+0.5)/2, r.Replicas.MeanReady, 0.03) // 4 standard errors
	assert.Equal(t, r.Replicas.MeanReady, r.Replicas.MeanDesired)
	assert.InDelta(t, r.Replicas.MeanReady*36000, r.PodSeconds, 1e-6)
}

func TestServerlessInClosedForm(t *testing.T) {
	spec := baseSpec(t)
	spec.Traffic = evenly(t, 1, 2*time.Minute)
	cold, keepAlive := random.Constant(2*time.Second), 30*time.Second
	spec.Strategy = Strategy{Name: "lambda", Serverless: &cluster.Serverless{KeepAlive: &keepAlive, ColdServiceTime: cold}}
	price := 0.36
	spec.Prices, spec.Duration, spec.SampleEvery = &Prices{PodHour: &price}, 200*time.Second, 5*time.Second
	r := play(t, spec)
	// One request a second from 0.5 to 119.5 s, served in 0.4 s. The first one
	// starts an instance that is busy until 2.5 s, so the second, at 1.5 s, starts
	// another, until 3.5 s. From 2.5 s on the first does the rest until 3.5 s, where
	// the second is freed before the request of that instant, and is the newest.
	assert.Equal(t, Requests{Arrived: 120, Completed: 120, Cold: 2}, r.Requests)
	assert.Equal(t, &Distribution{}, r.WaitS)
	assert.Equal(t, 2.0, r.LatencyS.Max)
	// The first is idle from 2.9 s on and goes at 32.9 s, the other at 149.9 s.
	assert.InDelta(t, 32.4+148.4, r.PodSeconds, 1e-9)
	assert.InDelta(t, 32.4+148.4-2*2-118*0.4, r.IdlePodSeconds, 1e-9)
	assert.InDelta(t, 0.36*(32.4+148.4)/3600, r.Cost.Total, 1e-12)
	assert.InDelta(t, (32.4+148.4)/200, r.Replicas.MeanReady, 1e-9)
	assert.Equal(t, r.Replicas.MeanReady, r.Replicas.MeanDesired)
	assert.Equal(t, int32(2), r.Replicas.MaxDesired)
	assert.Equal(t, [2]int{2, 2}, [2]int{r.Replicas.ScaleUps, r.Replicas.ScaleDowns})
	assert.Equal(t, []int32{2, 1, 1, 0}, []int32{r.Timeline.Ready[0], r.Timeline.Ready[6], r.Timeline.Created[20], r.Timeline.Ready[30]})
	assert.Empty(t, r.Decisions)
}

func TestServerlessStandsAlone(t *testing.T) {
	for name, change := range map[string]func(*Strategy){
		"hpa":      func(s *Strategy) { s.HPA = cpuHPA(40) },
		"elasti":   func(s *Strategy) { s.Elasti = elastiSpec() },
		"oracle":   func(s *Strategy) { s.Oracle = true },
		"replicas": func(s *Strategy) { s.Replicas = pointer(int32(1)) },
	} {
		spec := baseSpec(t)
		spec.Strategy = Strategy{Name: name, Serverless: &cluster.Serverless{ColdServiceTime: random.Constant(time.Second)}}
		change(&spec.Strategy)
		_, err := Run(context.Background(), spec)
		assert.EqualError(t, err, "strategy "+name+": found serverless beside another way to scale, expected it alone")
	}
}

func TestSameSpecSameBytes(t *testing.T) {
	spec := baseSpec(t)
	spec.Traffic = evenly(t, 4, 10*time.Minute)
	spec.Strategy = Strategy{Name: "hpa", HPA: cpuHPA(40)}
	first, err := json.Marshal(play(t, spec))
	require.NoError(t, err)
	var reached []time.Duration
	again, err := json.Marshal(play(t, spec, WithProgress(func(now, end time.Duration) {
		assert.Equal(t, 10*time.Minute, end)
		reached = append(reached, now)
	}), WithActuator(Direct(1))))
	require.NoError(t, err)
	assert.Equal(t, string(first), string(again))
	assert.NotEmpty(t, reached)
	spec.Seed = 2
	other := play(t, spec)
	var one Result
	require.NoError(t, json.Unmarshal(first, &one))
	assert.Equal(t, one.Requests, other.Requests, "nothing in this workload is drawn")
}

func TestCancelledRunSaysWhereItStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := Run(ctx, baseSpec(t))
	assert.ErrorIs(t, err, context.Canceled)
	assert.EqualError(t, err, "stopped at 0s of simulated time: context canceled")
}

// broken fails in one of its calls.
type broken struct {
	Actuator
	mirror, replicas, carry error
}

func (b broken) Mirror(now time.Duration, changes []cluster.Transition, counts messages.Replicas) error {
	if b.mirror != nil {
		return b.mirror
	}
	return b.Actuator.Mirror(now, changes, counts)
}

func (b broken) Replicas(now time.Duration) (messages.Replicas, error) {
	if b.replicas != nil {
		return messages.Replicas{}, b.replicas
	}
	return b.Actuator.Replicas(now)
}

func (b broken) Carry(now time.Duration, loop string, d messages.Decision) (int32, error) {
	if b.carry != nil {
		return 0, b.carry
	}
	return b.Actuator.Carry(now, loop, d)
}

func TestActuatorErrorsEndTheRun(t *testing.T) {
	refused := errors.New("refused")
	for want, b := range map[string]broken{
		"at 0s: show the cluster in the API: refused": {mirror: refused},
		"at 0s: read the workload's scale: refused":   {replicas: refused},
		"at 0s: carry out hpa's decision: refused":    {carry: refused},
	} {
		spec := baseSpec(t)
		spec.Strategy = Strategy{Name: "hpa", HPA: cpuHPA(40)}
		b.Actuator = Direct(1)
		_, err := Run(context.Background(), spec, WithActuator(b))
		assert.EqualError(t, err, want)
		assert.ErrorIs(t, err, refused)
	}
}

func TestBadSpecsAreRefused(t *testing.T) {
	for name, change := range map[string]func(*Spec){
		"workload": func(s *Spec) { s.Cluster.PerPod.Concurrency = 0 },
		"hpa":      func(s *Spec) { s.Strategy.HPA = cpuHPA(0) },
		"elasti":   func(s *Spec) { e := elastiSpec(); e.Manifest.Spec.Triggers = nil; s.Strategy.Elasti = e },
		"metric":   func(s *Spec) { s.Requests = nil; s.Pipeline.Kubelet = -1 },
		"oracle":   func(s *Spec) { s.Strategy.Oracle = true; s.Cluster.PerPod.ServiceTime.Dist = "?" },
	} {
		t.Run(name, func(t *testing.T) {
			spec := baseSpec(t)
			change(&spec)
			_, err := Run(context.Background(), spec)
			assert.Error(t, err)
		})
	}
}

func TestFlapsAreChangesOfDirection(t *testing.T) {
	r := newRecorder(Spec{Cluster: cluster.Spec{Replicas: 2}, MeasureFrom: time.Minute}, time.Hour)
	for i, count := range []int32{5, 4, 4, 6, 7, 3, 3, 4} {
		r.desired(time.Duration(i)*30*time.Second, count)
	}
	// 5 and 4 belong to the warm-up, 4 = 4; then up, up, down, up.
	assert.Equal(t, ReplicaSummary{MaxDesired: 7, ScaleUps: 3, ScaleDowns: 1, Flaps: 2}, r.summary)
}
