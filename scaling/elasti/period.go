package elasti

import (
	"errors"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/scalelab/scalelab/messages"
)

// period is when scaling to zero is allowed: from every instant of a schedule
// for a duration.
type period struct {
	schedule cron.Schedule
	duration time.Duration
}

var fiveFields = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

// newPeriod reads an EnabledPeriod. Its errors are messages.Problems with the
// fields schedule and duration.
func newPeriod(p EnabledPeriod) (*period, error) {
	var problems messages.Problems
	p = p.withDefaults()
	schedule, err := parseSchedule(p.Schedule)
	if err != nil {
		problems.Addf("schedule", "found %q, expected five cron fields (minute hour day month weekday): %v", p.Schedule, err)
	}
	duration, err := time.ParseDuration(p.Duration)
	switch {
	case err != nil:
		problems.Addf("duration", "found %q, expected a duration such as 8h", p.Duration)
	case duration <= 0:
		problems.Addf("duration", "found %q, expected more than 0s", p.Duration)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return &period{schedule: schedule, duration: duration}, nil
}

// parseSchedule refuses a time zone, which the cron parser would take: the
// schedule is in UTC, and a zone's rules are those of the machine.
func parseSchedule(text string) (cron.Schedule, error) {
	if strings.Contains(text, "TZ=") {
		return nil, errors.New("the schedule is in UTC and takes no time zone")
	}
	return fiveFields.Parse(text)
}

// contains tells whether now lies in the period; a nil period is always.
//
// The operator goes through the schedule from duration + 24 h ago to the last
// instant T <= now and asks for now < T + duration. Such a T exists just when
// the schedule has an instant in (now - duration, now], which is one step.
func (p *period) contains(now time.Time) bool {
	if p == nil {
		return true
	}
	now = now.UTC()
	first := p.schedule.Next(now.Add(-p.duration))
	return !first.IsZero() && !first.After(now)
}
