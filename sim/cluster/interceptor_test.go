package cluster

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/sim/random"
)

// intercepting is a workload behind an interceptor, whose requests take a second and
// whose pods 3 s from their creation to the first request.
func intercepting(t *testing.T, change func(*Spec), arrivals ...time.Duration) (*Cluster, *witness) {
	spec := Defaults()
	spec.Replicas, spec.RequestTimeout, spec.Routing.Policy = 0, 0, "round-robin"
	spec.PerPod = PerPod{Concurrency: 1, Queue: 10, Discipline: "fifo", ServiceTime: random.Constant(time.Second)}
	spec.Lifecycle = Lifecycle{
		Schedule: random.Constant(0), ImagePull: random.Constant(0), Start: random.Constant(2 * time.Second),
		Listen: random.Constant(0), EndpointPropagation: random.Constant(time.Second),
	}
	spec.Interceptor = &Interceptor{DialEvery: 50 * time.Millisecond, DialFor: time.Minute}
	change(&spec)
	w := &witness{arrivals: arrivals}
	tally := NewTally([]time.Duration{0}, 0)
	tally.observe = w.ended
	instants := instantsOf(arrivals)
	c, err := New(spec, 1, &instants, tally)
	require.NoError(t, err)
	w.cluster = c
	return c, w
}

func TestInterceptorHoldsRequestsForTheFirstPod(t *testing.T) {
	c, w := intercepting(t, func(*Spec) {}, 1*time.Second, 2*time.Second, 6500*time.Millisecond)
	c.Advance(2 * time.Second)
	assert.Equal(t, 2, c.Held())
	assert.Equal(t, int64(2), c.Pending())
	c.Scale(1)
	c.Advance(5*time.Second - 1)
	assert.Equal(t, 2, c.Held())
	c.Advance(5 * time.Second) // routable
	assert.Zero(t, c.Held())
	assert.Equal(t, int64(2), c.Pending(), "one in service, one in the pod's queue")
	c.Advance(6600 * time.Millisecond)
	assert.Equal(t, int64(2), c.Pending(), "a request that finds a pod is pending as well")
	c.Advance(10 * time.Second)
	assert.Zero(t, c.Pending())
	assert.Equal(t, []record{
		{fate: completed, arrival: 1 * time.Second, start: 5 * time.Second, end: 6 * time.Second},
		{fate: completed, arrival: 2 * time.Second, start: 6 * time.Second, end: 7 * time.Second},
		{fate: completed, arrival: 6500 * time.Millisecond, start: 7 * time.Second, end: 8 * time.Second},
	}, w.look())
	assert.Equal(t, uint64(2), c.Counters().Cold)
}

