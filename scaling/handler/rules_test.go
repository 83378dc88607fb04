package handler

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/scalelab/scalelab/k8shelper/fakecluster"
	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling"
)

// A trigger that is in doubt, or fails in whatever way, leaves everything as it
// is: nothing goes to zero, and what is at zero comes back by a wake-up.
func TestDoubtScalesNothing(t *testing.T) {
	for _, test := range []struct {
		what  string
		state scalerState
		event string
	}{
		{"not healthy", scalerState{unhealthy: true, idle: true}, "Warning TriggerFailed: trigger 0: not healthy"},
		{"health unknown", scalerState{healthErr: errTest, idle: true}, "Warning TriggerFailed: trigger 0: health unknown: test"},
		{"idleness unknown", scalerState{zeroErr: errTest, idle: true}, "Warning TriggerFailed: trigger 0: idleness unknown: test"},
		{"work unknown", scalerState{atWorkErr: errTest}, "Warning TriggerFailed: trigger 0: work unknown: test"},
		{"idle, but not for long enough", scalerState{}, ""},
	} {
		t.Run(test.what, func(t *testing.T) {
			inBubble(t, func(e *env) {
				t := e.t
				e.trigger.set(test.state)
				e.run()
				e.until(10 * time.Minute)
				assert.Equal(t, int32(3), e.desired())
				if test.event == "" {
					assert.Empty(t, e.events())
				} else {
					assert.Equal(t, []string{test.event}, e.events(), "one in ten minutes")
				}
				e.replicas(0, 0)
				e.until(15*time.Minute + time.Second)
				assert.Equal(t, int32(0), e.desired())
				require.NoError(t, e.wake())
				assert.Equal(t, int32(2), e.desired())
			})
		})
	}
}

func TestASlowTriggerIsGivenUp(t *testing.T) {
	inBubble(t, func(e *env) {
		t := e.t
		e.trigger.set(idle)
		e.trigger.takesLong(11 * second)
		e.run()
		e.until(71 * second)
		assert.Equal(t, int32(3), e.desired())
		assert.Equal(t, []string{"Warning TriggerFailed: trigger 0: timeout of 10s: health unknown: timeout"}, e.events())
	})
}

func TestOutsideOfTheEnabledPeriodItIsUp(t *testing.T) {
	inBubble(t, func(e *env) {
		t := e.t
		e.trigger.set(idle)
		e.replicas(0, 0)
		e.run() // at midnight
		e.until(59 * second)
		assert.Equal(t, int32(0), e.desired(), "the grace after creation comes first")
		e.until(61 * second)
		assert.Equal(t, int32(2), e.desired())
		assert.Zero(t, e.trigger.asked)
		assert.Equal(t, []string{"Normal ScaledUp: outside of the enabled period: from 0 to 2"}, e.events())
		e.until(8*time.Hour + 29*second)
		assert.Equal(t, int32(2), e.desired(), "stamped until 7:59:30")
		e.until(8*time.Hour + 31*second)
		assert.Equal(t, int32(0), e.desired(), "the period began at 8:00")
	}, with(func(spec map[string]any) {
		spec["enabledPeriod"] = map[string]any{"schedule": "0 8 * * *", "duration": "8h"}
	}))
}

func TestAWakeUpWaitsForThePollAndIsNotUndone(t *testing.T) {
	inBubble(t, func(e *env) {
		t := e.t
		e.trigger.set(idle)
		e.trigger.takesLong(4 * second)
		e.run()
		e.until(62 * second) // the poll at 60 s asks the trigger until 64 s
		require.NoError(t, e.wake())
		assert.Equal(t, 64*second, time.Since(e.start), "waited for its turn")
		assert.Equal(t, int32(2), e.desired())
		assert.Equal(t, []string{
			"Normal ScaledToZero: every trigger is below its threshold: from 3 to 0",
			"Normal ScaledUp: requests held for service web: 3: from 0 to 2",
		}, e.events())
		e.until(123 * second)
		assert.Equal(t, int32(2), e.desired(), "stamped at 64 s: not before 124 s")
		e.until(155 * second)
		assert.Equal(t, int32(0), e.desired())
	})
}

func TestAWakeUpIsNotLostWhilePodsTerminate(t *testing.T) {
	inBubble(t, func(e *env) {
		t := e.t
		e.trigger.set(idle)
		e.run()
		e.until(61 * second)
		assert.Equal(t, int32(0), e.desired())
		// status.replicas still is 3.
		require.NoError(t, e.wake())
		assert.Equal(t, int32(2), e.desired())
	})
}

