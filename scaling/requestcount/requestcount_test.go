package requestcount

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	clocktesting "k8s.io/utils/clock/testing"
	"pgregory.net/rapid"

	"github.com/scalelab/scalelab/messages"
)

var (
	start   = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	message = messages.RequestCount{Count: 1, Svc: "web", Namespace: "shop"}
)

func newScaler(t require.TestingT) (*Scaler, *clocktesting.FakeClock) {
	c := clocktesting.NewFakeClock(start)
	s, err := New(Options{Namespace: "shop", Service: "web", Cooldown: 15 * time.Minute, Clock: c})
	require.NoError(t, err)
	return s, c
}

// vote is "zero", "up" or "hold".
func vote(t require.TestingT, s *Scaler) string {
	healthy, err := s.IsHealthy(context.Background())
	require.NoError(t, err)
	require.True(t, healthy)
	toZero, err := s.ShouldScaleToZero(context.Background())
	require.NoError(t, err)
	fromZero, err := s.ShouldScaleFromZero(context.Background())
	require.NoError(t, err)
	require.False(t, toZero && fromZero)
	switch {
	case toZero:
		return "zero"
	case fromZero:
		return "up"
	}
	return "hold"
}

func TestVotes(t *testing.T) {
	s, c := newScaler(t)
	for _, step := range []struct {
		after   time.Duration
		message bool
		want    string
		why     string
	}{
		{0, false, "hold", "nothing is known yet"},
		{15*time.Minute - 1, false, "hold", "one nanosecond before the cooldown since New is over"},
		{1, false, "zero", "no message for the whole cooldown"},
		{time.Hour, true, "up", "a message"},
		{15*time.Minute - 1, false, "up", "within its cooldown"},
		{1, false, "zero", "after its cooldown"},
		{time.Hour, true, "up", "a message"},
		{10 * time.Minute, true, "up", "another one"},
		{10 * time.Minute, false, "up", "20 minutes after the first, 10 after the second"},
		{5 * time.Minute, false, "zero", "15 after the second"},
	} {
		c.Step(step.after)
		if step.message {
			require.NoError(t, s.Receive(c.Now(), message))
		}
		require.Equal(t, step.want, vote(t, s), step.why)
	}
	assert.NoError(t, s.Close())
	assert.NoError(t, s.Close())
}

func TestAMessageRightAfterTheStart(t *testing.T) {
	s, c := newScaler(t)
	require.NoError(t, s.Receive(start, message))
	assert.Equal(t, "up", vote(t, s))
	c.Step(15 * time.Minute)
	assert.Equal(t, "zero", vote(t, s))
}

func TestMessagesInAnyOrder(t *testing.T) {
	s, c := newScaler(t)
	c.Step(time.Hour)
	require.NoError(t, s.Receive(c.Now(), message))
	require.NoError(t, s.Receive(start, message), "a late one takes nothing back")
	assert.Equal(t, "up", vote(t, s))
}

func TestMessagesForOthers(t *testing.T) {
	s, _ := newScaler(t)
	for want, m := range map[string]messages.RequestCount{
		"requestcount: count: found 0, expected at least 1":              {Svc: "web", Namespace: "shop"},
		"requestcount: found a message for stage/web, expected shop/web": {Count: 1, Svc: "web", Namespace: "stage"},
		"requestcount: found a message for shop/api, expected shop/web":  {Count: 1, Svc: "api", Namespace: "shop"},
		"requestcount: namespace: expected a namespace, found none":      {Count: 1, Svc: "web"},
		"requestcount: svc: expected a service name, found none":         {Count: 1, Namespace: "shop"},
	} {
		assert.EqualError(t, s.Receive(start, m), want)
	}
	assert.Equal(t, "hold", vote(t, s))
}

func TestAContextThatEnded(t *testing.T) {
	s, c := newScaler(t)
	c.Step(time.Hour)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("the handler stops"))
	healthy, err := s.IsHealthy(ctx)
	assert.EqualError(t, err, "the handler stops")
	assert.False(t, healthy)
	toZero, err := s.ShouldScaleToZero(ctx)
	assert.EqualError(t, err, "the handler stops")
	assert.False(t, toZero)
	fromZero, err := s.ShouldScaleFromZero(ctx)
	assert.EqualError(t, err, "the handler stops")
	assert.True(t, fromZero)
}

func TestOptions(t *testing.T) {
	s, err := New(Options{Cooldown: -time.Second})
	assert.Nil(t, s)
	assert.EqualError(t, err, "Namespace: found none, expected a namespace\nService: found none, expected a service name\n"+
		"Cooldown: found -1s, expected more than 0s\nClock: found none, expected a clock")
}

// Against a scan over all messages.
func TestAgainstHistory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, c := newScaler(t)
		var received []time.Time
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			c.Step(time.Duration(rapid.IntRange(0, 10).Draw(t, "minutes")) * time.Minute)
			if rapid.IntRange(0, 3).Draw(t, "message") == 0 {
				at := c.Now().Add(-time.Duration(rapid.IntRange(0, 20).Draw(t, "late")) * time.Minute)
				require.NoError(t, s.Receive(at, message))
				received = append(received, at)
			}
			want := "zero"
			if c.Since(start) < 15*time.Minute {
				want = "hold"
			}
			for _, at := range received {
				if c.Since(at) < 15*time.Minute {
					want = "up"
				}
			}
			require.Equal(t, want, vote(t, s))
		}
	})
}

func TestManyAtOnce(t *testing.T) {
	s, c := newScaler(t)
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() { assert.NoError(t, s.Receive(start.Add(time.Duration(i)*time.Second), message)) })
		group.Go(func() { assert.NotEqual(t, "zero", vote(t, s)) })
	}
	group.Wait()
	c.SetTime(start.Add(49*time.Second + 15*time.Minute - 1))
	assert.Equal(t, "up", vote(t, s), "the newest of them counts")
}
