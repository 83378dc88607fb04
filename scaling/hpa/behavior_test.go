package hpa

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"
)

func TestPoliciesPerDirection(t *testing.T) {
	const (
		pods    = `{type: Pods, value: 4, periodSeconds: 60}`
		percent = `{type: Percent, value: 25, periodSeconds: 60}`
	)
	for _, c := range []struct {
		name          string
		choice        string
		policies      string
		cur, up, down int32 // the reach of each direction
	}{
		{"pods", "Max", pods, 10, 14, 6},
		{"percent rounds up upwards and towards zero downwards", "Max", percent, 10, 13, 7},
		{"max of both changes most", "Max", pods + "," + percent, 10, 14, 6},
		{"min of both changes least", "Min", pods + "," + percent, 10, 13, 7},
		{"the order does not matter", "Min", percent + "," + pods, 10, 13, 7},
		{"percent wins at 100", "Max", pods + "," + percent, 100, 125, 75},
		{"disabled", "Disabled", pods, 10, 10, 10},
		{"percent of nothing is nothing", "Max", percent, 0, 0, 0},
		{"as many as there can be turn negative upwards", "Max", `{type: Pods, value: 2147483647, periodSeconds: 60}`, 1, math.MinInt32, -math.MaxInt32 + 1},
		{"a percentage that does not fit as well", "Max", `{type: Percent, value: 2147483647, periodSeconds: 60}`, 2000, math.MinInt32, math.MinInt32},
	} {
		t.Run(c.name, func(t *testing.T) {
			rule := "{selectPolicy: " + c.choice + ", policies: [" + c.policies + "]}"
			b := newAutoscaler(t, "maxReplicas: 100\nbehavior: {scaleUp: "+rule+", scaleDown: "+rule+"}").behavior
			assert.Equal(t, c.up, b.of(up).reach(up, c.cur, &rescales{}, start))
			assert.Equal(t, c.down, b.of(down).reach(down, c.cur, &rescales{}, start))
		})
	}
}

func TestPoliciesCountFromTheStartOfThePeriod(t *testing.T) {
	p := policy{value: 4, period: time.Minute}
	past := &rescales{
		ups:   []rescale{{pods: 100, at: after(-60)}, {pods: 3, at: after(-59)}},
		downs: []rescale{{pods: 1, at: start}},
	}
	// The period began after the change of 100, at 10 - 3 + 1.
	assert.EqualValues(t, 12, p.reach(up, 10, past, start))
	assert.EqualValues(t, 4, p.reach(down, 10, past, start))
}

// Two pods per minute: 2 at once, none until the minute is over, then 2 more.
func TestAPolicyLimitsTheSumOfItsPeriod(t *testing.T) {
	a := newAutoscaler(t, onePerPod+`
maxReplicas: 20
behavior: {scaleUp: {policies: [{type: Pods, value: 2, periodSeconds: 60}]}}
`)
	assert.Equal(t, []int32{4, 4, 4, 4, 6, 6, 6, 6, 8}, follow(t, a, 2, a.Period(), constant(9, 20)...))
}

// 10 pods were added within the minute, which began at 2 and allows 7: nothing
// more is added, and nothing is taken away either.
func TestAReachBehindTheCountHoldsIt(t *testing.T) {
	a := newAutoscaler(t, onePerPod+`
maxReplicas: 100
behavior: {scaleUp: {policies: [{type: Pods, value: 5, periodSeconds: 60}]}}
`)
	a.rescales.ups = []rescale{{pods: 10, at: start}}
	d, err := a.Decide(after(1), wants(12, 50))
	require.NoError(t, err)
	assert.Equal(t, messages.Decision{
		Desired: 12, Reason: messages.ReasonLimitedByPolicy,
		Message: "hold 12: the scaling policies allow no change now; the metrics ask for 50",
		Steps: []messages.Step{
			{Stage: messages.StageMetric, Replicas: 50, Detail: "external metric load: 50 for 12 pods / target 1 = 4.1667, value / target = 50"},
			{Stage: messages.StagePolicy, Replicas: 12, Detail: "scaleUp: Max of the policies allows 12: 5 pods in 1m0s from 2 to 7"},
		},
	}, reasoned(d))
}

func TestRescalesOverwriteTheLastOutdatedOfTheirDirection(t *testing.T) {
	b := newAutoscaler(t, `
maxReplicas: 100
behavior:
  scaleUp: {policies: [{type: Pods, value: 1, periodSeconds: 15}, {type: Pods, value: 1, periodSeconds: 60}]}
  scaleDown: {policies: [{type: Pods, value: 1, periodSeconds: 1800}]}
`).behavior
	var r rescales
	r.record(b, after(0), 1, 2)
	r.record(b, after(10), 2, 4)
	r.record(b, after(20), 4, 3)
	assert.Equal(t, rescales{ups: []rescale{{1, after(0)}, {2, after(10)}}, downs: []rescale{{1, after(20)}}}, r)

	r.record(b, after(70), 3, 8) // the change at 10 s is exactly 60 s old: only the one before is outdated
	assert.Equal(t, []rescale{{5, after(70)}, {2, after(10)}}, r.ups)
	r.record(b, after(131), 8, 9) // of the two outdated ones, the last in the list goes
	assert.Equal(t, []rescale{{5, after(70)}, {1, after(131)}}, r.ups)
	r.record(b, after(1820), 9, 8)
	assert.Equal(t, []rescale{{1, after(20)}, {1, after(1820)}}, r.downs)
}

