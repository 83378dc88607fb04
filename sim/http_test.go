package sim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/hpa"
	"github.com/scalelab/scalelab/scaling/keda"
	"github.com/scalelab/scalelab/scaling/keda/httpaddon"
	"github.com/scalelab/scalelab/sim/metrics"
	"github.com/scalelab/scalelab/sim/random"
)

// addOnSpec is baseSpec behind the HTTP add-on: a pod gets requests 5 s after it is
// asked for, and serves one in 400 ms.
func addOnSpec(t testing.TB, change func(*httpaddon.HTTPScaledObject)) Spec {
	spec := baseSpec(t)
	o := &httpaddon.HTTPScaledObject{
		TypeMeta:   metav1.TypeMeta{APIVersion: httpaddon.APIVersion, Kind: httpaddon.Kind},
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
	}
	o.Spec.ScaleTargetRef = httpaddon.ScaleTarget{Name: spec.Workload, Service: "web", Port: new(int32(80))}
	o.Spec.Replicas = &httpaddon.Replicas{Max: new(int32(4))}
	o.Spec.ScaledownPeriod = new(int32(60))
	if change != nil {
		change(o)
	}
	require.NoError(t, o.Validate())
	spec.Strategy = Strategy{Name: "http", Keda: &keda.Spec{Manifest: keda.FromHTTP(o), HTTP: httpaddon.DefaultController(), Controller: hpa.DefaultController()}}
	spec.Cluster.Replicas = 1
	return spec
}

// A request that finds no pod is seen by the scaler's next question, 0.5 s apart, and
// told to the operator by the next push, 0.2 s apart. Every instant is known.
func TestHTTPAddOnSleepsAndWakesInClosedForm(t *testing.T) {
	spec := addOnSpec(t, nil)
	spec.Traffic = evenly(t, 1/200.6, 401200*time.Millisecond) // at 100.3 s and 300.9 s
	r := play(t, spec)
	// Nothing is pending at the first poll, and nothing was ever active. The request of
	// 100.3 s is counted at 100.5 s and told then; that of 300.9 s is counted at 301.0 s
	// and told at 301.1 s. Both are answered 5.4 s after their pod was asked for. The
	// first is there at the question of 105.5 s, and told for the last time at 105.9 s;
	// so the poll of 165.1 s finds the cooldown of 60 s from 105 s over. The second is
	// told for the last time at 306.3 s.
	assert.Equal(t, map[float64]int32{0.1: 0, 100.5: 1, 165.1: 0, 301.1: 1, 375.1: 0}, changes(r))
	assert.Equal(t, uint64(2), r.Requests.Completed)
	assert.Equal(t, uint64(2), r.Requests.Cold)
	assert.InDelta(t, (5.6+5.6)/2, r.LatencyS.Mean, 1e-9)
	for _, d := range r.Decisions {
		if d.TS == 100.5 {
			assert.Equal(t, messages.ReasonScaleFromZero, d.Reason)
			assert.Equal(t, "scale from zero to 1: the stream says that trigger 0 (pending requests) is active", d.Message)
			require.Len(t, d.Steps, 1)
			assert.Equal(t, "trigger 0 (pending requests): 1, active", d.Steps[0].Detail)
		}
	}
	require.Len(t, r.Metrics, 1)
	assert.Equal(t, "external metric s0-http-default_002Fweb", r.Metrics[0].Name)
	assert.Equal(t, 100.0, *r.Metrics[0].Target)
}

// Nobody hears the stream while the operator is away; the first push after that wakes
// the workload.
func TestTheStreamOfAnOperatorThatIsAway(t *testing.T) {
	spec := addOnSpec(t, nil)
	spec.Traffic = evenly(t, 1/200.6, 200600*time.Millisecond) // at 100.3 s
	spec.Faults = []Fault{{At: 90 * time.Second, For: pointer(30 * time.Second), AutoscalerDown: "keda"}}
	r := play(t, spec)
	assert.Equal(t, map[float64]int32{0.1: 0, 120.1: 1, 195.1: 0}, changes(r))
	assert.Equal(t, uint64(1), r.Requests.Completed)
	assert.InDelta(t, 120.1+5-100.3+0.4, r.LatencyS.Max, 1e-9)
}

