package traffic

import (
	"io"
	"io/fs"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/scalelab/scalelab/sim/random"
)

func ptr[T any](v T) *T { return &v }

// files are traces in memory, by name.
type files map[string]string

func (f files) open(name string) (io.ReadCloser, error) {
	text, ok := f[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

func mustNew(t testing.TB, spec Spec, f files) *Plan {
	t.Helper()
	plan, err := New(spec, f.open)
	require.NoError(t, err)
	return plan
}

// all pulls a whole replay.
func all(t testing.TB, plan *Plan, seed random.Seed) []time.Duration {
	t.Helper()
	arrivals := plan.Arrivals(seed)
	var instants []time.Duration
	for {
		at, ok := arrivals.Next()
		if !ok {
			break
		}
		instants = append(instants, at)
	}
	require.NoError(t, arrivals.Err())
	require.NoError(t, arrivals.Close())
	return instants
}

const (
	second = time.Second
	minute = time.Minute
)

// shapes have about 3,000 expected arrivals each in 100 s.
func shapes() map[string]Phase {
	return map[string]Phase{
		"constant":   {RPS: ptr(30.0)},
		"ramp up":    {Ramp: &Ramp{From: 0, To: 60}},
		"ramp down":  {Ramp: &Ramp{From: 60, To: 0}},
		"sine":       {Sine: &Sine{Mean: 30, Amplitude: 30, Period: 40 * second, Offset: 5 * second}},
		"step":       {Step: &Step{From: 10, To: 50, At: 50 * second}},
		"spike":      {Spike: &Spike{Base: 10, Peak: 60, At: 10 * second, Rise: 20 * second, Hold: 30 * second, Fall: 10 * second}},
		"sharp":      {Spike: &Spike{Base: 0, Peak: 60, Hold: 50 * second}},
		"rate trace": {Trace: &Trace{File: "rates", Time: "t", Value: "rps"}},
	}
}

func scatters() map[string]Process {
	return map[string]Process{
		"poisson":   {},
		"uniform":   {Process: "uniform"},
		"gamma 0.5": {Process: "gamma", CV: ptr(0.5)},
		"gamma 3":   {Process: "gamma", CV: ptr(3.0)},
		"bursts":    {Process: "bursts", On: ptr(2 * second), Off: ptr(5 * second)},
	}
}

var rates = files{"rates": "t,rps\n0,10\n20,0\n40,70\n60,30\n80,40\n"}

// integral is the expected number of arrivals up to t, by brute force.
func integral(plan *Plan, t time.Duration) float64 {
	sum := 0.0
	const step = 10 * time.Millisecond
	for at := time.Duration(0); at < t; at += step {
		sum += plan.Rate(at+step/2) * step.Seconds()
	}
	return sum
}

// Over 40 seeds, counts up to each of four instants stay within five standard
// errors of the integrated rate; the variance of a gamma process grows with the
// square of its cv.
func TestCountsFollowTheIntegratedRate(t *testing.T) {
	const seeds = 40
	for shape, phase := range shapes() {
		for process, scatter := range scatters() {
			t.Run(shape+" "+process, func(t *testing.T) {
				phase.For, phase.Arrivals = ptr(100*second), scatter
				plan := mustNew(t, Spec{phase}, rates)
				checkpoints := []time.Duration{7 * second, 35 * second, 70 * second, 100 * second}
				counts := make([]float64, len(checkpoints))
				for seed := range random.Seed(seeds) {
					for _, at := range all(t, plan, seed) {
						for i, end := range checkpoints {
							if at < end {
								counts[i]++
							}
						}
					}
				}
				for i, end := range checkpoints {
					expected := integral(plan, end)
					cv := 1.0
					if scatter.CV != nil {
						cv = *scatter.CV
					}
					if process == "bursts" && end%(7*second) != 0 && end != 100*second {
						continue // within a cycle its arrivals come early
					}
					assert.InDelta(t, expected, counts[i]/seeds, 5*cv*math.Sqrt(expected/seeds)+1, "up to %s", end)
				}
			})
		}
	}
}

func TestOrderAndReplay(t *testing.T) {
	for shape, phase := range shapes() {
		for process, scatter := range scatters() {
			phase.For, phase.Arrivals = ptr(100*second), scatter
			silent := Phase{For: ptr(10 * second), RPS: ptr(0.0)}
			spec := Spec{silent, phase, silent}
			plan := mustNew(t, spec, rates)
			instants := all(t, plan, 1)
			require.NotEmpty(t, instants, "%s %s", shape, process)
			previous := 10 * second
			for _, at := range instants {
				require.True(t, at >= previous && at < 110*second, "%s %s: %s after %s", shape, process, at, previous)
				previous = at
			}
			require.Equal(t, instants, all(t, plan, 1))
			require.Equal(t, instants, all(t, mustNew(t, spec, rates), 1))
			if process != "uniform" {
				require.NotEqual(t, instants, all(t, plan, 2))
			}
			// Another phase before it, of the same length, changes nothing.
			spec[0] = Phase{For: ptr(10 * second), RPS: ptr(77.0), Arrivals: Process{Process: "gamma", CV: ptr(2.0)}}
			other := all(t, mustNew(t, spec, rates), 1)
			require.Equal(t, instants, other[len(other)-len(instants):])
		}
	}
}

func TestUniformArrivalsAreExact(t *testing.T) {
	uniform := Process{Process: "uniform"}
	plan := mustNew(t, Spec{
		{For: ptr(second), RPS: ptr(4.0), Arrivals: uniform},
		{For: ptr(10 * second), Ramp: &Ramp{From: 0, To: 1}, Arrivals: uniform},
		{For: ptr(10 * second), Ramp: &Ramp{From: 1, To: 0}, Arrivals: uniform},
		{For: ptr(4 * second), Step: &Step{From: 1, To: 0.5, At: second}, Arrivals: uniform},
	}, nil)
	root := func(x float64) time.Duration { return time.Duration(math.Sqrt(x) * 1e9) }
	want := []time.Duration{
		125e6, 375e6, 625e6, 875e6, // (k + 1/2) / 4
		second + root(10), second + root(30), second + root(50), second + root(70), second + root(90), // t^2/20 = k + 1/2
	}
	for _, x := range []float64{90, 70, 50, 30, 10} { // the mirror image
		want = append(want, 21*second-root(x))
	}
	want = append(want, 21*second+500*time.Millisecond, 23*second) // 1/2, then 1 + (t-1)/2 = 3/2
	got := all(t, plan, 9)
	require.Len(t, got, len(want))
	for i := range want {
		assert.InDelta(t, want[i], got[i], 2, "arrival %d", i)
	}
}

// Evenly spaced arrivals of a sine have to sit where its integral is k + 1/2.
func TestSineIsInvertedToTheNanosecond(t *testing.T) {
	for _, s := range []Sine{
		{Mean: 50, Amplitude: 0, Period: 10 * second},
		{Mean: 50, Amplitude: 50, Period: 10 * second},
		{Mean: 50, Amplitude: 50, Period: 10 * second, Offset: 7500 * time.Millisecond},
		{Mean: 0.01, Amplitude: 0.009, Period: 7 * second, Offset: 100 * second},
		{Mean: 2, Amplitude: 2, Period: 24 * time.Hour},
	} {
		length := time.Duration(300.2 / s.Mean * 1e9)
		plan := mustNew(t, Spec{{For: &length, Sine: &s, Arrivals: Process{Process: "uniform"}}}, nil)
		w := newWave(s)
		instants := all(t, plan, 1)
		for k, at := range instants {
			below, above := w.integral(at.Seconds()-1e-8), w.integral(at.Seconds()+1e-8)
			slack := 1e-12 * (w.perTurn + float64(k))
			require.True(t, below <= float64(k)+0.5+slack && above >= float64(k)+0.5-slack, "%+v: arrival %d at %s", s, k, at)
		}
		assert.InDelta(t, w.integral(length.Seconds()), len(instants), 0.51)
	}
}

func TestCosTurns(t *testing.T) {
	for x := 0.0; x < 3; x += 0.000371 {
		assert.InDelta(t, math.Cos(2*math.Pi*x), cosTurns(x), 3e-15)
	}
	assert.Equal(t, []float64{1, 0, -1, 0, 1}, []float64{cosTurns(0), cosTurns(0.25), cosTurns(0.5), cosTurns(0.75), cosTurns(1)})
}

// With rate 10 and one second in four on, the bursts have rate 40 and nothing
// arrives between them; the last, cut cycle keeps the mean as well.
func TestBursts(t *testing.T) {
	bursts := Process{Process: "bursts", On: ptr(second), Off: ptr(3 * second)}
	plan := mustNew(t, Spec{{For: ptr(4002 * second), RPS: ptr(10.0), Arrivals: bursts}}, nil)
	instants := all(t, plan, 3)
	first := 0
	for _, at := range instants {
		into := at % (4 * second)
		require.Less(t, into, second)
		if into < second/2 {
			first++
		}
	}
	assert.InDelta(t, 40_020, len(instants), 5*200)
	assert.InDelta(t, len(instants)/2, first, 5*100)
	for _, at := range instants {
		require.False(t, at >= 4000*second+500*time.Millisecond, "the last burst is cut in proportion")
	}
}

// The gaps of a stationary gamma process have its cv, and the first arrival
// comes on average after (1 + cv^2) / 2 mean gaps.
func TestGammaGaps(t *testing.T) {
	for _, cv := range []float64{0.5, 1, 3} {
		phase := Phase{For: ptr(100 * time.Hour), RPS: ptr(1.0), Arrivals: Process{Process: "gamma", CV: &cv}}
		plan := mustNew(t, Spec{phase}, nil)
		var gaps moments
		instants := all(t, plan, 4)
		for i := 1; i < len(instants); i++ {
			gaps.add((instants[i] - instants[i-1]).Seconds())
		}
		assert.InDelta(t, 1, gaps.mean, 5*cv/600)
		assert.InDelta(t, cv, *gaps.cv(), 0.02*(1+cv*cv))
		var firsts moments
		for seed := range random.Seed(20_000) {
			at, _ := plan.Arrivals(seed).Next()
			firsts.add(at.Seconds())
		}
		deviation := *firsts.cv() * firsts.mean
		assert.InDelta(t, (1+cv*cv)/2, firsts.mean, 5*deviation/math.Sqrt(20_000))
	}
}

func TestNextDoesNotAllocate(t *testing.T) {
	for shape, phase := range shapes() {
		for process, scatter := range scatters() {
			phase.For, phase.Arrivals = ptr(100*second), scatter
			arrivals := mustNew(t, Spec{phase}, rates).Arrivals(1)
			allocs := testing.AllocsPerRun(1000, func() { arrivals.Next() })
			assert.Equal(t, 0.0, allocs, "%s %s", shape, process)
		}
	}
}

func TestWindowsTotalAndRate(t *testing.T) {
	plan := mustNew(t, Spec{
		{Name: "base", For: ptr(10 * second), RPS: ptr(8.0)},
		{For: ptr(10 * second), Ramp: &Ramp{From: 10, To: 20}},
		{For: ptr(10 * second), Step: &Step{From: 1, To: 3, At: 4 * second}},
		{For: ptr(10 * second), Sine: &Sine{Mean: 5, Amplitude: 5, Period: 20 * second}},
		{For: ptr(60 * second), Trace: &Trace{File: "counts", Time: "0", Count: "1"}},
		{Trace: &Trace{File: "stamps", Timestamps: "0", Compress: ptr(2.0)}},
	}, files{"counts": "0,30\n20,60\n", "stamps": "0\n0.5\n3\n"})
	assert.Equal(t, []Window{
		{"base", 0, 10 * second},
		{"phase-2", 10 * second, 20 * second},
		{"phase-3", 20 * second, 30 * second},
		{"phase-4", 30 * second, 40 * second},
		{"phase-5", 40 * second, 100 * second},
		{"phase-6", 100 * second, 102 * second},
	}, plan.Windows())
	assert.Equal(t, 102*second, plan.Duration())
	total, exact := plan.Total()
	// 80 + 150 + 4 + 18 + 50 + 2 * 5 * 20 / (2 pi) + 90 + 3
	assert.Equal(t, uint64(427), total)
	assert.False(t, exact)
	for at, want := range map[time.Duration]float64{
		-1: 0, 0: 8, 10*second - 1: 8, 10 * second: 10, 15 * second: 15,
		24*second - 1: 1, 24 * second: 3, 35 * second: 10,
		40 * second: 1.5, 60 * second: 3, 80 * second: 0, 99 * second: 0,
		100 * second: 4, 101 * second: 0, 101500 * time.Millisecond: 2, 102 * second: 0,
	} {
		assert.InDelta(t, want, plan.Rate(at), 1e-8, "at %s", at)
	}
	assert.Equal(t, time.Duration(0), (&Plan{}).Duration())
	assert.Equal(t, 0.0, (&Plan{}).Rate(0))
	assert.Empty(t, all(t, &Plan{}, 1))
}

func TestUserPhases(t *testing.T) {
	u := &Users{Count: 200, ThinkTime: random.Constant(5 * second)}
	plan := mustNew(t, Spec{
		{For: ptr(10 * second), RPS: ptr(1.0), Arrivals: Process{Process: "uniform"}},
		{Name: "shop", For: ptr(30 * second), Users: u},
		{For: ptr(10 * second), RPS: ptr(1.0), Arrivals: Process{Process: "uniform"}},
	}, nil)
	assert.Equal(t, []UserPhase{{Window: Window{"shop", 10 * second, 40 * second}, Users: *u, Index: 1}}, plan.Users())
	assert.Equal(t, 50*second, plan.Duration())
	assert.Equal(t, 40.0, plan.Rate(20*second), "200 users, one request in 5 s each")
	assert.Equal(t, 1.0, plan.Rate(40*second))
	total, exact := plan.Total()
	assert.Equal(t, uint64(10+1200+10), total)
	assert.False(t, exact)
	arrivals := all(t, plan, 1)
	assert.Len(t, arrivals, 20, "the users' requests are not among them")
	assert.Equal(t, 40500*time.Millisecond, arrivals[10])
	assert.Equal(t, Spec{{Name: "phase-1", For: ptr(second), Users: u}}, Spec{{For: ptr(second), Users: u}}.WithDefaults())
}

// Any valid plan gives ordered arrivals inside windows that are not silent, the
// same at every replay, and their number near the total.
func TestRandomPlans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plan, err := New(Spec(rapid.SliceOfN(rapid.Custom(drawPhase), 1, 4).Draw(t, "spec")), rates.open)
		require.NoError(t, err)
		seed := random.Seed(rapid.Uint64().Draw(t, "seed"))
		arrivals, again := plan.Arrivals(seed), plan.Arrivals(seed)
		previous, n := time.Duration(0), 0.0
		for {
			at, ok := arrivals.Next()
			replayed, _ := again.Next()
			require.Equal(t, at, replayed)
			if !ok {
				break
			}
			require.True(t, at >= previous && at < plan.Duration(), "%s after %s", at, previous)
			previous = at
			n++
		}
		total, exact := plan.Total()
		if exact {
			require.Equal(t, float64(total), n)
		}
		require.InDelta(t, float64(total), n, 8*4*math.Sqrt(float64(total))+30)
	})
}

