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

// Scaler compares two instants. It has no memory.
type Scaler struct {
	start, end cron.Schedule
	zone       *time.Location
	clock      clock.PassiveClock
}

var fiveFields = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

// New reads the schedules, and the time zone from the machine's database. Errors
// are messages.Problems.
func New(o Options) (*Scaler, error) {
	var problems messages.Problems
	s := &Scaler{clock: o.Clock}
	var err error
	if s.start, err = parse(o.Start); err != nil {
		problems.Addf("Start", "found %.70q, expected five cron fields (minute hour day month weekday): %v", o.Start, err)
	}
	if s.end, err = parse(o.End); err != nil {
		problems.Addf("End", "found %.70q, expected five cron fields (minute hour day month weekday): %v", o.End, err)
	}
	if start := strings.Fields(o.Start); len(start) > 0 && strings.Join(start, " ") == strings.Join(strings.Fields(o.End), " ") {
		problems.Addf("End", "found the start, %q, expected another schedule", o.End)
	}
	if s.zone, err = zone(o.Timezone); err != nil {
		problems.Addf("Timezone", "found %.70q, expected a name such as Europe/Berlin: %v", o.Timezone, err)
	}
	if o.Clock == nil {
		problems.Addf("Clock", "found none, expected a clock")
	}
	if len(problems) > 0 {
		return nil, problems
	}
	if _, err := s.active(); err != nil {
		return nil, err
	}
	return s, nil
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

// active says whether the clock's instant lies in a window. After the last start
// and before the next end, the next start is a later one; at the very instant of
// a start the workload is up, and at that of an end it is not.
func (s *Scaler) active() (bool, error) {
	now := s.clock.Now().In(s.zone)
	start, end := s.start.Next(now), s.end.Next(now)
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
	active, err := s.active()
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
