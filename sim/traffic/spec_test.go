package traffic

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/random"
)

func TestValidateRefuses(t *testing.T) {
	constant := Phase{For: ptr(minute), RPS: ptr(1.0)}
	with := func(change func(*Phase)) Spec {
		p := constant
		change(&p)
		return Spec{p}
	}
	arrivals := func(p Process) Spec { return with(func(q *Phase) { q.Arrivals = p }) }
	shaped := func(p Phase) Spec {
		p.For = ptr(minute)
		return Spec{p}
	}
	users := func(u Users) Spec { return shaped(Phase{Users: &u}) }
	traced := func(trace Trace) Spec {
		trace.File = "x"
		return tracePhase(trace)
	}
	for name, c := range map[string]struct {
		spec Spec
		want string
	}{
		"no phase":              {Spec{}, "found no phase, expected at least one"},
		"no shape":              {Spec{{For: ptr(minute)}}, "[0]: found no shape, expected one of rps, ramp, sine, step, spike, trace, users"},
		"two shapes":            {with(func(p *Phase) { p.Ramp = &Ramp{} }), "[0].ramp: found rps and ramp together, expected one of them"},
		"no length":             {Spec{{RPS: ptr(1.0)}}, "[0].for: found none, expected how long the phase lasts"},
		"negative length":       {with(func(p *Phase) { p.For = ptr(-minute) }), "[0].for: found -1m0s, expected more than 0s"},
		"endless length":        {with(func(p *Phase) { p.For = ptr(maxLength + 1) }), "[0].for: found 87600h0m0.000000001s, expected at most 10 years"},
		"endless sum":           {Spec{{For: ptr(maxLength), RPS: ptr(1.0)}, constant}, "[1].for: found phases of 87600h1m0s in all, expected at most 10 years"},
		"same name":             {Spec{{Name: "phase-2", For: ptr(minute), RPS: ptr(1.0)}, constant}, `[1].name: found "phase-2", which is the name of [0] already, expected a name of its own`},
		"negative rate":         {with(func(p *Phase) { p.RPS = ptr(-1.0) }), "[0].rps: found -1, expected 0 to 1e+09 requests per second"},
		"rate not a number":     {with(func(p *Phase) { p.RPS = ptr(math.NaN()) }), "[0].rps: found NaN, expected 0 to 1e+09 requests per second"},
		"infinite rate":         {shaped(Phase{Ramp: &Ramp{To: math.Inf(1)}}), "[0].ramp.to: found +Inf, expected 0 to 1e+09 requests per second"},
		"ramp from below zero":  {shaped(Phase{Ramp: &Ramp{From: -1}}), "[0].ramp.from: found -1, expected 0 to 1e+09 requests per second"},
		"sine below zero":       {shaped(Phase{Sine: &Sine{Mean: 1, Amplitude: 2, Period: 1}}), "[0].sine.amplitude: found 2, expected 0 to the mean (1)"},
		"sine without period":   {shaped(Phase{Sine: &Sine{Mean: 1, Amplitude: 1, Offset: -1}}), "[0].sine.period: found 0s, expected more than 0s and at most 10 years\n[0].sine.offset: found -1ns, expected 0s to 87600h0m0s"},
		"step after the end":    {shaped(Phase{Step: &Step{From: -1, To: 2e9, At: 2 * minute}}), "[0].step.from: found -1, expected 0 to 1e+09 requests per second\n[0].step.to: found 2e+09, expected 0 to 1e+09 requests per second\n[0].step.at: found 2m0s, expected 0s to 1m0s"},
		"spike too long":        {shaped(Phase{Spike: &Spike{Peak: 1, At: 30 * second, Rise: 10 * second, Hold: 10 * second, Fall: 11 * second}}), "[0].spike: found at + rise + hold + fall = 1m1s, expected at most the phase's 1m0s"},
		"spike upside down":     {shaped(Phase{Spike: &Spike{Base: 2, Peak: 1}}), "[0].spike.peak: found 1, expected at least the base (2)"},
		"unknown process":       {arrivals(Process{Process: "poison"}), `[0].arrivals.process: found "poison", expected one of poisson, uniform, gamma, bursts`},
		"gamma without cv":      {arrivals(Process{Process: "gamma"}), "[0].arrivals.cv: found none, expected it: gamma needs it"},
		"gamma with cv 0":       {arrivals(Process{Process: "gamma", CV: ptr(0.0)}), "[0].arrivals.cv: found 0, expected 0.001 to 100"},
		"cv without gamma":      {arrivals(Process{CV: ptr(1.0)}), "[0].arrivals.cv: found a field that does not belong here, expected none: only gamma has it"},
		"bursts without on":     {arrivals(Process{Process: "bursts", Off: ptr(second)}), "[0].arrivals.on: found none, expected it: bursts needs it"},
		"bursts that never are": {arrivals(Process{Process: "bursts", On: ptr(time.Duration(0)), Off: ptr(-second)}), "[0].arrivals.on: found 0s, expected more than 0s and at most 10 years\n[0].arrivals.off: found -1s, expected 0s to 87600h0m0s"},
		"trace without a file":  {tracePhase(Trace{Timestamps: "t"}), "[0].trace.file: found none, expected a CSV file"},
		"no column":             {traced(Trace{}), "[0].trace: found no column, expected one of count, value, timestamps"},
		"two columns":           {traced(Trace{Count: "a", Value: "b"}), "[0].trace.value: found count and value together, expected one of them"},
		"bins without time":     {traced(Trace{Count: "a", Unit: ptr(second)}), "[0].trace.time: found none, expected the column with the start of each bin, or bin, the length of a bin\n[0].trace.unit: found 1s, expected none without a time column"},
		"scaled timestamps":     {traced(Trace{Timestamps: "t", Scale: ptr(2.0)}), "[0].trace.scale: found 2, expected 1: timestamps are exact instants; use compress to make them denser"},
		"binned timestamps":     {traced(Trace{Timestamps: "t", Time: "t", Bin: ptr(second), Gaps: "zero"}), "[0].trace.time: found \"t\", expected none: timestamps are exact instants\n[0].trace.bin: found 1s, expected none: timestamps are exact instants\n[0].trace.gaps: found \"zero\", expected none: timestamps are exact instants"},
		"scattered timestamps":  {Spec{{Trace: &Trace{File: "x", Timestamps: "t"}, Arrivals: Process{Process: "poisson"}}}, "[0].arrivals: found poisson, expected none: timestamps are exact instants"},
		"no users":              {users(Users{ThinkTime: random.Constant(second)}), "[0].users.count: found 0, expected 1 to 1000000"},
		"users of no thought":   {users(Users{Count: 1, ThinkTime: random.Constant(0)}), "[0].users.thinkTime: found a mean of 0s, expected at least 1ms"},
		"odd thoughts":          {users(Users{Count: 1}), "[0].users.thinkTime.dist: found \"\", expected one of constant, exponential, uniform, lognormal, gamma, weibull, empirical"},
		"scattered users":       {Spec{{For: ptr(minute), Users: &Users{Count: 1, ThinkTime: random.Constant(second)}, Arrivals: Process{Process: "uniform"}}}, "[0].arrivals: found uniform, expected none: users send when they have thought"},
		"users without an end":  {Spec{{Users: &Users{Count: 1, ThinkTime: random.Constant(second)}}}, "[0].for: found none, expected how long the phase lasts"},
		"users and a rate":      {with(func(p *Phase) { p.Users = &Users{} }), "[0].users: found rps and users together, expected one of them"},
		"too many users in all": {append(users(Users{Count: 600_000, ThinkTime: random.Constant(second)}), users(Users{Count: 600_000, ThinkTime: random.Constant(second)})...), "[1].users.count: found 1200000 users in all, expected at most 1000000"},
		"odd numbers": {traced(Trace{Time: "t", Count: "n", Scale: ptr(math.NaN()), Compress: ptr(0.0), Offset: -1, Bin: ptr(time.Nanosecond), Unit: ptr(-second), Gaps: "skip"}),
			"[0].trace.offset: found -1ns, expected 0s to 876000h0m0s\n[0].trace.bin: found 1ns, expected 1µs to 10 years\n[0].trace.unit: found -1s, expected more than 0s and at most 10 years\n[0].trace.scale: found NaN, expected 0 to 1e+06\n[0].trace.compress: found 0, expected 1e-06 to 1e+06\n[0].trace.gaps: found \"skip\", expected one of error, zero, previous"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(c.spec, nil)
			require.EqualError(t, err, c.want)
			var invalid *messages.Invalid
			assert.ErrorAs(t, err, &invalid)
		})
	}
}