func drawPhase(t *rapid.T) Phase {
	rate := rapid.Float64Range(0, 100)
	length := time.Duration(rapid.Int64Range(1, int64(20*second)).Draw(t, "for"))
	part := func(name string) time.Duration {
		return time.Duration(rapid.Int64Range(0, int64(length)/4).Draw(t, name))
	}
	a, b := rate.Draw(t, "a"), rate.Draw(t, "b")
	phase := Phase{For: &length}
	switch rapid.IntRange(0, 5).Draw(t, "shape") {
	case 0:
		phase.RPS = &a
	case 1:
		phase.Ramp = &Ramp{From: a, To: b}
	case 2:
		phase.Sine = &Sine{Mean: max(a, b), Amplitude: min(a, b), Period: part("period") + 1, Offset: part("offset")}
	case 3:
		phase.Step = &Step{From: a, To: b, At: part("at")}
	case 4:
		phase.Spike = &Spike{Base: min(a, b), Peak: max(a, b), At: part("at"), Rise: part("rise"), Hold: part("hold"), Fall: part("fall")}
	case 5:
		phase.Trace = &Trace{File: "rates", Time: "t", Offset: part("offset"), Compress: ptr(rapid.Float64Range(0.1, 10).Draw(t, "compress"))}
		if rapid.Bool().Draw(t, "counts") {
			phase.Trace.Count = "rps"
		} else {
			phase.Trace.Value = "rps"
		}
	}
	switch rapid.IntRange(0, 3).Draw(t, "process") {
	case 1:
		phase.Arrivals.Process = "uniform"
	case 2:
		phase.Arrivals = Process{Process: "gamma", CV: ptr(rapid.Float64Range(0.01, 4).Draw(t, "cv"))}
	case 3:
		phase.Arrivals = Process{Process: "bursts", On: ptr(part("on")/40 + 1), Off: ptr(part("off") / 40)}
	}
	return phase
}