func TestAWakeUpDoesNotTakeAScaleUpBack(t *testing.T) {
	inBubble(t, func(e *env) {
		t := e.t
		e.replicas(5, 0) // an HPA has scaled up, no pod exists yet
		e.run()
		e.until(second)
		require.NoError(t, e.wake())
		assert.Equal(t, int32(5), e.desired())
		assert.Empty(t, e.events())
		stamp, _, _ := unstructured.NestedString(e.object("elastiservices").Object, "status", "lastScaledUpTime")
		assert.Equal(t, "2000-01-01T00:00:01Z", stamp)
	})
}

func TestWhoeverScalesMeanwhileIsNotUndone(t *testing.T) {
	for _, test := range []struct {
		what    string
		from    int32
		trigger scalerState
		others  int32 // what somebody sets between reading and writing
		want    int32
		event   string
	}{
		{"zero is not written onto a scale-up", 3, idle, 6, 6, "Warning ScaleFailed: set scale of deployment shop/web to 0: found 6 replicas, decided on 3: the target has been scaled meanwhile"},
		{"the minimum is not written onto more", 0, busy, 6, 6, "Normal ScaledUp: trigger 0 sees work: from 0 to 2"},
		{"what is there already is not written", 3, idle, 0, 0, "Normal ScaledToZero: every trigger is below its threshold: from 3 to 0"},
	} {
		t.Run(test.what, func(t *testing.T) {
			inBubble(t, func(e *env) {
				t := e.t
				e.replicas(test.from, test.from)
				e.trigger.set(test.trigger)
				changed := false
				e.fault(func(c fakecluster.Call) fakecluster.Fault {
					if c.Subresource == "scale" && c.IsWrite() && !changed {
						changed = true
						e.replicas(test.others, test.from)
						return fakecluster.Fault{Err: conflict()}
					}
					return fakecluster.Fault{}
				})
				e.run()
				e.until(62 * second)
				assert.Equal(t, test.want, e.desired())
				assert.Equal(t, []string{test.event}, e.events())
			})
		})
	}
}

func TestAWriteWhoseAnswerIsLostIsNotRepeated(t *testing.T) {
	inBubble(t, func(e *env) {
		t := e.t
		e.trigger.set(idle)
		lost := false
		e.fault(func(c fakecluster.Call) fakecluster.Fault {
			if c.Subresource == "scale" && c.IsWrite() && !lost {
				lost = true
				return fakecluster.Fault{Err: conflict(), Applied: true}
			}
			return fakecluster.Fault{}
		})
		e.run()
		e.until(62 * second)
		assert.Equal(t, int32(0), e.desired())
		assert.Equal(t, []string{"Normal ScaledToZero: every trigger is below its threshold: from 3 to 0"}, e.events())
	})
}

func TestTheStampIsRestored(t *testing.T) {
	for _, test := range []struct {
		what  string
		stamp any
		zero  time.Duration // the poll that scales to zero
	}{
		{"none", nil, 60 * second},
		{"half a minute ago", "1999-12-31T23:59:30Z", 60 * second},
		{"half a minute from now, by another clock, is now", "2000-01-01T00:00:30Z", 60 * second},
		{"unreadable", "yesterday", 60 * second},
		{"of another type", int64(7), 60 * second},
	} {
		t.Run(test.what, func(t *testing.T) {
			inBubble(t, func(e *env) {
				t := e.t
				u := elastiService("shop", "web", nil)
				if test.stamp != nil {
					require.NoError(t, unstructured.SetNestedField(u.Object, test.stamp, "status", "lastScaledUpTime"))
				}
				e.put(u)
				e.trigger.set(idle)
				e.run()
				e.until(test.zero - second)
				assert.Equal(t, int32(3), e.desired())
				e.until(test.zero + second)
				assert.Equal(t, int32(0), e.desired())
			})
		})
	}
}

func TestARestartKeepsTheCooldown(t *testing.T) {
	inBubble(t, func(e *env) {
		t := e.t
		e.trigger.set(idle)
		e.run()
		e.until(100 * second)
		require.NoError(t, e.wake())
		e.stop()
		e.until(110 * second)
		var err error
		e.handler, err = New(e.options)
		require.NoError(t, err)
		e.run()
		e.until(159 * second)
		assert.Equal(t, int32(2), e.desired(), "the poll at 140 s is in the cooldown")
		e.until(171 * second)
		assert.Equal(t, int32(0), e.desired(), "that at 170 s is not")
	})
}

