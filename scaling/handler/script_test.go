package handler

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/scalelab/scalelab/k8shelper/fakecluster"
)

const second = time.Second

// idleThenWoken is a life: grace until 60 s, to zero at 60 s, woken at 95.5 s,
// ready at 98 s, cooldown until 155.5 s, to zero at 180 s.
func idleThenWoken(e *env) {
	e.trigger.set(idle)
	e.run()
	e.until(59 * second)
	assert.Equal(e.t, int32(3), e.desired(), "grace after creation")
	e.until(61 * second)
	assert.Equal(e.t, int32(0), e.desired(), "the first poll at which created + cooldown is over")
	e.replicas(0, 0)
	e.until(95*second + 500*time.Millisecond)
	require.NoError(e.t, e.wake())
	assert.Equal(e.t, int32(2), e.desired())
	e.pods(0)
	e.replicas(2, 2)
	e.until(98 * second)
	e.pods(2)
	e.until(151 * second)
	assert.Equal(e.t, int32(2), e.desired(), "cooldown since the wake-up")
	e.until(181 * second)
	assert.Equal(e.t, int32(0), e.desired())
	e.stop()
}

func rollout(spec map[string]any) {
	spec["scaleTargetRef"] = map[string]any{"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "web"}
}

func kind(name string, change func(map[string]any)) func(*env) {
	return func(e *env) {
		e.kind = name
		with(change)(e)
	}
}

// scaleUpdates fails the first so many writes of a scale.
func scaleUpdates(fail int, err error) func(*env) {
	return func(e *env) {
		e.fault(func(c fakecluster.Call) fakecluster.Fault {
			if c.Subresource == "scale" && c.IsWrite() && fail > 0 {
				fail--
				return fakecluster.Fault{Err: err}
			}
			return fakecluster.Fault{}
		})
	}
}

// Every script is the sequence of all API calls, with the instants at which
// they came in.
func TestScripts(t *testing.T) {
	for _, test := range []struct {
		name    string
		changes []func(*env)
		run     func(e *env)
	}{
		{"deployment", nil, idleThenWoken},
		{"statefulset", []func(*env){kind("StatefulSet", func(spec map[string]any) {
			spec["scaleTargetRef"] = map[string]any{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web"}
		})}, idleThenWoken},
		{"rollout", []func(*env){kind("Rollout", rollout)}, idleThenWoken},
		{"keda", []func(*env){withScaledObject, with(keda)}, idleThenWoken},
		{"scaling-only", []func(*env){func(e *env) { e.options.Resolver = Resolver{} }}, idleThenWoken},
		{"busy", nil, busyFromZero},
		{"conflict", []func(*env){scaleUpdates(3, conflict())}, goesToZero},
		{"server-error", []func(*env){scaleUpdates(2, apierrors.NewInternalError(errTest))}, goesToZero},
		{"given-up", []func(*env){scaleUpdates(6, apierrors.NewTimeoutError("test", 0))}, goesToZeroLate},
		{"too-many-requests", []func(*env){scaleUpdates(1, apierrors.NewTooManyRequests("test", 3))}, goesToZero},
		{"removed", []func(*env){withScaledObject, with(keda)}, removedAtZero},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(e *env) {
				test.run(e)
				e.golden(test.name)
			}, test.changes...)
		})
	}
}

// busyFromZero polls a target at zero whose trigger sees work: up, and stamped
// again at every poll.
func busyFromZero(e *env) {
	e.replicas(0, 0)
	e.pods(0)
	e.trigger.set(busy)
	e.run()
	e.until(59 * second)
	assert.Equal(e.t, int32(0), e.desired(), "grace after creation")
	e.until(61 * second)
	assert.Equal(e.t, int32(2), e.desired())
	e.replicas(2, 2)
	e.until(62*second + 500*time.Millisecond)
	e.pods(2)
	e.until(121 * second)
	e.stop()
}

func goesToZero(e *env) {
	e.trigger.set(idle)
	e.run()
	e.until(75 * second)
	assert.Equal(e.t, int32(0), e.desired())
	e.stop()
}

// goesToZeroLate fails at the poll at 60 s for good, and succeeds at 90 s.
func goesToZeroLate(e *env) {
	e.trigger.set(idle)
	e.run()
	e.until(89 * second)
	assert.Equal(e.t, int32(3), e.desired())
	e.until(91 * second)
	assert.Equal(e.t, int32(0), e.desired())
	e.stop()
}

// removedAtZero deletes the ElastiService of a target that sleeps.
func removedAtZero(e *env) {
	e.trigger.set(idle)
	e.run()
	e.until(61 * second)
	assert.Equal(e.t, int32(0), e.desired())
	e.delete("web")
	e.until(91 * second)
	assert.Equal(e.t, int32(2), e.desired(), "back at the minimum")
	require.ErrorIs(e.t, e.wake(), ErrUnknownService)
	e.until(125 * second)
	e.stop()
}
