package traffic

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/random"
)

func tracePhase(trace Trace) Spec { return Spec{{Name: "trace", Trace: &trace}} }

// perBin counts instants in bins of equal length.
func perBin(instants []time.Duration, bin, length time.Duration) []int {
	counts := make([]int, (length+bin-1)/bin)
	for _, at := range instants {
		counts[at/bin]++
	}
	return counts
}

const minutes = "start,requests\n2026-01-05T00:00:00Z,30\n2026-01-05T00:01:00Z,0\n2026-01-05T00:02:00Z,7\n2026-01-05T00:03:00Z,1\n"

// Whatever the process, every bin gets its count, and not one more.
func TestCountsArriveExactly(t *testing.T) {
	for process, scatter := range scatters() {
		spec := tracePhase(Trace{File: "m", Time: "start", Count: "requests"})
		spec[0].Arrivals = scatter
		plan := mustNew(t, spec, files{"m": minutes})
		assert.Equal(t, 4*minute, plan.Duration())
		for seed := range random.Seed(20) {
			instants := all(t, plan, seed)
			require.Equal(t, []int{30, 0, 7, 1}, perBin(instants, minute, 4*minute), process)
			require.IsNonDecreasing(t, instants)
		}
		total, exact := plan.Total()
		assert.Equal(t, uint64(38), total)
		assert.True(t, exact)
	}
}

func TestUniformCountsAreEvenlySpaced(t *testing.T) {
	spec := tracePhase(Trace{File: "m", Time: "0", Count: "1", Offset: 2 * minute})
	spec[0].Arrivals = Process{Process: "uniform"}
	instants := all(t, mustNew(t, spec, files{"m": "0,1\n60,1\n120,4\n180,1\n"}), 1)
	assert.Equal(t, []time.Duration{7500e6, 22500e6, 37500e6, 52500e6, 90e9}, instants)
}

func TestBurstsInCountsStayInTheirBin(t *testing.T) {
	spec := tracePhase(Trace{File: "m", Time: "start", Count: "requests"})
	spec[0].Arrivals = Process{Process: "bursts", On: ptr(5 * second), Off: ptr(35 * second)}
	for _, at := range all(t, mustNew(t, spec, files{"m": minutes}), 1) {
		require.Less(t, at%minute%(40*second), 5*second)
	}
	spec[0].Arrivals.Off = ptr(minute)
	_, err := New(spec, files{"m": minutes}.open)
	assert.EqualError(t, err, "[0].arrivals: found bursts with on + off = 1m5s, expected at most the length of a bin (1m0s), which keeps its count")
}

func TestScaleOffsetCompressAndFor(t *testing.T) {
	f := files{"m": minutes, "r": "t,rps\n0,60\n10,0\n20,600\n"}
	for name, c := range map[string]struct {
		trace  Trace
		length *time.Duration
		want   []int // per minute of the replay, or per second for rates
		total  uint64
	}{
		"half of every bin, rounded over the sum": {Trace{Scale: ptr(0.5)}, nil, []int{15, 0, 4, 0}, 19},
		"a third":                      {Trace{Scale: ptr(1.0 / 3)}, nil, []int{10, 0, 2, 1}, 13},
		"nothing":                      {Trace{Scale: ptr(0.0)}, nil, []int{0, 0, 0, 0}, 0},
		"one minute skipped":           {Trace{Offset: minute}, nil, []int{0, 7, 1}, 8},
		"half a minute skipped":        {Trace{Offset: 30 * second}, ptr(30 * second), []int{15}, 15},
		"twice as fast":                {Trace{Compress: ptr(2.0)}, nil, []int{30, 8}, 38},
		"half as fast":                 {Trace{Compress: ptr(0.5)}, ptr(4 * minute), []int{-1, -1, 0, 0}, 30},
		"cut in the third minute":      {Trace{}, ptr(2*minute + 30*second), []int{30, 0, 4}, 34},
		"cut while twice as fast":      {Trace{Compress: ptr(2.0)}, ptr(15 * second), []int{15}, 15},
		"longer than the trace":        {Trace{}, ptr(6 * minute), []int{30, 0, 7, 1, 0, 0}, 38},
		"less than 1 ns of a bin left": {Trace{Offset: minute - 1, Compress: ptr(7.0)}, ptr(minute), []int{8}, 8},
	} {
		t.Run(name, func(t *testing.T) {
			c.trace.File, c.trace.Time, c.trace.Count = "m", "start", "requests"
			spec := tracePhase(c.trace)
			spec[0].For = c.length
			plan := mustNew(t, spec, f)
			got := perBin(all(t, plan, 5), minute, plan.Duration())
			if c.want[0] < 0 { // one recorded minute over two
				got[0], got[1] = -1, got[0]+got[1]-31
			}
			assert.Equal(t, c.want, got)
			total, exact := plan.Total()
			assert.True(t, exact)
			assert.Equal(t, c.total, total)
		})
	}
	plan := mustNew(t, tracePhase(Trace{File: "r", Time: "t", Value: "rps", Scale: ptr(0.5), Compress: ptr(2.0), Offset: 5 * second}), f)
	assert.Equal(t, 12500*time.Millisecond, plan.Duration())
	assert.Equal(t, []float64{60, 0, 600}, []float64{plan.Rate(0), plan.Rate(2500e6), plan.Rate(7500e6)})
	total, exact := plan.Total()
	assert.Equal(t, uint64(150+3000), total)
	assert.False(t, exact)
}

