package hpa

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"
)

// K1: the walkthrough's 1 replica at 305 % of a 50 % target asks for 7 of at
// most 10. Without a behavior the first step stops at 4, the second arrives.
func TestK1WalkthroughArrivesAtSeven(t *testing.T) {
	a := newAutoscaler(t, "maxReplicas: 10\n"+cpuAt50)
	d, err := a.Decide(start, seen(readyPods(1), perPod(start, 610)))
	require.NoError(t, err)
	assert.Equal(t, messages.Step{Stage: messages.StageMetric, Replicas: 7,
		Detail: "cpu utilization: seen 0s ago, 305% of requests / target 50% = 6.1, x 1 pod = 6.1"}, d.Steps[0])
	assert.EqualValues(t, 4, d.Desired)

	d, err = a.Decide(after(15), seen(readyPods(4), uniform(after(15), 4, 152)))
	require.NoError(t, err)
	assert.EqualValues(t, 7, d.Desired)

	d, err = a.Decide(after(30), seen(readyPods(7), uniform(after(30), 7, 87)))
	require.NoError(t, err)
	assert.EqualValues(t, 7, d.Desired)
}

func TestK2ScaleDownByTheLargerOfTwoPolicies(t *testing.T) {
	a := newAutoscaler(t, onePerPod+`
maxReplicas: 80
behavior:
  scaleDown:
    stabilizationWindowSeconds: 0
    policies: [{type: Pods, value: 4, periodSeconds: 60}, {type: Percent, value: 10, periodSeconds: 60}]
`)
	got := append([]int32{80}, follow(t, a, 80, time.Minute, constant(14, 10)...)...)
	assert.Equal(t, []int32{80, 72, 64, 57, 51, 45, 40, 36, 32, 28, 24, 20, 16, 12, 10}, got)
}

func TestK3ScaleUpByNineHundredPercent(t *testing.T) {
	a := newAutoscaler(t, onePerPod+`
maxReplicas: 1000
behavior: {scaleUp: {policies: [{type: Percent, value: 900, periodSeconds: 60}]}}
`)
	got := append([]int32{1}, follow(t, a, 1, time.Minute, constant(3, 1000)...)...)
	assert.Equal(t, []int32{1, 10, 100, 1000}, got)
}

const story5 = onePerPod + `
maxReplicas: 100
behavior:
  scaleDown:
    stabilizationWindowSeconds: 600
    tolerance: "0"
    policies: [{type: Pods, value: 5, periodSeconds: 60}]
`

func TestK4ScaleDownWaitsForTheHighestOfTenMinutes(t *testing.T) {
	got := follow(t, newAutoscaler(t, story5), 10, time.Minute, 10, 9, 8, 9, 9, 8, 9, 8, 9, 8, 7)
	assert.Equal(t, []int32{10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 9}, got)
}

const story6 = onePerPod + `
maxReplicas: 100
behavior:
  scaleUp:
    stabilizationWindowSeconds: 300
    tolerance: "0"
    policies: [{type: Pods, value: 20, periodSeconds: 60}]
`

// K5: the proposal counts the sync that is exactly 300 s old, and the K4 story
// does not count the one of exactly 600 s. The controller leaves the far end
// out in both, so syncs a millisecond closer than a minute give the story, and
// exact minutes the same counts one sync earlier.
func TestK5ScaleUpWaitsForTheLowestOfFiveMinutes(t *testing.T) {
	asked := []int32{2, 3, 19, 10, 3, 4, 7}
	assert.Equal(t, []int32{2, 2, 2, 2, 2, 2, 3},
		follow(t, newAutoscaler(t, story6), 2, time.Minute-time.Millisecond, asked...))
	assert.Equal(t, []int32{2, 2, 2, 2, 2, 3, 3},
		follow(t, newAutoscaler(t, story6), 2, time.Minute, asked...))
}

func TestK6DefaultScaleUpWithAndWithoutBehavior(t *testing.T) {
	for name, c := range map[string]struct {
		behavior string
		want     []int32
	}{
		"a behavior, even an empty one": {"behavior: {}", []int32{1, 5, 10, 20, 40, 80, 160, 320, 640, 1000}},
		"no behavior":                   {"", []int32{1, 4, 8, 16, 32, 64, 128, 256, 512, 1000}},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAutoscaler(t, "maxReplicas: 1000\n"+onePerPod+c.behavior)
			got := append([]int32{1}, follow(t, a, 1, a.Period(), constant(9, 1000)...)...)
			assert.Equal(t, c.want, got)
		})
	}
}
