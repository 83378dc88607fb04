package handler

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/scalelab/scalelab/k8shelper"
	"github.com/scalelab/scalelab/k8shelper/fakecluster"
	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling"
)

// fail makes calls of a verb on a resource fail for good.
func (e *env) fail(verb, resource string) {
	e.fault(func(c fakecluster.Call) fakecluster.Fault {
		if c.Verb == verb && c.Resource.Resource == resource {
			return fakecluster.Fault{Err: errTest}
		}
		return fakecluster.Fault{}
	})
}

func (e *env) update(change func(spec map[string]any)) {
	e.t.Helper()
	defer e.aside()()
	client := e.cluster.Dynamic.Resource(k8shelper.ElastiServices).Namespace("shop")
	u, err := client.Get(e.t.Context(), "web", metav1.GetOptions{})
	require.NoError(e.t, err)
	spec, _, _ := unstructured.NestedMap(u.Object, "spec")
	change(spec)
	u.Object["spec"] = spec
	_, err = client.Update(e.t.Context(), u, metav1.UpdateOptions{})
	require.NoError(e.t, err)
}

// asleep has the target at zero at 61 s.
func asleep(e *env) {
	e.trigger.set(idle)
	e.run()
	e.until(61 * second)
	require.Equal(e.t, int32(0), e.desired())
}

func (e *env) slices() []string {
	e.t.Helper()
	defer e.aside()()
	list, err := e.cluster.Client.DiscoveryV1().EndpointSlices("shop").List(e.t.Context(), metav1.ListOptions{})
	require.NoError(e.t, err)
	out := []string{}
	for _, s := range list.Items {
		for _, endpoint := range s.Endpoints {
			out = append(out, s.Labels[discoveryv1.LabelServiceName]+" "+endpoint.Addresses[0])
		}
	}
	return out
}

func TestAnUpdateIsTakenInAndKeepsTheStamp(t *testing.T) {
	inBubble(t, func(e *env) {
		asleep(e)
		t := e.t
		require.NoError(t, e.wake())
		e.update(func(spec map[string]any) { spec["cooldownPeriod"] = int64(90) })
		e.until(149 * second)
		assert.Equal(t, int32(2), e.desired(), "not at 120 s")
		e.until(151*second + 500*time.Millisecond)
		assert.Equal(t, int32(2), e.desired(), "at 150 s, 89 s after the stamp, neither")
		assert.Equal(t, 1, e.trigger.closed, "the scaler of the generation before")
		e.until(181 * second)
		assert.Equal(t, int32(0), e.desired())
	})
}

func TestAnUpdateKeepsAStampThatCouldNotBeWritten(t *testing.T) {
	inBubble(t, func(e *env) {
		asleep(e)
		t := e.t
		e.fail("patch", "elastiservices")
		require.Error(t, e.wake())
		e.update(func(spec map[string]any) { spec["minTargetReplicas"] = int64(1) })
		e.until(119 * second)
		assert.Equal(t, int32(2), e.desired(), "not at 90 s")
		e.until(151 * second)
		assert.Equal(t, int32(0), e.desired(), "61 s: not at 120 s, but at 150 s")
	})
}

func TestAnUpdateThatCannotBeUsedChangesNothing(t *testing.T) {
	inBubble(t, func(e *env) {
		t := e.t
		e.run()
		e.until(second)
		e.update(func(spec map[string]any) { spec["cooldownPeriod"] = int64(-1) })
		e.trigger.set(idle)
		e.until(61 * second)
		assert.Equal(t, int32(0), e.desired())
		assert.Contains(t, e.events(), "Warning Invalid: spec.cooldownPeriod: found -1, expected 0 to 604800 seconds")
		require.NoError(t, e.wake())
	})
}

