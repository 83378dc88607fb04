package fakecluster

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"
)

// faulty is a cluster with the Deployment "web" and faults.
func faulty(t *testing.T, clk clock.PassiveClock, faults Faults) *Cluster {
	t.Helper()
	c, err := New(Options{
		Clock: clk, Objects: []runtime.Object{deployment("web", ptr.To[int32](3))}, Faults: faults, LogCalls: 100,
	})
	require.NoError(t, err)
	return c
}

func scaleTo(c *Cluster, replicas int32) error {
	scales, gr := c.Scales.Scales("default"), deploymentsGVR.GroupResource()
	scale, err := scales.Get(ctx, gr, "web", metav1.GetOptions{})
	if err != nil {
		return err
	}
	scale.Spec.Replicas = replicas
	_, err = scales.Update(ctx, gr, scale, metav1.UpdateOptions{})
	return err
}

func replicas(t *testing.T, c *Cluster) int32 {
	t.Helper()
	_, obj, err := c.server.get(deploymentsGVR, types.NamespacedName{Namespace: "default", Name: "web"})
	require.NoError(t, err)
	part, _ := scalableOf(obj)
	return **part.desired
}

func TestAFaultReplacesTheAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		fault    Fault
		replicas int32
		line     string
		tally    Tally
	}{
		"none": {Fault{}, 5, "update deployments.apps/scale default/web replicas=5: ok", Tally{Calls: 2, Writes: 1}},
		"refused": {Fault{Err: apierrors.NewTimeoutError("x", 0)}, 3,
			"update deployments.apps/scale default/web replicas=5: Timeout (injected)",
			Tally{Calls: 2, Injected: map[string]int{"Timeout": 1}}},
		"answer lost": {Fault{Err: apierrors.NewTimeoutError("x", 0), Applied: true}, 5,
			"update deployments.apps/scale default/web replicas=5: Timeout (injected, applied)",
			Tally{Calls: 2, Writes: 1, Lost: 1, Injected: map[string]int{"Timeout": 1}}},
		"another error": {Fault{Err: errors.New("cable cut")}, 3,
			"update deployments.apps/scale default/web replicas=5: cable cut (injected)",
			Tally{Calls: 2, Injected: map[string]int{"cable cut": 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			c := faulty(t, clocktesting.NewFakePassiveClock(start), func(call Call) Fault {
				if call.IsWrite() {
					return test.fault
				}
				return Fault{}
			})
			err := scaleTo(c, 5)
			if test.fault.Err == nil {
				require.NoError(t, err)
			} else {
				require.Equal(t, test.fault.Err, err)
			}
			assert.Equal(t, test.replicas, replicas(t, c))
			calls, dropped := c.Calls()
			assert.Zero(t, dropped)
			assert.Equal(t, "get deployments.apps/scale default/web: ok", calls[0].String())
			assert.Equal(t, test.line, calls[1].String())
			assert.Equal(t, start, calls[1].At)
			assert.Equal(t, test.tally, c.Tally())
		})
	}
}

func TestWhatIsRefusedIsInTheTally(t *testing.T) {
	c := faulty(t, clocktesting.NewFakePassiveClock(start), nil)
	_, err := c.Client.AppsV1().Deployments("default").Get(ctx, "gone", metav1.GetOptions{})
	assert.True(t, apierrors.IsNotFound(err))
	assert.Equal(t, Tally{Calls: 1, Refused: map[string]int{"NotFound": 1}}, c.Tally())
}

// Latency of one call holds up no other, and the front's records stay in reach.
func TestLatencyPassesOnTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := faulty(t, clock.RealClock{}, func(call Call) Fault {
			return Fault{Latency: map[bool]time.Duration{false: time.Second, true: 3 * time.Second}[call.IsWrite()]}
		})
		begin := time.Now()
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				_, err := c.Client.AppsV1().Deployments("default").Get(ctx, "web", metav1.GetOptions{})
				assert.NoError(t, err)
				assert.Equal(t, time.Second, time.Since(begin))
			})
		}
		synctest.Wait()
		assert.Len(t, c.Client.Actions(), 20, "all of them are on their way")
		group.Wait()
		require.NoError(t, scaleTo(c, 1))
		assert.Equal(t, 5*time.Second, time.Since(begin), "one read, then a read and a write")
		assert.Equal(t, Tally{Calls: 22, Writes: 1, Latency: 24 * time.Second, LatencyMax: 3 * time.Second}, c.Tally())
		calls, _ := c.Calls()
		assert.Equal(t, begin.Add(2*time.Second), calls[21].At, "when it came in")
	})
}