// The sum is round(scale * sum), and no bin is off by more than one.
func TestScaledCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		counts := rapid.SliceOfN(rapid.Float64Range(0, 50), 2, 30).Draw(t, "counts")
		scale := rapid.Float64Range(0, 3).Draw(t, "scale")
		r := &recording{counts: true, bin: minute}
		sum := 0.0
		for _, c := range counts {
			r.values = append(r.values, float64(int(c)))
			sum += float64(int(c))
		}
		b, err := newBins(r, Trace{Scale: &scale, Compress: ptr(1.0)}, nil)
		require.NoError(t, err)
		total := 0.0
		for i, v := range b.values {
			require.InDelta(t, scale*r.values[i], v, 1+1e-9)
			total += v
		}
		require.InDelta(t, scale*sum, total, 0.5+1e-9)
	})
}

func TestFormsOfFilesAndTimes(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		trace Trace
		bins  []int
		bin   time.Duration
	}{
		"byte order mark and CRLF":      {"\xef\xbb\xbft,n\r\n0,2\r\n60,3\r\n", Trace{Time: "t", Count: "n"}, []int{2, 3}, minute},
		"last line without newline":     {"t,n\n0,2\n60,3", Trace{Time: "t", Count: "n"}, []int{2, 3}, minute},
		"no header":                     {"0,2\n60,3\n", Trace{Time: "0", Count: "1"}, []int{2, 3}, minute},
		"a header skipped with indexes": {"t,n\n0,2\n60,3\n", Trace{Time: "0", Count: "1"}, []int{2, 3}, minute},
		"columns in another order":      {"n , x,t\n2,a,0\n3,b,60\n", Trace{Time: "t", Count: "n"}, []int{2, 3}, minute},
		"whole numbers as floats":       {"2014-04-10 00:04:00,94.0\n2014-04-10 00:09:00,1e1\n", Trace{Time: "0", Count: "1"}, []int{94, 10}, 5 * minute},
		"Unix seconds":                  {"1700000000,2\n1700000030,3\n", Trace{Time: "0", Count: "1"}, []int{2, 3}, 30 * second},
		"Unix seconds as floats":        {"1.7e9,2\n1700000030.0,3\n", Trace{Time: "0", Count: "1"}, []int{2, 3}, 30 * second},
		"Unix milliseconds":             {"1700000000500,2\n1700000001000,3\n", Trace{Time: "0", Count: "1"}, []int{2, 3}, second / 2},
		"times with a zone":             {"2026-01-05T01:00:00+01:00,2\n2026-01-05T00:00:10Z,3\n", Trace{Time: "0", Count: "1"}, []int{2, 3}, 10 * second},
		"minutes counted from 1":        {"minute,n\n1,2\n2,3\n", Trace{Time: "minute", Count: "n", Unit: ptr(minute)}, []int{2, 3}, minute},
		"rows without times":            {"n\n2\n3\n", Trace{Count: "n", Bin: ptr(minute)}, []int{2, 3}, minute},
		"one row with its length":       {"n\n2\n", Trace{Count: "n", Bin: ptr(minute)}, []int{2}, minute},
		"hole as silence":               {"0,2\n10,3\n40,4\n", Trace{Time: "0", Count: "1", Gaps: "zero"}, []int{2, 3, 0, 0, 4}, 10 * second},
		"hole as before":                {"0,2\n10,3\n40,4\n", Trace{Time: "0", Count: "1", Gaps: "previous"}, []int{2, 3, 3, 3, 4}, 10 * second},
		"bin shorter than every gap":    {"0,2\n30,3\n", Trace{Time: "0", Count: "1", Bin: ptr(10 * second), Gaps: "zero"}, []int{2, 0, 0, 3}, 10 * second},
		"quoted cells and empty lines":  {"\"t\",\"n\"\n\n\"0\",\"2\"\n\n60, 3 \n", Trace{Time: "t", Count: "n"}, []int{2, 3}, minute},
	} {
		t.Run(name, func(t *testing.T) {
			c.trace.File = "x.csv"
			plan := mustNew(t, tracePhase(c.trace), files{"x.csv": c.text})
			assert.Equal(t, time.Duration(len(c.bins))*c.bin, plan.Duration())
			assert.Equal(t, c.bins, perBin(all(t, plan, 1), c.bin, plan.Duration()))
		})
	}
}