func TestElastiServicesThatCannotBeUsed(t *testing.T) {
	for _, test := range []struct {
		what   string
		change func(*env)
		event  string
	}{
		{"a text for a number", with(func(spec map[string]any) { spec["cooldownPeriod"] = "x" }),
			"Warning Invalid: read ElastiService: json: cannot unmarshal string into Go struct field ElastiServiceSpec.spec.cooldownPeriod of type int32"},
		{"a target that no cluster can have", with(func(spec map[string]any) {
			spec["scaleTargetRef"].(map[string]any)["name"] = "Web!"
		}), "Warning Invalid: check name of deployment shop/Web!: "},
		{"a trigger without a scaler", func(e *env) {
			e.options.Scalers = func(Source) (scaling.Scaler, error) { return nil, nil }
		}, "Warning Invalid: spec.triggers[0]: found no scaler, expected one"},
		{"a factory that fails", func(e *env) {
			e.trigger.closeFails = errTest
			e.options.Scalers = func(from Source) (scaling.Scaler, error) {
				if from.Index == 1 {
					return nil, errTest
				}
				return e.trigger, nil
			}
			with(func(spec map[string]any) {
				triggers := spec["triggers"].([]any)
				spec["triggers"] = append(triggers, triggers[0])
			})(e)
		}, "Warning Invalid: spec.triggers[1]: test"},
	} {
		t.Run(test.what, func(t *testing.T) {
			inBubble(t, func(e *env) {
				e.run()
				e.until(2 * time.Minute)
				events := e.events()
				require.Len(e.t, events, 1)
				assert.Contains(e.t, events[0], test.event)
				assert.ErrorIs(e.t, e.wake(), ErrUnknownService)
			}, test.change)
		})
	}
}

func TestAnotherTargetReleasesTheFirst(t *testing.T) {
	inBubble(t, func(e *env) {
		asleep(e)
		t := e.t
		e.put(workload("Deployment", "shop", "next", 1, 1))
		e.update(func(spec map[string]any) {
			spec["scaleTargetRef"].(map[string]any)["name"] = "next"
			delete(spec, "autoscaler")
		})
		e.until(91 * second)
		assert.Equal(t, int32(2), e.desired(), "nobody else would wake it")
		assert.Equal(t, "false", e.object("scaledobjects").GetAnnotations()[annotationPaused])
		assert.Equal(t, []string{"web 10.0.0.9"}, e.slices(), "the service still is looked after")
	}, withScaledObject, with(keda))
}

func TestAReleaseIsTriedUntilItSucceeds(t *testing.T) {
	inBubble(t, func(e *env) {
		asleep(e)
		t := e.t
		e.delete("web")
		e.fail("delete", "endpointslices")
		e.until(91 * second)
		assert.Equal(t, int32(2), e.desired(), "up all the same")
		assert.Contains(t, e.events(), "Warning ScaleFailed: release: delete endpoint slice to resolver of shop/web: test")
		assert.Equal(t, []string{"web 10.0.0.9"}, e.slices())
		e.fault(nil)
		e.until(121 * second)
		assert.Empty(t, e.slices())
		e.until(151 * second)
		assert.Empty(t, e.handler.leaving)
	})
}

func TestATargetThatIsGoneNeedsNoRelease(t *testing.T) {
	inBubble(t, func(e *env) {
		asleep(e)
		require.NoError(e.t, e.cluster.Client.AppsV1().Deployments("shop").Delete(e.t.Context(), "web", metav1.DeleteOptions{}))
		e.delete("web")
		e.until(91 * second)
		assert.Empty(e.t, e.handler.leaving)
		assert.Empty(e.t, e.slices())
	})
}

func TestATargetThatIsMissingIsTrouble(t *testing.T) {
	inBubble(t, func(e *env) {
		e.run()
		e.until(2 * time.Minute)
		assert.Equal(e.t, []string{`Warning ScaleFailed: read scale of deployment shop/none: deployments.apps "none" not found`}, e.events())
		assert.ErrorIs(e.t, e.wake(), k8shelper.ErrNotFound)
	}, with(func(spec map[string]any) { spec["scaleTargetRef"].(map[string]any)["name"] = "none" }))
}

