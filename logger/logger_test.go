package logger_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/scalelab/scalelab/logger"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestJSONConformsToSlog(t *testing.T) {
	var out bytes.Buffer
	for name, o := range map[string]logger.Options{
		"plain":    {Writer: &out},
		"clock":    {Writer: &out, Clock: newJournal().clock},
		"sampling": {Writer: &out, Sampling: logger.Sampling{Window: time.Nanosecond}},
		"reports":  {Writer: &out, Errors: discard{}},
	} {
		t.Run(name, func(t *testing.T) {
			slogtest.Run(t, func(*testing.T) slog.Handler {
				out.Reset()
				return logger.NewHandler(o)
			}, func(t *testing.T) map[string]any {
				var record map[string]any
				require.NoError(t, json.Unmarshal(out.Bytes(), &record))
				return record
			})
		})
	}
}

func TestConsoleConformsToSlog(t *testing.T) {
	var out bytes.Buffer
	slogtest.Run(t, func(*testing.T) slog.Handler {
		out.Reset()
		return logger.NewHandler(logger.Options{Writer: &out, Format: logger.Console})
	}, func(t *testing.T) map[string]any { return parseConsole(t, out.String()) })
}

// parseConsole reads a line whose message and values hold no spaces.
func parseConsole(t *testing.T, line string) map[string]any {
	record := map[string]any{}
	words := strings.Fields(line)
	if at, err := time.Parse(time.RFC3339, words[0]); err == nil {
		record["time"] = at
		words = words[1:]
	}
	record["level"], record["msg"] = words[0], words[1]
	for _, word := range words[2:] {
		key, value, found := strings.Cut(word, "=")
		require.True(t, found, line)
		path := strings.Split(key, ".")
		group := record
		for _, name := range path[:len(path)-1] {
			if group[name] == nil {
				group[name] = map[string]any{}
			}
			group = group[name].(map[string]any)
		}
		group[path[len(path)-1]] = value
	}
	return record
}

func TestTimeIsTheClocksInUTC(t *testing.T) {
	j := newJournal()
	j.clock.SetTime(noon.In(time.FixedZone("elsewhere", 3600)).Add(1500 * time.Microsecond))
	logger.New(j.options(logger.JSON)).Info("a")
	logger.New(j.options(logger.Console)).Info("a")
	assert.Equal(t, []string{
		`{"time":"2026-01-02T12:00:00.0015Z","level":"INFO","msg":"a"}`,
		`2026-01-02T12:00:00.001Z INFO  a`,
	}, j.take(t))
}

func TestLevelsAreObeyedAndCanBeChanged(t *testing.T) {
	j := newJournal()
	var level slog.LevelVar
	o := j.options(logger.Console)
	o.Level = &level
	log := logger.New(o).With("a", 1)
	log.Debug("not yet")
	level.Set(slog.LevelDebug)
	log.Debug("now")
	level.Set(slog.LevelError)
	log.Warn("no more")
	assert.Equal(t, []string{"DEBUG now a=1"}, j.take(t))

	silent := logger.New(logger.Options{})
	assert.True(t, silent.Enabled(t.Context(), slog.LevelInfo))
	assert.False(t, silent.Enabled(t.Context(), slog.LevelDebug))
	assert.NoError(t, silent.Handler().Handle(t.Context(), slog.Record{Message: "nowhere"}))
}

func TestFormatsByName(t *testing.T) {
	for _, f := range []logger.Format{logger.JSON, logger.Console} {
		got, err := logger.ParseFormat(string(f))
		require.NoError(t, err)
		assert.Equal(t, f, got)
	}
	_, err := logger.ParseFormat("xml")
	assert.EqualError(t, err, `found log format "xml", expected one of json, console`)
}

func TestFieldsOfTheContext(t *testing.T) {
	j := newJournal()
	log := logger.New(j.options(logger.JSON))
	ctx := logger.With(t.Context(), slog.Int("request", 7))
	ctx = logger.With(ctx, slog.String("token", "abc"))
	other := logger.With(ctx, slog.Int("try", 2))
	assert.Equal(t, []slog.Attr{slog.Int("request", 7), slog.String("token", "abc")}, logger.Fields(ctx))
	assert.Empty(t, logger.Fields(t.Context()))

	log.InfoContext(ctx, "plain", "a", 1)
	log.With("b", 2).InfoContext(other, "with", "a", 1)
	grouped := log.With("b", 2).WithGroup("g").With("c", 3).WithGroup("h")
	grouped.InfoContext(ctx, "grouped", "a", 1)
	grouped.InfoContext(ctx, "empty group inside")
	log.WithGroup("g").InfoContext(ctx, "empty group")
	grouped.Info("without", "a", 1)
	assert.Equal(t, []string{
		`{"level":"INFO","msg":"plain","request":7,"token":"***","a":1}`,
		`{"level":"INFO","msg":"with","b":2,"request":7,"token":"***","try":2,"a":1}`,
		`{"level":"INFO","msg":"grouped","b":2,"request":7,"token":"***","g":{"c":3,"h":{"a":1}}}`,
		`{"level":"INFO","msg":"empty group inside","b":2,"request":7,"token":"***","g":{"c":3}}`,
		`{"level":"INFO","msg":"empty group","request":7,"token":"***"}`,
		`{"level":"INFO","msg":"without","b":2,"g":{"c":3,"h":{"a":1}}}`,
	}, j.take(t))
}