func TestTraceErrors(t *testing.T) {
	counts := Trace{Time: "t", Count: "n"}
	stamps := Trace{Timestamps: "t"}
	for name, c := range map[string]struct {
		text  string
		trace Trace
		want  string
	}{
		"empty file":             {"", counts, "file: x.csv:1:1: found no rows, expected a CSV table"},
		"header only":            {"t,n\n", counts, "file: x.csv:1:1: found a header only, expected rows"},
		"header only, stamps":    {"t,n\n", stamps, "file: x.csv:1:1: found a header only, expected rows"},
		"unknown column":         {"a,b\n1,2\n", counts, `count: found "n", expected one of the columns "a", "b", or an index from 0`},
		"many unknown columns":   {"a,b,c,d,e,f,g,h,i,j,k,l,m\n", stamps, `timestamps: found "t", expected one of the columns "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", ..., or an index from 0`},
		"index too large":        {"1,2\n", Trace{Time: "0", Count: "7"}, "count: found column 7, expected 0 to 1: the file has 2 columns"},
		"two columns of a name":  {"t,n,n\n1,2,3\n", counts, `count: found "n" as columns 1 and 2, expected an index that says which`},
		"row too short":          {"t,n\n0,1\n60\n", counts, "file: x.csv:3:1: found a row of 1 columns, expected 2 as in the first row"},
		"broken quotes":          {"t,n\n0,\"1\n", counts, "file: x.csv:2:6: found broken CSV: extraneous or missing \" in quoted-field"},
		"word for a count":       {"t,n\n0,1\n60,many\n", counts, `file: x.csv:3:4: found "many", expected a number`},
		"empty cell":             {"t,n\n0,\n", counts, `file: x.csv:2:3: found "", expected a number`},
		"count not a number":     {"t,n\n0,NaN\n", counts, `file: x.csv:2:3: found "NaN", expected a number`},
		"negative count":         {"t,n\n0,-1\n", counts, "file: x.csv:2:3: found -1, expected 0 or more"},
		"fraction of a request":  {"t,n\n0,1.5\n", counts, "file: x.csv:2:3: found 1.5, expected a whole number of requests; a rate per second is given by value"},
		"huge count":             {"t,n\n0,1e300\n", counts, "file: x.csv:2:3: found 1e300, expected at most 1e+12 requests in a bin"},
		"count beyond floats":    {"t,n\n0,1e999\n", counts, "file: x.csv:2:3: found 1e999, expected at most 1e+12 requests in a bin"},
		"huge rate":              {"t,n\n0,1e10\n", Trace{Time: "t", Value: "n"}, "file: x.csv:2:3: found 1e10, expected at most 1e+09 requests per second"},
		"huge rate after scale":  {"t,n\n0,1e9\n1,1\n", Trace{Time: "t", Value: "n", Scale: ptr(2.0)}, "scale: found a rate of 2e+09 requests per second after scale and compress, expected at most 1e+09"},
		"huge count after scale": {"t,n\n0,1e12\n1,1\n", Trace{Time: "t", Count: "n", Scale: ptr(2.0)}, "scale: found 2, which makes a bin of 2e+12 requests, expected at most 1e+12"},
		"word for a time":        {"t,n\nnoon,1\n", counts, `file: x.csv:2:1: found "noon", expected ` + timeForms},
		"another form of time":   {"t,n\n2026-01-05 00:00:00,1\n60,1\n", counts, `file: x.csv:3:1: found "60", expected a time like 2006-01-02 15:04:05, the form of the first row`},
		"time not a number":      {"t,n\n0,1\nNaN,1\n", counts, `file: x.csv:3:1: found "NaN", expected a number`},
		"first time NaN":         {"t\nNaN\n", stamps, `file: x.csv:2:1: found "NaN", expected a number`},
		"negative time":          {"t\n-1\n", stamps, "file: x.csv:2:1: found -1, expected 0 or more"},
		"huge time":              {"t\n0\n1e300\n", stamps, "file: x.csv:3:1: found 1e300, expected an instant before the year 2116"},
		"Unix nanoseconds":       {"t\n1700000000000000000\n", stamps, "file: x.csv:2:1: found 1700000000000000000, expected an instant before the year 2116"},
		"year outside":           {"t\n1066-10-14 09:00:00\n", stamps, `file: x.csv:2:1: found "1066-10-14 09:00:00", expected a year from 1970 to 2115`},
		"same time twice":        {"t,n\n0,1\n0,2\n", counts, "file: x.csv:3:1: found 0s after 0s, expected a later time than in the row before"},
		"time backwards":         {"t\n2023-11-16 18:17:04.5\n2023-11-16 18:17:03.9799600\n", stamps, "file: x.csv:3:1: found 2023-11-16 18:17:03.97996 after 2023-11-16 18:17:04.5, expected no earlier time than in the row before"},
		"hole":                   {"t,n\n2014-04-10 00:04:00,1\n2014-04-10 00:09:00,1\n2014-04-10 00:24:00,1\n2014-04-10 00:29:00,1\n", counts, "file: x.csv:4:1: found a hole between 2014-04-10 00:09:00 and 2014-04-10 00:24:00, 2 missing bins of 5m0s, expected none; gaps: zero fills it with silence, gaps: previous with the bin before"},
		"crooked gap":            {"t,n\n0,1\n60,1\n119,1\n179,1\n", counts, "file: x.csv:4:1: found 1m59s, 59s after 1m0s, expected a multiple of the bin's 1m0s"},
		"minutes as seconds":     {"t,n\n0,1\n1,1\n", Trace{Time: "t", Count: "n", Bin: ptr(minute)}, "file: x.csv:3:1: found 1s, 1s after 0s, expected a multiple of the bin's 1m0s; if the column counts bins, say unit: 1m0s"},
		"endless hole":           {"t,n\n0,1\n1,1\n20000000,1\n", Trace{Time: "t", Count: "n", Gaps: "zero"}, "file: x.csv:4:1: found 5555h33m20s after 1s, 19999998 missing bins of 1s, expected at most 10000000 bins"},
		"one row without bin":    {"t,n\n0,1\n", counts, "bin: found none, expected the length of a bin: a file of one row does not show it"},
		"unit with dates":        {"t,n\n2026-01-05 00:00:00,1\n", Trace{Time: "t", Count: "n", Unit: ptr(minute)}, `file: x.csv:2:1: found "2026-01-05 00:00:00", expected a plain number: unit is given`},
		"offset beyond the end":  {"t,n\n0,1\n60,1\n", Trace{Time: "t", Count: "n", Offset: 2 * minute}, "offset: found 2m0s, expected less than the trace's 2m0s"},
		"offset leaves nothing":  {"t,n\n0,1\n60,1\n", Trace{Time: "t", Count: "n", Offset: 2*minute - 1}, "offset: found 1m59.999999999s of a trace of 2m0s, expected to leave more of it"},
		"offset beyond a stamp":  {"t\n0\n60\n", Trace{Timestamps: "t", Offset: 2 * minute}, "offset: found 2m0s, expected at most the trace's 1m0s"},
		"compressed to nothing":  {"t,n\n0,1\n0.1,1\n", Trace{Time: "t", Count: "n", Compress: ptr(1e6)}, "compress: found 1e+06, expected less: it makes bins of 100ms shorter than 1µs"},
		"stretched too far":      {"t,n\n0,1\n1000,1\n", Trace{Time: "t", Count: "n", Compress: ptr(1e-6)}, "file: found a trace of 33m20s to be replayed, expected at most 10 years; for cuts it"},
		"a stamp too far off":    {"t\n0\n3e9\n", Trace{Timestamps: "t", Unit: ptr(time.Millisecond), Compress: ptr(1e-6)}, "file: x.csv:3:1: found 833h20m0s, 175200h0m0s after the start of the replay, expected at most 10 years"},
		"bins of a century":      {"n\n" + strings.Repeat("1\n", 11), Trace{Count: "n", Bin: ptr(maxLength)}, "file: found 11 bins of 87600h0m0s, expected at most 100 years"},
	} {
		t.Run(name, func(t *testing.T) {
			c.trace.File = "x.csv"
			_, err := New(tracePhase(c.trace), files{"x.csv": c.text}.open)
			require.EqualError(t, err, "[0].trace."+c.want)
			var invalid *messages.Invalid
			assert.ErrorAs(t, err, &invalid)
		})
	}
	_, err := New(tracePhase(Trace{File: "y.csv", Timestamps: "t"}), files{}.open)
	assert.EqualError(t, err, "[0].trace.file: cannot be opened: file does not exist")
	_, err = New(tracePhase(Trace{File: "y.csv", Timestamps: "t"}), nil)
	assert.EqualError(t, err, `[0].trace.file: found "y.csv", expected no trace: files cannot be opened here`)
}