// TestHTTPAddOnScalesByPending has the HPA go by the pending requests, those that wait
// for a pod among them.
func TestHTTPAddOnScalesByPending(t *testing.T) {
	spec := addOnSpec(t, func(o *httpaddon.HTTPScaledObject) {
		o.Spec.ScalingMetric = &httpaddon.ScalingMetric{Concurrency: &httpaddon.Concurrency{TargetValue: new(int32(2))}}
	})
	spec.Cluster.PerPod.ServiceTime = random.Constant(20 * time.Second)
	spec.Traffic = evenly(t, 0.2, 60*time.Second) // at 2.5 s, 7.5 s, ...
	r := play(t, spec)
	// At 2.5 s a request comes, and is counted and told at once. The HPA is synced at
	// multiples of 15 s: at 15 s those of 2.5 s, 7.5 s and 12.5 s are pending, so that two
	// pods are wanted.
	assert.Equal(t, int32(1), changes(r)[2.5])
	assert.Equal(t, int32(2), changes(r)[15])
	track := r.Metrics[0]
	require.NotEmpty(t, track.Seen)
	for i, at := range r.Timeline.TS {
		if at == 15 {
			assert.Equal(t, 3.0, *track.Truth[i])
			assert.Equal(t, 3.0, *track.Seen[i])
		}
	}
}

// TestHTTPAddOnScalesByRate holds the workload up by its rate, which outlives the
// requests by the window.
func TestHTTPAddOnScalesByRate(t *testing.T) {
	spec := addOnSpec(t, func(o *httpaddon.HTTPScaledObject) {
		o.Spec.ScalingMetric = &httpaddon.ScalingMetric{RequestRate: &httpaddon.RequestRate{TargetValue: new(int32(1))}}
	})
	spec.Traffic = evenly(t, 1/200.6, 401200*time.Millisecond)
	r := play(t, spec)
	// One request in 60 s is a rate of 0.017, rounded up to 1. It is in the bucket of
	// 100 s, and out of the window from the question of 160.0 s on. The last push is that
	// of 159.9 s, and 219 s and the cooldown are over at the poll of 225.1 s.
	assert.Equal(t, map[float64]int32{0.1: 0, 100.5: 1, 225.1: 0, 301.1: 1}, changes(r))
	loops, err := newLoops(spec)
	require.NoError(t, err)
	door, err := newDoor(spec.named(), loops)
	require.NoError(t, err)
	var tr tracks
	tr.follow(loops, door)
	require.Len(t, tr.of, 1)
	assert.Equal(t, metrics.SourceRPS, tr.of[0].source)
}

// TestHTTPAddOnTimeouts: 504 after the wait for a pod, which comes too late, and after
// the wait for an answer.
func TestHTTPAddOnTimeouts(t *testing.T) {
	spec := addOnSpec(t, func(o *httpaddon.HTTPScaledObject) {
		o.Spec.Timeouts = &httpaddon.Timeouts{ConditionWait: &metav1.Duration{Duration: 4 * time.Second}}
	})
	spec.Traffic = evenly(t, 1/200.6, 200600*time.Millisecond)
	r := play(t, spec)
	assert.Equal(t, uint64(1), r.Requests.TimedOut)
	// It is pending, and told, up to 104.3 s.
	assert.Equal(t, map[float64]int32{0.1: 0, 100.5: 1, 165.1: 0}, changes(r))

	spec = addOnSpec(t, func(o *httpaddon.HTTPScaledObject) {
		o.Spec.Timeouts = &httpaddon.Timeouts{ResponseHeader: &metav1.Duration{Duration: 300 * time.Millisecond}}
	})
	spec.Traffic = evenly(t, 1/200.6, 200600*time.Millisecond)
	assert.Equal(t, uint64(1), play(t, spec).Requests.TimedOut)

	spec = addOnSpec(t, nil)
	spec.Strategy.Keda.HTTP.Request = 5 * time.Second // less than the 5.6 s of the cold start
	spec.Traffic = evenly(t, 1/200.6, 200600*time.Millisecond)
	assert.Equal(t, uint64(1), play(t, spec).Requests.TimedOut)
	placed := intercept(spec.Cluster, spec.Strategy.Keda)
	assert.Zero(t, placed.Interceptor.DialFor, "the deadline bounds the connections")
	assert.Equal(t, 5*time.Second, placed.RequestTimeout)
}