func TestWithoutBehaviorTheHighestRecommendationOfFiveMinutesHolds(t *testing.T) {
	a := newAutoscaler(t, "maxReplicas: 100\n"+onePerPod)
	counts := follow(t, a, 10, a.Period(), append([]int32{10}, constant(22, 3)...)...)
	// The high sync is at 0 s; at 300 s it still counts, at 315 s it does not.
	assert.Equal(t, append(constant(21, 10), 3, 3), counts)
}

func TestWithBehaviorTheFarEndOfTheWindowIsLeftOut(t *testing.T) {
	a := newAutoscaler(t, "maxReplicas: 100\nbehavior: {}\n"+onePerPod)
	counts := follow(t, a, 10, a.Period(), append([]int32{10}, constant(22, 3)...)...)
	assert.Equal(t, append(constant(20, 10), 3, 3, 3), counts)
}

func TestRecommendationsOverwriteTheLastOutdatedOne(t *testing.T) {
	r := recommendations{{9, after(0)}, {8, after(1)}, {7, after(50)}}
	assert.EqualValues(t, 7, r.highest(after(61), time.Minute-time.Second, 5)) // 1 s is outdated, 50 s is not
	assert.Equal(t, recommendations{{9, after(0)}, {5, after(61)}, {7, after(50)}}, r)

	// A recommendation is outdated only when both windows are over.
	r = recommendations{{4, after(0)}, {9, after(40)}}
	lo, hi := r.bounds(after(61), 10*time.Second, 2*time.Minute, 6)
	assert.Equal(t, []int32{6, 9}, []int32{lo, hi})
	assert.Len(t, r, 3)
	lo, hi = r.bounds(after(130), 10*time.Second, 2*time.Minute, 5)
	assert.Equal(t, []int32{5, 9}, []int32{lo, hi})
	assert.Equal(t, recommendations{{5, after(130)}, {9, after(40)}, {6, after(61)}}, r)
}

// The first recommendation is the count that is found, so that a new HPA does
// not scale down for five minutes.
func TestTheFirstSyncRemembersTheCount(t *testing.T) {
	a := newAutoscaler(t, "maxReplicas: 100\n"+onePerPod)
	assert.Equal(t, []int32{10, 10}, follow(t, a, 10, 5*time.Minute, 3, 3))
}

func TestWhatDoesNotFitIsTheSmallest(t *testing.T) {
	for _, c := range []struct {
		x    float64
		want int32
	}{{1e300, math.MinInt32}, {-1e300, math.MinInt32}, {math.NaN(), math.MinInt32}, {math.MaxInt32 + 1, math.MinInt32},
		{math.MaxInt32, math.MaxInt32}, {math.MinInt32, math.MinInt32}, {-1.9, -1}, {7, 7}} {
		assert.Equal(t, c.want, toInt32(c.x))
	}
}

// 5 pods were added within the minute: 100 % of 5 allow 10, 4 pods more than 5 are 9,
// and the smaller of both is taken.
func TestPoliciesInWords(t *testing.T) {
	a := newAutoscaler(t, onePerPod+`
maxReplicas: 100
behavior: {scaleUp: {selectPolicy: Min, policies: [{type: Percent, value: 100, periodSeconds: 60}, {type: Pods, value: 4, periodSeconds: 60}]}}
`)
	a.rescales.ups = []rescale{{pods: 5, at: start}}
	d, err := a.Decide(after(30), wants(10, 20))
	require.NoError(t, err)
	require.Len(t, d.Steps, 2)
	assert.Equal(t, messages.Step{Stage: messages.StagePolicy, Replicas: 10,
		Detail: "scaleUp: Min of the policies allows 10: 100% in 1m0s from 5 to 10, 4 pods in 1m0s from 5 to 9"}, d.Steps[1])
}

// 3 of 4 pods use 30 % of what they request, and the fourth has no sample: were it at
// 100 %, all of them would use (3 x 30 + 100) / 4 = 47 %.
func TestAMissingPodInWords(t *testing.T) {
	a := newAutoscaler(t, "maxReplicas: 7\n"+cpuAt50)
	d, err := a.Decide(start, seen(readyPods(4), perPod(after(-9), 60, 60, 60)))
	require.NoError(t, err)
	assert.Equal(t, []messages.Step{
		{Stage: messages.StageMetric, Replicas: 2, Detail: "cpu utilization: seen 9s ago, 30% of requests / target 50% = 0.6, x 3 pods = 1.8"},
		{Stage: messages.StageReadiness, Replicas: 4, Detail: "1 pod without a sample, 0 not ready, without a sample taken at 100%: 47% of requests / target 50% = 0.94, x 4 pods = 3.76"},
		{Stage: messages.StageTolerance, Replicas: 4, Detail: "ratio 0.94 is within 0.9 to 1.1"},
	}, d.Steps)
}