const stampsText = "when,tokens\n2023-11-16 18:17:03.9799600,1\n2023-11-16 18:17:04.0319600,2\n2023-11-16 18:17:04.0319600,2\n2023-11-16 18:17:13.9799601,3\n"

func TestTimestampsAreReplayedExactly(t *testing.T) {
	f := files{"s": stampsText, "offsets": "t_ms\n1500\n2250.5\n1e4\n"}
	for name, c := range map[string]struct {
		trace  Trace
		length *time.Duration
		want   []time.Duration
		lasts  time.Duration
	}{
		"as recorded":        {Trace{File: "s", Timestamps: "when"}, nil, []time.Duration{0, 52e6, 52e6, 10_000_000_100}, 11 * second},
		"twice as fast":      {Trace{File: "s", Timestamps: "when", Compress: ptr(2.0)}, nil, []time.Duration{0, 26e6, 26e6, 5_000_000_050}, 6 * second},
		"start skipped":      {Trace{File: "s", Timestamps: "0", Offset: second / 50}, nil, []time.Duration{32e6, 32e6, 9_980_000_100}, 10 * second},
		"cut":                {Trace{File: "s", Timestamps: "when"}, ptr(10 * second), []time.Duration{0, 52e6, 52e6}, 10 * second},
		"longer":             {Trace{File: "s", Timestamps: "when"}, ptr(minute), []time.Duration{0, 52e6, 52e6, 10_000_000_100}, minute},
		"counted from start": {Trace{File: "offsets", Timestamps: "t_ms", Unit: ptr(time.Millisecond)}, nil, []time.Duration{1500e6, 2250500 * time.Microsecond, 10 * second}, 11 * second},
	} {
		t.Run(name, func(t *testing.T) {
			spec := append(Spec{{For: ptr(second), RPS: ptr(0.0)}}, tracePhase(c.trace)...)
			spec[1].For = c.length
			spec = append(spec, Phase{For: ptr(second), RPS: ptr(1.0), Arrivals: Process{Process: "uniform"}})
			plan := mustNew(t, spec, f)
			assert.Equal(t, c.lasts, plan.Windows()[1].To-second)
			instants := all(t, plan, 1)
			for i := range c.want {
				c.want[i] += second
			}
			assert.Equal(t, append(c.want, second+c.lasts+second/2), instants)
			assert.Equal(t, instants, all(t, plan, 2))
		})
	}
}

