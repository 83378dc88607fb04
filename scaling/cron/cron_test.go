package cron

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	clocktesting "k8s.io/utils/clock/testing"
	"pgregory.net/rapid"
)

// monday is a Monday, 00:00 UTC.
var monday = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

func activeAt(t require.TestingT, o Options, now time.Time) bool {
	o.Clock = clocktesting.NewFakePassiveClock(now)
	s, err := New(o)
	require.NoError(t, err)
	healthy, err := s.IsHealthy(context.Background())
	require.NoError(t, err)
	require.True(t, healthy)
	toZero, err := s.ShouldScaleToZero(context.Background())
	require.NoError(t, err)
	fromZero, err := s.ShouldScaleFromZero(context.Background())
	require.NoError(t, err)
	require.NotEqual(t, toZero, fromZero)
	require.NoError(t, s.Close())
	return fromZero
}

func TestWindows(t *testing.T) {
	work := Options{Start: "0 8 * * 1-5", End: "0 18 * * 1-5"}
	night := Options{Start: "0 22 * * *", End: "0 6 * * *"}
	berlin := Options{Start: "0 8 * * MON-FRI", End: "0 18 * * MON-FRI", Timezone: "Europe/Berlin"}
	kathmandu := Options{Start: "0 8 * * *", End: "0 9 * * *", Timezone: "Asia/Kathmandu"}
	const day = 24 * time.Hour
	for _, c := range []struct {
		name  string
		o     Options
		after time.Duration // after Monday, 00:00 UTC
		want  bool
	}{
		{"before the start", work, 8*time.Hour - 1, false},
		{"at the start", work, 8 * time.Hour, true},
		{"in the middle", work, 12 * time.Hour, true},
		{"just before the end", work, 18*time.Hour - 1, true},
		{"at the end", work, 18 * time.Hour, false},
		{"on Saturday", work, 5*day + 12*time.Hour, false},
		{"over midnight, before", night, 22*time.Hour - 1, false},
		{"over midnight, in the evening", night, 22 * time.Hour, true},
		{"over midnight, in the morning", night, 6*time.Hour - 1, true},
		{"over midnight, after", night, 6 * time.Hour, false},
		{"in winter, Berlin starts at 7 UTC", berlin, 7 * time.Hour, true},
		{"and not before", berlin, 7*time.Hour - 1, false},
		{"in summer, at 6 UTC", berlin, 182*day + 6*time.Hour, true},
		{"and not before", berlin, 182*day + 6*time.Hour - 1, false},
		{"a zone with three quarters of an hour", kathmandu, 2*time.Hour + 15*time.Minute, true},
		{"until its end", kathmandu, 3*time.Hour + 15*time.Minute, false},
		{"one schedule in two spellings is always", Options{Start: "0 0 * * *", End: "0 0 */1 * *"}, 5 * time.Hour, true},
		{"an end without a start, on Saturday", Options{Start: "0 8 * * 1-5", End: "0 18 * * *"}, 5*day + 12*time.Hour, true},
		{"and in the evening, until Sunday's end", Options{Start: "0 8 * * 1-5", End: "0 18 * * *"}, 5*day + 20*time.Hour, true},
		{"and after it, when a start is next", Options{Start: "0 8 * * 1-5", End: "0 18 * * *"}, 6*day + 20*time.Hour, false},
		{"on leap day", Options{Start: "0 0 29 2 *", End: "0 0 1 3 *"}, time.Date(2028, 2, 29, 12, 0, 0, 0, time.UTC).Sub(monday), true},
	} {
		t.Run(c.name, func(t *testing.T) { assert.Equal(t, c.want, activeAt(t, c.o, monday.Add(c.after))) })
	}
}