func TestPhasesLongerThanTenYearsByTheirTraces(t *testing.T) {
	year := 365 * 24 * time.Hour
	phase := Phase{Trace: &Trace{File: "n", Count: "n", Bin: ptr(6 * year)}}
	_, err := New(Spec{phase, phase}, files{"n": "n\n1\n"}.open)
	assert.EqualError(t, err, "[1]: found phases of 105120h0m0s in all, expected at most 10 years")
}

func TestProcessByItsBareName(t *testing.T) {
	var phase Phase
	require.NoError(t, yaml.Unmarshal([]byte("{for: 1m, rps: 3, arrivals: uniform}"), &phase))
	assert.Equal(t, Phase{For: ptr(minute), RPS: ptr(3.0), Arrivals: Process{Process: "uniform"}}, phase)
	var p Process
	assert.EqualError(t, p.UnmarshalText([]byte("unifrom")), `found "unifrom", expected one of poisson, uniform, gamma, bursts`)
	assert.Equal(t, Process{}, p)
}

// Defaults are filled into a copy, and a Spec that is filled in stays valid.
func TestDefaults(t *testing.T) {
	spec := Spec{
		{For: ptr(minute), RPS: ptr(1.0)},
		{Name: "peak", Trace: &Trace{File: "x", Bin: ptr(minute), Count: "n"}},
		{Trace: &Trace{File: "x", Timestamps: "t"}},
	}
	filled := spec.WithDefaults()
	assert.Equal(t, Spec{
		{Name: "phase-1", For: ptr(minute), RPS: ptr(1.0), Arrivals: Process{Process: "poisson"}},
		{Name: "peak", Arrivals: Process{Process: "poisson"},
			Trace: &Trace{File: "x", Bin: ptr(minute), Count: "n", Scale: ptr(1.0), Compress: ptr(1.0), Gaps: "error"}},
		{Name: "phase-3", Trace: &Trace{File: "x", Timestamps: "t", Scale: ptr(1.0), Compress: ptr(1.0)}},
	}, filled)
	assert.Equal(t, Trace{File: "x", Timestamps: "t"}, *spec[2].Trace)
	assert.NoError(t, filled.Validate())
	assert.Equal(t, filled, filled.WithDefaults())
}