// TestInterceptorTimeouts: 504 after the wait for a pod, and after the wait for an
// answer, which begins when the request is sent; 502 when a pod takes no connection.
func TestInterceptorTimeouts(t *testing.T) {
	const s = time.Second
	for name, c := range map[string]struct {
		change func(*Spec)
		scale  time.Duration // when a pod is created; 0: never
		want   []record      // of requests at 1 s and 2 s
	}{
		"no pod in time": {
			change: func(spec *Spec) { spec.Interceptor.Readiness = 4 * s },
			want:   []record{{fate: timedOut, arrival: s, end: 5 * s, start: NotYet, pod: none}, {fate: timedOut, arrival: 2 * s, end: 6 * s, start: NotYet, pod: none}},
		},
		"a pod at the last instant": {
			change: func(spec *Spec) { spec.Interceptor.Readiness = 4 * s }, scale: 2 * s,
			want: []record{{arrival: s, start: 5 * s, end: 6 * s}, {arrival: 2 * s, start: 6 * s, end: 7 * s}},
		},
		"a slow answer": { // the second waits in the pod's queue for half of the time
			change: func(spec *Spec) { spec.Interceptor.ResponseHeader = 1500 * time.Millisecond }, scale: 2 * s,
			want: []record{{arrival: s, start: 5 * s, end: 6 * s}, {fate: timedOut, arrival: 2 * s, start: 6 * s, end: 6500 * time.Millisecond}},
		},
		"an answer that the client does not wait for": {
			change: func(spec *Spec) {
				spec.Interceptor.ResponseHeader, spec.RequestTimeout = 4500*time.Millisecond, 4500*time.Millisecond
			}, scale: 2 * s,
			want: []record{{fate: timedOut, arrival: s, start: 5 * s, end: 5500 * time.Millisecond}, {fate: timedOut, arrival: 2 * s, start: 6 * s, end: 6500 * time.Millisecond}},
		},
		"a pod that listens late": { // 0.5 s after it is routable; a connection every 50 ms
			change: func(spec *Spec) { spec.Lifecycle.Listen = random.Constant(1510 * time.Millisecond) }, scale: 2 * s,
			want: []record{{arrival: s, start: 5550 * time.Millisecond, end: 6550 * time.Millisecond}, {arrival: 2 * s, start: 6550 * time.Millisecond, end: 7550 * time.Millisecond}},
		},
		"a pod that never listens": {
			change: func(spec *Spec) { spec.Lifecycle.Listen = random.Constant(time.Hour) }, scale: 2 * s,
			want: []record{{fate: failed, arrival: s, end: 65 * s, start: NotYet, pod: none}, {fate: failed, arrival: 2 * s, end: 65 * s, start: NotYet, pod: none}},
		},
		"a pod that never listens, and requests with a deadline": {
			change: func(spec *Spec) {
				spec.Lifecycle.Listen, spec.Interceptor.DialFor, spec.RequestTimeout = random.Constant(time.Hour), 0, 100*s
			}, scale: 2 * s,
			want: []record{{fate: timedOut, arrival: s, end: 101 * s, start: NotYet, pod: none}, {fate: timedOut, arrival: 2 * s, end: 102 * s, start: NotYet, pod: none}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			cluster, w := intercepting(t, c.change, s, 2*s)
			if c.scale > 0 {
				cluster.Advance(c.scale)
				cluster.Scale(1)
			}
			cluster.Advance(10 * time.Minute)
			assert.Equal(t, c.want, w.look())
			assert.Zero(t, cluster.Held())
		})
	}
}

// TestInterceptorDialsAnyPod: a request that one pod refused gets to another, and one
// that finds no pod any more goes on dialing.
func TestInterceptorDialsAnyPod(t *testing.T) {
	c, w := intercepting(t, func(spec *Spec) { spec.Replicas = 1; spec.Lifecycle.Listen = random.Constant(time.Hour) }, 10*time.Second, 10*time.Second)
	c.Scale(2)
	c.Advance(10 * time.Second) // in turn: the first to the pod of time 0, the second to the other
	assert.Equal(t, 1, c.Held())
	c.Advance(10050 * time.Millisecond)
	assert.Zero(t, c.Held())
	c.Advance(20 * time.Second)
	assert.Equal(t, 12*time.Second, w.look()[1].end)

	c, w = intercepting(t, func(spec *Spec) { spec.Lifecycle.Listen = random.Constant(time.Hour) }, 1*time.Second)
	c.Scale(1)
	c.Advance(5 * time.Second)
	c.Scale(0)
	c.Advance(time.Hour)
	assert.Equal(t, record{fate: failed, arrival: time.Second, start: NotYet, end: 63 * time.Second, pod: none}, w.look()[0])
}

func TestInterceptorIsAlone(t *testing.T) {
	spec := Defaults()
	spec.Interceptor = &Interceptor{DialEvery: 0, DialFor: -1, Readiness: -1, ResponseHeader: -1}
	spec.Elastic = true
	assert.EqualError(t, spec.Validate(), `interceptor.readiness: found -1ns, expected 0s to 720h0m0s
interceptor.responseHeader: found -1ns, expected 0s to 720h0m0s
interceptor.dialFor: found -1ns, expected 0s to 720h0m0s
interceptor.dialEvery: found 0s, expected more than 0s, up to 720h0m0s
interceptor: found it beside another proxy, messages, or pods that nobody scales, expected it alone`)
}
