package logger_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/scalelab/scalelab/logger"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type discard struct{}

func (discard) Report(context.Context, slog.Record) error { return nil }

// shouter panics when anybody wants to know what it is.
type shouter struct{}

func (shouter) MarshalText() ([]byte, error) { panic("no") }
func (shouter) MarshalJSON() ([]byte, error) { panic("no") }

type mute struct{ Name string }

func (mute) MarshalText() ([]byte, error) { return nil, errors.New("mute") }

func TestErrorsAreReported(t *testing.T) {
	j := newJournal()
	var reports bytes.Buffer
	reporter, err := logger.NewOTLP(&reports, slog.String("service.name", "operator"))
	require.NoError(t, err)
	o := j.options(logger.JSON)
	o.Errors = reporter
	log := logger.New(o).With("service", "shop").WithGroup("g").With("token", "pw")
	ctx := logger.With(t.Context(), slog.String("traceId", "5B8EFFF798038103D269B633813FC60C"), slog.String("spanId", "eee19b7ec3c1b174"))
	log.WarnContext(ctx, "no error")
	assert.Empty(t, reports.String())
	j.take(t)
	log.ErrorContext(ctx, "not scaled", "err", errors.New("conflict"), "password", "pw")

	assert.Equal(t, []string{`{"level":"ERROR","msg":"not scaled","service":"shop","traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"eee19b7ec3c1b174","g":{"token":"***","err":"conflict","password":"***"}}`}, j.take(t))
	assert.Equal(t, `{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"operator"}}]},`+
		`"scopeLogs":[{"logRecords":[{"timeUnixNano":"1767355200000000000","severityNumber":17,"severityText":"ERROR",`+
		`"body":{"stringValue":"not scaled"},"attributes":[{"key":"service","value":{"stringValue":"shop"}},`+
		`{"key":"g","value":{"kvlistValue":{"values":[{"key":"token","value":{"stringValue":"***"}},`+
		`{"key":"err","value":{"stringValue":"conflict"}},{"key":"password","value":{"stringValue":"***"}}]}}}],`+
		`"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174"}]}]}]}`+"\n", reports.String())
}

func TestValuesInOpenTelemetry(t *testing.T) {
	for _, c := range []struct {
		name string
		attr slog.Attr
		want string // the attributes, without the frame of the key a; empty: none
	}{
		{"text", slog.String("a", "b\xff"), `{"stringValue":"b` + `\ufffd` + `"}`},
		{"integer", slog.Int64("a", math.MinInt64), `{"intValue":"-9223372036854775808"}`},
		{"natural number", slog.Uint64("a", 7), `{"intValue":"7"}`},
		{"natural number too large", slog.Uint64("a", math.MaxUint64), `{"stringValue":"18446744073709551615"}`},
		{"number", slog.Float64("a", 1.5), `{"doubleValue":1.5}`},
		{"not a number", slog.Float64("a", math.NaN()), `{"doubleValue":"NaN"}`},
		{"infinity", slog.Float64("a", math.Inf(1)), `{"doubleValue":"Infinity"}`},
		{"negative infinity", slog.Float64("a", math.Inf(-1)), `{"doubleValue":"-Infinity"}`},
		{"truth", slog.Bool("a", false), `{"boolValue":false}`},
		{"duration", slog.Duration("a", time.Second), `{"intValue":"1000000000"}`},
		{"instant", slog.Time("a", noon), `{"intValue":"1767355200000000000"}`},
		{"nothing", slog.Any("a", nil), `{}`},
		{"bytes", slog.Any("a", []byte("ab")), `{"bytesValue":"YWI="}`},
		{"error", slog.Any("a", os.ErrNotExist), `{"stringValue":"file does not exist"}`},
		{"list", slog.Any("a", []any{"x", true, nil, 2, 2.5, json.Number("1e400")}), `{"arrayValue":{"values":[{"stringValue":"x"},{"boolValue":true},{},{"intValue":"2"},{"doubleValue":2.5},{"doubleValue":"Infinity"}]}}`},
		{"empty list", slog.Any("a", []string{}), `{"arrayValue":{"values":[]}}`},
		{"map", slog.Any("a", map[string]int{"z": 1, "y": 2}), `{"kvlistValue":{"values":[{"key":"y","value":{"intValue":"2"}},{"key":"z","value":{"intValue":"1"}}]}}`},
		{"struct", slog.Any("a", struct{ B []int }{[]int{1}}), `{"kvlistValue":{"values":[{"key":"B","value":{"arrayValue":{"values":[{"intValue":"1"}]}}}]}}`},
		{"what has no JSON", slog.Any("a", struct{ F func() }{}), `{"stringValue":"{F:\u003cnil\u003e}"}`},
		{"what panics", slog.Any("a", shouter{}), `{"stringValue":"!PANIC: no"}`},
		{"a list of what panics", slog.Any("a", []shouter{{}}), `{"stringValue":"[{}]"}`},
		{"what does not marshal", slog.Any("a", mute{"m"}), `{"stringValue":"{Name:m}"}`},
		{"LogValuer", slog.Any("a", logger.NewMasked("abc", 1, 1)), `{"stringValue":"a*c"}`},
		{"group", slog.Group("a", "b", 1, "b", 2), `{"kvlistValue":{"values":[{"key":"b","value":{"intValue":"2"}}]}}`},
		{"inline group", slog.Group("", slog.Int("a", 3)), `{"intValue":"3"}`},
		{"empty group", slog.Group("a"), ""},
		{"empty attribute", slog.Attr{}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			reporter, err := logger.NewOTLP(&out)
			require.NoError(t, err)
			r := slog.NewRecord(time.Time{}, slog.LevelError+2, "m", 0)
			r.AddAttrs(c.attr)
			require.NoError(t, reporter.Report(t.Context(), r))
			want := ""
			if c.want != "" {
				want = `,"attributes":[{"key":"a","value":` + c.want + `}]`
			}
			assert.Equal(t, `{"resourceLogs":[{"resource":{},"scopeLogs":[{"logRecords":[{"severityNumber":19,"severityText":"ERROR+2","body":{"stringValue":"m"}`+want+`}]}]}]}`+"\n", out.String())
		})
	}
}