// tracked counts how many files are open.
func tracked(f Opener, opened *int) Opener {
	return func(name string) (io.ReadCloser, error) {
		r, err := f(name)
		if err != nil {
			return nil, err
		}
		*opened++
		return &trackedFile{r, opened}, nil
	}
}

type trackedFile struct {
	io.ReadCloser
	opened *int
}

func (f *trackedFile) Close() error {
	*f.opened--
	return f.ReadCloser.Close()
}

func TestFilesAreClosed(t *testing.T) {
	opened := 0
	plan, err := New(tracePhase(Trace{File: "s", Timestamps: "when"}), tracked(files{"s": stampsText}.open, &opened))
	require.NoError(t, err)
	assert.Equal(t, 0, opened)
	all(t, plan, 1)
	assert.Equal(t, 0, opened)

	arrivals := plan.Arrivals(1)
	_, ok := arrivals.Next()
	assert.True(t, ok)
	assert.Equal(t, 1, opened)
	require.NoError(t, arrivals.Close())
	assert.Equal(t, 0, opened)
	_, ok = arrivals.Next()
	assert.False(t, ok)
	require.NoError(t, arrivals.Err())
	require.NoError(t, arrivals.Close())
	_, err = New(tracePhase(Trace{File: "s", Timestamps: "what"}), tracked(files{"s": stampsText}.open, &opened))
	assert.Error(t, err)
	assert.Equal(t, 0, opened)
}