func TestFillIsNextForMany(t *testing.T) {
	for shape, phase := range shapes() {
		for process, scatter := range scatters() {
			phase.Arrivals, phase.For = scatter, ptr(100*second)
			plan := mustNew(t, Spec{phase, {RPS: ptr(5.0), For: ptr(minute)}}, files{"rates": "t,rps\n0,20\n50,40\n"})
			want := all(t, plan, 3)
			arrivals := plan.Arrivals(3)
			var got []time.Duration
			for size := 1; ; size = size%7 + 1 {
				some := make([]time.Duration, size)
				n := arrivals.Fill(some)
				got = append(got, some[:n]...)
				if n < size {
					break
				}
			}
			assert.Equal(t, want, got, "%s, %s", shape, process)
		}
	}
}

func BenchmarkFill(b *testing.B) {
	plan := mustNew(b, Spec{{RPS: ptr(3.0), For: ptr(9 * 365 * 24 * time.Hour)}}, nil)
	arrivals := plan.Arrivals(1)
	some := make([]time.Duration, 256)
	for b.Loop() {
		if arrivals.Fill(some) < len(some) {
			arrivals = plan.Arrivals(1)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(some)), "ns/arrival")
}

func BenchmarkNext(b *testing.B) {
	bursts := Process{Process: "bursts", On: ptr(second), Off: ptr(9 * second)}
	for _, c := range []struct {
		name  string
		phase Phase
	}{
		{"constant poisson", Phase{RPS: ptr(3.0)}},
		{"constant uniform", Phase{RPS: ptr(3.0), Arrivals: Process{Process: "uniform"}}},
		{"constant gamma", Phase{RPS: ptr(3.0), Arrivals: Process{Process: "gamma", CV: ptr(2.0)}}},
		{"constant bursts", Phase{RPS: ptr(3.0), Arrivals: bursts}},
		{"ramp poisson", Phase{Ramp: &Ramp{From: 1, To: 5}}},
		{"sine poisson", Phase{Sine: &Sine{Mean: 3, Amplitude: 2, Period: time.Hour}}},
		{"counts poisson", Phase{Trace: &Trace{File: "counts", Time: "0", Count: "1"}}},
		{"timestamps", Phase{Trace: &Trace{File: "stamps", Timestamps: "0"}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			c.phase.For = ptr(9 * 365 * 24 * time.Hour)
			traces := files{"counts": "0,2000000\n1000000,3000000\n", "stamps": strings.Repeat("12.5\n", 100_000)}
			plan := mustNew(b, Spec{c.phase}, traces)
			arrivals := plan.Arrivals(1)
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := arrivals.Next(); !ok {
					arrivals = plan.Arrivals(1)
				}
			}
		})
	}
}
