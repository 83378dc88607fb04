package traffic

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/scalelab/scalelab/messages"
)

// Spec is the traffic of a run: phases that follow one another.
type Spec []Phase

// Phase is a stretch of traffic with one shape of rate. Exactly one of RPS,
// Ramp, Sine, Step, Spike, Trace and Users is given.
type Phase struct {
	Name     string         `yaml:"name,omitempty" doc:"name of the phase, used in results; default phase-1, phase-2 and so on"`
	For      *time.Duration `yaml:"for,omitempty" doc:"how long the phase lasts; default for a trace: as long as the trace"`
	RPS      *float64       `yaml:"rps,omitempty" doc:"constant rate in requests per second; 0 is silence"`
	Ramp     *Ramp          `yaml:"ramp,omitempty" doc:"rate that changes linearly over the phase"`
	Sine     *Sine          `yaml:"sine,omitempty" doc:"rate that swings around a mean"`
	Step     *Step          `yaml:"step,omitempty" doc:"rate that jumps once"`
	Spike    *Spike         `yaml:"spike,omitempty" doc:"rate that rises from a base to a peak and falls back"`
	Trace    *Trace         `yaml:"trace,omitempty" doc:"recorded traffic from a CSV file"`
	Users    *Users         `yaml:"users,omitempty" doc:"users who wait for their answers before they ask again"`
	Arrivals Process        `yaml:"arrivals,omitempty" doc:"how arrivals scatter around the rate; default poisson"`
}

// Ramp is a linear change of the rate, in requests per second.
type Ramp struct {
	From float64 `yaml:"from" doc:"rate at the start of the phase"`
	To   float64 `yaml:"to" doc:"rate at the end of the phase"`
}

// Sine is mean + amplitude * sin(2 pi (t + offset) / period).
type Sine struct {
	Mean      float64       `yaml:"mean" doc:"mean rate"`
	Amplitude float64       `yaml:"amplitude" doc:"largest deviation from the mean; not above the mean"`
	Period    time.Duration `yaml:"period" doc:"length of one swing"`
	Offset    time.Duration `yaml:"offset,omitempty" doc:"how far into the swing the phase starts"`
}

// Step is a rate that jumps once.
type Step struct {
	From float64       `yaml:"from" doc:"rate before the jump"`
	To   float64       `yaml:"to" doc:"rate after the jump"`
	At   time.Duration `yaml:"at" doc:"instant of the jump after the start of the phase"`
}

// Spike is a trapezium: base, linear rise, peak, linear fall, base.
type Spike struct {
	Base float64       `yaml:"base" doc:"rate before and after"`
	Peak float64       `yaml:"peak" doc:"rate at the top"`
	At   time.Duration `yaml:"at" doc:"when the rise starts, after the start of the phase"`
	Rise time.Duration `yaml:"rise,omitempty" doc:"how long the rise takes"`
	Hold time.Duration `yaml:"hold,omitempty" doc:"how long the peak lasts"`
	Fall time.Duration `yaml:"fall,omitempty" doc:"how long the fall takes"`
}

// Process is how arrivals scatter around the rate. A bare name is enough for
// poisson and uniform.
//
// Gamma gaps form a stationary renewal process in integrated rate. Bursts squeeze
// the Poisson arrivals of every cycle of on+off, counted from the start of the
// phase (of each bin for counts), into its first part: the rate is (on+off)/on
// times as high there, and the mean rate is kept.
type Process struct {
	Process string         `yaml:"process" enum:"poisson|uniform|gamma|bursts" doc:"poisson: independent; uniform: evenly spaced; gamma: gaps with a given cv; bursts: on-off"`
	CV      *float64       `yaml:"cv,omitempty" doc:"gamma: standard deviation of the gaps divided by their mean, from 0.001 to 100"`
	On      *time.Duration `yaml:"on,omitempty" doc:"bursts: length of a burst; all arrivals fall into bursts and the mean rate is kept"`
	Off     *time.Duration `yaml:"off,omitempty" doc:"bursts: silence between two bursts"`
}

// Trace is recorded traffic. Exactly one of Count, Value and Timestamps is given.
//
// A column is named by its header, or by its index from 0; a number is always an
// index. The form of the times is read off the first row and holds for all rows:
// with a T or a dash a calendar time (UTC unless it has an offset), otherwise a
// number, from 1e11 on Unix milliseconds, from 1e8 on Unix seconds, and below
// seconds from the start. Unit overrides the unit of numbers.
//
// Bins start with the first row. Timestamps given as seconds from the start
// count from 0, others from the first row. A phase that is longer than its trace
// ends in silence; a shorter one cuts the trace.
type Trace struct {
	File       string         `yaml:"file" doc:"CSV file, relative to the scenario"`
	Time       string         `yaml:"time,omitempty" doc:"column with the start of each bin, by name or by index from 0: RFC 3339, 2006-01-02 15:04:05, Unix seconds or milliseconds, or seconds from the start"`
	Count      string         `yaml:"count,omitempty" doc:"column with the number of requests in each bin"`
	Value      string         `yaml:"value,omitempty" doc:"column with the rate in each bin, in requests per second"`
	Timestamps string         `yaml:"timestamps,omitempty" doc:"column with the exact instant of each request"`
	Bin        *time.Duration `yaml:"bin,omitempty" doc:"length of a bin; default: the most common distance between two rows; needed when there is no time column, and then every row is the next bin"`
	Unit       *time.Duration `yaml:"unit,omitempty" doc:"what 1 means in a column of plain numbers, such as 1m for a column that counts minutes or 1ms; default: 1s, or 1ms from 1e11 on"`
	Scale      *float64       `yaml:"scale,omitempty" doc:"factor on the rate or the counts; default 1"`
	Offset     time.Duration  `yaml:"offset,omitempty" doc:"part of the trace, in recorded time, that is skipped at its start"`
	Compress   *float64       `yaml:"compress,omitempty" doc:"how many times faster than recorded the trace is replayed, with the same number of requests; default 1"`
	Gaps       string         `yaml:"gaps,omitempty" enum:"error|zero|previous" doc:"what a missing bin means; default error"`
}

// The processes and the meanings of a gap, in the order of their enum tags.
var (
	processes = []string{"poisson", "uniform", "gamma", "bursts"}
	gapRules  = []string{"error", "zero", "previous"}
)

// UnmarshalText reads the short form, the bare name of a process.
func (p *Process) UnmarshalText(text []byte) error {
	if !slices.Contains(processes, string(text)) {
		return messages.Invalidf("", "found %q, expected one of %s", text, strings.Join(processes, ", "))
	}
	*p = Process{Process: string(text)}
	return nil
}

// WithDefaults fills in what was left out: names, the process, and a trace's
// scale, compression and gaps. The length of a trace phase stays open until the
// trace is read.
func (s Spec) WithDefaults() Spec {
	filled := slices.Clone(s)
	for i := range filled {
		p := &filled[i]
		if p.Name == "" {
			p.Name = fmt.Sprintf("phase-%d", i+1)
		}
		exact := p.Trace != nil && p.Trace.Timestamps != ""
		if p.Arrivals.Process == "" && !exact && p.Users == nil {
			p.Arrivals.Process = "poisson"
		}
		if p.Trace != nil {
			trace := p.Trace.withDefaults()
			p.Trace = &trace
		}
	}
	return filled
}

func (t Trace) withDefaults() Trace {
	one := 1.0
	if t.Scale == nil {
		t.Scale = &one
	}
	if t.Compress == nil {
		t.Compress = &one
	}
	if t.Gaps == "" && t.Timestamps == "" {
		t.Gaps = "error"
	}
	return t
}
