package traffic

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInspect(t *testing.T) {
	f := files{
		"holes":  "t,n\n2026-01-05 00:00:00,6\n2026-01-05 00:01:00,2\n2026-01-05 00:05:00,4\n",
		"rates":  "t,rps\n0,10\n20,0\n40,80\n",
		"stamps": "0.5\n1\n1.25\n4\n",
		"silent": "n\n0\n0\n",
	}
	for name, c := range map[string]struct {
		trace Trace
		want  Summary
	}{
		"counts with a hole": {Trace{File: "holes", Time: "t", Count: "n", Scale: ptr(9.0)}, Summary{
			Kind: "counts", Rows: 3, First: "2026-01-05 00:00:00", Last: "2026-01-05 00:05:00",
			Length: 6 * minute, Bin: minute, Holes: []Hole{{Line: 4, After: "2026-01-05 00:01:00", Before: "2026-01-05 00:05:00", Missing: 3}},
			Requests: 12, MeanRate: 4.0 / 60, PeakRate: 0.1, PeakToMean: ptr(1.5), Dispersion: ptr(1.0),
		}},
		"rates": {Trace{File: "rates", Time: "t", Value: "rps"}, Summary{
			Kind: "rates", Rows: 3, First: "0s", Last: "40s", Length: minute, Bin: 20 * second,
			Requests: 1800, MeanRate: 30, PeakRate: 80, PeakToMean: ptr(80.0 / 30),
		}},
		"timestamps": {Trace{File: "stamps", Timestamps: "0"}, Summary{
			Kind: "timestamps", Rows: 4, First: "500ms", Last: "4s", Length: 3500 * time.Millisecond,
			Requests: 4, MeanRate: 4 / 3.5, PeakRate: 3, PeakToMean: ptr(2.625),
			GapCV: ptr(math.Sqrt((math.Pow(0.5-3.5/3, 2)+math.Pow(0.25-3.5/3, 2)+math.Pow(2.75-3.5/3, 2))/2) / (3.5 / 3)),
		}},
		"silence": {Trace{File: "silent", Count: "n", Bin: ptr(second)}, Summary{
			Kind: "counts", Rows: 2, First: "0s", Last: "1s", Length: 2 * second, Bin: second,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Inspect(c.trace, f.open)
			require.NoError(t, err)
			for _, pair := range [][2]**float64{{&c.want.PeakToMean, &got.PeakToMean}, {&c.want.GapCV, &got.GapCV}, {&c.want.Dispersion, &got.Dispersion}} {
				if *pair[0] != nil && *pair[1] != nil {
					assert.InDelta(t, **pair[0], **pair[1], 1e-12)
					*pair[0] = *pair[1]
				}
			}
			assert.Equal(t, c.want, got)
		})
	}
}

func TestInspectRefuses(t *testing.T) {
	f := files{"empty": "t,n\n", "word": "0\nx\n", "one": "5\n"}
	for name, c := range map[string]struct {
		trace Trace
		want  string
	}{
		"no column":        {Trace{File: "empty"}, "found no column, expected one of count, value, timestamps"},
		"no rows":          {Trace{File: "empty", Timestamps: "t"}, "file: empty:1:1: found a header only, expected rows"},
		"no rows of bins":  {Trace{File: "empty", Time: "t", Count: "n"}, "file: empty:1:1: found a header only, expected rows"},
		"not a time":       {Trace{File: "word", Timestamps: "0"}, `file: word:2:1: found "x", expected a number`},
		"no file":          {Trace{File: "none", Timestamps: "0"}, "file: cannot be opened: file does not exist"},
		"one row of a bin": {Trace{File: "one", Count: "0", Time: "0"}, "bin: found none, expected the length of a bin: a file of one row does not show it"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Inspect(c.trace, f.open)
			assert.EqualError(t, err, c.want)
		})
	}
	one, err := Inspect(Trace{File: "one", Timestamps: "0"}, f.open)
	require.NoError(t, err)
	assert.Equal(t, Summary{Kind: "timestamps", Rows: 1, First: "5s", Last: "5s", Requests: 1, PeakRate: 1}, one)
}

func TestInspectRealTraces(t *testing.T) {
	elb, err := Inspect(Trace{File: "elb", Time: "timestamp", Count: "value"}, shared(t, "nab/elb_request_count_8c0756.csv"))
	require.NoError(t, err)
	assert.Equal(t, 4032, elb.Rows)
	assert.Equal(t, 249_327.0, elb.Requests)
	assert.Equal(t, 656.0/300, elb.PeakRate)
	assert.Equal(t, 5*minute, elb.Bin)
	assert.Len(t, elb.Holes, 8)
	llm, err := Inspect(Trace{File: "llm", Timestamps: "TIMESTAMP"}, shared(t, "azure-llm-2023/AzureLLMInferenceTrace_code.csv"))
	require.NoError(t, err)
	assert.Equal(t, 8_819, llm.Rows)
	assert.InDelta(t, 13, *llm.GapCV, 1)
}