func TestAFileThatChangesBetweenTheCheckAndTheReplay(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		n    int
		want string
	}{
		"gone":      {"", 0, `traffic phase "trace": file: cannot be opened: gone`},
		"shorter":   {"when,tokens\n1,1\n", 1, `traffic phase "trace": s has changed: found 1 rows, expected 4 as when it was checked`},
		"backwards": {"when,tokens\n5,1\n4,1\n", 1, `traffic phase "trace": s:3:1: found 4s after 5s, expected no earlier time than in the row before`},
	} {
		t.Run(name, func(t *testing.T) {
			f := files{"s": stampsText}
			plan, err := New(tracePhase(Trace{File: "s", Timestamps: "when"}), func(name string) (io.ReadCloser, error) {
				if f[name] == "" {
					return nil, errors.New("gone")
				}
				return f.open(name)
			})
			require.NoError(t, err)
			f["s"] = c.text
			arrivals := plan.Arrivals(1)
			n := 0
			for _, ok := arrivals.Next(); ok; _, ok = arrivals.Next() {
				n++
			}
			assert.Equal(t, c.n, n)
			assert.EqualError(t, arrivals.Err(), c.want)
			_, ok := arrivals.Next()
			assert.False(t, ok)
		})
	}
}

type brokenReader struct{ io.Reader }

func (brokenReader) Close() error { return nil }

func TestReadErrorsAreNotTheEndOfTheFile(t *testing.T) {
	broken := func(string) (io.ReadCloser, error) {
		return brokenReader{io.MultiReader(strings.NewReader("t,n\n0,1\n"), errReader{})}, nil
	}
	_, err := New(tracePhase(Trace{File: "s", Timestamps: "t"}), broken)
	assert.EqualError(t, err, "[0].trace.file: reading s: disk on fire")
	_, err = New(tracePhase(Trace{File: "s", Time: "t", Count: "n"}), broken)
	assert.EqualError(t, err, "[0].trace.file: reading s: disk on fire")
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("disk on fire") }

// shared opens the real traces that lie beside the repository, if they do.
func shared(t *testing.T, name string) Opener {
	path := filepath.Join("..", "..", "..", "shared", "traces", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the real traces are not there: %v", err)
	}
	return func(string) (io.ReadCloser, error) { return os.Open(path) }
}

