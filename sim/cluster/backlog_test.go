package cluster

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/scalelab/scalelab/scaling/elasti/hold"
)

// Messages wait in a broker that has room for four, with no pod there, and are taken
// out in order once there is one.
func TestBacklog(t *testing.T) {
	spec := small()
	spec.Replicas = 0
	spec.Routing = Routing{Policy: "central-queue", Backlog: 4}
	c := newCluster(t, spec, arrivals(5, 0))
	c.Advance(0)
	assert.Equal(t, Counters{Arrived: 5, Rejected: 1, InFlight: 4}, c.Counters())
	assert.Equal(t, 4, c.Held())
	c.Scale(1)
	// Ready after 7 s, and it gets requests half a second later: one a second.
	c.Advance(7500*time.Millisecond + 3*time.Second)
	assert.Equal(t, Counters{Arrived: 5, Completed: 3, Rejected: 1, InFlight: 1}, c.Counters())
	assert.Equal(t, 0, c.Held())
}

func TestBadBacklogs(t *testing.T) {
	for _, test := range []struct {
		routing Routing
		want    string
	}{
		{Routing{"central-queue", -1}, "backlog: found -1, expected 0 to 1000000000"},
		{Routing{"central-queue", 2_000_000_000}, "backlog: found 2000000000, expected 0 to 1000000000"},
		{Routing{"p2c", 5}, "backlog: found one with the policy p2c, expected central-queue: messages wait in one queue"},
	} {
		assert.EqualError(t, test.routing.Validate(), test.want)
	}
	spec := Defaults()
	spec.Routing = Routing{"central-queue", 5}
	spec.Front = &hold.Settings{Retry: 1, Slots: 1, Capacity: 1}
	assert.ErrorContains(t, spec.Validate(), "routing.backlog: found one beside a front that holds requests, expected one of the two")
}
