package elasti

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/elasti/hold"
)

func TestHoldTakesTheFaultsFromTheBehaviour(t *testing.T) {
	spec := Spec{Controller: DefaultController(), World: DefaultWorld()}
	fixed := hold.Settings{
		Retry: 3 * time.Second, Slots: 500, Capacity: 50_100, Timeout: 600 * time.Second, NotifyEvery: 10 * time.Second,
	}
	assert.Equal(t, fixed, spec.Hold())
	assert.Equal(t, fixed, Spec{Controller: DefaultController()}.Hold(), "the zero World is the fixed one")
	spec.World.Behaviour = V0_1_30
	released := fixed
	released.Faults = hold.Faults{
		ReadyCache: 5 * time.Second, Dials: 16, Closed: 5 * time.Second, CloseAfter: 15 * time.Second,
		GhostsStay: true, FailedNotifyCounts: true, NotifyOnArrival: true, NotifyByName: true,
	}
	assert.Equal(t, released, spec.Hold())
	spec.World.Behaviour = V0_1_21
	released.Faults.RefusedIsFinal, released.Faults.CloseAfter = true, 0
	assert.Equal(t, released, spec.Hold())
}

func TestBadWorldsAreRefused(t *testing.T) {
	w := World{Behaviour: "v0.2", Incidents: []Incident{
		{What: ResolverRestart}, {What: OperatorOutage, For: time.Second}, {What: ServiceDeleted, For: time.Second},
	}}
	assert.EqualError(t, w.Validate(), `behaviour: found "v0.2", expected fixed, v0.1.30 or v0.1.21
incidents[0].for: found 0s, expected a duration above 0
incidents[2].for: found 1s, expected no duration: the incident is an instant`)
	assert.NoError(t, DefaultWorld().Validate())
	assert.NoError(t, World{}.Validate())
}

// TestFixedComparesWithTheSpec: what the released versions get wrong by looking
// at status.replicas.
func TestFixedComparesWithTheSpec(t *testing.T) {
	message := messages.RequestCount{Count: 1, Svc: "web", Namespace: "default"}
	for what, c := range map[string]struct{ spec, status, want int32 }{
		"asleep, the pods of before still counted": {0, 1, 2},
		"asleep":                                 {0, 0, 2},
		"a scale-up under way is not taken back": {5, 0, 5},
		"below the minimum":                      {1, 1, 2},
	} {
		m := manifest()
		m.Spec.Service, m.Namespace, m.Spec.MinTargetReplicas = "web", "default", 2
		a, err := New(Spec{Manifest: m, Controller: DefaultController()}, created)
		require.NoError(t, err)
		d, err := a.Wake(created, message, messages.Replicas{Desired: c.spec, Created: c.status})
		require.NoError(t, err)
		assert.Equal(t, c.want, d.Desired, what)
	}
}

func TestReleaseWakesASleepingWorkload(t *testing.T) {
	a, err := New(Spec{Manifest: manifest(), Controller: DefaultController()}, created)
	require.NoError(t, err)
	d := a.Release(created, messages.Replicas{})
	assert.Equal(t, messages.ReasonScaleFromZero, d.Reason)
	assert.Positive(t, d.Desired)
	assert.Equal(t, messages.ReasonActive, a.Release(created, messages.Replicas{Desired: 7, Created: 7}).Reason)
	assert.Equal(t, created, a.ScaledUp())
	a.Restore(created.Add(time.Second))
	assert.Equal(t, created.Add(time.Second), a.ScaledUp())
}
