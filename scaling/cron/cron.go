// Package cron is the schedule trigger of a live scale handler: the workload is
// wanted up from every instant of one schedule to the next instant of another.
//
//	start 0 8 * * 1-5     end 0 18 * * 1-5     in Europe/Berlin
//
//	Mon 8:00        18:00       Tue 8:00        18:00
//	  [===============)           [===============)
//
// The rule looks forward only: up, unless the next start comes before the next
// end. So every end should have a start before it. Where two ends follow each
// other, the time between them counts as a window: with start 0 8 * * 1-5 and
// end 0 18 * * *, Saturday is up until 18:00.
//
// The schedules are five cron fields (minute, hour, day of the month, month, day
// of the week) in one time zone, in the dialect of robfig/cron v3: names,
// ranges, lists and steps, and a day that matches either of its two fields if
// both are restricted. Around a change of the clocks an instant that does not
// exist is left out and one that comes twice counts twice.
//
// Source: KEDA v2.21, pkg/scalers/cron_scaler.go. It ignores desiredReplicas,
// since a Scaler only tells zero from up.
package cron

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
	"k8s.io/utils/clock"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling"
)

var _ scaling.Scaler = (*Scaler)(nil)

// Options are a window and its clock.
type Options struct {
	Start    string // five cron fields
	End      string // five cron fields, not the same as Start
	Timezone string // a name of the IANA database such as Europe/Berlin; "" is UTC
	Clock    clock.PassiveClock
}

// Scaler asks a Window at its clock's instant. It has no memory.
type Scaler struct {
	window *Window
	clock  clock.PassiveClock
}

// Window is the rule of two schedules: it compares two instants.
type Window struct {
	start, end cron.Schedule
	zone       *time.Location
}

var fiveFields = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

// New reads the schedules, and the time zone from the machine's database. Errors
// are messages.Problems.
func New(o Options) (*Scaler, error) {
	var problems messages.Problems
	window, err := NewWindow(o.Start, o.End, o.Timezone)
	problems.Add(err)
	if o.Clock == nil {
		problems.Addf("Clock", "found none, expected a clock")
	}
	if len(problems) > 0 {
		return nil, problems
	}
	if _, err := window.Active(o.Clock.Now()); err != nil {
		return nil, err
	}
	return &Scaler{window: window, clock: o.Clock}, nil
}

// NewWindow reads the schedules and the time zone as Options has them. Errors are
// messages.Problems with the names of those fields.
func NewWindow(start, end, timezone string) (*Window, error) {
	var problems messages.Problems
	w := &Window{}
	var err error
	if w.start, err = parse(start); err != nil {
		problems.Addf("Start", "found %.70q, expected five cron fields (minute hour day month weekday): %v", start, err)
	}
	if w.end, err = parse(end); err != nil {
		problems.Addf("End", "found %.70q, expected five cron fields (minute hour day month weekday): %v", end, err)
	}
	if fields := strings.Fields(start); len(fields) > 0 && strings.Join(fields, " ") == strings.Join(strings.Fields(end), " ") {
		problems.Addf("End", "found the start, %q, expected another schedule", end)
	}
	if w.zone, err = zone(timezone); err != nil {
		problems.Addf("Timezone", "found %.70q, expected a name such as Europe/Berlin: %v", timezone, err)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return w, nil
}

// parse refuses a time zone in the schedule: there is one for both, and the
// parser panics on a bare "TZ=".
func parse(text string) (cron.Schedule, error) {
	if strings.Contains(text, "TZ=") {
		return nil, errors.New("the time zone has a setting of its own")
	}
	return fiveFields.Parse(text)
}

// zone refuses Local: the same settings would mean something else on every
// machine.
func zone(name string) (*time.Location, error) {
	if name == "Local" {
		return nil, errors.New("that of the machine is none")
	}
	return time.LoadLocation(name)
}

// Active says whether an instant lies in the window. After the last start and
// before the next end, the next start is a later one; at the very instant of a
// start the workload is up, and at that of an end it is not. A schedule without
// another instant is an error.
func (w *Window) Active(now time.Time) (bool, error) {
	now = now.In(w.zone)
	start, end := w.start.Next(now), w.end.Next(now)
	var problems messages.Problems
	if start.IsZero() {
		problems.Addf("Start", "found no instant within five years of %s", now.Format(time.DateOnly))
	}
	if end.IsZero() {
		problems.Addf("End", "found no instant within five years of %s", now.Format(time.DateOnly))
	}
	return !start.Before(end), problems.Err()
}

// answer is active, which doubt is too.
func (s *Scaler) answer(ctx context.Context) (bool, error) {
	if ctx.Err() != nil {
		return true, context.Cause(ctx)
	}
	active, err := s.window.Active(s.clock.Now())
	if err != nil {
		return true, fmt.Errorf("cron: %w", err)
	}
	return active, nil
}

// IsHealthy is true unless a schedule has come to its end.
func (s *Scaler) IsHealthy(ctx context.Context) (bool, error) {
	_, err := s.answer(ctx)
	return err == nil, err
}

// ShouldScaleToZero is true outside of the windows.
func (s *Scaler) ShouldScaleToZero(ctx context.Context) (bool, error) {
	active, err := s.answer(ctx)
	return !active, err
}

// ShouldScaleFromZero is true inside of a window.
func (s *Scaler) ShouldScaleFromZero(ctx context.Context) (bool, error) {
	return s.answer(ctx)
}

// Close has nothing to let go of.
func (s *Scaler) Close() error { return nil }