func TestAllTriggersHaveToBeIdle(t *testing.T) {
	second0, second1 := &stub{}, &stub{}
	inBubble(t, func(e *env) {
		t := e.t
		second0.set(idle)
		second1.set(busy)
		e.run()
		e.until(61 * second)
		assert.Equal(t, int32(3), e.desired())
		second1.set(idle)
		e.until(119 * second)
		assert.Equal(t, int32(3), e.desired(), "the second wanted it up at 60 s")
		e.until(121 * second)
		assert.Equal(t, int32(0), e.desired())
	}, with(func(spec map[string]any) {
		triggers := spec["triggers"].([]any)
		spec["triggers"] = append(triggers, triggers[0])
	}), func(e *env) {
		e.options.Scalers = func(from Source) (scaling.Scaler, error) { return []*stub{second0, second1}[from.Index], nil }
	})
}

func TestWakeUpsThatAreRefused(t *testing.T) {
	inBubble(t, func(e *env) {
		t := e.t
		e.run()
		e.until(second)
		for _, count := range []messages.RequestCount{
			{Count: 1, Svc: "other", Namespace: "shop"}, {Count: 1, Svc: "web", Namespace: "other"},
		} {
			require.ErrorIs(t, e.handler.Wake(t.Context(), count), ErrUnknownService)
		}
		assert.EqualError(t, e.handler.Wake(t.Context(), messages.RequestCount{Svc: "web", Namespace: "shop"}),
			"wake: count: found 0, expected at least 1")
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		assert.NoError(t, e.wake())
		e.handler.Poll(ended)
		assert.Empty(t, e.events(), "what fails because we are stopped is no trouble")
	})
}

func TestAWakeUpFailsWithTheAPIServer(t *testing.T) {
	for _, test := range []struct{ what, resource, subresource, verb, want string }{
		{"reading the scale", "deployments", "scale", "get", "read scale of deployment shop/web"},
		{"writing the scale", "deployments", "scale", "update", "set scale of deployment shop/web to 2"},
	} {
		t.Run(test.what, func(t *testing.T) {
			inBubble(t, func(e *env) {
				t := e.t
				e.replicas(0, 0)
				e.run()
				e.until(second)
				e.fault(func(c fakecluster.Call) fakecluster.Fault {
					if c.Resource.Resource == test.resource && c.Subresource == test.subresource && c.Verb == test.verb {
						return fakecluster.Fault{Err: conflict()}
					}
					return fakecluster.Fault{}
				})
				err := e.wake()
				require.ErrorContains(t, err, "wake shop/web: given up after 6 attempts: "+test.want)
				assert.Equal(t, 7200*time.Millisecond, time.Since(e.start), "0.2 + 0.4 + 0.8 + 1.6 + 3.2 s")
				e.fault(nil)
				require.NoError(t, e.wake())
				assert.Equal(t, int32(2), e.desired())
			})
		})
	}
}

// A step on the way up that fails does not keep the target down.
func TestUpWhateverElseFails(t *testing.T) {
	inBubble(t, func(e *env) {
		t := e.t
		e.replicas(0, 0)
		e.run()
		e.until(second)
		e.fault(func(c fakecluster.Call) fakecluster.Fault {
			if c.Verb == "patch" {
				return fakecluster.Fault{Err: errTest}
			}
			return fakecluster.Fault{}
		})
		require.ErrorIs(t, e.wake(), errTest)
		assert.Equal(t, int32(2), e.desired())
		assert.ElementsMatch(t, []string{
			"Warning PauseFailed: annotate scaledobjects.keda.sh shop/web: test",
			"Normal ScaledUp: requests held for service web: 3: from 0 to 2",
			"Warning StatusFailed: patch status of elastiservices.elasti.truefoundry.com shop/web: test",
		}, e.events())
	}, withScaledObject, with(keda))
}

// A step on the way down that fails keeps the target up.
func TestNotDownIfAnythingFails(t *testing.T) {
	for _, test := range []struct {
		what   string
		change func(*env)
		event  string
	}{
		{"no resolver", func(e *env) { e.put(resolverSlice()) }, "Warning ModeFailed: read endpoints of elasti/resolver: no resolver is ready"},
		{"no such ScaledObject", with(keda), `Warning PauseFailed: annotate scaledobjects.keda.sh shop/web: scaledobjects.keda.sh "web" not found`},
		{"no such service", with(func(spec map[string]any) { spec["service"] = "none" }), `Warning ModeFailed: ensure private service of shop/none: services "none" not found`},
	} {
		t.Run(test.what, func(t *testing.T) {
			inBubble(t, func(e *env) {
				t := e.t
				e.trigger.set(idle)
				e.run()
				e.until(5 * time.Minute)
				assert.Equal(t, int32(3), e.desired())
				assert.Equal(t, []string{test.event}, e.events())
			}, test.change)
		})
	}
}