// TestHTTPAddOnSettings has the scaler ask and tell at other times.
func TestHTTPAddOnSettings(t *testing.T) {
	spec := addOnSpec(t, nil)
	spec.Strategy.Keda.HTTP.QueueTick, spec.Strategy.Keda.HTTP.StreamInterval = 2*time.Second, 3*time.Second
	spec.Traffic = evenly(t, 1/200.6, 200600*time.Millisecond)
	// Counted at 102 s; told at 0.1 s + 34 x 3 s, and for the last time 3 s later.
	assert.Equal(t, map[float64]int32{0.1: 0, 102.1: 1, 165.1: 0}, changes(play(t, spec)))
}

// TestHTTPAddOnPaused: a paused ScaledObject leaves the interceptor on the way.
func TestHTTPAddOnPaused(t *testing.T) {
	spec := addOnSpec(t, func(o *httpaddon.HTTPScaledObject) {
		o.Annotations = map[string]string{"autoscaling.keda.sh/paused-replicas": "0"}
	})
	spec.Traffic = evenly(t, 1, 90*time.Second)
	spec.Cluster.RequestTimeout = 10 * time.Second
	r := play(t, spec)
	assert.Equal(t, map[float64]int32{0.1: 0}, changes(r))
	assert.Equal(t, uint64(80), r.Requests.TimedOut)
}

// TestHTTPAddOnWakesWithinTheTwoIntervals in random worlds: no request of a sleeping
// workload waits longer for its pod to be asked for than a tick and an interval of the
// stream.
func TestHTTPAddOnWakesWithinTheTwoIntervals(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		spec := addOnSpec(t, func(o *httpaddon.HTTPScaledObject) {
			if rapid.Bool().Draw(rt, "rate") {
				o.Spec.ScalingMetric = &httpaddon.ScalingMetric{RequestRate: &httpaddon.RequestRate{}}
			}
		})
		tick := time.Duration(rapid.IntRange(10, 3000).Draw(rt, "tick_ms")) * time.Millisecond
		interval := time.Duration(rapid.IntRange(10, 3000).Draw(rt, "interval_ms")) * time.Millisecond
		spec.Strategy.Keda.HTTP.QueueTick, spec.Strategy.Keda.HTTP.StreamInterval = tick, interval
		gap := rapid.Float64Range(150, 400).Draw(rt, "gap_s")
		spec.Traffic = evenly(t, 1/gap, time.Duration(3*gap*float64(time.Second)))
		r := play(t, spec)
		require.Equal(rt, uint64(3), r.Requests.Completed)
		woken := 0
		for _, d := range r.Decisions {
			if d.Reason != messages.ReasonScaleFromZero {
				continue
			}
			arrival := gap * (float64(woken) + 0.5)
			require.GreaterOrEqual(rt, d.TS, arrival-1e-6)
			require.LessOrEqual(rt, d.TS, arrival+(tick+interval).Seconds()+1e-6)
			woken++
		}
		require.Equal(rt, 3, woken)
	})
}