func TestLatencyNeedsAClockThatSleeps(t *testing.T) {
	c := faulty(t, clocktesting.NewFakePassiveClock(start), func(Call) Fault { return Fault{Latency: 2 * time.Second} })
	_, err := c.Client.AppsV1().Deployments("default").Get(ctx, "web", metav1.GetOptions{})
	assert.True(t, apierrors.IsInternalError(err))
	assert.ErrorContains(t, err, "latency of 2s: found a clock that cannot sleep, expected a clock.Clock")
	assert.Equal(t, map[string]int{"InternalError": 1}, c.Tally().Injected)
}

func TestRandomFaultsKeepTheirRates(t *testing.T) {
	f, err := RandomFaults{
		Seed: 1, Stream: "api", Conflicts: 0.02, Timeouts: 0.02, ServerErrors: 0.01, LostAnswers: 0.5,
		LatencyMin: 200 * time.Millisecond, LatencyMax: 2 * time.Second,
	}.Faults()
	require.NoError(t, err)
	const n = 100_000
	call := Call{Verb: "update", Resource: schema.GroupResource{Group: "apps", Resource: "deployments"}, Namespace: "shop", Name: "web"}
	counts, lost := map[string]int{}, 0
	var sum, least, most time.Duration = 0, time.Hour, 0
	for range n {
		fault := f(call)
		counts[outcomeOf(fault.Err)]++
		if fault.Applied {
			lost++
			assert.True(t, apierrors.IsTimeout(fault.Err))
		}
		sum, least, most = sum+fault.Latency, min(least, fault.Latency), max(most, fault.Latency)
	}
	// Four standard deviations of a binomial.
	near := func(want float64, of, got int) {
		t.Helper()
		assert.InDelta(t, want*float64(of), float64(got), 4*math.Sqrt(float64(of)*want*(1-want)))
	}
	near(0.02, n, counts["Conflict"])
	near(0.02, n, counts["Timeout"])
	near(0.01, n, counts["InternalError"])
	near(0.5, counts["Timeout"], lost)
	assert.InDelta(t, 1.1, (sum / n).Seconds(), 4*1.8/math.Sqrt(12*n))
	assert.GreaterOrEqual(t, least, 200*time.Millisecond)
	assert.Less(t, most, 2*time.Second)
}

func TestRandomFaultsAreRepeatable(t *testing.T) {
	draw := func(seed uint64, stream string, order func(int) int) map[string][]Fault {
		f, err := RandomFaults{Seed: seed, Stream: stream, Timeouts: 0.3, LatencyMax: time.Second}.Faults()
		require.NoError(t, err)
		found := map[string][]Fault{}
		for i := range 60 {
			name := fmt.Sprint(order(i))
			found[name] = append(found[name], f(Call{At: start.Add(time.Duration(i)), Verb: "get", Name: name}))
		}
		return found
	}
	one := draw(7, "api", func(i int) int { return i % 3 })
	assert.Equal(t, one, draw(7, "api", func(i int) int { return i / 20 }), "whatever the order among objects")
	assert.NotEqual(t, one, draw(8, "api", func(i int) int { return i % 3 }), "another seed")
	assert.NotEqual(t, one, draw(7, "web", func(i int) int { return i % 3 }), "another stream")
	assert.NotEqual(t, one["0"], one["1"], "another object")
}

func TestConflictsAreForWritesThatCanHaveThem(t *testing.T) {
	f, err := RandomFaults{Conflicts: 1}.Faults()
	require.NoError(t, err)
	for verb, want := range map[string]string{
		"get": "ok", "list": "ok", "watch": "ok", "create": "ok", "update": "Conflict", "patch": "Conflict", "delete": "Conflict",
	} {
		assert.Equal(t, want, outcomeOf(f(Call{Verb: verb, Name: "web"}).Err), verb)
	}
}