func TestRealTraces(t *testing.T) {
	for name, c := range map[string]struct {
		trace Trace
		total uint64
		lasts time.Duration
	}{
		"nab/elb_request_count_8c0756.csv":                 {Trace{Time: "timestamp", Count: "value", Gaps: "zero"}, 249_327, 0},
		"azure-llm-2023/AzureLLMInferenceTrace_code.csv":   {Trace{Timestamps: "TIMESTAMP"}, 8_819, 0},
		"azure-llm-2023/AzureLLMInferenceTrace_conv.csv":   {Trace{Timestamps: "0"}, 19_366, 0},
		"nasa-http-per-minute/requests_per_minute.csv":     {Trace{Time: "minute", Unit: ptr(minute), Count: "requests"}, 3_461_610, 84_333 * minute},
		"mooncake-llm/conversation_arrivals.csv":           {Trace{Timestamps: "t_ms", Unit: ptr(time.Millisecond)}, 12_031, 0},
		"nasa-http-per-minute/requests_per_minute.csv?bin": {Trace{Bin: ptr(minute), Count: "requests"}, 3_461_610, 84_333 * minute},
	} {
		t.Run(name, func(t *testing.T) {
			c.trace.File = name
			name, _, _ = strings.Cut(name, "?")
			plan, err := New(tracePhase(c.trace), shared(t, name))
			require.NoError(t, err)
			total, exact := plan.Total()
			assert.Equal(t, c.total, total)
			assert.True(t, exact)
			if c.lasts > 0 {
				assert.Equal(t, c.lasts, plan.Duration())
			}
			arrivals := plan.Arrivals(42)
			n, previous := uint64(0), time.Duration(0)
			for at, ok := arrivals.Next(); ok; at, ok = arrivals.Next() {
				if at < previous || at >= plan.Duration() {
					t.Fatalf("%s after %s", at, previous)
				}
				previous = at
				n++
			}
			require.NoError(t, arrivals.Err())
			assert.Equal(t, c.total, n)
		})
	}
	_, err := New(tracePhase(Trace{File: "elb.csv", Time: "timestamp", Count: "value"}), shared(t, "nab/elb_request_count_8c0756.csv"))
	assert.ErrorContains(t, err, "[0].trace.file: elb.csv:")
	assert.ErrorContains(t, err, "gaps: zero fills it with silence")
}

// Any file gives a plan whose replay keeps its total and order, or an error.
func FuzzTrace(f *testing.F) {
	for _, text := range []string{minutes, stampsText, "", "t,n\n", "0,1\n60,2\n", "\xef\xbb\xbfa,b\r\n1,2\r\n3,4", "\"a\n", "0,NaN\n", "1e300,1\n2e300,2\n", "0,1e300\n", "0,1\n1,1\n9e7,1\n", "1700000000.5,3\n1700000001.5,3\n"} {
		f.Add(text, false)
		f.Add(text, true)
	}
	f.Fuzz(func(t *testing.T, text string, exact bool) {
		trace := Trace{File: "x", Time: "0", Count: "1", Gaps: "zero"}
		if exact {
			trace = Trace{File: "x", Timestamps: "0"}
		}
		plan, err := New(tracePhase(trace), files{"x": text}.open)
		if err != nil {
			var invalid *messages.Invalid
			require.ErrorAs(t, err, &invalid)
			return
		}
		want, isExact := plan.Total()
		require.True(t, isExact)
		if want > 10_000 {
			return
		}
		arrivals := plan.Arrivals(1)
		n, previous := uint64(0), time.Duration(0)
		for at, ok := arrivals.Next(); ok; at, ok = arrivals.Next() {
			require.True(t, at >= previous && at < plan.Duration())
			previous = at
			n++
		}
		require.NoError(t, arrivals.Err())
		require.Equal(t, want, n)
		_, err = Inspect(Trace{File: "x", Time: trace.Time, Count: trace.Count, Timestamps: trace.Timestamps}, files{"x": text}.open)
		require.NoError(t, err)
	})
}