func TestAListThatCannotBeReadRemovesNothing(t *testing.T) {
	inBubble(t, func(e *env) {
		asleep(e)
		t := e.t
		e.fail("list", "elastiservices")
		e.until(100 * second)
		assert.Equal(t, int32(0), e.desired())
		assert.Contains(t, e.log.String(), "elastiservices not read, polling those known")
		require.NoError(t, e.wake())
		assert.Equal(t, int32(2), e.desired())
		e.until(161 * second)
		assert.Equal(t, int32(2), e.desired(), "stamped at 100 s: not at 150 s")
		e.until(181 * second)
		assert.Equal(t, int32(0), e.desired(), "polled as it is known")
	})
}

func TestAWakeUpBeforeTheListReadsIt(t *testing.T) {
	inBubble(t, func(e *env) {
		t := e.t
		e.replicas(0, 0)
		e.fail("list", "elastiservices")
		e.run()
		e.until(second)
		assert.Contains(t, e.log.String(), "the next poll tries again")
		require.ErrorIs(t, e.wake(), errTest)
		e.fault(nil)
		require.NoError(t, e.wake())
		assert.Equal(t, int32(2), e.desired())
	})
}

func TestTheModeFollowsThePodsAndTheResolver(t *testing.T) {
	inBubble(t, func(e *env) {
		t := e.t
		e.trigger.set(busy)
		e.run()
		e.until(second)
		assert.Empty(t, e.slices())
		e.pods(0) // all of them crash
		e.until(31 * second)
		assert.Equal(t, []string{"web 10.0.0.9"}, e.slices())
		e.put(resolverSlice("10.0.0.10", "10.0.0.11")) // the resolver moves
		e.until(32 * second)
		assert.Equal(t, []string{"web 10.0.0.10", "web 10.0.0.11"}, e.slices())
		e.pods(1)
		e.until(33 * second)
		assert.Empty(t, e.slices())
		mode, _, _ := unstructured.NestedString(e.object("elastiservices").Object, "status", "mode")
		assert.Equal(t, "serve", mode)
		e.fail("list", "pods")
		e.until(61 * second)
		assert.Equal(t, []string{"Warning ModeFailed: count pods app=web of namespace shop: test"}, e.events())
	})
}

func TestASleeperWithoutAResolverIsWoken(t *testing.T) {
	for _, trigger := range []scalerState{idle, {unhealthy: true}} {
		inBubble(t, func(e *env) {
			asleep(e)
			t := e.t
			e.trigger.set(trigger)
			e.put(resolverSlice()) // it restarts
			e.until(91 * second)
			e.put(resolverSlice("10.0.0.10"))
			e.until(121 * second)
			assert.Equal(t, int32(0), e.desired())
			assert.Equal(t, []string{"web 10.0.0.10"}, e.slices())
			e.put(resolverSlice()) // it is gone
			e.until(179 * second)
			assert.Equal(t, int32(0), e.desired())
			e.until(181 * second)
			assert.Equal(t, int32(2), e.desired())
			e.pods(2)
			e.replicas(2, 2)
			e.until(10 * time.Minute)
			assert.Equal(t, int32(2), e.desired(), "nor to zero again")
		})
	}
}

func TestTrafficIsWrittenAnewAfterTheResync(t *testing.T) {
	inBubble(t, func(e *env) {
		asleep(e)
		require.NoError(e.t, e.cluster.Client.DiscoveryV1().EndpointSlices("shop").Delete(e.t.Context(), k8shelper.ResolverSliceName("web"), metav1.DeleteOptions{}))
		e.until(359 * second)
		assert.Empty(e.t, e.slices(), "somebody has deleted it")
		e.until(361 * second)
		assert.Equal(e.t, []string{"web 10.0.0.9"}, e.slices())
	})
}

