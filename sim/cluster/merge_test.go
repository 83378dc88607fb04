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
	sum := NewTally(starts, 0)
	sum.Merge(fill(NewTally(starts, 0), time.Second, 2*time.Second))
	sum.Merge(fill(NewTally(starts, 0), time.Minute, 4*time.Second))
	assert.Equal(t, Counters{Arrived: 2, Completed: 2}, sum.Total())
	assert.Equal(t, 2*time.Second, sum.phases[0].Latency.Max())
	assert.Equal(t, 4*time.Second, sum.phases[1].Latency.Max())

	used := fill(fill(NewTally(starts, 0), time.Second, time.Second), time.Minute, time.Second)
	used.Reset()
	assert.Equal(t, NewTally(starts, 0), used)
}