func TestLoggersMadeFromOneDoNotMix(t *testing.T) {
	j := newJournal()
	for _, format := range []logger.Format{logger.Console, logger.JSON} {
		one := logger.New(j.options(format)).With("a", 1).WithGroup("g").With("b", 2)
		_ = one.With("c", 3)
		two, three := one.With("d", 4), one.WithGroup("h").With("e", 5)
		_, _ = two.With("x", 1), three.With("y", 1)
		ctx := logger.With(t.Context(), slog.Int("f", 6))
		two.InfoContext(ctx, "two")
		three.InfoContext(ctx, "three")
		one.Info("one")
	}
	assert.Equal(t, []string{
		"INFO  two a=1 f=6 g.b=2 g.d=4",
		"INFO  three a=1 f=6 g.b=2 g.h.e=5",
		"INFO  one a=1 g.b=2",
		`{"level":"INFO","msg":"two","a":1,"f":6,"g":{"b":2,"d":4}}`,
		`{"level":"INFO","msg":"three","a":1,"f":6,"g":{"b":2,"h":{"e":5}}}`,
		`{"level":"INFO","msg":"one","a":1,"g":{"b":2}}`,
	}, j.take(t))
	h := logger.NewHandler(logger.Options{})
	assert.Same(t, h, h.WithAttrs(nil))
	assert.Same(t, h, h.WithGroup(""))
}

type broken struct{}

var errBroken = errors.New("disk full")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestErrorsOfTheWriterAreReturned(t *testing.T) {
	for _, format := range []logger.Format{logger.JSON, logger.Console} {
		h := logger.NewHandler(logger.Options{Writer: broken{}, Format: format})
		assert.ErrorIs(t, h.Handle(t.Context(), slog.NewRecord(noon, slog.LevelInfo, "a", 0)), errBroken)
	}
}

// TestConcurrentUse is for the race detector, and counts that nothing is lost:
// every record is written or is in a count.
func TestConcurrentUse(t *testing.T) {
	const workers, records = 8, 200
	for _, format := range []logger.Format{logger.JSON, logger.Console} {
		j := newJournal()
		o := j.options(format)
		reports, err := logger.NewOTLP(j, slog.String("service.name", "operator"))
		require.NoError(t, err)
		o.Errors = reports
		o.Sampling = logger.Sampling{Window: 2 * time.Second, First: 3, Messages: 4}
		log := logger.New(o)
		var group sync.WaitGroup
		for worker := range workers {
			group.Go(func() {
				ctx := logger.With(context.Background(), slog.Int("worker", worker))
				mine := log.With("password", "pw").WithGroup("g").With("worker", worker)
				for i := range records {
					mine.ErrorContext(ctx, "message "+strconv.Itoa(i%6), "token", "secret", "i", i)
					if i%50 == 0 {
						j.at(i)
					}
				}
			})
		}
		group.Wait()
		require.NoError(t, logger.Flush(t.Context(), log))
		seen := 0
		for line := range strings.Lines(j.text.String()) {
			assert.NotContains(t, line, "secret")
			switch {
			case strings.Contains(line, "resourceLogs"):
				continue
			case strings.Contains(line, `"suppressed":`):
				var count struct{ Suppressed int }
				require.NoError(t, json.Unmarshal([]byte(line), &count))
				seen += count.Suppressed
			case strings.Contains(line, "suppressed="):
				seen += parseCount(t, line)
			default:
				seen++
			}
		}
		assert.Equal(t, workers*records, seen, format)
	}
}

func parseCount(t *testing.T, line string) int {
	_, after, _ := strings.Cut(line, "suppressed=")
	n, err := strconv.Atoi(strings.Fields(after)[0])
	require.NoError(t, err)
	return n
}
