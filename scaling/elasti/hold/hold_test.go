package hold

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestAdmit(t *testing.T) {
	s := Settings{Slots: 2, Capacity: 3}
	assert.Equal(t, Look, s.Admit(1, 0))
	assert.Equal(t, Wait, s.Admit(2, 0))
	assert.Equal(t, Refuse, s.Admit(2, 1))
	assert.Equal(t, Refuse, Settings{Slots: 5, Capacity: 3}.Admit(3, 0), "the capacity counts those that are proxied too")
}

func TestMessagesAreSuppressed(t *testing.T) {
	s := Settings{NotifyEvery: 10 * time.Second}
	var v Service
	assert.True(t, v.Notify(s, 0))
	v.Notified(s, 0, false)
	assert.True(t, v.Notify(s, 1), "a message that did not arrive is sent again")
	v.Notified(s, 1*time.Second, true)
	assert.False(t, v.Notify(s, 11*time.Second-1))
	assert.True(t, v.Notify(s, 11*time.Second))

	v.Overheard(s, 20*time.Second)
	assert.True(t, v.Notify(s, 20*time.Second), "somebody else's message is no concern of this service")

	s.Faults = Faults{FailedNotifyCounts: true, NotifyByName: true}
	v = Service{}
	v.Notified(s, 0, false)
	assert.False(t, v.Notify(s, 5*time.Second))
	v.Overheard(s, 10*time.Second)
	assert.False(t, v.Notify(s, 19*time.Second))
	v.Overheard(s, 19*time.Second)
	assert.True(t, v.Notify(s, 20*time.Second), "a suppressed message of the neighbour suppresses nothing")
}

func TestReadyIsBelievedForAWhileOnlyWithTheFault(t *testing.T) {
	var s Settings
	var v Service
	assert.True(t, v.Ready(s, 0, true))
	assert.False(t, v.Ready(s, 1, false))
	s.Faults.ReadyCache = 5 * time.Second
	v = Service{}
	assert.False(t, v.Ready(s, 0, false), "absence is not believed in")
	assert.True(t, v.Ready(s, 1*time.Second, true))
	assert.True(t, v.Ready(s, 6*time.Second-1, false))
	assert.False(t, v.Ready(s, 6*time.Second, false))
}

func TestTrafficIsTurnedAwayOnlyWithTheFault(t *testing.T) {
	var s Settings
	var v Service
	v.Answered(s, 0)
	assert.True(t, v.Open(s, time.Hour))
	s.Faults.CloseAfter, s.Faults.Closed = 15*time.Second, 5*time.Second
	v.Answered(s, 1*time.Second)
	v.Answered(s, 10*time.Second) // the first one counts
	assert.True(t, v.Open(s, 16*time.Second-1))
	assert.False(t, v.Open(s, 16*time.Second))
	assert.False(t, v.Open(s, 21*time.Second-1))
	assert.True(t, v.Open(s, 21*time.Second))
	assert.True(t, v.Open(s, 22*time.Second))
	s.Faults.CloseAfter = 0
	v.Answered(s, 30*time.Second)
	assert.False(t, v.Open(s, 30*time.Second), "403 at once")
}

func TestDialPauses(t *testing.T) {
	f := Faults{Dials: 16}
	var sum time.Duration
	for failed := 1; ; failed++ {
		pause, again := f.Pause(failed, true)
		if !again {
			assert.Equal(t, 16, failed)
			break
		}
		sum += pause
	}
	// 50 ms (1.4^15 - 1) / 0.4
	assert.InDelta(t, 19.32, sum.Seconds(), 0.01)
	f.RefusedIsFinal = true
	_, again := f.Pause(1, true)
	assert.False(t, again)
	_, again = f.Pause(1, false)
	assert.True(t, again, "a lost connection is tried again")
	_, again = Faults{}.Pause(1, false)
	assert.False(t, again)
}

func TestBadSettingsAreRefused(t *testing.T) {
	err := Settings{Timeout: -1, NotifyEvery: -1, Faults: Faults{Dials: -1, ReadyCache: -1, CloseAfter: -1, Closed: -1}}.Validate()
	for _, part := range []string{
		"retry: found 0s", "slots: found 0", "capacity: found 0", "timeout: found -1ns", "notifyEvery: found -1ns",
		"faults.dials: found -1", "faults.readyCache: found -1ns", "faults.closeAfter: found -1ns", "faults.closed: found -1ns",
	} {
		assert.ErrorContains(t, err, part)
	}
	assert.NoError(t, Settings{Retry: 1, Slots: 1, Capacity: 1}.Validate())
}