func TestRandomFaultsThatCannotBe(t *testing.T) {
	for want, f := range map[string]RandomFaults{
		"found a rate of conflicts of -0.1, expected 0 to 1":    {Conflicts: -0.1},
		"found a rate of timeouts of 1.5, expected 0 to 1":      {Timeouts: 1.5},
		"found a rate of server errors of NaN, expected 0 to 1": {ServerErrors: math.NaN()},
		"found a rate of lost answers of 2, expected 0 to 1":    {LostAnswers: 2},
		"found rates with a sum of 1.5, expected at most 1":     {Timeouts: 0.75, ServerErrors: 0.75},
		"found latency from -1s to 0s, expected 0 or more":      {LatencyMin: -time.Second},
		"found latency from 2s to 1s, expected 0 or more":       {LatencyMin: 2 * time.Second, LatencyMax: time.Second},
	} {
		faults, err := f.Faults()
		assert.Nil(t, faults)
		assert.ErrorContains(t, err, want)
	}
}

func TestTheLogIsBounded(t *testing.T) {
	c, err := New(Options{Clock: clocktesting.NewFakePassiveClock(start), LogCalls: 3})
	require.NoError(t, err)
	names := func() (names []string, dropped int) {
		calls, dropped := c.Calls()
		for _, call := range calls {
			names = append(names, call.Name)
		}
		return names, dropped
	}
	read := func(from, to int) {
		for i := from; i <= to; i++ {
			_, _ = c.Client.CoreV1().Pods("default").Get(ctx, fmt.Sprint(i), metav1.GetOptions{})
		}
	}
	for _, test := range []struct {
		to, dropped int
		want        []string
	}{
		{2, 0, []string{"1", "2"}}, {3, 0, []string{"1", "2", "3"}}, {4, 1, []string{"2", "3", "4"}}, {9, 6, []string{"7", "8", "9"}},
	} {
		c.ClearCalls()
		read(1, test.to)
		got, dropped := names()
		assert.Equal(t, test.want, got)
		assert.Equal(t, test.dropped, dropped)
	}

	silent, _ := newCluster(t)
	silent.ClearCalls()
	calls, dropped := silent.Calls()
	assert.Empty(t, calls)
	assert.Zero(t, dropped)
	_, err = New(Options{Clock: clocktesting.NewFakePassiveClock(start), LogCalls: -1})
	assert.EqualError(t, err, "fake cluster: found a log of -1 calls, expected at least 0")
}

func TestTheLogTellsWhatWasSent(t *testing.T) {
	c := faulty(t, clocktesting.NewFakePassiveClock(start), nil)
	pods := c.Client.CoreV1().Pods("default")
	_, err := pods.Create(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{GenerateName: "web-"}}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = pods.List(ctx, metav1.ListOptions{})
	require.NoError(t, err)
	_, err = c.Client.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
	require.NoError(t, err)
	_, err = c.Client.CoreV1().Nodes().Get(ctx, "n", metav1.GetOptions{})
	require.Error(t, err)
	_, err = c.Client.CoreV1().Events("default").Create(ctx, &corev1.Event{ObjectMeta: metav1.ObjectMeta{Name: "e"}, Reason: "Scaled"}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = c.Dynamic.Resource(deploymentsGVR).Namespace("default").Patch(ctx, "web", types.MergePatchType, []byte(`{"spec":{"paused":true}}`), metav1.PatchOptions{})
	require.NoError(t, err)
	require.NoError(t, pods.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}))
	calls, _ := c.Calls()
	var lines []string
	for _, call := range calls {
		lines = append(lines, call.String())
	}
	assert.Equal(t, []string{
		"create pods default/web-*: ok",
		"list pods default: ok",
		"list pods: ok",
		"get nodes n: NotFound",
		"create events default/e Scaled: ok",
		`patch deployments.apps default/web {"spec":{"paused":true}}: ok`,
		"delete-collection pods default: ok",
	}, lines)
	assert.Equal(t, "", nameOf(3))
}