func TestServicesAreHandledApart(t *testing.T) {
	for _, workers := range []int{1, 3} {
		inBubble(t, func(e *env) {
			t := e.t
			e.trigger.takesLong(2 * second)
			e.trigger.set(idle)
			for _, name := range []string{"a", "b"} {
				e.put(elastiService("shop", name, func(spec map[string]any) {
					spec["scaleTargetRef"].(map[string]any)["name"] = "web"
					spec["service"] = "web"
				}))
			}
			e.run()
			e.until(89 * second)
			assert.Equal(t, int32(0), e.desired())
			require.NoError(t, e.wake(), "all of the service's ElastiServices")
			e.until(149 * second)
			assert.Equal(t, int32(2), e.desired(), "all three are in the cooldown")
			e.delete("a")
			e.delete("b")
			e.until(179 * second)
			assert.Equal(t, int32(0), e.desired())
			assert.Equal(t, []string{"web 10.0.0.9"}, e.slices(), "the third looks after the target")
		}, func(e *env) { e.options.Workers = workers })
	}
}

func TestAReplacedServiceIsLookedUpAgain(t *testing.T) {
	inBubble(t, func(e *env) {
		asleep(e)
		t := e.t
		s := e.handler.services(func(*service) bool { return true })[0]
		done, err := e.handler.targets.take(t.Context(), s.turn)
		require.NoError(t, err)
		woken := make(chan error, 1)
		go func() { woken <- e.wake() }()
		e.until(62 * second)
		fresh, err := e.handler.newService(e.object("elastiservices"))
		require.NoError(t, err)
		e.handler.mu.Lock()
		e.handler.known[s.key] = fresh
		e.handler.mu.Unlock()
		done()
		require.NoError(t, <-woken)
		assert.Equal(t, int32(2), e.desired())
		e.handler.poll(t.Context(), s)
		e.handler.look(t.Context(), s)
		assert.Equal(t, int32(2), e.desired(), "the old one is not polled any more")
	})
}

func TestCancellationStopsPromptly(t *testing.T) {
	inBubble(t, func(e *env) {
		t := e.t
		e.trigger.set(idle)
		e.trigger.takesLong(9 * second)
		e.run()
		e.until(62 * second) // in the middle of a vote
		start := time.Now()
		e.stop()
		assert.Equal(t, start, time.Now())
		assert.Equal(t, int32(3), e.desired())
		assert.Empty(t, e.events())

		e.trigger.takesLong(0)
		e.fault(func(c fakecluster.Call) fakecluster.Fault {
			if c.Subresource == "scale" {
				return fakecluster.Fault{Err: conflict()}
			}
			return fakecluster.Fault{}
		})
		e.run()
		e.until(62*second + 300*time.Millisecond) // in the middle of a pause
		start = time.Now()
		e.stop()
		assert.Equal(t, start, time.Now())
	})
}

func TestASlowPollSkipsThoseItRunsInto(t *testing.T) {
	inBubble(t, func(e *env) {
		e.trigger.set(busy)
		e.trigger.takesLong(45 * second)
		e.run()
		e.until(61 * second)
		asked := func() int {
			e.trigger.mu.Lock()
			defer e.trigger.mu.Unlock()
			return e.trigger.asked
		}
		assert.Equal(e.t, 1, asked())
		e.until(119 * second)
		assert.Equal(e.t, 1, asked(), "at 90 s the poll of 60 s was still under way")
		e.until(121 * second)
		assert.Equal(e.t, 2, asked())
	}, func(e *env) { e.options.TriggerTimeout = time.Minute })
}

func TestWakeEndsWithItsContext(t *testing.T) {
	inBubble(t, func(e *env) {
		t := e.t
		e.trigger.set(idle)
		e.trigger.takesLong(9 * second)
		e.run()
		e.until(62 * second)
		ctx, cancel := contextFor(t, 2*second)
		defer cancel()
		start := time.Now()
		assert.Error(t, e.handler.Wake(ctx, messages.RequestCount{Count: 1, Svc: "web", Namespace: "shop"}))
		assert.Equal(t, 2*second, time.Since(start), "while it waited for its turn")
	})
}