func TestOptions(t *testing.T) {
	good := Options{Start: "0 8 * * *", End: "0 18 * * *", Timezone: "Europe/Berlin", Clock: clocktesting.NewFakePassiveClock(monday)}
	_, err := New(good)
	require.NoError(t, err)
	const five = ", expected five cron fields (minute hour day month weekday): "
	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"nothing": {func(o *Options) { *o = Options{} }, `Start: found ""` + five + "empty spec string\n" +
			`End: found ""` + five + "empty spec string\nClock: found none, expected a clock"},
		"a bare TZ=":            {func(o *Options) { o.Start = "TZ=" }, `Start: found "TZ="` + five + "the time zone has a setting of its own"},
		"a bare CRON_TZ=":       {func(o *Options) { o.End = "CRON_TZ=UTC" }, `End: found "CRON_TZ=UTC"` + five + "the time zone has a setting of its own"},
		"a time zone":           {func(o *Options) { o.Start = "TZ=UTC 0 8 * * *" }, `Start: found "TZ=UTC 0 8 * * *"` + five + "the time zone has a setting of its own"},
		"six fields":            {func(o *Options) { o.Start = "0 0 8 * * *" }, `Start: found "0 0 8 * * *"` + five + "expected exactly 5 fields, found 6: [0 0 8 * * *]"},
		"a nickname":            {func(o *Options) { o.Start = "@daily" }, `Start: found "@daily"` + five + "parser does not accept descriptors: @daily"},
		"an hour that is none":  {func(o *Options) { o.End = "0 24 * * *" }, `End: found "0 24 * * *"` + five + "end of range (24) above maximum (23): 24"},
		"the same":              {func(o *Options) { o.End = " 0  8 * * *" }, `End: found the start, " 0  8 * * *", expected another schedule`},
		"a start that is never": {func(o *Options) { o.Start = "0 0 30 2 *" }, "Start: found no instant within five years of 2026-01-05"},
		"an end that is never":  {func(o *Options) { o.End = "0 0 31 4 *" }, "End: found no instant within five years of 2026-01-05"},
		"no such zone":          {func(o *Options) { o.Timezone = "Europe/Atlantis" }, `Timezone: found "Europe/Atlantis", expected a name such as Europe/Berlin: unknown time zone Europe/Atlantis`},
		"a path":                {func(o *Options) { o.Timezone = "../../etc/passwd" }, `Timezone: found "../../etc/passwd", expected a name such as Europe/Berlin: time: invalid location name`},
		"the machine's zone":    {func(o *Options) { o.Timezone = "Local" }, `Timezone: found "Local", expected a name such as Europe/Berlin: that of the machine is none`},
	} {
		t.Run(name, func(t *testing.T) {
			o := good
			c.change(&o)
			s, err := New(o)
			assert.Nil(t, s)
			assert.EqualError(t, err, c.want)
		})
	}
}

// Whatever goes wrong, nothing goes to zero.
func TestDoubt(t *testing.T) {
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("the handler stops"))
	// After 2096 the next leap day is in 2104, farther than the schedules look.
	clock := clocktesting.NewFakePassiveClock(monday)
	leap, err := New(Options{Start: "0 0 29 2 *", End: "0 0 1 3 *", Clock: clock})
	require.NoError(t, err)
	clock.SetTime(time.Date(2096, 3, 2, 0, 0, 0, 0, time.UTC))
	running, err := New(Options{Start: "0 8 * * *", End: "0 18 * * *", Clock: clocktesting.NewFakePassiveClock(monday)})
	require.NoError(t, err)
	for want, c := range map[string]struct {
		ctx context.Context
		s   *Scaler
	}{
		"the handler stops": {ended, running},
		"cron: Start: found no instant within five years of 2096-03-02": {t.Context(), leap},
	} {
		healthy, err := c.s.IsHealthy(c.ctx)
		assert.EqualError(t, err, want)
		assert.False(t, healthy)
		toZero, err := c.s.ShouldScaleToZero(c.ctx)
		assert.EqualError(t, err, want)
		assert.False(t, toZero)
		fromZero, err := c.s.ShouldScaleFromZero(c.ctx)
		assert.EqualError(t, err, want)
		assert.True(t, fromZero)
	}
}

// field is one cron field and, in plain view, the numbers it stands for.
type field struct {
	text    string
	numbers []int
	star    bool
}

func drawField(t *rapid.T, name string, low, high int) field {
	if rapid.IntRange(0, 2).Draw(t, name+" kind") == 0 {
		f := field{text: "*", star: true}
		for i := low; i <= high; i++ {
			f.numbers = append(f.numbers, i)
		}
		return f
	}
	from := rapid.IntRange(low, high).Draw(t, name+" from")
	to := rapid.IntRange(from, high).Draw(t, name+" to")
	step := rapid.IntRange(1, 20).Draw(t, name+" step")
	f := field{text: fmt.Sprintf("%d-%d/%d", from, to, step)}
	for i := from; i <= to; i += step {
		f.numbers = append(f.numbers, i)
	}
	if rapid.Bool().Draw(t, name+" list") {
		one := rapid.IntRange(low, high).Draw(t, name+" one")
		f.text += "," + strconv.Itoa(one)
		f.numbers = append(f.numbers, one)
	}
	return f
}

// plan is a schedule whose instants can be told by looking at a wall clock.
type plan struct{ minute, hour, day, weekday field }

