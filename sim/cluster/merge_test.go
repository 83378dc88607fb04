package cluster

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestEveryCounterIsAddedUp(t *testing.T) {
	var one, three Counters
	for i := range reflect.TypeFor[Counters]().NumField() {
		reflect.ValueOf(&one).Elem().Field(i).SetUint(1)
		reflect.ValueOf(&three).Elem().Field(i).SetUint(3)
	}
	assert.Equal(t, three, one.plus(one).plus(one))
}

func TestTalliesMergeAndReset(t *testing.T) {
	starts := []time.Duration{0, time.Minute}
	fill := func(t *Tally, at, latency time.Duration) *Tally {
		phase := t.arrive(at)
		t.end(&request{arrival: at, start: at, phase: phase}, at+latency, completed)
		return t
	}
	strict := func() *Tally {
		t := NewTally(starts, 0)
		t.CountLate(2 * time.Second)
		return t
	}
	sum := strict()
	sum.Merge(fill(strict(), time.Second, 2*time.Second))
	sum.Merge(fill(strict(), time.Minute, 4*time.Second))
	assert.Equal(t, uint64(1), sum.Late(), "2 s are not late")
	assert.Equal(t, Counters{Arrived: 2, Completed: 2}, sum.Total())
	assert.Equal(t, 2*time.Second, sum.phases[0].Latency.Max())
	assert.Equal(t, 4*time.Second, sum.phases[1].Latency.Max())

	used := fill(fill(strict(), time.Second, 3*time.Second), time.Minute, time.Second)
	assert.Equal(t, uint64(1), used.Late())
	used.Reset()
	assert.Equal(t, strict(), used)
}