func TestTraceIDsThatAreNone(t *testing.T) {
	for _, a := range []slog.Attr{
		slog.String("traceId", "short"), slog.String("trace_id", strings.Repeat("0", 32)), slog.String("traceId", strings.Repeat("x", 32)),
		slog.String("spanId", strings.Repeat("a", 32)), slog.String("other", strings.Repeat("a", 16)),
		slog.Group("g", "traceId", strings.Repeat("a", 32)),
	} {
		var out bytes.Buffer
		reporter, err := logger.NewOTLP(&out)
		require.NoError(t, err)
		r := slog.NewRecord(noon, slog.LevelError, "m", 0)
		r.AddAttrs(a)
		require.NoError(t, reporter.Report(t.Context(), r))
		assert.NotContains(t, out.String(), `"traceId":"`)
		assert.NotContains(t, out.String(), `"spanId":"`)
		assert.Contains(t, out.String(), `{"key":"`+a.Key+`",`)
	}
}

func TestSeveritiesStayInTheirRange(t *testing.T) {
	for level, want := range map[slog.Level]string{
		slog.LevelDebug: `"severityNumber":5,`, slog.LevelInfo: `"severityNumber":9,`, slog.LevelWarn: `"severityNumber":13,`,
		-1000: `"severityNumber":1,`, 1000: `"severityNumber":24,`,
	} {
		var out bytes.Buffer
		reporter, err := logger.NewOTLP(&out)
		require.NoError(t, err)
		require.NoError(t, reporter.Report(t.Context(), slog.NewRecord(noon, level, "m", 0)))
		assert.Contains(t, out.String(), want)
	}
}

func TestReportsInAFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "errors.jsonl")
	for range 2 {
		reporter, err := logger.OpenOTLP(name, slog.String("service.name", "operator"))
		require.NoError(t, err)
		logger.New(logger.Options{Errors: reporter}).Error("not scaled")
		require.NoError(t, reporter.Close())
	}
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, 2, strings.Count(string(text), "\n"), "it is appended to")
	info, err := os.Stat(name)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	_, err = logger.OpenOTLP(filepath.Join(name, "below a file"))
	assert.ErrorContains(t, err, "making an error reporter: open ")
	_, err = logger.NewOTLP(nil)
	assert.EqualError(t, err, "making an error reporter: found no writer, expected one")
	reporter, err := logger.NewOTLP(&bytes.Buffer{})
	require.NoError(t, err)
	assert.NoError(t, reporter.Close())
}

func TestAReportThatFailsIsLogged(t *testing.T) {
	j := newJournal()
	reporter, err := logger.NewOTLP(broken{})
	require.NoError(t, err)
	o := j.options(logger.Console)
	o.Errors = reporter
	err = logger.NewHandler(o).Handle(t.Context(), slog.NewRecord(noon, slog.LevelError, "not scaled", 0))
	assert.ErrorIs(t, err, errBroken)
	assert.Equal(t, []string{
		`ERROR an error could not be reported err="reporting an error: writing a log record: disk full"`,
		"ERROR not scaled",
	}, j.take(t))
}

func TestCountsOfErrorsAreReported(t *testing.T) {
	j := newJournal()
	var reports bytes.Buffer
	reporter, err := logger.NewOTLP(&reports)
	require.NoError(t, err)
	o := j.options(logger.Console)
	o.Errors, o.Sampling = reporter, logger.Sampling{Window: time.Minute}
	log := logger.New(o)
	for range 5 {
		log.Error("not scaled")
	}
	require.NoError(t, logger.Flush(t.Context(), log))
	assert.Equal(t, 2, strings.Count(reports.String(), "\n"))
	assert.Contains(t, reports.String(), `{"key":"suppressed","value":{"intValue":"4"}}`)
}