func drawPlan(t *rapid.T, name string) plan {
	return plan{drawField(t, name+" minute", 0, 59), drawField(t, name+" hour", 0, 23), drawField(t, name+" day", 1, 31), drawField(t, name+" weekday", 0, 6)}
}

func (p plan) String() string {
	return strings.Join([]string{p.minute.text, p.hour.text, p.day.text, "*", p.weekday.text}, " ")
}

func (p plan) at(local time.Time) bool {
	day, weekday := slices.Contains(p.day.numbers, local.Day()), slices.Contains(p.weekday.numbers, int(local.Weekday()))
	both := day && weekday
	if !p.day.star && !p.weekday.star {
		both = day || weekday
	}
	return both && slices.Contains(p.minute.numbers, local.Minute()) && slices.Contains(p.hour.numbers, local.Hour())
}

// firstAfter walks minute by minute; zero if there is no instant for 90 days.
func (p plan) firstAfter(now time.Time) time.Time {
	for m := now.Truncate(time.Minute).Add(time.Minute); m.Sub(now) < 90*24*time.Hour; m = m.Add(time.Minute) {
		if p.at(m) {
			return m
		}
	}
	return time.Time{}
}

// Zones with changes of the clocks at 1:00, 2:00 and 3:00, and with none.
var zones = []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Europe/London", "America/Sao_Paulo"}

func TestAgainstMinuteByMinute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start, end := drawPlan(t, "start"), drawPlan(t, "end")
		if start.String() == end.String() {
			t.Skip("refused")
		}
		name := rapid.SampledFrom(zones).Draw(t, "zone")
		zone, err := time.LoadLocation(name)
		require.NoError(t, err)
		seconds := rapid.Int64Range(0, 4*365*86400).Draw(t, "seconds")
		if rapid.Bool().Draw(t, "around a change of the clocks") { // the last Sunday of March 2026
			seconds = int64(time.Date(2026, 3, 28, 0, 0, 0, 0, time.UTC).Sub(monday).Seconds()) + seconds%(3*86400)
		}
		now := monday.Add(time.Duration(seconds)*time.Second + time.Duration(rapid.IntRange(0, 999).Draw(t, "ms"))*time.Millisecond).In(zone)
		first, last := start.firstAfter(now), end.firstAfter(now)
		if first.IsZero() && last.IsZero() {
			t.Skip("too rare for a walk")
		}
		// The one that comes within the walk comes before the other.
		want := first.IsZero() || !last.IsZero() && !first.Before(last)
		got := activeAt(t, Options{Start: start.String(), End: end.String(), Timezone: name}, now)
		require.Equal(t, want, got, "start %q, end %q, %s: next start %s, next end %s", start, end, now, first, last)
	})
}

// The instants of a whole window, read off a walk that remembers what came last.
func TestAgainstWhatCameLast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := func(name string) (string, int) {
			minute := rapid.IntRange(0, 1439).Draw(t, name)
			return fmt.Sprintf("%d %d * * *", minute%60, minute/60), minute
		}
		start, from := at("start")
		end, to := at("end")
		if from == to {
			t.Skip("refused")
		}
		up := from > to // over midnight
		for minute := range 1440 {
			if minute == from {
				up = true
			}
			if minute == to {
				up = false
			}
			if minute%7 == 0 || minute == from || minute == to {
				require.Equal(t, up, activeAt(t, Options{Start: start, End: end}, monday.Add(time.Duration(minute)*time.Minute)), "minute %d", minute)
			}
		}
	})
}

func FuzzNew(f *testing.F) {
	for _, seed := range []string{"0 8 * * 1-5", "TZ=", "CRON_TZ=UTC", "TZ=UTC 0 0 * * *", "*/0 * * * *", "@every 1s", "* * * * * *", "0-59/7 ? L * SUN", "18446744073709551615 * * * *", "1/99999999999 * * * *", "\xff"} {
		f.Add(seed, "0 18 * * *", "Europe/Berlin")
	}
	f.Add("0 8 * * *", "0 18 * * *", "Local")
	f.Add("0 8 * * *", "0 18 * * *", "..")
	clock := clocktesting.NewFakePassiveClock(monday)
	f.Fuzz(func(t *testing.T, start, end, zone string) {
		s, err := New(Options{Start: start, End: end, Timezone: zone, Clock: clock})
		if err != nil {
			require.Nil(t, s)
			return
		}
		toZero, err := s.ShouldScaleToZero(t.Context())
		require.NoError(t, err)
		fromZero, err := s.ShouldScaleFromZero(t.Context())
		require.NoError(t, err)
		require.NotEqual(t, toZero, fromZero)
	})
}
